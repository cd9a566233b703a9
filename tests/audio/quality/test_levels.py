"""Noise, hum and tuning against sounds that hold known ones."""

from __future__ import annotations

import numpy as np
import pytest

from quality_sounds import RATE_HZ, struck, white
from tocco.audio.quality.levels import SlowSpectra


def slow(sound: np.ndarray) -> SlowSpectra:
    spectra = SlowSpectra()
    for start in range(0, len(sound), 70_001):
        spectra.add(sound[start : start + 70_001].astype(np.float32))
    return spectra


def rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=float))))


@pytest.mark.parametrize("snr_db", [5.0, 12.0, 20.0])
def test_the_noise_between_partials_is_found(snr_db: float) -> None:
    music, noise = struck(12.0), white(12.0)
    noisy = music + noise * (rms(music) / rms(noise) * 10.0 ** (-snr_db / 20.0))
    # the mean level holds the noise as well
    both = 10.0 * np.log10(10.0 ** (snr_db / 10.0) + 1.0)
    assert slow(noisy).snr_db == pytest.approx(both, abs=1.5)


def test_noise_alone_has_no_music_over_it() -> None:
    assert slow(white(8.0)).snr_db == pytest.approx(0.0, abs=1.0)


@pytest.mark.parametrize("mains_hz", [50, 60])
def test_hum_is_found_with_its_level(mains_hz: int) -> None:
    music = struck(12.0)
    t = np.arange(len(music)) / RATE_HZ
    hum = sum(np.sin(2 * np.pi * mains_hz * k * t + k) / k for k in range(1, 6))
    hum *= rms(music) / rms(hum) * 0.1
    found = slow(music + hum).hum
    assert found is not None
    assert found.mains_hz == mains_hz
    assert found.level_db == pytest.approx(-20.0, abs=2.0)


def test_low_notes_that_decay_are_no_hum() -> None:
    assert slow(struck(12.0)).hum is None


def test_too_short_a_sound_has_no_hum() -> None:
    t = np.arange(3 * RATE_HZ) / RATE_HZ
    assert slow(sum(np.sin(2 * np.pi * 50 * k * t) for k in range(1, 6))).hum is None


@pytest.mark.parametrize("cents", [-45.0, -20.0, 0.0, 31.0])
def test_the_tuning_is_found(cents: float) -> None:
    found, fit = slow(struck(8.0, cents=cents)).tuning
    assert found == pytest.approx(cents, abs=4.0)
    assert fit > 0.6


def test_noise_and_silence_have_no_tuning() -> None:
    assert slow(white(8.0)).tuning[1] < 0.3
    assert slow(np.zeros(8 * RATE_HZ)).tuning == (0.0, 0.0)


def test_nothing_is_known_before_the_first_spectrum() -> None:
    assert slow(np.zeros(1_000)).snr_db is None

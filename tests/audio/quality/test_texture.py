"""What the measures of a texture are, on sounds of known make."""

from __future__ import annotations

import numpy as np
import pytest

from quality_sounds import RATE_HZ, held, struck, white
from tocco.audio.quality.spectra import BIN_HZ, Frames
from tocco.audio.quality.texture import WINDOW_FRAMES, spectral_peaks, texture


def spectra(sound: np.ndarray, block: int = 10**7) -> np.ndarray:
    frames = Frames()
    return np.concatenate(
        [part for k in range(0, len(sound), block) for part in frames.add(sound[k : k + block])]
    )


def measured(sound: np.ndarray) -> dict[str, float]:
    return texture(spectra(sound)[20 : 20 + WINDOW_FRAMES], np.zeros(4))


@pytest.fixture(scope="module")
def piano() -> dict[str, float]:
    return measured(struck(5.0))


@pytest.fixture(scope="module")
def organ() -> dict[str, float]:
    return measured(held(5.0))


def test_a_sine_of_full_scale_has_the_power_one() -> None:
    t = np.arange(RATE_HZ) / RATE_HZ
    power = spectra(np.sin(2 * np.pi * 100 * BIN_HZ * t))
    assert power[:, 100] == pytest.approx(np.ones(len(power)), abs=1e-3)


def test_blocks_of_any_length_give_the_same_spectra() -> None:
    sound = struck(2.0)
    assert np.array_equal(spectra(sound, 3_333), spectra(sound))


def test_gain_changes_no_measure(piano: dict[str, float]) -> None:
    soft = measured(0.05 * struck(5.0))
    assert soft == pytest.approx(piano, abs=0.02, rel=0.02)


def test_struck_notes_decay_and_held_ones_do_not(piano: dict[str, float], organ: dict[str, float]) -> None:
    assert piano["lasting_slope_middle"] < -5.0
    assert organ["lasting_slope_middle"] == pytest.approx(0.0, abs=1.0)


def test_frequencies_stay_in_both_and_in_noise_they_do_not(piano: dict[str, float]) -> None:
    noise = measured(white(5.0))
    assert piano["tuning_fit"] > 0.7
    assert noise["tuning_fit"] < 0.1
    assert noise["drift_p50"] > piano["drift_p50"] + 1.0


def test_noise_is_flat(piano: dict[str, float]) -> None:
    # the logarithm of an exponential variable has the mean of its scale's less Euler's constant: 2.5 dB
    assert measured(white(5.0))["flatness_4"] == pytest.approx(-2.5, abs=0.3)
    assert piano["flatness_4"] < -8.0


def test_speech_is_handed_on() -> None:
    found = texture(spectra(struck(5.0))[:WINDOW_FRAMES], np.array([0.0, 1.0]))
    assert (found["speech_mean"], found["speech_p90"]) == pytest.approx((0.5, 0.9))


@pytest.mark.parametrize("sound", [np.zeros(5 * RATE_HZ), np.ones(5 * RATE_HZ)])
def test_sounds_without_any_change_have_finite_measures(sound: np.ndarray) -> None:
    assert np.isfinite(list(measured(sound).values())).all()


def test_peaks_lie_between_bins() -> None:
    t = np.arange(RATE_HZ) / RATE_HZ
    power = spectra(np.sin(2 * np.pi * 881.3 * t) + 0.1 * np.sin(2 * np.pi * 1500.0 * t))
    frequency, level = spectral_peaks(power, BIN_HZ, (200.0, 3_000.0), 2)
    order = np.argsort(level[0])
    assert frequency[0][order] == pytest.approx([1500.0, 881.3], abs=0.5)
    assert level[0][order] == pytest.approx([-20.0, 0.0], abs=1.5)

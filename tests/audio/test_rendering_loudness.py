"""Loudness after BS.1770, and the peak ceiling."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tocco.audio.rendering import at_loudness, loudness_lufs
from tocco.errors import InputError, MissingPartError
from tocco.units import SAMPLE_RATE_HZ


def tone(frequency_hz: float, seconds: float, peak: float) -> np.ndarray:
    t = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (peak * np.sin(2 * np.pi * frequency_hz * t)).astype(np.float32)


def test_a_full_tone_of_1_khz_reads_as_the_standard_says() -> None:
    # ITU-R BS.1770-4, annex 1: a 0 dBFS sine of 997 Hz in one channel reads -3.01 LKFS; meters may
    # differ by 0.1 (EBU Tech 3341).
    assert loudness_lufs(tone(997.0, 5.0, 1.0)) == pytest.approx(-3.01, abs=0.1)
    assert loudness_lufs(tone(997.0, 5.0, 0.1)) == pytest.approx(-23.01, abs=0.1)


def test_pauses_do_not_count() -> None:
    sound = tone(440.0, 4.0, 0.2)
    with_pause = np.concatenate([sound, np.zeros(10 * SAMPLE_RATE_HZ, np.float32), sound])
    assert loudness_lufs(with_pause) == pytest.approx(loudness_lufs(sound), abs=0.3)


def test_low_notes_count_less_than_high_ones_of_one_level() -> None:
    assert loudness_lufs(tone(40.0, 3.0, 0.3)) < loudness_lufs(tone(440.0, 3.0, 0.3)) - 3
    assert loudness_lufs(tone(4_000.0, 3.0, 0.3)) > loudness_lufs(tone(440.0, 3.0, 0.3)) + 3


def test_a_sound_shorter_than_a_block_has_a_loudness() -> None:
    assert loudness_lufs(tone(997.0, 0.2, 1.0)) == pytest.approx(-3.01 - 3.01, abs=0.2)


@pytest.mark.parametrize("target_lufs", [-35.0, -23.0, -18.0])
def test_a_sound_comes_out_as_loud_as_asked(target_lufs: float) -> None:
    levelled = at_loudness(tone(440.0, 3.0, 0.01), target_lufs, ceiling_dbfs=-1.0, source="x")
    assert loudness_lufs(levelled.waveform) == pytest.approx(target_lufs, abs=0.01)
    assert levelled.loudness_lufs == pytest.approx(target_lufs)
    assert not levelled.held_down_by_peak
    assert levelled.waveform.dtype == np.float32


def test_the_peak_comes_first() -> None:
    spiky = tone(440.0, 3.0, 0.01)
    spiky[30_000] = 0.5
    levelled = at_loudness(spiky, -23.0, ceiling_dbfs=-1.0, source="x")
    assert levelled.held_down_by_peak
    assert 20 * np.log10(np.abs(levelled.waveform).max()) == pytest.approx(-1.0, abs=1e-4)
    assert levelled.peak_dbfs == pytest.approx(-1.0, abs=1e-4)
    assert levelled.loudness_lufs == pytest.approx(loudness_lufs(levelled.waveform), abs=0.01)
    assert levelled.loudness_lufs < -23.0


def test_what_cannot_be_heard_is_refused() -> None:
    for silent in (np.zeros(24_000, np.float32), tone(440.0, 1.0, 1e-5)):
        with pytest.raises(InputError, match=r"take\.mid: sounds at .* LUFS, too soft"):
            at_loudness(silent, -23.0, ceiling_dbfs=-1.0, source="take.mid")


def test_a_missing_loudness_meter_is_reported(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyloudnorm", None)
    with pytest.raises(MissingPartError, match=r"pip install 'tocco\[data\]'"):
        loudness_lufs(np.zeros(10))

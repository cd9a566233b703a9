"""Dropouts that were planted, peaks that were cut."""

from __future__ import annotations

import numpy as np
import pytest

from quality_sounds import RATE_HZ, struck
from tocco.audio.quality.samples import Dropouts, Peaks


def dropouts(sound: np.ndarray, block: int = 50_001) -> list[float]:
    found = Dropouts()
    for start in range(0, len(sound), block):
        found.add(sound[start : start + block])
    return found.time_sec


def test_planted_gaps_are_counted_in_blocks_of_any_length() -> None:
    sound = struck(8.0)
    for begin_sec, length_sec in ((1.55, 0.02), (3.31, 0.1), (5.1, 0.05)):
        begin = int(begin_sec * RATE_HZ)
        sound[begin : begin + int(length_sec * RATE_HZ)] = 0.0
    for block in (1_000, 50_001, 10**6):
        assert dropouts(sound, block) == pytest.approx([1.55, 3.31, 5.1], abs=0.006)


def test_music_with_rests_has_none() -> None:
    assert dropouts(struck(10.0, step_sec=0.4)) == []
    assert dropouts(struck(10.0, step_sec=2.0)) == []


def test_a_long_gap_is_a_rest() -> None:
    sound = struck(8.0)
    sound[2 * RATE_HZ : 3 * RATE_HZ] = 0.0
    assert dropouts(sound) == []


def test_cut_peaks_crowd_at_the_ceiling_at_any_level() -> None:
    sound = struck(8.0)
    whole, cut = Peaks(), Peaks()
    whole.add(sound)
    cut.add(0.07 * np.clip(sound, -0.15, 0.15))
    assert whole.crowding < 1e-3
    assert cut.crowding > 1e-2


def test_silence_has_no_peaks() -> None:
    peaks = Peaks()
    assert peaks.crowding == 0.0
    peaks.add(np.zeros(1_000))
    assert peaks.crowding == 0.0

"""Windows of a stream: where they lie, and that no sample is lost."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tocco.audio.transcription.transkun.network import HOP_SAMPLES, NETWORK_RATE_HZ
from tocco.audio.transcription.transkun.sound_windows import WINDOW_FRAMES, sound_windows
from tocco.units import SAMPLE_RATE_HZ

WINDOW_SEC = WINDOW_FRAMES * HOP_SAMPLES / NETWORK_RATE_HZ


def noise(seconds: float) -> np.ndarray:
    n = round(seconds * SAMPLE_RATE_HZ)
    return np.random.default_rng(1).normal(0.0, 0.1, n).astype(np.float32)


@pytest.mark.parametrize("seconds", [0.5, 12.0, 14.01, 14.1, 27.0, 27.1, 60.0])
def test_all_windows_are_of_one_length_and_overlap_by_three_seconds_or_more(seconds: float) -> None:
    windows = list(sound_windows([noise(seconds)]))
    assert {len(window.sound) for window in windows} == {WINDOW_FRAMES * HOP_SAMPLES}
    assert windows[0].start_sec == pytest.approx(-1.0, abs=0.01)
    for one, following in pairwise(windows):
        assert one.start_sec < following.start_sec
        assert one.end_sec - following.start_sec >= 3.0
    expected_end = max(seconds + 1.0, WINDOW_SEC - 1.0)
    assert windows[-1].end_sec == pytest.approx(expected_end, abs=0.01)
    assert len(windows) == max(1, int(np.ceil((seconds + 2.0 - WINDOW_SEC) / 13.0 - 1e-3)) + 1)


def test_the_length_of_the_blocks_does_not_matter() -> None:
    sound = noise(31.0)
    whole = list(sound_windows([sound]))
    parts = list(sound_windows(np.array_split(sound, 37)))
    assert [w.start_sec for w in parts] == [w.start_sec for w in whole]
    for one, other in zip(parts, whole, strict=True):
        np.testing.assert_allclose(one.sound, other.sound, atol=1e-6)


def test_neighbours_hold_the_same_samples_where_they_overlap() -> None:
    windows = list(sound_windows([noise(40.0)]))
    for one, following in pairwise(windows):
        shared = round((one.end_sec - following.start_sec) * NETWORK_RATE_HZ)
        np.testing.assert_array_equal(one.sound[-shared:], following.sound[:shared])


def test_silence_surrounds_the_recording() -> None:
    (window,) = sound_windows([np.full(SAMPLE_RATE_HZ, 0.5, np.float32)])
    loud = np.flatnonzero(np.abs(window.sound) > 0.4) / NETWORK_RATE_HZ + window.start_sec
    assert loud[0] == pytest.approx(0.0, abs=0.01)
    assert loud[-1] == pytest.approx(1.0, abs=0.01)

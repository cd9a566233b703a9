import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocco.inference.windows import centre_weighted_merge, stream_windows


def test_one_window_is_the_whole() -> None:
    merge = centre_weighted_merge(np.array([[0.0, 8.0]]), np.array([True]))
    assert merge.overall(np.array([[61.0, 40.0]])) == pytest.approx([61.0, 40.0])
    assert merge.curve(np.array([[61.0, 40.0]])) == pytest.approx(np.tile([61.0, 40.0], (8, 1)))


def test_a_silent_window_says_nothing() -> None:
    bounds = np.array([[0.0, 10.0], [5.0, 15.0], [10.0, 20.0]])
    merge = centre_weighted_merge(bounds, np.array([True, False, True]))
    assert merge.window_share[1] == 0.0
    assert merge.overall(np.array([[50.0], [0.0], [70.0]])) == pytest.approx([60.0])


def test_a_moment_that_no_window_tells_has_no_point() -> None:
    bounds = np.array([[0.0, 10.0], [10.0, 20.0], [20.0, 30.0]])
    merge = centre_weighted_merge(bounds, np.array([True, False, True]))
    assert not np.any((merge.time_sec > 10.0) & (merge.time_sec < 20.0))


@given(st.integers(1, 30), st.floats(0.0, 100.0))
def test_a_steady_performance_keeps_its_rating(n_windows: int, rating: float) -> None:
    starts = 10.0 * np.arange(n_windows)
    merge = centre_weighted_merge(np.stack([starts, starts + 20.0], axis=1), np.full(n_windows, True))
    assert merge.share.sum(axis=1) == pytest.approx(np.ones(len(merge.time_sec)))
    assert merge.overall(np.full((n_windows, 1), rating)) == pytest.approx([rating])


@given(st.lists(st.integers(1, 700), min_size=1, max_size=20), st.integers(1, 8))
def test_streamed_windows_are_slices_of_the_whole(block_sizes: list[int], n_windows: int) -> None:
    waveform = np.arange(sum(block_sizes), dtype=np.float32)
    blocks = np.split(waveform, np.cumsum(block_sizes)[:-1])
    starts = np.sort(np.linspace(0.0, len(waveform) / 100 * 0.8, n_windows))
    bounds = np.stack([starts, starts + len(waveform) / 100 * 0.2], axis=1)
    windows = list(stream_windows(blocks, bounds, sample_rate_hz=100))
    assert len(windows) == n_windows
    for window, (start, end) in zip(windows, bounds, strict=True):
        assert np.array_equal(window, waveform[round(start * 100) : round(end * 100)])

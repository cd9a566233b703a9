import tracemalloc

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


def test_a_window_counts_most_where_it_is_central() -> None:
    """Spans of 4 and 8 seconds: a triangle falls to 0 at the ends of its own span."""
    merge = centre_weighted_merge(np.array([[0.0, 4.0], [2.0, 10.0]]), np.array([True, True]))
    assert merge.time_sec == pytest.approx(np.arange(0.5, 10.0))
    assert merge.step_sec == pytest.approx(1.0)
    at_2_5 = np.array([0.75, 0.125])
    assert merge.share[2] == pytest.approx(at_2_5 / at_2_5.sum())
    assert merge.share[1] == pytest.approx([1.0, 0.0])
    assert merge.window_share == pytest.approx(merge.share.mean(axis=0))
    assert merge.overall(np.array([[40.0, 1.0], [60.0, 2.0]])) == pytest.approx(
        merge.window_share @ [[40.0, 1.0], [60.0, 2.0]]
    )


def test_points_lie_in_the_middle_of_equal_steps() -> None:
    merge = centre_weighted_merge(np.array([[10.0, 15.2]]), np.array([True]), step_sec=2.0)
    assert merge.step_sec == pytest.approx(5.2 / 3)
    assert merge.time_sec == pytest.approx(10.0 + 5.2 / 3 * np.array([0.5, 1.5, 2.5]))
    short = centre_weighted_merge(np.array([[0.0, 0.3]]), np.array([True]))
    assert short.time_sec == pytest.approx([0.15])


def test_a_point_that_a_window_only_just_reaches_is_there() -> None:
    merge = centre_weighted_merge(np.array([[0.0, 10.0], [9.4999, 30.0]]), np.array([False, True]))
    assert merge.time_sec[0] == pytest.approx(9.5)
    assert merge.share[0] == pytest.approx([0.0, 1.0])


def test_streaming_holds_no_more_than_a_window_and_a_block() -> None:
    """Twenty million samples pass by; 80,000 are held, and copied once as they are cut and joined."""
    n_blocks, block = 500, 40_000
    bounds = np.stack([np.arange(0.0, 19_000.0, 1000.0), np.arange(0.0, 19_000.0, 1000.0) + 40.0], axis=1)
    tracemalloc.start()
    blocks = (np.full(block, k, dtype=np.float32) for k in range(n_blocks))
    sizes = [len(window) for window in stream_windows(blocks, bounds, sample_rate_hz=1000)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sizes == [40_000] * len(bounds)
    assert peak < 6 * 4 * block


def test_windows_after_a_gap_and_past_the_end() -> None:
    blocks = np.split(np.arange(100, dtype=np.float32), 10)
    bounds = np.array([[0.0, 0.1], [5.5, 6.0], [9.5, 12.0], [15.0, 16.0]])
    first, second, third, fourth = stream_windows(blocks, bounds, sample_rate_hz=10)
    assert first.tolist() == [0.0]
    assert second.tolist() == [55.0, 56.0, 57.0, 58.0, 59.0]
    assert third.tolist() == [95.0, 96.0, 97.0, 98.0, 99.0]
    assert len(fourth) == 0
    assert first.dtype == np.float32


def test_what_windows_have_in_common() -> None:
    """Over the geometric mean of their lengths: 10 and 10 s share 5, 10 and 40 s share 10 of 20."""
    bounds = np.array([[0.0, 10.0], [5.0, 15.0], [0.0, 40.0], [60.0, 70.0]])
    merge = centre_weighted_merge(bounds, np.full(4, True))
    assert merge.overlap == pytest.approx(
        np.array([[1.0, 0.5, 0.5, 0.0], [0.5, 1.0, 0.5, 0.0], [0.5, 0.5, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    )
    # 50 s have points, and the longest window is 40 s.
    assert len(merge.time_sec) == 50
    assert merge.n_side_by_side == 1
    four = centre_weighted_merge(np.array([[10.0 * k, 10.0 * k + 10.0] for k in range(4)]), np.full(4, True))
    assert four.n_side_by_side == 4

"""From overlapping windows to one rating and a curve over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from tocco.units import BoolArray, FloatArray, samples_from_sec

CURVE_STEP_SEC = 1.0


@dataclass(frozen=True, eq=False)
class Merge:
    """How windows share the time of a performance.

    Attributes
    ----------
    time_sec : (G,) seconds
        Points of the curve.
    share : (G, K) rows sum to 1
        How much each window says about each point.
    step_sec : seconds that each point speaks for, half of them on either side
    bounds_sec : (K, 2) seconds, the windows
    """

    time_sec: FloatArray
    share: FloatArray
    step_sec: float
    bounds_sec: FloatArray

    @property
    def overlap(self) -> FloatArray:
        """(K, K) 0..1: time that two windows have in common, over the geometric mean of their lengths."""
        start, end = self.bounds_sec.T
        common = np.minimum(end[:, None], end) - np.maximum(start[:, None], start)
        return np.maximum(common, 0.0) / np.sqrt(np.outer(end - start, end - start))

    @property
    def n_side_by_side(self) -> int:
        """How many windows fit side by side into the time that has points; at least one."""
        longest_sec = float(np.diff(self.bounds_sec, axis=1).max())
        return max(1, round(len(self.time_sec) * self.step_sec / longest_sec))

    @property
    def window_share(self) -> FloatArray:
        """(K,) summing to 1: how much each window counts in the whole."""
        return self.share.mean(axis=0)

    def curve(self, per_window: FloatArray) -> FloatArray:
        """(G, D) over time from (K, D) per window."""
        return self.share @ per_window

    def overall(self, per_window: FloatArray) -> FloatArray:
        """(D,) for the whole from (K, D) per window."""
        return self.window_share @ per_window


def centre_weighted_merge(
    bounds_sec: FloatArray, heard: BoolArray, step_sec: float = CURVE_STEP_SEC
) -> Merge:
    """Weights of a triangular overlap-average: at each point of time, the windows around it.

    A window's weight is a triangle over its span. Where only windows without music lie, there is
    no point of the curve.

    Parameters
    ----------
    bounds_sec : (K, 2) seconds
    heard : (K,) bool
        Windows that contain enough notes to be rated.
    step_sec : seconds
        Distance between points.

    Examples
    --------
    >>> merge = centre_weighted_merge(np.array([[0.0, 4.0], [2.0, 6.0]]), np.array([True, True]))
    >>> merge.time_sec
    array([0.5, 1.5, 2.5, 3.5, 4.5, 5.5])
    >>> merge.curve(np.array([[40.0], [60.0]])).round(1).ravel()
    array([40., 40., 45., 55., 60., 60.])
    """
    bounds_sec = np.asarray(bounds_sec, dtype=float)
    start, end = bounds_sec[:, 0].min(), bounds_sec[:, 1].max()
    n_points = max(1, round((end - start) / step_sec))
    edges = np.linspace(start, end, n_points + 1)
    time = (edges[:-1] + edges[1:]) / 2
    centre = bounds_sec.mean(axis=1)
    half = np.maximum(np.diff(bounds_sec, axis=1).ravel() / 2, 1e-9)
    weight = np.maximum(0.0, 1.0 - np.abs(time[:, None] - centre) / half) * np.asarray(heard, dtype=float)
    total = weight.sum(axis=1)
    covered = total > 1e-9
    return Merge(
        time[covered], weight[covered] / total[covered, None], float(edges[1] - edges[0]), bounds_sec
    )


def stream_windows(
    blocks: Iterable[FloatArray], bounds_sec: FloatArray, sample_rate_hz: int
) -> Iterator[FloatArray]:
    """Cut a stream of audio into windows, holding no more than one window and one block.

    Parameters
    ----------
    blocks : iterable of (b,) float32
        Consecutive pieces of one waveform.
    bounds_sec : (K, 2) seconds, starts ascending

    Yields
    ------
    (S,) float32
        One waveform a window; a window that reaches past the end of the stream is cut there.
    """
    source = iter(blocks)
    held = np.zeros(0, dtype=np.float32)
    held_from = 0
    ended = False
    for start_sec, end_sec in np.asarray(bounds_sec, dtype=float):
        start = samples_from_sec(float(start_sec), sample_rate_hz)
        end = samples_from_sec(float(end_sec), sample_rate_hz)
        while not ended and held_from + len(held) < end:
            block = next(source, None)
            if block is None:
                ended = True
            else:
                drop = min(max(0, start - held_from), len(held))
                held = np.concatenate([held[drop:], np.asarray(block, dtype=np.float32)])
                held_from += drop
        yield held[max(0, start - held_from) : max(0, end - held_from)].copy()

"""The network's attention, from the frames of overlapping windows to one axis of time.

Within a window the attention of a head sums to 1 over its frames. Here it is relative: times the number of
frames, so that 1 is an even share and the mean over a window is 1. A point of the curve gets the mean of the
frames in its second, averaged over the windows around it with the weights of the curve itself, and over the
heads; at the end all is divided by the mean over the points. Since every window sums to 1, seconds are only
compared with the seconds around them: no window can have more attention than another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import model_validator

from tocco.inference.windows import Merge
from tocco.models.predictor import FrameAttention
from tocco.schema import Duration, Ratio, Share, StrictModel
from tocco.units import BoolArray, FloatArray


class Attention(StrictModel):
    """Where the network looked, at the points of the curve.

    It says neither what was good there nor what was bad.
    """

    curve: tuple[Ratio | None, ...]
    """Attention of each point of the curve, mean of the heads; 1 is an even share, and the mean of all."""

    heads: tuple[tuple[Ratio | None, ...], ...]
    """The same of each head."""

    evenness: Share
    """Effective number of the frames that a window's attention lies on (exponential of its entropy), as a
    share of all of them; 1 where it is even. Mean of the windows."""

    window_sec: Duration
    """Length of a window: seconds are compared within it."""

    network_share: Share
    """Weight of the network's own rating in the rating of the whole; 0 where it shapes the curve alone."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Attention:
        if not self.heads or any(len(head) != len(self.curve) for head in self.heads):
            raise ValueError(f"attention has {len(self.curve)} points, one of its heads has not")
        return self


@dataclass(frozen=True, eq=False)
class WindowAttention:
    """Attention within one window.

    Attributes
    ----------
    weight : (heads, T) >= 0, sums to 1 over the frames
    time_sec : (T,) seconds from the start of the window, centre of each frame, ascending
    """

    weight: FloatArray
    time_sec: FloatArray


def window_attention(frames: FrameAttention | None) -> list[WindowAttention]:
    """One for each window of a batch, without padding; none where there is no attention."""
    if frames is None:
        return []
    found = []
    for weight, time_sec in zip(frames.weight, frames.time_sec, strict=True):
        real = ~np.isnan(time_sec)
        found.append(WindowAttention(weight[:, real], time_sec[real]))
    return found


def attention_over_time(
    windows: Sequence[WindowAttention], merge: Merge, network_share: float
) -> Attention | None:
    """The attention of all windows at the points of the curve.

    Parameters
    ----------
    windows : (K,) as `merge` has them; none of a predictor without attention
    merge : that made the curve
    network_share : 0..1, weight of the network in the rating

    Returns
    -------
    None without windows.

    Examples
    --------
    >>> from tocco.inference.windows import centre_weighted_merge
    >>> merge = centre_weighted_merge(np.array([[0.0, 2.0], [1.0, 3.0]]), np.array([True, True]))
    >>> early = WindowAttention(np.array([[0.75, 0.25]]), np.array([0.5, 1.5]))
    >>> attention_over_time([early, early], merge, 0.0).curve
    (1.5, 1.0, 0.5)
    """
    if not windows:
        return None
    total = np.zeros((len(windows[0].weight), len(merge.time_sec)))
    share = np.zeros(len(merge.time_sec))
    starts = merge.bounds_sec[:, 0].tolist()
    for window, start_sec, of_points in zip(windows, starts, merge.share.T, strict=True):
        relative, known = _at_points(window, start_sec, merge)
        total[:, known] += of_points[known] * relative[:, known]
        share[known] += of_points[known]
    with np.errstate(invalid="ignore"):
        heads = total / np.where(share > 0, share, np.nan)
    heads = heads / np.nanmean(heads, axis=1, keepdims=True)
    even = np.array([evenness(window.weight.mean(axis=0)) for window in windows])
    return Attention(
        curve=_points(heads.mean(axis=0)),
        heads=tuple(_points(head) for head in heads),
        evenness=float(np.clip(merge.window_share @ even, 0.0, 1.0)),
        window_sec=float(np.diff(merge.bounds_sec, axis=1).max()),
        network_share=network_share,
    )


def _at_points(window: WindowAttention, start_sec: float, merge: Merge) -> tuple[FloatArray, BoolArray]:
    """(heads, G) mean of the frames in the time of each point, and (G,) whether there are any."""
    n = len(merge.time_sec)
    time_sec = start_sec + window.time_sec
    point = np.searchsorted(merge.time_sec - merge.step_sec / 2, time_sec, side="right") - 1
    inside = (point >= 0) & (time_sec < merge.time_sec[point] + merge.step_sec / 2)
    count = np.bincount(point[inside], minlength=n)
    relative = window.weight * window.weight.shape[1]
    summed = np.stack([np.bincount(point[inside], head[inside], minlength=n) for head in relative])
    return summed / np.maximum(count, 1), count > 0


def evenness(weight: FloatArray) -> float:
    """Effective number of frames, the exponential of the entropy, as a share of their number.

    Parameters
    ----------
    weight : (T,) >= 0, sums to 1

    >>> evenness(np.array([0.25, 0.25, 0.25, 0.25])), evenness(np.array([0.5, 0.5, 0.0, 0.0]))
    (1.0, 0.5)
    """
    positive = weight[weight > 0]
    return float(np.exp(-(positive * np.log(positive)).sum()) / len(weight))


def _points(values: FloatArray) -> tuple[float | None, ...]:
    return tuple(float(v) if np.isfinite(v) else None for v in values)

"""Passages that are weaker or stronger than the whole by more than chance, and how that is decided."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from tocco.inference.assessment import Curve, Moment
from tocco.inference.intervals import DEFAULT_LEVEL
from tocco.inference.windows import Merge
from tocco.music.alignment import Alignment
from tocco.music.places import bars_of, name_span
from tocco.units import BoolArray, FloatArray

SHARED_ERROR: Final = 0.13
"""Share of the variance of the model's error that all windows of one performance have in common.

The correlation of held-out errors between excerpts of one player's performance of one piece, mean of the
dimensions, measured on randomised trees whose predictions of PercePiano are not part of this repository.
`benchmarks/shared_error.py` measures it on the predictions that `tocco benchmark trees` writes. The smaller
the share, the larger the difference that a passage has to show.
"""

MIN_POINTS: Final = 2.0
"""A passage is worth naming if it lies this many rating points from the whole performance."""

SHARE_OF_RANGE: Final = 0.25
"""A passage reaches as far as the curve stays in the outer quarter of its own range."""

_ENDS: tuple[tuple[Literal["weakest", "strongest"], float], ...] = (("weakest", 1.0), ("strongest", -1.0))


@dataclass(frozen=True, eq=False)
class WindowErrors:
    """What is known of the errors of one dimension's windows.

    Attributes
    ----------
    sigma : (K,) rating points, standard deviation of each window's error; NaN for one without a rating
    shared : 0..1
        Share of the variance that is the same error in all windows.
    """

    sigma: FloatArray
    shared: float


def difference_sigma(weight: FloatArray, errors: WindowErrors, overlap: FloatArray) -> float:
    """Standard deviation of the error of a weighted difference of windows.

    With weights a_k that sum to 0 (those of a passage minus those of the whole), sd s_k, shared share c of
    the variance, and overlap o_kl of two windows:

        variance = c (sum_k a_k s_k)^2 + (1 - c) sum_kl a_k a_l s_k s_l o_kl

    It is assumed that an error has two parts: one that is the same in the whole performance (player, room,
    instrument, raters), which a difference cancels where the windows are equally uncertain; and one of
    the music at hand, which two windows have in common as far as they overlap in time.

    Parameters
    ----------
    weight : (K,) summing to 0; 0 for windows without a rating
    errors
    overlap : (K, K) 0..1, 1 on the diagonal

    Returns
    -------
    Rating points.

    Examples
    --------
    >>> errors = WindowErrors(np.array([5.0, 5.0]), shared=0.0)
    >>> round(difference_sigma(np.array([0.5, -0.5]), errors, np.eye(2)), 3)
    3.536
    >>> difference_sigma(np.array([0.5, -0.5]), WindowErrors(errors.sigma, shared=1.0), np.eye(2))
    0.0
    """
    pull = np.where(weight == 0.0, 0.0, weight * np.nan_to_num(errors.sigma))
    local = float(pull @ overlap @ pull)
    return math.sqrt(errors.shared * float(pull.sum()) ** 2 + (1.0 - errors.shared) * max(local, 0.0))


def quantile_of_extreme(n_places: int, level: float = DEFAULT_LEVEL) -> float:
    """How many sd the extreme of independent places stays within, both ways, with a probability of `level`.

    The passage that is looked at is the extreme one of its performance: each of n places has to stay within
    with a probability of level^(1/n) (Sidak, 1967).

    >>> [round(quantile_of_extreme(n), 2) for n in (1, 10, 60)]
    [1.64, 2.56, 3.13]
    """
    from scipy.special import ndtri

    return float(ndtri((1.0 + level ** (1.0 / max(n_places, 1))) / 2.0))


def moments(
    shown: Curve,
    overall: Mapping[str, float],
    errors: Mapping[str, WindowErrors],
    merge: Merge,
    alignment: Alignment | None,
) -> tuple[Moment, ...]:
    """The weakest and strongest passage of each dimension, where it differs from the whole beyond chance.

    A passage counts if its difference from the whole exceeds `MIN_POINTS` and its margin: the sd of that
    difference (`difference_sigma`) times `quantile_of_extreme` for as many places as windows fit side by
    side into the music.

    Parameters
    ----------
    shown : ratings over time, at the points of `merge`
    overall : dimension -> rating of the whole
    errors : dimension -> what is known of its windows' errors
    merge : of the windows
    alignment : names the bars; None without a score
    """
    factor = quantile_of_extreme(merge.n_side_by_side)
    found = []
    for name, values in shown.value.items():
        value = np.array([np.nan if v is None else v for v in values])
        if np.isfinite(value).sum() < 2:
            continue
        for kind, sign in _ENDS:
            first, last = _reach(sign * value, int(np.nanargmin(sign * value)))
            difference = float(np.nanmean(value[first : last + 1])) - overall[name]
            weight = _weight(merge, errors[name], np.isfinite(value), first, last)
            margin = factor * difference_sigma(weight, errors[name], merge.overlap)
            if -sign * difference < max(MIN_POINTS, margin):
                continue
            span = (max(0.0, shown.start_sec[first]), shown.end_sec[last])
            found.append(
                Moment(
                    kind=kind,
                    dimension=name,
                    start_sec=span[0],
                    end_sec=span[1],
                    value=overall[name] + difference,
                    difference=difference,
                    margin=margin,
                    **_place(alignment, *span),
                )
            )
    return tuple(found)


def _weight(merge: Merge, errors: WindowErrors, known: BoolArray, first: int, last: int) -> FloatArray:
    """(K,) how much each window counts in a passage, minus how much it counts in the whole."""
    rated = np.isfinite(errors.sigma)
    share = merge.share * rated
    share = np.divide(share, share.sum(axis=1, keepdims=True), out=np.zeros_like(share), where=share > 0)
    inside = np.zeros(len(share), dtype=bool)
    inside[first : last + 1] = True
    return share[inside & known].mean(axis=0) - share[known].mean(axis=0)


def _reach(value: FloatArray, lowest: int) -> tuple[int, int]:
    """First and last point of the run around the lowest one that stays in the outer quarter."""
    edge = value[lowest] + SHARE_OF_RANGE * (np.nanmax(value) - value[lowest])
    inside = value <= edge
    first = last = lowest
    while first > 0 and inside[first - 1]:
        first -= 1
    while last + 1 < len(value) and inside[last + 1]:
        last += 1
    return first, last


def _place(alignment: Alignment | None, start_sec: float, end_sec: float) -> dict[str, Any]:
    """Bars of a span, as names and in words."""
    if alignment is None:
        return {}
    first, last = map(float, alignment.beat_at(np.array([start_sec, end_sec])))
    return {"bars": bars_of(alignment.score, first, last), "where": name_span(alignment.score, first, last)}

"""What a calibration gains, on marks that it was not fitted to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.marking.maps import MarkMap
from tocco.marking.votes import right
from tocco.units import BoolArray, FloatArray, IntArray

LEVEL: Final = 0.9
"""Of the interval of a gain; its lower end above 0 is a one-sided test at 5 %."""

MIN_GROUPS: Final = 3
"""Fewer takes or pieces show no gain."""

MIN_MARKS: Final = 5
"""Nor do fewer marks or votes."""


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Each mark or vote, predicted from the others.

    Attributes
    ----------
    default, personal : (N,) error in points, or 1 for a vote that is agreed with
    constant : (N,) error of the mean of the other marks; None for votes
    within : (N,) whether the mark lies in its interval; None for votes
    members : of each, the groups that it belongs to, of which none was in its fit
    """

    default: FloatArray
    personal: FloatArray
    constant: FloatArray | None
    within: BoolArray | None
    members: tuple[frozenset[str], ...]


@dataclass(frozen=True)
class Gain:
    """By how much the personal map is better than the default, with an interval.

    Attributes
    ----------
    value, low, high : above 0 where the personal map is better
    """

    value: float
    low: float
    high: float


Fit = Callable[[FloatArray, FloatArray], MarkMap]
"""(N, D) ratings and (N,) marks -> map."""


def leave_out_marks(
    fit: Fit,
    ratings: FloatArray,
    low: FloatArray,
    high: FloatArray,
    marks: FloatArray,
    groups: Sequence[str],
) -> LeftOut:
    """Predict the marks of every group by a map that was fitted to the other groups.

    Parameters
    ----------
    fit : everything that is learned from marks happens in it
    ratings, low, high : (N, D) with the ends of the intervals
    marks : (N,) points
    groups : (N,) take or piece of each mark
    """
    label = np.array(groups)
    n = len(marks)
    default, personal, constant = (np.zeros(n) for _ in range(3))
    within = np.zeros(n, dtype=bool)
    for group in dict.fromkeys(groups):
        out = label == group
        found = fit(ratings[~out], marks[~out])
        ends = found.interval(ratings[out], low[out], high[out])
        default[out] = np.abs(marks[out] - ratings[out] @ found.default_slopes)
        personal[out] = np.abs(marks[out] - found.predict(ratings[out]))
        constant[out] = np.abs(marks[out] - marks[~out].mean())
        within[out] = (ends[0] <= marks[out]) & (marks[out] <= ends[1])
    return LeftOut(default, personal, constant, within, tuple(frozenset({one}) for one in groups))


def leave_out_votes(
    fit: Callable[[FloatArray], MarkMap], difference: FloatArray, members: Sequence[frozenset[str]]
) -> LeftOut:
    """Predict every vote by weights that were fitted to the votes that share no take, or piece, with it.

    Parameters
    ----------
    fit : (N, D) differences -> map
    difference : (N, D) ratings of the better take minus those of the other
    members : (N,) the two takes of each vote, or their pieces
    """
    default, personal = np.zeros(len(difference)), np.zeros(len(difference))
    fitted: dict[bytes, MarkMap] = {}
    for k, own in enumerate(members):
        others = np.array([not own & other for other in members])
        if others.tobytes() not in fitted:
            fitted[others.tobytes()] = fit(difference[others])
        found = fitted[others.tobytes()]
        default[k] = right(difference[k : k + 1] @ found.default_slopes)[0]
        personal[k] = right(difference[k : k + 1] @ found.slopes)[0]
    return LeftOut(default, personal, None, None, tuple(members))


def enough(members: Sequence[frozenset[str]]) -> bool:
    """Whether there are enough marks or votes, of enough takes or pieces, to see a gain."""
    return len(members) >= MIN_MARKS and len(frozenset().union(*members)) >= MIN_GROUPS


def mean_gain(gains: FloatArray, members: Sequence[frozenset[str]]) -> Gain:
    """The mean of gains with an interval that respects what they share.

    The variance adds the products of every two deviations that share a take or piece (Aronow, Samii and
    Assenova, Cluster-robust variance estimation for dyadic data, Political Analysis 2015; for marks it is the
    usual cluster-robust one), times G / (G - 1); the interval is Student's with G - 1 degrees of freedom.

    Parameters
    ----------
    gains : (N,) above 0 where the personal map is better
    members : (N,) takes or pieces of each, of `enough` of them
    """
    n_groups = len(frozenset().union(*members))
    from scipy.special import stdtrit

    off = gains - gains.mean()
    shared = _shared(members)
    # Votes may correlate negatively; the variance is never below that of independent ones.
    total = max(float(off @ shared @ off), float(off @ off))
    sd = np.sqrt(n_groups / (n_groups - 1) * total) / len(gains)
    half = float(stdtrit(n_groups - 1, (1.0 + LEVEL) / 2.0)) * sd
    return Gain(float(gains.mean()), float(gains.mean() - half), float(gains.mean() + half))


def _shared(members: Sequence[frozenset[str]]) -> IntArray:
    """(N, N) 1 where two have a group in common."""
    return np.array([[int(bool(one & other)) for other in members] for one in members])

"""What each rater's ratings show of the rater: consistency, anchors, severity, drift, agreement, outliers.

Every figure has an interval; a bar counts as missed only where the interval lies beyond it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.labelling.agreement import LEVEL, NOTHING, Figure
from tocco.labelling.events import Occasion
from tocco.labelling.severity import Severity
from tocco.labelling.table import RatingTable
from tocco.units import FloatArray, IntArray

FEWEST_PAIRS: Final = 5
"""Segments that a rater rated twice; fewer give no consistency."""

FEWEST_ITEMS: Final = 10
"""Segments with other raters; fewer give neither drift nor agreement."""

OUTLIER_SD: Final = 3.0
"""Ratings farther than this from what segment and rater explain, in standard deviations, are listed."""

_DRAWS: Final = 500


@dataclass(frozen=True)
class Outlier:
    """A rating far from those of others on the same segment.

    Attributes
    ----------
    rater, segment, dimension
    value : points
    expected : by the segment's other ratings and the rater's severity, points
    """

    rater: str
    segment: str
    dimension: str
    value: float
    expected: float


@dataclass(frozen=True)
class Agreement:
    """One rater against a reference.

    Attributes
    ----------
    n : segments
    r : correlation within dimensions
    difference : mean of rating minus reference, points
    distance : mean absolute difference, points
    """

    n: int
    r: Figure
    difference: Figure
    distance: Figure


@dataclass(frozen=True)
class RaterChecks:
    """What is found of one rater.

    Attributes
    ----------
    rater
    n_segments : rated at least once
    n_ratings : that make labels
    repeats : second presentation against the first
    calibration : second day of the calibration against the first
    anchors : against their known ratings
    others : against the mean of the other raters
    leniency : mean over the dimensions, points; negative where severe
    drift : change from the first item to the last, in points, beyond what segments explain
    spread : of the rater's ratings relative to that of the others on the same segments
    """

    rater: str
    n_segments: int
    n_ratings: int
    repeats: Agreement
    calibration: Agreement
    anchors: Agreement
    others: Agreement
    leniency: Figure
    drift: Figure
    spread: float


def agreement(
    rating: FloatArray, reference: FloatArray, dimension: IntArray, segment: IntArray, *, seed: int = 0
) -> Agreement:
    """Agreement of ratings with a reference; intervals over draws of segments.

    The correlation is within dimensions: means of dimensions are taken off, since a rater who knows only
    that note_accuracy is high would correlate without having listened.

    Parameters
    ----------
    rating, reference : (R,) points
    dimension, segment : (R,) index
    seed
    """
    names, code = np.unique(segment, return_inverse=True)
    if len(names) < FEWEST_PAIRS:
        return Agreement(len(names), NOTHING, NOTHING, NOTHING)
    rows_of = [np.flatnonzero(code == i) for i in range(len(names))]

    def figures(rows: IntArray) -> tuple[float, float, float]:
        a, b = (_within(x[rows], dimension[rows]) for x in (rating, reference))
        scale = np.sqrt(np.square(a).sum() * np.square(b).sum())
        off = rating[rows] - reference[rows]
        r = float((a * b).sum() / scale) if scale > 0.0 else float("nan")
        return r, float(off.mean()), float(np.abs(off).mean())

    rng = np.random.default_rng(seed)
    drawn = np.array(
        [
            figures(np.concatenate([rows_of[i] for i in rng.integers(len(names), size=len(names))]))
            for _ in range(_DRAWS)
        ]
    )
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    whole = figures(np.arange(len(rating)))
    if not np.isfinite(whole).all() or len(drawn) == 0:  # the same rating everywhere
        return Agreement(len(names), NOTHING, *(Figure(v, np.nan, np.nan) for v in whole[1:]))
    low, high = np.quantile(drawn, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0], axis=0)
    r, difference, distance = (
        Figure(v, float(a), float(b)) for v, a, b in zip(whole, low, high, strict=True)
    )
    return Agreement(len(names), r, difference, distance)


def _within(value: FloatArray, dimension: IntArray) -> FloatArray:
    count = np.maximum(np.bincount(dimension), 1)
    return value - (np.bincount(dimension, weights=value) / count)[dimension]


def _twice(table: RatingTable, earlier: tuple[Occasion, ...], later: Occasion) -> Agreement:
    """The later rating of a segment against the earlier one, of one rater."""
    first, second = table.of(*earlier), table.of(later)
    at = {(s, d): v for s, d, v in zip(first.segment, first.dimension, first.value, strict=True)}
    keys = list(zip(second.segment, second.dimension, strict=True))
    rows = np.array([i for i, key in enumerate(keys) if key in at], dtype=int)
    before = np.array([at[keys[i]] for i in rows])
    return agreement(second.value[rows], before, second.dimension[rows], second.segment[rows])


def _against_known(table: RatingTable, known: dict[tuple[str, str], float]) -> Agreement:
    """Anchors against the ratings that are known of them, of one rater."""
    anchors = table.of("anchor")
    keys = [
        (table.segments[s], table.dimensions[d])
        for s, d in zip(anchors.segment, anchors.dimension, strict=True)
    ]
    rows = np.array([i for i, key in enumerate(keys) if key in known], dtype=int)
    reference = np.array([known[keys[i]] for i in rows])
    return agreement(anchors.value[rows], reference, anchors.dimension[rows], anchors.segment[rows])


def others_mean(table: RatingTable) -> FloatArray:
    """(R,) mean of the other raters on the same segment and dimension; NaN where there is none."""
    key = table.segment * len(table.dimensions) + table.dimension
    _, code = np.unique(key, return_inverse=True)
    count = np.bincount(code).astype(float)[code]
    total = np.bincount(code, weights=table.value)[code]
    return np.where(count > 1, (total - table.value) / np.maximum(count - 1.0, 1.0), np.nan)


def drift(residual: FloatArray, segment: IntArray, sequence: IntArray) -> Figure:
    """Slope of a rater's residuals over their items, in points from the first item to the last.

    Parameters
    ----------
    residual : (R,) points
    segment : (R,) index; the ratings of one segment count as one item
    sequence : (R,) order of the ratings
    """
    names, code = np.unique(segment, return_inverse=True)
    n = len(names)
    if n < FEWEST_ITEMS:
        return NOTHING
    from scipy.stats import t

    count = np.bincount(code)
    item = np.bincount(code, weights=residual) / count
    when = np.bincount(code, weights=sequence.astype(float)) / count
    x = np.argsort(np.argsort(when)) / (n - 1.0) - 0.5
    slope = float((x * item).sum() / np.square(x).sum())
    error = item - item.mean() - slope * x
    half = float(
        t.ppf((1.0 + LEVEL) / 2.0, n - 2) * np.sqrt(np.square(error).sum() / (n - 2) / np.square(x).sum())
    )
    return Figure(slope, slope - half, slope + half)


def mean_leniency(severity: Severity, rater: int) -> Figure:
    """Mean over the dimensions; the errors of one rater's dimensions are taken to fall together."""
    value, error = severity.leniency[rater], severity.standard_error[rater]
    known = np.isfinite(value) & np.isfinite(error)
    if not known.any():
        return NOTHING
    mean, half = float(value[known].mean()), 1.96 * float(error[known].mean())
    return Figure(mean, mean - half, mean + half)


def check_raters(
    table: RatingTable, severity: Severity, known: dict[tuple[str, str], float]
) -> tuple[RaterChecks, ...]:
    """Every check of every rater.

    Parameters
    ----------
    table : all ratings that count
    severity : of `table.labels()`
    known : (segment, dimension) -> rating that is known of an anchor
    """
    labels = table.labels()
    others = others_mean(labels)
    result = []
    for k, name in enumerate(table.raters):
        own, mine = table.where(table.rater == k), labels.rater == k
        shared = mine & np.isfinite(others)
        left = mine & np.isfinite(severity.residual)
        result.append(
            RaterChecks(
                name,
                len(set(labels.segment[mine].tolist())),
                int(mine.sum()),
                _twice(own, ("first", "calibration_1"), "repeat"),
                _twice(own, ("calibration_1",), "calibration_2"),
                _against_known(own, known),
                _with_others(labels, others, shared),
                mean_leniency(severity, k),
                drift(severity.residual[left], labels.segment[left], labels.sequence[left]),
                _spread(labels, k, shared),
            )
        )
    return tuple(result)


def _with_others(labels: RatingTable, others: FloatArray, shared: np.ndarray) -> Agreement:
    segment = labels.segment[shared]
    if len(set(segment.tolist())) < FEWEST_ITEMS:
        return Agreement(len(set(segment.tolist())), NOTHING, NOTHING, NOTHING)
    return agreement(labels.value[shared], others[shared], labels.dimension[shared], segment)


def _spread(labels: RatingTable, rater: int, shared: np.ndarray) -> float:
    """Ratio of standard deviations within dimensions, own to the others' single ratings; NaN for too few."""
    segments = set(labels.segment[shared].tolist())
    if len(segments) < FEWEST_ITEMS:
        return float("nan")
    there = np.isin(labels.segment, list(segments))
    sd = {}
    for is_own in (True, False):
        rows = np.flatnonzero(there & ((labels.rater == rater) == is_own))
        key = labels.rater[rows] * len(labels.dimensions) + labels.dimension[rows]
        sd[is_own] = float(np.sqrt(np.square(_within(labels.value[rows], key)).mean()))
    return sd[True] / sd[False] if sd[False] > 0.0 else float("nan")


def outliers(labels: RatingTable, severity: Severity) -> tuple[Outlier, ...]:
    """Ratings far from what segment and rater explain, farthest first."""
    size = np.abs(severity.residual) / severity.residual_sd
    rows = np.flatnonzero(np.where(np.isfinite(size), size, 0.0) > OUTLIER_SD)
    return tuple(
        Outlier(
            labels.raters[labels.rater[i]],
            labels.segments[labels.segment[i]],
            labels.dimensions[labels.dimension[i]],
            float(labels.value[i]),
            float(labels.value[i] - severity.residual[i]),
        )
        for i in rows[np.argsort(-size[rows], kind="stable")]
    )

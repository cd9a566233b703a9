"""Fit of the reference scale to measured segments of competent performances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.errors import InputError
from tocco.pseudo_labels.norms.model import reference_norms
from tocco.pseudo_labels.pseudo_label import ComponentKind, PseudoLabel
from tocco.pseudo_labels.raters.registry import RATERS, Rater
from tocco.pseudo_labels.scale.difficulty import DIFFICULTY_COVARIATES
from tocco.pseudo_labels.scale.model import (
    LEAST_WEIGHT,
    RATING_AT,
    ComponentScale,
    DimensionScale,
    Pool,
    ReferenceScale,
    combined,
    transformed,
)
from tocco.pseudo_labels.scale.peers import variance_parts
from tocco.units import FloatArray

FEWEST_SEGMENTS: Final = 50
"""With fewer, the outer percentiles are single segments."""

FEWEST_SHARED: Final = 2
"""Pieces with two pianists, to separate variance between pieces from variance between pianists."""

OUTER_PERCENT: Final = 2.5
"""Values beyond this percentile on either side are clipped (winsorised) before a spread is computed."""

_SMALLEST_SPREAD = 1e-3


@dataclass(frozen=True, eq=False)
class MeasuredSegment:
    """One segment of the pool.

    Attributes
    ----------
    piece : all segments of a piece share one unit of weight
    performer
    labels : dimension -> unscaled pseudo-label
    covariates : (Q,) difficulty covariates
    """

    piece: str
    performer: str
    labels: Mapping[str, PseudoLabel]
    covariates: FloatArray


def fit_scale(segments: Sequence[MeasuredSegment], pool: Pool) -> ReferenceScale:
    """Fit centres, spreads, correlations and percentiles to a pool.

    Pieces have equal weight, regardless of their length and of the number of takes.

    Raises
    ------
    InputError
        A component was measured in fewer than 50 segments, or fewer than two pieces have two pianists.
    """
    usable = [segment for segment in segments if np.all(np.isfinite(segment.covariates))]
    covariates = np.array([segment.covariates for segment in usable]).reshape(
        len(usable), len(DIFFICULTY_COVARIATES)
    )
    if len(usable) < FEWEST_SEGMENTS:
        raise InputError(
            "pool",
            f"has {len(usable)} segments",
            allowed=f"at least {FEWEST_SEGMENTS}",
            next_step="give more performances that match their scores",
        )
    names, piece = np.unique([segment.piece for segment in usable], return_inverse=True)
    weight = 1.0 / np.bincount(piece, minlength=len(names))[piece]
    centre = np.average(covariates, axis=0, weights=weight)
    spread = np.sqrt(np.average((covariates - centre) ** 2, axis=0, weights=weight))
    spread = np.maximum(spread, _SMALLEST_SPREAD)
    standard_covariates = (covariates - centre) / spread
    return ReferenceScale(
        pool=pool,
        norms_sha256=reference_norms().sha256(),
        covariate_centre=_rounded(centre),
        covariate_spread=_rounded(spread),
        dimensions={
            name: _fit_dimension(rater, usable, standard_covariates, weight) for name, rater in RATERS.items()
        },
    )


def _fit_dimension(
    rater: Rater, segments: Sequence[MeasuredSegment], standard_covariates: FloatArray, weight: FloatArray
) -> DimensionScale:
    scales: dict[str, ComponentScale] = {}
    columns = []
    for kind in rater.scaled:
        value = np.array([_value(segment, rater.dimension, kind.name) for segment in segments])
        scales[kind.name], standard = _fit_component(
            rater.dimension, kind, value, standard_covariates, weight
        )
        columns.append(standard)
    standard = np.stack(columns, axis=1)
    correlation = _correlations(standard, weight)
    shares = np.array([kind.weight for kind in rater.scaled])
    standing = np.full(len(segments), np.nan)
    for n, row in enumerate(standard):
        known = np.isfinite(row)
        if shares[known].sum() >= LEAST_WEIGHT:
            standing[n] = combined(row[known], shares[known], correlation[np.ix_(known, known)])
    rated = np.isfinite(standing)
    knots, ratings = _percentile_knots(standing[rated], weight[rated])
    centre, between_players, between_pieces = _spread_of_takes(rater.dimension, segments, standing)
    return DimensionScale(
        components=scales,
        correlation=tuple(_rounded(row) for row in correlation),
        knots=knots,
        ratings=ratings,
        centre=round(centre, 6),
        between_players=round(max(between_players, _SMALLEST_SPREAD**2), 6),
        between_pieces=round(max(between_pieces, 0.0), 6),
    )


def _spread_of_takes(
    dimension: str, segments: Sequence[MeasuredSegment], standing: FloatArray
) -> tuple[float, float, float]:
    """Mean standing of the pieces, variance between pianists of a piece, and variance between pieces."""
    takes: dict[tuple[str, str], list[float]] = {}
    for segment, value in zip(segments, standing, strict=True):
        if np.isfinite(value):
            takes.setdefault((segment.piece, segment.performer), []).append(float(value))
    players = Counter(piece for piece, _ in takes)
    mean = {take: float(np.mean(values)) for take, values in takes.items()}
    centre = float(np.mean([np.mean([m for (p, _), m in mean.items() if p == piece]) for piece in players]))
    shared = [take for take in takes if players[take[0]] > 1]
    pieces = [piece for piece, _ in shared]
    if len(set(pieces)) < FEWEST_SHARED:
        raise InputError(
            f"{dimension}, pool",
            f"has too few pieces that two pianists play: {len(set(pieces))}",
            allowed=f"at least {FEWEST_SHARED}",
            next_step="give more takes of each piece",
        )
    return centre, *variance_parts(np.array([mean[take] for take in shared]), pieces)


def _value(segment: MeasuredSegment, dimension: str, component: str) -> float:
    found = segment.labels[dimension].components.get(component)
    return np.nan if found is None else found.value


def _fit_component(
    dimension: str,
    kind: ComponentKind,
    value: FloatArray,
    standard_covariates: FloatArray,
    weight: FloatArray,
) -> tuple[ComponentScale, FloatArray]:
    """Scale of a component, and its standardised values, more is better; NaN where missing."""
    known = np.isfinite(value)
    if known.sum() < FEWEST_SEGMENTS:
        raise InputError(
            f"{dimension}, {kind.name}",
            f"was measured in {int(known.sum())} segments of the pool",
            allowed=f"at least {FEWEST_SEGMENTS}",
            next_step="give more performances, with scores, pedal and, for sound, a rendered share",
        )
    x, w = transformed(kind, value[known]), weight[known]
    low, high = weighted_percentiles(x, w, (OUTER_PERCENT, 100.0 - OUTER_PERCENT))
    root = np.sqrt(w)[:, None]
    columns = np.column_stack([np.ones(len(x)), standard_covariates[known]])
    found = np.linalg.lstsq(root * columns, root[:, 0] * np.clip(x, low, high), rcond=None)[0]
    residual = x - columns @ found
    low, high = weighted_percentiles(residual, w, (OUTER_PERCENT, 100.0 - OUTER_PERCENT))
    clipped = np.clip(residual, low, high)
    middle = np.average(clipped, weights=w)
    spread = max(float(np.sqrt(np.average((clipped - middle) ** 2, weights=w))), _SMALLEST_SPREAD)
    standard = np.full(len(value), np.nan)
    standard[known] = residual / spread * (1.0 if kind.better == "more" else -1.0)
    scale = ComponentScale(
        weight=kind.weight,
        centre=round(float(found[0]), 6),
        spread=round(spread, 6),
        covariate_slope=_rounded(found[1:]),
        n_segments=int(known.sum()),
    )
    return scale, standard


def _correlations(standard: FloatArray, weight: FloatArray) -> FloatArray:
    """Pairwise correlations over the segments that have both; values clipped to three standard deviations."""
    n = standard.shape[1]
    matrix = np.eye(n)
    clipped = np.clip(standard, -3.0, 3.0)
    for a in range(n):
        for b in range(a):
            both = np.isfinite(clipped[:, a]) & np.isfinite(clipped[:, b])
            if both.sum() < FEWEST_SEGMENTS:
                continue
            x, y, w = clipped[both, a], clipped[both, b], weight[both]
            x, y = x - np.average(x, weights=w), y - np.average(y, weights=w)
            size = np.sqrt(np.average(x**2, weights=w) * np.average(y**2, weights=w))
            matrix[a, b] = matrix[b, a] = np.average(x * y, weights=w) / size if size > 0 else 0.0
    return matrix


def _percentile_knots(
    composite: FloatArray, weight: FloatArray
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Standing and rating at the percentiles; where several coincide, one knot with their mean rating."""
    at = weighted_percentiles(composite, weight, tuple(RATING_AT))
    places: dict[float, list[float]] = {}
    for place, rating in zip(np.round(at, 4), RATING_AT.values(), strict=True):
        places.setdefault(float(place), []).append(rating)
    if len(places) < 3:
        raise InputError("pool", "has fewer than three levels of a dimension", next_step="give a larger pool")
    ordered = sorted(places)
    return tuple(ordered), tuple(float(np.mean(places[place])) for place in ordered)


def weighted_percentiles(x: FloatArray, weight: FloatArray, percent: Sequence[float]) -> FloatArray:
    """Weighted percentiles, each value at the midpoint of its cumulative weight.

    Examples
    --------
    >>> weighted_percentiles(np.array([3.0, 1.0, 2.0]), np.ones(3), (50.0,)).tolist()
    [2.0]
    """
    order = np.argsort(x, kind="stable")
    share = weight[order] / weight.sum()
    return np.interp(np.asarray(percent) / 100.0, np.cumsum(share) - share / 2.0, x[order])


def _rounded(values: FloatArray) -> tuple[float, ...]:
    return tuple(round(float(value), 6) + 0.0 for value in values)

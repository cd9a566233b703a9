"""Fit of what is usual in competent playing: ranges of measures and rates of places, from a pool."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.audio.processing import segment_bounds
from tocco.pseudo_labels.norms.competent import (
    PERCENT,
    Competent,
    LengthRanges,
    PlaceRates,
    UsualRange,
)
from tocco.pseudo_labels.observed.evidence import Evidence, Span
from tocco.pseudo_labels.pool import PoolFacts
from tocco.pseudo_labels.pseudo_label import PseudoLabel
from tocco.pseudo_labels.raters.registry import measure_technique

SPAN_SEC: Final = 10.0
"""Places are collected span by span, since a rater names only the gravest of each."""

STRETCHES_SEC: Final = (15.0, 30.0, 60.0)
"""Lengths for which ranges are fitted to stretches of the performances."""

WHOLE_FROM_SEC: Final = 120.0
"""Music of this length or more is compared with whole performances."""

FEWEST_STRETCHES: Final = 50
"""Fewer give no outer percentiles."""

LARGEST_PER_MINUTE: Final = 1.0
"""Sizes are kept down to the one that comes once a minute; what is more frequent is nothing unusual."""

_DIGITS: Final = 4


@dataclass(frozen=True)
class TakeFindings:
    """Measures and places of one performance.

    Attributes
    ----------
    duration_sec
    measures : shortest length in seconds, as text -> dimension -> measure -> values of such stretches
    places : dimension -> kind -> sizes, any order
    """

    duration_sec: float
    measures: dict[str, dict[str, dict[str, list[float]]]]
    places: dict[str, dict[str, list[float]]]


def read_take(evidence: Evidence) -> TakeFindings:
    """Measure a whole performance and stretches of it, and collect its places span by span."""
    places: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    duration_sec = evidence.performance.duration_sec
    for span in _spans(duration_sec, SPAN_SEC):
        for name, label in measure_technique(evidence, span).items():
            for cause in label.causes:
                places[name][cause.kind].append(cause.size)
    measures = {
        f"{length:g}": _values([measure_technique(evidence, span) for span in _spans(duration_sec, length)])
        for length in STRETCHES_SEC
        if length <= duration_sec
    }
    measures[f"{WHOLE_FROM_SEC:g}"] = _values([measure_technique(evidence)])
    return TakeFindings(duration_sec, measures, {name: dict(kinds) for name, kinds in places.items()})


def _spans(duration_sec: float, length_sec: float) -> list[Span]:
    """Consecutive spans of a performance; the last one ends where it ends."""
    return [(float(start), float(end)) for start, end in segment_bounds(duration_sec, length_sec, 0.0)]


def _values(labels: Sequence[Mapping[str, PseudoLabel]]) -> dict[str, dict[str, list[float]]]:
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for label_of in labels:
        for name, label in label_of.items():
            for measure, component in label.components.items():
                found[name][measure].append(component.value)
    return {name: dict(measures) for name, measures in found.items()}


def fit_competent(takes: Sequence[TakeFindings], pool: PoolFacts) -> Competent:
    """Usual ranges and rates over the performances of a pool.

    Parameters
    ----------
    takes : of the pool, one a performance
    pool : which they are
    """
    minutes = sum(take.duration_sec for take in takes) / 60.0
    sizes: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for take in takes:
        for name, kinds in take.places.items():
            for kind, found in kinds.items():
                sizes[name][kind] += found
    return Competent(
        pool=pool,
        minutes=round(minutes, 2),
        lengths=tuple(_ranges(takes, length) for length in (*STRETCHES_SEC, WHOLE_FROM_SEC)),
        places={
            name: {kind: _rates(x, minutes) for kind, x in sorted(of.items())} for name, of in sizes.items()
        },
    )


def _ranges(takes: Sequence[TakeFindings], length_sec: float) -> LengthRanges:
    values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for take in takes:
        for name, measures in take.measures.get(f"{length_sec:g}", {}).items():
            for measure, found in measures.items():
                values[name][measure] += found
    measures = {
        name: {measure: _usual(x) for measure, x in of.items() if len(x) >= FEWEST_STRETCHES}
        for name, of in values.items()
    }
    return LengthRanges(from_sec=length_sec, measures=measures)


def _usual(values: Sequence[float]) -> UsualRange:
    least, low, middle, high, most = np.round(np.percentile(values, PERCENT), _DIGITS).tolist()
    return UsualRange(least=least, low=low, middle=middle, high=high, most=most, n_stretches=len(values))


def _rates(sizes: Sequence[float], minutes: float) -> PlaceRates:
    kept = sorted(sizes)[-max(1, round(LARGEST_PER_MINUTE * minutes)) :]
    return PlaceRates(n_places=len(sizes), size=tuple(round(size, _DIGITS) for size in kept))

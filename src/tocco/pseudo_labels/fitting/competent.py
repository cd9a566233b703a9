"""Fit of what is usual in whole performances: ranges of measures and rates of places, from a pool."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.audio.processing import segment_bounds
from tocco.pseudo_labels.norms.competent import PERCENT, Competent, PlaceRates, UsualRange
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.pool import PoolFacts
from tocco.pseudo_labels.raters.registry import measure_technique

SPAN_SEC: Final = 10.0
"""Places are collected span by span, since a rater names only the gravest of each."""

FEWEST_PERFORMANCES: Final = 20
"""Fewer give no 20th and 80th percentile."""

LARGEST_PER_MINUTE: Final = 1.0
"""Sizes are kept down to the one that comes once a minute; what is more frequent is nothing unusual."""

_DIGITS: Final = 4


@dataclass(frozen=True)
class TakeFindings:
    """Measures and places of one performance.

    Attributes
    ----------
    duration_sec
    measures : dimension -> measure -> value, of the whole performance
    places : dimension -> kind -> sizes, any order
    """

    duration_sec: float
    measures: dict[str, dict[str, float]]
    places: dict[str, dict[str, list[float]]]


def read_take(evidence: Evidence) -> TakeFindings:
    """Measure a whole performance, and collect its places span by span."""
    whole = measure_technique(evidence)
    places: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    duration_sec = evidence.performance.duration_sec
    for start, end in segment_bounds(duration_sec, SPAN_SEC, 0.0):
        for name, label in measure_technique(evidence, (float(start), float(end))).items():
            for cause in label.causes:
                places[name][cause.kind].append(cause.size)
    return TakeFindings(
        duration_sec=duration_sec,
        measures={
            name: {kind: found.value for kind, found in label.components.items()}
            for name, label in whole.items()
        },
        places={name: dict(kinds) for name, kinds in places.items()},
    )


def fit_competent(takes: Sequence[TakeFindings], pool: PoolFacts) -> Competent:
    """Usual ranges and rates over the performances of a pool.

    Parameters
    ----------
    takes : of the pool, one a performance
    pool : which they are
    """
    minutes = sum(take.duration_sec for take in takes) / 60.0
    values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    sizes: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for take in takes:
        for name, measures in take.measures.items():
            for measure, value in measures.items():
                values[name][measure].append(value)
        for name, kinds in take.places.items():
            for kind, found in kinds.items():
                sizes[name][kind] += found
    return Competent(
        pool=pool,
        minutes=round(minutes, 2),
        measures={
            name: {measure: _usual(x) for measure, x in of.items() if len(x) >= FEWEST_PERFORMANCES}
            for name, of in values.items()
        },
        places={
            name: {kind: _rates(x, minutes) for kind, x in sorted(of.items())} for name, of in sizes.items()
        },
    )


def _usual(values: Sequence[float]) -> UsualRange:
    least, low, middle, high, most = np.round(np.percentile(values, PERCENT), _DIGITS).tolist()
    return UsualRange(least=least, low=low, middle=middle, high=high, most=most, n_performances=len(values))


def _rates(sizes: Sequence[float], minutes: float) -> PlaceRates:
    kept = sorted(sizes)[-max(1, round(LARGEST_PER_MINUTE * minutes)) :]
    return PlaceRates(n_places=len(sizes), size=tuple(round(size, _DIGITS) for size in kept))

"""Measure the damage of a whole performance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tocco.music.alignment import Alignment
from tocco.music.performance import Origin
from tocco.pseudo_labels.damage.catalogue import MEASURES
from tocco.pseudo_labels.damage.reading import Reading
from tocco.pseudo_labels.observed.evidence import Evidence

MOST_PLACES: Final = 3


@dataclass(frozen=True)
class DamagePlace:
    """Where a measure is worst.

    Attributes
    ----------
    at_sec : seconds of the performance
    bar : printed name; "" without a score
    size : what the place adds, in the measure's own terms
    """

    at_sec: float
    bar: str
    size: float


@dataclass(frozen=True)
class Damage:
    """The damage of a performance; in every measure more is worse.

    Attributes
    ----------
    origin : of the notes
    values : measure -> value in its unit (`catalogue.MEASURES`); only what could be measured
    missing : measure -> why it could not be
    places : measure -> its worst places, at most three, the worst first
    """

    origin: Origin
    values: Mapping[str, float]
    missing: Mapping[str, str]
    places: Mapping[str, tuple[DamagePlace, ...]]


def measure_damage(evidence: Evidence) -> Damage:
    """Measure what makes a performance worse whatever its style.

    Parameters
    ----------
    evidence
        A whole performance, or an excerpt: every measure means the same for both.
    """
    values: dict[str, float] = {}
    missing: dict[str, str] = {}
    places: dict[str, tuple[DamagePlace, ...]] = {}
    for name, measure in MEASURES.items():
        found = measure.read(evidence)
        if isinstance(found, Reading):
            values[name] = found.value
            places[name] = _places(found, evidence.alignment)
        else:
            missing[name] = found
    return Damage(evidence.performance.origin, values, missing, places)


def _places(reading: Reading, alignment: Alignment | None) -> tuple[DamagePlace, ...]:
    """The worst places of a measure, with their bars."""
    return tuple(
        DamagePlace(
            round(second, 3),
            "" if alignment is None else alignment.bar_at(float(alignment.beat_at(second)) + 1e-3),
            size,
        )
        for second, size in reading.worst(MOST_PLACES)
    )

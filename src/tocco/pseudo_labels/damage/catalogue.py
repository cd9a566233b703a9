"""The measures of damage: name, unit, meaning, and what each is read with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from tocco.pseudo_labels.damage.hands import measure_hands_apart
from tocco.pseudo_labels.damage.levels import measure_flat_levels, measure_random_levels
from tocco.pseudo_labels.damage.notes import measure_note_errors
from tocco.pseudo_labels.damage.pedal import measure_pedal_held, measure_pedal_span
from tocco.pseudo_labels.damage.reading import Reading
from tocco.pseudo_labels.damage.sounding import measure_dryness, measure_overlap, measure_smear
from tocco.pseudo_labels.damage.texture import measure_clusters, measure_density
from tocco.pseudo_labels.damage.timing import (
    measure_lost_time,
    measure_slowness,
    measure_unsteadiness,
    measure_worst_stop,
)
from tocco.pseudo_labels.observed.evidence import Evidence

Matter = Literal["flow", "notes", "steadiness", "tempo", "levels", "pedal", "touch", "together", "texture"]


@dataclass(frozen=True)
class Measure:
    """One measure of damage; more is worse.

    Attributes
    ----------
    name : as in `Damage.values`
    matter : measures of one matter answer to the same kinds of damage
    unit, meaning : for people
    least : added before the logarithm is taken; differences far below it make none
    needs_score
    read : the value and its places, or why there is none
    """

    name: str
    matter: Matter
    unit: str
    meaning: str
    least: float
    needs_score: bool
    read: Callable[[Evidence], Reading | str]


_ALL: Final = (
    Measure(
        "lost_time",
        "flow",
        "s",
        "time lost against the local pulse, root mean square over half seconds of music",
        0.03,
        True,
        measure_lost_time,
    ),
    Measure(
        "worst_stop",
        "flow",
        "s",
        "time lost against the local pulse, fourth root of the mean fourth power",
        0.1,
        True,
        measure_worst_stop,
    ),
    Measure(
        "note_errors",
        "notes",
        "wrong notes for each written one",
        "wrong 1, missing and added .3, restart 6, by salience; root mean square over stretches of 40 notes",
        0.02,
        True,
        measure_note_errors,
    ),
    Measure(
        "unsteadiness",
        "steadiness",
        "s",
        "deviation of the onsets from a smoothed tempo line, 90th percentile",
        0.01,
        True,
        measure_unsteadiness,
    ),
    Measure(
        "slowness",
        "tempo",
        "s",
        "geometric mean of the seconds for a beat and for an onset",
        0.0,
        True,
        measure_slowness,
    ),
    Measure(
        "flat_levels",
        "levels",
        "1/velocity steps",
        "inverse of the spread of levels that voice, register and surroundings predict",
        0.0,
        False,
        measure_flat_levels,
    ),
    Measure(
        "random_levels",
        "levels",
        "velocity steps",
        "spread of levels that voice, register and surroundings do not predict",
        2.0,
        False,
        measure_random_levels,
    ),
    Measure(
        "smear_sec",
        "pedal",
        "s",
        "time that notes sound past their written end, by pedal or key; mean",
        0.05,
        True,
        measure_smear,
    ),
    Measure(
        "pedal_held",
        "pedal",
        "share of the time",
        "the sustaining pedal holds an earlier harmony",
        0.05,
        False,
        measure_pedal_held,
    ),
    Measure(
        "pedal_span",
        "pedal",
        "s",
        "how long the sustaining pedal has held an earlier harmony; mean over time",
        0.1,
        False,
        measure_pedal_span,
    ),
    Measure(
        "dry",
        "touch",
        "share of the written length",
        "notes without a sign for detached play break off early; mean",
        0.05,
        True,
        measure_dryness,
    ),
    Measure(
        "overlap",
        "touch",
        "s",
        "a key stays down after a neighbouring key is struck; mean",
        0.02,
        False,
        measure_overlap,
    ),
    Measure(
        "hands_apart",
        "together",
        "s",
        "spread of the onsets of notes written together, 75th percentile",
        0.01,
        True,
        measure_hands_apart,
    ),
    Measure(
        "density",
        "texture",
        "notes/s",
        "notes struck within a second, 90th percentile",
        5.0,
        False,
        measure_density,
    ),
    Measure(
        "clusters",
        "texture",
        "share of the notes",
        "notes struck at once with the key a semitone beside them",
        0.02,
        False,
        measure_clusters,
    ),
)

MEASURES: Final[Mapping[str, Measure]] = MappingProxyType({one.name: one for one in _ALL})
"""Every measure of damage by name."""

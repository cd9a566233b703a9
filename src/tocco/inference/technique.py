"""What the playing did, in physical units, and the places that stand out: evidence beside the ratings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import Field, model_validator

from tocco.music.alignment import Alignment
from tocco.music.performance import Performance
from tocco.music.places import place_of
from tocco.pseudo_labels.norms.competent import UsualRange, competent_playing
from tocco.pseudo_labels.observed.evidence import NO_AUDIO, Evidence
from tocco.pseudo_labels.pseudo_label import Cause, PseudoLabel
from tocco.pseudo_labels.raters.note_accuracy import note_slips
from tocco.pseudo_labels.raters.registry import measure_technique
from tocco.schema import Seconds, StrictModel

UsualOf = Callable[[str, str], UsualRange | None]
"""Dimension and measure -> its usual range."""

KEYS_ALONE = "it is measured from the sound, and technique is computed from notes and score alone"

_Text = Annotated[str, Field(strict=True, min_length=1)]
_Number = Annotated[float, Field(allow_inf_nan=False)]


class Measure(StrictModel):
    """One measured quantity of a whole performance."""

    value: _Number
    """In the unit."""

    unit: _Text
    """Such as "ms", "velocity", "fraction", "log" (natural logarithm of a ratio)."""

    meaning: _Text
    """What it is, in words for musicians."""

    usual: tuple[_Number, _Number] | None = None
    """[low, high]: 20 to 80 % of competent playing of this length; null where not known, and before 2.1."""


class Place(StrictModel):
    """Notes or a span that stand out."""

    kind: _Text
    """One word for it: "late", "uneven", "cut short", "blur"."""

    text: _Text
    """With bar and beat where there is a score: "bar 12, beat 3: E4 is held over"."""

    start_sec: Seconds
    """Start, on the clock of the assessment."""

    end_sec: Seconds
    """End; the same as the start for a moment."""

    size: _Number | None = None
    """How grave it is, in the unit of its kind; null before version 2.1."""

    bar: _Text | None = None
    """Printed number of the bar; null without a score, and before version 2.1."""

    beat: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] | None = None
    """Place in the bar in quarter notes, the bar line is 1; null as the bar."""

    @model_validator(mode="after")
    def _is_in_order(self) -> Place:
        if self.end_sec < self.start_sec:
            raise ValueError(f"end_sec {self.end_sec} is before start_sec {self.start_sec}")
        return self


class Technique(StrictModel):
    """One technical dimension as it was measured: no grade."""

    measures: dict[str, Measure]
    """By name."""

    places: tuple[Place, ...]
    """The gravest first, eight at most."""

    missing: dict[str, _Text]
    """What could not be measured -> why."""


def technique_report(performance: Performance, alignment: Alignment | None) -> dict[str, Technique]:
    """Measure the six technical dimensions of a whole performance.

    Parameters
    ----------
    performance
    alignment : with its score; without one less can be measured, and says so
    """
    found = measure_technique(Evidence(performance, alignment))
    usual_of = _usual_of(performance) if performance.origin == "keys" and alignment is not None else None
    return {name: _technique(label, alignment, usual_of) for name, label in found.items()}


def slips(evidence: Evidence) -> tuple[Place, ...]:
    """Every wrong, missing and extra note, in order of time; a `Technique` has the gravest alone."""
    return tuple(_place(cause, evidence.alignment) for cause in note_slips(evidence))


def _usual_of(performance: Performance) -> UsualOf:
    """What is usual in music as long as this performance."""
    lasts_sec = float(performance.offset_sec.max() - performance.onset_sec.min()) if len(performance) else 0.0
    return lambda dimension, measure: competent_playing().usual(dimension, measure, lasts_sec)


def _technique(label: PseudoLabel, alignment: Alignment | None, usual_of: UsualOf | None) -> Technique:
    """As it is stored; ranges are those of recorded keys beside a score, so others have none."""
    measures = {}
    for name, found in label.components.items():
        usual = None if usual_of is None else usual_of(label.dimension, name)
        ends = None if usual is None else (usual.low, usual.high)
        measures[name] = Measure(value=found.value, unit=found.unit, meaning=found.meaning, usual=ends)
    return Technique(
        measures=measures,
        places=tuple(_place(cause, alignment) for cause in label.causes),
        missing={name: why.replace(NO_AUDIO, KEYS_ALONE) for name, why in label.missing.items()},
    )


def _place(cause: Cause, alignment: Alignment | None) -> Place:
    start = max(cause.start_sec, 0.0)
    bar, beat = (
        (None, None) if alignment is None else place_of(alignment.score, _onset_beat(cause, alignment))
    )
    return Place(
        kind=cause.kind,
        text=cause.text,
        start_sec=start,
        end_sec=max(cause.end_sec, start),
        size=cause.size,
        bar=bar,
        beat=beat,
    )


def _onset_beat(cause: Cause, alignment: Alignment) -> float:
    """Where it is written: its first note, or what is played at its start."""
    if cause.score_notes:
        return float(alignment.score.onset_beat[cause.score_notes[0]])
    if cause.performance_notes:
        return float(alignment.performance_beat[cause.performance_notes[0]])
    return float(alignment.beat_at(cause.start_sec))

"""What the playing did, in physical units, and the places that stand out: evidence beside the ratings."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from tocco.music.alignment import Alignment
from tocco.music.performance import Performance
from tocco.pseudo_labels.observed.evidence import NO_AUDIO, Evidence
from tocco.pseudo_labels.pseudo_label import Cause, PseudoLabel
from tocco.pseudo_labels.raters.registry import measure_technique
from tocco.schema import Seconds, StrictModel

KEYS_ALONE = "it is measured from the sound, and technique is computed from MIDI and score alone"

_Text = Annotated[str, Field(strict=True, min_length=1)]


class Measure(StrictModel):
    """One measured quantity of a whole performance."""

    value: Annotated[float, Field(allow_inf_nan=False)]
    """In the unit."""

    unit: _Text
    """Such as "ms", "velocity", "fraction", "log" (natural logarithm of a ratio)."""

    meaning: _Text
    """What it is, in words for musicians."""


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
    return {name: _technique(label) for name, label in found.items()}


def _technique(label: PseudoLabel) -> Technique:
    return Technique(
        measures={
            name: Measure(value=found.value, unit=found.unit, meaning=found.meaning)
            for name, found in label.components.items()
        },
        places=tuple(_place(cause) for cause in label.causes),
        missing={name: why.replace(NO_AUDIO, KEYS_ALONE) for name, why in label.missing.items()},
    )


def _place(cause: Cause) -> Place:
    start = max(cause.start_sec, 0.0)
    return Place(kind=cause.kind, text=cause.text, start_sec=start, end_sec=max(cause.end_sec, start))

"""What a rater says: a rating, the measured components behind it, their causes, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Better = Literal["less", "more", "reported"]
Shape = Literal["plain", "root", "log"]
Need = Literal["midi", "score", "pedal", "audio"]


@dataclass(frozen=True)
class ComponentKind:
    """One thing that a rater measures, known before any playing.

    Attributes
    ----------
    name : unique within its dimension
    unit : "ms", "s/min", "velocity", "ratio", "log" (natural logarithm of a ratio), "fraction", "count",
        "count/min", "correlation", "semitones", "dB"
    meaning : in a musician's words
    better : "less" | "more" | "reported"
        Which way a rating goes with it; "reported" is reported and does not enter the rating.
    weight : > 0 in the rating's weighted sum; 0 where it is only reported
    needs : what it is measured from, beside the notes
    shape : "plain" | "root" | "log"
        How its values are bent before they are standardised: counts and sizes lie on one side of zero,
        and their spread grows with them.
    from_value : > 0, added before the logarithm, in the unit
        A size below it is hardly heard.
    """

    name: str
    unit: str
    meaning: str
    better: Better
    weight: float = 0.0
    needs: Need = "score"
    shape: Shape = "plain"
    from_value: float = 1.0

    def __post_init__(self) -> None:
        if (self.weight > 0.0) == (self.better == "reported"):
            raise ValueError(f"component {self.name}: weight {self.weight} with better={self.better!r}")


@dataclass(frozen=True)
class Component:
    """One measured quantity.

    Attributes
    ----------
    value : in the unit
    unit, meaning : as its `ComponentKind`
    """

    value: float
    unit: str
    meaning: str


@dataclass(frozen=True)
class Cause:
    """One place that pulled a rating down.

    Attributes
    ----------
    start_sec, end_sec : seconds on the clock of the performance
    kind : what happened ("wrong", "missing", "hesitation", "blur", ...)
    text : for a teacher, with bar and beat where there is a score
    performance_notes : indices into the performance
    score_notes : indices into the score
    size : how much it weighs, in the unit of its kind; causes are listed by it
    """

    start_sec: float
    end_sec: float
    kind: str
    text: str
    performance_notes: tuple[int, ...] = ()
    score_notes: tuple[int, ...] = ()
    size: float = 0.0


@dataclass(frozen=True)
class PseudoLabel:
    """A rating by rule, and everything that it rests on.

    Attributes
    ----------
    dimension : a technical dimension of `tocco10`
    rating : 0..100 on the reference scale; None before scaling, or where `missing` says why
    components : name -> measured value
    causes : the gravest first
    confidence : 0..1
        Share of the rating's weight that could be measured, times how far the number of notes and the
        alignment carry it.
    missing : component, or the dimension itself -> why it could not be measured
    """

    dimension: str
    rating: float | None
    components: Mapping[str, Component]
    causes: tuple[Cause, ...]
    confidence: float
    missing: Mapping[str, str]

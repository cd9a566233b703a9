"""Output of a rater: a rating with its measured components, their causes, and a confidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Better = Literal["less", "more", "reported"]
Shape = Literal["plain", "root", "log"]
Need = Literal["midi", "score", "pedal", "audio"]


@dataclass(frozen=True)
class ComponentKind:
    """Definition of one quantity that a rater measures.

    Attributes
    ----------
    name : unique within its dimension
    unit : "ms", "s/min", "velocity", "ratio", "log" (natural logarithm of a ratio), "fraction", "count",
        "count/min", "correlation", "semitones", "dB"
    meaning : for a musician
    better : "less" | "more" | "reported"
        Direction in which it raises the rating. A "reported" component does not enter the rating.
    weight : > 0 in the weighted sum of the rating; 0 where it is only reported
    needs : input required beside the notes
    shape : "plain" | "root" | "log"
        Transformation before standardisation. Counts and sizes are positive, and their spread grows with
        their mean; a root or a logarithm makes the distribution symmetric.
    from_value : > 0, added before the logarithm, in the unit
        Sizes below it are barely audible.
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
    """Measured value of one component.

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
    """One event that lowered a rating.

    Attributes
    ----------
    start_sec, end_sec : seconds of the performance
    kind : "wrong", "missing", "hesitation", "blur", ...
    text : description for a teacher, with bar and beat where there is a score
    performance_notes : indices into the performance
    score_notes : indices into the score
    size : severity in the unit of the kind; causes are sorted by it
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
    """A rating computed by rule, with everything that it rests on.

    Attributes
    ----------
    dimension : a technical dimension of `tocco10`
    rating : 0..100 on the reference scale; None before scaling, or where `missing` gives the reason
    components : name -> measured value
    causes : most severe first
    confidence : 0..1
        Share of the component weights that could be measured, times a factor for the number of notes,
        times the confidence of the alignment.
    missing : component, or the dimension itself -> why it could not be measured
    """

    dimension: str
    rating: float | None
    components: Mapping[str, Component]
    causes: tuple[Cause, ...]
    confidence: float
    missing: Mapping[str, str]

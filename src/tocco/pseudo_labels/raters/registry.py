"""The six raters, by dimension."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tocco.pseudo_labels.observed.evidence import Evidence, Span
from tocco.pseudo_labels.pseudo_label import ComponentKind, PseudoLabel
from tocco.pseudo_labels.raters import (
    articulation_quality,
    dynamics_control,
    note_accuracy,
    pedaling_technique,
    rhythmic_precision,
    tone_quality,
)

Measure = Callable[[Evidence, Span | None], PseudoLabel]


@dataclass(frozen=True)
class Rater:
    """Rule that rates one dimension.

    Attributes
    ----------
    dimension
    components : everything that it may measure, in order
    measure : (evidence, span) -> unscaled pseudo-label
    """

    dimension: str
    components: tuple[ComponentKind, ...]
    measure: Measure

    @property
    def scaled(self) -> tuple[ComponentKind, ...]:
        """The components that enter the rating."""
        return tuple(kind for kind in self.components if kind.weight > 0.0)


RATERS: Final[Mapping[str, Rater]] = {
    rater.dimension: rater
    for rater in (
        Rater(note_accuracy.NOTE_ACCURACY, note_accuracy.COMPONENTS, note_accuracy.measure_note_accuracy),
        Rater(
            rhythmic_precision.RHYTHMIC_PRECISION,
            rhythmic_precision.COMPONENTS,
            rhythmic_precision.measure_rhythmic_precision,
        ),
        Rater(
            dynamics_control.DYNAMICS_CONTROL,
            dynamics_control.COMPONENTS,
            dynamics_control.measure_dynamics_control,
        ),
        Rater(
            articulation_quality.ARTICULATION_QUALITY,
            articulation_quality.COMPONENTS,
            articulation_quality.measure_articulation_quality,
        ),
        Rater(
            pedaling_technique.PEDALING_TECHNIQUE,
            pedaling_technique.COMPONENTS,
            pedaling_technique.measure_pedaling_technique,
        ),
        Rater(tone_quality.TONE_QUALITY, tone_quality.COMPONENTS, tone_quality.measure_tone_quality),
    )
}
"""In the order of the rubric."""


def measure_technique(evidence: Evidence, span_sec: Span | None = None) -> dict[str, PseudoLabel]:
    """Measure all six dimensions of a span, unscaled."""
    return {name: rater.measure(evidence, span_sec) for name, rater in RATERS.items()}

"""What to work on first: one thing that was heard, where, how large it is, and what is usual."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from tocco.inference.technique import Measure
from tocco.schema import Seconds, Share, StrictModel

_Text = Annotated[str, Field(strict=True, min_length=1)]


class Finding(StrictModel):
    """One thing to work on, with the measure that it rests on."""

    id: _Text
    """Unique in the assessment: dimension, kind and tenth of a second."""

    dimension: _Text
    """What it is a weakness of."""

    kind: _Text
    """As of the place: "wrong", "hesitation", "blur"; "passage" for a span that is rated lower."""

    bars: tuple[_Text, _Text] | None = None
    """[first, last] bar as printed; null without a score."""

    beat: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] | None = None
    """Place in the first bar in quarter notes, the bar line is 1; null for a passage and without a score."""

    start_sec: Seconds
    """Start, on the clock of the assessment."""

    end_sec: Seconds
    """End."""

    measure: Measure
    """What was measured here."""

    reference: Measure
    """What it is compared with."""

    confidence: Share
    """How sure it is that this is no chance and no mistake of the alignment."""

    sentence: _Text
    """What was heard, with its place."""

    usual: _Text
    """What is usual, or what it was compared with."""

    @model_validator(mode="after")
    def _is_in_order(self) -> Finding:
        if self.end_sec < self.start_sec:
            raise ValueError(f"end_sec {self.end_sec} is before start_sec {self.start_sec}")
        return self

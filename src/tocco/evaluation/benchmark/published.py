"""Figures that others have published, each with its source and whether its split leaks."""

from __future__ import annotations

from importlib import resources
from typing import Literal

import yaml
from pydantic import TypeAdapter

from tocco.schema import StrictModel

FILE = "published.yaml"


class PublishedFigure(StrictModel):
    """One figure of others."""

    benchmark: str
    """Data set."""

    system: str
    """What was evaluated."""

    metric: Literal["R2", "pairs"]
    """What was measured, as a mean over the descriptors."""

    value: float
    """As published."""

    up_to: float | None = None
    """The upper end, where a range was published."""

    source: str
    """Who published it, as far as it is known."""

    doi: str | None = None
    """Of the source; null where it is not known."""

    split: str
    """How training and test were divided, as far as it is known."""

    leaks: Literal["yes", "no", "unknown"]
    """Whether test excerpts have music, takes or pianists in training that the split is said to hold out."""

    why: str
    """How that is known."""

    comparable: str | None = None
    """The protocol here that asks the same; null where none does."""

    @property
    def text(self) -> str:
        """The figure in words."""
        digits = 3 if round(self.value, 2) != self.value else 2
        ends = [self.value] if self.up_to is None else [self.value, self.up_to]
        return f"{self.metric} {' to '.join(f'{end:.{digits}f}' for end in ends)}"


def published_figures(benchmark: str) -> tuple[PublishedFigure, ...]:
    """Figures of others on a data set, in the order of the file."""
    text = (resources.files("tocco.evaluation.benchmark") / FILE).read_text(encoding="utf-8")
    every = TypeAdapter(tuple[PublishedFigure, ...]).validate_python(yaml.safe_load(text))
    return tuple(one for one in every if one.benchmark == benchmark)

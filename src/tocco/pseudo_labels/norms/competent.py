"""What is usual in the playing of competent pianists: ranges of measures, and how rare a place is.

A measure of half a minute varies more than one of a whole sonata movement, so ranges are those of music of
about the same length.

A measured place (a hesitation, a blur, a note that sticks out of its line) says little by itself: competent
pianists have them too. What counts is how often one of at least this size comes in their playing.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Annotated, Final

import numpy as np
from pydantic import Field, model_validator

from tocco.pseudo_labels.pool import Count, PoolFacts
from tocco.schema import StrictModel, parse_object

COMPETENT_FILE: Final = "competent.json"

PERCENT: Final = (1.0, 20.0, 50.0, 80.0, 99.0)
"""Percentiles of competent performances. From the 20th to the 80th a measure is called usual."""

_Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
_Number = Annotated[float, Field(allow_inf_nan=False)]


class UsualRange(StrictModel):
    """How one measure is distributed over stretches of competent playing."""

    least: _Number
    """1st percentile, in the unit of the measure."""

    low: _Number
    """20th percentile."""

    middle: _Number
    """Median."""

    high: _Number
    """80th percentile."""

    most: _Number
    """99th percentile."""

    n_stretches: Count
    """Stretches in which it could be measured."""


class LengthRanges(StrictModel):
    """Ranges for music of one length."""

    from_sec: _Positive
    """Shortest music that they are for, in seconds; they end where the next ones begin."""

    measures: dict[str, dict[str, UsualRange]]
    """Dimension -> measure -> its range."""


class PlaceRates(StrictModel):
    """How often places of one kind come, by their size."""

    n_places: Count
    """Places of this kind in the pool, of every size."""

    size: tuple[_Number, ...]
    """Ascending: the largest ones of the pool, down to one a minute."""

    @model_validator(mode="after")
    def _ascends(self) -> PlaceRates:
        if any(b < a for a, b in zip(self.size, self.size[1:], strict=False)):
            raise ValueError("size does not ascend")
        if len(self.size) > self.n_places:
            raise ValueError(f"size has {len(self.size)} of {self.n_places} places")
        return self


class Competent(StrictModel):
    """Measures and places of performances by competent pianists."""

    pool: PoolFacts
    """Performances that it was fitted to."""

    minutes: _Positive
    """Their length together."""

    lengths: tuple[LengthRanges, ...]
    """In ascending order of their length."""

    places: dict[str, dict[str, PlaceRates]]
    """Dimension -> kind of place -> how often it comes."""

    def usual(self, dimension: str, measure: str, duration_sec: float) -> UsualRange | None:
        """The range of a measure in music of this length; None where it was measured too seldom.

        Parameters
        ----------
        dimension, measure
        duration_sec : of the music; shorter than the shortest that is known has no range
        """
        fitting = [ranges for ranges in self.lengths if ranges.from_sec <= duration_sec]
        return fitting[-1].measures.get(dimension, {}).get(measure) if fitting else None

    def per_minute(self, dimension: str, kind: str, size: float) -> float | None:
        """How many places of this kind and at least this size come in a minute of competent playing.

        A size beyond the largest of the pool counts as one in the whole pool: it is known to be no more.

        Parameters
        ----------
        dimension, kind
        size : in the unit of the kind

        Returns
        -------
        1 / minutes, at most the rate of the smallest size that is listed; None for a kind that the pool
        does not have.
        """
        rates = self.places.get(dimension, {}).get(kind)
        if rates is None or not rates.size:
            return None
        n_larger = len(rates.size) - int(np.searchsorted(rates.size, size - 1e-9, side="left"))
        if n_larger == len(rates.size):
            n_larger = rates.n_places if size <= rates.size[0] else n_larger
        return max(n_larger, 1) / self.minutes


@cache
def competent_playing() -> Competent:
    """The one that ships with tocco."""
    content = files("tocco.pseudo_labels.norms").joinpath(COMPETENT_FILE).read_text(encoding="utf-8")
    return Competent.model_validate(parse_object(content))

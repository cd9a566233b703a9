"""Ratings of a project as arrays, for figures about raters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tocco.labelling.events import COUNTED, Occasion, Rating
from tocco.units import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class RatingTable:
    """One row for each rating that counts.

    Attributes
    ----------
    raters, segments, dimensions : names, by index
    rater, segment, dimension : (R,) index
    occasion : (R,) as in `events.OCCASIONS`
    value : (R,) 0..100
    sequence : (R,) of the event
    """

    raters: tuple[str, ...]
    segments: tuple[str, ...]
    dimensions: tuple[str, ...]
    rater: IntArray
    segment: IntArray
    dimension: IntArray
    occasion: np.ndarray
    value: FloatArray
    sequence: IntArray

    def __len__(self) -> int:
        return len(self.value)

    def where(self, chosen: BoolArray) -> RatingTable:
        """Some of the rows."""
        names = ("rater", "segment", "dimension", "occasion", "value", "sequence")
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})

    def of(self, *occasions: Occasion) -> RatingTable:
        """The rows of some occasions."""
        return self.where(np.isin(self.occasion, occasions))

    def labels(self) -> RatingTable:
        """The rows that make labels: the first rating of each segment."""
        return self.of(*COUNTED)

    def matrix(self, dimension: int) -> FloatArray:
        """(S, K) segments by raters; NaN where there is no rating."""
        found = np.full((len(self.segments), len(self.raters)), np.nan)
        rows = self.dimension == dimension
        found[self.segment[rows], self.rater[rows]] = self.value[rows]
        return found


def rating_table(ratings: Iterable[Rating], dimensions: Sequence[str]) -> RatingTable:
    """The ratings that count and have a value, by sequence.

    Parameters
    ----------
    ratings : that stand
    dimensions : those of the project; others are left out
    """
    used = [one for one in ratings if one.counts and one.value is not None and one.dimension in dimensions]
    used.sort(key=lambda one: one.sequence)
    raters = tuple(sorted({one.presentation.rater_id for one in used}))
    segments = tuple(sorted({one.presentation.segment_id for one in used}))
    at_rater = {name: i for i, name in enumerate(raters)}
    at_segment = {name: i for i, name in enumerate(segments)}
    return RatingTable(
        raters,
        segments,
        tuple(dimensions),
        np.array([at_rater[one.presentation.rater_id] for one in used], dtype=int),
        np.array([at_segment[one.presentation.segment_id] for one in used], dtype=int),
        np.array([list(dimensions).index(one.dimension) for one in used], dtype=int),
        np.array([one.presentation.occasion for one in used], dtype=str),
        np.array([one.value for one in used], dtype=float),
        np.array([one.sequence for one in used], dtype=int),
    )

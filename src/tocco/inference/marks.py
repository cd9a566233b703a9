"""Marks that an assessment shows beside its ratings: those of one person, and those of a marking scheme.

A rating is tocco's own, from 0 to 100. A mark is what a person or an examination board would write down, on a
scale of theirs. Neither kind of mark changes a rating.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from tocco.schema import Points, Share, StrictModel

_Text = Annotated[str, Field(strict=True, min_length=1)]
_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Mark = Annotated[float, Field(allow_inf_nan=False), AfterValidator(lambda value: round(value, 2) + 0.0)]


class MarkScale(StrictModel):
    """The scale on which a person gives marks."""

    worst: float
    """Mark of the worst performance; above `best` where 1 is the best mark."""

    best: float
    """Mark of the best performance."""

    source: Literal["given", "found"]
    """"given" by the person, or "found" as the narrowest usual scale that holds all marks."""

    @model_validator(mode="after")
    def _has_a_length(self) -> MarkScale:
        if self.worst == self.best:
            raise ValueError(f"a scale from {self.worst:g} to {self.best:g} has one mark only")
        return self

    def __str__(self) -> str:
        return f"{self.worst:g} to {self.best:g}"

    def holds(self, mark: float) -> bool:
        """Whether the mark lies on the scale."""
        return min(self.worst, self.best) <= mark <= max(self.worst, self.best)

    def points(self, mark: float) -> float:
        """The mark on 0 to 100.

        >>> MarkScale(worst=6, best=1, source="given").points(2.0)
        80.0
        """
        return 100.0 * (mark - self.worst) / (self.best - self.worst)

    def mark(self, points: float) -> float:
        """The mark that stands for so many of 100 points."""
        return self.worst + points / 100.0 * (self.best - self.worst)


class PersonalMark(StrictModel):
    """What one person would give."""

    points: Points | None
    """On 0 to 100; null when missing."""

    points_90: tuple[Points, Points] | None = None
    """[low, high]: nine in ten marks of this person are expected in it."""

    mark: _Mark | None = None
    """The same on the scale of the person; null when missing."""

    mark_90: tuple[_Mark, _Mark] | None = None
    """[at the low end, at the high end] of `points_90`, on that scale."""

    scale: MarkScale | None = None
    """The scale of the person; null where the person gave no marks but votes."""

    is_default: bool = False
    """Whether the rating was left as it is, since the marks contradict it."""

    reason: _Text | None = None
    """Why it is missing; null otherwise."""

    @model_validator(mode="after")
    def _is_consistent(self) -> PersonalMark:
        if (self.points is None) != (self.reason is not None):
            raise ValueError("a personal mark is missing if, and only if, it has a reason and no points")
        if self.points is None and (self.points_90 or self.mark is not None or self.mark_90):
            raise ValueError("a missing personal mark has neither mark nor interval")
        if self.points is not None and self.points_90 is not None:
            low, high = self.points_90
            if not low <= self.points <= high:
                raise ValueError(f"points_90 [{low}, {high}] does not contain {self.points}")
        return self


class PersonalMarks(StrictModel):
    """The ratings as one person would mark them, by a personal calibration."""

    name: _Text
    """Of the calibration, after its file."""

    sha256: _Sha256
    """Hash of the calibration."""

    marks: dict[str, PersonalMark]
    """Dimension -> mark, for the dimensions that the person has marked."""

    aggregate: PersonalMark | None = None
    """By the weights of the person; null where only dimensions were marked."""

    weights: dict[str, Share] = Field(default_factory=dict)
    """Dimension -> its share of that aggregate."""

    sentences: tuple[_Text, ...]
    """What the calibration rests on, what it gains by leave-one-out, and what is doubtful."""


class CriterionMark(StrictModel):
    """One criterion of a marking scheme."""

    title: _Text
    """As it is shown."""

    mark: Annotated[float, Field(allow_inf_nan=False)] | None
    """In the marks of the board, to a tenth; null when missing."""

    interval_90: tuple[float, float] | None = None
    """[low, high] in marks; the errors of the dimensions are taken to fall together."""

    highest: float
    """The most that can be reached."""

    band: _Text | None = None
    """In words, "between pass and merit" where the interval spans both; null where there is none."""

    weights: dict[str, Share] = Field(default_factory=dict)
    """Dimension -> its share of the criterion; empty for the total."""

    reason: _Text | None = None
    """Why it is missing; null otherwise."""

    @model_validator(mode="after")
    def _is_consistent(self) -> CriterionMark:
        if (self.mark is None) != (self.reason is not None):
            raise ValueError("a criterion is missing if, and only if, it has a reason and no mark")
        if self.mark is None and (self.interval_90 is not None or self.band is not None):
            raise ValueError("a missing criterion has neither interval nor band")
        if self.mark is not None and self.interval_90 is not None:
            low, high = self.interval_90
            if not low <= self.mark <= high:
                raise ValueError(f"interval_90 [{low}, {high}] does not contain {self.mark}")
        return self


class SchemeMarks(StrictModel):
    """The ratings in the terms of a marking scheme. No result of an examination."""

    name: _Text
    """Of the marking scheme."""

    title: _Text
    """As it is shown."""

    board: _Text
    """Who examines by such criteria."""

    link: _Text
    """Site of the board."""

    sha256: _Sha256
    """Hash of the file that states the marking scheme."""

    disclaimer: _Text
    """That this is no examination result."""

    convention: _Text
    """How the marks were laid beside the ratings."""

    criteria: tuple[CriterionMark, ...]
    """In the order of the scheme."""

    total: CriterionMark
    """Of the piece."""

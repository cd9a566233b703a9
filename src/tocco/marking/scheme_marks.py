"""Marks of a marking scheme from the ratings of an assessment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from tocco.inference.assessment import Assessment, Rating
from tocco.inference.marks import CriterionMark, SchemeMarks
from tocco.marking.scheme import Band, Criterion, MarkingScheme

DISCLAIMER: Final = "This is no examination result, and {board} has no part in it"


def scheme_marks(assessment: Assessment, scheme: MarkingScheme) -> SchemeMarks:
    """The ratings in the terms of a marking scheme."""
    criteria = tuple(criterion_mark(one, assessment.ratings) for one in scheme.criteria)
    return SchemeMarks(
        name=scheme.name,
        title=scheme.title,
        board=scheme.board,
        link=scheme.link,
        sha256=scheme.sha256,
        disclaimer=DISCLAIMER.format(board=scheme.board),
        convention=scheme.convention,
        criteria=criteria,
        total=_total(scheme, criteria),
    )


def criterion_mark(criterion: Criterion, ratings: Mapping[str, Rating]) -> CriterionMark:
    """The mark of one criterion; missing where a dimension that it needs is.

    The errors of the ratings are taken to fall together, as in the aggregate: the ends of the interval are
    the weighted means of the ends.
    """
    shown: dict[str, Any] = {
        "title": criterion.title,
        "highest": criterion.highest,
        "weights": criterion.weights,
    }
    missing = [name for name in criterion.weights if name not in ratings or ratings[name].value is None]
    if missing:
        return CriterionMark(mark=None, reason="; ".join(_why(name, ratings) for name in missing), **shown)
    value, low, high = (_mean(criterion, ratings, end) for end in (None, 0, 1))
    mark, *ends = (_rounded(_mapped(criterion, mean)) for mean in (value, low, high))
    interval = (min(ends[0], mark), max(ends[1], mark))
    return CriterionMark(
        mark=mark, interval_90=interval, band=in_words(criterion.bands, mark, interval), **shown
    )


def band_of(bands: Sequence[Band], mark: float) -> str:
    """Name of the band that a mark lies in.

    >>> band_of((Band(name="below pass", from_mark=0), Band(name="pass", from_mark=20)), 20.0)
    'pass'
    """
    return next(band.name for band in reversed(bands) if mark >= band.from_mark)


def in_words(bands: Sequence[Band], mark: float, interval: tuple[float, float]) -> str | None:
    """The band, or the two between which the interval lies; None where the scheme has no bands."""
    if not bands:
        return None
    low, high = (band_of(bands, end) for end in interval)
    return band_of(bands, mark) if low == high else f"between {low} and {high}"


def _total(scheme: MarkingScheme, criteria: Sequence[CriterionMark]) -> CriterionMark:
    shown: dict[str, Any] = {"title": scheme.total.title, "highest": _rounded(scheme.highest)}
    missing = [one.title for one in criteria if one.mark is None]
    if missing:
        return CriterionMark(mark=None, reason=f"without {', '.join(missing)}", **shown)
    marks = np.array([one.mark for one in criteria], dtype=float)
    ends = np.array([one.interval_90 for one in criteria], dtype=float)
    shares = np.array(scheme.shares)
    mark, low, high = (_rounded(float(shares @ column)) for column in (marks, *ends.T))
    interval = (min(low, mark), max(high, mark))
    return CriterionMark(
        mark=mark, interval_90=interval, band=in_words(scheme.total.bands, mark, interval), **shown
    )


def _mean(criterion: Criterion, ratings: Mapping[str, Rating], end: int | None) -> float:
    """Weighted mean of the ratings, or of the ends of their intervals."""
    total = 0.0
    for name, weight in criterion.weights.items():
        rating = ratings[name]
        value = float(rating.value or 0.0)
        total += weight * (value if end is None or rating.interval_90 is None else rating.interval_90[end])
    return total


def _mapped(criterion: Criterion, mean: float) -> float:
    ratings, marks = zip(*criterion.anchors, strict=True)
    return float(np.interp(mean, ratings, marks))


def _rounded(mark: float) -> float:
    """To a tenth, as it is shown: the band is that of the mark that is read."""
    return round(mark, 1) + 0.0


def _why(name: str, ratings: Mapping[str, Rating]) -> str:
    rating = ratings.get(name)
    reason = "it was not asked for" if rating is None else rating.reason
    return f"{name.replace('_', ' ')} is missing: {reason}"

"""Marks beside the ratings in words: the same rows on the terminal and in the report."""

from __future__ import annotations

from dataclasses import dataclass

from tocco.inference.assessment import Aggregate, Assessment, Rating
from tocco.inference.marks import CriterionMark, MarkScale, PersonalMark, PersonalMarks, SchemeMarks
from tocco.report.wording import points, title


@dataclass(frozen=True)
class MarkRow:
    """One mark as it is shown.

    Attributes
    ----------
    heading : what is marked
    rating : the default rating beside it; empty for a criterion
    mark : "4.2", or "–" where it is missing
    interval : "3.5–4.9"; empty where there is none
    words : band, or why it is missing, or that the default stands
    weights : what a criterion consists of; empty for others
    """

    heading: str
    rating: str
    mark: str
    interval: str
    words: str
    weights: str = ""


def personal_rows(assessment: Assessment, personal: PersonalMarks) -> list[MarkRow]:
    """The marks of one person beside the default ratings, in the order of the rubric; the whole last."""
    rows = [
        _personal_row(title(one.name), assessment.ratings[one.name], personal.marks[one.name])
        for one in assessment.dimensions
        if one.name in personal.marks
    ]
    if personal.aggregate is not None:
        rows.append(_personal_row("Whole performance", assessment.aggregate, personal.aggregate))
    return rows


def personal_scale(personal: PersonalMarks) -> str:
    """On what scale the marks are: "1 to 5", or 0 to 100 where the person gave votes."""
    marks = [*personal.marks.values(), *([] if personal.aggregate is None else [personal.aggregate])]
    scales = [one.scale for one in marks if one.scale is not None]
    return " and ".join(dict.fromkeys(map(str, scales))) or "0 to 100"


def personal_weights(personal: PersonalMarks) -> str:
    """The shares of the whole, the largest first; empty where only dimensions were marked."""
    shares = sorted(personal.weights.items(), key=lambda item: -item[1])
    return ", ".join(f"{title(name).lower()} {share:.2f}" for name, share in shares if share >= 0.005)


def scheme_rows(scheme: SchemeMarks) -> list[MarkRow]:
    """The criteria of a marking scheme, and its total last."""
    return [_criterion_row(one) for one in (*scheme.criteria, scheme.total)]


def _personal_row(heading: str, rating: Rating | Aggregate, mark: PersonalMark) -> MarkRow:
    default = "–" if rating.value is None else points(rating.value)
    if mark.points is None or mark.points_90 is None:
        return MarkRow(heading, default, "–", "", f"missing, {mark.reason}")
    value, ends = mark.points, mark.points_90
    if mark.mark is not None and mark.mark_90 is not None:
        value, ends = mark.mark, mark.mark_90
    decimals = _decimals(mark.scale)
    interval = "–".join(f"{end:.{decimals}f}" for end in ends)
    words = (
        "the marks contradict the ratings, so this is the default and its interval" if mark.is_default else ""
    )
    return MarkRow(heading, default, f"{value:.{decimals}f}", interval, words)


def _decimals(scale: MarkScale | None) -> int:
    """One below a length of 50: a tenth of a mark of 1 to 5 says something."""
    length = 100.0 if scale is None else abs(scale.best - scale.worst)
    return 1 if length < 50.0 else 0


def _criterion_row(one: CriterionMark) -> MarkRow:
    weights = " + ".join(f"{title(name).lower()} × {share:g}" for name, share in one.weights.items())
    if one.mark is None or one.interval_90 is None:
        return MarkRow(one.title, "", "–", "", f"missing, {one.reason}", weights)
    low, high = one.interval_90
    mark = f"{one.mark:.1f} of {one.highest:g}"
    return MarkRow(one.title, "", mark, f"{low:.1f}–{high:.1f}", one.band or "", weights)

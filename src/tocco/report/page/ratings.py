"""The ten ratings as bars with their intervals, and in words what a value and its neighbours stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from tocco.inference.assessment import Aggregate, Assessment, Rating
from tocco.report.page.svg import element, picture
from tocco.report.wording import interval_in_words, points, title
from tocco.rubrics import Meaning

NEIGHBOUR_POINTS: Final = 10.0
"""Distance of the neighbouring value that is put into words."""

_ANCHORS: Final = (0.0, 50.0, 100.0)
_AT_ANCHOR: Final = 6.0
"""So near to an anchor a rating is what the anchor says."""

_WIDTH: Final = 400.0
_HEIGHT: Final = 22.0


@dataclass(frozen=True)
class RatingRow:
    """One rating as it is shown.

    Attributes
    ----------
    name, family
    heading : the name for people
    value : "60.7", or "–" where it is missing
    interval : "90 %: 42 to 79"; empty where there is none
    bar : None where it is missing
    words : what the value stands for, or why it is missing
    neighbour : what ten points more or less would be; empty where it is missing
    source : who rated
    reliability : "0.74"; empty where not known
    """

    name: str
    family: str
    heading: str
    value: str
    interval: str
    bar: Markup | None
    words: str
    neighbour: str
    source: str
    reliability: str


_SOURCES: Final = {
    "model": "learned from raters",
    "rule": "computed from MIDI and score",
    "missing": "not rated",
}


def rating_rows(assessment: Assessment) -> list[RatingRow]:
    """The ratings in the order of the rubric."""
    rows = []
    for dimension in assessment.dimensions:
        rating = assessment.ratings[dimension.name]
        rows.append(
            RatingRow(
                name=dimension.name,
                family=dimension.family,
                heading=title(dimension.name),
                value="–" if rating.value is None else points(rating.value),
                interval=interval_in_words(rating),
                bar=rating_bar(dimension.name, rating),
                words=rating.reason or in_meaning(dimension.meaning, rating.value or 0.0),
                neighbour="" if rating.value is None else neighbour(dimension.meaning, rating),
                source=_SOURCES[rating.source],
                reliability="" if rating.reliability is None else f"{rating.reliability:.2f}",
            )
        )
    return rows


def in_meaning(meaning: Meaning, value: float) -> str:
    """A value between the anchors of its dimension, in words.

    >>> steady = Meaning("unstable", "as steady as the median", "perfectly stable")
    >>> in_meaning(steady, 52.0)
    'as steady as the median'
    >>> in_meaning(steady, 60.7)
    'from “as steady as the median” a fifth of the way to “perfectly stable”'
    """
    texts = (meaning.low, meaning.middle, meaning.high)
    for anchor, text in zip(_ANCHORS, texts, strict=True):
        if abs(value - anchor) <= _AT_ANCHOR:
            return text
    lower = 0 if value < _ANCHORS[1] else 1
    share = (value - _ANCHORS[lower]) / (_ANCHORS[lower + 1] - _ANCHORS[lower])
    return f"from “{texts[lower]}” {_way(share)} to “{texts[lower + 1]}”"


def _way(share: float) -> str:
    """The part of a way, as it is said."""
    for end, words in ((0.26, "a fifth of the way"), (0.42, "a third of the way"), (0.6, "half way")):
        if share < end:
            return words
    return "two thirds of the way" if share < 0.75 else "most of the way"


def neighbour(meaning: Meaning, rating: Rating) -> str:
    """What a value ten points up stands for, near the top ten down, and whether the interval holds it."""
    value = rating.value or 0.0
    up = value + NEIGHBOUR_POINTS <= 100.0
    other = value + NEIGHBOUR_POINTS if up else value - NEIGHBOUR_POINTS
    words = in_meaning(meaning, other)
    same = words == in_meaning(meaning, value)
    said = f"{other:.0f} would be {'much the same' if same else words}"
    if rating.interval_90 is None:
        return f"{said}."
    low, high = rating.interval_90
    inside = low <= other <= high
    return f"{said}; the interval {'holds that too' if inside else 'does not reach it'}."


def rating_bar(name: str, rating: Rating | Aggregate) -> Markup | None:
    """A line from 0 to 100 with the interval as a bar and the value as a mark; None without a value."""
    if rating.value is None:
        return None
    middle = _HEIGHT / 2
    parts = [element("path", class_="rail", d=f"M0 {middle:g}H{_WIDTH:g}")]
    parts += [
        element("path", class_="grid", d=f"M{_WIDTH * v / 100:g} 4V{_HEIGHT - 4:g}") for v in (25, 50, 75)
    ]
    if rating.interval_90 is not None:
        low, high = (4.0 * end for end in rating.interval_90)
        parts.append(
            element("rect", class_="interval", x=low, y=6.0, width=max(high - low, 2.0), height=10.0, rx=3)
        )
    parts.append(element("path", class_="value", d=f"M{4.0 * rating.value:.1f} 2V{_HEIGHT - 2:g}"))
    said = f"{points(rating.value)} of 100"
    if rating.interval_90 is not None:
        said += f", {interval_in_words(rating)}"
    return picture(
        f"bar-{name}", title(name), said, *parts, viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}",
        preserveAspectRatio="none", class_="rating",
    )  # fmt: skip

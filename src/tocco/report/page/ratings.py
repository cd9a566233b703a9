"""The ratings as bars with their intervals, and in words what a value and the next level sound like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from tocco.inference.assessment import Aggregate, Assessment, Rating
from tocco.report.page.svg import element, picture
from tocco.report.wording import account, interval_in_words, points, title
from tocco.rubrics import Meaning

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
    words : what a rating like this sounds like, or why it is missing
    neighbour : what the next level sounds like; empty where it is missing
    account : what it was put together from; empty where it was not
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
    account: str
    source: str
    reliability: str


_SOURCES: Final = {
    "model": "learned from raters",
    "rule": "computed from notes and score",
    "combined": "learned from raters, adjusted by rules",
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
                words=rating.reason or dimension.meaning.nearest(rating.value or 0.0),
                neighbour="" if rating.value is None else neighbour(dimension.meaning, rating),
                account=account(rating),
                source=_SOURCES[rating.source],
                reliability="" if rating.reliability is None else f"{rating.reliability:.2f}",
            )
        )
    return rows


def neighbour(meaning: Meaning, rating: Rating) -> str:
    """What the next level sounds like, on the side of the value, and whether the interval holds it.

    >>> steady = Meaning({10: "no pulse", 30: "often lost", 50: "steady", 70: "sure", 90: "never in doubt"})
    >>> neighbour(steady, Rating(value=55.0, interval_90=(40.0, 72.0), source="model"))
    'At 70: sure; the interval holds that too.'
    """
    value = rating.value or 0.0
    _, second = sorted(meaning.at, key=lambda level: (abs(level - value), -level))[:2]
    said = f"At {second}: {meaning.at[second]}"
    if rating.interval_90 is None:
        return f"{said}."
    low, high = (round(end) for end in rating.interval_90)  # as they are shown
    return f"{said}; the interval {'holds that too' if low <= second <= high else 'does not reach it'}."


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

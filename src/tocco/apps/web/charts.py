"""Ratings over time as small pictures, drawn here: no script, no library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from markupsafe import Markup

from tocco.apps.web.library.takes import Take
from tocco.report.page.svg import element, joined, line_path, picture
from tocco.rubrics import DIMENSIONS

WIDTH: Final = 320.0
HEIGHT: Final = 170.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 30.0, 12.0, 10.0, 24.0
_SMALL_WIDTH: Final = 140.0
_SMALL_HEIGHT: Final = 44.0
_FULL: Final = 100.0


@dataclass(frozen=True)
class Point:
    """One rating.

    Attributes
    ----------
    played_on : date
    value : points
    low, high : of the 90 % interval; the value itself where there is none
    title : of the take
    """

    played_on: date
    value: float
    low: float
    high: float
    title: str


@dataclass(frozen=True)
class DimensionChart:
    """How one dimension went.

    Attributes
    ----------
    name : in words
    first, last : points
    picture
    """

    name: str
    first: float
    last: float
    picture: Markup


def progress_chart(takes: Sequence[Take], number: int) -> Markup | None:
    """The weighted mean of takes of one piece by date, with intervals; None for fewer than two.

    Parameters
    ----------
    takes : assessed, the earliest first
    number : of the piece, for the ids in the document
    """
    points = _points(takes, "aggregate")
    if len(points) < 2:
        return None
    low, high = axis_ends(points)
    x = x_of([point.played_on for point in points], _LEFT + 8.0, WIDTH - _RIGHT)

    def y(value: float) -> float:
        return _TOP + (HEIGHT - _TOP - _BOTTOM) * (high - value) / (high - low)

    grid = [
        joined(
            [
                element("path", class_="grid", d=f"M{_LEFT:g} {y(value):.1f}H{WIDTH - _RIGHT:g}"),
                element("text", f"{value:g}", class_="axis-mark", x=_LEFT - 5.0, y=y(value) + 3.5),
            ]
        )
        for value in (low, (low + high) / 2, high)
    ]
    marks = [
        element(
            "g",
            element("path", class_="spread", d=f"M{at:.1f} {y(point.high):.1f}V{y(point.low):.1f}"),
            element("circle", class_="point", cx=f"{at:.1f}", cy=f"{y(point.value):.1f}", r=4),
        )
        for at, point in zip(x, points, strict=True)
    ]
    ends = [
        element("text", _day(points[0].played_on), class_="clock", x=_LEFT, y=HEIGHT - 6.0),
        element(
            "text",
            _day(points[-1].played_on),
            class_="clock",
            x=WIDTH - _RIGHT,
            y=HEIGHT - 6.0,
            text_anchor="end",
        ),
    ]
    said = "; ".join(f"{point.title}, {_day(point.played_on)}: {point.value:.0f}" for point in points)
    return picture(
        f"progress-{number}",
        "Weighted mean over time",
        said,
        *grid,
        element("path", class_="line", d=line_path(x, [y(point.value) for point in points])),
        *marks,
        *ends,
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}",
        width=f"{WIDTH:g}",
        height=f"{HEIGHT:g}",
        class_="chart",
    )


def dimension_charts(takes: Sequence[Take], number: int) -> list[DimensionChart]:
    """The same of each dimension that two takes or more have, each as a line without numbers."""
    charts = []
    for name in DIMENSIONS:
        points = _points(takes, name)
        if len(points) < 2:
            continue
        x = x_of([point.played_on for point in points], 5.0, _SMALL_WIDTH - 5.0)
        y = [5.0 + (_SMALL_HEIGHT - 10.0) * (_FULL - point.value) / _FULL for point in points]
        title = name.replace("_", " ").capitalize()
        drawn = picture(
            f"progress-{number}-{name}",
            f"{title} over time",
            f"from {points[0].value:.0f} to {points[-1].value:.0f}",
            element("path", class_="grid", d=f"M0 {_SMALL_HEIGHT / 2:g}H{_SMALL_WIDTH:g}"),
            element("path", class_="line", d=line_path(x, y)),
            element("circle", class_="point", cx=f"{x[-1]:.1f}", cy=f"{y[-1]:.1f}", r=3.5),
            viewBox=f"0 0 {_SMALL_WIDTH:g} {_SMALL_HEIGHT:g}",
            width=f"{_SMALL_WIDTH:g}",
            height=f"{_SMALL_HEIGHT:g}",
            class_="chart small",
        )
        charts.append(DimensionChart(title, points[0].value, points[-1].value, drawn))
    return charts


def axis_ends(points: Sequence[Point]) -> tuple[float, float]:
    """Lowest and highest value of an axis: multiples of 20 that hold every interval.

    >>> axis_ends([Point(date(2026, 1, 1), value=61.0, low=52.0, high=75.0, title="a")])
    (40.0, 80.0)
    """
    low = 20.0 * (min(point.low for point in points) // 20.0)
    high = -20.0 * (-max(point.high for point in points) // 20.0)
    return low, max(high, low + 20.0)


def x_of(days: Sequence[date], left: float, right: float) -> list[float]:
    """Places of dates in their order; those of one day stand beside each other.

    >>> x_of([date(2026, 1, 1), date(2026, 1, 3)], 0.0, 10.0)
    [0.0, 10.0]
    >>> x_of([date(2026, 1, 1)] * 3, 0.0, 10.0)
    [0.0, 5.0, 10.0]
    """
    span = float((days[-1] - days[0]).days)
    times = []
    for place, day in enumerate(days):
        same = [k for k, other in enumerate(days) if other == day]
        share = (place - same[0]) / len(same)
        times.append((day - days[0]).days + share)
    last = max(times[-1], span) or 1.0
    return [left + (right - left) * time / last for time in times]


def _points(takes: Sequence[Take], name: str) -> list[Point]:
    points = []
    for take in takes:
        summary = take.summary
        if summary is None:
            continue
        value = summary.aggregate if name == "aggregate" else summary.ratings.get(name)
        interval = summary.aggregate_90 if name == "aggregate" else summary.intervals.get(name)
        if value is not None:
            low, high = interval or (value, value)
            points.append(Point(date.fromisoformat(take.played_on), value, low, high, take.title))
    return points


def _day(day: date) -> str:
    """A date as people write it.

    >>> _day(date(2026, 12, 1))
    '1 Dec 2026'
    """
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return f"{day.day} {months[day.month - 1]} {day.year}"

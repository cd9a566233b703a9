"""Pictures of a comparison: differences on a line, takes over bars, and the way over many takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from markupsafe import Markup

from tocco.inference.comparison import Comparison
from tocco.inference.difference import RatingDifference
from tocco.report.comparison_page.takes import BarValues
from tocco.report.comparison_words import VERDICTS, heading, interval, signed
from tocco.report.page.svg import element, joined, line_path, number, picture
from tocco.report.wording import title
from tocco.units import FloatArray

_WIDTH: Final = 240.0
_HEIGHT: Final = 22.0
MOST_SHOWN_DIFFERENCE: Final = 40.0
"""Points at either end of the line; what is larger ends there."""

BAR_PX: Final = 18.0
LEAST_WIDTH_PX: Final = 640.0
_PANEL_PX: Final = 110.0
_NAME_PX: Final = 20.0
"""Room for the name of a panel above its highest mark."""

_LABEL_BARS: Final = (1, 2, 4, 5, 10, 20, 50, 100)
_LABEL_PX: Final = 34.0


@dataclass(frozen=True)
class Panel:
    """One row of the picture over the bars.

    Attributes
    ----------
    name, label
    svg
    height_px
    marks : (pixels from the top, text) of its axis
    """

    name: str
    label: str
    svg: Markup
    height_px: float
    marks: tuple[tuple[float, str], ...] = ()


def difference_bar(key: str, name: str, found: RatingDifference) -> Markup:
    """The interval of a difference around 0: worse to the left, better to the right."""

    def x(points: float) -> float:
        held = float(np.clip(points, -MOST_SHOWN_DIFFERENCE, MOST_SHOWN_DIFFERENCE))
        return _WIDTH * (0.5 + 0.5 * held / MOST_SHOWN_DIFFERENCE)

    low, high = found.interval_90
    middle = _HEIGHT / 2
    return picture(
        f"difference-{key}",
        heading(name),
        f"{signed(found.value)} points, 90 %: {interval(found)}: {VERDICTS[found.verdict]}",
        element("path", class_="rail", d=f"M0 {middle:g}H{_WIDTH:g}"),
        element("path", class_="zero", d=f"M{_WIDTH / 2:g} 1V{_HEIGHT - 1:g}"),
        element(
            "rect", class_="interval", x=x(low), y=6.0, width=max(x(high) - x(low), 2.0), height=10.0, rx=3
        ),
        element("path", class_="value", d=f"M{x(found.value):.1f} 2V{_HEIGHT - 2:g}"),
        viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}",
        preserveAspectRatio="none",
        class_=f"difference {found.verdict}",
    )


def panels(comparison: Comparison, values: Sequence[BarValues]) -> list[Panel]:
    """Ratings, tempo, loudness and note errors over the bars; without those that nobody has."""
    width = max(BAR_PX * len(comparison.bars), LEAST_WIDTH_PX)
    x = (np.arange(len(comparison.bars)) + 0.5) * width / len(comparison.bars)
    shown = [_axis(comparison, x, width)]
    names = [name for name in values[0].rating if all(name in one.rating for one in values)]
    if names:
        shown.append(_rating_panel(names, values, x, width))
    for name, label, text in (
        ("tempo", "Tempo", "Quarter notes a minute in every bar."),
        ("level", "Loudness", "Mean velocity of the notes that begin in a bar, from 1 to 127."),
        ("errors", "Note errors", "Wrong and missing notes in a bar; added notes are not counted."),
    ):
        columns = [np.asarray(getattr(one, name)) for one in values]
        if any(np.isfinite(column).any() for column in columns):
            shown.append(_panel(name, label, text, columns, x, width))
    return shown


def _axis(comparison: Comparison, x: FloatArray, width: float) -> Panel:
    step = next(n for n in _LABEL_BARS if len(x) / n * _LABEL_PX <= width or n == _LABEL_BARS[-1])
    parts = [
        element("text", bar.bar, x=float(at), y=12.0, class_="bar")
        for bar, at in list(zip(comparison.bars, x, strict=True))[::step]
    ]
    svg = _svg("bars", "Bars", "Printed numbers of the bars.", 18.0, width, parts)
    return Panel("bars", "Bar", svg, 18.0)


def _rating_panel(names: Sequence[str], values: Sequence[BarValues], x: FloatArray, width: float) -> Panel:
    """One group a dimension; the script shows the one that is chosen."""
    chosen = chosen_dimension(names)
    height = _PANEL_PX

    def y(points: FloatArray) -> FloatArray:
        return height * (1.0 - np.asarray(points) / 100.0)

    parts = [
        element("path", class_="grid", d=f"M0 {number(float(y(np.array(v))))}H{number(width)}")
        for v in (25.0, 50.0, 75.0)
    ]
    for name in names:
        lines = [_line(place, x, y(one.rating[name])) for place, one in enumerate(values)]
        parts.append(
            element("g", *lines, class_="curve" if name == chosen else "curve off", data_dimension=name)
        )
    marks = tuple((float(y(np.array(v))), f"{v:g}") for v in (25.0, 50.0, 75.0))
    svg = _svg(
        "ratings-by-bar",
        "Rating by bar",
        "The chosen rating of every take over the bars.",
        height,
        width,
        parts,
    )
    return Panel("rating", "Rating", svg, height, marks)


def chosen_dimension(names: Sequence[str]) -> str:
    """The dimension that is shown first."""
    return next((name for name in names if name == "overall_quality"), names[0])


def _panel(
    name: str, label: str, text: str, columns: Sequence[FloatArray], x: FloatArray, width: float
) -> Panel:
    known = np.concatenate([column[np.isfinite(column)] for column in columns])
    low, high = (0.0, max(float(known.max()), 1.0)) if name == "errors" else _range(known)
    height = _PANEL_PX * 0.75

    def y(value: FloatArray) -> FloatArray:
        return (height - _NAME_PX - 4.0) * (high - np.asarray(value)) / (high - low) + _NAME_PX

    marks = tuple((float(y(np.array(v))), f"{v:.0f}") for v in (low, high))
    lines = [_line(place, x, y(column)) for place, column in enumerate(columns)]
    return Panel(name, label, _svg(f"{name}-by-bar", label, text, height, width, lines), height, marks)


def _range(values: FloatArray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    spare = max(0.1 * (high - low), 1.0)
    return low - spare, high + spare


def _line(place: int, x: FloatArray, y: FloatArray) -> Markup:
    """The line of a take, broken where it has no value, with a mark at every bar."""
    known = np.flatnonzero(np.isfinite(y))
    runs = np.split(known, np.flatnonzero(np.diff(known) > 1) + 1) if len(known) else []
    d = "".join(line_path(x[run], y[run]) for run in runs)
    dots = "".join(f"M{number(x[k])} {number(y[k])}h0" for k in known)
    return element(
        "g",
        element("path", class_="line", d=d),
        element("path", class_="dots", d=dots),
        class_="take",
        data_take=place,
    )


def _svg(name: str, heading_: str, text: str, height: float, width: float, parts: Sequence[Markup]) -> Markup:
    return picture(
        name,
        heading_,
        text,
        joined(parts),
        width=number(width),
        height=number(height),
        viewBox=f"0 0 {number(width)} {number(height)}",
        class_=f"panel {name}",
    )


def progress(comparison: Comparison) -> Mapping[str, Markup]:
    """Dimension, or "aggregate" -> its ratings over the takes, with intervals; of three takes and more."""
    takes = comparison.takes
    if len(takes) < 3:
        return {}
    names = [name for name in takes[0].ratings if all(name in take.ratings for take in takes)]
    width, height = max(110.0 * len(takes), 420.0), 170.0
    x = (np.arange(len(takes)) + 0.5) * width / len(takes)

    def y(points: float) -> float:
        return 10.0 + (height - 40.0) * (1.0 - points / 100.0)

    found = {}
    for name in ("aggregate", *(n for n in names if n != "aggregate")):
        if name not in names:
            continue
        parts = [
            element("path", class_="grid", d=f"M0 {number(y(v))}H{number(width)}")
            for v in (0, 25, 50, 75, 100)
        ]
        points = [take.ratings[name] for take in takes]
        for at, take in zip(x, takes, strict=True):
            if name in take.intervals:
                low, high = take.intervals[name]
                parts.append(
                    element("path", class_="whisker", d=f"M{number(at)} {number(y(low))}V{number(y(high))}")
                )
            parts.append(element("text", _short(take.id), x=float(at), y=height - 14.0, class_="take-name"))
        parts.append(element("path", class_="line", d=line_path(x, np.array([y(v) for v in points]))))
        parts += [
            element(
                "circle",
                element("title", f"{take.id}: {value:.1f}"),
                cx=float(at),
                cy=y(value),
                r=5.0,
                class_="point",
            )
            for at, take, value in zip(x, takes, points, strict=True)
        ]
        said = ", ".join(f"{take.id} {value:.1f}" for take, value in zip(takes, points, strict=True))
        found[name] = picture(
            f"progress-{name}", f"{heading(name)} over the takes", f"{said}.", joined(parts),
            width=number(width), height=number(height), viewBox=f"0 0 {number(width)} {number(height)}",
            class_="panel progress",
        )  # fmt: skip
    return found


def _short(name: str, most: int = 12) -> str:
    return name if len(name) <= most else f"…{name[1 - most :]}"


def dimension_titles(names: Sequence[str]) -> list[tuple[str, str]]:
    """Name and title of each."""
    return [(name, title(name)) for name in names]

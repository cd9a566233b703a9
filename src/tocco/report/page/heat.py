"""The piece as a heat map: bars from left to right, dimensions from top to bottom."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from markupsafe import Markup

from tocco.inference.assessment import Assessment
from tocco.report.page.svg import element, picture
from tocco.report.wording import clock, points, title
from tocco.units import FloatArray

LEVELS: Final = (-8.0, -4.0, -2.0, 2.0, 4.0, 8.0)
"""Points from the whole at which the shade changes."""

NAMES: Final = ("lowest", "lower", "low", "same", "high", "higher", "highest")
"""Shades from under to over the whole."""

MOST_COLUMNS: Final = 160
_COLUMN_SEC: Final = 5.0
_CELL: Final = 10.0
_ROW: Final = 16.0
_ROW_REM: Final = 1.6
"""Height of a row on the screen; the labels beside it have the same."""


@dataclass(frozen=True)
class HeatMap:
    """The picture with its labels.

    Attributes
    ----------
    rows : titles of the dimensions, from top to bottom
    svg
    marks : labels of the first and the last column, and of three between them
    unit : what a column is
    """

    rows: tuple[str, ...]
    svg: Markup
    marks: tuple[str, ...]
    unit: str


def has_curve(assessment: Assessment) -> bool:
    """Whether any rating over time is known."""
    return any(v is not None for values in assessment.curve.value.values() for v in values)


def heat_map(assessment: Assessment) -> HeatMap | None:
    """Ratings of each column relative to the whole; None without a curve."""
    if not has_curve(assessment):
        return None
    names = [name for name, values in assessment.curve.value.items() if any(v is not None for v in values)]
    labels, edges = columns(assessment)
    parts = []
    for row, name in enumerate(names):
        whole = assessment.ratings[name].value or 0.0
        level = shade(column_means(assessment, name, edges) - whole)
        for start, end in _runs(level):
            span = labels[start] if end - start == 1 else f"{labels[start]} to {labels[end - 1]}"
            parts.append(
                element(
                    "rect",
                    element("title", f"{title(name)}, {span}: {_words(int(level[start]), whole)}"),
                    class_=f"heat {NAMES[level[start]] if level[start] >= 0 else 'empty'}",
                    x=_CELL * start,
                    y=_ROW * row,
                    width=_CELL * (end - start),
                    height=_ROW - 1.5,
                )
            )
    parts += _passages(assessment, names, edges)
    svg = picture(
        "heat",
        "Heat map of the piece",
        "Each row is a dimension, each column a stretch of the piece; a cell says how far its rating lies "
        "from that of the whole. All ratings over time are smoothed over 20 seconds. Framed spans differ "
        "from the whole by more than chance.",
        *parts,
        viewBox=f"0 0 {_CELL * len(labels):g} {_ROW * len(names):g}",
        preserveAspectRatio="none",
        height=f"{_ROW_REM * len(names):g}rem",
        class_="heatmap",
    )
    unit = "bar" if assessment.alignment is not None and assessment.alignment.bars else "time"
    return HeatMap(tuple(title(name) for name in names), svg, _marks(labels), unit)


def _marks(labels: Sequence[str]) -> tuple[str, ...]:
    """Five labels, evenly spread, or all where they are fewer."""
    chosen: list[int] = np.unique(np.linspace(0, len(labels) - 1, 5).round().astype(int)).tolist()
    return tuple(labels[k] for k in chosen)


def _passages(assessment: Assessment, names: Sequence[str], edges: FloatArray) -> list[Markup]:
    """Frames around the spans that differ from the whole by more than chance."""
    frames = []
    for moment in assessment.moments:
        if moment.dimension in names:
            ends = np.array([moment.start_sec, moment.end_sec])
            start, end = np.interp(ends, edges, np.arange(len(edges)))
            frames.append(
                element(
                    "rect",
                    class_=f"passage {moment.kind}",
                    x=_CELL * float(start),
                    y=_ROW * names.index(moment.dimension) + 1.0,
                    width=_CELL * max(float(end - start), 0.2),
                    height=_ROW - 3.5,
                )
            )
    return frames


def columns(assessment: Assessment) -> tuple[list[str], FloatArray]:
    """Labels of the columns and their edges in seconds: bars where there is a score, several to a column."""
    end = max(assessment.curve.end_sec)
    report = assessment.alignment
    if report is not None and report.bars:
        step = math.ceil(len(report.bars) / MOST_COLUMNS)
        kept = report.bars[::step]
        return [name for name, _ in kept], np.array([sec for _, sec in kept] + [max(end, kept[-1][1] + 1.0)])
    start = min(assessment.curve.start_sec)
    width = max(_COLUMN_SEC, (end - start) / MOST_COLUMNS)
    edges = np.append(np.arange(start, end - 1e-6, width), end)
    return [clock(sec) for sec in edges[:-1]], edges


def column_means(assessment: Assessment, name: str, edges: FloatArray) -> FloatArray:
    """(C,) mean of a dimension's curve in each column; NaN where it has no point.

    A column shorter than the distance of two points has the value at its middle.
    """
    time = np.array(assessment.curve.time_sec)
    value = np.array([np.nan if v is None else v for v in assessment.curve.value[name]], dtype=float)
    known = np.isfinite(value)
    time, value = time[known], value[known]
    half = float(np.median(np.array(assessment.curve.end_sec) - assessment.curve.start_sec)) / 2 + 1e-6
    means = []
    for start, end in pairwise(edges):
        inside = value[(time >= start) & (time < end)]
        if len(inside):
            means.append(float(inside.mean()))
        else:
            nearest = int(np.abs(time - (start + end) / 2).argmin())
            means.append(float(value[nearest]) if abs(time[nearest] - (start + end) / 2) <= half else np.nan)
    return np.array(means)


def shade(difference: FloatArray) -> np.ndarray:
    """(C,) index into `NAMES`, -1 where there is nothing."""
    return np.where(np.isfinite(difference), np.digitize(difference, LEVELS), -1)


def _words(level: int, whole: float) -> str:
    if level < 0:
        return "no music"
    if level == len(LEVELS) // 2:
        return f"as the whole ({points(whole)})"
    under = level < len(LEVELS) // 2
    edge = abs(LEVELS[level] if under else LEVELS[level - 1])
    return f"more than {edge:g} points {'below' if under else 'above'} the whole ({points(whole)})"


def _runs(level: Sequence[int] | np.ndarray) -> list[tuple[int, int]]:
    """Starts and ends of runs of equal values."""
    cuts = [0, *(np.flatnonzero(np.diff(np.asarray(level))) + 1).tolist(), len(level)]
    return list(pairwise(cuts))

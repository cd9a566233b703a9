"""Strengths as bars with intervals, and every pair in one picture."""

from __future__ import annotations

from typing import Final

import numpy as np
from markupsafe import Markup

from tocco.ranking.document import Entry, Ranking
from tocco.report.page.svg import element, picture
from tocco.report.ranking_words import strength_in_words
from tocco.units import IntArray

_WIDTH: Final = 400.0
_HEIGHT: Final = 22.0
_CELL: Final = 24.0
_MARGIN: Final = 30.0
_NAME_WIDTH: Final = 190.0
_LONGEST: Final = 26
_SHOWN: Final = {1: "better", -1: "worse", 0: "undecided"}


def strength_bar(ranking: Ranking, entry: Entry, number: int) -> Markup:
    """A line over the range of all strengths, with the interval as a bar and the value as a mark."""
    low, high = _range(ranking)

    def x(value: float) -> float:
        return _WIDTH * (value - low) / (high - low)

    middle = _HEIGHT / 2
    left, right = (x(end) for end in entry.strength_90)
    return picture(
        f"strength-{number}",
        f"Strength of {entry.name}",
        strength_in_words(ranking, entry),
        element("path", class_="rail", d=f"M0 {middle:g}H{_WIDTH:g}"),
        element("path", class_="zero", d=f"M{x(0.0):.1f} 0V{_HEIGHT:g}"),
        element("rect", class_="interval", x=left, y=6.0, width=max(right - left, 2.0), height=10.0, rx=3),
        element("path", class_="value", d=f"M{x(entry.strength):.1f} 2V{_HEIGHT - 2:g}"),
        viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}",
        preserveAspectRatio="none",
        class_="rating",
    )


def verdicts(ranking: Ranking) -> IntArray:
    """(N, N) 1 where the row is better, -1 where it is worse, 0 where that is open."""
    place = {entry.name: k for k, entry in enumerate(ranking.entries)}
    sign = {"better": 1, "worse": -1, "undecided": 0}
    found = np.zeros((len(place), len(place)), dtype=np.int64)
    for pair in ranking.pairs:
        row, column = place[pair.one], place[pair.other]
        found[row, column], found[column, row] = sign[pair.verdict], -sign[pair.verdict]
    return found


def pair_matrix(ranking: Ranking) -> Markup:
    """Every pair: a triangle that points up where the row is better, down where it is worse, else a ring."""
    verdict = verdicts(ranking)
    n = len(verdict)
    size = _MARGIN + n * _CELL
    marks = [
        _mark(int(verdict[row, column]), _MARGIN + column * _CELL, _MARGIN + row * _CELL)
        for row in range(n)
        for column in range(n)
        if row != column
    ]
    labels = []
    for k in range(n):
        at = _MARGIN + (k + 0.5) * _CELL
        labels.append(element("text", str(k + 1), x=at, y=_MARGIN - 9.0, text_anchor="middle"))
        labels.append(element("text", str(k + 1), x=_MARGIN - 9.0, y=at + 4.0, text_anchor="end"))
        labels.append(element("text", _shortened(ranking.entries[k].name), x=size + 6.0, y=at + 4.0))
    clear = int((verdict != 0).sum()) // 2
    return picture(
        "pairs-picture",
        "Which pairs can be distinguished",
        f"Rows and columns are in the order of the table. {clear} of {n * (n - 1) // 2} pairs can be "
        "distinguished; the groups above name those that cannot.",
        *labels,
        *marks,
        viewBox=f"0 0 {size + _NAME_WIDTH:g} {size:g}",
        width=size + _NAME_WIDTH,
        height=size,
        class_="matrix",
    )


def lanes(ranking: Ranking) -> list[list[str]]:
    """For each place, one word a lane: where a bracket begins ("first"), goes on ("inside"), ends ("last").

    Groups that overlap are in lanes of their own; "" where a lane is free.
    """
    ends: list[int] = []
    lane_of = []
    for group in ranking.groups:
        free = next((k for k, end in enumerate(ends) if end < group.first), len(ends))
        ends[free : free + 1] = [group.last]
        lane_of.append(free)
    rows = [[""] * len(ends) for _ in ranking.entries]
    for group, lane in zip(ranking.groups, lane_of, strict=True):
        for place in range(group.first, group.last + 1):
            word = "first" if place == group.first else "last" if place == group.last else "inside"
            rows[place - 1][lane] = word
    return rows


def _mark(verdict: int, x: float, y: float) -> Markup:
    middle = _CELL / 2
    cell = element(
        "rect", class_=f"cell {_SHOWN[verdict]}", x=x + 1, y=y + 1, width=_CELL - 2, height=_CELL - 2, rx=3
    )
    if verdict == 0:
        shape = element("circle", class_="ring", cx=x + middle, cy=y + middle, r=4.5)
    else:
        tip, base = (y + 7.0, y + 17.0) if verdict > 0 else (y + 17.0, y + 7.0)
        corners = f"M{x + middle:g} {tip:g}L{x + 6:g} {base:g}H{x + _CELL - 6:g}Z"
        shape = element("path", class_=f"triangle {_SHOWN[verdict]}", d=corners)
    return cell + shape


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _range(ranking: Ranking) -> tuple[float, float]:
    low = min(min(entry.strength_90[0] for entry in ranking.entries), 0.0)
    high = max(max(entry.strength_90[1] for entry in ranking.entries), 0.0)
    room = 0.03 * max(high - low, 1e-6)
    return low - room, high + room

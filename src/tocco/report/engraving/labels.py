"""Where the words beside marks stand: not on one another, not on marks, and where that can be on no note."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tocco.report.engraving.drawing import HEAD_WIDTH, SPACE

LETTER: Final = 160.0
"""Width of a letter of a word, about."""

HEIGHT: Final = 270.0
"""Of a word."""

_MARK_COSTS: Final = 100.0
"""A word on a mark, on another word or outside the system is worse than one on so many note heads."""

_ROW_COSTS: Final = 0.3
"""One on a note head is worse than the next three places."""

_ASIDE: Final = 0.75 * HEAD_WIDTH
_ROWS: Final = (-1.0 * SPACE, 1.9 * SPACE, -2.6 * SPACE, 3.5 * SPACE, -4.2 * SPACE, 5.1 * SPACE)
"""Base lines that are tried, seen from the middle of a mark; on the right of it, then on the left."""

_Middle = tuple[float, float]
"""From left to right, and from top to bottom."""


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether the two have a place in common."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


@dataclass(frozen=True)
class Label:
    """A word beside a mark: its left end, or its right end where it is turned, and its base line."""

    x: float
    y: float
    is_turned: bool = False

    def box(self, text: str) -> Box:
        """The place that it takes."""
        width = LETTER * len(text)
        left = self.x - width if self.is_turned else self.x
        return Box(left, self.y - HEIGHT, left + width, self.y)


class Labels:
    """Gives each word of one system a place.

    Parameters
    ----------
    marks, heads : middles of all marks and of all note heads of the system
    radius : of a mark
    width : of the system
    """

    def __init__(
        self, marks: Iterable[_Middle], heads: Iterable[_Middle], radius: float, width: float
    ) -> None:
        self._marks = {(x, y): Box(x - radius, y - radius, x + radius, y + radius) for x, y in marks}
        half, high = HEAD_WIDTH / 2, SPACE / 2
        self._heads = [Box(x - half, y - high, x + half, y + high) for x, y in heads]
        self._words: list[Box] = []
        self._width = width

    def place(self, text: str, x: float, y: float) -> Label:
        """The place beside the mark at (x, y) that covers least, the nearest of these."""
        tried = [
            Label(x - _ASIDE if is_turned else x + _ASIDE, y + row, is_turned)
            for row in _ROWS
            for is_turned in (False, True)
        ]
        costs = [self._covered(one.box(text), (x, y)) + _ROW_COSTS * k for k, one in enumerate(tried)]
        chosen = tried[costs.index(min(costs))]
        self._words.append(chosen.box(text))
        return chosen

    def _covered(self, box: Box, own: _Middle) -> float:
        others = [mark for middle, mark in self._marks.items() if middle != own]
        worst = sum(box.meets(one) for one in (*others, *self._words))
        worst += box.left < 0.0 or box.right > self._width
        return _MARK_COSTS * worst + sum(box.meets(head) for head in self._heads)

"""Where a beat and a key stand on an engraved system."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import numpy as np

from tocco.report.engraving.drawing import HEAD_WIDTH, SPACE, BarBox, Head, System
from tocco.report.engraving.outcomes import Outcomes, Printed

_STEPS: Final = "CDEFGAB"
_BEFORE_NOTES: Final = 1.5 * SPACE
"""Where the first beat of a bar without notes is taken to stand behind its bar line."""

_NEAR_BEATS: Final = 4.0
"""So many beats away a note tells as little of the clef as one that is an octave off."""


def step_of(name: str) -> int:
    """Number of the staff position of a note by its name: C0 is 0, D0 is 1.

    >>> step_of("C4"), step_of("F#4"), step_of("Bb3")
    (28, 31, 27)
    """
    digits = name.lstrip("ABCDEFG").lstrip("#b")
    return _STEPS.index(name[0]) + len(_STEPS) * int(digits)


class Places:
    """Finds places on one system.

    Parameters
    ----------
    system
    outcomes : of the whole score
    """

    def __init__(self, system: System, outcomes: Outcomes) -> None:
        self.system = system
        self._bars = {box.place: box for box in system.bars}
        self._notes: defaultdict[int, list[tuple[Printed, Head]]] = defaultdict(list)
        for number, head in system.heads.items():
            printed = outcomes.printed.get(number)
            if printed is not None:
                self._notes[printed.bar].append((printed, head))

    def box(self, bar: int) -> BarBox | None:
        """The bar at a place of the file; None where it is not on this system."""
        return self._bars.get(bar)

    def x(self, bar: int, beat: float) -> float:
        """From left to right: at the note of a beat, or between those around it."""
        box = self._bars[bar]
        left: dict[float, float] = {}
        for printed, head in self._notes[bar]:
            if not printed.is_small:
                left[printed.beat] = min(left.get(printed.beat, np.inf), head.middle)
        if not left:
            return box.left + _BEFORE_NOTES + (box.right - box.left) * min((beat - 1.0) / 4.0, 0.7)
        beats = sorted(left)
        known = [left[one] for one in beats]
        lasts = beats[-1] - beats[-2] if len(beats) > 1 else 1.0
        return float(np.interp(beat, [*beats, beats[-1] + lasts], [*known, (known[-1] + box.right) / 2]))

    def free_x(self, x: float, y: float) -> float:
        """The same place, or the next one on the right that is not on a note head."""
        heads = self.system.heads.values()
        while any(abs(head.middle - x) < 0.8 * HEAD_WIDTH and abs(head.y - y) < SPACE for head in heads):
            x += 0.4 * HEAD_WIDTH
        return x

    def y(self, bar: int, beat: float, name: str) -> float:
        """From top to bottom: where a note of this name would stand, by the nearest printed one."""
        near = self._notes[bar] or [one for notes in self._notes.values() for one in notes]
        if not near:
            return self.system.height / 2
        step = step_of(name)

        def away(one: tuple[Printed, Head]) -> float:
            printed, _ = one
            return abs(step_of(printed.name) - step) + 7.0 * abs(printed.beat - beat) / _NEAR_BEATS

        printed, head = min(near, key=away)
        return head.y - (step - step_of(printed.name)) * SPACE / 2

"""Marks at notes: wrong, missing, extra and not heard, each with a shape and a colour of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from tocco.music.places import place_in_words
from tocco.report.engraving.drawing import HEAD_WIDTH, SPACE
from tocco.report.engraving.labels import LETTER, Labels
from tocco.report.engraving.outcomes import Event, Extra, Outcomes, Turn
from tocco.report.engraving.places import Places
from tocco.report.page.svg import element

_RADIUS: Final = 0.95 * SPACE
_CROWD_BELOW: Final = 2.2 * SPACE
_CROWD_WIDTH: Final = 8 * LETTER
MOST_APART: Final = 3
"""More added notes than this at one place are one mark with their number."""

LEGEND: Final = {
    "wrong": "another key, with its name",
    "missing": "left out",
    "extra": "added, ornaments too",
    "unheard": "not heard, perhaps too soft",
}
"""Kind -> what its mark says."""


def shape(kind: str, x: float, y: float, radius: float) -> Markup:
    """The mark of a kind: a cross, a ring, a plus, or a dotted ring, around a middle."""
    if kind in ("missing", "unheard"):
        return element("circle", cx=x, cy=y, r=radius)
    r = radius
    if kind == "wrong":
        side = 2.0 * r
        return element("path", d=f"M{x - r:.0f} {y - r:.0f}l{side:g} {side:g}m0 {-side:g}l{-side:g} {side:g}")
    return element("path", d=f"M{x - r:.0f} {y:.0f}h{2 * r:g}M{x:.0f} {y - r:.0f}v{2 * r:g}")


@dataclass(frozen=True)
class _Mark:
    """A mark before its label has a place.

    Attributes
    ----------
    said : in full
    label : beside it; "" where there is none
    x, y : its middle
    """

    kind: str
    said: str
    label: str
    x: float
    y: float


def marks_at_notes(places: Places, outcomes: Outcomes) -> Iterator[Markup]:
    """The marks of one system.

    Parameters
    ----------
    places : of the system
    outcomes : of the whole score
    """
    marks = list(_marks(places, outcomes))
    heads = ((head.middle, head.y) for head in places.system.heads.values())
    labels = Labels(((mark.x, mark.y) for mark in marks), heads, _RADIUS, places.system.width)
    yield from (_drawn(mark, labels) for mark in marks)


def _marks(places: Places, outcomes: Outcomes) -> Iterator[_Mark]:
    for number, head in places.system.heads.items():
        by_kind: defaultdict[str, list[Event]] = defaultdict(list)
        for event in outcomes.events.get(number, ()):
            by_kind[event.kind].append(event)
        by_kind.pop("right", None)
        for kind, events in by_kind.items():
            yield _mark(kind, events, head.middle, head.y)
    for run in _joined(_runs(places, outcomes.extras)):
        if len(run) > MOST_APART:
            yield _crowd(run, places)
        else:
            yield from (_mark("extra", [one], x, y) for one, x, y in run)


_Placed = tuple[Extra, float, float]
"""An added note, and the middle of its mark."""


def _runs(places: Places, extras: Sequence[Extra]) -> list[list[_Placed]]:
    """The added notes of a system: those that follow one another within a note head stand together."""
    placed = []
    for extra in extras:
        if places.box(extra.bar) is not None and extra.note.played is not None:
            beat = extra.note.beat
            placed.append((extra, places.x(extra.bar, beat), places.y(extra.bar, beat, extra.note.played)))
    runs: list[list[_Placed]] = []
    for one in sorted(placed, key=lambda one: (one[1], one[2])):
        if runs and one[1] - runs[-1][0][1] < HEAD_WIDTH:
            runs[-1].append(one)
        else:
            runs.append([one])
    return [
        run if len(run) > MOST_APART else [(one, places.free_x(x, y), y) for one, x, y in run] for run in runs
    ]


def _joined(runs: Sequence[list[_Placed]]) -> list[list[_Placed]]:
    """The same runs, but one crowd where the words of two would meet."""
    joined: list[list[_Placed]] = []
    for run in runs:
        last = joined[-1] if joined else []
        if min(len(run), len(last)) > MOST_APART and run[0][1] - last[0][1] < _CROWD_WIDTH:
            last.extend(run)
        else:
            joined.append(run)
    return joined


def _crowd(run: Sequence[_Placed], places: Places) -> _Mark:
    """One mark below the system for many added notes, such as those of a bar that was begun again."""
    ordered = sorted(run, key=lambda one: (one[0].note.time_sec, one[0].note.played_pitch))
    first = ordered[0][0].note
    box = places.box(ordered[0][0].bar)
    y = (places.system.height if box is None else box.bottom) + _CROWD_BELOW
    names = ", ".join(one.note.played or "" for one, _, _ in ordered)
    said = f"{place_in_words(first.bar, first.beat)}: {len(run)} notes are added: {names}"
    return _Mark("extra", said, f"{len(run)} notes", run[0][1], y)


def kinds_of(outcomes: Outcomes) -> list[str]:
    """The kinds of marks that a score has, in the order of the legend."""
    found = {event.kind for events in outcomes.events.values() for event in events}
    return [kind for kind in LEGEND if kind in found or (kind == "extra" and outcomes.extras)]


def turns_in_words(turns: Sequence[Turn]) -> str:
    """Which times of a bar that was played more than once; empty where it was all of them.

    >>> turns_in_words([Turn(2, 2)]), turns_in_words([Turn(1, 2), Turn(2, 2)]), turns_in_words([Turn(1, 1)])
    ('2nd time', '', '')
    """
    numbers = {turn.number for turn in turns}
    if len(numbers) == turns[0].of:
        return ""
    return ", ".join(Turn(number, turns[0].of).words for number in sorted(numbers))


def _mark(kind: str, events: Sequence[Event | Extra], x: float, y: float) -> _Mark:
    """One mark with its title, the name of what was played, and the times of a bar that it is about."""
    named = sorted({event.note.played or "" for event in events}) if kind == "wrong" else []
    label = " ".join([*named, turns_in_words([event.turn for event in events]).removesuffix(" time")]).strip()
    return _Mark(kind, "; ".join(_said(kind, event) for event in events), label, x, y)


def _drawn(mark: _Mark, labels: Labels) -> Markup:
    parts = [element("title", mark.said), shape(mark.kind, mark.x, mark.y, _RADIUS)]
    if mark.label:
        at = labels.place(mark.label, mark.x, mark.y)
        anchor = "end" if at.is_turned else None
        parts.append(
            element("text", mark.label, x=round(at.x), y=round(at.y), text_anchor=anchor, class_="played")
        )
    return element("g", *parts, class_=f"mark {mark.kind}")


def _said(kind: str, event: Event | Extra) -> str:
    """A mark in words: place, what happened, which time."""
    note = event.note
    place = place_in_words(note.bar, note.beat)
    said = {
        "wrong": f"{note.played} in place of {note.expected}",
        "missing": f"{note.expected} is missing",
        "unheard": f"{note.expected} was not heard",
        "extra": f"{note.played} is added",
    }[kind]
    return f"{place}: {said}{f', {event.turn.words}' if event.turn.words else ''}"

"""The engraved score in a document: systems with their marks, a legend, and what a script needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from markupsafe import Markup

from tocco.inference.assessment import Assessment
from tocco.report.engraving.drawing import System
from tocco.report.engraving.engraver import EXCERPT_WIDTH, PAGE_WIDTH
from tocco.report.engraving.engraving import EXCERPT_BARS, Engraving
from tocco.report.engraving.note_marks import LEGEND, kinds_of, marks_at_notes, shape
from tocco.report.engraving.outcomes import Event, Outcomes
from tocco.report.engraving.places import Places
from tocco.report.engraving.signs import BAR_NUMBERS, FAMILIES, Sign, draw_signs, icon, signs_of
from tocco.report.page.svg import element, number

_LEFT: Final = 420.0
_RIGHT: Final = 60.0
_ABOVE: Final = 40.0
_BELOW: Final = 300.0
"""Room around a system for its brace, and for marks."""

_PER_UNIT: Final = 10.0
"""Coordinates of a picture for one of the engraver's units."""


@dataclass(frozen=True)
class ScorePicture:
    """What a document shows of a score.

    Attributes
    ----------
    definitions : shapes that all pictures share; once in the document
    systems : (label, picture), in order
    excerpts : id of a finding -> its pictures
    cuts : id of a finding with more bars than are shown -> how many are
    legend : (picture, words) of the marks that occur
    remarks : sentences about what is shown
    has_minor : whether some measured places are shown on demand only
    """

    definitions: Markup
    systems: tuple[tuple[str, Markup], ...]
    excerpts: Mapping[str, tuple[Markup, ...]]
    cuts: Mapping[str, str]
    legend: tuple[tuple[Markup, str], ...]
    remarks: tuple[str, ...]
    has_minor: bool


def score_picture(engraving: Engraving, assessment: Assessment) -> ScorePicture:
    """Draw an engraved score.

    Parameters
    ----------
    engraving
    assessment : that it was engraved for
    """
    signs = signs_of(assessment, engraving.outcomes)
    draw = partial(_picture, engraving.outcomes, signs)
    systems = tuple(
        (_label(system, engraving.outcomes.bar_names), draw(system, PAGE_WIDTH))
        for stretch in engraving.stretches
        for system in stretch
    )
    excerpts = {
        name: tuple(draw(system, EXCERPT_WIDTH, is_excerpt=True) for system in found)
        for name, found in engraving.excerpts.items()
    }
    return ScorePicture(
        definitions=engraving.glyphs.definitions(),
        systems=systems,
        excerpts=excerpts,
        cuts={
            name: f"The first {EXCERPT_BARS} of {n_bars} bars."
            for name, n_bars in engraving.n_bars.items()
            if n_bars > EXCERPT_BARS
        },
        legend=tuple(_legend(engraving.outcomes, signs)),
        remarks=tuple(_remarks(engraving)),
        has_minor=any(sign.is_minor for sign in signs),
    )


def _picture(
    outcomes: Outcomes, signs: Sequence[Sign], system: System, width: int, *, is_excerpt: bool = False
) -> Markup:
    """One system with its marks; an excerpt is as wide as its bars, and has no links."""
    places = Places(system, outcomes)
    above = draw_signs(places, [] if is_excerpt else signs)
    right = system.bars[-1].right if is_excerpt and system.bars else system.width
    box, box_of_all = (_box(system, right, height) for height in (above.height, above.height_of_all))
    share = (right + _LEFT + _RIGHT) / (width * _PER_UNIT + _LEFT + _RIGHT)
    label = _label(system, outcomes.bar_names)
    return element(
        "svg",
        _page(system, outcomes.bar_names),
        element("g", *_notes(system, outcomes), class_="notes", aria_hidden="true"),
        element("g", *marks_at_notes(places, outcomes), class_="at-notes", aria_hidden="true"),
        *above.drawn,
        viewBox=box,
        data_box=box_of_all if box_of_all != box else None,
        width=f"{min(100.0 * share, 100.0):.1f}%",
        class_="engraved",
        role="group",
        aria_label=f"{label}, excerpt" if is_excerpt else label,
    )


def plain_system(system: System, bar_names: Mapping[int, str], width: int = PAGE_WIDTH) -> Markup:
    """One system without a mark, whose notes a script can find by their numbers.

    Parameters
    ----------
    system
    bar_names : place of a bar in the file -> its printed number
    width : that it was engraved for
    """
    right = system.bars[-1].right if system.bars else system.width
    share = (right + _LEFT + _RIGHT) / (width * _PER_UNIT + _LEFT + _RIGHT)
    notes = (element("g", uses, data_n=key) for key, uses in system.notes.items())
    return element(
        "svg",
        _page(system, bar_names),
        element("g", *notes, class_="notes", aria_hidden="true"),
        viewBox=_box(system, right, 0.0),
        width=f"{min(100.0 * share, 100.0):.1f}%",
        class_="engraved",
        role="img",
        aria_label=_label(system, bar_names),
    )


def _page(system: System, bar_names: Mapping[int, str]) -> Markup:
    """What does not change: staves, stems, the numbers of the bars."""
    return element("g", system.picture, *_bar_numbers(system, bar_names), class_="page", aria_hidden="true")


def _box(system: System, right: float, signs_height: float) -> str:
    """What of the coordinates is shown: a system with so much above it."""
    above = signs_height + BAR_NUMBERS + _ABOVE
    sides = (-_LEFT, -above, right + _LEFT + _RIGHT, system.height + above + _BELOW)
    return " ".join(number(side) for side in sides)


def _notes(system: System, outcomes: Outcomes) -> Iterator[Markup]:
    """The notes of a system, by their numbers, in the colour of their mark."""
    for key, uses in system.notes.items():
        kinds = {event.kind for event in outcomes.events.get(key, ())} - {"right"}
        yield element("g", uses, data_n=key, class_=" ".join(sorted(kinds)) or None)


def _bar_numbers(system: System, names: Mapping[int, str]) -> Iterator[Markup]:
    for box in system.bars:
        if box.place in names:
            yield element("text", names[box.place], x=round(box.left), y=-80, class_="bar-number")


def _label(system: System, names: Mapping[int, str]) -> str:
    """The printed numbers of the bars of a system."""
    shown = [names[box.place] for box in system.bars if box.place in names]
    if not shown:
        return "System"
    return f"Bar {shown[0]}" if len(shown) == 1 else f"Bars {shown[0]} to {shown[-1]}"


def _legend(outcomes: Outcomes, signs: Sequence[Sign]) -> Iterator[tuple[Markup, str]]:
    for kind in kinds_of(outcomes):
        mark = element("g", shape(kind, 8.0, 8.0, 5.0), class_=f"mark {kind}")
        yield _small(mark), f"{kind.replace('unheard', 'not heard')}: {LEGEND[kind]}"
    shown = {sign.family for sign in signs}
    for family, words in FAMILIES.items():
        if family in shown:
            drawn = element("g", icon(family), transform="translate(3 3)", class_="icon")
            yield _small(element("g", drawn, class_="sign")), words


def _small(mark: Markup) -> Markup:
    return element("svg", mark, width="16", height="16", aria_hidden="true")


def _remarks(engraving: Engraving) -> Iterator[str]:
    if not engraving.is_whole:
        yield "The score is long, so only the bars with marks are shown."
    if engraving.n_left_out:
        yield f"{engraving.n_left_out} more stretches of bars with marks are not shown."
    if engraving.outcomes.lost:
        yield f"{engraving.outcomes.lost} notes have no place in this picture."
    turns = max((turn.of for turn in engraving.outcomes.turns.values()), default=1)
    if turns > 1:
        yield "Where bars were played more than once, a mark says which time it is about, or it is about all."


_EVENT_KINDS: Final = ("right", "wrong", "missing", "unheard")
_UNKNOWN_MS: Final = 400
"""A note that was left out is shown for so long."""


def score_data(engraving: Engraving, ends: Mapping[tuple[int, int], float]) -> dict[str, list[int | str]]:
    """What a script needs to follow the sound.

    Parameters
    ----------
    engraving
    ends : key and onset in hundredths of a second of each played note -> seconds, when it ends

    Returns
    -------
    "names": number and name of each printed note, in turn. "events": of each time that one was played, or was
    due, its number, the start in ms, how long it lasted in ms, and what became of it, as an index of
    `_EVENT_KINDS`; in order of time.
    """
    outcomes = engraving.outcomes
    names = [one for key, printed in outcomes.printed.items() for one in (key, printed.name)]
    events = sorted(
        (round(1000.0 * event.note.time_sec), key, _lasts_ms(event, ends), _EVENT_KINDS.index(event.kind))
        for key, found in outcomes.events.items()
        for event in found
    )
    return {"names": names, "events": [n for start, key, ms, mark in events for n in (key, start, ms, mark)]}


def _lasts_ms(event: Event, ends: Mapping[tuple[int, int], float]) -> int:
    """How long a note sounded; times of an assessment are rounded to milliseconds."""
    start, pitch = event.note.time_sec, event.note.played_pitch
    if pitch is not None:
        for hundredth in (round(100.0 * start), int(100.0 * start), int(100.0 * start) + 1):
            if (pitch, hundredth) in ends:
                return max(round(1000.0 * (ends[pitch, hundredth] - start)), 1)
    return _UNKNOWN_MS

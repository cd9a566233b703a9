"""Signs above a system: findings by their number, and measured places by shape and word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from markupsafe import Markup

from tocco.inference.assessment import Assessment
from tocco.inference.finding import Finding
from tocco.inference.place_findings import SEVERAL
from tocco.inference.technique import Place
from tocco.inference.whole_findings import THROUGHOUT
from tocco.report.engraving.note_marks import turns_in_words
from tocco.report.engraving.outcomes import Outcomes, Turn
from tocco.report.engraving.places import Places
from tocco.report.page.svg import element
from tocco.report.wording import title

ROW: Final = 400.0
"""Height of a row of signs, in the coordinates of the pictures."""

BAR_NUMBERS: Final = 300.0
"""Height of the row of the numbers of bars, below the signs."""

_ICON: Final = 260.0
_RADIUS: Final = 170.0
_LETTER: Final = 150.0
"""Width of a letter of a word, at most."""

_GAP: Final = 120.0
GRAVEST: Final = 3
"""So many places of a dimension are shown at once, the others on demand."""

_AT_NOTES: Final = frozenset({"wrong", "missing", "extra"})

FAMILIES: Final[Mapping[str, str]] = {
    "tempo": "hesitation, early or late",
    "restart": "restart or skip",
    "pedal": "pedal",
    "dynamics": "loudness",
    "articulation": "length of notes",
}
"""Shape -> what it is about."""

_FAMILY_OF: Final[Mapping[str, str]] = {
    "rhythmic_precision": "tempo",
    "note_accuracy": "restart",
    "pedaling_technique": "pedal",
    "dynamics_control": "dynamics",
    "tone_quality": "dynamics",
    "articulation_quality": "articulation",
}
_ICONS: Final[Mapping[str, str]] = {
    "tempo": "M3 1v8M7 1v8",
    "restart": "M9 5a4 4 0 1 1-2-3.5M7 -.5v2.5h-2.5",
    "pedal": "M0 6q1.7-5 3.3 0t3.3 0t3.3 0",
    "dynamics": "M0 5L9 1M0 5L9 9",
    "articulation": "M1 8h8M5 3v.6",
}
"""In a square of ten."""

_SHORT: Final[Mapping[str, str]] = {
    "held longer than usual": "long",
    "cut short": "short",
    "hole": "sound stops",
    "held through": "held through",
    "voicing": "top note masked",
    SEVERAL: "notes",
}


@dataclass(frozen=True)
class Sign:
    """Something to be drawn above a bar and beat.

    Attributes
    ----------
    bar, beat : place in the file from 0, and quarter note in the bar, which starts at 1
    last_bar : the same as `bar` for a moment
    family : of `FAMILIES`; "" for a finding
    text : word beside the shape
    said : in full
    kind : of the finding or of the place
    finding : number of a finding, from 1; 0 for a measured place
    link : id of the element that a finding is described in
    is_minor : whether it is none of the `GRAVEST` places of its dimension
    """

    bar: int
    beat: float
    last_bar: int
    family: str
    text: str
    said: str
    kind: str = ""
    finding: int = 0
    link: str = ""
    is_minor: bool = False


def signs_of(assessment: Assessment, outcomes: Outcomes) -> list[Sign]:
    """Findings that have a place, and the measured places that are not among them."""
    findings = list(_finding_signs(assessment, outcomes))
    found = {(sign.bar, round(sign.beat, 2), sign.kind) for sign in findings}
    places = _place_signs(assessment, outcomes)
    return findings + [one for one in places if (one.bar, round(one.beat, 2), one.kind) not in found]


def span_of(finding: Finding, outcomes: Outcomes) -> tuple[int, int] | None:
    """Places of the first and the last bar of a finding; None where it is about the whole."""
    if finding.bars is None or finding.kind == THROUGHOUT:
        return None
    first = outcomes.place_at(finding.bars[0], finding.start_sec)
    last = outcomes.place_at(finding.bars[1], finding.end_sec)
    if first is None or last is None:
        return None
    return first, max(first, last)


def _finding_signs(assessment: Assessment, outcomes: Outcomes) -> Iterator[Sign]:
    for number, finding in enumerate(assessment.findings or (), start=1):
        span = span_of(finding, outcomes)
        if span is not None:
            yield Sign(
                bar=span[0],
                beat=finding.beat or 1.0,
                last_bar=span[1],
                family="",
                text=title(finding.dimension).lower() if finding.kind == "passage" else _word(finding.kind),
                said=f"Finding {number}: {finding.sentence}",
                kind=finding.kind,
                finding=number,
                link=finding.id,
            )


def _place_signs(assessment: Assessment, outcomes: Outcomes) -> Iterator[Sign]:
    """Places of one kind at one beat as one."""
    together: defaultdict[tuple[int, float, str, str], list[tuple[int, Place, Turn]]] = defaultdict(list)
    for dimension, technique in assessment.technique.items():
        for rank, place in enumerate(technique.places):
            if place.kind in _AT_NOTES or place.bar is None or dimension not in _FAMILY_OF:
                continue
            bar = outcomes.place_at(place.bar, place.start_sec)
            if bar is not None:
                key = (bar, round(place.beat or 1.0, 3), _FAMILY_OF[dimension], place.kind)
                together[key].append((rank, place, outcomes.turn_at(place.bar, place.start_sec)))
    for (bar, beat, family, kind), found in together.items():
        turns = turns_in_words([turn for _, _, turn in found])
        said = "; ".join(f"{place.text}{f', {turn.words}' if turn.words else ''}" for _, place, turn in found)
        words = " ".join([_word(kind), turns.removesuffix(" time")]).strip()
        is_minor = min(rank for rank, _, _ in found) >= GRAVEST
        yield Sign(bar, beat, bar, family, words, said, kind, is_minor=is_minor)


def _word(kind: str) -> str:
    return _SHORT.get(kind, kind)


def icon(family: str) -> Markup:
    """The shape of a family, in a square of ten."""
    return element("path", d=_ICONS[family])


@dataclass(frozen=True)
class DrawnSigns:
    """The signs of one system.

    Attributes
    ----------
    drawn : in order from left to right
    height : that they take above the numbers of the bars
    height_of_all : the same with the minor ones, which stand above the others
    """

    drawn: tuple[Markup, ...]
    height: float
    height_of_all: float


def draw_signs(places: Places, signs: Sequence[Sign]) -> DrawnSigns:
    """The signs of one system, in rows above it.

    Parameters
    ----------
    places : of the system
    signs : of the whole score
    """
    rows: list[list[tuple[float, float]]] = []
    drawn: list[tuple[float, Markup]] = []
    heights = []
    on_system = list(_on_system(places, signs))
    for is_minor in (False, True):
        # From right to left: so the line from a sign in a higher row passes none of the words below it.
        layer = (one for one in on_system if one[0].is_minor == is_minor)
        for sign, x, end in sorted(layer, key=lambda one: -one[1]):
            drawn.append((x, _placed(sign, (x, end), rows, places)))
        heights.append(ROW * len(rows))
    return DrawnSigns(tuple(sign for _, sign in sorted(drawn, key=lambda one: one[0])), *heights)


def _placed(
    sign: Sign, span: tuple[float, float], rows: list[list[tuple[float, float]]], places: Places
) -> Markup:
    """A sign in the lowest row that has room for it; near the right edge its word stands on the left."""
    x, end = span
    width = _ICON + _GAP + _LETTER * len(sign.text)
    is_turned = x + width > places.system.width + _GAP
    left, right = (x - width, x + _RADIUS) if is_turned else (x - _RADIUS, max(x + width, end))
    y = -BAR_NUMBERS - ROW * (_free_row(rows, left, right) + 0.5)
    return _drawn(sign, span, y, places, is_turned=is_turned)


def _on_system(places: Places, signs: Sequence[Sign]) -> Iterator[tuple[Sign, float, float]]:
    """Signs whose bars are on a system, with the x of their start and of their end there."""
    bars = [box.place for box in places.system.bars]
    for sign in signs:
        inside = [bar for bar in bars if sign.bar <= bar <= sign.last_bar]
        if not inside:
            continue
        first, last = places.box(inside[0]), places.box(inside[-1])
        assert first is not None
        assert last is not None
        x = places.x(sign.bar, sign.beat) if inside[0] == sign.bar else first.left
        yield sign, x, last.right if sign.last_bar > sign.bar else x


def _free_row(rows: list[list[tuple[float, float]]], start: float, end: float) -> int:
    """The lowest row with room from start to end, which is then taken."""
    for k, taken in enumerate(rows):
        if all(end + _GAP < a or start > b + _GAP for a, b in taken):
            taken.append((start, end))
            return k
    rows.append([(start, end)])
    return len(rows) - 1


def _drawn(sign: Sign, span: tuple[float, float], y: float, places: Places, *, is_turned: bool) -> Markup:
    """One sign from its start to its end; a turned one has its word on the left."""
    x, end = span
    starts = places.box(sign.bar) is not None
    box = next(box for box in places.system.bars if box.place >= sign.bar)
    parts = [element("title", sign.said)]
    if end > x:
        parts.append(element("path", d=f"M{x:.0f} {y + _RADIUS:.0f}H{end:.0f}", class_="span"))
    else:
        parts.append(element("path", d=f"M{x:.0f} {y + _RADIUS:.0f}V{box.top:.0f}", class_="leader"))
    aside = _ICON / 2 + _GAP
    at, anchor = (x - aside, "end") if is_turned else (x + aside, None)
    parts.append(element("text", sign.text, x=round(at), y=round(y + 90), text_anchor=anchor, class_="word"))
    if not sign.finding:
        side = _ICON / 10.0
        move = f"translate({x - _ICON / 2:.0f} {y - _ICON / 2:.0f}) scale({side:g})"
        parts.append(element("g", icon(sign.family), transform=move, class_="icon"))
        return element("g", *parts, class_="sign minor" if sign.is_minor else "sign")
    parts.append(element("circle", cx=round(x), cy=round(y), r=_RADIUS, class_="flag"))
    parts.append(element("text", str(sign.finding), x=round(x), y=round(y + 85), class_="flag-number"))
    name = f"score-finding-{sign.finding}" if starts else None
    return element(
        "a", *parts, href=f"#{quote(sign.link)}", class_="sign finding", aria_label=sign.said, id=name
    )

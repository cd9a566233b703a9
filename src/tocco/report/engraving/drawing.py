"""Verovio's picture of one system, taken apart: where everything stands, and the same picture in fewer bytes.

Nothing of the picture is copied as it is. Lines and shapes are read as numbers and joined into few paths,
text is read as text, and whatever is not known is left out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, ships no stubs
from markupsafe import Markup

from tocco.music.numbered_score import number_of
from tocco.report.engraving.glyphs import Glyphs
from tocco.report.page.svg import element, joined

SPACE: Final = 180.0
"""Distance of two staff lines in the coordinates of these pictures."""

HEAD_WIDTH: Final = 1.25 * SPACE
"""Of a black note head."""

_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_MOVE: Final = re.compile(r"^translate\((-?[\d.]+),\s*(-?[\d.]+)\)(?:\s*scale\((-?[\d.]+),\s*(-?[\d.]+)\))?$")
_STRAIGHT: Final = re.compile(r"^M(-?\d+)[ ,](-?\d+) L(-?\d+)[ ,](-?\d+)$")
_CURVED: Final = re.compile(r"^M[-\d., ]+(?:[CLQ][-\d., ]+)+$")
_TURN: Final = re.compile(r"^rotate\([-\d. ,]+\)$")
_NOT_DRAWN: Final = frozenset({"placeholder", "pageMilestone", "label", "labelAbbr", "mNum"})
_LETTERS: Final[Mapping[int, str]] = {
    0xECA2: "whole",
    0xECA3: "half",
    0xECA5: "♩",
    0xECA7: "♪",
    0xECA9: "16th",
    0xECB7: ".",
}
"""Signs of metronome marks that stand in text, whose font a document has not."""

_PRIVATE: Final = range(0xE000, 0xF900)


@dataclass(frozen=True)
class Head:
    """A printed note head: its left edge and its middle line."""

    x: float
    y: float

    @property
    def middle(self) -> float:
        """Its middle from left to right."""
        return self.x + HEAD_WIDTH / 2


@dataclass(frozen=True)
class BarBox:
    """A printed bar: its place in the file, and its edges from the first to the last staff."""

    place: int
    left: float
    right: float
    top: float
    bottom: float


@dataclass(frozen=True, eq=False)
class System:
    """One system.

    Attributes
    ----------
    width, height : of the picture
    bars : in order
    heads : number of a printed note -> its head
    picture : without its notes
    notes : number of a printed note -> `use` elements of its head, accidental and dots
    """

    width: float
    height: float
    bars: tuple[BarBox, ...]
    heads: Mapping[int, Head]
    picture: Markup
    notes: Mapping[int, Markup]


def read_system(svg: str, first_place: int, glyphs: Glyphs) -> System:
    """Take one of Verovio's pictures apart.

    Parameters
    ----------
    svg : of one system
    first_place : place in the file of its first bar
    glyphs : to which its shapes are added
    """
    root = etree.fromstring(svg.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    glyphs.add(root)
    scaled = root.find("{*}svg")
    _, _, width, height = (float(one) for one in _NUMBER.findall(scaled.get("viewBox")))
    canvas = _Canvas(glyphs, first_place)
    canvas.draw(scaled, None)
    return System(
        width=width,
        height=height,
        bars=tuple(canvas.bars),
        heads=canvas.heads,
        picture=joined(canvas.pieces()),
        notes={number: joined(uses) for number, uses in canvas.notes.items()},
    )


@dataclass(eq=False)
class _Canvas:
    """Collects what a picture consists of."""

    glyphs: Glyphs
    place: int
    bars: list[BarBox] = field(default_factory=list)
    heads: dict[int, Head] = field(default_factory=dict)
    notes: defaultdict[int, list[Markup]] = field(default_factory=lambda: defaultdict(list))
    strokes: defaultdict[tuple[tuple[str, str], ...], list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )
    others: list[Markup] = field(default_factory=list)

    def draw(self, parent: Any, note: int | None) -> None:
        """Everything inside an element; `note` is the printed note that it belongs to."""
        for child in parent:
            name = etree.QName(child).localname
            if name == "g":
                self._group(child, note)
            elif name == "use":
                self._use(child, note)
            elif name == "text":
                self.others.append(_text(child, _kind(parent)))
            else:
                self._shape(name, child)

    def _group(self, group: Any, note: int | None) -> None:
        kinds = set((group.get("class") or "").split())
        if kinds & _NOT_DRAWN:
            return
        turned = group.get("transform", "")
        if _TURN.match(turned):
            self._turned(group, turned)
            return
        if "measure" in kinds:
            self._bar(group)
        if "note" in kinds:
            note = number_of(group.get("id", ""))
        self.draw(group, None if "stem" in kinds else note)

    def _turned(self, group: Any, transform: str) -> None:
        """What stands upright, such as the wave of an arpeggio."""
        inner = _Canvas(self.glyphs, self.place)
        inner.draw(group, None)
        self.others.append(element("g", *inner.pieces(), transform=transform))

    def _bar(self, group: Any) -> None:
        lines = [
            [int(one) for one in found.groups()]
            for path in group.iterfind("{*}g[@class='staff']/{*}path")
            if (found := _STRAIGHT.match(path.get("d", "")))
        ]
        if lines:
            x1, y1, x2, y2 = zip(*lines, strict=True)
            self.bars.append(BarBox(self.place, min(x1), max(x2), min(y1), max(y2)))
        self.place += 1

    def _use(self, use: Any, note: int | None) -> None:
        moved = _MOVE.match(use.get("transform", ""))
        if moved is None:
            return
        name = self.glyphs.id_of(use.get("href", ""), moved[3] or "1")
        if name is None:
            return
        drawn = Markup(f'<use href="#{name}" x="{_short(moved[1])}" y="{_short(moved[2])}"/>')
        if note is None:
            self.others.append(drawn)
            return
        self.notes[note].append(drawn)
        if _kind(use.getparent()) == "notehead":
            self.heads.setdefault(note, Head(float(moved[1]), float(moved[2])))

    def _shape(self, name: str, shape: Any) -> None:
        path = _PATHS[name](shape) if name in _PATHS else ""
        if path:
            self.strokes[tuple(_stroke(name, shape, path))].append(path)

    def pieces(self) -> Iterator[Markup]:
        """Paths of one width joined, then signs and text."""
        for look, paths in self.strokes.items():
            yield element("path", d="".join(paths), **dict(look))
        yield from self.others


def _stroke(name: str, shape: Any, path: str) -> Iterator[tuple[str, str]]:
    """How a shape is drawn: its class says whether it is filled, and its width is kept."""
    width = shape.get("stroke-width", "")
    hollow = shape.get("fill") == "none" or shape.get("fill-opacity") == "0"
    straight = name == "path" and "C" not in path
    yield "class_", "outline" if hollow or straight else "solid"
    if _NUMBER.fullmatch(width):
        yield "stroke_width", _short(width)


def _path(shape: Any) -> str:
    outline = (shape.get("d") or "").strip()
    straight = _STRAIGHT.match(outline)
    if straight is None:
        return outline if _CURVED.match(outline) else ""
    x, y, x2, y2 = (int(one) for one in straight.groups())
    if x == x2:
        return f"M{x} {y}v{y2 - y}"
    return f"M{x} {y}h{x2 - x}" if y == y2 else f"M{x} {y}l{x2 - x} {y2 - y}"


def _polyline(shape: Any) -> str:
    numbers = _NUMBER.findall(shape.get("points", ""))
    pairs = [f"{_short(x)} {_short(y)}" for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
    return f"M{'L'.join(pairs)}" if pairs else ""


def _polygon(shape: Any) -> str:
    outline = _polyline(shape)
    return f"{outline}z" if outline else ""


def _ellipse(shape: Any) -> str:
    cx, cy, rx, ry = (float(shape.get(name, "0")) for name in ("cx", "cy", "rx", "ry"))
    half = f"a{rx:g} {ry:g} 0 1 0"
    return f"M{cx - rx:g} {cy:g}{half} {2 * rx:g} 0{half} {-2 * rx:g} 0z"


def _rect(shape: Any) -> str:
    x, y, width, height = (float(shape.get(name, "0")) for name in ("x", "y", "width", "height"))
    return f"M{x:g} {y:g}h{width:g}v{height:g}h{-width:g}z"


_PATHS: Final = {
    "path": _path,
    "polyline": _polyline,
    "polygon": _polygon,
    "ellipse": _ellipse,
    "rect": _rect,
}


def _kind(group: Any) -> str:
    return (group.get("class") or "").partition(" ")[0]


def _short(number: str) -> str:
    """A number rounded to a whole one: a hundredth of a staff line's distance is seen by nobody."""
    return f"{float(number):.0f}"


def _text(text: Any, kind: str) -> Markup:
    """Text as text, with its place, its size and its weight."""
    runs = [run for run in text.iter("{*}tspan") if len(run) == 0 and (run.text or "").strip()]
    styles = {run.get(name) for run in text.iter("{*}tspan") for name in ("font-weight", "font-style")}
    bold = kind in ("ending", "fing", "reh", "tempo") or "bold" in styles
    slanted = kind in ("dir", "dynam") or "italic" in styles
    anchor = text.get("text-anchor")
    return element(
        "text",
        *(element("tspan", _plain(run.text), font_size=_size(run)) for run in runs),
        x=_short(text.get("x", "0")),
        y=_short(text.get("y", "0")),
        text_anchor=anchor if anchor in ("middle", "end") else None,
        class_=" ".join(["words", *["bold"] * bold, *["slanted"] * slanted]),
    )


def _size(run: Any) -> str:
    found = _NUMBER.search(run.get("font-size", ""))
    return _short(found[0]) if found else "324"


def _plain(text: str) -> str:
    """Text without the signs of a music font."""
    return "".join(_LETTERS.get(ord(letter), "" if ord(letter) in _PRIVATE else letter) for letter in text)

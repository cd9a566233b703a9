"""Lengths of the bars of a MusicXML tree: pickups end where their notes end, and all parts keep together."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, ships no stubs

from tocco.music.musicxml_clock import count_of

_STEPS = ("backup", "forward")
_TIMED = ("note", *_STEPS)

_PICKUP_SHARE = Fraction(1, 2)
"""A first bar that prints less of its metre looks like a pickup, and is played as one; one that prints more
lacks a rest."""


def trim_pickup(root: Any) -> None:
    """Drop unprinted rests that pad a pickup at its end: the next bar follows at once. In place.

    A pickup is a first bar that is marked as not counted, is numbered 0, is shorter than its metre even with
    these rests, or prints less than half of its metre. In any other first bar an unprinted rest keeps its
    time, as everywhere else.

    Parameters
    ----------
    root : the tree's `score-partwise` element, with one number of divisions in each part
    """
    parts = root.findall("part")
    bars = [part.find("measure") for part in parts]
    if not any(_is_unprinted_rest(element) for bar in bars for element in bar):
        return
    divisions = [_divisions(part) for part in parts]
    printed = max(Fraction(_printed_end(bar), d) for bar, d in zip(bars, divisions, strict=True))
    length = max(Fraction(_end(bar), d) for bar, d in zip(bars, divisions, strict=True))
    metre = next((quarters for bar in bars if (quarters := metre_quarters(bar))), Fraction(0))
    is_uncounted = any(bar.get("implicit") == "yes" or bar.get("number") == "0" for bar in bars)
    if printed > 0 and (is_uncounted or length < metre or printed < metre * _PICKUP_SHARE):
        for bar, d in zip(bars, divisions, strict=True):
            _cut_off(bar, int(printed * d))


def _divisions(part: Any) -> int:
    return int(part.findtext("measure/attributes/divisions"))


def metre_quarters(bar: Any) -> Fraction | None:
    """Length of a bar by the time signature that it states, in quarter notes; None where it states none."""
    beats, unit = (count_of(bar.findtext(f"attributes/time/{name}") or "") for name in ("beats", "beat-type"))
    if not beats or not unit:
        return None
    return Fraction(4 * beats, unit)


def _moves(bar: Any) -> list[tuple[Any, int, int]]:
    """Notes and steps of a bar, each with where it starts and ends, in divisions from the bar's start."""
    found = []
    place = start = 0
    for element in bar:
        if element.tag not in _TIMED:
            continue
        length = int(element.findtext("duration") or 0)
        if element.tag == "note" and element.find("chord") is not None:
            found.append((element, start, place))
            continue
        start, place = place, max(place + (-length if element.tag == "backup" else length), 0)
        found.append((element, start, place))
    return found


def _end(bar: Any) -> int:
    return max((max(start, end) for _, start, end in _moves(bar)), default=0)


def _is_unprinted_rest(element: Any) -> bool:
    return element.tag == "note" and element.get("print-object") == "no" and element.find("rest") is not None


def _printed_end(bar: Any) -> int:
    """Where the last note, printed rest or step forward ends."""
    ends = (end for element, _, end in _moves(bar) if not _is_unprinted_rest(element))
    return max(ends, default=0)


def _cut_off(bar: Any, end: int) -> None:
    """End a bar early; only unprinted rests, and steps, reach further."""
    for element, start, stop in _moves(bar):
        if max(start, stop) <= end or element.find("chord") is not None:
            continue
        length = abs(min(stop, end) - min(start, end))
        if length == 0 and element.tag == "note":
            bar.remove(element)
        else:
            element.find("duration").text = str(length)


def even_out_bars(root: Any) -> None:
    """Give a bar the same length in all parts, and empty bars the length of their metre. In place.

    partitura lays the bars of each part end to end: a part that writes too little in one bar, or nothing,
    would run ahead of the others from there on.

    Parameters
    ----------
    root : the tree's `score-partwise` element, with one number of divisions in each part
    """
    parts = root.findall("part")
    divisions = [_divisions(part) for part in parts]
    rows = [part.findall("measure") for part in parts]
    metre: Fraction | None = None
    for k in range(max(map(len, rows), default=0)):
        bars = [(row[k], d) for row, d in zip(rows, divisions, strict=True) if k < len(row)]
        metre = next((quarters for bar, _ in bars if (quarters := metre_quarters(bar))), metre)
        if len(bars) == 1 and any(duration.text != "0" for duration in bars[0][0].iterfind("*/duration")):
            continue
        lengths = [Fraction(_end(bar), d) for bar, d in bars]
        length = max(lengths)
        if any(bar.find("attributes/time/senza-misura") is not None for bar, _ in bars):
            metre = None
        if length == 0 and metre is not None and bars[0][0].get("implicit") != "yes":
            length = metre
        for (bar, d), own in zip(bars, lengths, strict=True):
            if own < length:
                _lengthen(bar, round(length * d))


def _lengthen(bar: Any, end: int) -> None:
    """Silence up to the end of a bar, ahead of the bar line and what it says."""
    moves = _moves(bar)
    step = etree.Element("forward")
    etree.SubElement(step, "duration").text = str(end - (moves[-1][2] if moves else 0))
    place = len(bar)
    while place and bar[place - 1].tag == "barline" and bar[place - 1].get("location", "right") == "right":
        place -= 1
    bar.insert(place, step)


def unmeasured_bars(root: Any) -> frozenset[tuple[str, int]]:
    """Part and place in it, counted from 1, of each bar in which no metre is in force (senza misura).

    Parameters
    ----------
    root : the tree's `score-partwise` element
    """
    found = set()
    parts = [] if next(root.iter("senza-misura"), None) is None else root.findall("part")
    for part in parts:
        is_measured = True
        for place, bar in enumerate(part.findall("measure"), start=1):
            for time in bar.iterfind("attributes/time"):
                is_measured = time.find("senza-misura") is None
            if not is_measured:
                found.add((part.get("id"), place))
    return frozenset(found)

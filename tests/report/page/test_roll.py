"""The piano roll: every note at its place, and signs by shape and colour."""

from __future__ import annotations

from dataclasses import replace

from page_example import DURATION_SEC, assessed, notes, parsed, written
from tocco.report.page.roll import KEY_PX, key_range, roll_lane
from tocco.report.page.timeline import time_axis

AXIS = time_axis(DURATION_SEC)


def roll(with_written: bool = True):
    svg, height, marks = roll_lane(assessed(), notes(), written() if with_written else None, AXIS)
    return parsed(str(svg)), height, marks


def test_notes_lie_at_their_second_and_key_in_three_shades() -> None:
    svg, height, _ = roll()
    low, high = key_range(assessed(), notes(), written())
    assert (low, high) == (45, 86)
    assert height == KEY_PX * 42
    (loud,) = svg.all("path", class_="note other shade2")
    assert loud.attributes["d"] == f"M1500 {KEY_PX * (86 - 48):g}h29.5v4.2h-29.5z"
    (right,) = svg.all("path", class_="note right shade1")
    assert right.attributes["d"].count("M") == 32
    assert len(svg.all("path", class_="note extra shade0")) == 1
    assert len(svg.all("path", class_="note wrong shade2")) == 1


def test_what_is_not_as_written_has_a_shape_of_its_own_and_a_name() -> None:
    svg, _, _ = roll()
    kinds = {kind: svg.all("g", class_=f"mark {kind}") for kind in ("wrong", "missing", "extra")}
    assert {kind: [one.all("title")[0].text for one in found] for kind, found in kinds.items()} == {
        "wrong": ["wrong, bar 12: F4 for F#4"],
        "missing": ["missing, bar 21: A3"],
        "extra": ["extra, bar 21: B5"],
    }
    shapes = {kind: [len(found[0].all(tag)) for tag in ("circle", "path")] for kind, found in kinds.items()}
    assert shapes == {"wrong": [1, 1], "missing": [1, 0], "extra": [0, 1]}


def test_written_notes_are_outlines_and_bars_are_lines() -> None:
    svg, _, _ = roll()
    (outline,) = svg.all("path", class_="written")
    assert outline.attributes["d"].count("M") == 32
    (bars,) = svg.all("path", class_="barline")
    assert bars.attributes["d"].count("M") == 32
    without, _, _ = roll(with_written=False)
    assert without.all("path", class_="written") == []


def test_it_is_described_in_words() -> None:
    svg, _, marks = roll()
    text = svg.all("desc")[0].text
    assert "35 played notes" in text
    assert "1 wrong notes" in text
    assert [name for _, name in marks] == ["C3", "C4", "C5", "C6"]
    few = replace(notes(), pitch=notes().pitch * 0 + 60)
    low, high = key_range(assessed(), few, None)
    assert high - low >= 30

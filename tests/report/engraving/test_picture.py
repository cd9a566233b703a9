"""The drawn score: systems, legend, excerpts, and the numbers for the script."""

from __future__ import annotations

from functools import cache

import pytest

from engraved_example import assessed_with, engraved, minuet, minuet_report
from page_example import finding, parsed
from tocco.inference.assessment import Assessment
from tocco.report.engraving.engraving import Engraving
from tocco.report.engraving.picture import ScorePicture, score_data, score_picture

WRONG = finding("wrong", 56.6, bars=("22", "22"), beat=2.0, id="one")


@cache
def assessed() -> Assessment:
    places = [
        {"kind": "uneven", "text": "bar 3: x", "start_sec": 5.0, "end_sec": 5.0, "bar": "3", "beat": 1.0}
    ]
    technique = {"dynamics_control": {"measures": {}, "places": places * 4, "missing": {}}}
    return assessed_with(minuet_report(), findings=[WRONG.model_dump()], technique=technique)


@cache
def engraving() -> Engraving:
    return engraved(minuet(), assessed())


@cache
def picture() -> ScorePicture:
    return score_picture(engraving(), assessed())


def test_every_system_says_which_bars_it_has() -> None:
    labels = [label for label, _ in picture().systems]
    assert labels[0].startswith("Bars 1 to ")
    assert labels[-1].endswith(" to 32")
    for label, system in picture().systems:
        (svg,) = parsed(str(system)).all("svg")
        assert svg.attributes["aria-label"] == label
        assert svg.attributes["role"] == "group"


def test_numbers_stand_above_their_bars() -> None:
    texts = [
        one.text
        for _, system in picture().systems
        for one in parsed(str(system)).all("text", class_="bar-number")
    ]
    assert texts == [str(bar) for bar in range(1, 33)]


def test_each_note_is_there_once_with_the_class_of_its_mark() -> None:
    notes = [
        one.attributes
        for _, system in picture().systems
        for group in parsed(str(system)).all("g", class_="notes")
        for one in group.children
    ]
    assert len({note["data-n"] for note in notes}) == len(notes) == 202
    assert sorted(note["class"] for note in notes if "class" in note) == ["missing", "wrong"]


def test_no_style_no_handler_and_ids_only_for_findings() -> None:
    text = "".join(str(system) for _, system in picture().systems)
    assert " style=" not in text
    assert " on" not in text.replace(" one", "")
    assert [one.attributes["id"] for one in parsed(text).all("a")] == ["score-finding-1"]
    assert text.count(" id=") == 1
    assert " id=" not in "".join(picture().excerpts["one"])


def test_an_excerpt_shows_its_bar_with_its_mark_and_no_signs() -> None:
    (system,) = picture().excerpts["one"]
    (svg,) = parsed(str(system)).all("svg")
    assert svg.attributes["aria-label"] == "Bar 22, excerpt"
    assert [mark.attributes["class"] for mark in svg.all("g", class_="at-notes")[0].children] == [
        "mark wrong"
    ]
    assert svg.all("a") == []
    assert float(svg.attributes["width"].removesuffix("%")) < 60.0


def test_of_a_long_passage_it_is_said_how_much_is_shown() -> None:
    over = finding("passage", 12.0, bars=("9", "15"), beat=None, end_sec=24.0, id="two")
    made = assessed_with(minuet_report(), findings=[WRONG.model_dump(), over.model_dump()])
    assert score_picture(engraved(minuet(), made), made).cuts == {"two": "The first 4 of 7 bars."}


def test_the_legend_has_what_occurs() -> None:
    assert [words for _, words in picture().legend] == [
        "wrong: another key, with its name",
        "missing: left out",
        "loudness",
    ]
    assert picture().remarks == (
        "Where bars were played more than once, a mark says which time it is about, or it is about all.",
    )
    assert not picture().has_minor


def test_the_script_gets_every_strike_in_order_of_time() -> None:
    sec = minuet_report().match[0].time_sec
    pitch = minuet_report().match[0].played_pitch or 0
    data = score_data(engraving(), {(pitch, round(100 * sec)): sec + 0.25})
    events = data["events"]
    rows = [tuple(events[k : k + 4]) for k in range(0, len(events), 4)]
    assert len(rows) == 404
    starts = [row[1] for row in rows]
    assert starts == sorted(starts)
    assert [row[3] for row in rows if row[3]] == [2, 1]
    number = next(
        k for k, found in engraving().outcomes.events.items() if found[0].note.time_sec == sec
        and found[0].note.played_pitch == pitch
    )  # fmt: skip
    assert next(row for row in rows if row[0] == number)[2] == pytest.approx(250, abs=1)
    names = dict(zip(data["names"][::2], data["names"][1::2], strict=True))
    assert (len(names), names[0], names[5]) == (202, "D5", "G3")

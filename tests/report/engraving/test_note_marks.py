"""Marks at notes: which, where, and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from engraved_example import assessed_with, engraved, minuet, minuet_report, outcomes, played, written_score
from page_example import Element, parsed
from score_page import BACKWARD, FORWARD, FOUR, page
from tocco.inference.evidence import AlignmentReport
from tocco.music.numbered_score import NumberedScore
from tocco.report.engraving.note_marks import kinds_of, marks_at_notes, shape
from tocco.report.engraving.places import Places


def marks(numbered: NumberedScore | None = None, report: AlignmentReport | None = None) -> list[Element]:
    engraving = engraved(numbered or minuet(), assessed_with(report or minuet_report()))
    drawn = [
        mark
        for system in engraving.stretches[0]
        for mark in marks_at_notes(Places(system, engraving.outcomes), engraving.outcomes)
    ]
    return parsed("".join(drawn)).children


def test_the_mistakes_of_the_minuet() -> None:
    missing, wrong = marks()
    assert missing.attributes["class"] == "mark missing"
    assert len(missing.all("circle")) == 1
    assert missing.all("title")[0].text == "bar 12, beat 2.5: B3 is missing, 2nd time"
    assert missing.all("text")[0].text == "2nd"
    assert wrong.attributes["class"] == "mark wrong"
    assert len(wrong.all("path")) == 1
    assert wrong.all("title")[0].text == "bar 22, beat 2: F5 in place of F#5, 1st time"
    assert wrong.all("text")[0].text == "F5 1st"


def test_what_went_wrong_each_time_is_one_mark_without_a_time(tmp_path: Path) -> None:
    numbered = written_score(tmp_path, page(FORWARD + FOUR, FOUR + BACKWARD))
    _, report = outcomes(numbered, played(numbered.readings[0], {2: None, 10: None}))
    (mark,) = marks(numbered, report)
    assert mark.all("text") == []
    assert mark.all("title")[0].text == (
        "bar 1, beat 3: E4 is missing, 1st time; bar 1, beat 3: E4 is missing, 2nd time"
    )


def test_an_added_note_is_a_plus_between_the_notes_where_it_was_played(tmp_path: Path) -> None:
    numbered = written_score(tmp_path, page(FOUR, FOUR))
    _, report = outcomes(numbered, played(numbered.readings[0], extra=[(1.5, 79)]))
    engraving = engraved(numbered, assessed_with(report))
    system = engraving.stretches[0][0]
    (mark,) = parsed("".join(marks_at_notes(Places(system, engraving.outcomes), engraving.outcomes))).children
    assert mark.attributes["class"] == "mark extra"
    assert mark.all("title")[0].text == "bar 1, beat 2.5: G5 is added"
    left = float(mark.all("path")[0].attributes["d"].split()[0][1:])
    assert system.heads[1].x < left < system.heads[2].x


def test_many_added_notes_at_one_place_are_one_mark_with_their_number(tmp_path: Path) -> None:
    numbered = written_score(tmp_path, page(FOUR, FOUR, FOUR))
    keys = (80, 82, 84, 87)
    few = [(5.5, key) for key in keys[:3]]
    for extra, count in ((few, 3), ([*few, (5.5, keys[3])], 1)):
        _, report = outcomes(numbered, played(numbered.readings[0], extra=extra))
        drawn = marks(numbered, report)
        assert len(drawn) == count
    assert drawn[0].all("text")[0].text == "4 notes"
    assert drawn[0].all("title")[0].text == "bar 2, beat 2.5: 4 notes are added: G#5, A#5, C6, D#6"


def test_what_was_not_heard_is_a_ring_of_its_own_kind(tmp_path: Path) -> None:
    report = minuet_report()
    silent = report.model_copy(
        update={"deletion": (), "counts": report.counts | {"deletion": 0}, "unheard": report.deletion}
    )
    unheard, _ = marks(report=silent)
    assert unheard.attributes["class"] == "mark unheard"
    assert unheard.all("title")[0].text == "bar 12, beat 2.5: B3 was not heard, 2nd time"
    found, _ = outcomes(minuet(), played(minuet().readings[0]))
    assert kinds_of(found) == []


def test_the_legend_has_the_kinds_that_occur() -> None:
    engraving = engraved(minuet(), assessed_with(minuet_report()))
    assert kinds_of(engraving.outcomes) == ["wrong", "missing"]


@pytest.mark.parametrize(("kind", "tag"), [("wrong", "path"), ("missing", "circle"), ("extra", "path")])
def test_shapes_differ(kind: str, tag: str) -> None:
    (drawn,) = parsed(str(shape(kind, 8.0, 8.0, 5.0))).children
    assert drawn.tag == tag


def test_the_cross_and_the_plus_are_around_their_middle() -> None:
    assert 'd="M3 3l10 10m0 -10l-10 10"' in shape("wrong", 8.0, 8.0, 5.0)
    assert 'd="M3 8h10M8 3v10"' in shape("extra", 8.0, 8.0, 5.0)

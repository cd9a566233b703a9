"""Outcomes on the printed page: each note of the assessment on the note that is printed for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engraved_example import minuet, minuet_report, outcomes, played, written_score
from score_page import BACKWARD, FORWARD, FOUR, ending, note, page, tie
from tocco.inference.bundle import example_path
from tocco.report.engraving.outcomes import Outcomes, Turn, outcomes_of
from tocco.report.played_reading import played_reading

CHORD = "<chord/>"
STACCATO = note("C4") + note("E4", before=CHORD) + note("G4", before=CHORD)


def kinds(found: Outcomes) -> dict[int, list[tuple[str, str]]]:
    """Number of a printed note -> what became of it each time."""
    return {
        number: [(event.kind, event.turn.words) for event in events]
        for number, events in sorted(found.events.items())
    }


def test_the_planted_mistakes_of_the_minuet_are_at_their_notes() -> None:
    reading = played_reading(minuet().readings, minuet_report())
    assert reading is not None
    found = outcomes_of(minuet(), reading, minuet_report())
    marked = {
        (printed.bar, printed.beat, printed.name, event.kind, event.note.played, event.turn)
        for number, events in found.events.items()
        for event in events
        for printed in [found.printed[number]]
        if event.kind != "right"
    }
    assert marked == {
        (21, 2.0, "F#5", "wrong", "F5", Turn(1, 2)),
        (11, 2.5, "B3", "missing", None, Turn(2, 2)),
    }
    mistakes = json.loads((example_path() / "minuet_mistakes.json").read_text())["mistakes"]
    assert {(one["bar"], one["time_round"]) for one in mistakes} == {("22", 1), ("12", 2)}
    assert found.lost == 0
    assert {len(events) for events in found.events.values()} == {2}
    assert len(found.events) == 202


def test_notes_of_a_chord_are_held_apart(tmp_path: Path) -> None:
    numbered = written_score(tmp_path, page(STACCATO + note("D4") + note("E4") + note("F4"), FOUR))
    found, _ = outcomes(numbered, played(numbered.readings[0], {1: None, 2: 68}))
    assert kinds(found)[0] == [("right", "")]
    assert kinds(found)[1] == [("missing", "")]
    (wrong,) = found.events[2]
    assert (wrong.kind, wrong.note.played, found.printed[2].name) == ("wrong", "G#4", "G4")


def test_two_voices_on_one_staff(tmp_path: Path) -> None:
    back = "<backup><duration>16</duration></backup>"
    lower = "".join(note(pitch, voice=2) for pitch in ("C3", "G3", "C3", "E3"))
    numbered = written_score(tmp_path, page(FOUR + back + lower, FOUR))
    score = numbered.readings[0]
    second = [k for k, voice in enumerate(score.voice) if voice == 2]
    found, _ = outcomes(numbered, played(score, {second[2]: None}))
    assert {number: said for number, said in kinds(found).items() if said != [("right", "")]} == {
        6: [("missing", "")]
    }


def test_grace_notes_stand_on_the_beat_of_their_main_note(tmp_path: Path) -> None:
    grace = note("B3", 0, before="<grace/>")
    numbered = written_score(tmp_path, page(FOUR, grace + note("C4") + note("D4") + note("E4", 8), FOUR))
    found, _ = outcomes(numbered, played(numbered.readings[0]))
    assert kinds(found)[4] == kinds(found)[5] == [("right", "")]
    assert found.printed[4].is_small
    assert found.printed[4].beat == found.printed[5].beat == 1.0


def test_of_tied_notes_the_first_one_has_the_outcome(tmp_path: Path) -> None:
    tied = note("F4", 4, tie("start"))
    numbered = written_score(
        tmp_path, page(note("C4", 12) + tied, note("F4", 8, tie("stop")) + note("G4", 8))
    )
    found, _ = outcomes(numbered, played(numbered.readings[0], {1: None}))
    assert kinds(found) == {0: [("right", "")], 1: [("missing", "")], 3: [("right", "")]}


def test_a_bar_that_is_repeated_gathers_both_times_and_endings_have_their_own(tmp_path: Path) -> None:
    second = "".join(note(pitch) for pitch in ("G4", "A4", "B4", "C5"))
    third = "".join(note(pitch) for pitch in ("E5", "D5", "C5", "B4"))
    text = page(FORWARD + FOUR, ending("1", second, repeats=True), ending("2", third), FOUR)
    numbered = written_score(tmp_path, text)
    score = numbered.readings[0]
    assert score.bar_name == ("1", "2", "1", "3", "4")
    found, _ = outcomes(numbered, played(score, {9: None, 13: 73}))
    assert found.bar_place == (0, 1, 0, 2, 3)
    assert kinds(found)[1] == [("right", "1st time"), ("missing", "2nd time")]
    assert kinds(found)[0] == [("right", "1st time"), ("right", "2nd time")]
    assert kinds(found)[4] == [("right", "")]
    assert kinds(found)[9] == [("wrong", "")]
    assert found.lost == 0


def test_a_part_that_was_played_has_no_outcomes_elsewhere(tmp_path: Path) -> None:
    bars = ["".join(note(f"{step}{octave}") for step in "CEGB") for octave in (2, 3, 4, 5, 6)]
    numbered = written_score(tmp_path, page(*bars))
    score = numbered.readings[0]
    outside = [k for k, bar in enumerate(score.bar) if bar not in (1, 2)]
    found, _ = outcomes(numbered, played(score, dict.fromkeys(outside)))
    assert {n for n, said in kinds(found).items() if said == [("right", "")]} == set(range(4, 12))
    assert not set(found.events) & set(range(12, 20))


def test_extra_notes_have_the_bar_that_they_were_played_in(tmp_path: Path) -> None:
    numbered = written_score(tmp_path, page(FORWARD + FOUR, FOUR + BACKWARD))
    found, _ = outcomes(numbered, played(numbered.readings[0], extra=[(8.0 + 4.0 + 1.5, 90)]))
    (extra,) = found.extras
    assert (extra.bar, extra.note.beat, extra.note.played) == (1, pytest.approx(2.5, abs=0.05), "F#6")
    assert extra.turn == Turn(2, 2)


def test_strokes_of_a_tremolo_stand_on_the_note_that_is_printed(tmp_path: Path) -> None:
    sign = '<notations><ornaments><tremolo type="single">1</tremolo></ornaments></notations>'
    held = note("C4", 16).replace("</note>", f"{sign}</note>")
    numbered = written_score(tmp_path, page(FOUR, held, FOUR))
    assert len(numbered.readings[0]) == 4 + 8 + 4
    found, _ = outcomes(numbered, played(numbered.readings[0], {6: None}))
    assert sorted(event.kind for event in found.events[4]) == ["missing", *["right"] * 7]
    assert found.lost == 0


def test_a_place_is_found_by_its_bar_and_time() -> None:
    reading = played_reading(minuet().readings, minuet_report())
    assert reading is not None
    found = outcomes_of(minuet(), reading, minuet_report())
    assert found.place_at("22", 56.6) == 21
    assert found.turn_at("22", 56.6) == Turn(1, 2)
    assert found.turn_at("12", 41.8) == Turn(2, 2)
    assert found.place_at("none", 1.0) is None
    assert found.bar_names[21] == "22"


def test_an_outcome_without_a_note_of_the_score_is_counted() -> None:
    report = minuet_report()
    strange = report.deletion[0].model_copy(update={"beat": 2.75})
    report = report.model_copy(update={"deletion": (strange,)})
    reading = played_reading(minuet().readings, report)
    assert reading is not None
    assert outcomes_of(minuet(), reading, report).lost == 1

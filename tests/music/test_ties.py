"""Ties: one strike, as long as all tied notes together, on every way through the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from score_page import BACKWARD, ending, note, page, read, tie
from tocco.music.score import Score

START, STOP, BOTH = tie("start"), tie("stop"), tie("stop", "start")


def struck(score: Score, pitch: int) -> list[tuple[float, float]]:
    """Onset and duration of every strike of a key."""
    here = score.pitch == pitch
    return [
        (float(onset), float(duration))
        for onset, duration in zip(score.onset_beat[here], score.duration_beat[here], strict=True)
    ]


@pytest.mark.parametrize("stop", [STOP, ""])
def test_a_tie_joins_what_follows_at_once_also_without_its_stop(tmp_path: Path, stop: str) -> None:
    score = read(tmp_path, page(note("C5", 8) + note("D5", 8, START), note("D5", 8, stop) + note("E5", 8)))
    assert len(score) == 3
    assert struck(score, 74) == [(2, 4)]


@pytest.mark.parametrize("gap", [1, 2, 5, -2])
@pytest.mark.parametrize("stop", [STOP, ""])
def test_ends_need_not_meet_to_the_tick(tmp_path: Path, gap: int, stop: str) -> None:
    lower = "<backup><duration>{}</duration></backup>" + note("C3", 480, voice=5)
    first = note("G4", 480 - gap, START) + lower.format(480 - gap)
    second = note("G4", 480, stop) + lower.format(480)
    if gap < 0:
        first = note("C3", 480, voice=5) + "<backup><duration>480</duration></backup>"
        first += note("G4", 482, START) + "<backup><duration>2</duration></backup>"
    score = read(tmp_path, page(first, second, divisions=480, beats=1))
    assert len(struck(score, 67)) == 1


def test_a_rest_ends_a_tie(tmp_path: Path) -> None:
    rest = "<note><rest/><duration>2</duration><voice>1</voice></note>"
    score = read(tmp_path, page(note("C4", 8, START) + rest + note("C4", 6, STOP)))
    assert struck(score, 60) == [(0, 2), (2.5, 1.5)]


def test_a_stop_with_nothing_before_it_is_a_strike(tmp_path: Path) -> None:
    score = read(tmp_path, page(note("C4", 8) + note("D4", 8, STOP), note("D4", 16, STOP)))
    assert struck(score, 62) == [(2, 2), (4, 4)]


def test_a_chain_is_one_strike(tmp_path: Path) -> None:
    score = read(tmp_path, page(note("D4", 16, START), note("D4", 16, BOTH), note("D4", 16, STOP)))
    assert struck(score, 62) == [(0, 12)]


def two_voices(*notes: tuple[int, str, int]) -> str:
    """Notes of one pitch, (duration, ties, voice), each voice from the start of the bar."""
    bar, place, voice = "", 0, notes[0][2]
    for duration, ties, in_voice in notes:
        if in_voice != voice:
            bar += f"<backup><duration>{place}</duration></backup>"
            place, voice = 0, in_voice
        bar += note("G4", duration, ties, voice=voice)
        place += duration
    return bar


def test_two_ties_of_one_pitch_at_once_join_each_their_own_voice(tmp_path: Path) -> None:
    first = two_voices((16, START, 1), (12, "", 2), (4, START, 2))
    second = two_voices((4, STOP, 1), (16, STOP, 2))
    score = read(tmp_path, page(first, second))
    assert sorted(struck(score, 67)) == [(0, 3), (0, 5), (3, 5)]


def test_a_tie_may_lead_into_another_voice(tmp_path: Path) -> None:
    score = read(tmp_path, page(two_voices((16, START, 1)), two_voices((16, STOP, 2))))
    assert struck(score, 67) == [(0, 8)]


def test_a_tie_stays_in_its_part(tmp_path: Path) -> None:
    text = page(note("C4", 16, START), note("C4", 16, STOP), parts=2)
    score = read(tmp_path, text)
    assert struck(score, 60) == [(0, 8), (0, 8)]


TIED = note("C4", 12) + note("G4", 4, START)


def test_a_tie_leads_into_both_endings(tmp_path: Path) -> None:
    first = ending("1", note("G4", 4, STOP) + note("A4", 12), repeats=True)
    second = ending("2", note("G4", 4, STOP) + note("B4", 12), end="discontinue")
    score = read(tmp_path, page(TIED, first, second))
    assert len(score) == 6
    assert struck(score, 67) == [(3, 2), (11, 2)]


def test_a_tie_leads_into_three_endings_and_lasts_in_each_as_printed(tmp_path: Path) -> None:
    endings = [
        ending(str(k), note("G4", 4 * k, STOP) + note("A4", 16 - 4 * k), repeats=k < 3) for k in (1, 2, 3)
    ]
    assert struck(read(tmp_path, page(TIED, *endings)), 67) == [(3, 2), (11, 3), (19, 4)]


def test_an_ending_that_is_not_tied_is_struck(tmp_path: Path) -> None:
    first = ending("1", note("G4", 4, STOP) + note("A4", 12), repeats=True)
    second = ending("2", note("G4", 4) + note("B4", 12))
    assert struck(read(tmp_path, page(TIED, first, second)), 67) == [(3, 2), (11, 1), (12, 1)]


def test_a_tie_out_of_a_repeat_ends_at_the_jump_and_joins_the_second_time(tmp_path: Path) -> None:
    opening = note("G4", 4) + note("C4", 12)
    score = read(tmp_path, page(opening, TIED + BACKWARD, note("G4", 16, STOP)))
    assert struck(score, 67) == [(0, 1), (7, 1), (8, 1), (15, 5)]


def test_a_note_tied_into_a_repeat_is_struck_when_it_comes_again(tmp_path: Path) -> None:
    forward = '<barline location="left"><repeat direction="forward"/></barline>'
    score = read(tmp_path, page(TIED, forward + note("G4", 4, STOP) + note("E4", 12) + BACKWARD))
    assert struck(score, 67) == [(3, 2), (8, 1)]
    assert len(set(score.note_id)) == len(score)


def grace(pitch: str, ties: str) -> str:
    return f"<note><grace/>{note(pitch, 0, ties)[len('<note>') :]}"


def test_a_grace_note_tied_both_ways_to_nothing_is_a_strike(tmp_path: Path) -> None:
    score = read(tmp_path, page(note("C5", 8) + grace("D5", BOTH) + note("D5", 8)))
    assert len(score) == 3
    assert sorted(struck(score, 74)) == [(2, 0), (2, 2)]


@pytest.mark.parametrize("stop", [STOP, ""])
def test_a_grace_note_tied_to_its_main_note_is_one_strike(tmp_path: Path, stop: str) -> None:
    score = read(tmp_path, page(note("C5", 8) + grace("D5", START) + note("D5", 8, stop)))
    assert len(score) == 2
    assert struck(score, 74) == [(2, 2)]


def test_a_grace_note_tied_both_ways_holds_on(tmp_path: Path) -> None:
    score = read(tmp_path, page(note("D5", 8, START) + grace("D5", BOTH) + note("D5", 8, STOP)))
    assert struck(score, 74) == [(0, 4)]


def test_a_spread_chord_of_tied_grace_notes_lasts_as_its_chord(tmp_path: Path) -> None:
    small = grace("C4", START) + grace("E4", START) + grace("G4", START)
    chord = note("C4", 16, STOP) + "".join(note(pitch, 16, STOP, before="<chord/>") for pitch in ("E4", "G4"))
    score = read(tmp_path, page(small + chord))
    np.testing.assert_array_equal(score.pitch, [60, 64, 67])
    np.testing.assert_array_equal(score.duration_beat, [4, 4, 4])
    assert score.grace_lead == (3, 2, 1)


def test_the_strokes_of_a_tremolo_are_not_tied_to_each_other(tmp_path: Path) -> None:
    sign = '<notations><ornaments><tremolo type="single">1</tremolo></ornaments></notations>'
    held = note("C4", 16, START).replace("</note>", f"{sign}</note>")
    score = read(tmp_path, page(held, note("C4", 16, STOP)))
    np.testing.assert_array_equal(score.onset_beat, [*np.arange(8) / 2, 4])

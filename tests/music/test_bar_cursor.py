"""Steps that leave the bar: what stands after them, what they do to the bar, and what is left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, ships no stubs

from tocco.errors import InputError
from tocco.music.bar_cursor import keep_cursor_in_bars
from tocco.music.score import Score, load_score

FOUR_FOUR = (
    "<attributes><divisions>480</divisions><time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
)


def note(pitch: str, duration: int, *, voice: int = 1, chord: bool = False) -> str:
    return (
        f"<note>{'<chord/>' * chord}<pitch><step>{pitch[0]}</step><octave>{pitch[1]}</octave></pitch>"
        f"<duration>{duration}</duration><voice>{voice}</voice></note>"
    )


def back(duration: int) -> str:
    return f"<backup><duration>{duration}</duration></backup>"


def forward(duration: int) -> str:
    return f"<forward><duration>{duration}</duration></forward>"


WHOLE = note("C3", 1920)


def document(*bars: str) -> str:
    content = "".join(
        f'<measure number="{number}">{FOUR_FOUR if number == 1 else ""}{bar}</measure>'
        for number, bar in enumerate(bars, start=1)
    )
    return (
        '<score-partwise version="3.1"><part-list><score-part id="P1"><part-name>x</part-name></score-part>'
        f'</part-list><part id="P1">{content}</part></score-partwise>'
    )


def read(tmp_path: Path, *bars: str) -> Score:
    path = tmp_path / "page.musicxml"
    path.write_text(document(*bars), encoding="utf-8")
    return load_score(path)


def rewritten(*bars: str) -> tuple[str, str]:
    """A document before and after."""
    root = etree.fromstring(document(*bars))
    before = etree.tostring(root).decode()
    keep_cursor_in_bars(root)
    return before, etree.tostring(root).decode()


def onsets_of(score: Score, pitch: int) -> list[float]:
    return score.onset_beat[score.pitch == pitch].tolist()


def test_a_step_far_ahead_of_the_bar_and_the_way_back_cancel(tmp_path: Path) -> None:
    """As MuseScore 2 writes the hidden notes of a trill: two of them 661 beats ahead of the bar."""
    trill = note("D5", 69, voice=2) + note("C5", 69, voice=2)
    damaged = (
        note("E5", 1920)
        + back(319_429)
        + trill
        + forward(317_509 + 960 - 138)
        + note("F5", 480, voice=2)
        + back(1440)
        + note("G3", 480, voice=5)
    )
    score = read(tmp_path, WHOLE, damaged, WHOLE)
    np.testing.assert_array_equal(score.bar_beats, [4, 4, 4])
    assert onsets_of(score, 77) == [4 + 2]
    assert onsets_of(score, 55) == [4 + 0]
    # What would stand ahead of the bar opens it, in its order and its lengths.
    assert onsets_of(score, 74) == [4]
    assert onsets_of(score, 72) == [pytest.approx(4 + 69 / 480)]
    assert len(score) == 7


def test_notes_between_two_stays_ahead_of_the_bar_follow_each_other(tmp_path: Path) -> None:
    damaged = back(2000) + note("C5", 60) + forward(500) + note("D5", 60) + forward(2340) + note("E5", 960)
    score = read(tmp_path, damaged, WHOLE)
    assert (onsets_of(score, 72), onsets_of(score, 74), onsets_of(score, 76)) == ([0], [0.125], [2])
    np.testing.assert_array_equal(score.bar_beats, [4, 4])


def test_a_left_hand_after_a_rounded_tuplet_starts_with_the_bar(tmp_path: Path) -> None:
    """Eleven in the time of eight: 11 * 87 = 957, the way back is 960, and a forward makes up for it."""
    tuplet = "".join(note("D5" if k % 2 else "E5", 87) for k in range(11))
    score = read(tmp_path, tuplet + back(960) + forward(3) + note("G3", 240, voice=5), WHOLE)
    assert onsets_of(score, 55) == [0]


def test_a_way_back_too_long_by_rounding_leads_to_the_bar_line(tmp_path: Path) -> None:
    score = read(tmp_path, note("D5", 1917) + back(1920) + note("G3", 960, voice=5) + WHOLE)
    assert onsets_of(score, 55) == [0]
    assert onsets_of(score, 48) == [2]


def test_a_chord_note_leaves_the_cursor_at_the_chords_end(tmp_path: Path) -> None:
    """partitura writes a voice's chord notes after a step back; they stand with their chord all the same."""
    bar = note("A4", 960) + note("C5", 960) + back(960) + note("A3", 960, chord=True) + back(1920)
    before, after = rewritten(bar + WHOLE)
    assert before == after
    score = read(tmp_path, bar + WHOLE)
    assert (onsets_of(score, 57), onsets_of(score, 48)) == ([2], [0])


def test_a_negative_step_leads_the_other_way(tmp_path: Path) -> None:
    score = read(tmp_path, note("C5", 960) + forward(-960) + note("C4", 480) + back(-480) + note("D4", 960))
    assert (onsets_of(score, 72), onsets_of(score, 60), onsets_of(score, 62)) == ([0], [0], [2])
    np.testing.assert_array_equal(score.bar_beats, [4])


def test_a_note_of_negative_duration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"note with a duration of '-142' \(line 1\).* durations from 0"):
        read(tmp_path, note("C5", 171) + note("D5", -142))


def test_an_unprinted_rest_at_the_end_lengthens_the_bar(tmp_path: Path) -> None:
    damaged = note("C5", 957) + back(960) + forward(3) + note("C3", 960, voice=5) + forward(960)
    np.testing.assert_array_equal(read(tmp_path, damaged, WHOLE).bar_beats, [4, 4])


MOVES = st.lists(st.tuples(st.sampled_from(["note", "back", "forward"]), st.integers(1, 40)), max_size=12)


def bar_of(moves: list[tuple[str, int]]) -> str:
    write = {"note": lambda n: note("C4", n), "back": back, "forward": forward}
    return "".join(write[kind](size) for kind, size in moves)


def places(text: str) -> tuple[list[int], list[int]]:
    """Where the notes of a one-bar document stand, and every place that the cursor comes to."""
    place, notes, visited = 0, [], [0]
    for element in etree.fromstring(text).iter("note", "backup", "forward"):
        if element.tag == "note":
            notes.append(place)
        size = int(element.findtext("duration"))
        place += -size if element.tag == "backup" else size
        visited.append(place)
    return notes, visited


@given(MOVES)
def test_no_step_leaves_the_bar_and_notes_inside_stay(moves: list[tuple[str, int]]) -> None:
    before, after = rewritten(bar_of(moves))
    said, said_visited = places(before)
    stand, visited = places(after)
    assert min(visited) >= 0
    assert len(stand) == len(said)
    if min(said_visited) >= 0:
        assert before == after
    # A note stands where the file says or, where that is ahead of the bar, later, and never earlier.
    assert all(now >= then for now, then in zip(stand, said, strict=True))


@given(MOVES)
def test_a_bar_once_rewritten_stays_as_it_is(moves: list[tuple[str, int]]) -> None:
    root = etree.fromstring(document(bar_of(moves)))
    keep_cursor_in_bars(root)
    once = etree.tostring(root)
    keep_cursor_in_bars(root)
    assert etree.tostring(root) == once


@given(st.integers(1, 10_000), st.integers(0, 1_000))
def test_an_excursion_without_notes_changes_nothing(far: int, onset: int) -> None:
    detour = WHOLE + back(1920 + far) + forward(far + onset) + note("G4", 10, voice=2)
    direct = WHOLE + back(1920) + forward(onset) + note("G4", 10, voice=2)
    assert places(rewritten(detour)[1])[0] == places(document(direct))[0]

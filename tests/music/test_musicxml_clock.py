"""Divisions and durations that are decimals, change on the way, or are left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from musicxml_pages import FOUR, FOUR_STROKES, OPENING, back, bars, note, page, parts, read, strokes
from tocco.errors import InputError
from tocco.music.musicxml_clock import count_of

BARE = OPENING.replace("<divisions>4</divisions>", "")


def divisions(number: str) -> str:
    return OPENING.replace(">4</divisions>", f">{number}</divisions>")


@pytest.mark.parametrize(
    ("number", "lengths"),
    [
        ("1.0", ["1", "0.5", ".5", "2."]),
        ("0.5", ["0.5", "0.25", "0.25", "1"]),
        ("480.0", ["480.00", " 240 ", "\n240", "960"]),
        ("2.5", ["2.5", "1.25", "1.25", "5"]),
    ],
)
def test_decimals_are_read(tmp_path: Path, number: str, lengths: list[str]) -> None:
    content = "".join(note("C4", length) for length in lengths)
    score = read(tmp_path, page(content, opening=divisions(number)))
    assert score.onset_beat.tolist() == [0.0, 1.0, 1.5, 2.0]
    assert score.duration_beat.tolist() == [1.0, 0.5, 0.5, 2.0]


def test_decimals_of_endless_fractions_end_with_the_beat(tmp_path: Path) -> None:
    triplet = note("C4", "0.33333") + note("D4", "0.33333") + note("E4", "0.33333")
    score = read(tmp_path, page(4 * triplet, FOUR.replace(">4<", ">1<"), opening=divisions("1")))
    np.testing.assert_allclose(score.onset_beat[:12], np.arange(12) / 3, atol=1e-9)
    assert score.bar_onset_beat.tolist() == [0.0, 4.0]


def test_divisions_that_are_left_out_are_those_of_the_notes(tmp_path: Path) -> None:
    eighth = note("D4", 240, "<type>eighth</type>")
    dotted = note("C4", 720, "<type>quarter</type><dot/>")
    score = read(tmp_path, page(dotted + eighth, opening=BARE))
    assert score.onset_beat.tolist() == [0.0, 1.5]
    assert score.duration_beat.tolist() == [1.5, 0.5]


def test_divisions_that_are_left_out_are_those_of_the_first_part(tmp_path: Path) -> None:
    score = read(tmp_path, parts(bars(FOUR), bars(note("C3", 16), opening="")))
    assert strokes(score) == [(0.0, 48), *FOUR_STROKES]


def test_divisions_hold_for_what_follows_in_the_file(tmp_path: Path) -> None:
    """The second voice counts anew: its divisions are not those of the first, which sounds with it."""
    finer = "<attributes><divisions>6</divisions></attributes>"
    triplet = "".join(note(pitch, 2, voice="2") for pitch in ("C4", "D4", "E4"))
    score = read(tmp_path, page(note("C5", 16) + back(16) + finer + triplet, note("D5", 24)))
    np.testing.assert_allclose(score.onset_beat, [0, 0, 1 / 3, 2 / 3, 4], atol=1e-9)
    assert score.pitch.tolist() == [60, 72, 62, 64, 74]


@pytest.mark.parametrize("number", ["0", "-1", "0.0", "four"])
def test_divisions_that_are_none_are_refused(tmp_path: Path, number: str) -> None:
    with pytest.raises(InputError, match=f"holds a divisions of '{number}'"):
        read(tmp_path, page(FOUR, opening=divisions(number)))


def test_small_notes_take_no_time_whatever_is_said(tmp_path: Path) -> None:
    score = read(tmp_path, page(note("B3", 4, before="<grace/>") + FOUR))
    assert strokes(score) == [(0.0, 59), *FOUR_STROKES]
    assert score.duration_beat.tolist()[0] == 0.0


def test_a_duration_that_is_left_out_is_that_of_the_printed_note(tmp_path: Path) -> None:
    triplet = (
        "<type>half</type><time-modification><actual-notes>3</actual-notes><normal-notes>2</normal-notes>"
    )
    content = "".join(note(pitch, None, triplet + "</time-modification>") for pitch in ("C4", "D4", "E4"))
    score = read(tmp_path, page(content, FOUR))
    np.testing.assert_allclose(score.onset_beat[:4], [0, 4 / 3, 8 / 3, 4], atol=1e-9)


def test_a_note_without_any_length_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"without a duration \(line 2\)"):
        read(tmp_path, page("\n" + note("C4", None) + FOUR))
    with pytest.raises(InputError, match=r"without a duration \(line 2\)"):
        read(tmp_path, page(note("C4") + "\n<note><rest/></note>" + note("D4")))


def test_a_rest_for_a_bar_needs_no_length(tmp_path: Path) -> None:
    score = read(tmp_path, page(FOUR, "<note><rest/></note>", FOUR))
    assert score.bar_onset_beat.tolist() == [0.0, 4.0, 8.0]


@pytest.mark.parametrize("length", ["4,0", "abc", "1e3", "nan", "--4"])
def test_a_length_that_is_no_number_is_refused(tmp_path: Path, length: str) -> None:
    with pytest.raises(InputError, match=f"holds a duration of '{length}'"):
        read(tmp_path, page(note("C4", length)))


def test_a_note_of_negative_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a bar whose rhythm is damaged"):
        read(tmp_path, page(note("C4", -4)))


@pytest.mark.parametrize(
    ("text", "count"),
    [("0", 0), ("007", 7), ("9" * 17, 10**17 - 1)]
    + [(odd, None) for odd in ("9" * 18, "9" * 5000, "", " 1", "-1", "+1", "1.0", "\u00b2", "\u0663")],
)
def test_counts(text: str, count: int | None) -> None:
    assert count_of(text) == count


@pytest.mark.parametrize("name", ["actual", "normal"])
def test_a_tuplet_of_endless_digits_is_none(tmp_path: Path, name: str) -> None:
    tuplet = (
        f"<type>half</type><time-modification><{name}-notes>{'9' * 5000}</{name}-notes></time-modification>"
    )
    score = read(tmp_path, page(note("C4", None, tuplet) + note("D4", None, tuplet)))
    assert strokes(score) == [(0.0, 60), (2.0, 62)]


def test_divisions_and_lengths_of_endless_digits_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds a divisions of '9{30}'"):
        read(tmp_path, page(FOUR, opening=divisions("9" * 5000)))
    with pytest.raises(InputError, match=r"holds a duration of '9{30}'"):
        read(tmp_path, page(note("C4", "9" * 5000)))

"""Pickups that are trimmed, full bars that are not, and parts that keep together."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, ships no stubs

from musicxml_pages import CASES, FOUR, OPENING, back, bars, note, page, parts, read, rest, strokes
from tocco.music.musicxml_bars import metre_quarters
from tocco.music.score import load_score


def test_a_hidden_rest_in_a_full_first_bar_keeps_its_time() -> None:
    score = load_score(CASES / "hidden_rest_in_first_bar.musicxml")
    assert score.onset_beat.tolist() == [0.25, 0.5, 0.75, 1, 2, 3, 4, 5, 6, 7]
    assert score.bar_onset_beat.tolist() == [0.0, 4.0]


@pytest.mark.parametrize(
    "first",
    [
        rest(4, show="no") + note("D4") + note("E4") + note("F4"),
        "<forward><duration>4</duration></forward>" + note("D4") + note("E4") + note("F4"),
        back(4) + "<forward><duration>8</duration></forward>" + note("D4") + note("E4") + note("F4"),
        note("C3", 16, voice="2") + back(12) + note("D4") + note("E4") + note("F4"),
        rest(4, show="no") + note("D4") + note("E4") + note("F4") + back(16) + rest(16, show="no", voice="2"),
    ],
)
def test_a_voice_that_starts_late_in_the_first_bar_stays_late(tmp_path: Path, first: str) -> None:
    score = read(tmp_path, page(first, FOUR))
    right = [(beat, pitch) for beat, pitch in strokes(score) if beat < 4 and pitch > 60]
    assert right == [(1.0, 62), (2.0, 64), (3.0, 65)]
    assert score.bar_onset_beat.tolist() == [0.0, 4.0]


def test_a_hidden_rest_at_the_end_of_a_full_first_bar_keeps_its_time(tmp_path: Path) -> None:
    score = read(tmp_path, page(note("C4") + note("D4") + note("E4") + rest(4, show="no"), FOUR))
    assert score.bar_beats.tolist() == [4.0, 4.0]


def pickup(said: str, opening: str = OPENING) -> str:
    two_voices = note("G4", 8) + rest(4, show="no") + back(12) + note("G3", 8, voice="2")
    text = page(two_voices + rest(4, show="no", voice="2"), FOUR, opening=opening)
    return text.replace('number="1"', said, 1)


@pytest.mark.parametrize("said", ['number="1" implicit="yes"', 'number="0"', 'number=" 0 "', 'number="1"'])
def test_a_pickup_ends_with_its_notes(tmp_path: Path, said: str) -> None:
    score = read(tmp_path, pickup(said))
    assert score.bar_beats.tolist() == [2.0, 4.0]
    assert score.onset_beat.tolist() == [0, 0, 2, 3, 4, 5]


def test_a_full_bar_that_prints_half_of_its_metre_is_no_pickup(tmp_path: Path) -> None:
    three = OPENING.replace("<beats>4", "<beats>3")
    assert read(tmp_path, pickup('number="1"', three)).bar_beats.tolist() == [3.0, 4.0]
    assert read(tmp_path, pickup('number="1" implicit="yes"', three)).bar_beats.tolist() == [2.0, 4.0]


def test_a_pickup_is_as_long_in_all_parts(tmp_path: Path) -> None:
    upper, lower = bars(note("G4"), FOUR), bars(rest(16, show="no"), note("C3", 16))
    text = parts(upper, lower).replace('number="1"', 'number="0" implicit="yes"')
    assert strokes(read(tmp_path, text))[:3] == [(0.0, 67), (1.0, 48), (1.0, 60)]


def test_an_empty_bar_has_the_length_of_its_metre(tmp_path: Path) -> None:
    score = read(tmp_path, page(FOUR, "", "<print/>", FOUR))
    assert score.bar_onset_beat.tolist() == [0.0, 4.0, 8.0, 12.0]
    assert score.onset_beat.tolist()[4:] == [12, 13, 14, 15]


def test_an_empty_bar_that_is_not_counted_takes_no_time(tmp_path: Path) -> None:
    text = page(FOUR, "", FOUR).replace('number="2"', 'number="X1" implicit="yes"')
    assert read(tmp_path, text).bar_name == ("1", "3")


def test_a_part_that_writes_too_little_does_not_run_ahead(tmp_path: Path) -> None:
    ending = '<barline location="right"><repeat direction="backward"/></barline>'
    upper, lower = bars(FOUR, FOUR + ending), bars(note("C3"), note("G3", 16) + ending)
    score = read(tmp_path, parts(upper, lower))
    low = score.pitch < 60
    assert score.onset_beat[low].tolist() == [0.0, 4.0, 8.0, 12.0]
    assert score.bar_onset_beat.tolist() == [0.0, 4.0, 8.0, 12.0]


def test_a_bar_without_metre_has_none(tmp_path: Path) -> None:
    free = "<attributes><time><senza-misura/></time></attributes>"
    score = read(tmp_path, page(FOUR, free + FOUR + note("G4"), FOUR))
    assert score.bar_metre == ((4, 4), None, None)
    assert score.bar_beats.tolist() == [4.0, 5.0, 4.0]


def test_a_metre_is_a_count_over_a_count() -> None:
    def quarters(beats: str, unit: str) -> Fraction | None:
        time = f"<time><beats>{beats}</beats><beat-type>{unit}</beat-type></time>"
        return metre_quarters(etree.fromstring(f"<measure><attributes>{time}</attributes></measure>"))

    assert quarters("6", "8") == 3
    assert quarters("3", "16") == Fraction(3, 4)
    odd = [("9" * 5000, "4"), ("4", "9" * 5000), ("0", "4"), ("4", "0"), ("", "4")]
    assert [quarters(*pair) for pair in odd] == [None] * 5

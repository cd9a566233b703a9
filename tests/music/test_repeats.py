"""Repeats, endings and jumps: which bars are played, in which order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from score_page import (
    BACKWARD,
    FORWARD,
    FOUR,
    bars_of,
    ending,
    note,
    page,
    read,
    symbol,
    times,
    ways,
    words,
    write,
)
from tocco.errors import InputError
from tocco.music.score import load_score, score_readings

SEGNO = symbol("segno", 'segno="segno"')
CODA = symbol("coda", 'coda="coda"')

CODA_PAGES = {
    "sound attributes": (SEGNO, words("x", 'tocoda="coda"'), words("x", 'dalsegno="segno"'), CODA),
    "names of their own": (
        symbol("segno", 'segno="s1"'),
        words("x", 'tocoda="c1"'),
        words("x", 'dalsegno="s1"'),
        symbol("coda", 'coda="c1"'),
    ),
    "sounds straight in the bar": (
        '<sound segno="1"/>',
        '<sound tocoda="1"/>',
        '<sound dalsegno="1"/>',
        '<sound coda="1"/>',
    ),
    "words": (symbol("segno"), words("To Coda"), words("D.S. al Coda"), symbol("coda")),
    "words in full": (words("Segno"), words("al Coda"), words("Dal Segno al Coda"), words("CODA")),
    "symbols": (symbol("segno"), symbol("coda"), words("D.S. al Coda"), symbol("coda")),
    "symbols beside words": (
        symbol("segno"),
        words("To Coda").replace("</words>", "</words></direction-type><direction-type><coda/>"),
        words("D.S. \U0001d10b al \U0001d10c"),
        symbol("coda"),
    ),
    "target missing": ("", words("To Coda"), words("", 'dalsegno="gone"'), CODA),
}


@pytest.mark.parametrize("case", CODA_PAGES)
def test_dal_segno_al_coda(tmp_path: Path, case: str) -> None:
    segno, to_coda, dal_segno, coda = CODA_PAGES[case]
    found = ways(tmp_path, FOUR, segno + FOUR, FOUR + to_coda, FOUR + dal_segno, coda + FOUR, FOUR)
    expected = "1 2 3 4 1 2 3 5 6" if case == "target missing" else "1 2 3 4 2 3 5 6"
    assert found[0] == expected
    assert "1 2 3 4 5 6" in found


JUMPS = {
    "D.C. al Fine": ("", "1 2 3 4 1 2"),
    "D. C. al fine": ("", "1 2 3 4 1 2"),
    "Da Capo al Fine": ("", "1 2 3 4 1 2"),
    "Menuetto da capo": ("", "1 2 3 4 1 2"),
    "D.C.": ("", "1 2 3 4 1 2"),
    "D.S. al Fine": (symbol("segno"), "1 2 3 4 2"),
    "Dal Segno": (symbol("segno"), "1 2 3 4 2"),
    "D.S.": ("", "1 2 3 4 1 2"),
    "con fine espressione": ("", "1 2 3 4"),
    "sin al fine": ("", "1 2 3 4"),
}


@pytest.mark.parametrize("text", JUMPS)
def test_jumps_in_words_alone_are_read(tmp_path: Path, text: str) -> None:
    segno, expected = JUMPS[text]
    found = ways(tmp_path, FOUR, segno + FOUR + words("Fine"), FOUR, FOUR + words(text))
    assert found[0] == expected
    assert set(found) == {expected, "1 2 3 4"}
    path = tmp_path / "page.musicxml"
    assert bars_of(load_score(path, repeats="none")) == "1 2 3 4"


def test_a_jump_in_words_without_a_fine_plays_to_the_end(tmp_path: Path) -> None:
    assert ways(tmp_path, FOUR, FOUR + words("D.C.")) == ["1 2 1 2", "1 2"]
    assert ways(tmp_path, FOUR, symbol("segno") + FOUR + words("D.S.")) == ["1 2 2", "1 2"]


def test_without_a_fine_a_da_capo_ends_at_the_final_barline_inside(tmp_path: Path) -> None:
    final = '<barline location="right"><bar-style>light-heavy</bar-style></barline>'
    assert ways(tmp_path, FOUR, FOUR + final, FOUR + words("D.C.") + final)[0] == "1 2 3 1 2"


@pytest.mark.parametrize("capo", [words("D.C. al Fine", 'dacapo="yes"'), '<sound dacapo="yes"/>'])
def test_a_sign_ahead_of_the_last_note_counts_at_the_end_of_its_bar(tmp_path: Path, capo: str) -> None:
    fine = words("Fine", 'fine="yes"')
    assert ways(tmp_path, FOUR, fine + note("C4", 16), FOUR, capo + FOUR)[0] == "1 2 3 4 1 2"


def test_a_piece_after_the_da_capo_is_in_one_reading(tmp_path: Path) -> None:
    found = ways(tmp_path, FOUR + words("Fine"), FOUR + words("D.C. al Fine"), FOUR)
    assert found[0] == "1 2 1"
    assert "1 2 1 3" in found


def test_repeats_of_a_coda_are_taken(tmp_path: Path) -> None:
    bars = [FOUR + BACKWARD, FOUR + words("x", 'tocoda="c"'), FOUR + words("D.C. al Coda", 'dacapo="yes"')]
    assert ways(tmp_path, *bars, symbol("coda", 'coda="c"') + FORWARD + FOUR + BACKWARD)[0] == (
        "1 1 2 3 1 2 4 4"
    )


def test_a_da_capo_inside_the_first_ending_goes_to_the_last_one(tmp_path: Path) -> None:
    first = ending("1", FOUR + words("D.C.", 'dacapo="yes"'))
    assert ways(tmp_path, FOUR, first, ending("2"))[0] == "1 2 1 3"


def test_a_repeat_is_played_as_often_as_it_says(tmp_path: Path) -> None:
    assert ways(tmp_path, FOUR, FORWARD + FOUR + times(3), FOUR) == ["1 2 2 2 3", "1 2 2 3", "1 2 3"]
    assert ways(tmp_path, FOUR + times(9)) == ["1 1 1 1 1 1 1 1 1", "1"]
    assert ways(tmp_path, FOUR + times(1)) == ["1 1", "1"]


def test_repeats_without_a_start_begin_after_the_last_one(tmp_path: Path) -> None:
    found = ways(tmp_path, FOUR, FOUR + BACKWARD, FOUR, FOUR + BACKWARD)
    assert found == ["1 2 1 2 3 4 3 4", "1 2 3 4 3 4", "1 2 1 2 3 4", "1 2 3 4"]


def test_a_repeat_inside_another_comes_again(tmp_path: Path) -> None:
    found = ways(tmp_path, FORWARD + FOUR, FORWARD + FOUR + BACKWARD, FOUR + BACKWARD)
    assert found[0] == "1 2 2 3 1 2 2 3"
    assert found[-1] == "1 2 3"


def test_a_start_without_an_end_is_no_repeat(tmp_path: Path) -> None:
    assert ways(tmp_path, FORWARD + FOUR, FOUR) == ["1 2"]


ENDINGS = {
    "two": ((("1", True), ("2", False)), "1 2 1 3 4"),
    "list of passes": ((("1, 2", True), ("3", False)), "1 2 1 2 1 3 4"),
    "range of passes": ((("1-3", True), ("4", False)), "1 2 1 2 1 2 1 3 4"),
    "points": ((("1.–2.", True), ("3.", False)), "1 2 1 2 1 3 4"),
    "blank": ((("", True), ("", False)), "1 2 3 4"),
    "blanks": (((" ", True), (" ", True), (" ", False)), "1 2 3 4 5"),
    "blank first": ((("", True), ("2", False)), "1 2 1 3 4"),
    "blank last": ((("1", True), ("", False)), "1 2 1 3 4"),
    "repeat sign missing": ((("1", False), ("2", False)), "1 2 1 3 4"),
    "repeat sign at the second too": ((("1", True), ("2", True)), "1 2 1 3 4"),
    "one alone": ((("1", True),), "1 2 1 3"),
    "no pass 1": ((("2", True), ("3", False)), "1 2 1 3 4"),
}


@pytest.mark.parametrize("case", ENDINGS)
@pytest.mark.parametrize("end", ["stop", "discontinue", ""])
def test_endings(tmp_path: Path, case: str, end: str) -> None:
    endings, expected = ENDINGS[case]
    bars = [ending(number, repeats=repeats, end=end) for number, repeats in endings]
    assert ways(tmp_path, FOUR, *bars, FOUR)[0] == expected


def test_blank_endings_may_be_played_through(tmp_path: Path) -> None:
    path = write(tmp_path, page(FOUR, ending("", repeats=True), ending("")))
    assert [bars_of(reading) for reading in score_readings(path)] == ["1 2 3", "1 2 1 3", "1 3"]
    assert len(load_score(path)) == 12
    plain = load_score(path, repeats="none")
    assert bars_of(plain) == "1 2 3"
    assert len(plain) == 12


def test_an_ending_of_several_bars(tmp_path: Path) -> None:
    start = '<barline location="left"><ending number="1" type="start"/></barline>'
    stop = (
        '<barline location="right"><ending number="1" type="stop"/><repeat direction="backward"/></barline>'
    )
    found = ways(tmp_path, FOUR, start + FOUR, FOUR + stop, ending("2", end="discontinue"), FOUR)
    assert found == ["1 2 3 1 4 5", "1 4 5"]


def test_a_repeat_inside_a_bar_cuts_it(tmp_path: Path) -> None:
    middle = '<barline location="middle"><repeat direction="{}"/></barline>'
    half = note("C4", 8)
    score = read(tmp_path, page(FOUR, half + middle.format("backward") + half, FOUR))
    assert bars_of(score) == "1 2 1 2 3"
    np.testing.assert_array_equal(score.bar_beats, [4, 2, 4, 4, 4])


def test_signs_of_one_part_hold_for_all(tmp_path: Path) -> None:
    text = page(FOUR, FOUR, parts=2)
    cut = text.rindex("</measure>")
    score = read(tmp_path, text[:cut] + words("D.C.") + text[cut:])
    assert bars_of(score) == "1 2 1 2"
    assert len(score) == 32


def test_more_repeats_than_letters_are_followed(tmp_path: Path) -> None:
    found = ways(tmp_path, *[FORWARD + FOUR + BACKWARD] * 60)
    assert len(found[0].split()) == 120
    assert len(found[-1].split()) == 60
    assert len(found) == 2 + 2 * 32


CONTRADICTIONS = {
    "no segno": (FOUR, FOUR + words("", 'dalsegno="s"')),
    "no coda": (FOUR + words("", 'tocoda="c"'), FOUR + words("D.C. al Coda", 'dacapo="yes"')),
    "coda ahead of its sign": (CODA + FOUR, FOUR + words("", 'tocoda="coda"'), FOUR + words("D.C. al Coda")),
    "segno after the jump": (FOUR + words("D.S."), SEGNO + FOUR),
    "ending without a start": (FOUR + '<barline><ending number="1" type="stop"/></barline>', FOUR),
    "ending of nonsense": (FOUR, ending("x", repeats=True), ending("y")),
    "backward ahead of all": (
        '<barline location="left"><repeat direction="backward"/></barline>' + FOUR,
        FOUR,
    ),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_signs_that_contradict_each_other_are_read(tmp_path: Path, case: str) -> None:
    bars = CONTRADICTIONS[case]
    found = ways(tmp_path, *bars)
    played = {name for way in found for name in way.split()}
    assert played == {str(number) for number in range(1, len(bars) + 1)}


def test_a_reading_of_absurd_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is too long with its repeats and jumps") as caught:
        load_score(write(tmp_path, page(FOUR, *[FORWARD + FOUR + times(9999)] * 8)))
    assert "\n" not in str(caught.value)


def test_passes_share_the_printed_bar(tmp_path: Path) -> None:
    assert read(tmp_path, page(FOUR, FOUR + BACKWARD, FOUR)).bar_printed == (0, 1, 0, 1, 2)

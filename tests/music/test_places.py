"""Places in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from score_page import BACKWARD, FOUR, ending, page, read, words
from tocco.music.places import bars_of, name_place, name_span, place_in_words, place_of


def test_a_passage_over_a_repeat_is_named_in_stretches(tmp_path: Path) -> None:
    score = read(tmp_path, page(*[FOUR] * 15, FOUR + BACKWARD, FOUR))
    assert name_span(score, 14 * 4, 24 * 4 - 1) == "bars 15–16, then 1–8 (repeat)"
    assert name_span(score, 15 * 4, 17 * 4 - 1) == "bars 16, then 1 (repeat)"
    assert name_span(score, 24 * 4 - 1, 14 * 4) == "bars 15–16, then 1–8 (repeat)"
    assert name_span(score, 30 * 4, 33 * 4 - 1) == "bars 15–17"
    assert name_span(score, 4, 5) == "bar 2"
    assert bars_of(score, 14 * 4, 24 * 4 - 1) == ("15", "8")


def test_a_passage_over_an_ending_or_a_da_capo_is_named_in_stretches(tmp_path: Path) -> None:
    bars = [FOUR, ending("1", repeats=True), ending("2"), FOUR + words("D.C.", 'dacapo="yes"')]
    score = read(tmp_path, page(*bars))
    assert " ".join(score.bar_name) == "1 2 1 3 4 1 3 4"
    assert name_span(score, 4, 15) == "bars 2, then 1 (repeat), then 3"
    assert name_span(score, 12, 23) == "bars 3–4, then 1 (repeat)"
    assert name_span(score, 8, 15) == "bars 1, then 3"


@pytest.mark.parametrize(
    ("beat", "name"),
    [
        (0.0, "bar 1, beat 1"),
        (4.25, "bar 2, beat 1.25"),
        (5 + 1 / 3, "bar 2, beat 2.25"),
        (5 + 2 / 3, "bar 2, beat 2.75"),
        (6.9999, "bar 2, beat 4"),
        (7.95, "bar 2, beat 4.75"),
        (-0.5, "bar 1, beat 1"),
    ],
)
def test_beats_are_named_to_a_quarter(tmp_path: Path, beat: float, name: str) -> None:
    assert name_place(read(tmp_path, page(FOUR, FOUR)), beat) == name


def test_a_place_as_numbers_is_exact(tmp_path: Path) -> None:
    assert place_of(read(tmp_path, page(FOUR, FOUR)), 5 + 1 / 3) == ("2", 2.333)
    assert place_in_words("12a", 2.333) == "bar 12a, beat 2.25"

"""How much of a mistake is heard, worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from alignment_etude import performance_of, score_of
from tocco.music.performance import Performance
from tocco.music.score import Score
from tocco.pseudo_labels.raters.salience import outer_voices, played_salience, written_salience


def chords() -> Score:
    """Two chords of three keys and a single one."""
    onset = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 2.0])
    return score_of(onset, np.array([48, 60, 72, 50, 62, 70, 65]))


def lasting(score: Score, duration_beat: list[float], grace: tuple[int, ...] = ()) -> Score:
    return replace(
        score,
        duration_beat=np.array(duration_beat),
        is_grace=np.isin(np.arange(len(score)), grace),
    )


def test_the_highest_counts_twice_the_lowest_half_as_much_again() -> None:
    score = lasting(chords(), [1.0] * 7)
    assert written_salience(score).tolist() == [1.5, 1.0, 2.0, 1.5, 1.0, 2.0, 2.5]


def test_long_notes_count_up_to_half_as_much_again() -> None:
    """Against the median of one beat: twice as long is a quarter more, four times or longer a half."""
    score = lasting(chords(), [1.0, 2.0, 1.0, 1.0, 4.0, 1.0, 0.25])
    inner = written_salience(score)[[1, 4]]
    assert inner.tolist() == [1.25, 1.5]
    longer = lasting(chords(), [1.0, 64.0, 1.0, 1.0, 2.0**1.5, 1.0, 1.0])
    assert written_salience(longer)[[1, 4]] == pytest.approx([1.5, 1.375])
    shorter = lasting(chords(), [1.0, 0.1, 1.0, 1.0, 0.5, 1.0, 1.0])
    assert written_salience(shorter)[[1, 4]].tolist() == [1.0, 1.0]


def test_the_usual_length_is_the_median_of_the_main_notes() -> None:
    score = lasting(chords(), [2.0, 8.0, 2.0, 2.0, 2.0, 0.0, 0.0], grace=(5, 6))
    assert written_salience(score).tolist() == [1.5, 1.5, 2.0, 1.5, 2.0, 0.5, 0.5]


def test_grace_notes_count_half_and_are_no_outer_voice() -> None:
    score = lasting(chords(), [1.0] * 7, grace=(2, 6))
    top, bottom = outer_voices(score)
    assert np.flatnonzero(top).tolist() == [1, 5]
    assert np.flatnonzero(bottom).tolist() == [0, 3]
    assert written_salience(score)[[2, 6]].tolist() == [0.5, 0.5]
    only = lasting(chords(), [0.0] * 7, grace=tuple(range(7)))
    assert written_salience(only).tolist() == [0.5] * 7


def test_onsets_within_rounding_are_one_chord() -> None:
    score = replace(chords(), onset_beat=np.array([0.0, 0.0, 0.0004, 1.0, 1.0, 1.004, 2.0]))
    assert np.flatnonzero(outer_voices(score)[0]).tolist() == [2, 4, 5, 6]


def struck(velocity: list[int]) -> Performance:
    performance = performance_of(0.5 * np.arange(len(velocity)), 60 + np.arange(len(velocity)) % 24)
    return replace(performance, velocity=np.array(velocity))


def test_an_added_note_counts_by_its_velocity_against_those_around() -> None:
    velocity = [60] * 101
    velocity[50] = 90
    salience = played_salience(struck(velocity))
    mean = (30 * 60 + 90) / 31
    assert salience[50] == pytest.approx(90 / mean)
    # Fifteen notes on either side are around a note.
    assert salience[[35, 65]] == pytest.approx([60 / mean] * 2)
    assert salience[[34, 66]] == pytest.approx([1.0, 1.0])


def test_no_added_note_counts_less_than_a_quarter_or_more_than_two() -> None:
    velocity = [40] * 101
    velocity[20], velocity[80] = 1, 127
    salience = played_salience(struck(velocity))
    assert (salience[20], salience[80]) == (0.25, 2.0)
    velocity[20], velocity[80] = 11, 70
    salience = played_salience(struck(velocity))
    assert salience[20] == pytest.approx(11 / ((30 * 40 + 11) / 31))
    assert salience[80] == pytest.approx(70 / ((30 * 40 + 70) / 31))

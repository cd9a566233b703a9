"""The beat line: free places are left out, notes taken too early as well."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rater_etude import BEAT_SEC, play, study_score
from tocco.music.notation import Mark
from tocco.pseudo_labels.damage.beat_line import (
    BeatLine,
    free_intervals,
    read_beat_line,
    weighted_median,
)
from tocco.pseudo_labels.observed.evidence import Evidence

SCORE = study_score()
BEATS = np.unique(SCORE.onset_beat)


def line_of(**how: object) -> BeatLine:
    line = read_beat_line(Evidence(*play(SCORE, **how)))  # type: ignore[arg-type]
    assert line is not None
    return line


def free_beats(score: object) -> list[float]:
    """Starts of the free intervals before the last bar."""
    start = BEATS[:-1][free_intervals(score, BEATS)]  # type: ignore[arg-type]
    return start[start < 59.9].tolist()


def test_a_machine_plays_a_straight_line() -> None:
    line = line_of()
    np.testing.assert_allclose(line.sec, 1.0 + BEAT_SEC * line.beat, atol=1e-3)
    assert line.beat_sec == pytest.approx(BEAT_SEC, abs=1e-4)
    assert set(line.passage) == {0}


def test_without_a_score_there_is_none() -> None:
    assert read_beat_line(Evidence(play(SCORE)[0])) is None


def test_the_last_bar_is_free_and_no_other() -> None:
    start = BEATS[:-1][free_intervals(SCORE, BEATS)]
    assert start.tolist() == [60.0, 60.5, 61.0, 61.5, 62.0, 62.5, 63.0]


@pytest.mark.parametrize("text", ["rit.", "poco rallentando", "Cadenza", "morendo", "slower"])
def test_a_ritardando_is_free_until_the_next_tempo(text: str) -> None:
    marks = (Mark("tempo", text, 8.0, 8.0), Mark("tempo", "a tempo", 12.0, 12.0))
    assert free_beats(study_score(marks=marks)) == [6.5 + 0.5 * k + 0.5 for k in range(10)]


def test_a_ritardando_without_end_lasts_sixteen_beats() -> None:
    found = free_beats(study_score(marks=(Mark("tempo", "rit.", 8.0, 8.0),)))
    assert (found[0], found[-1]) == (7.0, 23.5)


def test_other_words_and_kinds_are_not_free() -> None:
    marks = (Mark("tempo", "Allegro", 8.0, 8.0), Mark("dynamics", "rit.", 8.0, 8.0))
    assert free_beats(study_score(marks=marks)) == []


def test_a_fermata_frees_a_beat_on_either_side() -> None:
    signs = tuple("fermata" if beat == 20.0 else "" for beat in SCORE.onset_beat)
    assert free_beats(replace(SCORE, articulation=signs)) == [19.0, 19.5, 20.0, 20.5]


def test_nothing_is_left_out_where_nearly_all_is_free() -> None:
    score = study_score(marks=(Mark("tempo", "rit.", 0.0, 0.0),))
    assert not free_intervals(score, BEATS[BEATS < 12.0]).any()


def test_a_note_taken_too_early_is_no_onset() -> None:
    late = np.where(SCORE.onset_beat == 20.5, -0.28, 0.0)
    assert 20.5 not in line_of(late_sec=late).beat
    kept = np.where(SCORE.onset_beat == 20.5, -0.2, 0.0)
    assert 20.5 in line_of(late_sec=kept).beat


def test_half_of_the_weight() -> None:
    assert weighted_median(np.array([1.0, 2.0, 9.0]), np.array([1.0, 1.0, 1.0])) == 2.0

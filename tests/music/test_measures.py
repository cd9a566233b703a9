"""Measures by name: of the whole, of its halves, of the flat score."""

from __future__ import annotations

import numpy as np
import pytest

from statistics_etude import BEAT_SEC, etude
from tocco.music.excerpt import flat_rendering, performance_excerpt
from tocco.music.measures import (
    HALF_NAMES,
    MEASURES,
    MIN_NOTES_OF_HALF,
    SCORE_NAMES,
    WHOLE_NAMES,
    half_statistics,
    performance_measures,
)
from tocco.music.performance import PedalCurve, Performance
from tocco.music.statistics import STATISTICS, performance_statistics


def by_name(values: np.ndarray) -> dict[str, float]:
    return dict(zip(MEASURES, values.tolist(), strict=True))


def test_there_is_a_measure_of_every_statistic_and_no_name_twice() -> None:
    free = sum(not statistic.needs_score for statistic in STATISTICS)
    assert len(MEASURES) == len(set(MEASURES)) == 4 * len(STATISTICS) + free
    assert HALF_NAMES[0][0] == "first_half.note_count"
    assert SCORE_NAMES[0] == "score.note_count"


def test_the_whole_is_what_the_statistics_say() -> None:
    performance, alignment = etude()
    measured = performance_measures(performance, alignment)
    whole = performance_statistics(performance, alignment).values
    assert np.array_equal(measured[: len(whole)], whole, equal_nan=True)
    only = performance_measures(performance, alignment, ("velocity_mean", "onset_rate"))
    found = by_name(measured)
    assert only.tolist() == [found["velocity_mean"], found["onset_rate"]]


def test_a_half_knows_only_its_own_notes() -> None:
    # One tempo for four bars, half of it for the other four.
    performance, alignment = etude(sec_of_beat=lambda beat: BEAT_SEC * (beat + np.maximum(beat - 16.0, 0.0)))
    found = by_name(performance_measures(performance, alignment))
    assert found["first_half.tempo_bpm"] == pytest.approx(60.0 / BEAT_SEC, rel=0.2)
    assert found["last_half.tempo_bpm"] == pytest.approx(30.0 / BEAT_SEC, rel=0.02)
    halves = [found[f"{half}.note_count"] for half in ("first_half", "last_half")]
    assert sum(halves) == found["note_count"]


def test_the_score_is_measured_as_a_flat_rendering() -> None:
    performance, alignment = etude()
    found = by_name(performance_measures(performance, alignment))
    flat = performance_statistics(flat_rendering(alignment.score)).as_dict()
    assert found["score.note_count"] == 64.0
    assert found["score.velocity_mean"] == flat["velocity_mean"] == 64.0
    assert found["score.onset_rate"] == flat["onset_rate"]


def test_without_a_score_what_needs_it_is_missing_and_the_rest_is_the_same() -> None:
    performance, alignment = etude()
    with_score = performance_measures(performance, alignment)
    without = performance_measures(performance, None)
    known = np.isfinite(without)
    assert np.array_equal(without[known], with_score[known])
    lost = {name for name, there in zip(MEASURES, known, strict=True) if not there}
    assert set(SCORE_NAMES) <= lost
    assert {"tempo_bpm", "first_half.tempo_bpm"} <= lost
    assert "last_half.onset_rate" not in lost


def test_a_half_of_too_few_notes_is_missing() -> None:
    performance, alignment = etude()
    first, last = performance.onset_sec.min(), performance.onset_sec.max()
    n_half = int((performance.onset_sec < (first + last) / 2).sum())
    assert n_half >= MIN_NOTES_OF_HALF
    few, part = performance_excerpt(performance, alignment, 0.0, float(first) + 9 * BEAT_SEC)
    assert len(few) < 2 * MIN_NOTES_OF_HALF
    assert np.isnan(half_statistics(few, part)).all()
    assert by_name(performance_measures(few, part))["note_count"] == len(few)
    assert MIN_NOTES_OF_HALF == 15


def test_a_performance_without_notes_has_a_count_alone() -> None:
    nothing, up = np.zeros(0), PedalCurve()
    empty = Performance(nothing, nothing, nothing.astype(int), nothing.astype(int), up, up, up, 5.0)
    found = by_name(performance_measures(empty, None))
    assert {name for name, value in found.items() if np.isfinite(value)} == {"note_count"}


def test_an_unknown_measure_is_refused() -> None:
    performance, _ = etude()
    with pytest.raises(ValueError, match="no measures \\['heartbeat'\\]"):
        performance_measures(performance, None, (*WHOLE_NAMES, "heartbeat"))

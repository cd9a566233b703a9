"""Lost time, unsteadiness and slowness: planted stops and jitter come out, rubato does not."""

from __future__ import annotations

import numpy as np
import pytest

from rater_etude import BEAT_SEC, play, study_score
from tocco.pseudo_labels.damage.beat_line import read_beat_line
from tocco.pseudo_labels.damage.reading import Reading
from tocco.pseudo_labels.damage.timing import (
    lost_seconds,
    measure_lost_time,
    measure_slowness,
    measure_unsteadiness,
    measure_worst_stop,
)
from tocco.pseudo_labels.observed.evidence import NO_SCORE, Evidence
from tocco.units import FloatArray

SCORE = study_score()
STRICT_SEC = 60.0 * BEAT_SEC
"""Seconds of the study without its last bar."""


def stopping(*at: tuple[float, float]) -> Evidence:
    """The study by a machine that waits before some beats: (beat, seconds)."""

    def clock(beat: FloatArray) -> FloatArray:
        return BEAT_SEC * beat + sum(sec * (beat >= start - 1e-6) for start, sec in at)

    return Evidence(*play(SCORE, sec_of_beat=clock))


def reading(found: Reading | str) -> Reading:
    assert isinstance(found, Reading)
    return found


def jittered(sd_sec: float, seed: int = 0) -> Evidence:
    late = np.random.default_rng(seed).normal(0.0, sd_sec, 128)
    return Evidence(*play(SCORE, late_sec=late[np.round(2 * SCORE.onset_beat).astype(int)]))


def test_a_machine_loses_no_time() -> None:
    assert reading(measure_lost_time(stopping())).value == 0.0
    assert reading(measure_worst_stop(stopping())).value == 0.0
    assert reading(measure_unsteadiness(stopping())).value < 1e-6


def test_a_stop_is_found_with_its_size_and_place() -> None:
    evidence = stopping((20.0, 2.0))
    lost, music_sec = lost_seconds(evidence.once(read_beat_line))  # type: ignore[arg-type]
    assert lost.max() == pytest.approx(1.95, abs=1e-3)
    assert music_sec == pytest.approx(STRICT_SEC, abs=1e-3)
    found = reading(measure_lost_time(evidence))
    assert found.value == pytest.approx(1.95 * np.sqrt(0.5 / STRICT_SEC), rel=1e-3)
    (second, size), *_ = found.worst(3)
    assert (second, size) == (pytest.approx(1.0 + 19.5 * BEAT_SEC, abs=1e-3), pytest.approx(1.95, abs=1e-3))


def test_one_long_stop_counts_for_more_than_many_short_ones() -> None:
    one = stopping((20.0, 2.0))
    many = stopping(*[(8.0 + 5 * k, 0.2) for k in range(10)])
    assert reading(measure_worst_stop(one)).value > 4.0 * reading(measure_worst_stop(many)).value
    assert reading(measure_lost_time(one)).value > 2.0 * reading(measure_lost_time(many)).value


def test_the_worst_stop_is_a_fourth_root() -> None:
    found = reading(measure_worst_stop(stopping((20.0, 2.0)))).value
    assert found == pytest.approx(1.95 * (0.5 / STRICT_SEC) ** 0.25, rel=1e-3)


@pytest.mark.parametrize(("wait", "is_lost"), [(0.04, False), (0.06, True)])
def test_a_delay_below_fifty_milliseconds_is_none(wait: float, is_lost: bool) -> None:
    assert (reading(measure_lost_time(stopping((20.0, wait)))).value > 0.0) == is_lost


def test_a_stop_in_the_last_bar_is_an_ending() -> None:
    assert reading(measure_lost_time(stopping((61.0, 2.0)))).value == 0.0


def test_a_slower_section_loses_no_time() -> None:
    """Half tempo from bar 9 on: whichever side is slower is the pulse."""
    evidence = Evidence(
        *play(SCORE, sec_of_beat=lambda beat: BEAT_SEC * (beat + np.maximum(beat - 32.0, 0.0)))
    )
    assert reading(measure_lost_time(evidence)).value < 1e-3


def test_rubato_is_not_unsteady_and_jitter_is() -> None:
    rubato = Evidence(
        *play(SCORE, sec_of_beat=lambda beat: BEAT_SEC * (beat + 0.3 * np.sin(2.0 * np.pi * beat / 8.0)))
    )
    assert reading(measure_unsteadiness(rubato)).value < 0.008
    values = [reading(measure_unsteadiness(jittered(sd))).value for sd in (0.01, 0.02, 0.04, 0.08)]
    assert values == sorted(values)
    assert values[2] == pytest.approx(0.049, abs=0.009)


def test_unsteadiness_is_the_same_for_a_part() -> None:
    """Mean over seeds of the first half against the whole."""
    parts = []
    for seed in range(6):
        performance, alignment = play(
            SCORE,
            late_sec=np.random.default_rng(seed).normal(0.0, 0.03, 128)[
                np.round(2 * SCORE.onset_beat).astype(int)
            ],
        )
        middle = 1.0 + 32.0 * BEAT_SEC
        first = np.flatnonzero(performance.onset_sec < middle - 0.1)
        half = Evidence(performance.only(first), alignment.window(0.0, middle, first))
        whole = Evidence(performance, alignment)
        parts.append([reading(measure_unsteadiness(one)).value for one in (half, whole)])
    half_mean, whole_mean = np.mean(parts, axis=0)
    assert half_mean == pytest.approx(whole_mean, rel=0.15)


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
def test_slowness_is_proportional_to_the_beat(ratio: float) -> None:
    evidence = Evidence(*play(SCORE, sec_of_beat=lambda beat: ratio * BEAT_SEC * beat))
    expected = ratio * np.sqrt(BEAT_SEC * BEAT_SEC / 2.0)
    assert reading(measure_slowness(evidence)).value == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    "measure", [measure_lost_time, measure_worst_stop, measure_unsteadiness, measure_slowness]
)
def test_without_a_score_the_reason_is_given(measure: object) -> None:
    assert measure(Evidence(play(SCORE)[0])) == NO_SCORE  # type: ignore[operator]

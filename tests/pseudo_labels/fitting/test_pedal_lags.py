"""When the pedal moves: planted lags are measured, each piece weighing the same."""

from __future__ import annotations

import numpy as np
import pytest

from rater_etude import BEAT_SEC, N_BARS, UP, pedal_with_the_bass, play, study_score
from tocco.errors import InputError
from tocco.music.performance import PedalCurve
from tocco.pseudo_labels.fitting.pedal_lags import (
    REACH_SEC,
    PedalLags,
    measure_pedal_lags,
    nearest_lags,
    read_pedal_lags,
)
from tocco.pseudo_labels.observed.evidence import Evidence

SCORE = study_score()


def pedal_of(sustain: PedalCurve) -> PedalLags | None:
    return read_pedal_lags(Evidence(*play(SCORE, sustain=sustain)))


@pytest.mark.parametrize("lag_sec", [-0.08, 0.0, 0.05, 0.2])
def test_a_pedal_that_lifts_late_is_measured_so(lag_sec: float) -> None:
    found = pedal_of(pedal_with_the_bass(lag_sec))
    assert found is not None
    # Of 128 chords the six that ask most, which are all with the bass.
    assert found.n_onsets == 6
    np.testing.assert_allclose(found.lift_sec, lag_sec, atol=0.002)
    # It goes down a tenth of a second after each lift: the second half of a change, and no beginning.
    assert len(found.press_sec) <= 1


def test_a_pedal_that_was_up_is_pressed_after_the_bass() -> None:
    bar_sec = 1.0 + 4.0 * BEAT_SEC * np.arange(N_BARS)
    time_sec = np.stack([bar_sec + 0.07, bar_sec + 0.07 + 2.0 * BEAT_SEC], axis=1).ravel()
    found = pedal_of(PedalCurve(time_sec, np.tile([127.0, 0.0], N_BARS)))
    assert found is not None
    assert len(found.press_sec) > 0
    np.testing.assert_allclose(found.press_sec, 0.07, atol=0.002)


def test_without_pedal_or_score_there_is_no_pedal() -> None:
    assert pedal_of(UP) is None
    assert read_pedal_lags(Evidence(play(SCORE, sustain=pedal_with_the_bass())[0])) is None


def test_the_nearest_movement_counts_either_way(rng: np.random.Generator) -> None:
    called, moved = np.sort(rng.uniform(0.0, 50.0, 40)), np.sort(rng.uniform(0.0, 50.0, 60))
    away = moved[:, None] - called
    nearest = away[np.abs(away).argmin(axis=0), np.arange(len(called))]
    np.testing.assert_allclose(nearest_lags(called, moved), nearest[np.abs(nearest) <= REACH_SEC])
    assert nearest_lags(called, np.zeros(0)).shape == (0,)


def test_every_piece_weighs_the_same() -> None:
    """Nine hundred lifts of one piece at 100 ms, thirty of two others at 0: the middle is theirs."""
    none = np.zeros(0)
    lags = [
        PedalLags(np.full(900, 0.1), np.array([0.2]), 1000),
        None,
        PedalLags(np.zeros(15), none, 20),
        PedalLags(np.zeros(15), none, 20),
    ]
    found = measure_pedal_lags(lags, ["long", "dry", "short", "other"])
    assert found.lift.lag_sec["50"] == 0.0
    assert found.lift.lag_sec["75"] == 0.1
    assert found.lift.n_moves == 930
    assert found.lift.share == pytest.approx(930 / 1040, abs=0.001)
    assert found.press.lag_sec == {"10": 0.2, "25": 0.2, "50": 0.2, "75": 0.2, "90": 0.2}


def test_a_pool_without_pedal_is_refused() -> None:
    with pytest.raises(InputError, match="has no lifts of the pedal near an onset where"):
        measure_pedal_lags([None, None], ["a", "b"])
    with pytest.raises(InputError, match="has no presses"):
        measure_pedal_lags([PedalLags(np.zeros(3), np.zeros(0), 4)], ["a"])

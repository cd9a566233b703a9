"""What transcription takes from ratings: the shift, the wider intervals, what is missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tocco.inference.bundle import example_path
from tocco.inference.intervals import DimensionCalibration, IntervalCalibration
from tocco.inference.shortfalls import Shortfalls
from tocco.inference.transcription_loss import (
    UNHEARD_MEASURES,
    DimensionLoss,
    TranscriptionLoss,
    as_by_keys,
    unheard_dimensions,
    widened,
    without_unheard,
)
from tocco.inference.verdict import ModelVerdict
from tocco.inference.windows import centre_weighted_merge
from tocco.music.midi import load_midi
from tocco.music.performance import Performance

NAMES = ("phrasing", "musicality", "tone_quality")
LOSS = {"phrasing": DimensionLoss(shift=3.0, sd=2.0), "musicality": DimensionLoss(shift=-1.0, sd=0.0)}


def verdict() -> ModelVerdict:
    merge = centre_weighted_merge(np.array([[0.0, 20.0], [10.0, 30.0]]), np.array([True, True]))
    n = len(merge.time_sec)
    return ModelVerdict(
        names=NAMES,
        rating=np.array([50.0, 60.0, 70.0]),
        sd=np.array([4.0, 4.0, 4.0]),
        curve=np.full((n, 3), 55.0),
        curve_sd=np.full((n, 3), 5.0),
        window_sd=np.full((2, 3), 5.0),
        merge=merge,
    )


def heard(velocity_sd: float) -> Performance:
    """A transcription of the example, with velocities of a given spread around 64."""
    played = load_midi(example_path() / "minuet.mid")
    around = np.where(np.arange(len(played)) % 2, velocity_sd, -velocity_sd)
    around[-1] = 0.0 if len(played) % 2 else around[-1]
    return replace(played, velocity=64.0 + around, origin="transcribed")


def calibration(scale: float) -> IntervalCalibration:
    known = {name: DimensionCalibration(scale=scale, n=100) for name in NAMES}
    return IntervalCalibration(protocol="made up", dimensions=known)


def test_perception_moves_with_its_curve() -> None:
    moved = as_by_keys(verdict(), LOSS)
    assert moved.rating.tolist() == [53.0, 59.0, 70.0]
    assert moved.curve[0].tolist() == [58.0, 54.0, 55.0]
    assert moved.sd.tolist() == [4.0, 4.0, 4.0]


def test_intervals_hold_the_spread_of_transcription_as_well() -> None:
    intervals = calibration(1.8)
    before, after = verdict(), widened(verdict(), LOSS, intervals)
    half = intervals.interval(NAMES, after.rating, after.sd)[1] - after.rating
    earlier = intervals.interval(NAMES, before.rating, before.sd)[1] - before.rating
    assert half[0] == pytest.approx(np.hypot(earlier[0], 1.6449 * 2.0))
    assert half[1:].tolist() == pytest.approx(earlier[1:].tolist())
    assert (after.curve_sd[:, 0] > before.curve_sd[:, 0]).all()
    np.testing.assert_array_equal(after.rating, before.rating)


def test_what_a_transcription_does_not_show_takes_nothing_off() -> None:
    missing = {"overlap": "no score", "smear_sec": "no score"}
    short = Shortfalls(
        {"pedal_held": 1.0, "flat_levels": 2.0, "note_errors": 0.5, "random_levels": 1.0}, missing
    )
    found = without_unheard(short, heard(9.0))
    assert found.of == {"note_errors": 0.5, "random_levels": 1.0}
    assert found.missing == {"overlap": "no score"}
    assert set(UNHEARD_MEASURES) == {"pedaling_technique", "pedal_held", "smear_sec", "flat_levels"}
    assert without_unheard(short, heard(5.0)).of == {"note_errors": 0.5}


@pytest.mark.parametrize(("sd", "is_unheard"), [(7.2, False), (6.1, False), (5.9, True), (4.8, True)])
def test_nothing_is_said_of_dynamics_where_the_recording_is_equally_loud(sd: float, is_unheard: bool) -> None:
    unheard = unheard_dimensions(heard(sd))
    assert ("dynamics_control" in unheard) == is_unheard
    assert "pedaling_technique" in unheard
    assert unheard_dimensions(replace(heard(sd), origin="keys")) == {}


def test_figures_are_those_with_or_without_a_score() -> None:
    loss = TranscriptionLoss(transcriber="toy 1", n=12, with_score=LOSS, without_score={})
    assert loss.of(has_score=True) == LOSS
    assert loss.of(has_score=False) == {}

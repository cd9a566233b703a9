"""Whether one performance is better than another: intervals, thresholds, copies of one take."""

from __future__ import annotations

import math

import numpy as np
import pytest

from comparison_example import LEARNED, calibration, take
from tocco.errors import BundleError, MismatchError
from tocco.inference.assessment import Assessment
from tocco.inference.bundle import load_bundle
from tocco.inference.difference import (
    LEAST_SD,
    SAME_TAKE_DISTANCE,
    RatingDifference,
    Trust,
    figures_of,
    rating_differences,
    same_take_share,
    stated_difference,
    timing_distance,
)
from tocco.inference.transcription_loss import NORMAL_90, DimensionLoss, TranscriptionLoss

APART = 0.3
"""Seconds of stretch by which two takes are surely not one take."""


def between(
    points: dict[str, float], *, stretch: float = APART, same_music: bool = True
) -> dict[str, RatingDifference]:
    return rating_differences(take(points, stretch=stretch), take(), calibration(), same_music=same_music)


def test_the_interval_is_that_of_the_expected_difference_and_holds_the_plain_one() -> None:
    found = between({"phrasing": 20.0})["phrasing"]
    sd = math.hypot(4.0, LEAST_SD)
    assert (found.value, found.expected) == (20.0, 10.0)
    assert found.sd == pytest.approx(sd, abs=0.01)
    assert found.interval_90 == pytest.approx((10.0 - NORMAL_90 * sd, 20.0), abs=0.01)
    assert found.verdict == "better"


def test_the_other_way_round_it_is_worse() -> None:
    found = rating_differences(
        take(), take({"phrasing": 20.0}, stretch=APART), calibration(), same_music=True
    )
    assert found["phrasing"].verdict == "worse"
    assert found["phrasing"] == between({"phrasing": 20.0})["phrasing"].reversed()


@pytest.mark.parametrize(("points", "verdict"), [(13.5, "better"), (13.0, "undecided"), (-13.5, "worse")])
def test_it_is_said_where_the_interval_leaves_out_zero(points: float, verdict: str) -> None:
    # 1.645 x hypot(4, .5) = 6.63 points expected, at a gain of one half
    assert between({"musicality": points})["musicality"].verdict == verdict


@pytest.mark.parametrize(("points", "verdict"), [(11.9, "undecided"), (12.0, "better")])
def test_it_is_said_only_from_the_size_on_that_raters_agreed_with(points: float, verdict: str) -> None:
    assert stated_difference(points, Trust(1.0, 1.0, least_difference=12.0)).verdict == verdict


def test_other_music_has_figures_of_its_own() -> None:
    found = between({"phrasing": 20.0}, same_music=False)["phrasing"]
    assert found.expected == 20.0
    assert found.sd == pytest.approx(math.hypot(8.0, LEAST_SD), abs=0.01)


def test_what_is_counted_by_rule_is_expected_as_it_is() -> None:
    found = between({"note_accuracy": -20.0})["note_accuracy"]
    one_sd = 5.0 / (2.0 * NORMAL_90)
    assert found.expected == found.value == -20.0
    assert found.sd == pytest.approx(math.sqrt(2.0 * one_sd**2 + LEAST_SD**2), abs=0.01)
    assert found.verdict == "worse"


def combined(perception: float, taken: float) -> Assessment:
    """The example, with phrasing put together from these."""
    made = take().model_dump()
    value = perception - taken
    made["ratings"]["phrasing"] |= {
        "value": value,
        "interval_90": (value - 9.0, value + 9.0),
        "source": "combined",
        "perception": perception,
        "deductions": {"lost_time": taken},
    }
    return Assessment.model_validate(made)


def test_of_a_changed_copy_small_deductions_are_said_since_its_error_is_the_same() -> None:
    copy = rating_differences(combined(70.0, 2.0), combined(70.0, 5.0), calibration(), same_music=True)
    assert copy["phrasing"].sd == LEAST_SD
    assert copy["phrasing"].verdict == "better"
    assert between({"phrasing": 3.0})["phrasing"].verdict == "undecided"


def test_what_perception_makes_of_a_changed_copy_counts_as_error() -> None:
    moved = rating_differences(combined(76.0, 5.0), combined(70.0, 5.0), calibration(), same_music=True)
    assert moved["phrasing"].sd == pytest.approx(math.hypot(6.0, LEAST_SD), abs=0.01)
    assert moved["phrasing"].verdict == "undecided"
    damaged = rating_differences(combined(71.0, 25.0), combined(70.0, 5.0), calibration(), same_music=True)
    assert damaged["phrasing"].verdict == "worse"


def test_the_shared_error_falls_with_the_distance_of_the_timing_to_nothing_at_the_limit() -> None:
    assert same_take_share(take().alignment, take().alignment) == 1.0
    for stretch in (0.01, 0.02, 0.3):
        moved = take(stretch=stretch).alignment
        distance = timing_distance(moved, take().alignment)
        assert distance is not None
        assert same_take_share(moved, take().alignment) == pytest.approx(max(0.0, 1.0 - distance / 0.02))
    assert SAME_TAKE_DISTANCE == 0.02


def test_the_distance_of_the_timing_is_the_typical_change_of_a_step() -> None:
    moved = take(stretch=0.1).alignment
    steps = np.diff([0.1 * math.sin(2.4 * k) for k in range(32)])
    change = np.log1p(steps / 2.0)
    expected = float(np.median(np.abs(change - np.median(change))))
    assert timing_distance(moved, take().alignment) == pytest.approx(expected, abs=1e-3)


def test_a_tempo_that_is_slower_throughout_is_no_distance() -> None:
    slow = take().model_dump()
    for note in slow["alignment"]["match"]:
        note["time_sec"] *= 1.5
    assert timing_distance(type(take()).model_validate(slow).alignment, take().alignment) == pytest.approx(
        0.0, abs=1e-3
    )


def test_without_a_score_or_with_few_common_notes_the_distance_is_not_known() -> None:
    assert timing_distance(None, take().alignment) is None
    short = take().alignment
    assert short is not None
    fewer = {"match": short.match[:15], "counts": {**short.counts, "match": 15}}
    assert timing_distance(short.model_copy(update=fewer), short) is None
    enough = {"match": short.match[:16], "counts": {**short.counts, "match": 16}}
    assert timing_distance(short.model_copy(update=enough), short) == 0.0


def test_the_aggregate_adds_learned_and_counted_parts() -> None:
    found = between({"note_accuracy": -20.0, "phrasing": 10.0})["aggregate"]
    weights = {part.dimension: part.weight for part in take().aggregate.parts}
    counted, learned = -20.0 * weights["note_accuracy"], 10.0 * weights["phrasing"]
    assert found.value == pytest.approx(counted + learned, abs=0.01)
    assert found.expected == pytest.approx(counted + 0.5 * learned, abs=0.01)


def test_a_loss_of_transcription_widens_the_difference() -> None:
    heard = take().model_dump()
    heard["inputs"]["notes"] = "transcribed"
    one = type(take()).model_validate(heard)
    of_all = {name: DimensionLoss(shift=0.0, sd=3.0) for name in LEARNED}
    loss = TranscriptionLoss(transcriber="some", n=20, with_score=of_all, without_score=of_all)
    found = rating_differences(one, take(stretch=APART), calibration(), same_music=True, loss=loss)
    assert found["phrasing"].sd == pytest.approx(math.sqrt(4.0**2 + 3.0**2 + LEAST_SD**2), abs=0.01)
    weights = {part.dimension: part.weight for part in one.aggregate.parts if part.dimension in LEARNED}
    share = sum(weights.values())
    learned = share * math.sqrt(4.0**2 + 3.0**2 + LEAST_SD**2)
    by_rule = (1.0 - share) * math.sqrt(2.0 * (5.0 / (2.0 * NORMAL_90)) ** 2 + LEAST_SD**2)
    assert found["aggregate"].sd == pytest.approx(math.hypot(learned, by_rule), abs=0.01)


def test_what_one_of_the_two_lacks_is_absent() -> None:
    lacking = take().model_dump()
    lacking["ratings"]["phrasing"] = {"value": None, "source": "missing", "reason": "not heard"}
    lacking["aggregate"]["parts"] = ()
    lacking["aggregate"] |= {"value": None, "interval_90": None, "reason": "missing: phrasing"}
    found = rating_differences(type(take()).model_validate(lacking), take(), calibration(), same_music=True)
    assert "phrasing" not in found
    assert "aggregate" not in found
    assert "musicality" in found


def test_ratings_of_two_bundles_are_not_compared() -> None:
    other = take().model_dump()
    other["bundle"]["sha256"] = "e" * 64
    with pytest.raises(MismatchError, match="same bundle"):
        rating_differences(type(take()).model_validate(other), take(), calibration(), same_music=True)


def test_a_bundle_without_figures_says_how_to_find_them() -> None:
    with pytest.raises(BundleError, match="fit-differences"):
        figures_of(None, "toy 1")


def test_the_bundle_that_ships_knows_every_learned_dimension_and_the_aggregate() -> None:
    found = figures_of(load_bundle().calibration.differences, "tocco-compact")
    assert set(found.with_score) == set(found.without_score) == {*LEARNED, "aggregate"}
    rhythm = found.with_score["rhythmic_precision"].same_music
    assert (rhythm.gain, rhythm.least_difference, rhythm.n) == (1.0, 23.5, 4591)
    assert rhythm.sd == pytest.approx(9.3, abs=0.1)

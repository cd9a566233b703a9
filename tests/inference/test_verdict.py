import numpy as np
import pytest

from tocco.inference.assessment import Rating
from tocco.inference.intervals import DimensionCalibration, IntervalCalibration
from tocco.inference.verdict import aggregate, at_level, curve, merge_known, merge_windows, model_ratings
from tocco.inference.windows import centre_weighted_merge
from tocco.models.predictor import Prediction
from tocco.rubrics import TOCCO10

NAMES = ("phrasing", "musicality")


@pytest.fixture
def intervals() -> IntervalCalibration:
    return IntervalCalibration(
        protocol="test", dimensions={"phrasing": DimensionCalibration(scale=2.0, n=100, reliability=0.7)}
    )


def two_windows(first: float, second: float, sd: float = 4.0):
    bounds = np.array([[0.0, 10.0], [10.0, 20.0]])
    merge = centre_weighted_merge(bounds, np.array([True, True]))
    rating = np.array([[first, 50.0], [second, 50.0]])
    return merge_windows(NAMES, rating, np.full_like(rating, sd), merge)


def test_the_whole_is_the_mean_of_its_windows_and_as_unsure_as_they_are() -> None:
    verdict = two_windows(40.0, 60.0)
    assert verdict.rating == pytest.approx([50.0, 50.0])
    assert verdict.sd == pytest.approx([4.0, 4.0])
    assert verdict.curve[0, 0] == pytest.approx(40.0)
    assert verdict.curve[-1, 0] == pytest.approx(60.0)


def test_the_level_of_the_whole_moves_the_curve_and_keeps_its_shape() -> None:
    verdict = two_windows(40.0, 60.0)
    whole = Prediction(np.array([[70.0, 10.0]]), np.array([[8.0, 2.0]]))
    moved = at_level(verdict, ("phrasing", "expressiveness"), whole, 0.75)
    assert moved.rating == pytest.approx([0.25 * 50 + 0.75 * 70, 50.0])
    assert moved.sd == pytest.approx([0.25 * 4 + 0.75 * 8, 4.0])
    assert moved.curve[:, 0] == pytest.approx(verdict.curve[:, 0] + 15.0)
    assert moved.curve[:, 1] == pytest.approx(verdict.curve[:, 1])
    assert moved.curve_sd[:, 0] == pytest.approx(7.0)
    assert moved.window_sd == pytest.approx(verdict.window_sd)
    assert verdict.rating == pytest.approx([50.0, 50.0])


def test_a_level_stays_on_the_scale() -> None:
    whole = Prediction(np.array([[110.0]]), np.array([[8.0]]))
    moved = at_level(two_windows(80.0, 96.0), ("phrasing",), whole, 1.0)
    assert moved.rating[0] == 100.0
    assert moved.curve[:, 0].max() == 100.0


def test_only_calibrated_outputs_are_rated(intervals: IntervalCalibration) -> None:
    ratings = model_ratings(two_windows(40.0, 60.0), intervals)
    assert set(ratings) == {"phrasing"}
    assert ratings["phrasing"].interval_90 == (42.0, 58.0)
    assert ratings["phrasing"].sigma == pytest.approx(8.0 / 1.645, abs=0.01)
    assert ratings["phrasing"].reliability == 0.7


def test_an_interval_stays_on_the_scale(intervals: IntervalCalibration) -> None:
    assert model_ratings(two_windows(98.0, 98.0), intervals)["phrasing"].interval_90 == (90.0, 100.0)


def given(value: float, width: float = 10.0) -> Rating:
    return Rating(value=value, sigma=3.0, interval_90=(value - width, value + width), source="model")


def test_the_aggregate_is_weighted_and_its_interval_errs_on_the_wide_side() -> None:
    ratings = {name: given(60.0) for name in TOCCO10.names} | {"phrasing": given(80.0, 20.0)}
    found = aggregate(ratings, TOCCO10)
    assert found.value == pytest.approx(0.85 * 60 + 0.15 * 80)
    assert found.interval_90 == pytest.approx((0.85 * 50 + 0.15 * 60, 0.85 * 70 + 0.15 * 100))

    assert [(p.dimension, p.value, p.weight) for p in found.parts][:2] == [
        ("note_accuracy", 60.0, 0.175),
        ("rhythmic_precision", 60.0, 0.175),
    ]
    assert len(found.parts) == 7
    assert found.without == ()


def test_what_is_missing_leaves_its_share_of_the_aggregate_to_the_others() -> None:
    ratings = {name: given(60.0) for name in TOCCO10.names} | {"phrasing": given(80.0, 20.0)}
    ratings["note_accuracy"] = Rating.missing("no score was given")
    found = aggregate(ratings, TOCCO10)
    assert found.value == pytest.approx((0.675 * 60 + 0.15 * 80) / 0.825, abs=0.01)
    assert found.without == ("note_accuracy",)
    assert sum(part.weight for part in found.parts) == pytest.approx(1.0, abs=1e-3)
    assert {p.dimension: p.weight for p in found.parts}["phrasing"] == pytest.approx(0.15 / 0.825, abs=1e-4)
    assert found.weights["phrasing"] == 0.15


@pytest.mark.parametrize(
    ("names", "is_given"),
    [
        (("note_accuracy", "rhythmic_precision", "phrasing"), True),  # .35 + .15 of the shares
        (("note_accuracy", "rhythmic_precision", "musicality"), False),  # .35 + .125
    ],
)
def test_an_aggregate_needs_half_of_its_shares(names, is_given) -> None:
    found = aggregate({name: given(60.0) for name in names}, TOCCO10)
    assert (found.value is not None) == is_given
    if not is_given:
        assert found.parts == ()
        assert found.reason is not None
        assert "phrasing" in found.reason


def test_the_curve_has_a_band_where_the_model_rates_and_none_where_it_computes(
    intervals: IntervalCalibration,
) -> None:
    verdict = two_windows(40.0, 60.0)
    accuracy = np.full(len(verdict.merge.time_sec), 99.0)
    accuracy[3] = np.nan
    drawn = curve(verdict, intervals, ["note_accuracy", "phrasing"], {"note_accuracy": accuracy})
    assert drawn.value["note_accuracy"][3] is None
    assert drawn.low_90["phrasing"][0] == pytest.approx(32.0)
    assert "note_accuracy" not in drawn.low_90
    assert drawn.start_sec[0] == 0.0
    assert drawn.end_sec[-1] == 20.0


def test_variances_are_merged_and_not_standard_deviations() -> None:
    """Windows of 3 and 5 points: the root of (9 + 25) / 2 for the whole, and of the shares over time."""
    bounds = np.array([[0.0, 10.0], [5.0, 15.0]])
    merge = centre_weighted_merge(bounds, np.array([True, True]))
    sd = np.array([[3.0, 3.0], [5.0, 3.0]])
    verdict = merge_windows(NAMES, np.full((2, 2), 50.0), sd, merge)
    assert merge.window_share == pytest.approx([0.5, 0.5])
    assert verdict.sd == pytest.approx([np.sqrt(17.0), 3.0])
    middle = int(np.argmin(np.abs(merge.time_sec - 7.5)))
    share = merge.share[middle]
    assert verdict.curve_sd[middle, 0] == pytest.approx(np.sqrt(9.0 * share[0] + 25.0 * share[1]))
    assert verdict.names == NAMES


def test_windows_without_a_value_have_no_say_and_where_none_has_one_there_is_none() -> None:
    bounds = np.array([[0.0, 10.0], [5.0, 15.0], [20.0, 30.0]])
    merge = centre_weighted_merge(bounds, np.array([True, True, True]))
    value = np.array([90.0, np.nan, np.nan])
    merged = merge_known(value, merge)
    time = merge.time_sec
    assert merged[time < 10.0] == pytest.approx(90.0)
    assert np.isnan(merged[time > 10.0]).all()
    both = merge_known(np.array([90.0, 60.0, 80.0]), merge)
    assert both == pytest.approx(merge.curve(np.array([[90.0], [60.0], [80.0]])).ravel())
    assert merge_known(np.array([100.0 + 1e-9, 100.0, -1e-9]), merge).max() == 100.0
    assert merge_known(np.array([0.0, 0.0, -1e-9]), merge).min() == 0.0

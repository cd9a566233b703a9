import numpy as np
import pytest

from rater_etude import play, study_score
from tocco.inference import passages
from tocco.inference.assessment import Curve
from tocco.inference.passages import WindowErrors, difference_sigma, moments, quantile_of_extreme
from tocco.inference.windows import Merge, centre_weighted_merge

N = 12
BOUNDS = np.array([[10.0 * k, 10.0 * k + 10.0] for k in range(N)])


def side_by_side(values: list[float]) -> tuple[Merge, Curve]:
    """Windows of ten seconds that do not overlap, one value each."""
    merge = centre_weighted_merge(BOUNDS, np.ones(N, dtype=bool), step_sec=10.0)
    time = tuple(merge.time_sec.tolist())
    return merge, Curve(
        time_sec=time,
        start_sec=tuple(t - 5.0 for t in time),
        end_sec=tuple(t + 5.0 for t in time),
        value={"phrasing": tuple(None if np.isnan(v) else v for v in values)},
    )


def found(values: list[float], sigma: float, shared: float = 0.0):
    merge, shown = side_by_side(values)
    errors = {"phrasing": WindowErrors(np.full(N, sigma), shared)}
    return moments(shown, {"phrasing": float(np.nanmean(values))}, errors, merge, None)


VALUES = [60.0] * 5 + [48.0] + [60.0] * 6


def test_a_fall_within_its_uncertainty_is_none() -> None:
    # the margin is 2.63 sd (12 places) of a difference whose sd is sigma * sqrt(11 / 12)
    assert found(VALUES, sigma=4.6) == ()
    weakest, *others = found(VALUES, sigma=4.2)
    assert (weakest.kind, weakest.start_sec, weakest.end_sec, weakest.value) == ("weakest", 50.0, 60.0, 48.0)
    assert weakest.difference == pytest.approx(-11.0)
    assert weakest.margin == pytest.approx(4.2 * np.sqrt(11 / 12) * quantile_of_extreme(12), abs=0.01)
    assert others == []


def test_an_error_that_all_windows_share_does_not_count() -> None:
    assert found(VALUES, sigma=10.0, shared=0.0) == ()
    assert [moment.kind for moment in found(VALUES, sigma=10.0, shared=0.9)] == ["weakest"]


def test_strong_passages_count_the_same_way() -> None:
    assert [m.kind for m in found([100.0 - v for v in VALUES], sigma=4.2)] == ["strongest"]


def test_a_performance_that_hardly_moves_has_no_passage_however_sure() -> None:
    assert found([50.0] * 11 + [48.1], sigma=0.01) == ()
    assert len(found([50.0] * 11 + [47.0], sigma=0.01)) == 1


def test_a_passage_reaches_through_the_outer_quarter_of_the_range() -> None:
    weakest = found([50, 50, 41, 40, 42, 50, 50, 50, 50, 50, 50, 50], sigma=1.0)[0]
    assert (weakest.start_sec, weakest.end_sec) == (20.0, 50.0)
    assert weakest.value == pytest.approx(41.0)


def test_gaps_of_the_curve_are_no_passages() -> None:
    gap = float("nan")
    weakest = found([50, gap, 30, gap, 50, 50, 50, 50, 50, 50, 50, 50], sigma=1.0)[0]
    assert (weakest.start_sec, weakest.end_sec) == (20.0, 30.0)


def test_windows_that_overlap_share_their_error_as_far_as_they_do() -> None:
    bounds = np.array([[0.0, 10.0], [5.0, 15.0], [30.0, 40.0]])
    merge = centre_weighted_merge(bounds, np.ones(3, dtype=bool))
    assert merge.overlap.tolist() == [[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]]
    errors = WindowErrors(np.array([4.0, 4.0, 4.0]), shared=0.0)
    near = difference_sigma(np.array([1.0, -1.0, 0.0]), errors, merge.overlap)
    far = difference_sigma(np.array([1.0, 0.0, -1.0]), errors, merge.overlap)
    assert (near, far) == (pytest.approx(4.0), pytest.approx(4.0 * np.sqrt(2.0)))


def test_the_more_places_the_further_out_their_extreme() -> None:
    assert quantile_of_extreme(1) == pytest.approx(1.645, abs=0.001)
    assert quantile_of_extreme(20) > quantile_of_extreme(10) > quantile_of_extreme(1)
    draws = np.random.default_rng(0).normal(size=(20_000, 10))
    assert np.mean(np.abs(draws).max(axis=1) <= quantile_of_extreme(10)) == pytest.approx(0.9, abs=0.01)


def test_windows_without_a_rating_have_no_say() -> None:
    merge, shown = side_by_side(VALUES)
    sigma = np.full(N, 3.0)
    sigma[0] = np.nan
    found = moments(shown, {"phrasing": 59.0}, {"phrasing": WindowErrors(sigma, 0.0)}, merge, None)
    assert found[0].margin == pytest.approx(3.0 * np.sqrt(10 / 11) * quantile_of_extreme(12), rel=0.03)


def test_thresholds_are_the_stated_ones() -> None:
    assert (passages.SHARED_ERROR, passages.MIN_POINTS, passages.SHARE_OF_RANGE) == (0.13, 2.0, 0.25)


def test_a_passage_names_its_bars() -> None:
    """A study of 38.4 s at 0.6 s a beat from 1 s on: from 10 s, beat 15, to 20 s, beat 31.7."""
    _, alignment = play(study_score())
    merge, shown = side_by_side([60.0, 48.0, *[60.0] * 10])
    errors = {"phrasing": WindowErrors(np.full(N, 1.0), 0.0)}
    (weakest,) = moments(shown, {"phrasing": 59.0}, errors, merge, alignment)
    assert (weakest.start_sec, weakest.end_sec) == (10.0, 20.0)
    assert weakest.bars is not None
    assert weakest.bars[0] == "4"


def test_a_curve_without_points_has_no_passage() -> None:
    merge, shown = side_by_side([float("nan")] * 12)
    errors = {"phrasing": WindowErrors(np.full(N, 1.0), 0.0)}
    assert moments(shown, {"phrasing": 50.0}, errors, merge, None) == ()

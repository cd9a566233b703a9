import numpy as np
import pytest

from tocco.inference.applicability import LIMIT, Applicability, fit_applicability

NAMES = tuple(f"s{i}" for i in range(10))


@pytest.fixture
def training(rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(10.0, 20.0, (400, 10))


def test_held_out_music_of_the_same_kind_is_inside(training: np.ndarray, rng: np.random.Generator) -> None:
    applicability = fit_applicability(NAMES, training)
    assert applicability.outside(rng.uniform(8.0, 22.0, (3, 10))).share == 0.0


def test_the_share_counts_measures_out_of_range_and_names_the_furthest(training: np.ndarray) -> None:
    applicability = fit_applicability(NAMES, training)
    other = np.full((2, 10), 15.0)
    other[:, 4], other[:, 7], other[:, 1] = 60.0, 31.0, -50.0
    outside = applicability.outside(other)
    assert outside.share == pytest.approx(0.3)
    assert [name.split()[0] for name in outside.worst] == ["s1", "s4", "s7"]
    assert outside.share > LIMIT


def test_missing_measures_do_not_count(training: np.ndarray) -> None:
    applicability = fit_applicability(NAMES, training)
    other = np.full((2, 10), np.nan)
    other[:, 0], other[0, 1] = 100.0, 15.0
    assert applicability.outside(other).share == pytest.approx(0.5)


def test_a_measure_that_training_hardly_knows_is_left_out(training: np.ndarray) -> None:
    training[:300, 2] = np.nan
    assert "s2" not in fit_applicability(NAMES, training).names


def test_ranges_are_the_middle_99_percent_and_half_as_much_again_on_either_side() -> None:
    training = np.linspace(0.0, 1000.0, 2001).reshape(-1, 1)
    fitted = fit_applicability(["tempo"], training)
    assert (fitted.low[0], fitted.high[0]) == pytest.approx((5.0 - 495.0, 995.0 + 495.0))
    assert fitted.names == ("tempo",)


def test_more_than_a_fifth_of_the_measures_is_too_much() -> None:
    assert LIMIT == 0.2
    assert fit_applicability(["tempo"], np.ones((3, 1))).limit == LIMIT


def test_a_measure_that_never_varies_leaves_hardly_any_room() -> None:
    fitted = fit_applicability(["tempo"], np.full((9, 1), 5.0))
    assert (5.0 - fitted.low[0], fitted.high[0] - 5.0) == pytest.approx((5e-7, 5e-7))
    assert fitted.outside(np.array([[5.0 + 4e-7]])).share == 0.0
    assert fitted.outside(np.array([[5.0 + 6e-7]])).share == 1.0


def test_a_measure_seen_in_half_of_the_windows_is_kept() -> None:
    training = np.arange(20.0).reshape(10, 2)
    training[:5, 1] = np.nan
    assert fit_applicability(["a", "b"], training).names == ("a", "b")
    training[5, 1] = np.nan
    assert fit_applicability(["a", "b"], training).names == ("a",)


@pytest.fixture
def five() -> Applicability:
    """Five measures, each from 10 to 20."""
    return Applicability(names=tuple("abcde"), low=(10.0,) * 5, high=(20.0,) * 5)


def test_the_ends_of_a_range_belong_to_it(five: Applicability) -> None:
    assert five.outside(np.array([[10.0, 20.0, 9.999, 20.001, 15.0]])).share == pytest.approx(2 / 5)


def test_up_to_three_measures_are_named_with_their_range(five: Applicability) -> None:
    outside = five.outside(np.array([[22.0, 9.0, 26.0, 4.12345, 15.0]]))
    assert outside.worst == ("c 26 (10 to 20)", "d 4.12 (10 to 20)", "a 22 (10 to 20)")
    assert outside.share == pytest.approx(4 / 5)


def test_the_mean_over_the_windows_counts(five: Applicability) -> None:
    windows = np.full((2, 5), 15.0)
    windows[:, 0] = 5.0, 16.0
    assert five.outside(windows).share == 0.0
    windows[:, 0] = 5.0, 14.0
    assert five.outside(windows).worst == ("a 9.5 (10 to 20)",)


def test_distance_is_in_spans_of_the_range() -> None:
    applicability = Applicability(names=("narrow", "wide"), low=(0.0, 0.0), high=(1.0, 100.0))
    outside = applicability.outside(np.array([[2.0, 150.0]]))
    assert [name.split()[0] for name in outside.worst] == ["narrow", "wide"]
    point = Applicability(names=("point", "wide"), low=(3.0, 0.0), high=(3.0, 1.0))
    assert point.outside(np.array([[3.001, 1e5]])).worst[0].startswith("point")


def test_nothing_measured_is_nothing_outside(five: Applicability) -> None:
    outside = five.outside(np.full((2, 5), np.nan))
    assert (outside.share, outside.worst) == (0.0, ())

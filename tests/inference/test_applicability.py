import numpy as np
import pytest

from tocco.inference.applicability import LIMIT, fit_applicability

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

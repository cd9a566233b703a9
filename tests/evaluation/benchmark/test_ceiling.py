import numpy as np
import pytest

from tocco.evaluation.benchmark.ceiling import pair_ceiling, reliability_within
from tocco.metrics import pair_accuracy


def test_a_perfect_system_reaches_the_ceiling_of_pairs(rng: np.random.Generator) -> None:
    true = rng.normal(50.0, 10.0, 1500)
    for noise_sd in (5.0, 10.0, 20.0):
        noisy = true + rng.normal(0.0, noise_sd, len(true))
        reliability = 100.0 / (100.0 + noise_sd**2)
        assert pair_accuracy(noisy, true) == pytest.approx(float(pair_ceiling(reliability)), abs=0.012)


def test_reliability_within_groups_ignores_what_groups_have_in_common(rng: np.random.Generator) -> None:
    groups = np.repeat(np.arange(300), 5)
    true = rng.normal(0.0, 6.0, len(groups))
    raters = true[:, None] + rng.normal(0.0, 10.0, (len(groups), 4))
    for spread in (0.0, 30.0):
        label = raters.mean(axis=1) + rng.normal(0.0, spread, 300)[groups]
        found = reliability_within(
            label[:, None], raters.std(axis=1, ddof=1)[:, None], np.full(len(groups), 4.0), groups
        )
        assert found[0] == pytest.approx(36.0 / (36.0 + 25.0), abs=0.04)


def test_groups_of_one_say_nothing() -> None:
    label, sd = np.array([[10.0], [90.0]]), np.full((2, 1), 5.0)
    assert np.isnan(reliability_within(label, sd, np.full(2, 3.0), np.array(["a", "b"])))[0]
    pair = np.array([[40.0], [60.0], [95.0]])
    noisy = np.array([[10.0], [10.0], [60.0]])
    with_single = reliability_within(pair, noisy, np.full(3, 2.0), np.array(["a", "a", "b"]))
    assert with_single[0] == pytest.approx(0.75)


def test_noise_that_exceeds_the_differences_leaves_nothing() -> None:
    label, sd = np.array([[50.0], [51.0]]), np.full((2, 1), 30.0)
    assert reliability_within(label, sd, np.full(2, 2.0), np.array(["a", "a"]))[0] == 0.0

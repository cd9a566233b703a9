"""Kernel ridge regression that damage hardly moves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tocco.errors import BundleError
from tocco.models.damage_invariant_ridge import (
    DamagedCopies,
    DamageInvariantRidge,
    damage_metric,
    fit_damage_invariant_ridge,
    kernel,
    squared_distances,
)
from tocco.models.predictor import PredictorInput, StatisticsTable
from tocco.models.registry import load_predictor

NAMES = ("speed", "stops")


def data(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, DamagedCopies]:
    """Ratings that follow the first statistic; damage moves the second, which follows the first a little."""
    speed = rng.normal(size=120)
    inputs = np.column_stack((speed, 0.5 * speed + rng.normal(scale=0.5, size=120)))
    labels = (50.0 + 10.0 * speed)[:, None]
    original = np.arange(120)
    return inputs, labels, DamagedCopies(inputs + np.array([0.0, 3.0]), original)


def rating(predictor: DamageInvariantRidge, inputs: np.ndarray) -> np.ndarray:
    return predictor.predict(PredictorInput(statistics=StatisticsTable(NAMES, inputs))).rating[:, 0]


def test_damage_moves_the_rating_less_the_more_it_is_discounted(rng: np.random.Generator) -> None:
    inputs, labels, damaged = data(rng)
    moved = []
    for invariance in (0.0, 10.0, 100.0):
        fitted = fit_damage_invariant_ridge(
            ("quality",), NAMES, inputs, labels, damaged, invariance=invariance
        )
        moved.append(np.abs(rating(fitted, damaged.statistics) - rating(fitted, inputs)).mean())
    assert moved[1] < 0.5 * moved[0]
    assert moved[2] < moved[1]


def test_what_the_labels_follow_is_still_learned(rng: np.random.Generator) -> None:
    inputs, labels, damaged = data(rng)
    fitted = fit_damage_invariant_ridge(("quality",), NAMES, inputs, labels, damaged)
    assert np.corrcoef(rating(fitted, inputs), labels[:, 0])[0, 1] > 0.99
    assert fitted.sd[0] == pytest.approx(labels.std())


def test_the_metric_shrinks_the_direction_of_the_damage() -> None:
    metric = damage_metric(np.array([[0.0, 2.0], [0.0, -2.0]]), 2.0)
    np.testing.assert_allclose(metric, [[1.0, 0.0], [0.0, 1.0 / 3.0]], atol=1e-12)  # 1 / sqrt(1 + 2 * 4)
    np.testing.assert_allclose(damage_metric(np.zeros((0, 2)), 10.0), np.eye(2), atol=1e-12)


def test_the_kernel_is_rational_quadratic_and_a_little_linear() -> None:
    a, b = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_allclose(squared_distances(a, b), [[2.0, 0.0]])
    np.testing.assert_allclose(kernel(a, b, 2.0), [[0.5, 1.0 + 0.2 / 2.0]])


def test_copies_follow_their_originals() -> None:
    copies = DamagedCopies(np.arange(6.0).reshape(3, 2), np.array([5, 2, 5]))
    found = copies.of(np.array([2, 5]))
    np.testing.assert_array_equal(found.original, [1, 0, 1])
    np.testing.assert_array_equal(copies.of(np.array([2])).statistics, [[2.0, 3.0]])


def test_what_is_stored_rates_alike(rng: np.random.Generator, tmp_path: Path) -> None:
    inputs, labels, damaged = data(rng)
    fitted = fit_damage_invariant_ridge(("quality",), NAMES, inputs, labels, damaged)
    fitted.save(tmp_path)
    found = load_predictor(tmp_path)
    assert isinstance(found, DamageInvariantRidge)
    missing = np.where(rng.random(inputs.shape) < 0.2, np.nan, inputs)
    np.testing.assert_array_equal(rating(found, missing), rating(fitted, missing))


def test_a_file_that_contradicts_itself_is_refused(rng: np.random.Generator, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    inputs, labels, damaged = data(rng)
    fit_damage_invariant_ridge(("quality",), NAMES, inputs, labels, damaged).save(tmp_path)
    file = tmp_path / "predictor.safetensors"
    arrays = load_file(file)
    for name, value, said in (
        ("dual", arrays["dual"][1:], "differ in length"),
        ("distance", np.zeros(1), "above 0"),
        ("statistics_sd", -arrays["statistics_sd"], "above 0"),
    ):
        save_file(arrays | {name: np.ascontiguousarray(value)}, file)
        with pytest.raises(BundleError, match=said):
            load_predictor(tmp_path)

"""Kernel regression against norms: weights, kernel, what is learned, and files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tocco.errors import BundleError
from tocco.models.norm_kernel import (
    KernelSettings,
    NormKernelRidge,
    feature_weights,
    fit_norm_kernel_ridge,
    weighted_kernel,
)
from tocco.models.predictor import PredictorInput, StatisticsTable
from tocco.models.predictor_files import ARRAYS, HEADER, write_arrays
from tocco.models.registry import load_predictor
from tocco.models.statistics_norms import NormNames, StatisticsNorms, fit_statistics_norms

NAN = float("nan")
NAMES = NormNames(("a", "b"), (("first.a", "first.b"),), ("w",))
TARGETS = ("phrasing", "musicality")


def measures(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.normal(0.0, 1.0, (n, len(NAMES.all)))


@pytest.fixture(scope="module")
def norms() -> StatisticsNorms:
    rng = np.random.default_rng(1)
    return fit_statistics_norms(NAMES, StatisticsTable(NAMES.all, measures(rng, 300)), rng)


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    x = measures(rng, 160)
    y = np.column_stack([50 + 6 * x[:, 0], 40 + 5 * x[:, 1] ** 2])
    y[:30, 1] = NAN
    return x, y


@pytest.fixture(scope="module")
def fitted(norms: StatisticsNorms, data: tuple[np.ndarray, np.ndarray]) -> NormKernelRidge:
    x, y = data
    return fit_norm_kernel_ridge(TARGETS, norms, x[:120], y[:120])


def rows(values: np.ndarray) -> PredictorInput:
    return PredictorInput(statistics=StatisticsTable(NAMES.all, values))


def test_a_linear_and_a_curved_relation_are_learned(fitted: NormKernelRidge, data) -> None:
    x, y = data
    said = fitted.predict(rows(x[120:])).rating
    left = ((said - y[120:]) ** 2).mean(axis=0) / y[120:].var(axis=0)
    assert left[0] < 0.1
    assert left[1] < 0.6
    assert fitted.predict(rows(x[120:])).sd[3] == pytest.approx(np.nanstd(y[:120], axis=0))


def test_the_kernel_is_an_inverse_quadratic_and_a_linear_one() -> None:
    a, b = np.array([[1.0, 2.0]]), np.array([[0.0, 2.0], [1.0, 0.0]])
    weight = np.array([1.5, 0.5])
    found = weighted_kernel(a, b, weight, KernelSettings(width=2.0, linear=0.3))
    distance, product = np.array([1.5, 0.5 * 4]) / 2, np.array([0.5 * 4, 1.5]) / 2
    assert found[0] == pytest.approx(1 / (1 + distance / 8) + 0.3 * product)


def test_the_ratings_solve_the_ridge_equations(fitted: NormKernelRidge, data) -> None:
    _, y = data
    z = fitted.training.astype(float)
    for d in range(2):
        there = np.isfinite(y[:120, d])
        kernel = weighted_kernel(z[there], z[there], fitted.weight[d].astype(float), fitted.settings)
        target = y[:120][there, d] - fitted.mean[d]
        assert kernel @ fitted.dual[there, d] + 0.5 * fitted.dual[there, d] == pytest.approx(target)
        assert (fitted.dual[~there, d] == 0).all()


def test_a_weight_is_what_a_feature_explains_half_shared_half_its_own() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(0, 1, (4000, 3))
    y = np.column_stack([z[:, 0], z[:, 0] + z[:, 1]])
    own = feature_weights(z, y, shared=0.0)
    assert own[0] == pytest.approx([3.0, 0.0, 0.0], abs=0.02)
    assert own[1] == pytest.approx([1.5, 1.5, 0.0], abs=0.1)
    common = feature_weights(z, y, shared=1.0)
    assert common[0] == pytest.approx([3 * 0.75, 3 * 0.25, 0.0], abs=0.05)
    assert np.array_equal(common[0], common[1])
    assert feature_weights(z, y, shared=0.5) == pytest.approx((own + common) / 2)
    assert own.mean(axis=1) == pytest.approx(1.0)
    constant = feature_weights(z, np.full((4000, 1), 7.0), shared=0.5)
    assert constant.tolist() == [[1.0, 1.0, 1.0]]


def test_a_feature_that_explains_nothing_does_not_count(fitted: NormKernelRidge) -> None:
    base = np.zeros((1, len(NAMES.all)))
    moved = base.copy()
    moved[0, NAMES.all.index("a")] = 1.0
    other = base.copy()
    other[0, NAMES.all.index("w")] = 1.0
    said = fitted.predict(rows(np.vstack([base, moved, other]))).rating[:, 0]
    assert said[1] - said[0] > 3.0
    assert abs(said[2] - said[0]) < 1.0


def test_a_target_without_labels_is_left_out(norms: StatisticsNorms, data) -> None:
    x, y = data
    only = fit_norm_kernel_ridge(TARGETS, norms, x, np.column_stack([y[:, 0], np.full(len(y), NAN)]))
    assert only.names == ("phrasing",)
    assert only.predict(rows(x[:2])).rating.shape == (2, 1)


def test_it_rates_alike_after_it_is_stored(fitted: NormKernelRidge, data, tmp_path: Path) -> None:
    x, _ = data
    fitted.save(tmp_path)
    again = load_predictor(tmp_path)
    assert isinstance(again, NormKernelRidge)
    assert again.statistics == fitted.statistics == NAMES.all
    assert np.array_equal(again.predict(rows(x)).rating, fitted.predict(rows(x)).rating)


@pytest.mark.parametrize(
    ("name", "changed", "problem"),
    [
        ("training", lambda a: a[1:], "training, is_labelled and dual differ in length"),
        ("weight", lambda a: -a, "feature_sd or weight holds a negative number"),
        ("feature_sd", lambda a: -a, "feature_sd or weight holds a negative number"),
        ("dual", lambda a: a * NAN, "dual holds a NaN"),
        ("training", lambda a: a.astype(float), "training is float64"),
    ],
)
def test_arrays_that_contradict_one_another_are_refused(
    fitted: NormKernelRidge, tmp_path: Path, name: str, changed, problem: str
) -> None:
    from safetensors.numpy import load_file

    fitted.save(tmp_path)
    arrays = load_file(tmp_path / ARRAYS)
    write_arrays(tmp_path, arrays | {name: changed(arrays[name])})
    with pytest.raises(BundleError, match=problem):
        load_predictor(tmp_path)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"alpha": "much"}, "has alpha 'much'"),
        ({"width": 0.0}, "has width 0.0"),
        ({"linear": -1.0}, r"has linear -1.0 \(allowed: a number, not negative"),
        ({"depth": 1.0}, "does not give the settings of its kernel"),
    ],
)
def test_settings_are_read_strictly(
    fitted: NormKernelRidge, tmp_path: Path, change: dict, problem: str
) -> None:
    fitted.save(tmp_path)
    header = json.loads((tmp_path / HEADER).read_text())
    header["settings"] |= change
    (tmp_path / HEADER).write_text(json.dumps(header))
    with pytest.raises(BundleError, match=problem):
        load_predictor(tmp_path)


def test_the_shipped_settings_are_those_that_were_measured() -> None:
    assert KernelSettings() == KernelSettings(alpha=0.5, width=1.0, linear=0.1, shared=0.5)

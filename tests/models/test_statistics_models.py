"""Linear and kernel ridge: scikit-learn's own ratings, without scikit-learn."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tocco.errors import BundleError, MissingPartError
from tocco.models.predictor import PredictorInput, StatisticsTable
from tocco.models.registry import load_predictor
from tocco.models.statistics_models import (
    KERNEL_ALPHA,
    RIDGE_ALPHA,
    KernelRidge,
    RidgeStatistics,
    fit_kernel_ridge,
    fit_ridge_statistics,
    fit_statistics_scale,
    kernel_gamma,
    label_sd,
)

NAN = float("nan")
NAMES, STATISTICS = ("phrasing", "musicality"), tuple("abcdefgh")
FITS = (fit_ridge_statistics, fit_kernel_ridge)


def rows(values: np.ndarray) -> PredictorInput:
    return PredictorInput(statistics=StatisticsTable(STATISTICS, values))


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    x = rng.normal(3, 2, (70, 8))
    x[rng.random(x.shape) < 0.1] = NAN
    y = 50 + 5 * np.nan_to_num(x[:, :2])
    y[:20, 1] = NAN  # not every performance has every label
    return x, y


def test_ridge_says_what_scikit_learn_says_to_the_last_bit(data) -> None:
    from sklearn.linear_model import Ridge

    x, y = data
    scale = fit_statistics_scale(x[:50])
    z, test = scale.standardised(x[:50]), scale.standardised(x[50:])
    labelled = ~np.isnan(y[:50, 1])
    expected = Ridge(alpha=RIDGE_ALPHA).fit(z[labelled], y[:50][labelled, 1]).predict(test)
    found = fit_ridge_statistics(NAMES, STATISTICS, x[:50], y[:50]).predict(rows(x[50:]))
    assert np.array_equal(found.rating[:, 1], expected)
    assert found.sd[3] == pytest.approx(np.nanstd(y[:50], axis=0))


def test_kernel_ridge_says_what_scikit_learn_says_to_the_last_bit(data) -> None:
    from sklearn import kernel_ridge

    x, y = data
    scale = fit_statistics_scale(x[:50])
    z, test = scale.standardised(x[:50]), scale.standardised(x[50:])
    labelled = ~np.isnan(y[:50, 1])
    labels = y[:50][labelled, 1]
    model = kernel_ridge.KernelRidge(kernel="rbf", gamma=kernel_gamma(8)).set_params(alpha=KERNEL_ALPHA)
    expected = labels.mean() + model.fit(z[labelled], labels - labels.mean()).predict(test)
    found = fit_kernel_ridge(NAMES, STATISTICS, x[:50], y[:50]).predict(rows(x[50:]))
    assert np.array_equal(found.rating[:, 1], expected)


@pytest.mark.parametrize("fit", FITS)
def test_what_is_kept_says_the_same_without_scikit_learn(fit, data, tmp_path: Path, monkeypatch) -> None:
    x, y = data
    fitted = fit(NAMES, STATISTICS, x[:50], y[:50])
    fitted.save(tmp_path)
    for module in ("sklearn", "sklearn.linear_model", "sklearn.kernel_ridge"):
        monkeypatch.setitem(sys.modules, module, None)
    again = load_predictor(tmp_path)
    assert type(again) is type(fitted)
    assert (again.names, again.statistics) == (NAMES, STATISTICS)
    before, after = fitted.predict(rows(x)), again.predict(rows(x))
    assert np.array_equal(before.rating, after.rating)
    assert np.array_equal(before.sd, after.sd)
    with pytest.raises(MissingPartError, match=r"solved by scikit-learn.*tocco\[train\]"):
        fit(NAMES, STATISTICS, x, y)


def test_standardised_statistics_do_not_mind_units_and_bound_outliers(rng) -> None:
    train, test = rng.normal(3, 2, (50, 4)), rng.normal(3, 2, (9, 4))
    units = 10.0 ** np.arange(-6, 6, 3)
    for values in (train, test):
        assert fit_statistics_scale(train).standardised(values) == pytest.approx(
            fit_statistics_scale(train * units).standardised(values * units)
        )
    test[0, 0], test[1, 0], test[2, 0] = 1e9, -1e9, NAN
    assert fit_statistics_scale(train).standardised(test)[:3, 0].tolist() == [5.0, -5.0, 0.0]
    alike = fit_statistics_scale(np.full((50, 1), 0.1))
    assert alike.standardised(np.array([[7.0], [NAN]])).tolist() == [[0.0], [0.0]]


def test_labels_that_are_all_alike_still_have_a_spread() -> None:
    assert label_sd(np.array([[50.0, 10.0], [50.0, 30.0], [NAN, NAN]])).tolist() == [1.0, 10.0]


def test_numbers_that_contradict_one_another_are_refused(data, tmp_path: Path) -> None:
    x, y = data
    linear = fit_ridge_statistics(NAMES, STATISTICS, x, y)
    replace(linear, intercept=np.array([50.0, np.inf])).save(tmp_path)
    with pytest.raises(BundleError, match="intercept holds a NaN or an infinity"):
        RidgeStatistics.load(tmp_path)
    replace(linear, scale=replace(linear.scale, sd=-linear.scale.sd)).save(tmp_path)
    with pytest.raises(BundleError, match="a negative spread"):
        RidgeStatistics.load(tmp_path)
    kernel = fit_kernel_ridge(NAMES, STATISTICS, x, y)
    replace(kernel, dual=kernel.dual[1:]).save(tmp_path)
    with pytest.raises(BundleError, match="differ in length"):
        KernelRidge.load(tmp_path)
    with pytest.raises(BundleError, match=r"is of the kind 'kernel_ridge' \(allowed: ridge_statistics\)"):
        RidgeStatistics.load(tmp_path)


def test_penalties_and_width_are_the_stated_ones() -> None:
    assert (RIDGE_ALPHA, KERNEL_ALPHA) == (1000.0, 1.0)
    assert kernel_gamma(8) == 1.0 / 16.0

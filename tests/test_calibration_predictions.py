"""The benchmark that makes the table of predictions for `tocco benchmark calibration`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import calibration_predictions as benchmark

from tocco.data.records import LabelRecord
from tocco.errors import InputError
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.models.predictor import PredictorInput, StatisticsTable
from tocco.models.statistics_models import KERNEL_ALPHA, fit_kernel_ridge, fit_statistics_scale, kernel_gamma


@pytest.fixture
def data(rng):
    train, test = rng.normal(size=(60, 5)), rng.normal(size=(20, 5))
    labels = 50 + 8 * np.tanh(train[:, 0]) + rng.normal(0, 3, 60)
    labels[[4, 9]] = np.nan
    return train, labels, test


def test_the_process_agrees_with_scikit_learn(data):
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    train, labels, test = data
    mean, sd = benchmark.gaussian_process(train, labels, test)
    there = np.isfinite(labels)
    scale = fit_statistics_scale(train[there])
    z, z_test = scale.standardised(train[there]), scale.standardised(test)
    y = labels[there] - labels[there].mean()
    length = np.sqrt(1 / (2 * kernel_gamma(5)))
    # The variance is that of highest likelihood among its neighbours.
    unit = RBF(length)(z) + KERNEL_ALPHA * np.eye(len(y))
    s2 = y @ np.linalg.solve(unit, y) / len(y)

    def process(variance):
        kernel = ConstantKernel(variance) * RBF(length) + WhiteKernel(variance * KERNEL_ALPHA)
        return GaussianProcessRegressor(kernel, optimizer=None, alpha=1e-10).fit(z, y)

    expected, expected_sd = process(s2).predict(z_test, return_std=True)
    assert mean == pytest.approx(labels[there].mean() + expected, abs=1e-6)
    assert sd == pytest.approx(expected_sd, abs=1e-6)  # scikit-learn's sd has the noise in it too
    likelihood = {factor: process(factor * s2).log_marginal_likelihood_value_ for factor in (0.9, 1.0, 1.1)}
    assert max(likelihood, key=lambda factor: likelihood[factor]) == 1.0


def test_its_mean_is_the_kernel_ridge_of_the_trees_benchmark(data):
    train, labels, test = data
    mean, _ = benchmark.gaussian_process(train, labels, test)
    names = tuple("abcde")
    there = np.isfinite(labels)
    model = fit_kernel_ridge(["t"], names, train[there], labels[there, None])
    rows = PredictorInput(statistics=StatisticsTable(names, test))
    assert mean == pytest.approx(model.predict(rows).rating[:, 0], abs=1e-8)


def record(i: int) -> LabelRecord:
    return LabelRecord(
        segment_id=f"s{i}",
        piece_id=f"p{i % 3}",
        performer_id=f"w#{i % 2}",
        work_id="w",
        cluster_id=f"c{i % 3}",
        source="made up",
        midi_path=Path(f"{i}.mid"),
        labels={"phrasing": 50.0 + i},
    )


@pytest.fixture
def saved(tmp_path):
    rows = np.arange(4)
    CrossValidationResult(
        names=("phrasing",),
        segment_ids=np.array([f"s{i}" for i in rows]),
        clusters=np.array([f"c{i % 3}" for i in rows]),
        passages=np.array([f"c{i % 3}" for i in rows]),
        performers=np.array([f"w#{i % 2}" for i in rows]),
        is_score=np.zeros(4, dtype=bool),
        fold=np.array([0, 1, 1, -1]),
        labels=50.0 + rows[:, None],
        predictions={"tocco": 49.0 + rows[:, None], "constant": np.full((4, 1), 50.0)},
        sd={"tocco": np.full((4, 1), 4.0)},
    ).save(tmp_path / "predictions")
    return tmp_path / "predictions"


def test_saved_predictions_become_a_table(saved):
    records = [record(i) for i in range(4)]
    found = benchmark.saved_table(records, saved, ["tocco"], "cv4_cluster")
    assert found.segment.tolist() == ["s0", "s1", "s2"]  # no fold held the last one out
    assert found.label.tolist() == [50.0, 51.0, 52.0]
    assert found.mean.tolist() == [49.0, 50.0, 51.0]
    assert found.sd.tolist() == [4.0, 4.0, 4.0]
    assert (found.cluster.tolist(), found.work.tolist()) == (["c0", "c1", "c2"], ["w", "w", "w"])
    assert (found.fold.tolist(), found.input.tolist()) == (["0", "1", "1"], ["tocco"] * 3)
    pianists = benchmark.saved_table(records, saved, ["tocco"], "cv4_performer")
    assert pianists.cluster.tolist() == ["w#0", "w#1", "w#0"]


def test_a_system_without_sd_and_labels_of_others_are_refused(saved):
    records = [record(i) for i in range(4)]
    with pytest.raises(InputError, match=r"no sd of 'constant' \(allowed: tocco\)"):
        benchmark.saved_table(records, saved, ["constant"], "cv4_cluster")
    with pytest.raises(InputError, match="has s3, which the labels lack"):
        benchmark.saved_table(records[:3], saved, ["tocco"], "cv4_cluster")

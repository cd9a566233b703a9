from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from tocco import metrics


def test_errors_agree_with_scikit_learn(rng):
    ref, est = rng.uniform(0, 100, (2, 150))
    assert metrics.mae(ref, est) == pytest.approx(mean_absolute_error(ref, est), abs=1e-12)
    assert metrics.rmse(ref, est) == pytest.approx(root_mean_squared_error(ref, est), abs=1e-12)
    expected = 1 - mean_absolute_error(ref, est) / mean_absolute_error(ref, np.full(150, 55.0))
    assert metrics.mae_skill(ref, est, 55.0) == pytest.approx(expected, abs=1e-12)


def test_reasons():
    assert str(metrics.attempt(metrics.mae, [], [])) == "no label"
    assert str(metrics.attempt(metrics.rmse, [math.nan], [1.0])) == "no label"
    assert str(metrics.attempt(metrics.mae_skill, [math.nan], [1.0], 50.0)) == "no label"
    exact = metrics.attempt(metrics.mae_skill, [50.0, 50.0], [40.0, 60.0], 50.0)
    assert str(exact) == "the constant estimate has no error"

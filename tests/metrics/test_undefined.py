from __future__ import annotations

import math
import pickle

import pytest

from tocco import metrics


def test_every_name_of_the_package_is_there():
    assert [name for name in metrics.__all__ if not hasattr(metrics, name)] == []


def test_an_undefined_metric_is_a_value_error_with_its_reason():
    with pytest.raises(ValueError, match="fewer than 3 labels") as problem:
        metrics.pearson_r([1.0, 2.0], [1.0, 2.0])
    again = pickle.loads(pickle.dumps(problem.value))  # through a pool of processes
    assert again.reason is metrics.Reason.FEW_LABELS
    assert str(again) == "fewer than 3 labels"


def test_attempt_lets_wrong_input_through():
    with pytest.raises(ValueError, match="est has shape"):
        metrics.attempt(metrics.mae, [1.0], [1.0, 2.0])
    assert metrics.attempt(metrics.mae, [1.0], [3.0]) == 2.0


def test_value_or_nan():
    assert metrics.value_or_nan(metrics.r2, [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]) == 1.0
    assert math.isnan(metrics.value_or_nan(metrics.r2, [1.0], [1.0]))


def test_reasons_are_different_and_short():
    texts = [reason.value for reason in metrics.Reason]
    assert len(set(texts)) == len(texts)
    assert max(map(len, texts)) <= 45

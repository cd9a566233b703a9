from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from tocco import metrics

UNDEFINED = metrics.Undefined(metrics.Reason.CONSTANT_LABELS)


def test_fisher_mean_is_that_of_the_transformed_values():
    r, weights = [0.3, 0.6, -0.2], [0.9, 0.5, 0.1]
    z = [0.5 * math.log((1 + x) / (1 - x)) for x in r]
    mean = sum(w * x for w, x in zip(weights, z, strict=True)) / sum(weights)
    assert metrics.fisher_mean(r, weights) == pytest.approx(math.tanh(mean), abs=1e-12)
    assert metrics.fisher_mean(r) == pytest.approx(math.tanh(sum(z) / 3), abs=1e-12)
    assert metrics.fisher_mean([0.4, 0.4], [1, 5]) == pytest.approx(0.4)


def test_fisher_mean_reasons_and_refusals():
    assert str(metrics.attempt(metrics.fisher_mean, [])) == "no label"
    assert str(metrics.attempt(metrics.fisher_mean, [0.4], [0.0])) == "the weights sum to 0"
    assert "has no Fisher z" in str(metrics.attempt(metrics.fisher_mean, [0.4, 1.0]))
    assert metrics.fisher_mean([0.4, 1.0], [1.0, 0.0]) == pytest.approx(0.4)  # it has no weight
    with pytest.raises(ValueError, match=r"r is 1\.2"):
        metrics.fisher_mean([1.2])
    with pytest.raises(ValueError, match="r is nan"):
        metrics.fisher_mean([math.nan])
    with pytest.raises(ValueError, match="weights must be finite"):
        metrics.fisher_mean([0.2], [-1.0])
    with pytest.raises(ValueError, match=r"weights have shape \(2,\)"):
        metrics.fisher_mean([0.2], [1.0, 1.0])


def test_weighted_by_reliability_leaves_out_what_has_no_label():
    scores = {
        "phrasing": {"n": 10.0, "pearson_r": 0.5, "kendall_tau_b": 0.3},
        "note_accuracy": {"n": 0.0, "pearson_r": UNDEFINED, "kendall_tau_b": UNDEFINED},
        "musicality": {"n": 10.0, "pearson_r": 0.7, "kendall_tau_b": 0.4},
    }
    reliability = {"phrasing": 0.4, "musicality": 0.8}
    expected = metrics.fisher_mean([0.5, 0.7], [0.4, 0.8])
    assert metrics.reliability_weighted_r(scores, reliability) == pytest.approx(expected)
    of_tau = metrics.reliability_weighted_r(scores, reliability, "kendall_tau_b")
    assert of_tau == pytest.approx(metrics.fisher_mean([0.3, 0.4], [0.4, 0.8]))
    with pytest.raises(ValueError, match="no reliability of musicality"):
        metrics.reliability_weighted_r(scores, {"phrasing": 0.4})
    scores["musicality"]["pearson_r"] = UNDEFINED
    found = metrics.attempt(metrics.reliability_weighted_r, scores, reliability)
    assert found == metrics.Undefined(metrics.Reason.DIMENSION_UNDEFINED)


def test_mean_scores_names_an_undefined_dimension():
    scores = {"a": {"n": 5.0, "mae": 4.0, "r2": UNDEFINED}, "b": {"n": 5.0, "mae": 8.0, "r2": 0.5}}
    mean = metrics.mean_scores(scores)
    assert mean == {"n": 2.0, "mae": 6.0, "r2": metrics.Undefined(metrics.Reason.DIMENSION_UNDEFINED)}


def test_overall_mae_counts_every_label_once():
    ref, est = [[50.0, math.nan], [60.0, 20.0]], [[54.0, 0.0], [61.0, 24.0]]
    assert metrics.overall_mae(ref, est) == pytest.approx((4 + 1 + 4) / 3)
    assert str(metrics.attempt(metrics.overall_mae, [[math.nan]], [[1.0]])) == "no label"
    with pytest.raises(ValueError, match=r"est has shape \(1, 1\)"):
        metrics.overall_mae(ref, [[1.0]])


def test_group_means_agree_with_pandas(rng):
    values = rng.uniform(0, 100, (50, 3))
    values[rng.uniform(size=(50, 3)) < 0.3] = math.nan
    values[:, 2] = np.where(np.arange(50) % 4 == 0, math.nan, values[:, 2])
    groups = np.array(list("abcd"))[np.arange(50) % 4]
    names, means = metrics.group_means(values, groups)
    expected = pd.DataFrame(values).groupby(groups).mean()
    assert names.tolist() == expected.index.tolist()
    assert means == pytest.approx(expected.to_numpy(), nan_ok=True)
    assert math.isnan(means[0, 2])
    flat = metrics.group_means([1.0, 3.0, 8.0], ["x", "x", "y"])[1]
    assert flat.tolist() == [2.0, 8.0]
    with pytest.raises(ValueError, match=r"groups have shape \(1,\)"):
        metrics.group_means([1.0, 2.0], ["a"])

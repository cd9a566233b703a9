from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tocco.evaluation.cross_validation import calibration

NAMES = ("phrasing", "musicality", "note_accuracy")


@pytest.fixture
def predictions(rng):
    """240 performances in 24 clusters and 4 folds; sd honest, half of the truth; one unlabelled column."""
    n = 240
    clusters = np.arange(n) // 10
    sd = rng.uniform(4, 10, (n, 3))
    rating = rng.uniform(40, 60, (n, 3))
    labels = rating + sd * np.array([1.0, 2.0, 1.0]) * rng.standard_normal((n, 3))
    labels[:, 2] = math.nan
    labels = np.clip(labels, 0, 100)
    return labels, rating, sd, clusters % 4, clusters


def fitted(predictions, **kwargs):
    return calibration.fit_interval_calibration(NAMES, *predictions, protocol="four folds", **kwargs)


def test_scale_is_the_corrected_quantile():
    ref, rating, sd = np.arange(51.0, 70.0), np.full(19, 50.0), np.full(19, 2.0)
    assert calibration.conformal_scale(ref, rating, sd, 0.9) == 9.0  # the 18th of 19 errors
    assert calibration.conformal_scale(ref, rating, sd, 0.5) == 5.0  # the 10th
    with pytest.raises(ValueError, match="19 labels cannot support intervals of 99%, at least 99"):
        calibration.conformal_scale(ref, rating, sd, 0.99)


@pytest.mark.parametrize(("level", "least"), [(0.9, 9), (0.8, 4), (0.95, 19), (0.5, 1)])
def test_least_number_of_labels(level, least):
    ref = 50.0 + np.arange(1.0, least + 1)
    assert calibration.conformal_scale(ref, np.full(least, 50.0), np.ones(least), level) == least
    with pytest.raises(ValueError, match=f"at least {least} must be held out"):
        calibration.conformal_scale(ref[1:], np.full(least - 1, 50.0), np.ones(least - 1), level)


def test_mean_coverage_of_new_performances_is_just_above_the_level(rng):
    """Split conformal covers between level and level + 1 / (n + 1), averaged over calibration sets."""
    n, covered = 19, []
    for _ in range(4000):
        error = rng.standard_t(3, n + 1)  # far from normal
        scale = calibration.conformal_scale(50 + error[:n], np.full(n, 50.0), np.ones(n), 0.9)
        covered.append(abs(error[n]) <= scale)
    assert np.mean(covered) == pytest.approx(0.9, abs=0.015)


def test_scale_is_indifferent_to_the_unit_of_sd(predictions):
    labels, rating, sd, *_ = predictions
    one = calibration.conformal_scale(labels[:, 0], rating[:, 0], sd[:, 0])
    assert calibration.conformal_scale(labels[:, 0], rating[:, 0], 10 * sd[:, 0]) == pytest.approx(one / 10)


def test_scale_of_honest_and_of_halved_sd(rng):
    sd = rng.uniform(4, 10, 20_000)
    error = rng.standard_normal(20_000)
    z = stats.norm.ppf(0.95)
    for factor in (1.0, 2.0):
        scale = calibration.conformal_scale(50 + factor * sd * error, np.full(20_000, 50.0), sd)
        assert scale == pytest.approx(factor * z, rel=0.02)  # its own standard error is 0.6 %


def test_a_dimension_without_labels_has_no_scale(predictions):
    scale = fitted(predictions).scale(NAMES)
    assert np.isfinite(scale[:2]).all()
    assert math.isnan(scale[2])


def test_predictions_that_were_not_held_out_are_refused():
    with pytest.raises(ValueError, match="were not held out"):
        calibration.conformal_scale(np.arange(20.0), np.arange(20.0), np.ones(20))
    with pytest.raises(ValueError, match="sd is -1"):
        calibration.conformal_scale(np.arange(20.0), np.ones(20), -np.ones(20))


def test_each_fold_is_judged_by_the_scale_of_the_others(predictions):
    labels, rating, sd, fold, clusters = predictions
    result = calibration.cross_fitted_coverage(NAMES, *predictions)
    held = []
    for k in range(4):
        out = fold == k
        scale = calibration.conformal_scale(labels[~out, 1], rating[~out, 1], sd[~out, 1])
        assert result.high[out, 1] == pytest.approx(np.minimum(rating[out, 1] + scale * sd[out, 1], 100))
        half_width = stats.norm.ppf(0.95) * result.sigma[out, 1]
        assert half_width == pytest.approx(scale * sd[out, 1])
        held.append(np.abs(labels[out, 1] - rating[out, 1]) <= scale * sd[out, 1])
    assert result.coverage[1] == pytest.approx(np.concatenate(held).mean())
    assert result.coverage[:2] == pytest.approx([0.9, 0.9], abs=0.05)
    assert result.n.tolist() == [240, 240, 0]
    assert math.isnan(result.coverage[2])
    assert np.isnan(result.low[:, 2]).all()
    assert result.width[1] > 1.5 * result.width[0]
    assert (result.score[:2] > result.width[:2]).all()
    assert len(np.unique(clusters)) == 24


def test_coverage_falls_where_a_fold_is_unlike_the_others(predictions):
    """The honest figure shows a shift that a scale fitted on everything would hide."""
    labels, rating, sd, fold, clusters = predictions
    labels = labels.copy()
    strange = fold == 3
    labels[strange, 0] = np.clip(rating[strange, 0] + 4 * (labels - rating)[strange, 0], 0, 100)
    result = calibration.cross_fitted_coverage(NAMES, labels, rating, sd, fold, clusters)
    inside = (result.low <= labels) & (labels <= result.high)
    assert inside[strange, 0].mean() < 0.7
    assert inside[~strange, 0].mean() > 0.9


def test_a_cluster_in_two_folds_is_refused(predictions):
    labels, rating, sd, fold, clusters = predictions
    fold = fold.copy()
    fold[0] = 3
    with pytest.raises(ValueError, match="cluster 0 is in more than one fold"):
        calibration.cross_fitted_coverage(NAMES, labels, rating, sd, fold, clusters)


def test_shapes_and_scale_of_labels_are_checked(predictions):
    labels, rating, sd, fold, clusters = predictions
    with pytest.raises(ValueError, match=r"sd has shape \(240, 2\), labels have \(240, 3\)"):
        calibration.cross_fitted_coverage(NAMES, labels, rating, sd[:, :2], fold, clusters)
    with pytest.raises(ValueError, match=r"must be \(performances, 2 dimensions"):
        calibration.cross_fitted_coverage(NAMES[:2], labels, rating, sd, fold, clusters)
    with pytest.raises(ValueError, match="multiply them by 100"):
        calibration.cross_fitted_coverage(NAMES, labels / 100, rating, sd, fold, clusters)
    with pytest.raises(ValueError, match="one entry for each of 240"):
        calibration.cross_fitted_coverage(NAMES, labels, rating, sd, fold[1:], clusters)


def test_what_is_kept_of_a_fit(predictions):
    fit = fitted(predictions, reliability={"phrasing": 0.7})
    measured = calibration.cross_fitted_coverage(NAMES, *predictions)
    assert list(fit.dimensions) == ["phrasing", "musicality"]
    phrasing = fit.dimensions["phrasing"]
    assert phrasing.n == 240
    assert phrasing.coverage == measured.coverage[0]
    assert phrasing.width == measured.width[0]
    assert phrasing.reliability == 0.7
    assert fit.dimensions["musicality"].reliability is None
    assert (fit.level, fit.protocol) == (0.9, "four folds")
    with pytest.raises(ValueError, match=r"not rated: \['tempo'\]"):
        fitted(predictions, reliability={"tempo": 0.7})


def test_reliability_diagram_of_an_sd_that_is_half_of_the_truth(rng):
    labels = rng.normal(50, 10, (5000, 2))
    labels[:100, 1] = math.nan
    diagram = calibration.reliability_diagram(
        labels, np.full((5000, 2), 50.0), np.full((5000, 2), 5.0), [0.5, 0.9]
    )
    expected = 2 * stats.norm.cdf(0.5 * stats.norm.ppf([0.75, 0.95])) - 1
    assert diagram.observed == pytest.approx(expected, abs=0.02)
    assert diagram.level.tolist() == [0.5, 0.9]
    assert diagram.n == 9900

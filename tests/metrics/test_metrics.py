from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import integrate, stats

from tocco import metrics

ratings = arrays(float, st.integers(3, 40), elements=st.integers(0, 100).map(float))


@st.composite
def rating_pairs(draw):
    ref = draw(ratings)
    est = draw(arrays(float, len(ref), elements=st.integers(0, 20).map(float)))
    return ref, est


def brute_force_pairs(ref, est, groups=None, min_gap=0.0):
    won = total = 0.0
    for i in range(len(ref)):
        for j in range(len(ref)):
            if (groups is None or groups[i] == groups[j]) and ref[i] - ref[j] > min_gap:
                total += 1
                won += 1.0 if est[i] > est[j] else 0.5 if est[i] == est[j] else 0.0
    return won / total if total else math.nan


@pytest.fixture
def noisy(rng):
    ref = rng.uniform(20, 80, 300)
    return ref, ref + rng.normal(0, 12, 300)


def test_correlations_and_r2_agree_with_scipy(noisy):
    ref, est = noisy
    est = np.round(est)  # ties
    assert metrics.pearson_r(ref, est) == pytest.approx(stats.pearsonr(ref, est)[0], abs=1e-12)
    assert metrics.spearman_rho(ref, est) == pytest.approx(stats.spearmanr(ref, est)[0], abs=1e-12)
    slope, intercept = np.polyfit(est, ref, 1)
    expected = np.corrcoef(ref, est)[0, 1] ** 2
    assert metrics.r2(ref, intercept + slope * est) == pytest.approx(expected, abs=1e-12)


def test_known_answers():
    ref, est = [10.0, 20.0, 30.0, 40.0], [12.0, 18.0, 33.0, 41.0]
    assert metrics.mae(ref, est) == pytest.approx(2.0)
    assert metrics.rmse(ref, est) == pytest.approx(math.sqrt((4 + 4 + 9 + 1) / 4))
    assert metrics.r2(ref, est) == pytest.approx(1 - 18 / 500)
    assert metrics.mae_skill(ref, est, 25.0) == pytest.approx(0.8)
    assert metrics.mae_skill(ref, est, [20.0, 20.0, 30.0, 30.0]) == pytest.approx(1 - 2 / 5)


def test_mean_of_ref_has_no_r2_and_no_correlation():
    ref = np.array([10.0, 50.0, 90.0])
    est = np.full(3, ref.mean())
    assert metrics.r2(ref, est) == pytest.approx(0.0)
    assert metrics.pearson_r(ref, est) == 0.0
    assert metrics.spearman_rho(ref, est) == 0.0
    assert metrics.pair_accuracy(ref, est) == 0.5
    assert metrics.mae_skill(ref, est, ref.mean()) == pytest.approx(0.0)


def test_a_constant_with_rounding_noise_is_constant():
    est = 0.1 * 3 + np.array([0.0, 1e-17, 5e-17, 0.0])
    assert metrics.pearson_r([1.0, 2.0, 3.0, 4.0], est) == 0.0


def test_reference_comes_first():
    ref, est = [0.0, 50.0, 100.0], [40.0, 50.0, 60.0]
    assert metrics.r2(ref, est) == pytest.approx(0.36)
    assert metrics.r2(est, ref) == pytest.approx(-15.0)


@pytest.mark.parametrize("metric", [metrics.pearson_r, metrics.spearman_rho, metrics.r2])
def test_undefined_where_labels_do_not_differ(metric):
    for ref, reason in [
        ([50.0, 50.0, 50.0], metrics.Reason.CONSTANT_LABELS),
        ([50.0, 40.0], metrics.Reason.FEW_LABELS),
        ([math.nan, math.nan], metrics.Reason.NO_LABEL),
    ]:
        with pytest.raises(metrics.MetricUndefined) as problem:
            metric(ref, np.arange(len(ref)))
        assert problem.value.reason is reason


@pytest.mark.parametrize(
    "metric",
    [
        metrics.pearson_r,
        metrics.spearman_rho,
        metrics.r2,
        metrics.mae,
        metrics.rmse,
        metrics.pair_accuracy,
        lambda r, e: metrics.mae_skill(r, e, 50.0),
        lambda r, e: metrics.gaussian_nll(r, e, np.full(len(r), 10.0)),
        lambda r, e: metrics.calibration_error(r, e, np.full(len(r), 10.0)),
        lambda r, e: metrics.coverage(r, np.asarray(e) - 9, np.asarray(e) + 9),
        lambda r, e: metrics.interval_width(r, np.asarray(e) - 9, np.asarray(e) + 9),
        lambda r, e: metrics.interval_score(r, np.asarray(e) - 9, np.asarray(e) + 9),
    ],
)
class TestEveryMetric:
    def test_missing_labels_change_nothing(self, metric, noisy):
        ref, est = noisy
        with_gaps = np.insert(ref, [0, 7, 300], math.nan)
        assert metric(with_gaps, np.insert(est, [0, 7, 300], [math.nan, 3.0, 99.0])) == metric(ref, est)

    def test_order_of_performances_changes_nothing(self, metric, noisy, rng):
        ref, est = noisy
        order = rng.permutation(len(ref))
        assert metric(ref[order], est[order]) == pytest.approx(metric(ref, est), abs=1e-12)

    def test_a_label_without_estimate_is_refused(self, metric):
        with pytest.raises(ValueError, match=r"at index 1, where ref has a label \(20\)"):
            metric([10.0, 20.0, math.nan], [10.0, math.nan, math.nan])

    def test_shapes_must_agree(self, metric):
        with pytest.raises(ValueError, match=r"has shape \(3,\), ref has \(2,\)|shape"):
            metric([10.0, 20.0], [10.0, 20.0, 30.0])

    def test_tables_are_refused(self, metric):
        with pytest.raises(ValueError, match="must be flat"):
            metric(np.zeros((3, 2)), np.zeros((3, 2)))


def test_infinite_label_is_refused():
    with pytest.raises(ValueError, match="infinite at index 1"):
        metrics.mae([1.0, math.inf], [1.0, 2.0])


@given(rating_pairs(), st.sampled_from([0.0, 5.0, 30.0]))
def test_pair_accuracy_equals_the_naive_count(pair, min_gap):
    ref, est = pair
    groups = np.arange(len(ref)) % 3
    for g in (None, groups):
        expected = brute_force_pairs(ref, est, g, min_gap)
        if math.isnan(expected):
            with pytest.raises(metrics.MetricUndefined, match="no pair of labels that differ"):
                metrics.pair_accuracy(ref, est, g, min_gap)
        else:
            assert metrics.pair_accuracy(ref, est, g, min_gap) == pytest.approx(expected, abs=1e-12)


@given(rating_pairs())
def test_pair_accuracy_of_the_reverse_is_the_complement(pair):
    ref, est = pair
    if np.ptp(ref) > 0:
        assert metrics.pair_accuracy(ref, est) + metrics.pair_accuracy(ref, -est) == pytest.approx(1.0)
        assert metrics.pair_accuracy(ref, ref) == 1.0


def test_pair_accuracy_is_somers_d_and_chunks_do_not_show(rng):
    ref = rng.integers(0, 30, 2500).astype(float)  # more than two chunks of rows
    est = np.round(ref + rng.normal(0, 10, 2500))
    expected = (1 + stats.somersd(ref, est).statistic) / 2
    assert metrics.pair_accuracy(ref, est) == pytest.approx(expected, abs=1e-12)


def test_groups_may_be_names_and_a_gap_must_be_exceeded():
    ref, est = [10.0, 20.0, 30.0, 20.0], [1.0, 2.0, 9.0, 5.0]
    assert metrics.pair_accuracy(ref, est, groups=["a", "a", "b", "b"]) == 1.0
    assert metrics.pair_accuracy(ref, [2.0, 1.0, 0.0, 5.0], min_gap=10.0) == 0.0  # only 30 against 10
    with pytest.raises(metrics.MetricUndefined, match="no pair"):
        metrics.pair_accuracy(ref, est, min_gap=20.0)


def test_pair_counts_split_the_total_by_cluster(noisy, rng):
    ref, est = noisy
    clusters = rng.choice(["a", "b", "c"], 300)
    won, comparable = metrics.pair_counts(ref, est, clusters=clusters)
    assert comparable.sum() == 300 * 299 / 2
    assert won.sum() / comparable.sum() == pytest.approx(metrics.pair_accuracy(ref, est), abs=1e-12)
    b = clusters == "b"
    assert won[1, 1] / comparable[1, 1] == pytest.approx(metrics.pair_accuracy(ref[b], est[b]), abs=1e-12)
    above = (ref[clusters == "a"][:, None] > ref[clusters == "c"][None, :]).sum()
    assert comparable[0, 2] == above


def test_pair_counts_number_clusters_that_have_no_label():
    won, comparable = metrics.pair_counts([1.0, 2.0, math.nan], [1.0, 2.0, 3.0], clusters=["a", "b", "c"])
    assert won.shape == comparable.shape == (3, 3)
    assert won[1, 0] == comparable.sum() == 1


def test_pair_accuracy_refuses_what_it_cannot_mean():
    with pytest.raises(ValueError, match="min_gap is -1"):
        metrics.pair_accuracy([1.0, 2.0], [1.0, 2.0], min_gap=-1)
    with pytest.raises(ValueError, match=r"groups have shape \(3,\), ref has \(2,\)"):
        metrics.pair_accuracy([1.0, 2.0], [1.0, 2.0], groups=[0, 0, 0])


def test_interval_metrics_known_answers():
    ref, low, high = [50.0, 60.0, 90.0, math.nan], [40.0, 60.0, 50.0, 0.0], [55.0, 70.0, 80.0, 100.0]
    assert metrics.coverage(ref, low, high) == pytest.approx(2 / 3)  # 60 is on the edge and counts
    assert metrics.interval_width(ref, low, high) == pytest.approx((15 + 10 + 30) / 3)
    assert metrics.interval_score(ref, low, high, 0.9) == pytest.approx((15 + 10 + 30 + 20 * 10) / 3)
    assert metrics.interval_score(ref, low, high, 0.5) == pytest.approx((15 + 10 + 30 + 4 * 10) / 3)


def test_interval_score_is_proper(rng):
    """No interval beats the true quantiles."""
    ref = rng.normal(50, 10, 20_000)

    def score(factor):
        half = factor * 10 * stats.norm.ppf(0.95)
        return metrics.interval_score(ref, np.full(20_000, 50 - half), np.full(20_000, 50 + half))

    scores = {factor: score(factor) for factor in (0.6, 0.8, 1.0, 1.25, 1.6)}
    assert min(scores, key=lambda factor: scores[factor]) == 1.0


def test_swapped_interval_ends_and_percent_levels_are_refused():
    with pytest.raises(ValueError, match="low exceeds high"):
        metrics.coverage([50.0], [60.0], [40.0])
    with pytest.raises(ValueError, match="level is 90"):
        metrics.interval_score([50.0], [40.0], [60.0], 90)
    with pytest.raises(ValueError, match=r"level is 1\.0"):
        metrics.coverage_curve([50.0], [40.0], [60.0], [0.5, 1.0])


def test_nll_agrees_with_scipy(noisy, rng):
    ref, mean = noisy
    sd = rng.uniform(5, 20, 300)
    expected = -stats.norm.logpdf(ref, mean, sd).mean()
    assert metrics.gaussian_nll(ref, mean, sd) == pytest.approx(expected, abs=1e-12)


def test_sd_of_zero_is_refused():
    with pytest.raises(ValueError, match="sd is 0 for a labelled"):
        metrics.gaussian_nll([50.0, 60.0], [50.0, 60.0], [0.0, 1.0])
    assert metrics.gaussian_nll([50.0, math.nan], [50.0, 60.0], [1.0, 0.0]) == pytest.approx(
        0.5 * math.log(2 * math.pi)
    )


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_coverage_curve_and_calibration_error_of_a_wrong_sd(factor, rng):
    n = 40_000
    ref = rng.normal(50, 10, n)
    mean, sd = np.full(n, 50.0), np.full(n, 10.0 * factor)
    levels = np.array([0.1, 0.5, 0.9])
    expected = 2 * stats.norm.cdf(factor * stats.norm.ppf((1 + levels) / 2)) - 1
    assert metrics.coverage_curve(ref, mean, sd, levels) == pytest.approx(expected, abs=0.01)

    def distance(p):
        return abs(2 * stats.norm.cdf(factor * stats.norm.ppf((1 + p) / 2)) - 1 - p)

    area, _ = integrate.quad(distance, 0, 1)
    fine = np.arange(1, 200) / 200
    assert metrics.calibration_error(ref, mean, sd, fine) == pytest.approx(area, abs=0.01)


def test_evaluate_gives_each_column_its_metrics(noisy, rng):
    ref, est = noisy
    table = np.stack([ref, np.full(300, math.nan), 100 - ref], axis=1)
    guess = np.stack([est, est, est], axis=1)
    passages = rng.choice(["x", "y"], 300)
    names = ("phrasing", "note_accuracy", "musicality")
    scores = metrics.evaluate(table, guess, names, groups=passages, constant=[50.0, 50.0, 50.0])
    assert list(scores) == list(names)
    assert scores["phrasing"] == {
        "n": 300.0,
        "pearson_r": metrics.pearson_r(ref, est),
        "spearman_rho": metrics.spearman_rho(ref, est),
        "kendall_tau_b": metrics.kendall_tau_b(ref, est),
        "ccc": metrics.ccc(ref, est),
        "r2": metrics.r2(ref, est),
        "mae": metrics.mae(ref, est),
        "rmse": metrics.rmse(ref, est),
        "mae_skill": metrics.mae_skill(ref, est, 50.0),
        "pair_accuracy": metrics.pair_accuracy(ref, est),
        "pair_accuracy_within": metrics.pair_accuracy(ref, est, passages),
    }
    assert scores["musicality"]["pearson_r"] == pytest.approx(-scores["phrasing"]["pearson_r"])
    assert scores["note_accuracy"]["n"] == 0
    assert scores["note_accuracy"]["mae"] == metrics.Undefined(metrics.Reason.NO_LABEL)
    mean = metrics.mean_scores(scores)
    assert mean["n"] == 2
    assert mean["pearson_r"] == pytest.approx(0.0)
    assert metrics.mean_scores(scores, ["phrasing"])["mae"] == scores["phrasing"]["mae"]
    with pytest.raises(ValueError, match="no dimension has a label"):
        metrics.mean_scores(scores, ["note_accuracy"])


def test_evaluate_names_what_is_wrong():
    ok = np.full((12, 2), 50.0)
    with pytest.raises(ValueError, match=r"\(12, 2\), must be \(performances, 1 named"):
        metrics.evaluate(ok, ok, ["a"])
    with pytest.raises(ValueError, match=r"est has shape \(12, 1\)"):
        metrics.evaluate(ok, ok[:, :1], ["a", "b"])
    with pytest.raises(ValueError, match="names repeat"):
        metrics.evaluate(ok, ok, ["a", "a"])
    with pytest.raises(ValueError, match="ref runs from 50 to 120"):
        metrics.evaluate(np.where(np.eye(12, 2) > 0, 120.0, ok), ok, ["a", "b"])
    with pytest.raises(ValueError, match="multiply them by 100"):
        metrics.evaluate(ok / 100, ok, ["a", "b"])
    gap = ok.copy()
    gap[3, 1] = math.nan
    with pytest.raises(ValueError, match="b: est is nan at index 3"):
        metrics.evaluate(ok, gap, ["a", "b"])


def test_evaluate_leaves_its_input_alone(noisy):
    ref, est = (a[:, None].copy() for a in noisy)
    before = ref.copy(), est.copy()
    metrics.evaluate(ref, est, ["phrasing"], constant=[50.0])
    assert np.array_equal(ref, before[0])
    assert np.array_equal(est, before[1])


def test_metrics_do_not_load_torch():
    import subprocess
    import sys

    code = (
        "import sys, tocco.metrics; raise SystemExit('torch' in sys.modules or 'matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

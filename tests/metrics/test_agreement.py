from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from tocco import metrics

pairs = st.integers(3, 25).flatmap(
    lambda n: st.tuples(*(arrays(float, n, elements=st.integers(0, 12).map(float)) for _ in range(2)))
)


@pytest.fixture
def tied(rng):
    """Ratings with ties in both, the estimate of another mean and spread."""
    ref = rng.integers(20, 60, 200).astype(float)
    return ref, np.round(0.5 * ref + rng.normal(30, 6, 200))


def naive_tau_b(ref, est):
    concordant = discordant = tied_ref = tied_est = 0
    for i in range(len(ref)):
        for j in range(i):
            a, b = np.sign(ref[i] - ref[j]), np.sign(est[i] - est[j])
            concordant += a * b > 0
            discordant += a * b < 0
            tied_ref += a == 0
            tied_est += b == 0
    all_pairs = len(ref) * (len(ref) - 1) / 2
    return (concordant - discordant) / math.sqrt((all_pairs - tied_ref) * (all_pairs - tied_est))


@given(pairs)
def test_kendall_tau_b_equals_the_naive_count(pair):
    ref, est = pair
    if np.ptp(ref) == 0:
        with pytest.raises(metrics.MetricUndefined, match="the labels do not differ"):
            metrics.kendall_tau_b(ref, est)
    elif np.ptp(est) == 0:
        assert metrics.kendall_tau_b(ref, est) == 0.0
    else:
        assert metrics.kendall_tau_b(ref, est) == pytest.approx(naive_tau_b(ref, est), abs=1e-12)


@given(pairs)
def test_ccc_equals_the_naive_sums(pair):
    ref, est = pair
    if np.ptp(ref) > 0:
        n = len(ref)
        mean_ref, mean_est = sum(ref) / n, sum(est) / n
        both = sum((a - mean_ref) * (b - mean_est) for a, b in zip(ref, est, strict=True))
        # N times the mean squared difference expected of independent values (Lin 1989, eq. 1).
        apart = sum((a - mean_ref) ** 2 for a in ref) + sum((b - mean_est) ** 2 for b in est)
        expected = 2 * both / (apart + n * (mean_ref - mean_est) ** 2)
        assert metrics.ccc(ref, est) == pytest.approx(expected, abs=1e-12)


@pytest.mark.slow
def test_ccc_agrees_with_torchmetrics(tied):
    """It divides by N - 1 where Lin divides by N: the same where the means agree, near otherwise."""
    import torch
    from torchmetrics.functional.regression import concordance_corrcoef

    ref, est = tied
    for shift, tolerance in ((0.0, 1e-6), (8.0, 1.0 / len(ref))):
        moved = est - est.mean() + ref.mean() + shift
        expected = float(concordance_corrcoef(torch.tensor(moved), torch.tensor(ref)))
        assert metrics.ccc(ref, moved) == pytest.approx(expected, abs=tolerance)


def test_ccc_falls_with_shift_and_scale_where_the_correlation_does_not():
    ref = np.array([20.0, 40.0, 60.0, 80.0])
    assert metrics.ccc(ref, ref) == pytest.approx(1.0)
    assert metrics.ccc(ref, ref + 20) == pytest.approx(2 * 500 / (500 + 500 + 400))
    assert metrics.ccc(ref, 50 + (ref - 50) / 2) == pytest.approx(2 * 250 / (500 + 125))
    assert metrics.ccc(ref, 100 - ref) == pytest.approx(-1.0)
    assert metrics.ccc(ref, np.full(4, 50.0)) == 0.0


def test_r2_agrees_with_scikit_learn(tied):
    from sklearn.metrics import r2_score

    assert metrics.r2(*tied) == pytest.approx(r2_score(*tied), abs=1e-12)


def test_correlations_agree_with_scipy_for_ties(tied):
    assert metrics.pearson_r(*tied) == pytest.approx(stats.pearsonr(*tied)[0], abs=1e-12)
    assert metrics.spearman_rho(*tied) == pytest.approx(stats.spearmanr(*tied)[0], abs=1e-12)
    assert metrics.kendall_tau_b(*tied) == pytest.approx(stats.kendalltau(*tied)[0], abs=1e-12)


@pytest.mark.parametrize("name", ["pearson_r", "spearman_rho", "kendall_tau_b", "ccc", "r2"])
class TestUndefined:
    def test_reasons(self, name):
        metric = getattr(metrics, name)
        for ref, reason in [
            ([math.nan, math.nan, math.nan], metrics.Reason.NO_LABEL),
            ([50.0, math.nan, 60.0], metrics.Reason.FEW_LABELS),
            ([50.0, 50.0, 50.0], metrics.Reason.CONSTANT_LABELS),
        ]:
            with pytest.raises(metrics.MetricUndefined) as problem:
                metric(ref, [1.0, 2.0, 3.0])
            assert problem.value.reason is reason

    def test_three_labels_are_enough(self, name):
        assert getattr(metrics, name)([10.0, 20.0, 30.0], [10.0, 20.0, 30.0]) == pytest.approx(1.0)

    def test_a_constant_estimate_shows_no_order(self, name):
        value = getattr(metrics, name)([10.0, 20.0, 60.0], [30.0, 30.0, 30.0])
        assert value == pytest.approx(0.0)

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tocco.evaluation.cross_validation.calibration import conformal_scale
from tocco.evaluation.interval_calibration import methods
from tocco.evaluation.interval_calibration.methods import METHODS
from tocco.metrics import coverage, interval_width, normal_interval

LEVELS = (0.5, 0.8, 0.9)


@pytest.fixture
def sides(make):
    """Calibration and test rows of different clusters."""
    rows = make(6000, 600, shared=0.0)
    calibration = np.array([int(c) % 2 == 0 for c in rows.cluster])
    return rows.where(calibration), rows.where(~calibration)


@pytest.mark.parametrize("method", METHODS[1:], ids=lambda one: one.name)
@pytest.mark.parametrize("level", LEVELS)
def test_every_method_repairs_an_sd_that_is_half_of_what_it_should_be(method, level, sides):
    calibration, test = sides
    low, high = method.intervals(calibration, test, level)
    assert coverage(test.label, low, high) == pytest.approx(level, abs=0.03)
    ideal = interval_width(test.label, *normal_interval(test.mean, 2 * test.sd, level))
    assert interval_width(test.label, low, high) == pytest.approx(ideal, rel=0.08)


def test_as_predicted_does_not(sides):
    _, test = sides
    low, high = methods.as_predicted(*sides, 0.9)
    assert coverage(test.label, low, high) == pytest.approx(2 * stats.norm.cdf(1.645 / 2) - 1, abs=0.02)


@pytest.mark.parametrize("method", METHODS, ids=lambda one: one.name)
def test_labels_of_the_test_side_are_not_used(method, sides):
    import dataclasses

    calibration, test = sides
    others = dataclasses.replace(test, label=test.label[::-1].copy())
    found, again = (method.intervals(calibration, rows, 0.8) for rows in (test, others))
    assert np.array_equal(found, again)


def test_the_factor_is_that_of_highest_likelihood(sides):
    calibration, _ = sides
    factors = np.linspace(1.5, 2.5, 201)
    likelihood = [
        stats.norm.logpdf(calibration.label, calibration.mean, f * calibration.sd).sum() for f in factors
    ]
    assert methods.sd_factor(calibration) == pytest.approx(factors[np.argmax(likelihood)], abs=0.005)


def test_conformal_is_that_of_the_bundles(sides):
    """`conformal_scale`, which calibrates what ships, finds the same multiple of the sd as crepes."""
    calibration, test = (rows.where(np.arange(57)) for rows in sides)
    for level in LEVELS:
        low, high = methods.conformal(calibration, test, level)
        scale = conformal_scale(calibration.label, calibration.mean, calibration.sd, level)
        assert high - test.mean == pytest.approx(scale * test.sd, abs=1e-9)
        assert test.mean - low == pytest.approx(scale * test.sd, abs=1e-9)


def test_conformal_without_sd_has_one_width(sides):
    low, high = methods.conformal(*sides, 0.8, use_sd=False)
    assert np.ptp(high - low) < 1e-9


def test_isotonic_follows_a_bias_and_is_lopsided(make):
    rows = make(4000, 400, shared=0.0, bias=6.0)
    calibration, test = (rows.where(np.array([int(c) % 2 == k for c in rows.cluster])) for k in (0, 1))
    low, high = methods.isotonic(calibration, test, 0.8)
    assert coverage(test.label, low, high) == pytest.approx(0.8, abs=0.03)
    assert np.mean(high - test.mean) > 2 * np.mean(test.mean - low)
    # The half-width of a symmetric interval must hold the bias as well.
    assert interval_width(test.label, low, high) < 0.9 * interval_width(
        test.label, *methods.conformal(calibration, test, 0.8)
    )


def test_isotonic_reads_the_empirical_quantiles(make):
    rows = make(99, 9, shared=0.0)
    z = np.sort((rows.label - rows.mean) / rows.sd)
    low, high = methods.isotonic(rows, rows, 0.9)  # quantiles .05 and .95 of 99: the 5th and the 95th
    assert (low - rows.mean) / rows.sd == pytest.approx(np.full(99, z[4]), abs=1e-9)
    assert (high - rows.mean) / rows.sd == pytest.approx(np.full(99, z[94]), abs=1e-9)


def test_mondrian_widens_only_where_the_sd_is_wrong(make):
    import dataclasses

    rows = make(6000, 600, shared=0.0, lacking=1.0)
    wide = rows.sd > np.quantile(rows.sd, 2 / 3)
    label = np.where(wide, rows.mean + 3 * (rows.label - rows.mean), rows.label)
    rows = dataclasses.replace(rows, label=label)
    side = np.array([int(c) % 2 == 0 for c in rows.cluster])
    calibration, test, is_wide = rows.where(side), rows.where(~side), wide[~side]
    for method, reached in ((methods.conformal_by_sd, True), (methods.conformal, False)):
        low, high = method(calibration, test, 0.8)
        inside = (low <= test.label) & (test.label <= high)
        shares = inside[is_wide].mean(), inside[~is_wide].mean()
        assert (max(abs(share - 0.8) for share in shares) < 0.04) == reached


class TestByCluster:
    def test_one_label_a_cluster_is_conformal(self, make):
        rows = make(57, 57, shared=0.0)
        test = rows.where(np.arange(5))
        for level in LEVELS:
            found, expected = (
                method(rows, test, level) for method in (methods.conformal_by_cluster, methods.conformal)
            )
            assert np.allclose(found, expected)

    def test_a_large_cluster_has_no_more_weight(self, make):
        rows = make(19, 19, shared=0.0)
        copies = rows.where(np.concatenate([np.arange(19), np.zeros(500, dtype=int)]))
        found, expected = (methods.conformal_by_cluster(of, rows, 0.8) for of in (copies, rows))
        assert np.allclose(found, expected)

    @pytest.mark.parametrize(("level", "clusters"), [(0.5, 1), (0.8, 4), (0.9, 9)])
    def test_fewest_clusters(self, make, level, clusters):
        rows = make(10 * clusters, clusters, shared=0.0)
        low, high = methods.conformal_by_cluster(rows, rows, level)
        assert (high - low < 100).all()
        if clusters > 1:
            fewer = rows.where(rows.cluster != "0")
            low, high = methods.conformal_by_cluster(fewer, rows, level)
            assert np.array_equal([low, high], [np.zeros(len(rows)), np.full(len(rows), 100.0)])

    def test_it_holds_for_new_clusters_that_err_together(self, make):
        """Few clusters with a large shared error: on average the level holds, where plain conformal fails."""
        by_cluster, plain = [], []
        for seed in range(150):
            rows = make(200, 20, shared=0.8, seed=seed)
            calibration, test = (
                rows.where(np.array([(int(c) < 10) == k for c in rows.cluster])) for k in (1, 0)
            )
            for method, found in (
                (methods.conformal_by_cluster, by_cluster),
                (methods.conformal, plain),
            ):
                found.append(coverage(test.label, *method(calibration, test, 0.9)))
        assert np.mean(by_cluster) > 0.885
        assert np.mean(plain) < np.mean(by_cluster)


def test_too_few_labels_give_the_whole_scale(make):
    rows = make(8, 8)
    low, high = methods.conformal(rows, rows, 0.9)  # 90 % needs nine
    assert np.array_equal(low, np.zeros(8))
    assert np.array_equal(high, np.full(8, 100.0))


def test_predictions_that_equal_their_labels_are_refused(make):
    import dataclasses

    rows = make(20, 10)
    with pytest.raises(ValueError, match="not held out"):
        methods.sd_factor(dataclasses.replace(rows, mean=rows.label))


def test_groups_of_the_mondrian_method():
    assert methods.SD_GROUPS == 3
    assert math.isclose(sum(m.unit == "work" for m in METHODS), 2)

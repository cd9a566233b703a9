from __future__ import annotations

import numpy as np
import pytest

from tocco.evaluation.interval_calibration.compare import (
    ALL,
    compare,
    distributions,
    scaled_sd,
    shared_within,
)
from tocco.evaluation.interval_calibration.methods import METHODS, Method, conformal, temperature
from tocco.evaluation.interval_calibration.parts import parts_of

BY_NAME = {method.name: method for method in METHODS}


@pytest.mark.parametrize("unit", ["fold", "work"])
def test_no_cluster_and_no_other_dimension_on_both_sides(make, unit):
    rows = make(160, 16, dimensions=("phrasing", "musicality"))
    tested = []
    (part,) = parts_of(rows)
    for side in part.sides(unit):
        one, other = side.calibration, side.test
        assert np.array_equal(rows.where(side.index).segment, other.segment)
        assert len(np.unique(np.concatenate([one.dimension, other.dimension]))) == 1
        for name in ("cluster", unit):
            assert not set(getattr(one, name)) & set(getattr(other, name))
        tested += side.index.tolist()
    assert sorted(tested) == list(range(320))  # each row is tested once


def test_a_cluster_in_two_works_is_not_calibrated_on_itself(make):
    """New pianists: the cluster is the pianist, who plays several works."""
    import dataclasses

    rows = make(160, 16)
    pianist = np.array([f"p{i % 4}" for i in range(160)])
    work = np.where(np.isin(pianist, ["p0", "p1"]), "w0", "w1")
    work[(pianist == "p1") & (np.arange(160) < 80)] = "w1"
    rows = dataclasses.replace(rows, work=work, cluster=pianist)
    (part,) = parts_of(rows)
    assert part.allows(BY_NAME["conformal by work"])
    for side in part.sides("work"):
        assert not set(side.calibration.cluster) & set(side.test.cluster)
    both = dataclasses.replace(rows, work=(np.arange(160) // 4 % 2).astype(str))  # everyone plays both works
    assert not next(parts_of(both)).allows(BY_NAME["conformal by work"])


def test_a_method_by_work_needs_two_works(make):
    one_work = make(works=1)
    found = compare(one_work, METHODS, np.random.default_rng(0), [0.8])
    assert "conformal by work" not in {row.method for row in found}
    assert {row.method for row in found} == {method.name for method in METHODS if method.unit == "fold"}


def test_intervals_of_a_fold_come_from_the_others(make):
    rows = make()
    low, high = next(parts_of(rows)).intervals(Method("conformal", "", conformal), 0.8)
    test = rows.fold == "2"
    expected = conformal(rows.where(~test), rows.where(test), 0.8)
    assert np.allclose([low[test], high[test]], expected)


def test_rows_of_a_comparison(make):
    rows = make(800, 80, dimensions=("phrasing", "musicality"), shared=0.1)
    chosen = [BY_NAME["as predicted"], BY_NAME["conformal"]]
    found = compare(rows, chosen, np.random.default_rng(0))
    assert len(found) == 2 * 3 * 3
    by_key = {(row.method, row.dimension, row.level): row for row in found}
    for level in (0.5, 0.8, 0.9):
        wrong, right = by_key["as predicted", ALL, level], by_key["conformal", ALL, level]
        assert (right.n, right.clusters) == (1600, 80)
        assert not wrong.holds
        assert right.holds
        assert right.score < wrong.score
        single = [by_key["conformal", name, level] for name in ("phrasing", "musicality")]
        assert right.coverage == pytest.approx(np.mean([row.coverage for row in single]))
        assert right.width == pytest.approx(np.mean([row.width for row in single]))
        assert single[0].low is None
        assert not single[0].holds
    low, high = next(parts_of(rows)).intervals(BY_NAME["conformal"], 0.9)
    row = by_key["conformal", ALL, 0.9]
    assert row.coverage == pytest.approx(np.mean((low <= rows.label) & (rows.label <= high)))
    assert row.width == pytest.approx(np.mean(high - low))
    assert row.low < row.coverage < row.high


def test_parts_are_calibrated_for_themselves(make):
    import dataclasses

    good, bad = make(lacking=1.0, given="with score"), make(lacking=4.0, given="no score")
    both = dataclasses.replace(
        good, **{name: np.concatenate([getattr(good, name), getattr(bad, name)]) for name in vars(good)}
    )
    found = compare(both, [BY_NAME["temperature"]], np.random.default_rng(0), [0.9])
    width = {row.input: row.width for row in found if row.dimension == ALL}
    alone = compare(good, [BY_NAME["temperature"]], np.random.default_rng(0), [0.9])
    assert width["with score"] == pytest.approx(alone[0].width)
    assert width["no score"] == pytest.approx(4 * width["with score"], rel=0.02)


def test_temperature_repairs_the_distributions(make):
    rows = make(2000, 200, shared=0.0)
    assert scaled_sd(next(parts_of(rows))) / rows.sd == pytest.approx(2.0, abs=0.1)
    before, after = distributions(rows, np.random.default_rng(0))
    assert (before.method, after.method) == ("as predicted", "temperature")
    assert before.figures["calibration_error"] > before.figures["clustered_p95"]
    assert after.figures["calibration_error"] < after.figures["clustered_p95"]
    assert after.figures["mean_squared_z"] == pytest.approx(1.0, abs=0.02)
    assert after.figures["gaussian_crps"] < before.figures["gaussian_crps"]
    assert after.figures["sd_spread"] == pytest.approx(before.figures["sd_spread"], abs=0.02)


def test_shared_errors_are_found_and_widen_the_null(make):
    apart, together = make(1200, 60, shared=0.0), make(1200, 60, shared=0.5)
    share = [shared_within((r.label - r.mean) / r.sd, r.cluster) for r in (apart, together)]
    assert share[0] == pytest.approx(0.0, abs=0.03)
    assert share[1] == pytest.approx(0.5, abs=0.12)
    nulls = [distributions(rows, np.random.default_rng(0))[1].figures for rows in (apart, together)]
    assert nulls[1]["quantile_clustered_p95"] > 2 * nulls[0]["quantile_clustered_p95"]
    assert nulls[0]["quantile_clustered_p95"] == pytest.approx(nulls[0]["calibration_error_p95"], rel=0.25)
    assert shared_within(np.array([1.0, -1.0]), np.array(["a", "b"])) == 0.0


def test_temperature_of_a_fold_does_not_see_it(make):
    rows = make()
    test = rows.fold == "1"
    low, high = next(parts_of(rows)).intervals(BY_NAME["temperature"], 0.8)
    assert np.allclose([low[test], high[test]], temperature(rows.where(~test), rows.where(test), 0.8))

from __future__ import annotations

import numpy as np
import pytest

from labelling_example import table_of
from tocco.labelling.severity import fit_severity


def test_planted_severities_are_found(rng: np.random.Generator) -> None:
    leniency = np.array([-12.0, 0.0, 4.0, 8.0])
    rows = [
        ("abcd"[k], f"s{i}", "phrasing", 50.0 + q + leniency[k] + rng.normal(0.0, 3.0))
        for i, q in enumerate(rng.normal(0.0, 12.0, 60))
        for k in range(4)
        if rng.uniform() < 0.6
    ]
    found = fit_severity(table_of(rows, ["phrasing"]))
    np.testing.assert_allclose(found.leniency[:, 0], leniency, atol=3.0 * found.standard_error.max())
    assert 0.2 < found.standard_error.mean() < 1.2
    np.testing.assert_allclose(found.shrunk[:, 0], found.leniency[:, 0], rtol=0.05, atol=0.1)
    assert found.leniency[:, 0].sum() == pytest.approx(0.0, abs=1e-9)
    assert found.groups == 1


def test_the_residual_is_the_distance_from_the_other_ratings(rng: np.random.Generator) -> None:
    rows = [(r, f"s{i}", "phrasing", 50.0 + i) for i in range(12) for r in "abc"]
    rows[3] = ("a", "s1", "phrasing", 81.0)
    found = fit_severity(table_of(rows, ["phrasing"]))
    # a's mean is 30 / 12 high, of which two thirds are its leniency beside the others.
    assert found.residual[3] == pytest.approx(30.0 - 30.0 / 12.0, abs=1e-6)
    assert np.abs(np.delete(found.residual, 3)).max() < 15.0


def test_chance_is_seldom_taken_for_severity(rng: np.random.Generator) -> None:
    left = []
    for _ in range(100):
        rows = [(r, f"s{i}", "phrasing", 50.0 + rng.normal(0.0, 10.0)) for i in range(8) for r in "abcdef"]
        found = fit_severity(table_of(rows, ["phrasing"]))
        left.append(np.square(found.shrunk).sum() / np.square(found.leniency).sum())
    assert np.mean(left) < 0.2


def test_raters_who_share_nothing_are_not_compared() -> None:
    rows = [(r, f"s{i}", "phrasing", 50.0) for i in range(5) for r in "ab"]
    rows += [(r, f"t{i}", "phrasing", v) for i in range(5) for r, v in (("c", 70.0), ("d", 60.0))]
    rows += [("e", "u1", "phrasing", 10.0)]
    found = fit_severity(table_of(rows, ["phrasing"]))
    np.testing.assert_allclose(found.leniency[:4, 0], [0.0, 0.0, 5.0, -5.0], atol=1e-9)
    assert np.isnan(found.leniency[4, 0])
    assert found.shrunk[4, 0] == 0.0
    assert found.groups == 2


def test_one_rater_alone_has_no_severity() -> None:
    rows = [("a", f"s{i}", "phrasing", 50.0 + i) for i in range(5)]
    found = fit_severity(table_of(rows, ["phrasing", "musicality"]))
    assert np.isnan(found.leniency).all()
    assert (found.shrunk == 0.0).all()
    assert np.isnan(found.residual).all()
    assert found.groups == 0

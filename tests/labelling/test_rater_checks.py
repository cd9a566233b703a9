"""Raters with planted faults: each is named, and a good one is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from labelling_example import ratings_of
from tocco.labelling.agreement import Figure
from tocco.labelling.quality_words import concerns, unknown
from tocco.labelling.rater_checks import RaterChecks, agreement, check_raters, drift, outliers
from tocco.labelling.severity import fit_severity
from tocco.labelling.table import rating_table

DIMENSIONS = ("phrasing", "musicality", "tone_quality", "overall_quality")
SEGMENTS = [f"s{i:02d}" for i in range(60)]
REPEATED = SEGMENTS[:10]
ANCHORS = [f"known{i}" for i in range(8)]


def checks(**faults: dict[str, float]) -> dict[str, RaterChecks]:
    """Three good raters, and one more for each fault: leniency, noise, drift or spread (1 is usual)."""
    rng = np.random.default_rng(3)
    truth = {
        name: np.clip(55.0 + rng.normal(0.0, 12.0) + rng.normal(0.0, 5.0, len(DIMENSIONS)), 20.0, 80.0)
        for name in [*SEGMENTS, *ANCHORS]
    }
    ratings = []
    for rater, fault in {"good1": {}, "good2": {}, "good3": {}, **faults}.items():
        order = [str(name) for name in rng.permutation(SEGMENTS)]
        plan = [("first", order), ("repeat", REPEATED), ("anchor", ANCHORS)]
        for occasion, names in plan:
            rows = []
            for place, name in enumerate(names):
                at = place / len(order) - 0.5 if occasion == "first" else 0.0
                noise = rng.normal(0.0, fault.get("noise", 4.0), len(DIMENSIONS))
                value = 55.0 + fault.get("spread", 1.0) * (truth[name] - 55.0 + noise)
                value += fault.get("leniency", 0.0) + fault.get("drift", 0.0) * at
                rows += [(rater, name, d, float(v)) for d, v in zip(DIMENSIONS, value, strict=True)]
            ratings += ratings_of(rows, occasion, start=len(ratings) + 1)
    table = rating_table(ratings, DIMENSIONS)
    known = {(name, d): float(v) for name in ANCHORS for d, v in zip(DIMENSIONS, truth[name], strict=True)}
    found = check_raters(table, fit_severity(table.labels()), known)
    return {one.rater: one for one in found}


def test_good_raters_are_left_in_peace() -> None:
    found = checks()
    assert {name: concerns(one) for name, one in found.items()} == {f"good{i}": () for i in (1, 2, 3)}
    one = found["good1"]
    assert (one.n_segments, one.n_ratings, one.repeats.n, one.anchors.n) == (60, 240, 10, 8)
    assert one.repeats.r.value > 0.8
    assert abs(one.anchors.difference.value) < 2.0
    assert 0.85 < one.spread < 1.15
    assert unknown(one) == ""


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"noise": 30.0}, "rates the same segment differently"),
        ({"leniency": -15.0}, "is severe: -"),
        ({"leniency": 15.0}, "is lenient: +"),
        ({"drift": 25.0}, "has moved up from first to last item: +"),
        ({"drift": -25.0}, "has moved down from first to last item: -"),
        ({"spread": 0.3}, "uses little of the scale"),
        ({"spread": 2.2}, "uses more of the scale"),
    ],
)
def test_a_planted_fault_is_said(fault: dict[str, float], said: str) -> None:
    found = checks(odd=fault)
    assert any(said in sentence for sentence in concerns(found["odd"])), concerns(found["odd"])
    assert all(said not in sentence for name in ("good1", "good2") for sentence in concerns(found[name]))


def test_a_rater_who_hears_something_else_is_named() -> None:
    found = checks(odd={"spread": -1.0})
    assert found["odd"].others.r.value < -0.5
    assert any("hardly agrees" in sentence for sentence in concerns(found["odd"]))


def test_anchors_show_what_all_raters_share() -> None:
    faults = {f"odd{i}": {"leniency": 15.0} for i in range(6)}
    found = checks(**faults)["odd1"]
    assert abs(found.leniency.value) < 8.0  # measured against each other, most are lenient
    assert found.anchors.difference.value == pytest.approx(15.0, abs=2.0)
    assert any("rates anchors above what is known of them: +" in sentence for sentence in concerns(found))


def figure(value: float, half: float = 0.01) -> Figure:
    return Figure(value, value - half, value + half)


def test_the_bars_are_where_they_are_said_to_be() -> None:
    good = checks()["good1"]

    def about(one: RaterChecks) -> int:
        return len(concerns(one))

    def with_r(part: str, r: float) -> RaterChecks:
        return replace(good, **{part: replace(getattr(good, part), r=figure(r))})

    for part, bar in (("repeats", 0.7), ("calibration", 0.7), ("others", 0.3)):
        assert (about(with_r(part, bar - 0.02)), about(with_r(part, bar + 0.02))) == (1, 0)
    wide = replace(good, repeats=replace(good.repeats, r=Figure(0.5, 0.2, 0.71)))
    assert about(wide) == 0  # its interval reaches what is wanted
    for part in ("leniency", "drift"):
        for sign in (-1.0, 1.0):
            assert about(replace(good, **{part: figure(sign * 8.1)})) == 1
            assert about(replace(good, **{part: figure(sign * 7.9)})) == 0
        assert about(replace(good, **{part: Figure(20.0, -1.0, 41.0)})) == 0
    off = replace(good.anchors, difference=figure(8.1))
    assert about(replace(good, anchors=off)) == 1
    assert about(replace(good, anchors=replace(off, difference=figure(7.9)))) == 0
    assert [about(replace(good, spread=s)) for s in (0.59, 0.61, 1.69, 1.71)] == [1, 0, 0, 1]


def test_too_few_segments_are_no_evidence(rng: np.random.Generator) -> None:
    dimension = np.zeros(40, int)
    value = rng.normal(50.0, 10.0, 40)
    assert np.isnan(agreement(value[:4], value[:4], dimension[:4], np.arange(4)).r.value)
    assert agreement(value[:5], value[:5], dimension[:5], np.arange(5)).r.value == pytest.approx(1.0)
    assert np.isnan(drift(value[:9], np.arange(9), np.arange(9)).value)
    assert np.isfinite(drift(value[:10], np.arange(10), np.arange(10)).value)


def test_correlation_is_within_dimensions(rng: np.random.Generator) -> None:
    dimension = np.repeat([0, 1], 100)
    level = np.where(dimension == 0, 95.0, 50.0)
    one, other = (level + rng.normal(0.0, 3.0, 200) for _ in range(2))
    assert np.corrcoef(one, other)[0, 1] > 0.95
    assert abs(agreement(one, other, dimension, np.tile(np.arange(100), 2)).r.value) < 0.25


def test_drift_is_the_change_from_first_to_last_item(rng: np.random.Generator) -> None:
    n = 50
    segment = np.repeat(np.arange(n), 4)
    residual = 20.0 * (segment / (n - 1) - 0.5) + rng.normal(0.0, 4.0, 4 * n)
    found = drift(residual, segment, np.arange(4 * n))
    assert found.value == pytest.approx(20.0, abs=2.5)
    assert found.low < 20.0 < found.high
    assert 2.0 < found.high - found.low < 8.0
    shuffled = rng.permutation(n)[segment]
    assert abs(drift(residual, segment, shuffled).value) < 8.0


def test_a_slip_of_the_slider_is_an_outlier(rng: np.random.Generator) -> None:
    rows = [(rater, name, "phrasing", 50.0 + rng.normal(0.0, 4.0)) for name in SEGMENTS for rater in "abcd"]
    size = 4.0 * np.sqrt(4.0 / 3.0)  # of a rating beside three others
    for slip, is_listed in ((2.4 * size, False), (5.0 * size, True)):
        changed = list(rows)
        changed[41] = ("b", "s10", "phrasing", 50.0 + slip)
        table = rating_table(ratings_of(changed), ["phrasing"])
        found = [o for o in outliers(table, fit_severity(table)) if (o.rater, o.segment) == ("b", "s10")]
        assert bool(found) == is_listed
        if found:
            assert found[0].value == pytest.approx(50.0 + slip)
            assert found[0].expected == pytest.approx(50.0, abs=6.0)

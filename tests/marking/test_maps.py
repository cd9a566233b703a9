"""From ratings to one person's marks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from marking_example import HALF, drawn, whole
from tocco.marking.maps import (
    CONTRADICTION_LEVEL,
    OFFSET_SD,
    SLOPE_SD,
    STEEP_SLOPE_SD,
    WEIGHT_SD,
    MarkMap,
    contradicts,
    default_weights,
    fit_aggregate,
    fit_dimension,
    pivot,
)
from tocco.rubrics import AGGREGATE_WEIGHTS, DIMENSIONS

TEACHERS = {
    "severe": lambda x: x - 18.0,
    "lenient": lambda x: x + 15.0,
    "compressed": lambda x: 62.0 + 0.35 * (x - 50.0),
    "wide": lambda x: 50.0 + 1.8 * (x - 50.0),
}


@pytest.mark.parametrize("kind", TEACHERS)
def test_a_teacher_is_recovered_from_20_marks_of_a_dimension(rng, kind):
    teacher = TEACHERS[kind]
    x = rng.normal(55.0, 14.0, size=20)
    marks = np.clip(teacher(x) + rng.normal(0.0, 7.0, size=20), 0.0, 100.0)
    found = fit_dimension("phrasing", x[:, None], marks)
    new = np.linspace(35.0, 75.0, 9)
    wanted = np.clip(teacher(new), 0.0, 100.0)
    assert np.abs(found.predict(new[:, None]) - wanted).mean() < 4.5
    assert np.abs(new - wanted).mean() > 9.0


@pytest.mark.parametrize("kind", TEACHERS)
def test_a_teacher_is_recovered_from_20_marks_of_the_whole(rng, kind):
    teacher = TEACHERS[kind]
    ratings, new = drawn(20, rng), drawn(200, rng)
    marks = teacher(whole(ratings)) + rng.normal(0.0, 6.0, size=20)
    found = fit_aggregate(DIMENSIONS, ratings, marks)
    error = np.abs(found.predict(new) - np.clip(teacher(whole(new)), 0.0, 100.0)).mean()
    assert error < 0.5 * np.abs(whole(new) - np.clip(teacher(whole(new)), 0.0, 100.0)).mean()


def test_what_a_teacher_listens_for_is_found_with_many_marks(rng):
    ratings = drawn(400, rng)
    column = DIMENSIONS.index("phrasing")
    found = fit_aggregate(DIMENSIONS, ratings, ratings[:, column] + rng.normal(0.0, 4.0, size=400))
    assert found.weights[column] > 0.7
    assert found.weights.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("name", DIMENSIONS)
def test_no_marks_leave_the_rating_as_it_is(name):
    x = np.linspace(0.0, 100.0, 21)[:, None]
    found = fit_dimension(name, np.zeros((0, 1)), np.zeros(0))
    assert found.predict(x) == pytest.approx(x[:, 0], abs=1e-12)
    assert not found.contradicted


def test_no_marks_leave_the_aggregate_as_it_is(rng):
    ratings = drawn(30, rng)
    found = fit_aggregate(DIMENSIONS, np.zeros((0, 10)), np.zeros(0))
    wanted = sum(weight * ratings[:, DIMENSIONS.index(n)] for n, weight in AGGREGATE_WEIGHTS.items())
    assert found.predict(ratings) == pytest.approx(wanted)
    assert dict(zip(found.names, found.weights, strict=True)) == pytest.approx(
        {name: AGGREGATE_WEIGHTS.get(name, 0.0) for name in DIMENSIONS}
    )


def test_one_mark_changes_less_than_its_distance_and_twenty_nearly_all_of_it():
    moved = [fit_dimension("phrasing", np.full((n, 1), 50.0), np.full(n, 80.0)).offset for n in (1, 3, 20)]
    assert moved == sorted(moved)
    assert 10.0 < moved[0] < 22.0
    assert moved[-1] == pytest.approx(30.0, abs=0.6)


def test_marks_that_fall_where_ratings_rise_leave_the_default(rng):
    x = rng.normal(50.0, 12.0, size=20)
    found = fit_dimension("phrasing", x[:, None], 100.0 - x + rng.normal(0.0, 5.0, size=20))
    assert found.contradicted
    assert found.predict(x[:, None]) == pytest.approx(x)
    low, high = found.interval(x[:, None], x[:, None] - HALF, x[:, None] + HALF)
    assert (low, high) == (pytest.approx(x - HALF), pytest.approx(x + HALF))


@pytest.mark.parametrize(
    ("marks", "wanted"),
    [
        ([1, 2, 3, 4, 5, 6], False),
        ([6, 5, 4, 3, 2, 1], True),
        ([3, 3, 3, 3, 3, 3], False),
        ([3, 2, 1], False),
        ([4, 3, 2, 1], True),
    ],
)
def test_a_contradiction_needs_a_fall_by_more_than_chance(marks, wanted):
    assert contradicts(np.arange(len(marks), dtype=float), np.array(marks, dtype=float)) is wanted


def test_the_level_of_a_contradiction_is_that_of_the_usual_test(rng):
    from scipy.stats import pearsonr

    assert CONTRADICTION_LEVEL == 0.05
    for _ in range(200):
        x, y = rng.normal(size=8), rng.normal(size=8)
        assert contradicts(x, y) == (pearsonr(x, y, alternative="less").pvalue < 0.05)


finite = st.floats(0.0, 100.0, allow_nan=False)


@given(arrays.arrays(float, (7, 2), elements=finite), st.sampled_from(DIMENSIONS), finite, finite)
def test_a_map_of_a_dimension_never_falls_and_its_interval_holds_it(data, name, first, second):
    found = fit_dimension(name, data[:, :1], data[:, 1])
    low, high = sorted((first, second))
    marks = found.predict(np.array([[low], [high]]))
    assert marks[0] <= marks[1]
    assert ((marks >= 0.0) & (marks <= 100.0)).all()
    ends = found.interval(*(np.array([[one]]) for one in (low, max(low - 5, 0.0), min(low + 5, 100.0))))
    assert ends[0][0] <= marks[0] <= ends[1][0]


@given(
    arrays.arrays(float, (6, 10), elements=finite),
    arrays.arrays(float, 6, elements=finite),
    arrays.arrays(float, 10, elements=finite),
    st.integers(0, 9),
)
def test_the_whole_never_falls_when_a_rating_rises(ratings, marks, take, column):
    found = fit_aggregate(DIMENSIONS, ratings, marks)
    better = take.copy()
    better[column] = min(100.0, take[column] + 7.0)
    assert found.predict(better[None, :])[0] >= found.predict(take[None, :])[0] - 1e-9
    assert (found.slopes >= 0.0).all()


def test_the_interval_is_mapped_and_widened_by_what_is_unknown_of_the_map():
    covariance = np.array([[4.0, 0.0], [0.0, 0.01]])
    found = MarkMap(("phrasing",), 5.0, np.array([0.5]), np.ones(1), covariance, 2.0)
    x = np.array([[70.0]])
    assert found.predict(x).tolist() == [65.0]
    assert found.sd(x) == pytest.approx([np.sqrt(4.0 + 0.01 * 20.0**2)])
    low, high = found.interval(x, x - 20.0, x + 10.0)
    unknown = 1.6449 * np.sqrt(8.0)
    assert low[0] == pytest.approx(65.0 - np.hypot(10.0, unknown))
    assert high[0] == pytest.approx(65.0 + np.hypot(5.0, unknown))
    noisy = MarkMap(("phrasing",), 5.0, np.array([0.5]), np.ones(1), covariance, 9.0)
    assert noisy.interval(x, x - 20.0, x + 10.0)[0][0] == pytest.approx(
        65.0 - np.hypot(1.6449 * 9.0, unknown)
    )


def test_fewer_marks_give_wider_intervals(rng):
    x = rng.normal(55.0, 12.0, size=40)
    marks = x - 10.0 + rng.normal(0.0, 8.0, size=40)
    at = np.array([[85.0]])
    sds = [fit_dimension("phrasing", x[:n, None], marks[:n]).sd(at)[0] for n in (2, 8, 40)]
    assert sds == sorted(sds, reverse=True)


def test_what_is_missing_leaves_its_share_to_the_others():
    names = ("note_accuracy", "phrasing", "musicality")
    default = default_weights(names)
    covariance = np.diag([1.0, 0.1, 0.2, 0.3])
    found = MarkMap(names, 4.0, np.array([0.5, 0.3, 0.2]), default, covariance, 8.0)
    assert found.among(names) is found
    rest = found.among(("phrasing", "musicality"))
    assert rest is not None
    assert rest.names == ("phrasing", "musicality")
    assert rest.slopes == pytest.approx([0.6, 0.4])
    assert rest.default_slopes == pytest.approx(default[1:] / default[1:].sum())
    assert rest.covariance == pytest.approx(np.diag([1.0, 0.8, 1.2]))
    assert found.among(("note_accuracy",)) is not None  # half of the weight
    assert found.among(("musicality",)) is None
    less = replace(found, slopes=np.array([0.45, 0.3, 0.25]))
    assert less.among(("note_accuracy",)) is None
    assert found.among(()) is None


def test_the_prior_is_the_documented_one():
    """Each number decides how far few marks move a map; docs/calibration.md has the reasons."""
    assert (OFFSET_SD, SLOPE_SD, STEEP_SLOPE_SD, WEIGHT_SD) == (15.0, 0.5, 3.0, 0.06)
    assert (pivot("note_accuracy"), pivot("phrasing")) == (97.0, 50.0)
    nothing = np.zeros((0, 1)), np.zeros(0)
    assert fit_dimension("phrasing", *nothing).covariance == pytest.approx(np.diag([225.0, 0.25]))
    assert fit_dimension("note_accuracy", *nothing).covariance == pytest.approx(np.diag([225.0, 9.0]))
    whole_prior = fit_aggregate(("phrasing", "musicality"), np.zeros((0, 2)), np.zeros(0)).covariance
    w = default_weights(("phrasing", "musicality"))
    assert whole_prior[1:, 1:] == pytest.approx(0.25 * np.outer(w, w) + 0.0036 * np.eye(2))

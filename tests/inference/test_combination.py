"""Perception less deductions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocco.inference.assessment import Rating
from tocco.inference.combination import (
    DEDUCTIONS,
    deduction_sd,
    deductions,
    held,
    less_deductions,
    total_deductions,
    with_account,
)
from tocco.inference.shortfalls import Shortfalls
from tocco.inference.verdict import ModelVerdict
from tocco.inference.windows import centre_weighted_merge
from tocco.pseudo_labels.damage.catalogue import MEASURES
from tocco.pseudo_labels.raters.registry import RATERS
from tocco.rubrics import TOCCO10

NAMES = ("overall_quality", "mood_optimistic_dark", "pedaling_technique")


def verdict(rating: list[float]) -> ModelVerdict:
    merge = centre_weighted_merge(np.array([[0.0, 20.0], [20.0, 40.0]]), np.array([True, True]))
    table = np.tile(np.array(rating), (2, 1))
    return ModelVerdict(
        NAMES,
        np.array(rating),
        np.full(3, 6.0),
        merge.curve(table),
        merge.curve(np.full((2, 3), 6.0)),
        np.full((2, 3), 6.0),
        merge,
    )


NONE = np.zeros((2, 3))


def test_a_shortfall_takes_off_its_points():
    short = Shortfalls({"pedaling_technique": 1.5, "pedal_held": 0.5}, {})
    assert deductions("pedaling_technique", short) == {"pedaling_technique": 15.0, "pedal_held": 5.0}
    assert deductions("overall_quality", short) == {"pedaling_technique": 6.0, "pedal_held": 2.5}
    assert deductions("mood_optimistic_dark", short) == {}
    np.testing.assert_allclose(total_deductions(NAMES, short), [8.5, 0.0, 20.0])
    found = less_deductions(verdict([60.0, 55.0, 70.0]), short, NONE)
    np.testing.assert_allclose(found.rating, [51.5, 55.0, 50.0])
    np.testing.assert_allclose(found.curve[0], [51.5, 55.0, 50.0])


def test_better_than_competent_adds_points():
    short = Shortfalls({"tone_quality": -0.5}, {})
    np.testing.assert_allclose(total_deductions(["tone_quality"], short), [-6.0])


def test_what_is_taken_off_or_unknown_widens_the_interval():
    taken = Shortfalls({"pedaling_technique": 1.0, "pedal_held": 1.0}, {})
    np.testing.assert_allclose(deduction_sd(NAMES, taken), [0.5 * 9.0, 0.0, 0.5 * 20.0])
    unknown = Shortfalls({}, {"pedaling_technique": "no pedal", "pedal_held": "no pedal"})
    np.testing.assert_allclose(
        deduction_sd(NAMES, unknown), [0.8 * np.hypot(4.0, 5.0), 0.0, 0.8 * np.hypot(10.0, 10.0)]
    )
    found = less_deductions(verdict([60.0, 55.0, 70.0]), taken, NONE)
    np.testing.assert_allclose(found.sd, [np.hypot(6.0, 4.5), 6.0, np.hypot(6.0, 10.0)])


def test_the_curve_loses_more_where_a_window_falls_short():
    local = np.array([[0.0, 0.0, -5.0], [0.0, 0.0, 5.0]])
    found = less_deductions(verdict([60.0, 55.0, 70.0]), Shortfalls({}, {}), local)
    np.testing.assert_allclose(found.rating, [60.0, 55.0, 70.0])
    assert found.curve[0, 2] == pytest.approx(75.0)
    assert found.curve[-1, 2] == pytest.approx(65.0)


@given(
    st.sampled_from(sorted(DEDUCTIONS)),
    st.sampled_from(sorted(RATERS) + sorted(MEASURES)),
    st.floats(-0.5, 3.0),
    st.floats(0.01, 3.0),
    st.floats(5.0, 95.0),
)
def test_more_damage_never_raises_a_rating(
    dimension: str, measure: str, before: float, more: float, perception: float
):
    rating = [
        float(held(np.array(perception) - total_deductions([dimension], Shortfalls({measure: value}, {})))[0])
        for value in (before, before + more)
    ]
    assert rating[1] <= rating[0]
    if measure in DEDUCTIONS[dimension]:
        assert rating[1] < rating[0]


def test_held_keeps_order_and_the_middle():
    points = np.linspace(-80.0, 180.0, 400)
    found = held(points)
    assert (np.diff(found) > 0).all()
    assert found[0] > 0.0
    assert found[-1] < 100.0
    middle = (points >= 10.0) & (points <= 90.0)
    np.testing.assert_array_equal(found[middle], points[middle])
    np.testing.assert_allclose(held(np.array([0.0, 100.0])), [10.0 / np.e, 100.0 - 10.0 / np.e])


def test_a_rating_says_what_it_was_put_together_from():
    rating = Rating(value=52.0, sigma=5.0, interval_90=(44.0, 60.0), source="model")
    found = with_account(rating, "pedaling_technique", 70.0, Shortfalls({"pedal_held": 1.8}, {}))
    assert (found.source, found.perception, found.deductions) == ("combined", 70.0, {"pedal_held": 18.0})
    assert with_account(rating, "mood_optimistic_dark", 70.0, Shortfalls({"pedal_held": 1.8}, {})) == rating


def test_a_combined_rating_that_does_not_say_so_is_refused():
    rating = Rating(value=52.0, sigma=5.0, interval_90=(44.0, 60.0), source="model")
    with pytest.raises(ValueError, match="if, and only if, it is combined"):
        Rating.model_validate(rating.model_dump() | {"source": "combined"})
    with pytest.raises(ValueError, match="if, and only if, it is combined"):
        Rating.model_validate(rating.model_dump() | {"perception": 60.0})


def test_every_learned_dimension_has_deductions_of_known_measures():
    learned = {one.name for one in TOCCO10.dimensions if one.descriptors}
    assert set(DEDUCTIONS) == learned
    for points in DEDUCTIONS.values():
        assert set(points) <= set(RATERS) | set(MEASURES)
        assert all(value > 0 for value in points.values())


# Each by itself: a change of any of these changes what people read.
POINTS = {
    "rhythmic_precision": "14 10 8 8 10",
    "dynamics_control": "10 12 8",
    "articulation_quality": "10 12",
    "pedaling_technique": "10 10 2",
    "tone_quality": "12 2 6 4 5",
    "overall_quality": "8 6 3 3 4 3 8 4 8 6 4 6 6 2 5 8 3 10 10",
    "musicality": "4.8 3.6 1.8 1.8 2.4 1.8 4.8 2.4 4.8 3.6 3.6 3.6 1.2 3 4.8 1.8 6 6",
    "phrasing": "4 3 1.5 1.5 2 1.5 4 2 4 3 3 3 1 2.5 4 1.5 5 5",
    "expressiveness": "3.2 2.4 1.2 1.2 1.6 1.2 3.2 1.6 3.2 2.4 6 2.4 .8 2 3.2 1.2 4 4",
}


@pytest.mark.parametrize("dimension", sorted(POINTS))
def test_the_points_of_a_dimension(dimension: str):
    found = list(DEDUCTIONS[dimension].values())
    assert found == pytest.approx([float(points) for points in POINTS[dimension].split()])


def test_a_verdict_is_replaced_and_not_changed():
    given_verdict = verdict([60.0, 55.0, 70.0])
    less_deductions(given_verdict, Shortfalls({"pedal_held": 1.0}, {}), NONE)
    assert replace(given_verdict).rating.tolist() == [60.0, 55.0, 70.0]

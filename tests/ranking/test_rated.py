"""What is not rated, or not on the same dimensions, is listed apart; the rest is compared in pairs."""

from __future__ import annotations

import pytest

from assessment_example import example
from tocco.errors import BundleError
from tocco.inference.assessment import Assessment
from tocco.inference.difference import RatingDifference
from tocco.ranking.rated import rated_field


def between(one: Assessment, other: Assessment) -> dict[str, RatingDifference]:
    """Half of each difference is expected; a difference of more than 10 is clear."""
    pairs = {name: (one.ratings[name].value, other.ratings[name].value) for name in one.ratings}
    pairs["aggregate"] = (one.aggregate.value, other.aggregate.value)
    found = {}
    for name, (a, b) in pairs.items():
        if a is not None and b is not None:
            value = a - b
            verdict = "better" if value > 10.0 else "worse" if value < -10.0 else "undecided"
            half = 0.5 * value
            found[name] = RatingDifference(
                value=value, expected=half, sd=3.0, interval_90=(half - 5.0, half + 5.0), verdict=verdict
            )
    return found


def of_phrasing(value: float) -> Assessment:
    made = example().model_dump()
    made["ratings"]["phrasing"] |= {"value": value, "interval_90": (value - 5.0, value + 5.0)}
    return Assessment.model_validate(made)


def test_every_two_are_compared_once_and_the_other_way_round_with_the_sign_turned():
    found = rated_field({"a": of_phrasing(50.0), "b": of_phrasing(70.0)}, "phrasing", between)
    assert found.names == ("a", "b")
    assert found.rating.tolist() == [50.0, 70.0]
    assert (found.low.tolist(), found.high.tolist()) == ([45.0, 65.0], [55.0, 75.0])
    assert found.between.pairs.mean.tolist() == [[0.0, -10.0], [10.0, 0.0]]
    assert found.between.pairs.sd.tolist() == [[0.0, 3.0], [3.0, 0.0]]
    assert found.between.verdict.tolist() == [[0, -1], [1, 0]]


def test_an_abstention_and_a_missing_dimension_are_apart_with_the_reason():
    made = example().model_dump()
    for rating in made["ratings"].values():
        rating |= {
            "value": None, "sigma": None, "interval_90": None, "source": "missing", "reason": "abstained",
            "perception": None, "deductions": {},
        }  # fmt: skip
    reason = {"value": None, "parts": (), "without": (), "interval_90": None, "reason": "abstained"}
    made |= {"abstained": True, "abstained_reasons": ("too short",), "descriptors": {}, "moments": ()}
    made["aggregate"] |= reason
    silent = Assessment.model_validate(made)
    takes = {"a": example(), "silent": silent, "bare": example(score=False), "b": example()}
    by_notes = rated_field(takes, "note_accuracy", between)
    assert by_notes.names == ("a", "b")
    assert [(one.name, one.reason) for one in by_notes.apart] == [
        ("silent", "tocco abstained: too short"),
        ("bare", "not rated: no score was given"),
    ]


def test_aggregates_of_other_dimensions_than_most_are_apart():
    takes = {"a": example(), "bare": example(score=False), "b": example()}
    found = rated_field(takes, "aggregate", between)
    assert found.names == ("a", "b")
    (bare,) = found.apart
    assert bare.reason == "its aggregate is without note accuracy, unlike that of the others"
    turned = {"a": example(score=False), "b": example(score=False), "c": example()}
    assert rated_field(turned, "aggregate", between).apart[0].reason == (
        "its aggregate has note accuracy, unlike that of the others"
    )


def test_without_differences_ratings_are_only_shown():
    found = rated_field({"a": example(), "bare": example(score=False)}, "aggregate", None)
    assert found.names == ("a", "bare")
    assert found.between is None


def test_a_bundle_that_does_not_know_a_dimension_is_named():
    with pytest.raises(BundleError, match=r"tocco-compact 0\.1\.0: does not know how far .* of phrasing"):
        rated_field({"a": example(), "b": example()}, "phrasing", lambda one, other: {})

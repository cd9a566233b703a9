"""The ratings as bars and in words."""

from __future__ import annotations

import pytest

from assessment_example import example
from page_example import parsed
from tocco.inference.assessment import Rating
from tocco.report.page.ratings import account, neighbour, rating_bar, rating_rows
from tocco.rubrics import DIMENSIONS, Meaning

STEADY = Meaning({10: "no pulse", 30: "often lost", 50: "steady", 70: "sure", 90: "never in doubt"})


def rated(value: float, low: float, high: float) -> Rating:
    return Rating(value=value, sigma=1.0, interval_90=(low, high), source="model")


@pytest.mark.parametrize(
    ("value", "said"),
    [(52.0, "At 70: sure"), (48.0, "At 30: often lost"), (3.0, "At 30: often lost"), (97.0, "At 70: sure")],
)
def test_the_neighbour_is_the_second_nearest_level(value: float, said: str) -> None:
    assert neighbour(STEADY, rated(value, value, value)) == f"{said}; the interval does not reach it."


def test_the_neighbour_may_lie_in_the_interval() -> None:
    assert neighbour(STEADY, rated(52.0, 40.0, 70.0)).endswith("; the interval holds that too.")
    assert neighbour(STEADY, rated(52.0, 40.0, 69.9)).endswith("; the interval does not reach it.")
    assert neighbour(STEADY, Rating(value=52.0, source="rule")) == "At 70: sure."


def test_a_rating_that_was_put_together_shows_its_parts() -> None:
    combined = Rating(
        value=55.5, source="combined", perception=60.0, deductions={"hesitation": 5.0, "tone_quality": -0.5}
    )
    assert account(combined) == "60.0 as perceived, less 5.0 for hesitation, plus 0.5 for tone quality"
    assert account(rated(50.0, 40.0, 60.0)) == ""


def test_of_many_parts_the_largest_are_named_and_the_rest_summed() -> None:
    parts = {"a": 1.0, "b": -3.0, "c": 0.5, "d": 0.04, "e": 2.0, "f": -0.2}
    combined = Rating(value=55.5, source="combined", perception=60.0, deductions=parts)
    assert account(combined) == (
        "60.0 as perceived, plus 3.0 for b, less 2.0 for e, less 1.0 for a, less 0.3 for 2 more"
    )


def test_a_bar_is_drawn_from_low_to_high_with_a_mark_at_the_value() -> None:
    svg = parsed(str(rating_bar("phrasing", rated(65.0, 50.0, 80.0))))
    (interval,) = svg.all("rect", class_="interval")
    assert (interval.attributes["x"], interval.attributes["width"]) == ("200", "120")
    assert svg.all("path", class_="value")[0].attributes["d"] == "M260.0 2V20"
    assert svg.all("desc")[0].text == "65.0 of 100, 90 %: 50 to 80"
    assert rating_bar("phrasing", Rating.missing("no score")) is None


def test_rows_are_those_of_the_rubric_with_reasons_where_one_is_missing() -> None:
    rows = rating_rows(example(score=False))
    assert [row.name for row in rows] == list(DIMENSIONS)
    assert (rows[0].value, rows[0].words, rows[0].bar, rows[0].neighbour) == (
        "–",
        "no score was given",
        None,
        "",
    )
    assert (rows[1].source, rows[1].reliability) == ("learned from raters", "0.62")

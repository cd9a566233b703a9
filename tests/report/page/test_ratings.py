"""The ratings as bars and in words."""

from __future__ import annotations

import pytest

from assessment_example import example
from page_example import parsed
from tocco.inference.assessment import Rating
from tocco.report.page.ratings import neighbour, rating_bar, rating_rows
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
    assert neighbour(STEADY, rated(52.0, 40.0, 69.4)).endswith("; the interval does not reach it.")
    assert neighbour(STEADY, Rating(value=52.0, source="rule")) == "At 70: sure."


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

"""The ratings as bars and in words."""

from __future__ import annotations

import pytest

from assessment_example import example
from page_example import parsed
from tocco.inference.assessment import Rating
from tocco.report.page.ratings import in_meaning, neighbour, rating_bar, rating_rows
from tocco.rubrics import DIMENSIONS, Meaning

STEADY = Meaning("unstable", "median", "stable")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0, "unstable"), (6.0, "unstable"), (7.0, "from “unstable” a fifth of the way to “median”"),
        (18.0, "from “unstable” a third of the way to “median”"), (44.0, "median"), (56.0, "median"),
        (75.0, "from “median” half way to “stable”"),
        (81.0, "from “median” two thirds of the way to “stable”"),
        (90.0, "from “median” most of the way to “stable”"), (94.5, "stable"),
    ],
)  # fmt: skip
def test_a_value_is_said_by_the_anchors_around_it(value: float, words: str) -> None:
    assert in_meaning(STEADY, value) == words


def rated(value: float, low: float, high: float) -> Rating:
    return Rating(value=value, sigma=1.0, interval_90=(low, high), source="model")


def test_the_neighbour_is_ten_points_up_and_may_lie_in_the_interval() -> None:
    assert neighbour(STEADY, rated(65.0, 50.0, 80.0)) == (
        "75 would be from “median” half way to “stable”; the interval holds that too."
    )
    assert neighbour(STEADY, rated(65.0, 60.0, 70.0)).endswith("the interval does not reach it.")
    assert neighbour(STEADY, rated(45.0, 40.0, 60.0)).startswith("55 would be much the same;")
    assert neighbour(STEADY, rated(97.0, 94.0, 99.0)).startswith("87 would be from “median” two thirds")


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

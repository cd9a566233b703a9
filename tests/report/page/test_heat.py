"""The heat map: bars by dimensions, relative to the whole."""

from __future__ import annotations

import numpy as np
import pytest

from assessment_example import example
from page_example import assessed, parsed
from tocco.inference.assessment import Assessment, Curve
from tocco.report.page.heat import MOST_COLUMNS, NAMES, column_means, columns, heat_map, shade


def flat(value: list[float | None], *, score: bool = True) -> Assessment:
    """Phrasing over 32 bars of two seconds; the whole is rated 74.2."""
    curve = Curve(
        time_sec=tuple(0.8 + 2.0 * k + 1.0 for k in range(len(value))),
        start_sec=tuple(0.8 + 2.0 * k for k in range(len(value))),
        end_sec=tuple(0.8 + 2.0 * k + 2.0 for k in range(len(value))),
        value={"phrasing": tuple(value)},
    )
    return example(score=score).model_copy(update={"curve": curve, "moments": ()})


@pytest.mark.parametrize(
    ("difference", "name"),
    [
        (-8.1, "lowest"), (-7.9, "lower"), (-4.1, "lower"), (-3.9, "low"), (-2.1, "low"), (-1.9, "same"),
        (0.0, "same"), (1.9, "same"), (2.1, "high"), (4.1, "higher"), (8.1, "highest"),
    ],
)  # fmt: skip
def test_shades_follow_the_distance_from_the_whole(difference: float, name: str) -> None:
    assert NAMES[int(shade(np.array([difference]))[0])] == name
    assert shade(np.array([np.nan]))[0] == -1


def test_a_cell_is_the_mean_of_its_bar() -> None:
    assessment = flat([50.0] * 16 + [60.0] * 16)
    labels, edges = columns(assessment)
    assert labels == [str(k + 1) for k in range(32)]
    assert column_means(assessment, "phrasing", edges).tolist() == [50.0] * 16 + [60.0] * 16


def test_equal_cells_are_one_rectangle_with_its_words() -> None:
    whole = example().ratings["phrasing"].value or 0.0
    found = heat_map(flat([whole] * 16 + [whole - 5.0] * 8 + [None] * 8))
    assert found is not None
    cells = parsed(str(found.svg)).all("rect")
    assert [one.attributes["class"] for one in cells] == ["heat same", "heat lower", "heat empty"]
    assert [one.text for one in cells] == [
        f"Phrasing, 1 to 16: as the whole ({whole:.1f})",
        f"Phrasing, 17 to 24: more than 4 points below the whole ({whole:.1f})",
        "Phrasing, 25 to 32: no music",
    ]
    assert (found.rows, found.marks, found.unit) == (("Phrasing",), ("1", "9", "17", "24", "32"), "bar")


def test_a_passage_that_is_real_is_framed() -> None:
    found = heat_map(example())
    assert found is not None
    frames = parsed(str(found.svg)).all("rect", class_="passage weakest")
    assert len(frames) == 9
    weakest = [one for one in example().moments if one.kind == "weakest"]
    lowest, frame = next(pair for pair in zip(weakest, frames, strict=True) if 0.8 < pair[0].end_sec < 62.8)
    assert float(frame.attributes["x"]) == pytest.approx(10.0 * (lowest.start_sec - 0.8) / 2.0, abs=0.06)
    assert float(frame.attributes["width"]) == pytest.approx(30.0, abs=0.06)


def test_without_a_score_columns_are_seconds() -> None:
    found = heat_map(flat([50.0] * 32, score=False))
    assert found is not None
    assert (found.unit, found.marks[0], found.marks[-1]) == ("time", "0:01", "1:01")


def test_many_bars_share_columns_and_short_ones_have_the_value_at_their_middle() -> None:
    made = assessed().model_dump(mode="json")
    made["alignment"]["bars"] = [[str(k), 0.8 + 0.1 * k] for k in range(640)]
    assessment = Assessment.model_validate(made)
    labels, edges = columns(assessment)
    assert len(labels) == MOST_COLUMNS
    assert np.isfinite(column_means(assessment, "phrasing", edges)).all()


def test_without_a_curve_there_is_no_map() -> None:
    assert heat_map(flat([None] * 4)) is None

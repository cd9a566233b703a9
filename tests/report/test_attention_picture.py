"""The pictures of attention: what they show, what they say below, and that their bytes are stable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from assessment_example import example
from attention_example import attended
from tocco.errors import OutputError
from tocco.inference.assessment import Assessment
from tocco.report import attention_picture
from tocco.report.attention_picture import draw_attention_curve, draw_attention_map
from tocco.report.attention_wording import attention_limits, attention_meaning, attention_range

Draw = Callable[[Assessment, Path], None]
BOTH = pytest.mark.parametrize("draw", [draw_attention_map, draw_attention_curve])


def figure_of(draw: Draw, assessment: Assessment, path: Path, monkeypatch: pytest.MonkeyPatch) -> Figure:
    made: list[Figure] = []
    original = attention_picture._figure
    monkeypatch.setattr(attention_picture, "_figure", lambda height: made.append(original(height)) or made[0])
    draw(assessment, path)
    return made[0]


@BOTH
def test_the_same_assessment_gives_the_same_bytes_and_says_what_it_means(
    draw: Draw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = figure_of(draw, attended(at5=3.0), tmp_path / "a.png", monkeypatch)
    monkeypatch.undo()
    draw(attended(at5=3.0), tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert np.asarray(Image.open(tmp_path / "a.png")).std() > 5
    said = " ".join(text.get_text() for text in figure.texts)
    assert "most at 0:06" in said
    assert "The network's own weight in the ratings is 0" in said
    for text in figure.texts:
        assert text.get_window_extent().x1 <= figure.bbox.x1


def test_the_map_has_a_row_for_each_head_and_their_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = figure_of(draw_attention_map, attended(at5=3.0), tmp_path / "a.png", monkeypatch)
    mesh = figure.axes[0].collections[0]
    cells = np.asarray(mesh.get_array()).reshape(3, 66)
    assert cells[0, 5] == cells[2, 5] == pytest.approx(np.log2(3.0))
    assert cells[1, 5] == cells[0, 6] == 0.0
    assert mesh.get_clim() == (-2.0, 2.0)  # a quarter to four times, since three are more than two
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["head 1", "head 2", "mean"]


def test_the_curve_stands_above_the_rating_over_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upper, lower, *_ = figure_of(
        draw_attention_curve, attended(at5=1.5), tmp_path / "a.png", monkeypatch
    ).axes
    line = upper.lines[-1]
    assert line.get_ydata()[6] == 1.5  # the first point is held to the start of its second
    assert line.get_xdata()[6] == 5.5
    assert upper.get_ylim() == pytest.approx((0.5, 2.0))
    assert lower.get_ylabel() == "overall\nquality"
    values = example().curve.value["overall_quality"]
    assert list(lower.lines[-1].get_ydata())[1:-1] == list(values)


@BOTH
def test_without_attention_there_is_no_picture(draw: Draw, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no attention"):
        draw(example(), tmp_path / "a.png")
    with pytest.raises(OutputError, match="cannot be written"):
        draw(attended(), Path("/dev/null/a.png"))


def test_what_is_almost_even_is_called_so_and_what_is_not_is_named() -> None:
    even, uneven = attended(at5=1.2), attended(at5=1.3)
    assert even.attention is not None
    assert uneven.attention is not None
    assert "1.00 to 1.20 times, which is almost even" in attention_meaning(even, even.attention)
    assert attention_meaning(uneven, uneven.attention).endswith("1.00 to 1.30 times, most at 0:06.")
    low = attended(at5=0.79)
    assert low.attention is not None
    assert "almost even" not in attention_meaning(low, low.attention)


def test_the_weight_of_the_network_is_stated() -> None:
    alone, shared = attended(network_share=0.0).attention, attended(network_share=0.25).attention
    assert alone is not None
    assert shared is not None
    assert attention_limits(alone).endswith("is 0: it only shapes the ratings over time.")
    assert attention_limits(shared).endswith("The network's own weight in the ratings is 25 %.")


@pytest.mark.parametrize(("value", "most"), [(1.1, 2.0), (0.4, 4.0), (5.0, 8.0), (50.0, 8.0), (0.0, 8.0)])
def test_the_axis_is_never_narrower_than_half_to_twice(value: float, most: float) -> None:
    found = attended(at5=value).attention
    assert found is not None
    assert attention_range(found) == most

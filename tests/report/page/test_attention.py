"""The lane of attention, and the sentences below it."""

from __future__ import annotations

import pytest

from attention_example import attended
from page_example import DURATION_SEC, assessed, material, parsed
from tocco.report.attention_wording import attention_limits, attention_meaning
from tocco.report.page.attention import attention_lane
from tocco.report.page.document import render
from tocco.report.page.timeline import lanes, time_axis

AXIS = time_axis(DURATION_SEC)


def test_the_lane_goes_from_half_to_twice_an_even_share() -> None:
    assessment = attended(at5=1.5)
    assert assessment.attention is not None
    svg, height, marks = attention_lane(assessment, assessment.attention, AXIS)
    assert [text for _, text in marks] == ["2 ×", "1 ×", "0.5 ×"]
    path = parsed(str(svg)).all("path", class_="line second")[0].attributes["d"]
    places = [tuple(map(float, pair.split())) for pair in path.removeprefix("M").split("L")]
    assert places[1] == pytest.approx((0.5 * AXIS.px_per_sec, height / 2))
    x, y = places[6]
    assert x == pytest.approx(5.5 * AXIS.px_per_sec)
    assert y == pytest.approx(height / 2 - 0.585 * (height / 2 - 12.0), abs=0.1)


def test_it_is_the_last_lane_and_only_where_there_is_attention() -> None:
    found = lanes(attended(), material(), AXIS)
    assert [one.name for one in found][-2:] == ["pedal", "attention"]
    assert "attention" not in [one.name for one in lanes(assessed(), material(), AXIS)]


def test_the_report_says_what_it_means_and_what_not() -> None:
    assessment = attended(at5=3.0)
    assert assessment.attention is not None
    html = parsed(render(assessment, material()))
    (paragraph,) = [one for one in html.all("p", class_="fine") if one.text.startswith("Attention: ")]
    assert attention_meaning(assessment, assessment.attention) in paragraph.text
    assert attention_limits(assessment.attention) in paragraph.text
    assert "Attention: " not in render(assessed(), material())

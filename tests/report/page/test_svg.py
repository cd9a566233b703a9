"""Pieces of SVG."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from page_example import parsed
from tocco.report.page.svg import band_path, element, line_path, picture, rect_path, step_path


def test_attributes_and_text_are_escaped() -> None:
    made = element("text", '</text><script>"', x=1.25, title='"><script>')
    assert str(made) == (
        '<text x="1.2" title="&#34;&gt;&lt;script&gt;">&lt;/text&gt;&lt;script&gt;&#34;</text>'
    )
    assert parsed(str(element("g", element("text", "a & b")))).all("text")[0].text == "a & b"


def test_paths_pass_through_their_points() -> None:
    x, low, high = np.array([0.0, 2.0]), np.array([5.0, 6.0]), np.array([1.0, 2.0])
    assert line_path(x, low) == "M0 5L2 6"
    assert band_path(x, low, high) == "M0 1L2 2L2 6L0 5Z"
    assert step_path(x, low, 4.0) == "M0 5H2V6H4"
    assert rect_path(1.0, 2.0, 3.0, 4.0) == "M1 2h3v4h-3z"
    nothing = np.zeros(0)
    assert (
        line_path(nothing, nothing)
        == band_path(nothing, nothing, nothing)
        == step_path(nothing, nothing, 1.0)
        == ""
    )


def test_a_picture_has_a_title_and_a_description() -> None:
    made = parsed(str(picture("a", "Title", "What it shows", Markup("<path/>"), width=10)))
    (svg,) = made.all("svg")
    assert svg.attributes["aria-labelledby"] == "a-title a-desc"
    assert svg.attributes["role"] == "img"
    assert (svg.all("title")[0].text, svg.all("desc")[0].text) == ("Title", "What it shows")

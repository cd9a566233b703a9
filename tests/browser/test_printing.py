"""On paper: everything that is closed on the screen is open, dark pages are light, and pages are A4."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from browsing import Opened, assert_quiet, faint_texts
from reports import Reports

A4_POINTS = (595.3, 841.9)


def pages_of(pdf: bytes) -> list[tuple[float, float]]:
    """Width and height of each sheet in points, as the file lists them."""
    assert pdf.startswith(b"%PDF")
    boxes = re.findall(rb"/Type /Page\b[^s].*?/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf, re.DOTALL)
    return [(float(width), float(height)) for width, height in boxes]


@pytest.mark.parametrize(
    ("kind", "fewest", "most"), [("example", 4, 12), ("abstention", 2, 12), ("long", 4, 30)]
)
def test_it_prints_on_a_few_sheets(
    open_page: Callable[..., Opened], reports: Reports, kind: str, fewest: int, most: int
) -> None:
    opened = open_page(getattr(reports, kind))
    pdf = opened.page.pdf(format="A4")
    sheets = pages_of(pdf)
    assert fewest <= len(sheets) <= most
    for sheet in sheets:
        assert sheet == pytest.approx(A4_POINTS, abs=1.0)
    assert_quiet(opened)


def test_what_is_closed_is_open_on_paper_and_closed_again(
    open_page: Callable[..., Opened], example: Path
) -> None:
    page = open_page(example).page
    are_open = "() => [...document.querySelectorAll('details')].map((one) => one.open)"
    before = page.evaluate(are_open)
    assert set(before) == {True, False}
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert set(page.evaluate(are_open)) == {True}
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(are_open) == before


def test_paper_is_light_and_has_nothing_to_press(open_page: Callable[..., Opened], example: Path) -> None:
    page = open_page(example, dark=True).page
    page.emulate_media(media="print", color_scheme="dark")
    colours = "() => { const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]; }"
    assert page.evaluate(colours) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    for one in page.locator("button, select, input, .timeline").all():
        assert not one.is_visible()
    assert page.get_by_role("heading", name="What to work on first").is_visible()
    assert faint_texts(page) == []

"""The pictures over time: they are clicked, follow what plays, and leave alone whoever scrolls."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from browsing import Opened
from playing import (
    LISTENER,
    cursor_sec,
    is_playing,
    notes,
    place_in_lane,
    place_of_note,
    position_sec,
    toggle,
    wait_until_after,
    wait_until_stopped,
)
from reports import Reports


@pytest.fixture
def page(open_page: Callable[..., Opened], example: Path) -> Page:
    return open_page(example, setup=LISTENER).page


def scrolled_px(page: Page) -> float:
    return page.evaluate("() => document.getElementById('timeline').scrollLeft")


def end_sec(page: Page) -> float:
    return float(page.locator("#seek").get_attribute("max") or 0)


def scale(page: Page) -> float:
    return float(page.locator("#timeline").get_attribute("data-scale") or 0)


def test_a_click_on_a_note_plays_that_note_and_stops(page: Page) -> None:
    note = next(one for one in notes(page) if one["start"] > 40.0 and one["end"] - one["start"] > 0.4)
    page.mouse.click(*place_of_note(page, note))
    wait_until_stopped(page)
    (_, from_sec), (_, to_sec) = page.evaluate("() => heard")
    assert from_sec == pytest.approx(note["start"], abs=0.3)
    assert to_sec == pytest.approx(max(note["end"], note["start"] + 0.6), abs=0.5)


def test_a_click_in_any_lane_plays_from_there(page: Page) -> None:
    for sec, lane in enumerate(("wave", "curve", "tempo", "level", "pedal"), start=61):
        page.mouse.click(*place_in_lane(page, lane, sec))
        assert position_sec(page) == pytest.approx(sec, abs=0.3), lane
        assert is_playing(page)


def test_a_click_on_a_cell_of_the_heat_map_plays_its_bar(page: Page) -> None:
    cells = page.locator(".heatmap")
    box = cells.bounding_box()
    assert box is not None
    edges = json.loads(page.locator("#data").text_content() or "{}")["columns"]
    column = 20
    cells.click(position={"x": (column + 0.5) * box["width"] / (len(edges) - 1), "y": box["height"] / 2})
    wait_until_stopped(page)
    (_, from_sec), (_, to_sec) = page.evaluate("() => heard")
    assert from_sec == pytest.approx(edges[column] / 1000, abs=0.3)
    assert to_sec == pytest.approx(edges[column + 1] / 1000, abs=0.5)


def test_a_click_in_the_overview_plays_from_there(page: Page) -> None:
    overview = page.locator("#overview-box")
    width = overview.evaluate("(one) => one.clientWidth")
    overview.click(position={"x": width / 2, "y": 50})
    assert is_playing(page)
    assert -0.3 < position_sec(page) - end_sec(page) / 2 < 3.0  # it plays on while it is asked


def test_the_cursors_move_in_overview_and_lanes(page: Page) -> None:
    for cursor in page.locator(".cursor").all():
        assert not cursor.is_visible()
    toggle(page).click()
    wait_until_after(page, 0.6)
    toggle(page).click()
    at = position_sec(page)
    assert cursor_sec(page) == pytest.approx(at, abs=0.06)
    box, cursor = (page.locator(one).bounding_box() for one in ("#overview-box", "#overview-box .cursor"))
    assert box is not None
    assert cursor is not None
    share = at / end_sec(page)
    assert cursor["x"] - box["x"] == pytest.approx(share * box["width"], abs=2.0)


def test_the_lanes_follow_what_plays(page: Page) -> None:
    button = page.get_by_role("button", name="Play these seconds: finding 1")
    button.click()
    page.wait_for_function("() => document.getElementById('timeline').scrollLeft > 0")
    shown = page.locator("#timeline").evaluate("(one) => [one.scrollLeft, one.clientWidth]")
    assert shown[0] <= position_sec(page) * scale(page) <= sum(shown)


def test_a_finding_is_shown_even_after_scrolling(page: Page) -> None:
    page.locator("#timeline").evaluate("(one) => { one.scrollLeft = one.scrollWidth; }")
    page.wait_for_timeout(100)
    end = scrolled_px(page)
    page.get_by_role("button", name="Play these seconds: finding 1").click()
    page.wait_for_function("(px) => document.getElementById('timeline').scrollLeft < px", arg=end - 300)


@pytest.mark.parametrize("by", ["wheel", "keys", "scrollbar"])
def test_whoever_scrolls_is_left_alone(page: Page, by: str) -> None:
    timeline = page.locator("#timeline")
    page.mouse.click(*place_in_lane(page, "curve", 60.0))
    wait_until_after(page, 60.3)
    followed = scrolled_px(page)
    if by == "wheel":
        page.mouse.wheel(-1500, 0)
    elif by == "keys":
        timeline.focus()
        for _ in range(12):
            page.keyboard.press("ArrowLeft")
    else:
        timeline.evaluate("(one) => { one.scrollLeft = 0; }")
    page.wait_for_function("(px) => document.getElementById('timeline').scrollLeft < px", arg=followed - 300)
    wait_until_after(page, 61.2)
    assert scrolled_px(page) < followed - 300
    page.evaluate("() => { laterMs = 5000; }")
    page.wait_for_function("(px) => document.getElementById('timeline').scrollLeft >= px", arg=followed - 300)


def test_another_dimension_shows_its_curve(page: Page) -> None:
    def shown() -> list[str | None]:
        return [
            one.get_attribute("data-dimension")
            for one in page.locator("g.curve").all()
            if one.evaluate("(curve) => getComputedStyle(curve).display !== 'none'")
        ]

    assert shown() == ["overall_quality"]
    page.get_by_label("Rating shown over time").select_option("Phrasing")
    assert shown() == ["phrasing"]


def test_a_long_piece_is_played_to_its_end(open_page: Callable[..., Opened], reports: Reports) -> None:
    page = open_page(reports.long, setup=LISTENER).page
    end = end_sec(page)
    assert end > 20 * 60
    note = next(one for one in notes(page) if one["start"] > 20 * 60 and one["end"] - one["start"] > 0.4)
    page.mouse.click(*place_of_note(page, note))
    wait_until_after(page, note["start"])
    assert cursor_sec(page) == pytest.approx(note["start"], abs=0.4)
    assert "bar 7" in (page.locator("#position").text_content() or "")
    page.get_by_role("slider", name="Position").press("End")
    page.evaluate("() => { laterMs = 5000; }")
    toggle(page).click()
    page.wait_for_function("() => document.getElementById('timeline').scrollLeft === 0")
    assert position_sec(page) < 2.0
    assert is_playing(page)

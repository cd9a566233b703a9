"""Without a mouse: Tab reaches everything, shows where it is, and keys do what clicks do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from browsing import Opened
from playing import LISTENER, is_playing

REACHABLE = """() => [...document.querySelectorAll("a[href], button, select, input, summary, [tabindex='0']")]
  .filter((one) => one.checkVisibility()).length"""
FOCUSED = """() => {
  const one = document.activeElement, box = one.getBoundingClientRect(), style = getComputedStyle(one);
  const [x, y] = [box.left + Math.min(box.width, innerWidth) / 2, box.top + Math.min(box.height, 20) / 2];
  const at = document.elementFromPoint(x, y);
  return {
    name: one.ariaLabel ?? one.labels?.[0]?.textContent ?? one.textContent.trim(),
    ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    inSight: one.contains(at) || at?.contains(one) === true,
    index: [...document.querySelectorAll("body *")].indexOf(one),
  };
}"""


@pytest.fixture
def page(open_page: Callable[..., Opened], example: Path) -> Page:
    return open_page(example, setup=LISTENER).page


@pytest.mark.parametrize("dark", [False, True])
def test_tab_reaches_everything_in_order_and_shows_it(page: Page, dark: bool) -> None:
    page.emulate_media(color_scheme="dark" if dark else "light")
    stops = []
    for _ in range(page.evaluate(REACHABLE)):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(FOCUSED))
    assert [stop["name"] for stop in stops if not (stop["ring"] and stop["inSight"])] == []
    order = [stop["index"] for stop in stops]
    assert order == sorted(set(order))
    names = [stop["name"] for stop in stops]
    assert names[0] == "Skip to the ratings"
    assert "" not in names
    for expected in ("Rating shown over time", "Play", "Position", "Speed"):
        assert expected in names


def test_the_first_link_skips_to_the_ratings(page: Page) -> None:
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    heading = page.get_by_role("heading", name="Ratings")
    assert -1 < heading.evaluate("(one) => one.getBoundingClientRect().top") < 100


def test_enter_plays_a_finding_and_opens_what_is_closed(page: Page) -> None:
    page.get_by_role("button", name="Play these seconds: finding 1").press("Enter")
    assert is_playing(page)
    details = page.locator("#measures-heading ~ details").first
    assert not details.evaluate("(one) => one.open")
    details.locator("summary").press("Enter")
    assert details.evaluate("(one) => one.open")
    assert details.get_by_role("table").is_visible()

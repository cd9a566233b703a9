"""The HTML file of a comparison: the same bars of both takes are heard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from browsing import LIGHT, ON_PHONE, Opened, assert_clean
from comparison_example import calibration, take
from page_example import notes, sound
from playing import is_playing, toggle
from tocco.inference.bundle import load_bundle
from tocco.inference.comparison import compare
from tocco.report.comparison_page.document import write_comparison_page
from tocco.report.comparison_page.takes import ShownTake

PLAYING = """() => [0, 1].map((k) => document.getElementById(`sound-${k}`))
  .map((sound) => [sound.paused, sound.currentTime])"""


@pytest.fixture
def opened(open_page: Callable[..., Opened], tmp_path: Path) -> Opened:
    loaded = load_bundle()
    figures = loaded.calibration.model_copy(update={"differences": calibration()})
    bundle = replace(loaded, sha256="d" * 64, calibration=figures)
    takes = {"monday": take(), "<b>friday": take({"phrasing": 15.0}, stretch=0.4)}
    shown = [ShownTake(name, one, notes(), sound()) for name, one in takes.items()]
    write_comparison_page(compare(takes, bundle), shown, tmp_path / "takes.html")
    return open_page(tmp_path / "takes.html")


def test_it_is_clean(opened: Opened) -> None:
    assert_clean(opened, (LIGHT, ON_PHONE))


def test_a_bar_is_heard_in_one_take_and_in_the_other(opened: Opened) -> None:
    page = opened.page
    page.get_by_label("Bar", exact=True).select_option("11")
    page.get_by_role("button", name="▶ A", exact=True).click()
    page.wait_for_function("() => document.getElementById('sound-0').currentTime > 20.9")
    page.keyboard.press("b")
    page.wait_for_function("() => !document.getElementById('sound-1').paused")
    (first_paused, _), (second_paused, second) = page.evaluate(PLAYING)
    assert (first_paused, second_paused) == (True, False)
    assert second == pytest.approx(21.0, abs=1.5)
    page.get_by_role("button", name="Pause").click()
    assert not is_playing(page)
    assert toggle(page).get_attribute("aria-label") == "Play"

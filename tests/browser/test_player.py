"""The player: button, keys, slider and speed, with the recording."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from browsing import Opened, assert_quiet
from playing import LISTENER, is_playing, position_sec, toggle, wait_until_after, wait_until_stopped
from reports import Reports

SLACK_SEC = 0.5
"""The start of a decoder and a late frame, on a machine that is busy with other things."""


@pytest.fixture
def opened(open_page: Callable[..., Opened], example: Path) -> Opened:
    return open_page(example, setup=LISTENER)


@pytest.fixture
def page(opened: Opened) -> Page:
    return opened.page


def current_sec(page: Page) -> float:
    return page.evaluate("() => document.getElementById('sound').currentTime")


def test_the_button_plays_and_stops(opened: Opened) -> None:
    page = opened.page
    page.get_by_role("button", name="Play", exact=True).click()
    wait_until_after(page, 0.3)
    assert current_sec(page) > 0.3
    assert [one.is_visible() for one in page.locator("#toggle path").all()] == [False, True]
    page.get_by_role("button", name="Pause").click()
    assert [one.is_visible() for one in page.locator("#toggle path").all()] == [True, False]
    stopped = current_sec(page)
    page.wait_for_timeout(150)
    assert current_sec(page) == stopped
    assert position_sec(page) == pytest.approx(stopped, abs=0.06)
    assert_quiet(opened)


def test_space_plays_and_stops_wherever_it_has_no_other_use(page: Page) -> None:
    for focused in ("body", "#timeline", "#seek"):
        page.locator(focused).focus()
        scrolled, at = page.evaluate("() => scrollY"), position_sec(page)
        page.keyboard.press("Space")
        wait_until_after(page, at + 0.05)
        page.keyboard.press("Space")
        assert not is_playing(page), focused
        assert page.evaluate("() => scrollY") == scrolled, focused


def test_space_on_a_button_presses_that_button(page: Page) -> None:
    page.get_by_role("button", name="Play these seconds: finding 2").focus()
    page.keyboard.press("Space")
    page.wait_for_function("() => heard.length")
    ((kind, sec),) = page.evaluate("() => heard")
    assert (kind, is_playing(page)) == ("playing", True)
    assert sec > 50.0


def test_a_finding_plays_exactly_its_seconds(page: Page) -> None:
    button = page.get_by_role("button", name="Play these seconds: finding 1")
    start, end = (float(button.get_attribute(f"data-{which}") or 0) for which in ("start", "end"))
    button.click()
    wait_until_stopped(page)
    (began, from_sec), (stopped, to_sec) = page.evaluate("() => heard")
    assert (began, stopped) == ("playing", "pause")
    assert (from_sec, to_sec) == pytest.approx((start, end), abs=SLACK_SEC)
    assert to_sec >= end > start + 2.0
    toggle(page).click()
    wait_until_after(page, to_sec + 0.1)


def test_as_written_plays_tones_and_no_recording(page: Page) -> None:
    button = page.get_by_role("button", name="Play the bars of finding 1 as written")
    start = float(button.get_attribute("data-start") or 0)
    button.click()
    wait_until_after(page, start + 0.2)
    assert page.evaluate("() => [struck.length > 0, heard.length]") == [True, 0]
    page.keyboard.press("Space")
    assert is_playing(page)
    page.get_by_role("button", name="Pause").click()
    toggle(page).click()  # what plays then is the recording
    page.wait_for_function("() => heard.some(([kind]) => kind === 'playing')")


def test_as_written_plays_the_bars_of_the_finding_and_stops(page: Page) -> None:
    button = page.get_by_role("button", name="Play the bars of finding 1 as written")
    end = float(button.get_attribute("data-end") or 0)
    button.click()
    wait_until_stopped(page)
    assert position_sec(page) == pytest.approx(end, abs=0.2)
    assert page.evaluate("() => struck.length > 0 && heard.length === 0")


def test_the_speed_can_be_chosen_while_it_plays(page: Page) -> None:
    toggle(page).click()
    wait_until_after(page, 0.1)
    for label, rate in (("½ ×", 0.5), ("¾ ×", 0.75)):
        page.get_by_label("Speed").select_option(label)
        assert is_playing(page)
        wait_until_after(page, position_sec(page) + 0.15)
        assert measured_speed(page) == pytest.approx(rate, abs=0.1)


def measured_speed(page: Page) -> float:
    """Seconds of the recording in a second, over 0.6 s."""
    return page.evaluate(
        """async () => {
          const sound = document.getElementById("sound");
          const at = () => [performance.now() / 1000, sound.currentTime];
          const [t, sec] = at();
          await new Promise((done) => setTimeout(done, 600));
          const [later, then] = at();
          return (then - sec) / (later - t);
        }"""
    )


def test_the_slider_answers_keys(page: Page) -> None:
    slider = page.get_by_role("slider", name="Position")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert position_sec(page) == pytest.approx(4.0, abs=0.05)
    page.keyboard.press("ArrowLeft")
    assert position_sec(page) == pytest.approx(2.0, abs=0.05)
    assert slider.get_attribute("aria-valuetext") == "0:02, bar 1"
    page.keyboard.press("End")
    assert position_sec(page) == pytest.approx(float(slider.get_attribute("max") or 0), abs=0.1)
    assert page.locator("#position").text_content() == "1:37 / 1:37 · bar 32"
    page.keyboard.press("Home")
    assert position_sec(page) == 0.0


def test_the_end_stops_and_the_button_begins_again(page: Page) -> None:
    page.get_by_role("slider", name="Position").focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    wait_until_stopped(page)
    end = float(page.locator("#seek").get_attribute("max") or 0)
    assert position_sec(page) == pytest.approx(end, abs=0.3)
    toggle(page).click()
    page.wait_for_function("() => Number(document.getElementById('seek').value) < 2")
    assert is_playing(page)


def test_the_sound_beside_is_played(open_page: Callable[..., Opened], reports: Reports) -> None:
    opened = open_page(reports.sound_beside, setup=LISTENER)
    toggle(opened.page).click()
    wait_until_after(opened.page, 0.2)
    assert current_sec(opened.page) > 0.2
    assert any(url.endswith("beside.webm") for url in opened.requests)
    assert_quiet(opened)

"""The engraved score: its notes are clicked and reached by keys, and it shows what sounds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

from browsing import Opened, assert_quiet
from playing import LISTENER, is_playing, position_sec, toggle, wait_until_after, wait_until_stopped
from reports import Reports

SOUNDING = "#systems [data-n].now"


@pytest.fixture
def page(open_page: Callable[..., Opened], example: Path) -> Page:
    return open_page(example, setup=LISTENER).page


def events(page: Page) -> list[tuple[int, float, float]]:
    """Printed note, start and end in seconds of all that was played, in order of time."""
    numbers = page.evaluate("() => JSON.parse(document.getElementById('data').textContent).score.events")
    return [
        (note, start / 1000, (start + lasts) / 1000)
        for note, start, lasts in zip(numbers[::4], numbers[1::4], numbers[2::4], strict=True)
    ]


def drawn(page: Page, note: int) -> Locator:
    return page.locator(f"#systems [data-n='{note}']").first


def test_a_click_on_a_printed_note_plays_from_there(page: Page) -> None:
    note, start, _ = next(event for event in events(page) if event[1] > 5.0)
    drawn(page, note).locator("use").first.click()
    page.wait_for_function("() => heard.length")
    ((kind, sec),) = page.evaluate("() => heard")
    assert kind == "playing"
    assert sec == pytest.approx(start, abs=0.3)
    wait_until_after(page, start + 0.1)
    assert is_playing(page)


def test_of_a_repeated_bar_the_time_is_played_that_is_nearest(page: Page) -> None:
    every = events(page)
    note, first, _ = every[4]
    times = [start for other, start, _ in every if other == note]
    assert len(times) == 2
    page.locator("#seek").evaluate(
        "(one, sec) => { one.value = sec; one.dispatchEvent(new Event('input')); }", times[1] + 1.0
    )
    drawn(page, note).locator("use").first.click()
    assert position_sec(page) == pytest.approx(times[1], abs=0.5)
    assert times[1] > first + 10.0


def test_what_sounds_is_shown_and_the_score_follows(page: Page) -> None:
    assert page.locator(SOUNDING).count() == 0
    page.locator("#systems").scroll_into_view_if_needed()
    toggle(page).click()
    wait_until_after(page, 3.0)
    toggle(page).click()
    at = position_sec(page)
    expected = {note for note, start, end in events(page) if start <= at - 0.1 and end > at + 0.1}
    shown = {int(one.get_attribute("data-n") or -1) for one in page.locator(SOUNDING).all()}
    assert expected <= shown
    assert shown <= {note for note, start, end in events(page) if start <= at + 0.2 and end > at - 0.2}
    assert page.locator("#systems line.playhead").count() == 1


def test_the_score_turns_to_the_system_that_plays(page: Page) -> None:
    page.locator("#systems").scroll_into_view_if_needed()
    last = page.locator("#systems svg.engraved").last
    note = int(last.locator("[data-n]").last.get_attribute("data-n") or -1)
    start = next(start for other, start, _ in events(page) if other == note)
    page.locator("#seek").evaluate(
        "(one, sec) => { one.value = sec; one.dispatchEvent(new Event('input')); }", start - 0.2
    )
    assert last.locator("line.playhead").count() == 1
    toggle(page).click()
    wait_until_after(page, start)
    assert last.locator(SOUNDING.removeprefix("#systems ")).count() >= 1


def test_arrow_keys_go_from_chord_to_chord_and_enter_plays(page: Page) -> None:
    score = page.get_by_role("region", name="Engraved score")
    score.focus()
    starts = sorted({start for _, start, _ in events(page)})
    score.press("ArrowRight")
    first = position_sec(page)
    assert first == pytest.approx(starts[0], abs=0.06)
    score.press("ArrowRight")
    second = position_sec(page)
    assert second > first + 0.05
    assert min(abs(second - start) for start in starts) < 0.06
    said = page.locator("#score-said").text_content() or ""
    assert said.startswith("0:0")
    assert "bar 1" in said
    score.press("ArrowLeft")
    assert position_sec(page) == pytest.approx(first, abs=0.06)
    score.press("Enter")
    wait_until_after(page, first + 0.2)
    assert is_playing(page)


def test_a_finding_leads_to_its_sign_in_the_score(page: Page) -> None:
    page.get_by_role("link", name="In the score").first.click()
    target = page.locator(":target")
    assert target.count() == 1
    assert target.evaluate("(one) => one.closest('#systems') !== null")
    box = target.bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 900


def test_without_a_recording_a_click_strikes_tones(
    open_page: Callable[..., Opened], reports: Reports
) -> None:
    opened = open_page(reports.no_recording, setup=LISTENER)
    note, start, _ = next(event for event in events(opened.page) if event[1] > 8.0)
    drawn(opened.page, note).locator("use").first.click()
    opened.page.wait_for_function("() => struck.length")
    assert position_sec(opened.page) == pytest.approx(start, abs=0.4)
    toggle(opened.page).click()
    wait_until_stopped(opened.page)
    assert_quiet(opened)

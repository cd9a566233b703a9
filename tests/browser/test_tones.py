"""Plain tones in a recording's place, by the clock of the sound card that plays them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import Page

from browsing import Opened, assert_quiet
from playing import (
    LISTENER,
    cursor_sec,
    notes,
    place_of_note,
    position_sec,
    toggle,
    wait_until_after,
    wait_until_stopped,
)
from reports import Reports


@pytest.fixture
def opened(open_page: Callable[..., Opened], reports: Reports) -> Opened:
    return open_page(reports.no_recording, setup=LISTENER)


def sounded_sec(page: Page) -> float:
    """How far the clock of the sound has gone."""
    return page.evaluate("() => contexts[0].currentTime")


def hertz(pitch: int) -> float:
    return 440.0 * 2.0 ** ((pitch - 69) / 12)


def test_they_sound_as_long_as_it_plays(opened: Opened) -> None:
    page = opened.page
    assert page.locator("audio").count() == 0
    toggle(page).click()
    wait_until_after(page, 0.2)
    first, at = sounded_sec(page), position_sec(page)
    page.wait_for_function("(sec) => contexts[0].currentTime > sec", arg=first + 0.5)
    assert position_sec(page) - at == pytest.approx(sounded_sec(page) - first, abs=0.15)
    assert page.evaluate("() => contexts.map((one) => one.state)") == ["running"]
    toggle(page).click()
    stopped, struck = position_sec(page), page.evaluate("() => struck.length")
    page.wait_for_timeout(300)
    assert (position_sec(page), page.evaluate("() => struck.length")) == (stopped, struck)
    assert_quiet(opened)


def test_they_are_the_played_notes_at_their_times(opened: Opened) -> None:
    page = opened.page
    toggle(page).click()
    wait_until_after(page, 2.0)
    struck = [(round(sec, 3), frequency) for frequency, sec in page.evaluate("() => struck")]
    fundamental = struck[::3]  # each note has three partials
    expected = notes(page)[: len(fundamental)]
    assert len(fundamental) >= 4
    assert [f for _, f in fundamental] == pytest.approx([hertz(note["pitch"]) for note in expected], rel=1e-4)
    gaps = [b - a for (a, _), (b, _) in pairwise(fundamental)]
    assert gaps == pytest.approx([b["start"] - a["start"] for a, b in pairwise(expected)], abs=0.002)


def test_a_finding_stops_at_its_end(opened: Opened) -> None:
    page = opened.page
    button = page.get_by_role("button", name="Play these seconds: finding 2")
    start, end = (float(button.get_attribute(f"data-{which}") or 0) for which in ("start", "end"))
    button.click()
    assert start - 0.06 < position_sec(page) < start + 0.5
    wait_until_stopped(page)
    assert end - 0.06 < position_sec(page) < end + 0.5


def test_half_the_speed_takes_twice_as_long(opened: Opened) -> None:
    page = opened.page
    page.get_by_label("Speed").select_option("½ ×")
    toggle(page).click()
    wait_until_after(page, 0.1)
    first, at = sounded_sec(page), position_sec(page)
    page.wait_for_function("(sec) => contexts[0].currentTime > sec", arg=first + 0.8)
    assert position_sec(page) - at == pytest.approx(0.5 * (sounded_sec(page) - first), abs=0.15)


def test_a_click_on_a_note_plays_it(opened: Opened) -> None:
    page = opened.page
    note = next(one for one in notes(page) if one["start"] > 30.0 and one["end"] - one["start"] > 0.4)
    page.mouse.click(*place_of_note(page, note))
    page.wait_for_function("() => struck.length")
    assert hertz(note["pitch"]) in [pytest.approx(f, rel=1e-4) for f, _ in page.evaluate("() => struck")]
    assert cursor_sec(page) == pytest.approx(note["start"], abs=0.4)
    wait_until_stopped(page)
    assert position_sec(page) == pytest.approx(max(note["end"], note["start"] + 0.6), abs=0.5)

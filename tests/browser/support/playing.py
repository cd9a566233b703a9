"""The player of a report: its controls by name, its position, and what it did."""

from __future__ import annotations

import json
from typing import Any, Final

from playwright.sync_api import Locator, Page

LISTENER: Final = """
  window.heard = [];
  window.struck = [];
  window.contexts = [];
  document.addEventListener("DOMContentLoaded", () => {
    const sound = document.getElementById("sound");
    for (const kind of ["playing", "pause"]) {
      sound?.addEventListener(kind, () => heard.push([kind, sound.currentTime]));
    }
  });
  window.AudioContext = class extends AudioContext {
    constructor() { super(); contexts.push(this); }
  };
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (at) {
    struck.push([this.frequency.value, at]);
    start.call(this, at);
  };
  window.laterMs = 0;
  const clock = performance.now.bind(performance);
  performance.now = () => clock() + laterMs;
"""
"""Notes down when the recording starts and stops, and every tone; `laterMs` puts the page's clock on."""


def toggle(page: Page) -> Locator:
    """The button that plays and stops, whichever it says."""
    return page.locator("#toggle")


def is_playing(page: Page) -> bool:
    """What the button says."""
    return toggle(page).get_attribute("aria-label") == "Pause"


def position_sec(page: Page) -> float:
    """Of the slider."""
    return float(page.get_by_label("Position").input_value())


def wait_until_after(page: Page, sec: float) -> None:
    """Until the slider stands after a time."""
    page.wait_for_function("(sec) => Number(document.getElementById('seek').value) > sec", arg=sec)


def wait_until_stopped(page: Page) -> None:
    """Until the button says that it would play."""
    page.wait_for_function("() => document.getElementById('toggle').ariaLabel === 'Play'")


def cursor_sec(page: Page) -> float:
    """Where the cursor of the lanes stands."""
    return page.evaluate(
        """() => parseFloat(document.querySelector("#lanes .cursor").style.left)
              / Number(document.getElementById("timeline").dataset.scale)"""
    )


def notes(page: Page) -> list[dict[str, Any]]:
    """The notes that the page holds: start and end in seconds, pitch."""
    numbers = json.loads(page.locator("#data").text_content() or "{}")["notes"]
    rows = [numbers[k : k + 4] for k in range(0, len(numbers), 4)]
    return [
        {"start": start / 1000, "end": (start + lasts) / 1000, "pitch": pitch}
        for start, lasts, pitch, _ in rows
    ]


def place_in_lane(page: Page, lane: str, sec: float, share_of_height: float = 0.5) -> tuple[float, float]:
    """Coordinates in the window of a time in a lane, which is brought into view."""
    timeline, svg = page.locator("#timeline"), page.locator(f"#lanes svg.{lane}")
    timeline.scroll_into_view_if_needed()
    scale = float(timeline.get_attribute("data-scale") or 0)
    timeline.evaluate("(one, left) => { one.scrollLeft = left; }", max(sec * scale - 300, 0))
    box = svg.bounding_box()
    assert box is not None
    return box["x"] + sec * scale, box["y"] + share_of_height * box["height"]


def place_of_note(page: Page, note: dict[str, Any]) -> tuple[float, float]:
    """Coordinates in the window of the middle of a note in the piano roll."""
    roll = page.locator("svg.roll")
    low, high = (int(roll.get_attribute(f"data-{end}") or 0) for end in ("low", "high"))
    share = (high - note["pitch"] + 0.5) / (high - low + 1)
    return place_in_lane(page, "roll", (note["start"] + note["end"]) / 2, share)

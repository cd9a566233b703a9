"""The report in a browser: no fault on the console, and it answers clicks and keys."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from page_example import assessed, browser, material, parsed, shown_by
from tocco.report.page.document import render, write_page

CHROMIUM = browser()
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

CONSOLE_FAULT = re.compile(r"CONSOLE[^\n]*|Refused to [^\n]*|Uncaught [^\n]*")

ACTIONS = """
(async () => {
  const said = {}, wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const sound = document.getElementById("sound"), toggle = document.getElementById("toggle");
  const seek = document.getElementById("seek");
  const play = [...document.querySelectorAll(".findings button[data-start]")];
  if (sound && sound.readyState === 0) {
    await new Promise((done) => sound.addEventListener("loadedmetadata", done));
  }
  said.lasts = sound ? sound.duration : null;
  toggle.click(); await wait(400);
  said.playing = toggle.getAttribute("aria-label");
  toggle.click(); await wait(50);
  said.paused = toggle.getAttribute("aria-label");
  seek.value = 42.5; seek.dispatchEvent(new Event("input")); await wait(50);
  said.position = document.getElementById("position").textContent;
  said.valuetext = seek.getAttribute("aria-valuetext");
  play[0].click(); await wait(50);
  said.finding = Number(seek.value);
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: " ", bubbles: true })); await wait(50);
  said.afterSpace = toggle.getAttribute("aria-label");
  const lanes = document.getElementById("lanes"), roll = document.querySelector("svg.roll");
  const left = lanes.getBoundingClientRect().left, box = roll.getBoundingClientRect();
  const scale = Number(document.getElementById("timeline").dataset.scale), high = Number(roll.dataset.high);
  const rows = high - Number(roll.dataset.low) + 1;
  const y = box.top + ((high - 48 + 0.5) / rows) * box.height;
  const at = { bubbles: true, clientX: left + 50.5 * scale, clientY: y };
  roll.dispatchEvent(new MouseEvent("click", at)); await wait(50);
  said.note = Number(seek.value);
  said.cursor = parseFloat(lanes.querySelector(".cursor").style.left) / scale;
  const speed = document.getElementById("speed");
  speed.value = "0.5"; speed.dispatchEvent(new Event("change")); await wait(50);
  said.speed = sound ? sound.playbackRate : null;
  said.stillPlaying = toggle.getAttribute("aria-label");
  toggle.click();
  const select = document.getElementById("dimension");
  select.value = "phrasing"; select.dispatchEvent(new Event("change"));
  const curves = [...document.querySelectorAll("[data-dimension]:not(.off)")];
  said.curves = curves.map((one) => one.dataset.dimension);
  document.title = JSON.stringify(said);
})();
"""


def with_actions(html: str) -> str:
    """The document with a script of the test, which its policy then allows by its hash."""
    digest = base64.b64encode(hashlib.sha256(ACTIONS.encode()).digest()).decode()
    allowed = html.replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
    return allowed.replace("</body>", f"<script>{ACTIONS}</script></body>")


def opened(html: str, tmp_path: Path, *arguments: str) -> str:
    """The document as the browser has it in the end; a fault on the console fails."""
    path = tmp_path / "report.html"
    path.write_text(html, encoding="utf-8")
    assert CHROMIUM is not None
    done = shown_by(CHROMIUM, path, tmp_path / "profile", "--dump-dom", *arguments)
    assert not CONSOLE_FAULT.findall(done.stderr), CONSOLE_FAULT.findall(done.stderr)
    return done.stdout


def test_the_console_would_show_a_fault(tmp_path: Path) -> None:
    html = render(assessed(), material()).replace("</body>", "<script>alert(1)</script></body>")
    with pytest.raises(AssertionError, match="Content Security Policy"):
        opened(html, tmp_path)


def answers(html: str, tmp_path: Path) -> dict:
    done = opened(with_actions(html), tmp_path, "--autoplay-policy=no-user-gesture-required")
    return json.loads(parsed(done).all("title")[0].text)


def test_it_plays_seeks_and_answers(tmp_path: Path) -> None:
    said = answers(render(assessed(), material()), tmp_path)
    assert said["lasts"] == pytest.approx(66.0, abs=0.1)
    assert (said["playing"], said["paused"], said["afterSpace"]) == ("Pause", "Play", "Play")
    assert said["position"] == "0:42 / 1:06 · bar 21"
    assert said["valuetext"] == "0:42, bar 21"
    assert said["curves"] == ["phrasing"]
    assert (said["speed"], said["stillPlaying"]) == (0.5, "Pause")


def test_without_a_recording_plain_tones_play(tmp_path: Path) -> None:
    said = answers(render(assessed(), replace(material(), sound=None)), tmp_path)
    assert (said["lasts"], said["playing"], said["paused"]) == (None, "Pause", "Play")
    assert said["finding"] == pytest.approx(24.1 - 1.5, abs=0.3)
    assert said["note"] == pytest.approx(50.0, abs=0.3)
    assert said["cursor"] == pytest.approx(said["note"], abs=0.3)


def test_the_sound_beside_is_found(tmp_path: Path) -> None:
    write_page(assessed(), material(), tmp_path / "report.html", sound_beside=True)
    said = answers((tmp_path / "report.html").read_text(encoding="utf-8"), tmp_path)
    assert said["lasts"] == pytest.approx(66.0, abs=0.1)


def test_it_prints(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(render(assessed(), material()), encoding="utf-8")
    assert CHROMIUM is not None
    shown_by(CHROMIUM, path, tmp_path / "profile", f"--print-to-pdf={tmp_path / 'a.pdf'}")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_is_wider_than_the_window(tmp_path: Path, width: int) -> None:
    check = "document.title = JSON.stringify([document.documentElement.scrollWidth, innerWidth]);"
    html = render(assessed(), material())
    digest = base64.b64encode(hashlib.sha256(check.encode()).digest()).decode()
    frame = html.replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
    frame = frame.replace("</body>", f"<script>{check}</script></body>")
    done = opened(frame, tmp_path, f"--window-size={width},900")
    needed, has = json.loads(parsed(done).all("title")[0].text)
    assert needed <= has

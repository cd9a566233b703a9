"""The engraved score in the document: where it stands, what is safe, and that it follows the sound."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from assessment_example import example
from engraved_example import assessed_with, engraved, minuet, minuet_report, outcomes, played, written_score
from page_example import browser, finding, parsed, shown_by
from score_page import FOUR, page, words
from tocco.files import sha256_of
from tocco.inference.assessment import Assessment
from tocco.inference.bundle import example_path
from tocco.music.midi import load_midi
from tocco.report.page.document import render
from tocco.report.page.material import Material, read_material, read_notes

CHROMIUM = browser()
EVIL = "<script>document.title = 'hurt'</script>'\"><img src=x onerror=alert(1)>"
SHOWN = EVIL.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
WRONG = finding("wrong", 56.611, bars=("22", "22"), beat=2.0, id="wrong-56.6")


@cache
def assessed() -> Assessment:
    return assessed_with(minuet_report(), findings=[WRONG.model_dump()])


@cache
def material() -> Material:
    notes = read_notes(load_midi(example_path() / "minuet.mid"), assessed())
    return Material(notes=notes, engraving=engraved(minuet(), assessed()))


@cache
def html() -> str:
    return render(assessed(), material())


def test_score_and_finding_point_at_each_other_and_ids_are_there_once() -> None:
    document = parsed(html())
    (item,) = document.all("ol", class_="findings with-excerpts")[0].all("li")
    assert item.attributes["id"] == "wrong-56.6"
    assert item.all("a")[0].attributes["href"] == "#score-finding-1"
    (link,) = document.all("a", class_="sign finding")
    assert (link.attributes["id"], link.attributes["href"]) == ("score-finding-1", "#wrong-56.6")
    assert len(item.all("svg", class_="engraved")) == 1
    ids = re.findall(r'\sid="([^"]+)"', html())
    assert len(ids) == len(set(ids))
    for used in set(re.findall(r'href="#([^"]+)"', html())):
        assert used in ids


def test_the_score_stands_between_ratings_and_time_and_the_policy_holds() -> None:
    headings = [one.text for one in parsed(html()).all("h2")]
    assert headings[:4] == ["What to work on first", "Ratings", "Score", "Over time"]
    assert not re.findall(r"<[^>]+\s(?:style|on\w+)=", html())
    document = parsed(html())
    style, script = document.all("style")[0].text, document.all("script")[-1].text
    for text in (style, script):
        assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in html()
    assert len(document.all("script")) == 2


def test_a_printed_note_costs_few_bytes() -> None:
    """At 350 bytes a note, five minutes with 2,700 printed notes take less than 1 MB of their 5."""
    without = render(assessed(), replace(material(), engraving=None))
    assert 0 < len(html()) - len(without) < 350 * 202


def test_the_script_gets_the_strikes() -> None:
    data = json.loads(parsed(html()).all("script", id="data")[0].text)["score"]
    assert len(data["events"]) == 4 * 404
    lengths = data["events"][2::4]
    assert lengths.count(400) < 10, "lengths are those of the MIDI"


def test_without_a_score_nothing_is_said_of_one() -> None:
    text = render(example(score=False), Material())
    assert "engraved" not in parsed(text).all("main")[0].text
    assert parsed(text).all("section", id="score") == []
    assert "score" not in json.loads(parsed(text).all("script", id="data")[0].text)


def test_a_score_that_is_not_engraved_gives_its_reason() -> None:
    said = "The score is not engraved here: it is a MIDI file, which holds no notation."
    document = parsed(render(assessed(), replace(material(), engraving=said)))
    (section,) = document.all("section", id="score")
    assert section.all("p")[0].text == said
    assert document.all("svg", class_="engraved") == []


def test_without_sound_and_notes_there_is_a_score_to_look_at() -> None:
    document = parsed(render(assessed(), replace(material(), notes=None)))
    assert document.all("button") == []
    assert document.all("p", id="score-said") == []
    assert len(document.all("section", id="score")[0].all("svg", class_="engraved")) >= 4


def test_titles_words_lyrics_and_numbers_do_nothing(tmp_path: Path) -> None:
    head = (
        f"<work><work-title>{SHOWN}</work-title></work><identification><creator>{SHOWN}</creator>"
        f"</identification><credit><credit-words>{SHOWN}</credit-words></credit>"
    )
    sung = FOUR.replace("</note>", f"<lyric><text>{SHOWN}</text></lyric></note>", 1)
    text = page(words(SHOWN) + sung, FOUR).replace("<part-list>", f"{head}<part-list>")
    text = text.replace("<part-name>x<", f"<part-name>{SHOWN}<").replace('number="2"', f'number="{SHOWN}"')
    numbered = written_score(tmp_path, text)
    _, report = outcomes(numbered, played(numbered.readings[0]))
    made = assessed_with(report)
    found = render(made, Material(engraving=engraved(numbered, made)))
    document = parsed(found)
    assert len(document.all("script")) == 2
    assert document.all("img") == []
    assert "<script>document" not in found
    assert EVIL in document.all("section", id="score")[0].text


def test_it_is_read_with_the_files_of_an_assessment() -> None:
    path = example_path() / "minuet.musicxml"
    made = assessed().model_dump(mode="json")
    made["inputs"]["score"]["sha256"] = sha256_of(path)
    found = read_material(Assessment.model_validate(made), None, None, path)
    assert len(engraved(minuet(), assessed()).outcomes.events) == 202
    assert "Bars 1 to " in render(assessed(), found)


ACTIONS = """
(async () => {
  const said = {}, wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const seek = document.getElementById("seek"), box = document.getElementById("systems");
  const key = (name) => box.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
  const note = box.querySelector(".notes .missing");
  note.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  await wait(30);
  said.missing = Number(seek.value);
  said.playing = document.getElementById("toggle").getAttribute("aria-label");
  said.now = [...box.querySelectorAll(".now")].length;
  document.getElementById("toggle").click();
  seek.value = 42; seek.dispatchEvent(new Event("input"));
  key("ArrowRight"); said.right = document.getElementById("score-said").textContent;
  key("ArrowLeft"); said.left = document.getElementById("score-said").textContent;
  said.stopped = document.getElementById("toggle").getAttribute("aria-label");
  key("Enter"); await wait(30);
  said.entered = document.getElementById("toggle").getAttribute("aria-label");
  document.getElementById("toggle").click();
  seek.value = 0.0; seek.dispatchEvent(new Event("input"));
  const plain = box.querySelector('.notes [data-n="0"]'), line = box.querySelector(".playhead");
  plain.dispatchEvent(new MouseEvent("click", { bubbles: true })); await wait(30);
  said.first = Number(seek.value);
  document.getElementById("toggle").click();
  seek.value = 45; seek.dispatchEvent(new Event("input"));
  plain.dispatchEvent(new MouseEvent("click", { bubbles: true })); await wait(30);
  said.second = Number(seek.value);
  await wait(400);
  said.line = line !== null && line.ownerSVGElement === plain.ownerSVGElement;
  document.getElementById("toggle").click();
  const excerpt = document.querySelector(".excerpt .notes .wrong");
  excerpt.dispatchEvent(new MouseEvent("click", { bubbles: true })); await wait(30);
  said.excerpt = Number(seek.value);
  document.title = JSON.stringify(said);
})();
"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_it_answers_clicks_and_keys(tmp_path: Path) -> None:
    digest = base64.b64encode(hashlib.sha256(ACTIONS.encode()).digest()).decode()
    text = html().replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
    path = tmp_path / "report.html"
    path.write_text(text.replace("</body>", f"<script>{ACTIONS}</script></body>"), encoding="utf-8")
    assert CHROMIUM is not None
    done = shown_by(
        CHROMIUM, path, tmp_path / "profile", "--dump-dom", "--autoplay-policy=no-user-gesture-required"
    )
    assert not re.findall(r"CONSOLE[^\n]*|Refused to [^\n]*|Uncaught [^\n]*", done.stderr)
    said = json.loads(parsed(done.stdout).all("title")[0].text)
    assert said["missing"] == pytest.approx(41.84, abs=0.3)
    assert (said["playing"], said["stopped"], said["entered"]) == ("Pause", "Play", "Pause")
    assert said["now"] >= 1
    assert said["right"].startswith("0:42, bar 12: ")
    assert said["left"] == "0:41, bar 12: B3 (missing)"
    strikes = [one.time_sec for one in minuet_report().match if (one.bar, one.beat) == ("1", 1.0)]
    assert said["first"] == pytest.approx(min(strikes), abs=0.4)
    assert said["second"] == pytest.approx(max(strikes), abs=0.4)
    assert max(strikes) > min(strikes) + 20.0
    assert said["line"]
    assert said["excerpt"] == pytest.approx(56.61, abs=0.3)

"""A report to look into: the example with notes, pedal, sound and score, and a reader of its HTML."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import numpy as np

from assessment_example import bar_sec, example
from tocco.audio.opus import encode_opus
from tocco.inference.assessment import Assessment
from tocco.inference.finding import Finding
from tocco.inference.technique import Measure
from tocco.music.performance import PedalCurve, Performance
from tocco.report.page.material import Material, Notes, Sound, read_notes
from tocco.report.page.written import Sign, Written
from tocco.units import SAMPLE_RATE_HZ

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
DURATION_SEC = 66.0


def finding(kind: str = "wrong", start_sec: float = 24.1, **changes: object) -> Finding:
    fields = {
        "id": f"note_accuracy-{kind}-{start_sec:.1f}",
        "dimension": "note_accuracy",
        "kind": kind,
        "bars": ("12", "12"),
        "beat": 3.0,
        "start_sec": start_sec,
        "end_sec": start_sec,
        "measure": Measure(value=1.0, unit="count", meaning="notes that are not as written"),
        "reference": Measure(value=0.02, unit="fraction", meaning="four in five have fewer"),
        "confidence": 0.97,
        "sentence": "Bar 12, beat 3: F4 instead of F#4.",
        "usual": "In competent playing 0.2 to 2.0 % of the notes are wrong.",
    }
    return Finding.model_validate(fields | changes)


def assessed(**changes: object) -> Assessment:
    """The example with findings and tempo, and with fields replaced."""
    made = example().model_dump()
    missing = finding("missing", 42.3, sentence="Bar 21, beat 2.5: A3 is missing.")
    made |= {
        "findings": [finding().model_dump(), missing.model_dump()],
        "tempo": [(str(k + 1), bar_sec(k), 90.0 + k) for k in range(32)],
    }
    return Assessment.model_validate(made | changes)


def performance() -> Performance:
    """The notes that the example's alignment speaks of, and one long note more."""
    rows = [(bar_sec(bar), 60, 64) for bar in range(32)] + [(24.1, 65, 90), (42.9, 83, 30), (50.0, 48, 100)]
    rows.sort()
    onset, pitch, velocity = (np.array(column) for column in zip(*rows, strict=True))
    return Performance(
        onset_sec=onset,
        offset_sec=onset + 1.0,
        pitch=pitch.astype(int),
        velocity=velocity.astype(int),
        sustain=PedalCurve(np.array([1.0, 3.0, 5.0]), np.array([127.0, 0.0, 64.0])),
        sostenuto=PedalCurve(),
        soft=PedalCurve(),
        duration_sec=DURATION_SEC,
    )


def notes() -> Notes:
    return read_notes(performance(), assessed())


@cache
def sound(lasts_sec: float = DURATION_SEC) -> Sound:
    wave = np.sin(2 * np.pi * 440.0 * np.arange(round(lasts_sec * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ)
    wave = (0.5 * wave).astype(np.float32)
    return Sound(encode_opus([wave], 16_000), np.full(round(lasts_sec * 20), 0.5))


def written() -> Written:
    start = np.array([bar_sec(bar) for bar in range(32)])
    signs = (Sign("dynamics", "p", 0.8, 0.8), Sign("crescendo", "", 4.0, 9.0))
    bars, beats = np.append(start, start[-1] + 2.0), 3.0 * np.arange(33)
    return Written(start, start + 2.0, np.full(32, 60), signs, bars, beats)


def material() -> Material:
    return Material(sound(), notes(), written())


@dataclass
class Element:
    """A tag with its attributes, and all text inside."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, tag: str, **wanted: str) -> list[Element]:
        found = []
        for child in self.children:
            if child.tag == tag and all(child.attributes.get(k.rstrip("_")) == v for k, v in wanted.items()):
                found.append(child)
            found += child.all(tag, **wanted)
        return found


class _Reader(HTMLParser):
    VOID = frozenset(("meta", "input", "br", "link", "img"))

    def __init__(self) -> None:
        super().__init__()
        self.root = Element("document", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {key: value or "" for key, value in attrs})
        self.open[-1].children.append(made)
        if tag not in self.VOID:
            self.open.append(made)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> inside <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for one in self.open:
            one.text += data


def parsed(html: str) -> Element:
    """The document as a tree; a tag that is not closed where it should be is an error."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == [reader.root]
    return reader.root


def browser() -> Path | None:
    """A Chromium of this machine, or None."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return None if found is None else Path(found)


def shown_by(
    chromium: Path, document: Path, profile: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """What a headless browser makes of a file: its output, with the console on stderr."""
    command = [
        str(chromium), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        f"--user-data-dir={profile}", "--enable-logging=stderr", "--virtual-time-budget=3000",
        *arguments, document.as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

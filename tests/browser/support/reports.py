"""Reports to open: each kind of performance that people have, assessed as they would assess it."""

from __future__ import annotations

import shutil
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np

from render_example import installed
from tocco.inference.assessment import Assessment, Rating
from tocco.inference.assessor import Assessor
from tocco.inference.bundle import example_path
from tocco.music.alignment import align_performance_to_score
from tocco.music.corruption import corrupt
from tocco.music.midi import load_midi, save_midi
from tocco.music.performance import PedalCurve
from tocco.music.score import score_readings
from tocco.report.page.document import write_page
from tocco.report.page.material import Material, Notes, read_material
from tocco.rubrics import DIMENSIONS

FAULTS: Final = (("hesitations", 7.0), ("wrong_notes", 0.06), ("timing_jitter", 50.0), ("restarts", 3.0))
"""What goes wrong in the struggling take, and how much, in the units of the corruptions."""

HOSTILE_NAME: Final = "<script>document.title='ran'<script> \"'&amp; javascript:alert(1)"
HOSTILE_TEXT: Final = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
"""A name that a file can have, and a text that notation can have."""

LONG_TIMES: Final = 13
"""So often the example is repeated in the long piece: 21 minutes."""


class Reports:
    """Reports by what they are of; each is made when it is first asked for.

    Parameters
    ----------
    folder : where they are written
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        take = example_path()
        self.audio, self.midi, self.score = (take / f"minuet.{s}" for s in ("flac", "mid", "musicxml"))

    @cached_property
    def _assessor(self) -> Assessor:
        return Assessor()

    @cached_property
    def _assessed(self) -> Assessment:
        return self._assessor.assess(self.audio, self.midi, self.score)

    @cached_property
    def _notes(self) -> Notes:
        notes = read_material(self._assessed, None, self.midi).notes
        assert notes is not None
        return notes

    def _written(self, name: str, made: Assessment, material: Material, **how: Any) -> Path:
        write_page(made, material, self.folder / f"{name}.html", **how)
        return self.folder / f"{name}.html"

    @cached_property
    def example(self) -> Path:
        """The bundled example: recording, MIDI and score."""
        material = read_material(self._assessed, self.audio, self.midi, self.score)
        return self._written("example", self._assessed, material)

    @cached_property
    def sound_beside(self) -> Path:
        """The example, with its recording in a file of its own."""
        material = read_material(self._assessed, self.audio, None)
        return self._written("beside", self._assessed, material, sound_beside=True)

    @cached_property
    def no_recording(self) -> Path:
        """The example without its recording: plain tones play the notes."""
        return self._written(
            "tones", self._assessed, read_material(self._assessed, None, self.midi, self.score)
        )

    @cached_property
    def no_score(self) -> Path:
        """The example's recording and MIDI, without a score."""
        made = self._assessor.assess(self.audio, self.midi)
        return self._written("no_score", made, read_material(made, self.audio, self.midi))

    @cached_property
    def abstention(self) -> Path:
        """A performance that nothing was rated of."""
        made = abstained(self._assessed)
        return self._written("abstention", made, read_material(made, None, self.midi, self.score))

    @cached_property
    def struggling(self) -> Path:
        """The example played badly in several respects; its MIDI and score, since nobody recorded it."""
        installed("any")
        readings, rng = score_readings(self.score), np.random.default_rng(4)
        played = load_midi(self.midi)
        for kind, severity in FAULTS:
            alignment = align_performance_to_score(played, readings)
            played = corrupt(played, kind, severity, rng, alignment=alignment).performance
        midi = self.folder / "struggling.mid"
        save_midi(played, midi)
        made = self._assessor.assess(None, midi, self.score)
        return self._written("struggling", made, read_material(made, None, midi, self.score))

    @cached_property
    def long(self) -> Path:
        """Twenty-one minutes, as notes and score without a recording."""
        period = max(self._assessed.curve.end_sec)
        made = repeated(self._assessed, LONG_TIMES, period)
        return self._written("long", made, Material(notes=repeated_notes(self._notes, LONG_TIMES, period)))

    @cached_property
    def hostile(self) -> Path:
        """Files, titles, bars and words of the score that are HTML."""
        audio, midi, score = (
            self.folder / f"{HOSTILE_NAME}{path.suffix}" for path in (self.audio, self.midi, self.score)
        )
        shutil.copy(self.audio, audio)
        shutil.copy(self.midi, midi)
        score.write_text(hostile_score(self.score.read_text(encoding="utf-8")), encoding="utf-8")
        made = self._assessor.assess(audio, midi, score)
        return self._written("hostile", made, read_material(made, audio, midi, score))


def hostile_score(musicxml: str) -> str:
    """Notation whose title, part, numbers of bars and words are HTML."""
    text = HOSTILE_TEXT.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    words = f"<direction><direction-type><words>{text}</words></direction-type></direction>"
    changed = musicxml.replace('<measure number="3"', f'<measure number="3{text}"')
    first = changed.index(">", changed.index('<measure number="2"')) + 1
    changed = changed[:first] + words + changed[first:]
    for tag in ("work-title", "movement-title", "part-name", "creator"):
        start = changed.find(f"<{tag}")
        if start >= 0:
            start = changed.index(">", start) + 1
            changed = changed[:start] + text + changed[changed.index(f"</{tag}>") :]
    return changed


def abstained(made: Assessment) -> Assessment:
    """The same performance, had the model abstained."""
    absent = Rating.missing("the model abstains").model_dump()
    curve = {"time_sec": (), "start_sec": (), "end_sec": (), "value": {}}
    total = {"value": None, "weights": dict(made.aggregate.weights), "reason": "no dimension was rated"}
    changes = {
        "abstained": True,
        "abstained_reasons": ("30 % of the measures lie outside those of the training music",),
        "ratings": dict.fromkeys(DIMENSIONS, absent),
        "descriptors": {},
        "aggregate": total,
        "curve": curve,
        "attention": None,
        "moments": (),
        "findings": (),
    }
    return Assessment.model_validate(made.model_dump() | changes)


def repeated(made: Assessment, times: int, period_sec: float) -> Assessment:
    """The assessment of the same performance several times over, as if it were one piece."""
    data = made.model_dump()
    shifts = [k * period_sec for k in range(times)]
    curve, report = data["curve"], data["alignment"]
    for key in ("time_sec", "start_sec", "end_sec"):
        curve[key] = [sec + shift for shift in shifts for sec in curve[key]]
    for key in ("value", "low_90", "high_90"):
        curve[key] = {name: values * times for name, values in curve[key].items()}
    attention = data["attention"]
    attention["curve"] *= times
    attention["heads"] = [head * times for head in attention["heads"]]
    for kind in ("match", "insertion", "deletion", "substitution"):
        report[kind] = [n | {"time_sec": n["time_sec"] + shift} for shift in shifts for n in report[kind]]
        report["counts"][kind] *= times
    n = len(report["bars"])
    bars = [
        (k * n + i, sec + shift)
        for k, shift in enumerate(shifts)
        for i, (_, sec) in enumerate(report["bars"])
    ]
    report["bars"] = [(str(k + 1), sec) for k, sec in bars]
    data["tempo"] = [(bar, sec + shift, bpm) for shift in shifts for bar, sec, bpm in data["tempo"]]
    for file in ("audio", "midi"):
        data["inputs"][file]["duration_sec"] = times * period_sec
    data["inputs"]["music"]["end_sec"] = times * period_sec
    return Assessment.model_validate(data)


def repeated_notes(notes: Notes, times: int, period_sec: float) -> Notes:
    """The same notes and pedal several times over."""
    shift = period_sec * np.arange(times)

    def along(values: np.ndarray) -> np.ndarray:
        return (shift[:, None] + values).ravel()

    return Notes(
        onset_sec=along(notes.onset_sec),
        offset_sec=along(notes.offset_sec),
        pitch=np.tile(notes.pitch, times),
        velocity=np.tile(notes.velocity, times),
        status=np.tile(notes.status, times),
        sustain=PedalCurve(along(notes.sustain.time_sec), np.tile(notes.sustain.value, times)),
    )

"""Make the further examples that ship: two takes of one piece, and one of another.

- Johann Sebastian Bach, Prelude in C major, BWV 846, bars 1 to 19 (1722): a fluent take, and one of a
  student who struggles. The latter is played slower and more evenly, and then made worse by
  `tocco.music.corruption`: wrong notes, notes that jump out, a blurred pedal, hesitations and restarts, all
  written down beside it.
- Erik Satie, Gymnopedie no. 1, bars 1 to 16 (1888): a fluent take.

Both are in the public domain. The dynamic signs are this edition's. The same script makes the same bytes of
MIDI, MusicXML and JSON; the sound also depends on the soundfont and on the encoder.

    .venv/bin/python scripts/make_takes.py            # all of it
    .venv/bin/python scripts/make_takes.py --no-audio # where FluidSynth is not installed
    .venv/bin/python scripts/make_takes.py --check    # whether what is there is what the script makes
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from engraving import Sheet, Voice, engrave

from playing import build_performance
from tocco.audio.opus import OPUS_SUFFIX, encode_opus
from tocco.music.alignment import align_performance_to_score
from tocco.music.corruption import Corruption, corrupt
from tocco.music.midi import save_midi
from tocco.music.performance import PedalCurve, Performance
from tocco.music.score import Score, load_score
from tocco.music.time_map import TimeMap
from tocco.units import FloatArray

FOLDER: Final = Path(__file__).resolve().parents[1] / "src" / "tocco" / "examples"
BIT_RATE: Final = 56_000
SAME_BYTES: Final = (".mid", ".musicxml", ".json")

# Bass, tenor and the three notes of the right hand of each bar; every bar has the figure twice.
HARMONIES: Final = """
C4 E4 G4 C5 E5 | C4 D4 A4 D5 F5 | B3 D4 G4 D5 F5 | C4 E4 G4 C5 E5
C4 E4 A4 E5 A5 | C4 D4 F#4 A4 D5 | B3 D4 G4 D5 G5 | B3 C4 E4 G4 C5
A3 C4 E4 G4 C5 | D3 A3 D4 F#4 C5 | G3 B3 D4 G4 B4 | G3 Bb3 E4 G4 C#5
F3 A3 D4 A4 D5 | F3 Ab3 D4 F4 B4 | E3 G3 C4 G4 C5 | E3 F3 A3 C4 F4
D3 F3 A3 C4 F4 | G2 D3 G3 B3 F4 | C3 E3 G3 C4 E4
"""
MELODY: Final = """
rh. | rh. | rh. | rh. | rq (F#5q A5q | G5q F#5q C#5q | B4q C#5q D5q | A4h.)
F#4h.= | F#4h.= | F#4h.= | F#4h. | rq (F#5q A5q | G5q F#5q C#5q | B4q C#5q D5q | A4h.)
"""


def _figure(cell: str) -> tuple[str, str, str]:
    """A bar of the prelude as three voices."""
    bass, tenor, *upper = cell.split()
    right = "re " + " ".join(f"{key}s" for key in upper * 2)
    return f"{right} {right}", f"rs {tenor}q.. rs {tenor}q..", f"{bass}h {bass}h"


def _prelude() -> Sheet:
    cells = HARMONIES.strip().replace("\n", "|").split("|")
    right, tenor, bass = (" | ".join(voice) for voice in zip(*map(_figure, cells), strict=True))
    return Sheet(
        title="Prelude in C major",
        number="BWV 846",
        composer="Johann Sebastian Bach",
        fifths=0,
        beats=4.0,
        tempo_bpm=76.0,
        n_bars=len(cells),
        divisions=8,
        dynamics={1: "p", 5: "mf", 8: "p", 12: "mf", 16: "p"},
        wedges=((9, 11, "crescendo"), (13, 15, "diminuendo")),
        section_bars=0,
        voices=(Voice(1, "r", right), Voice(2, "t", tenor), Voice(2, "b", bass)),
        script="scripts/make_takes.py",
        beam_beats=2.0,
    )


def _gymnopedie() -> Sheet:
    basses = " | ".join(("G2h.", "D2h.") * 8)
    chords = " | ".join(("rq [B3 D4 F#4]h", "rq [A3 C#4 F#4]h") * 8)
    return Sheet(
        title="Gymnopedie no. 1",
        number="",
        composer="Erik Satie",
        fifths=2,
        beats=3.0,
        tempo_bpm=76.0,
        n_bars=16,
        divisions=2,
        dynamics={1: "pp", 5: "p", 13: "p"},
        wedges=((5, 6, "crescendo"), (7, 8, "diminuendo"), (13, 14, "crescendo"), (15, 16, "diminuendo")),
        section_bars=0,
        voices=(Voice(1, "r", MELODY), Voice(2, "c", chords), Voice(2, "b", basses)),
        script="scripts/make_takes.py",
    )


@dataclass(frozen=True)
class Manner:
    """How a piece is played.

    Attributes
    ----------
    tempo_bpm
    phrase_bars : the tempo is broader and the sound softer at both ends of a phrase
    bend : by this share the tempo is broader there
    rise : by so many steps of velocity the middle of a phrase is louder
    top, bass : steps of velocity by which the highest and the lowest notes differ from the others
    jitter_sec, jitter_velocity : standard deviations of onsets and velocities
    late_sec : from a bar line to the pedal going down; it comes up with the bar line
    seed
    """

    tempo_bpm: float
    phrase_bars: int
    bend: float
    rise: float
    top: float
    bass: float
    jitter_sec: float
    jitter_velocity: float
    late_sec: float
    seed: int


FLUENT: Final = Manner(76.0, 4, 0.06, 8.0, 6.0, 3.0, 0.005, 1.5, 0.16, 846)
STRUGGLING: Final = Manner(62.0, 4, 0.02, 2.0, 2.0, 2.0, 0.014, 4.0, 0.22, 1722)
SLOW: Final = Manner(74.0, 4, 0.07, 7.0, 14.0, 4.0, 0.006, 1.5, 0.18, 1888)
HARM: Final = (
    ("drowned_pedal", 0.5),
    ("spiky_dynamics", 13.0),
    ("wrong_notes", 0.04),
    ("hesitations", 4.0),
    ("restarts", 2.0),
)
"""What is planted in the struggling take, in this order, with its severity."""

_LEVELS: Final = {"pp": 42.0, "p": 50.0, "mf": 63.0}


def play(score: Score, manner: Manner) -> Performance:
    """A performance of the score in this manner, without mistakes."""
    rng = np.random.default_rng(manner.seed)
    beats, seconds = _tempo_map(score, manner)
    onset = np.interp(score.onset_beat, beats, seconds)
    offset = np.interp(score.onset_beat + 0.98 * score.duration_beat, beats, seconds)
    shift = np.clip(
        rng.normal(0.0, manner.jitter_sec, len(score)), -2 * manner.jitter_sec, 2 * manner.jitter_sec
    )
    velocity = _loudness(score, manner) + rng.normal(0.0, manner.jitter_velocity, len(score))
    return build_performance(
        onset + shift,
        offset + shift,
        score.pitch,
        velocity,
        _pedal(score, beats, seconds, manner),
        "examples",
    )


def _tempo_map(score: Score, manner: Manner) -> tuple[FloatArray, FloatArray]:
    """Beats and their seconds: broader at the ends of phrases (Todd 1992), slower in the last bar."""
    bar_beats = float(score.bar_beats[0])
    end_beat = float(score.bar_onset_beat[-1] + score.bar_beats[-1])
    beat = np.arange(0.0, end_beat + 2 * bar_beats, 1 / 24)
    place = beat % (manner.phrase_bars * bar_beats) / (manner.phrase_bars * bar_beats)
    pace = 1.0 + manner.bend / 3 - manner.bend * (2 * place - 1) ** 2
    pace -= 4 * manner.bend * np.clip((beat - end_beat + bar_beats) / bar_beats, 0.0, 1.0) ** 2
    step_sec = 60.0 / (manner.tempo_bpm * pace) / 24
    return beat, 0.5 + np.concatenate(([0.0], np.cumsum(step_sec[:-1])))


def _loudness(score: Score, manner: Manner) -> FloatArray:
    """(S,) velocity that signs, phrases and the place in the chord ask for."""
    signs = [(mark.onset_beat, _LEVELS[mark.text]) for mark in score.marks if mark.kind == "dynamics"]
    at = np.searchsorted([beat for beat, _ in signs], score.onset_beat + 1e-6, side="right") - 1
    velocity = np.array([level for _, level in signs])[at]
    for mark in score.marks:
        rise = {"crescendo": 9.0, "diminuendo": -9.0}.get(mark.kind, 0.0)
        share = (score.onset_beat - mark.onset_beat) / max(mark.end_beat - mark.onset_beat, 1.0)
        velocity += rise * np.clip(share, 0.0, 1.0) * (score.onset_beat <= mark.end_beat)
    phrase_beats = manner.phrase_bars * float(score.bar_beats[0])
    velocity += manner.rise * np.sin(np.pi * (score.onset_beat % phrase_beats) / phrase_beats)
    for bar in range(len(score.bar_name)):
        here = score.bar == bar
        highest, lowest = score.pitch[here].max(), score.pitch[here].min()
        is_melody = here & (score.staff == 1) & ((score.duration_beat >= 1.0) | (score.pitch == highest))
        velocity += manner.top * is_melody + manner.bass * (here & (score.pitch == lowest))
    return velocity


def _pedal(score: Score, beats: FloatArray, seconds: FloatArray, manner: Manner) -> PedalCurve:
    """Up with every bar line and down a little later, as a legato pedal is taught."""
    steps: list[tuple[float, float]] = []
    for bar, start in enumerate(score.bar_onset_beat):
        at_sec = float(np.interp(start, beats, seconds))
        if bar:
            steps += [(at_sec + 0.02 * k, 90.0 * (2 - k) / 3) for k in range(3)]
        steps += [(at_sec + manner.late_sec + 0.02 * k, 90.0 * (k + 1) / 4) for k in range(4)]
    end_beat = score.bar_onset_beat[-1] + score.bar_beats[-1]
    steps.append((float(np.interp(end_beat, beats, seconds)) + 0.4, 0.0))
    time_sec, value = np.array(steps).T
    return PedalCurve(time_sec=time_sec, value=np.round(value))


def struggle(clean: Performance, score: Score) -> tuple[Performance, list[dict[str, Any]]]:
    """The performance made worse step by step, and what was planted, on the clock of what comes out.

    Levels, which nearly every note has changed, are left out of the record.
    """
    before, steps = [clean], list[Corruption]()
    rng = np.random.default_rng(STRUGGLING.seed)
    for name, severity in HARM:
        alignment = align_performance_to_score(before[-1], score)
        steps.append(corrupt(before[-1], name, severity, rng, alignment=alignment))
        before.append(steps[-1].performance)
    planted = []
    for k, step in enumerate(steps):
        later = [one.time_map for one in steps[k + 1 :]]
        planted += [_later(edit, later) for edit in _planted(before[k], step)]
    return before[-1], sorted(planted, key=lambda edit: edit["start_sec"])


def _planted(before: Performance, step: Corruption) -> Iterator[dict[str, Any]]:
    """Spans and wrong notes of one corruption, in seconds of what came out of it."""
    for span in step.spans:
        yield {"kind": span.kind, "bar": span.first_bar, "start_sec": span.start_sec, "end_sec": span.end_sec}
    for edit in step.edits:
        if edit.kind == "wrong":
            written, played = before.pitch[edit.old_note], step.performance.pitch[edit.new_note]
            yield {
                "kind": edit.kind,
                "bar": edit.bar,
                "start_sec": edit.new_sec,
                "end_sec": edit.new_sec,
                "written_pitch": int(written),
                "played_pitch": int(played),
            }


def _later(edit: dict[str, Any], maps: list[TimeMap]) -> dict[str, Any]:
    """The edit on the clock of what later corruptions made of it."""
    moved = {}
    for end in ("start_sec", "end_sec"):
        sec = edit[end]
        for time_map in maps:
            sec = float(time_map(sec))
        moved[end] = round(sec, 3)
    return edit | moved


def write_all(folder: Path, *, with_audio: bool) -> None:
    """Write the takes into their folders."""
    prelude, gymnopedie = folder / "bach_prelude", folder / "satie_gymnopedie"
    score = _write_score(prelude / "prelude.musicxml", _prelude())
    fluent, student = play(score, FLUENT), play(score, STRUGGLING)
    struggling, planted = struggle(student, score)
    takes = {prelude / "prelude_fluent": fluent, prelude / "prelude_struggling": struggling}
    record = {
        "piece": "Bach, Prelude in C major, BWV 846, bars 1 to 19",
        "severity": dict(HARM),
        "planted": planted,
    }
    path = prelude / "prelude_struggling_mistakes.json"
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    other = _write_score(gymnopedie / "gymnopedie.musicxml", _gymnopedie())
    takes[gymnopedie / "gymnopedie"] = play(other, SLOW)
    for stem, performance in takes.items():
        save_midi(replace(performance, source=f"{stem.name}.mid"), stem.with_suffix(".mid"))
        if with_audio:
            _write_sound(performance, stem.with_suffix(OPUS_SUFFIX))


def _write_score(path: Path, sheet: Sheet) -> Score:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(engrave(sheet), encoding="utf-8")
    return load_score(path, repeats="none")


def _write_sound(performance: Performance, path: Path) -> None:
    from tocco.audio.rendering import FluidSynthRenderer

    with FluidSynthRenderer() as piano:
        path.write_bytes(encode_opus([piano.render(performance)], BIT_RATE))


def differing(folder: Path) -> list[str]:
    """Files of the folder that the script does not make, byte for byte."""
    with tempfile.TemporaryDirectory() as temporary:
        write_all(Path(temporary), with_audio=False)
        made = {
            path.relative_to(temporary): path.read_bytes()
            for path in Path(temporary).rglob("*")
            if path.suffix in SAME_BYTES
        }
    return [
        str(name)
        for name, content in sorted(made.items())
        if not (folder / name).is_file() or (folder / name).read_bytes() != content
    ]


def main() -> None:
    """Write or check the folders."""
    parser = argparse.ArgumentParser(description="Make the further examples that ship with tocco.")
    parser.add_argument("--no-audio", action="store_true", help="leave the sound as it is")
    parser.add_argument("--check", action="store_true", help="write nothing; say which files differ")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args()
    if options.check:
        if found := differing(options.folder):
            sys.exit(f"not what the script makes: {', '.join(found)}")
        print("all files are what the script makes")
        return
    write_all(options.folder, with_audio=not options.no_audio)


if __name__ == "__main__":
    main()

"""Make the example that ships: a minuet engraved and performed by this script.

Christian Petzold, Minuet in G major, BWV Anh. 114 (about 1725, in the public domain), from the note
text below (`engraving.py` has the signs). The performance takes both repeats and has two planted mistakes,
written down beside it.
The same script makes the same bytes; the FLAC also depends on the soundfont.

    .venv/bin/python scripts/make_example.py            # the whole folder
    .venv/bin/python scripts/make_example.py --no-audio # where FluidSynth is not installed
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from engraving import Sheet, Voice, engrave

from playing import build_performance
from tocco.music.midi import save_midi
from tocco.music.performance import PedalCurve, Performance
from tocco.music.score import Score, load_score
from tocco.units import FloatArray, IntArray

FOLDER = Path(__file__).resolve().parents[1] / "src" / "tocco" / "examples" / "petzold_minuet"
SEED = 1725

RIGHT_HAND = """
(D5q G4e A4e B4e C5e | D5q) G4q' G4q' | (E5q C5e D5e E5e F#5e | G5q) G4q' G4q'
(C5q D5e C5e B4e A4e | B4q C5e B4e A4e G4e | F#4q G4e A4e B4e G4e) | ~B4e A4h.
(D5q G4e A4e B4e C5e | D5q) G4q' G4q' | (E5q C5e D5e E5e F#5e | G5q) G4q' G4q'
(C5q D5e C5e B4e A4e | B4q C5e B4e A4e G4e | A4q B4e A4e G4e F#4e | G4h.)
B5q> (G5e A5e B5e G5e | A5q) (D5e E5e F#5e D5e | G5q) (E5e F#5e G5e D5e | C#5q) (B4e C#5e) A4q_
(A4e B4e C#5e D5e E5e F#5e | G5q) F#5q_ E5q_ | F#5q_ A4q_ C#5q_ | D5h.
(D5q G4e F#4e) G4q' | (E5q G4e F#4e) G4q' | D5q_ C5q_ B4q_ | (A4e G4e F#4e G4e) A4q_
(D4e E4e F#4e G4e A4e B4e | C5q) B4q_ A4q_ | (B4e D5e) G4q_ F#4q_ | [B3 D4 G4]h.
"""
LEFT_HAND = """
[G3 B3 D4]h A3q | B3h. | C4h. | B3h. | A3h. | G3h. | D4q' B3q' G3q' | D4q' (D3e C4e B3e A3e)
B3h A3q | G3q B3q G3q | C4h. | B3q (C4e B3e A3e G3e) | A3h F#3q | G3h B3q | C4q_ D4q_ D3q_ | G3h G2q
G3h. | F#3h. | E3q G3q E3q | A3h A2q | A3h. | B3q' D4q' C#4q' | D4q' F#3q' A3q' | D4q D3q C4q
[B3 D4]h. | [C4 E4]h. | B3q_ A3q_ G3q_ | D4h rq | D3h F#3q | E3q' G3q' F#3q' | G3q' B2q' D3q' | G3q D3q G2q
"""
DYNAMICS = {1: "mf", 9: "p", 17: "f", 25: "p", 29: "mf"}
WEDGES = ((5, 7, "diminuendo"), (13, 15, "crescendo"), (19, 20, "diminuendo"), (21, 23, "crescendo"))
TEMPO_BPM = 120.0
BAR_BEATS = 3.0
SECTION_BARS = 16
SHEET = Sheet(
    title="Minuet in G major",
    number="BWV Anh. 114",
    composer="Christian Petzold",
    fifths=1,
    beats=BAR_BEATS,
    tempo_bpm=TEMPO_BPM,
    n_bars=32,
    divisions=2,
    dynamics=DYNAMICS,
    wedges=WEDGES,
    section_bars=SECTION_BARS,
    voices=(Voice(1, "r", RIGHT_HAND), Voice(2, "l", LEFT_HAND)),
    script="scripts/make_example.py",
    beam_beats=BAR_BEATS,
)


@dataclass(frozen=True)
class Mistake:
    """A planted mistake: where it is, and what was written and played."""

    kind: str
    bar: str
    time_round: int
    beat_in_bar: float
    written_pitch: int
    played_pitch: int | None


WRONG_NOTE = Mistake("wrong", "22", 1, 2.0, 78, 77)
MISSING_NOTE = Mistake("missing", "12", 2, 2.5, 59, None)


def tempo_map(score: Score) -> tuple[FloatArray, FloatArray]:
    """Beats and their seconds: phrases of eight bars that start and end broader, and ritardandi.

    Tempo follows a parabola over each phrase (Todd 1992, "The dynamics of dynamics"), 6 % slower at its
    ends; the last bar of a section slows by a further 12 %, the very last two by up to 35 %.
    """
    end_beat = score.bar_onset_beat[-1] + score.bar_beats[-1]
    beat = np.arange(0.0, end_beat + 12.0, 1 / 24)
    phrase = beat % (8 * BAR_BEATS) / (8 * BAR_BEATS)
    pace = 1.02 - 0.06 * (2 * phrase - 1) ** 2
    section = beat % (SECTION_BARS * BAR_BEATS) - (SECTION_BARS - 1) * BAR_BEATS
    pace -= 0.12 * np.clip(section / BAR_BEATS, 0.0, 1.0) ** 2
    pace -= 0.35 * np.clip((beat - end_beat + 2 * BAR_BEATS) / (2 * BAR_BEATS), 0.0, 1.0) ** 2
    step_sec = 60.0 / (TEMPO_BPM * pace) / 24
    return beat, 0.5 + np.concatenate(([0.0], np.cumsum(step_sec[:-1])))


def loudness(score: Score) -> FloatArray:
    """(S,) velocity that marks and phrases ask for, before touch."""
    steps = {"p": 50.0, "mf": 63.0, "f": 76.0}
    signs = [(m.onset_beat, steps[m.text]) for m in score.marks if m.kind == "dynamics"]
    at = np.searchsorted([beat for beat, _ in signs], score.onset_beat + 1e-6, side="right") - 1
    velocity = np.array([value for _, value in signs])[at]
    for mark in score.marks:
        rise = {"crescendo": 12.0, "diminuendo": -9.0}.get(mark.kind, 0.0)
        share = np.clip(
            (score.onset_beat - mark.onset_beat) / max(mark.end_beat - mark.onset_beat, 1.0), 0, 1
        )
        velocity += rise * share * (score.onset_beat <= mark.end_beat)
    phrase = score.onset_beat % (4 * BAR_BEATS) / (4 * BAR_BEATS)
    velocity += 5.0 * np.sin(np.pi * phrase)
    on_bar = np.isclose(score.onset_beat, score.bar_onset_beat[score.bar])
    return velocity + 3.0 * on_bar


def touch(score: Score) -> FloatArray:
    """(S,) share of its written length that each key is held."""
    share = np.full(len(score), 0.88)
    for i, names in enumerate(score.articulation):
        signs = set(names.split(","))
        if "slur" in signs:
            share[i] = 1.03
        if "tenuto" in signs:
            share[i] = 0.95
        if "staccato" in signs:
            share[i] = 0.5
    return share


def perform(score: Score, generator: np.random.Generator) -> tuple[Performance, list[dict[str, object]]]:
    """Play the score, with the two mistakes, and say at which second they are."""
    beats, seconds = tempo_map(score)
    n = len(score)
    onset = np.interp(score.onset_beat, beats, seconds)
    melody = score.staff == 1
    onset += np.where(melody, -0.012, 0.0) + np.clip(generator.normal(0.0, 0.005, n), -0.012, 0.012)
    onset -= np.where(score.is_grace, 0.09, 0.0)
    velocity = loudness(score) + np.where(melody, 8.0, -7.0) + generator.normal(0.0, 1.8, n)
    velocity += np.array([6.0 * ("accent" in names) for names in score.articulation])
    velocity -= 8.0 * score.is_grace
    held_beat = np.where(score.is_grace, 0.2, score.duration_beat * touch(score))
    held_beat *= 1.0 + np.clip(generator.normal(0.0, 0.02, n), -0.04, 0.04)
    offset = onset + np.interp(score.onset_beat + held_beat, beats, seconds)
    offset -= np.interp(score.onset_beat, beats, seconds)
    pitch, kept, planted = _plant_mistakes(score, onset)
    return (
        build_performance(
            onset[kept],
            offset[kept],
            pitch[kept],
            velocity[kept],
            sustain_pedal(score, beats, seconds),
            "petzold_minuet/minuet.mid",
        ),
        planted,
    )


def _plant_mistakes(score: Score, onset: FloatArray) -> tuple[IntArray, IntArray, list[dict[str, object]]]:
    """Pitches as played, the notes that are played, and a record of what was changed."""
    pitch = score.pitch.copy()
    kept = np.ones(len(score), dtype=bool)
    planted = []
    for mistake in (WRONG_NOTE, MISSING_NOTE):
        bars = [m for m, name in enumerate(score.bar_name) if name == mistake.bar]
        bar = bars[mistake.time_round - 1]
        beat = score.bar_onset_beat[bar] + mistake.beat_in_bar - 1.0
        here = np.isclose(score.onset_beat, beat) & (score.pitch == mistake.written_pitch)
        (note,) = np.flatnonzero(here)
        if mistake.played_pitch is None:
            kept[note] = False
        else:
            pitch[note] = mistake.played_pitch
        planted.append(
            {
                "kind": mistake.kind,
                "bar": mistake.bar,
                "time_round": mistake.time_round,
                "beat_in_bar": mistake.beat_in_bar,
                "score_beat": float(beat),
                "note_id": score.note_id[note],
                "written_pitch": mistake.written_pitch,
                "played_pitch": mistake.played_pitch,
                "time_sec": round(float(onset[note]), 3),
            }
        )
    return pitch, np.flatnonzero(kept), planted


def sustain_pedal(score: Score, beats: FloatArray, seconds: FloatArray) -> PedalCurve:
    """A light baroque pedal: half down after each new bass, up as the harmony changes."""
    steps: list[tuple[float, float]] = []
    for bar, start in enumerate(score.bar_onset_beat):
        in_bar = (score.bar == bar) & (score.staff == 2)
        changes = np.unique(score.onset_beat[in_bar] - start)
        lift_beat = BAR_BEATS - 0.15 if len(changes) <= 2 else 0.9
        depth = 60.0 + 25.0 * (len(changes) == 1) + 10.0 * (bar % 4 == 3)
        down_sec = float(np.interp(start, beats, seconds)) + 0.12
        up_sec = float(np.interp(start + lift_beat, beats, seconds))
        steps += [(down_sec + 0.03 * k, depth * (k + 1) / 4) for k in range(4)]
        steps += [(up_sec + 0.025 * k, depth * (2 - k) / 3) for k in range(3)]
    time_sec, value = np.array(steps).T
    return PedalCurve(time_sec=time_sec, value=np.round(value))


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description="Make the example that ships with tocco.")
    parser.add_argument("--no-audio", action="store_true", help="leave the FLAC as it is")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "minuet.musicxml").write_text(engrave(SHEET), encoding="utf-8")
    score = load_score(folder / "minuet.musicxml", repeats="all")
    performance, planted = perform(score, np.random.default_rng(SEED))
    save_midi(performance, folder / "minuet.mid")
    record = {"piece": "Petzold, Minuet in G major, BWV Anh. 114", "mistakes": planted}
    (folder / "minuet_mistakes.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    if not arguments.no_audio:
        from tocco.audio.rendering import FluidSynthRenderer, write_flac

        with FluidSynthRenderer() as piano:
            write_flac(folder / "minuet.flac", piano.render(performance))
    for path in sorted(folder.iterdir()):
        print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

"""A small library of made-up scores, and performances of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import symusic

from tocco.music.excerpt import flat_rendering
from tocco.music.performance import Performance
from tocco.music.score import Score

_TICKS = 480
_SCALE = np.array([0, 2, 4, 5, 7, 9, 11])


def write_score(path: Path, seed: int, n_beats: int = 64) -> Path:
    """A melody in eighths and quarters over a chord on every other beat, as score MIDI in 4/4."""
    rng = np.random.default_rng(seed)
    notes: list[tuple[float, float, int]] = []
    beat, degree = 0.0, 7
    while beat < n_beats:
        length = float(rng.choice([0.5, 0.5, 1.0]))
        degree = int(np.clip(degree + rng.integers(-3, 4), 0, 13))
        notes.append((beat, length, 60 + 12 * (degree // 7) + int(_SCALE[degree % 7])))
        beat += length
    for at in range(0, n_beats, 2):
        root = int(rng.integers(0, 7))
        notes += [(at, 2.0, 41 + int(_SCALE[(root + third) % 7])) for third in (0, 2, 4)]
    return write_notes(path, notes)


def write_notes(path: Path, notes: Iterable[tuple[float, float, int]]) -> Path:
    """Notes (onset and duration in beats, pitch) as score MIDI in 4/4."""
    score, track = symusic.Score(_TICKS), symusic.Track()
    score.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    score.tempos.append(symusic.Tempo(time=0, qpm=120.0))
    for beat, length, pitch in notes:
        time, duration = round(beat * _TICKS), round(length * _TICKS)
        track.notes.append(symusic.Note(time=time, duration=duration, pitch=int(pitch), velocity=64))
    score.tracks.append(track)
    path.parent.mkdir(parents=True, exist_ok=True)
    score.dump_midi(str(path))
    return path


def write_library(folder: Path, n: int = 5) -> list[Path]:
    """Scores that have nothing in common but their style."""
    return [write_score(folder / f"piece_{seed}.mid", seed) for seed in range(n)]


def played(score: Score, *, tempo: float = 1.0, wrong: float = 0.0, seed: int = 0) -> Performance:
    """The score at a factor of its tempo, not quite together, a share of notes missing and as many extra."""
    rng = np.random.default_rng(seed)
    flat = flat_rendering(score)
    n = len(flat)
    kept = np.flatnonzero(rng.uniform(size=n) >= wrong)
    added = rng.choice(n, size=n - len(kept), replace=False)
    note = np.append(kept, added)
    shift = np.where(np.arange(len(note)) < len(kept), 0.0, rng.uniform(0.05, 0.2, len(note)))
    onset = flat.onset_sec[note] / tempo + shift + rng.uniform(0.0, 0.02, len(note))
    length = (flat.offset_sec - flat.onset_sec)[note] / tempo
    octave = np.where(np.arange(len(note)) < len(kept), 0, 12)
    order = np.argsort(onset, kind="stable")
    return replace(
        flat,
        onset_sec=onset[order],
        offset_sec=(onset + length)[order],
        pitch=(flat.pitch[note] + octave)[order],
        velocity=flat.velocity[note][order],
        duration_sec=float((onset + length).max()),
    )


def stretch(performance: Performance, start_sec: float, end_sec: float) -> Performance:
    """The notes struck in a span, on a clock that starts with it."""
    inside = (performance.onset_sec >= start_sec) & (performance.onset_sec < end_sec)
    return replace(performance.only(inside).shifted(-start_sec), duration_sec=end_sec - start_sec)

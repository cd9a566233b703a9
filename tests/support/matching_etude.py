"""An etude of two hands with its performance, and the mistakes that tests plant in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tocco.music.matching.chords import PlayedNotes, WrittenNotes
from tocco.units import IntArray

BEAT_SEC = 0.5


def etude(n_bars: int = 16, seed: int = 7) -> WrittenNotes:
    """Eighths in the right hand, a chord of three on each beat in the left; no bar like another."""
    rng = np.random.default_rng(seed)
    onset, duration, pitch = [], [], []
    for beat in range(4 * n_bars):
        root = int(rng.integers(36, 48))
        for step in (0, 4, 7):
            onset.append(float(beat))
            duration.append(1.0)
            pitch.append(root + step)
        for half in (0.0, 0.5):
            onset.append(beat + half)
            duration.append(0.5)
            pitch.append(int(rng.integers(62, 84)))
    order = np.lexsort((pitch, onset))
    return WrittenNotes(
        np.array(onset)[order],
        np.array(duration)[order],
        np.array(pitch)[order],
        np.zeros(len(order), dtype=bool),
    )


def perform(written: WrittenNotes, jitter_sec: float = 0.0, seed: int = 3) -> tuple[PlayedNotes, IntArray]:
    """The etude played, and the written note behind every played one."""
    rng = np.random.default_rng(seed)
    onset = 1.0 + written.onset_beat * BEAT_SEC + rng.normal(0.0, 1.0, len(written)) * jitter_sec
    order = np.lexsort((written.pitch, onset))
    played = PlayedNotes(
        onset[order],
        (onset + np.maximum(written.duration_beat, 0.1) * BEAT_SEC * 0.9)[order],
        written.pitch[order],
        np.full(len(written), 64),
    )
    return played, order


def pairs(owner: IntArray) -> set[tuple[int, int]]:
    """The true matches, from the written note (or -1) behind every played one."""
    return {(int(page), key) for key, page in enumerate(owner) if page >= 0}


def keep(played: PlayedNotes, index: IntArray) -> PlayedNotes:
    """Some of the played notes."""
    return PlayedNotes(
        played.onset_sec[index], played.offset_sec[index], played.pitch[index], played.velocity[index]
    )


def join(first: PlayedNotes, second: PlayedNotes, shift_sec: float) -> PlayedNotes:
    """One stretch of playing after another, the second moved in time."""
    return PlayedNotes(
        np.concatenate([first.onset_sec, second.onset_sec + shift_sec]),
        np.concatenate([first.offset_sec, second.offset_sec + shift_sec]),
        np.concatenate([first.pitch, second.pitch]),
        np.concatenate([first.velocity, second.velocity]),
    )


def transpose(written: WrittenNotes, semitones: int) -> WrittenNotes:
    """The same page in another key."""
    return replace(written, pitch=written.pitch + semitones)

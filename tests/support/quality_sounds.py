"""Short sounds of known make for the examination of recordings, mono at 24 kHz."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.signal import butter, sosfilt

from tocco.audio.description import AudioDescription
from tocco.audio.quality.bounds import MusicBounds
from tocco.audio.quality.measures import Measures
from tocco.audio.quality.tuning import Tuning

RATE_HZ = 24_000
_CHORDS = ((48, 64, 67, 72), (53, 65, 69, 72), (55, 62, 67, 71), (45, 60, 64, 69))


def struck(duration_sec: float = 10.0, *, cents: float = 0.0, step_sec: float = 0.4) -> np.ndarray:
    """Notes and chords of stiff strings that decay in two stages under a damper, as a piano's do."""
    rng = np.random.default_rng(5)
    n = int(duration_sec * RATE_HZ)
    sound = np.zeros(n + 4 * RATE_HZ)
    for k, start in enumerate(np.arange(0.05, duration_sec - 0.2, step_sec)):
        chord = _CHORDS[k // 4 % 4]
        for pitch in chord if k % 4 == 0 else chord[1 + k % 3 :][:1]:
            note = _string(pitch + cents / 100.0, 1.6 if k % 4 == 0 else 0.6, rng)
            at = int(start * RATE_HZ)
            sound[at : at + len(note)] += note * rng.uniform(0.5, 1.0)
    return _at_peak(sound[:n])


def _string(pitch: float, held_sec: float, rng: np.random.Generator) -> np.ndarray:
    t = np.arange(int((held_sec + 0.3) * RATE_HZ)) / RATE_HZ
    f0 = 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)
    note = np.zeros(len(t))
    for h in range(1, min(int(9_000 / f0), 16) + 1):
        frequency = h * f0 * np.sqrt(1.0 + 4e-4 * h * h)
        decay_sec = 12.0 * 2.0 ** (-(pitch - 36.0) / 14.0) / (1.0 + 0.25 * h) / 3.0
        envelope = 0.9 * np.exp(-t / decay_sec) + 0.1 * np.exp(-t / (4.0 * decay_sec))
        level = abs(np.sin(np.pi * h * 0.12)) * h**-1.3 * rng.uniform(0.5, 1.5)
        note += level * envelope * np.sin(2 * np.pi * frequency * t + rng.uniform(0, 2 * np.pi))
    note += 0.1 * rng.normal(size=len(t)) * np.exp(-t / 0.01)
    note *= 1.0 - np.exp(-t / 0.0015)
    return note * np.where(t < held_sec, 1.0, np.exp(-(t - held_sec) / 0.06))


def held(duration_sec: float = 10.0) -> np.ndarray:
    """Chords of steady harmonics, as an organ's."""
    n = int(duration_sec * RATE_HZ)
    t = np.arange(n) / RATE_HZ
    sound = np.zeros(n)
    for k, start in enumerate(np.arange(0.0, duration_sec, 1.2)):
        on = np.clip((t - start) / 0.06, 0, 1) * np.clip((start + 1.15 - t) / 0.06, 0, 1)
        for pitch in _CHORDS[k % 4]:
            for h in range(1, 9):
                sound += on * np.sin(2 * np.pi * h * 440 * 2 ** ((pitch - 69) / 12) * t + h * pitch) / h
    return _at_peak(sound)


def claps(duration_sec: float, seed: int = 3) -> np.ndarray:
    """Many hands."""
    rng = np.random.default_rng(seed)
    n = int(duration_sec * RATE_HZ)
    sound = np.zeros(n)
    t = np.arange(int(0.05 * RATE_HZ)) / RATE_HZ
    for _ in range(30):
        pace, low_hz = rng.uniform(3.0, 5.0), rng.uniform(600.0, 1_400.0)
        band = butter(2, (low_hz, 2.5 * low_hz), "bandpass", fs=RATE_HZ, output="sos")
        clap = sosfilt(band, rng.normal(size=len(t))) * np.exp(-t / rng.uniform(0.004, 0.015))
        times = np.cumsum(rng.normal(1.0 / pace, 0.02, int(duration_sec * pace) + 1).clip(0.05))
        for begin in (times[times < duration_sec - 0.1] * RATE_HZ).astype(int):
            sound[begin : begin + len(t)] += clap * rng.uniform(0.4, 1.0)
    return _at_peak(sound)


def white(duration_sec: float, seed: int = 2) -> np.ndarray:
    """White noise."""
    return _at_peak(np.random.default_rng(seed).normal(size=int(duration_sec * RATE_HZ)))


def _at_peak(sound: np.ndarray) -> np.ndarray:
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)


def measures(**changed: Any) -> Measures:
    """Measures of a faultless recording of a piano, with some changed; those of the description too."""
    description = AudioDescription(
        60.0, 48_000, 1, "WAV", "PCM_16", -3.0, -20.0, 0.0, 0.05, 15_000.0, "0" * 64, ()
    )
    own = {name: changed.pop(name) for name in list(changed) if hasattr(description, name)}
    usual = Measures(
        description=replace(description, **own),
        bounds=MusicBounds(0.0, 60.0),
        probability=likely(piano=1.0),
        speech_share=0.0,
        snr_db=40.0,
        range_db=20.0,
        hum=None,
        decay_sec=0.5,
        n_dropouts=0,
        crowding=1e-4,
        tuning=Tuning(0.0, 0.9),
    )
    return replace(usual, **changed)


def likely(**classes: float) -> dict[str, float]:
    """Probabilities of all classes; what is not given is shared out to `noise`."""
    from tocco.audio.quality.classifier import CLASSES

    found = dict.fromkeys(CLASSES, 0.0) | classes
    found["noise"] += 1.0 - sum(found.values())
    return found

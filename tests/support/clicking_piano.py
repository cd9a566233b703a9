"""Notes with sharp onsets at known times, their performance and score, and how to find them again."""

from __future__ import annotations

import numpy as np

from tocco.music.alignment import Alignment, align_performance_to_score
from tocco.music.performance import PedalCurve, Performance
from tocco.music.score import Score
from tocco.units import SAMPLE_RATE_HZ, hz_from_pitch, samples_from_sec

DURATION_SEC = 8.0
LATEST_SEC = 7.2


def clicking_performance(seed: int = 7) -> Performance:
    """Single notes about every 0.45 s, of pitches that are never next to each other twice."""
    rng = np.random.default_rng(seed)
    onset = np.arange(0.4, LATEST_SEC, 0.45)
    onset = onset + rng.uniform(-0.05, 0.05, len(onset))
    pitch = rng.permutation(np.arange(62, 62 + len(onset)))
    steps = PedalCurve(np.array([1.0, 2.0]), np.array([100.0, 0.0]))
    return Performance(
        onset_sec=onset,
        offset_sec=onset + 0.2,
        pitch=pitch,
        velocity=np.full(len(onset), 80),
        sustain=steps,
        sostenuto=PedalCurve(),
        soft=PedalCurve(),
        duration_sec=DURATION_SEC,
    )


def sounded(performance: Performance, sample_rate_hz: int = SAMPLE_RATE_HZ) -> np.ndarray:
    """The performance on an instrument with a 1 ms attack and a quick decay."""
    time_sec = np.arange(samples_from_sec(DURATION_SEC, sample_rate_hz)) / sample_rate_hz
    sound = np.zeros(len(time_sec))
    for onset, pitch in zip(performance.onset_sec, performance.pitch, strict=True):
        since = np.maximum(time_sec - onset, 0.0)
        envelope = np.minimum(since / 0.001, 1.0) * np.exp(-since / 0.08)
        for partial, amplitude in ((1, 1.0), (2, 0.4), (3, 0.2)):
            sound += envelope * amplitude * np.sin(2 * np.pi * hz_from_pitch(pitch) * partial * since)
    return (0.25 * sound / np.abs(sound).max()).astype(np.float32)


def aligned(performance: Performance) -> Alignment:
    """The performance beside its score: a note on every beat."""
    n = len(performance)
    beat = np.arange(n, dtype=float)
    score = Score(
        note_id=tuple(f"n{k}" for k in range(n)),
        onset_beat=beat,
        duration_beat=np.full(n, 0.5),
        pitch=performance.pitch.copy(),
        voice=np.ones(n, dtype=int),
        staff=np.ones(n, dtype=int),
        is_grace=np.zeros(n, dtype=bool),
        articulation=("",) * n,
        velocity=np.zeros(n, dtype=int),
        bar=(beat // 4).astype(int),
        bar_onset_beat=np.arange(0.0, n, 4.0),
        bar_beats=np.full(len(np.arange(0.0, n, 4.0)), 4.0),
        bar_name=tuple(str(k + 1) for k in range(len(np.arange(0.0, n, 4.0)))),
        tempo_bpm=0.0,
        marks=(),
    )
    return align_performance_to_score(performance, score)


def detected_onsets(
    audio: np.ndarray, near_sec: np.ndarray, sample_rate_hz: int = SAMPLE_RATE_HZ
) -> np.ndarray:
    """(N,) seconds: where the level rises most within 60 ms of each time.

    The rise is that of the RMS of the 4 ms after a moment over that of the 8 ms before it.
    """
    ms = sample_rate_hz // 1000
    energy = np.concatenate(([0.0], np.cumsum(np.square(audio, dtype=float))))
    at = np.arange(8 * ms, len(audio) - 4 * ms)
    after = (energy[at + 4 * ms] - energy[at]) / 4
    before = (energy[at] - energy[at - 8 * ms]) / 8
    floor = 1e-5 * energy[-1] / len(audio)
    rise = (after + floor) / (before + floor) * (after > 1e-4 * after.max())
    found = []
    for time_sec in near_sec:
        low = max(0, samples_from_sec(time_sec - 0.06, sample_rate_hz) - 8 * ms)
        high = samples_from_sec(time_sec + 0.06, sample_rate_hz) - 8 * ms
        found.append((at[low] + int(np.argmax(rise[low:high]))) / sample_rate_hz)
    return np.array(found)


def detected_pitches(
    audio: np.ndarray, onset_sec: np.ndarray, sample_rate_hz: int = SAMPLE_RATE_HZ
) -> np.ndarray:
    """(N,) MIDI pitch with fractions: the strongest spectral line of the 160 ms after each onset."""
    found = []
    for time_sec in onset_sec:
        start = samples_from_sec(time_sec + 0.005, sample_rate_hz)
        note = audio[start : start + samples_from_sec(0.16, sample_rate_hz)]
        spectrum = np.abs(np.fft.rfft(note * np.hanning(len(note)), 1 << 17))
        frequency = np.fft.rfftfreq(1 << 17, 1 / sample_rate_hz)
        heard = np.where((frequency > 150.0) & (frequency < 2_000.0), spectrum, 0.0)
        found.append(69.0 + 12.0 * np.log2(frequency[np.argmax(heard)] / 440.0))
    return np.array(found)

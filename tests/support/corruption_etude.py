"""An etude with everything that can be harmed: runs, chords of three voices, a contour, clean pedalling."""

from __future__ import annotations

import numpy as np

from tocco.music.alignment import Alignment, align_performance_to_score
from tocco.music.performance import PedalCurve, Performance
from tocco.music.score import Score

N_BARS = 16
BEAT_SEC = 0.5
MAJOR = np.array([0, 2, 4, 5, 7, 9, 11])


def key(degree: int) -> int:
    """Pitch of a degree of C major; degree 0 is C5."""
    return 72 + 12 * (degree // 7) + int(MAJOR[degree % 7])


def etude_score() -> Score:
    """Sixteen bars of 4/4: above quarters and, in odd bars, sixteenths; below three-note chords in halves."""
    rng = np.random.default_rng(5)
    rows: list[tuple[float, float, int, int]] = []
    degree = 0
    for beat in range(4 * N_BARS):
        steps = 4 if (beat // 4) % 2 else 1
        for k in range(steps):
            degree = int(np.clip(degree + rng.choice([-2, -1, 1, 2]), -3, 9))
            rows.append((beat + k / steps, 1.0 / steps, key(degree), 1))
        if beat % 2 == 0:
            root = int(rng.integers(-14, -8))
            rows += [(float(beat), 2.0, key(root + third), 2) for third in (0, 2, 4)]
    rows.sort(key=lambda row: (row[0], row[2]))
    onset, duration, pitch, staff = (np.array(column) for column in zip(*rows, strict=True))
    return Score(
        note_id=tuple(f"n{k}" for k in range(len(rows))),
        onset_beat=onset,
        duration_beat=duration,
        pitch=pitch,
        voice=staff,
        staff=staff,
        is_grace=np.zeros(len(rows), dtype=bool),
        articulation=("",) * len(rows),
        velocity=np.zeros(len(rows), dtype=int),
        bar=(onset // 4).astype(int),
        bar_onset_beat=4.0 * np.arange(N_BARS),
        bar_beats=np.full(N_BARS, 4.0),
        bar_name=tuple(str(k + 1) for k in range(N_BARS)),
        tempo_bpm=120.0,
        marks=(),
    )


def etude() -> tuple[Performance, Alignment]:
    """The etude at 120 a minute, in four-bar crescendos and diminuendos, a pedal for each chord."""
    score = etude_score()
    onset = 0.5 + BEAT_SEC * score.onset_beat
    swell = 15 * np.sin(2 * np.pi * score.onset_beat / 16)
    velocity = np.rint(np.where(score.staff == 1, 80, 55) + swell).astype(int)
    chord_sec = 0.5 + BEAT_SEC * np.arange(0, 4 * N_BARS, 2)
    time = np.column_stack((chord_sec + 0.1, chord_sec + 0.12, chord_sec + 0.97)).ravel()
    performance = Performance(
        onset_sec=onset,
        offset_sec=onset + 0.9 * BEAT_SEC * score.duration_beat,
        pitch=score.pitch,
        velocity=velocity,
        sustain=PedalCurve(time, np.tile([50.0, 110.0, 0.0], len(chord_sec))),
        sostenuto=PedalCurve(),
        soft=PedalCurve(np.array([4.0, 8.0]), np.array([90.0, 0.0])),
        duration_sec=float(time[-1]) + 0.5,
    )
    return performance, align_performance_to_score(performance, score)

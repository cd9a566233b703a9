"""An etude with planted tempo, touch, voicing and pedal, and its alignment: eight bars of 4/4.

The upper staff has quarter notes, a scale up and down; the lower staff has two-note chords in half
notes, two octaves below. Everything that a statistic reports of it is known beforehand.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tocco.music.alignment import Alignment
from tocco.music.performance import PedalCurve, Performance
from tocco.music.score import Score
from tocco.units import FloatArray

N_BARS = 8
N_BEATS = 4 * N_BARS
SCALE = np.array([72, 74, 76, 77, 79, 77, 76, 74])
BEAT_SEC = 0.6
MELODY_VELOCITY = 80
CHORD_VELOCITY = 60
MELODY_HELD = 0.5
CHORD_HELD = 1.0


def etude_score() -> Score:
    """64 notes: 32 above, 16 two-note chords below."""
    rows = [(float(beat), 1.0, int(SCALE[beat % 8]), 1) for beat in range(N_BEATS)]
    rows += [(2.0 * half, 2.0, pitch, 2) for half in range(N_BEATS // 2) for pitch in (48, 52)]
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
        velocity=np.full(len(rows), 64),
        bar=(onset // 4).astype(int),
        bar_onset_beat=4.0 * np.arange(N_BARS),
        bar_beats=np.full(N_BARS, 4.0),
        bar_name=tuple(str(k + 1) for k in range(N_BARS)),
        tempo_bpm=100.0,
        marks=(),
        source="etude",
    )


def etude(
    *,
    sec_of_beat: Callable[[FloatArray], FloatArray] = lambda beat: BEAT_SEC * beat,
    melody_lead_sec: float = 0.0,
    late_sec: FloatArray | None = None,
    melody_held: float = MELODY_HELD,
    transpose: int = 0,
    pedal: PedalCurve | None = None,
) -> tuple[Performance, Alignment]:
    """Play the etude.

    Parameters
    ----------
    sec_of_beat
        The tempo.
    melody_lead_sec
        By how much the lower staff comes later where both strike together.
    late_sec : (64,) seconds
        Added to each onset, in the order of the score.
    melody_held
        Share of the written duration for which the keys of the upper staff are down.
    transpose : semitones
    pedal
        The sustaining pedal; up throughout if not given.
    """
    score = etude_score()
    upper = score.staff == 1
    onset = 1.0 + sec_of_beat(score.onset_beat) + np.where(upper, 0.0, melody_lead_sec)
    onset = onset + (0.0 if late_sec is None else late_sec)
    due = sec_of_beat(score.onset_beat + score.duration_beat) - sec_of_beat(score.onset_beat)
    offset = onset + due * np.where(upper, melody_held, CHORD_HELD)
    pitch = score.pitch + transpose
    order = np.lexsort((pitch, onset))
    up = PedalCurve()
    performance = Performance(
        onset_sec=onset[order],
        offset_sec=offset[order],
        pitch=pitch[order],
        velocity=np.where(upper, MELODY_VELOCITY, CHORD_VELOCITY)[order],
        sustain=up if pedal is None else pedal,
        sostenuto=up,
        soft=up,
        duration_sec=float(offset.max()),
    )
    played = np.argsort(order)
    beats, first = np.unique(score.onset_beat, return_index=True)
    alignment = Alignment(
        score=score,
        match=np.stack([np.arange(len(score)), played], axis=1),
        deletion=np.zeros(0, dtype=int),
        insertion=np.zeros(0, dtype=int),
        substitution=np.zeros((0, 2), dtype=int),
        anchor_beat=beats,
        anchor_sec=onset[first],
        performance_beat=score.onset_beat[order],
        performance_onset_sec=onset[order],
        performance_pitch=pitch[order],
    )
    return performance, alignment

"""A study in two hands, sixteen bars of 4/4, that tests play well, badly, or in one respect badly.

Upper staff: quavers, a scale up and down. Lower staff, on each beat: a bass note, whose harmony changes
from beat to beat, and a third above it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tocco.music.alignment import Alignment
from tocco.music.notation import Mark
from tocco.music.performance import PedalCurve, Performance
from tocco.music.score import Score
from tocco.units import FloatArray, IntArray

BEAT_SEC = 0.6
N_BARS = 16
SCALE = (72, 74, 76, 77, 79, 81, 83, 84, 83, 81, 79, 77, 76, 74)
BASS = (36, 41, 43, 40)
UP = PedalCurve()


def study_score(articulation: str = "", marks: tuple[Mark, ...] = ()) -> Score:
    """256 notes: 128 above, 64 pairs below; the sign stands over every upper note."""
    rows = [(0.5 * k, 0.5, SCALE[k % len(SCALE)], 1) for k in range(8 * N_BARS)]
    rows += [(float(b), 1.0, BASS[b % 4] + up, 2) for b in range(4 * N_BARS) for up in (0, 16)]
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
        articulation=tuple(articulation if hand == 1 else "" for hand in staff),
        velocity=np.zeros(len(rows), dtype=int),
        bar=(onset // 4).astype(int),
        bar_onset_beat=4.0 * np.arange(N_BARS),
        bar_beats=np.full(N_BARS, 4.0),
        bar_name=tuple(str(k + 1) for k in range(N_BARS)),
        tempo_bpm=100.0,
        marks=marks,
        source="study",
    )


def play(
    score: Score,
    *,
    sec_of_beat: Callable[[FloatArray], FloatArray] = lambda beat: BEAT_SEC * beat,
    late_sec: FloatArray | float = 0.0,
    velocity: FloatArray | None = None,
    held: FloatArray | float = 0.9,
    sustain: PedalCurve = UP,
) -> tuple[Performance, Alignment]:
    """Play every note of a score, and the alignment as it truly is.

    Parameters
    ----------
    late_sec, velocity, held : (S,) in the order of the score
        Added to each onset; 60 below and 75 above if not given; share of the written time.
    """
    onset = 1.0 + sec_of_beat(score.onset_beat) + late_sec
    written_sec = sec_of_beat(score.onset_beat + score.duration_beat) - sec_of_beat(score.onset_beat)
    offset = onset + held * written_sec
    level = np.where(score.staff == 1, 75.0, 60.0) if velocity is None else velocity
    order: IntArray = np.lexsort((score.pitch, onset))
    performance = Performance(
        onset_sec=onset[order],
        offset_sec=offset[order],
        pitch=score.pitch[order],
        velocity=np.clip(np.round(level), 1, 127).astype(int)[order],
        sustain=sustain,
        sostenuto=UP,
        soft=UP,
        duration_sec=float(offset.max()),
        source="study",
    )
    beats, first = np.unique(score.onset_beat, return_index=True)
    alignment = Alignment(
        score=score,
        match=np.stack([np.arange(len(score)), np.argsort(order)], axis=1),
        deletion=np.zeros(0, dtype=int),
        insertion=np.zeros(0, dtype=int),
        substitution=np.zeros((0, 2), dtype=int),
        anchor_beat=beats,
        anchor_sec=onset[first],
        performance_beat=score.onset_beat[order],
        performance_onset_sec=onset[order],
        performance_pitch=score.pitch[order],
        confidence=np.ones(len(score)),
    )
    return performance, alignment


def pedal_with_the_bass(lag_sec: float = 0.06, down_after_sec: float = 0.1, every: int = 1) -> PedalCurve:
    """Legato pedalling: up a moment after each bass note, down again."""
    at = 1.0 + BEAT_SEC * np.arange(0, 4 * N_BARS, every)
    time = np.stack([at + lag_sec, at + lag_sec + down_after_sec], axis=1).ravel()
    return PedalCurve(time, np.tile([0.0, 127.0], len(at)))


def without(performance: Performance, notes: list[int]) -> Performance:
    """The same with some notes left out."""
    return performance.only(np.setdiff1d(np.arange(len(performance)), notes))

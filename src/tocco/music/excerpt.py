"""Excerpts of performances and scores: a stretch that is a piece of its own, with its own clock."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from tocco.music.alignment import Alignment
from tocco.music.performance import PedalCurve, Performance
from tocco.music.score import Score
from tocco.units import FloatArray

_SAME_BEAT: Final = 0.02
"""Beats by which a written note may stand before the bar line that it belongs to, from rounding of ticks."""

FLAT_VELOCITY: Final = 64
FLAT_TEMPO_BPM: Final = 100.0
"""Tempo of a flat rendering where the score states none."""
_TEMPO_RANGE_BPM: Final = (20.0, 300.0)
_FLAT_GATE: Final = 0.95
"""Sounding share of the written duration, so that a repeated note is struck anew."""
_FLAT_GRACE_SEC: Final = 0.1
_SHORTEST_SEC: Final = 0.03


def performance_excerpt(
    performance: Performance, alignment: Alignment | None, start_sec: float, end_sec: float
) -> tuple[Performance, Alignment | None]:
    """The notes struck in `start <= t < end`, on a clock that starts at 0.

    Unlike a window (`tocco.music.midi.segment_midi`), an excerpt does not hold notes that sound over its
    start: it is what a player would have played who began there.

    Parameters
    ----------
    performance
    alignment : of the whole performance; None without a score
    start_sec, end_sec
    """
    struck = np.flatnonzero((performance.onset_sec >= start_sec) & (performance.onset_sec < end_sec))
    last_sec = max(float(performance.offset_sec[struck].max(initial=end_sec)), end_sec)
    cut = replace(
        performance.only(struck),
        sustain=performance.sustain.between(start_sec, last_sec),
        sostenuto=performance.sostenuto.between(start_sec, last_sec),
        soft=performance.soft.between(start_sec, last_sec),
    )
    moved = replace(cut.shifted(-start_sec), duration_sec=end_sec - start_sec)
    return moved, None if alignment is None else alignment.window(start_sec, end_sec, struck)


def half_bounds(onset_sec: FloatArray) -> FloatArray:
    """The first, the middle and the last half of a performance.

    Parameters
    ----------
    onset_sec : (N,) seconds, at least one

    Returns
    -------
    (3, 2) seconds; each lasts half the time from the first to the last onset
    """
    start, end = float(onset_sec.min()), float(onset_sec.max())
    half = (end - start) / 2.0
    starts = start + half * np.array([0.0, 0.5, 1.0])
    bounds = np.stack([starts, starts + half], axis=1)
    bounds[-1, 1] = np.nextafter(end, np.inf)  # the last onset belongs to the last half
    return bounds


def score_excerpt(score: Score, start_beat: float, end_beat: float) -> Score:
    """The notes and bars of a score in `start <= beat < end`, counted from beat 0; without its marks.

    Parameters
    ----------
    score
    start_beat, end_beat : beats of the unfolded score, best at bar lines
    """
    low, high = start_beat - _SAME_BEAT, end_beat - _SAME_BEAT
    note = np.flatnonzero((score.onset_beat >= low) & (score.onset_beat < high))
    bar = np.flatnonzero(
        (score.bar_onset_beat + score.bar_beats > start_beat) & (score.bar_onset_beat < high)
    )
    bar_start = np.maximum(score.bar_onset_beat[bar], start_beat)
    bar_end = np.minimum(score.bar_onset_beat[bar] + score.bar_beats[bar], end_beat)
    onset = np.maximum(score.onset_beat[note] - start_beat, 0.0)
    bar_onset = bar_start - start_beat
    within = np.clip(np.searchsorted(bar_onset, onset + 1e-6, side="right") - 1, 0, max(len(bar) - 1, 0))
    hidden = (score.hidden_onset_beat >= low) & (score.hidden_onset_beat < high)
    return replace(
        score,
        note_id=tuple(score.note_id[i] for i in note),
        onset_beat=onset,
        duration_beat=score.duration_beat[note],
        pitch=score.pitch[note],
        voice=score.voice[note],
        staff=score.staff[note],
        is_grace=score.is_grace[note],
        articulation=tuple(score.articulation[i] for i in note),
        velocity=score.velocity[note],
        bar=within.astype(np.int64),
        bar_onset_beat=bar_onset,
        bar_beats=bar_end - bar_start,
        bar_name=tuple(score.bar_name[i] for i in bar),
        marks=(),
        spelling=tuple(score.spelling[i] for i in note) if score.spelling else (),
        bar_metre=tuple(score.bar_metre[i] for i in bar) if score.bar_metre else (),
        grace_lead=tuple(score.grace_lead[i] for i in note) if score.grace_lead else (),
        bar_printed=tuple(score.bar_printed[i] for i in bar) if score.bar_printed else (),
        hidden_onset_beat=score.hidden_onset_beat[hidden] - start_beat,
        hidden_pitch=score.hidden_pitch[hidden],
    )


def performed_part(alignment: Alignment) -> Score:
    """The stretch of the score from the first to the last note that the alignment places in the performance.

    Those are the notes that were played and those that are missing. With none of them, the whole score.
    """
    score = alignment.score
    performed = np.concatenate([alignment.match[:, 0], alignment.deletion])
    if not len(performed):
        return score
    beats = score.onset_beat[performed]
    if beats.min() <= score.onset_beat.min() and beats.max() >= score.onset_beat.max():
        return score
    return score_excerpt(score, float(beats.min()), float(beats.max()) + 2.0 * _SAME_BEAT)


def flat_rendering(score: Score) -> Performance:
    """The score as it stands: one loudness, no pedal, the stated tempo throughout.

    Parameters
    ----------
    score : with at least one note
    """
    slow, fast = _TEMPO_RANGE_BPM
    bpm = score.tempo_bpm if slow <= score.tempo_bpm <= fast else FLAT_TEMPO_BPM
    beat_sec = 60.0 / bpm
    onset = score.onset_beat * beat_sec
    held = np.maximum(score.duration_beat * beat_sec * _FLAT_GATE, _SHORTEST_SEC)
    offset = onset + np.where(score.is_grace, _FLAT_GRACE_SEC, held)
    order = np.lexsort((score.pitch, onset))
    up = PedalCurve()
    return Performance(
        onset_sec=onset[order],
        offset_sec=offset[order],
        pitch=score.pitch[order],
        velocity=np.full(len(order), FLAT_VELOCITY),
        sustain=up,
        sostenuto=up,
        soft=up,
        duration_sec=float(offset.max()),
        source=score.source,
    )

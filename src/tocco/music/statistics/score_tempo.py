"""Tempo against the beats of the score: its level, its course, and rubato at several scales."""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.music.alignment import Alignment
from tocco.music.statistics.catalogue import Matter
from tocco.music.statistics.playing import Playing
from tocco.music.statistics.summaries import (
    MISSING,
    arch,
    autocorrelation,
    correlation,
    course,
    five,
    group_mean,
    mean,
    percentile,
    rolling_mean,
    sd,
    sixths,
    slope,
    step,
)
from tocco.music.statistics.written import Written
from tocco.units import FloatArray

FEWEST_BEATS: Final = 3
SHORTEST_WAIT_SEC: Final = 0.005

_TEMPO = Matter("tempo", needs_score=True)
_RUBATO = Matter("rubato", needs_score=True)

TEMPO: Final = (
    *_TEMPO.one("tempo_bpm", "1/min", "quarter notes a minute, over the whole"),
    *_TEMPO.one("tempo_log", "log", "logarithm of quarter notes a minute, over the whole"),
    *_TEMPO.one("tempo_against_stated", "log", "tempo against the one that the score states"),
    *_TEMPO.one("tempo_sd", "log", "spread of the tempo over beats"),
    *_TEMPO.one("tempo_range", "log", "tempo of the beats: 95th less 5th percentile"),
    *_TEMPO.one("tempo_slope", "log", "tempo: growth over the whole, positive for rushing"),
    *_TEMPO.one("tempo_arch", "log", "tempo: arch over the whole, negative for pressing on and easing"),
    *_TEMPO.one("tempo_autocorrelation", "correlation", "similarity of each beat's tempo to the one before"),
    *_TEMPO.one("tempo_step", "log", "tempo: change from beat to beat"),
    *_TEMPO.one("tempo_curvature", "log", "tempo: change of the change, from beat to beat"),
    *_TEMPO.one("tempo_first", "log", "tempo of the first sixth of the beats against the whole"),
    *_TEMPO.one("tempo_final", "log", "tempo of the last sixth of the beats against the whole"),
    *_TEMPO.one("tempo_slowest", "log", "slowest beat against the median"),
    *_TEMPO.one("tempo_fastest", "log", "fastest beat against the median"),
    *_TEMPO.six("tempo", "log", "tempo of each sixth of the beats against the whole"),
    *_TEMPO.one("tempo_velocity_correlation", "correlation", "faster is louder, over beats (Todd 1992)"),
    *_TEMPO.one("bar_tempo_sd", "log", "spread of the tempo over bars"),
    *_TEMPO.one("bar_tempo_step", "log", "tempo: change from bar to bar"),
)

RUBATO: Final = (
    *_RUBATO.five("ioi_against_beat", "log", "time between written onsets against the tempo of the whole"),
    *_RUBATO.one("ioi_against_beat_step", "log", "its change from onset to onset"),
    *_RUBATO.one("ioi_against_beat_autocorrelation", "correlation", "its similarity to the one before"),
    *_RUBATO.one("rubato_1_beat", "log", "tempo of a beat against the mean of three, spread"),
    *_RUBATO.one("rubato_3_beat", "log", "tempo over three beats against that over seven, spread"),
    *_RUBATO.one("rubato_7_beat", "log", "tempo over seven beats against that over 15, spread"),
    *_RUBATO.one("rubato_15_beat", "log", "tempo over 15 beats against the whole, spread"),
    *_RUBATO.one(
        "rubato_long_short", "correlation", "longer written notes are stretched (Friberg et al. 2006)"
    ),
)


def measure_tempo(playing: Playing, alignment: Alignment, written: Written) -> dict[str, float]:
    """Measure tempo and rubato."""
    return {
        **_level(alignment, written),
        **_beats(playing, written),
        **_bars(alignment, written),
        **_rubato(written),
    }


def _level(alignment: Alignment, written: Written) -> dict[str, float]:
    bpm, stated = 60.0 / written.beat_sec, alignment.score.tempo_bpm
    return {
        "tempo_bpm": bpm,
        "tempo_log": float(np.log(bpm)),
        "tempo_against_stated": float(np.log(bpm / stated)) if stated > 0 else MISSING,
    }


def _beats(playing: Playing, written: Written) -> dict[str, float]:
    tempo = written.beat_log_bpm()
    if len(tempo) < FEWEST_BEATS:
        tempo = np.zeros(0)
    sixth = max(1, len(tempo) // 6)
    middle = float(np.median(tempo)) if len(tempo) else MISSING
    place = np.arange(len(tempo)) + 0.5
    return {
        "tempo_sd": sd(tempo),
        "tempo_range": percentile(tempo, 95) - percentile(tempo, 5),
        "tempo_slope": slope(tempo),
        "tempo_arch": arch(tempo),
        "tempo_autocorrelation": autocorrelation(tempo),
        "tempo_step": step(tempo),
        "tempo_curvature": mean(np.abs(np.diff(tempo, 2))),
        "tempo_first": mean(tempo[:sixth]) - mean(tempo),
        "tempo_final": mean(tempo[-sixth:]) - mean(tempo),
        "tempo_slowest": float(tempo.min()) - middle if len(tempo) else MISSING,
        "tempo_fastest": float(tempo.max()) - middle if len(tempo) else MISSING,
        **course("tempo", sixths(place, tempo - mean(tempo), float(len(tempo)))),
        "tempo_velocity_correlation": _tempo_velocity(playing, written),
    }


def _tempo_velocity(playing: Playing, written: Written) -> float:
    """Correlation over beats of log tempo and level."""
    beat = np.arange(np.ceil(written.onset_beat[0]), np.floor(written.onset_beat[-1]) + 1.0)
    period = np.diff(np.interp(beat, written.onset_beat, written.onset_sec))
    velocity = group_mean(playing.struck.velocity[written.played], written.onset_of, len(written.onset_beat))
    level = np.interp(beat[:-1], written.onset_beat, velocity)
    moves = period > SHORTEST_WAIT_SEC
    return correlation(-np.log(period[moves]), level[moves])


def _bars(alignment: Alignment, written: Written) -> dict[str, float]:
    """Tempo of the whole bars between first and last match."""
    start = alignment.score.bar_onset_beat
    start = start[(start >= written.onset_beat[0] - 1e-6) & (start <= written.onset_beat[-1] + 1e-6)]
    period = np.diff(np.interp(start, written.onset_beat, written.onset_sec))
    moves = period > SHORTEST_WAIT_SEC
    tempo = np.log(np.diff(start)[moves] / period[moves])
    return {"bar_tempo_sd": sd(tempo), "bar_tempo_step": step(tempo)}


def ioi_against_beat(written: Written) -> tuple[FloatArray, FloatArray]:
    """How much longer than written each onset lasts, at the tempo of the whole.

    Returns
    -------
    (R,) logarithm of the ratio, (R,) beats as written
        Onsets without a wait (the alignment steps back there) are left out.
    """
    written_ioi, wait = np.diff(written.onset_beat), np.diff(written.onset_sec)
    moves = wait > SHORTEST_WAIT_SEC
    return np.log(wait[moves] / (written_ioi[moves] * written.beat_sec)), written_ioi[moves]


def _rubato(written: Written) -> dict[str, float]:
    stretch, written_ioi = ioi_against_beat(written)
    tempo = written.beat_log_bpm()
    scales = [tempo] + [rolling_mean(tempo, width) for width in (3, 7, 15)]
    enough = [len(tempo) >= width for width in (3, 7, 15, 15)]
    bands = [near - far for near, far in zip(scales, [*scales[1:], np.zeros(len(tempo))], strict=True)]
    rubato = [sd(band) if long else MISSING for band, long in zip(bands, enough, strict=True)]
    return {
        **five("ioi_against_beat", stretch),
        "ioi_against_beat_step": step(stretch),
        "ioi_against_beat_autocorrelation": autocorrelation(stretch),
        **{f"rubato_{width}_beat": value for width, value in zip((1, 3, 7, 15), rubato, strict=True)},
        "rubato_long_short": correlation(stretch, np.log(written_ioi)),
    }

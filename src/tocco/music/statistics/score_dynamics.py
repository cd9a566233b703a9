"""Loudness relative to the score: hands, metre, bars, and what the score does not explain."""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.music.alignment import Alignment
from tocco.music.statistics.catalogue import Matter
from tocco.music.statistics.playing import Playing
from tocco.music.statistics.summaries import (
    MISSING,
    arch,
    correlation,
    extent,
    group_mean,
    mean,
    rolling_mean,
    sd,
    step,
)
from tocco.music.statistics.written import Written
from tocco.units import FloatArray

FEWEST_NOTES: Final = 20

_HANDS = Matter("hands", needs_score=True)
_METRE = Matter("metre", needs_score=True)
_BARS = Matter("bars", needs_score=True)
_FREE = Matter("free dynamics", needs_score=True)

SCORE_DYNAMICS: Final = (
    *_HANDS.one("upper_velocity", "velocity", "level of the upper staff"),
    *_HANDS.one("lower_velocity", "velocity", "level of the lower staff"),
    *_HANDS.one("upper_above_lower", "velocity", "upper staff above the lower one"),
    *_HANDS.one("written_top_above_rest", "velocity", "highest note of written chords above the others"),
    *_HANDS.one("written_high_loud", "correlation", "upper written line: the higher, the louder"),
    *_METRE.one("downbeat_accent", "velocity", "downbeats above all other notes"),
    *_METRE.one("beat_accent", "velocity", "notes on a beat above those between"),
    *_METRE.one("long_accent", "correlation", "the longer the written note, the louder"),
    *_METRE.one("velocity_against_stated", "velocity", "level above the one that a score MIDI states"),
    *_METRE.one("velocity_follows_stated", "correlation", "level follows the one that a score MIDI states"),
    *_BARS.one("bar_velocity_sd", "velocity", "spread of the level over bars"),
    *_BARS.one("bar_velocity_range", "velocity", "range of the level over bars"),
    *_BARS.one("bar_velocity_step", "velocity", "change of the level from bar to bar"),
    *_BARS.one(
        "bar_velocity_arch", "velocity", "arch of the bars' level, negative for swelling and receding"
    ),
    *_BARS.one("within_bar_velocity_sd", "velocity", "spread of the level inside a bar, on average"),
    *_FREE.one(
        "free_velocity_wave", "velocity", "level that pitch, voice and metre leave open, smoothed: spread"
    ),
    *_FREE.one("free_velocity_noise", "velocity", "level that neither the page nor the smooth line explains"),
    *_FREE.one("page_explains_velocity", "fraction", "share of the level's variance that the page explains"),
)


def measure_score_dynamics(playing: Playing, alignment: Alignment, written: Written) -> dict[str, float]:
    """Measure loudness by hand, metre and bar."""
    velocity = playing.struck.velocity[written.played]
    return {
        **_hands(alignment, written, velocity),
        **_metre(alignment, written, velocity),
        **_bars(alignment, written, velocity),
        **_free(playing, alignment, written, velocity),
    }


def _hands(alignment: Alignment, written: Written, velocity: FloatArray) -> dict[str, float]:
    upper, lower = velocity[written.staff == 1], velocity[written.staff == 2]
    top, rest = written.is_top & written.in_chord, ~written.is_top
    pitch = alignment.score.pitch[written.note].astype(float)
    return {
        "upper_velocity": mean(upper),
        "lower_velocity": mean(lower),
        "upper_above_lower": mean(upper) - mean(lower),
        "written_top_above_rest": mean(velocity[top]) - mean(velocity[rest]),
        "written_high_loud": correlation(pitch[written.is_top], velocity[written.is_top]),
    }


def _metre(alignment: Alignment, written: Written, velocity: FloatArray) -> dict[str, float]:
    down, on = written.is_downbeat, written.is_on_beat
    stated = alignment.score.velocity[written.note].astype(float)
    has_stated = stated > 0
    return {
        "downbeat_accent": mean(velocity[down]) - mean(velocity[~down]),
        "beat_accent": mean(velocity[on]) - mean(velocity[~on]),
        "long_accent": correlation(np.log(np.maximum(written.duration_beat, 0.05)), velocity),
        "velocity_against_stated": mean(velocity[has_stated]) - mean(stated[has_stated]),
        "velocity_follows_stated": correlation(stated[has_stated], velocity[has_stated]),
    }


def _bars(alignment: Alignment, written: Written, velocity: FloatArray) -> dict[str, float]:
    _, bar = np.unique(alignment.score.bar[written.note], return_inverse=True)
    n_bars = int(bar.max()) + 1
    level = group_mean(velocity, bar, n_bars)
    within = np.sqrt(group_mean((velocity - level[bar]) ** 2, bar, n_bars))
    return {
        "bar_velocity_sd": sd(level),
        "bar_velocity_range": extent(level) if n_bars > 1 else MISSING,
        "bar_velocity_step": step(level),
        "bar_velocity_arch": arch(level),
        "within_bar_velocity_sd": mean(within),
    }


def velocity_beyond_page(alignment: Alignment, written: Written, velocity: FloatArray) -> FloatArray:
    """The part of the level that is the player's own: pitch, voice and metre regressed out.

    Parameters
    ----------
    alignment
    written
    velocity : (K,) of the matched notes

    Returns
    -------
    (K,) velocity, mean 0
        NaN below 20 notes, which a regression on six columns would merely restate.
    """
    if len(velocity) < FEWEST_NOTES:
        return np.full(len(velocity), MISSING)
    pitch = alignment.score.pitch[written.note].astype(float)
    columns = (
        np.ones(len(velocity)),
        pitch - pitch.mean(),
        written.is_top,
        written.is_on_beat,
        written.is_downbeat,
        written.staff == 2,
    )
    page = np.stack(columns, axis=1).astype(float)
    return velocity - page @ np.linalg.lstsq(page, velocity, rcond=None)[0]


def _free(playing: Playing, alignment: Alignment, written: Written, velocity: FloatArray) -> dict[str, float]:
    """Measure what remains of the level: a smooth line, and what scatters around it."""
    by_time = np.argsort(playing.struck.onset_sec[written.played], kind="stable")
    free = velocity_beyond_page(alignment, written, velocity)[by_time]
    wave = rolling_mean(free, 15)
    variance = float(velocity.var())
    return {
        "free_velocity_wave": sd(wave),
        "free_velocity_noise": sd(free - wave),
        "page_explains_velocity": 1.0 - float(free.var()) / variance if variance > 1e-6 else MISSING,
    }

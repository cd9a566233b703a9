"""How loudly the keys are struck: level, voicing, line and accents; no score needed."""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.music.statistics.catalogue import Matter
from tocco.music.statistics.playing import Playing
from tocco.music.statistics.summaries import (
    MISSING,
    arch,
    autocorrelation,
    correlation,
    course,
    extent,
    five,
    fraction,
    group_mean,
    group_sum,
    mean,
    percentile,
    rolling_mean,
    sd,
    sixths,
    skewness,
    slope,
    step,
)
from tocco.units import FloatArray

LOW_VOICE_PITCH: Final = 55
HIGH_VOICE_PITCH: Final = 67
"""Below G3 mostly accompaniment, from G4 up mostly melody."""
ACCENT_VELOCITY: Final = 8.0
"""A chord is accented where it stands out from the nine around it by this much; differences of
about 5 velocity units are just heard (Repp 1996 finds 1 to 2 dB for single notes of a chord)."""
N_WINDOWS: Final = 8

_LEVEL = Matter("velocity", needs_score=False)
_VOICING = Matter("voicing", needs_score=False)
_LINE = Matter("dynamic line", needs_score=False)
_ACCENT = Matter("accents", needs_score=False)

DYNAMICS: Final = (
    *_LEVEL.five("velocity", "velocity", "how fast the keys are struck"),
    *_LEVEL.one("velocity_range", "velocity", "from the softest to the loudest note"),
    *_LEVEL.one("velocity_min", "velocity", "softest note"),
    *_LEVEL.one("velocity_max", "velocity", "loudest note"),
    *_LEVEL.one("velocity_iqr", "velocity", "range of the middle half of the notes"),
    *_LEVEL.one("velocity_distinct", "count", "different velocities that occur: nuance"),
    *_LEVEL.one("velocity_skewness", "ratio", "positive where a few notes stand out as loud"),
    *_VOICING.one("velocity_pitch_correlation", "correlation", "the higher, the louder"),
    *_VOICING.one("melody_velocity_mean", "velocity", "level of the highest note of every chord"),
    *_VOICING.one("melody_velocity_sd", "velocity", "spread of the highest notes' level"),
    *_VOICING.one("bass_velocity_mean", "velocity", "level of the lowest note of chords"),
    *_VOICING.one("melody_above_rest", "velocity", "highest note above the mean of its chord's others"),
    *_VOICING.one("melody_above_rest_sd", "velocity", "how unequally the highest note stands out"),
    *_VOICING.one("melody_above_bass", "velocity", "highest note above the lowest of its chord"),
    *_VOICING.one("chord_unevenness", "velocity", "spread of the levels within a chord"),
    *_VOICING.one("low_velocity", "velocity", "level of notes below G3", invariant=False),
    *_VOICING.one("high_velocity", "velocity", "level of notes from G4 up", invariant=False),
    *_VOICING.one("high_above_low", "velocity", "level from G4 up above that below G3", invariant=False),
    *_LINE.one(
        "velocity_autocorrelation", "correlation", "similarity of each chord's level to the one before"
    ),
    *_LINE.one("velocity_step", "velocity", "change of level from chord to chord"),
    *_LINE.one("velocity_slope", "velocity", "growth over the whole performance"),
    *_LINE.one("velocity_arch", "velocity", "arch over the whole, negative for swelling and receding"),
    *_LINE.one("melody_velocity_step", "velocity", "change of level from note to note of the upper line"),
    *_LINE.one("melody_velocity_autocorrelation", "correlation", "smoothness of the upper line's level"),
    *_LINE.one("velocity_roughness", "velocity", "level against the mean of the nine chords around, spread"),
    *_LINE.one("velocity_wave", "velocity", "spread of the level smoothed over nine chords"),
    *_LINE.one("velocity_tide", "velocity", "spread of the level smoothed over 33 chords"),
    *_LINE.one("swell_rate", "1/s", "turns between growing and receding of the smoothed level"),
    *_LINE.one("growing_fraction", "fraction", "share of chords where the smoothed level grows"),
    *_LINE.one("eighth_velocity_sd", "velocity", "spread of the level over eighths of the time"),
    *_LINE.one("eighth_velocity_range", "velocity", "range of the level over eighths of the time"),
    *_LINE.one("eighth_velocity_step", "velocity", "change of the level from one eighth to the next"),
    *_LINE.one("loudest_eighth", "fraction", "where the loudest eighth begins"),
    *_LINE.six("velocity", "velocity", "level of each sixth of the time against the whole"),
    *_ACCENT.one("accent_fraction", "fraction", "chords that stand out from the nine around by 8 or more"),
    *_ACCENT.one("accent_mean", "velocity", "by how much accented chords stand out"),
    *_ACCENT.one("accent_skewness", "ratio", "positive where single chords stand out as loud"),
    *_ACCENT.one("accent_largest", "velocity", "95th percentile of standing out"),
    *_ACCENT.one("accent_delay", "correlation", "the louder a chord, the longer the wait before it"),
    *_ACCENT.one("accent_lengthening", "correlation", "the louder a chord, the longer until the next"),
)


def chord_velocity(playing: Playing) -> FloatArray:
    """(G,) velocity: mean level of every chord."""
    return group_mean(playing.struck.velocity, playing.chord_of, len(playing.chord_size))


def measure_dynamics(playing: Playing) -> dict[str, float]:
    """Measure level, voicing, line and accents."""
    return {**_level(playing.struck.velocity), **_voicing(playing), **_line(playing), **_accents(playing)}


def _level(velocity: FloatArray) -> dict[str, float]:
    return {
        **five("velocity", velocity),
        "velocity_range": extent(velocity),
        "velocity_min": float(velocity.min()) if len(velocity) else MISSING,
        "velocity_max": float(velocity.max()) if len(velocity) else MISSING,
        "velocity_iqr": percentile(velocity, 75) - percentile(velocity, 25),
        "velocity_distinct": float(len(np.unique(velocity))) if len(velocity) else MISSING,
        "velocity_skewness": skewness(velocity),
    }


def _voicing(playing: Playing) -> dict[str, float]:
    pitch, velocity = playing.struck.pitch, playing.struck.velocity
    several = playing.chord_size > 1
    size = playing.chord_size[several]
    top, bottom = velocity[playing.top], velocity[playing.bottom]
    total = group_sum(velocity, playing.chord_of, len(several))[several]
    above_rest = top[several] - (total - top[several]) / (size - 1)
    square = group_sum(velocity**2, playing.chord_of, len(several))[several]
    within = np.sqrt(np.maximum(square / size - (total / size) ** 2, 0.0))
    low, high = mean(velocity[pitch < LOW_VOICE_PITCH]), mean(velocity[pitch >= HIGH_VOICE_PITCH])
    return {
        "velocity_pitch_correlation": correlation(velocity, pitch),
        "melody_velocity_mean": mean(top),
        "melody_velocity_sd": sd(top),
        "bass_velocity_mean": mean(bottom[several]),
        "melody_above_rest": mean(above_rest),
        "melody_above_rest_sd": sd(above_rest),
        "melody_above_bass": mean((top - bottom)[several]),
        "chord_unevenness": mean(within),
        "low_velocity": low,
        "high_velocity": high,
        "high_above_low": high - low,
    }


def _line(playing: Playing) -> dict[str, float]:
    level, melody = chord_velocity(playing), playing.struck.velocity[playing.top]
    wave = rolling_mean(level, 9)
    grows = np.diff(wave) > 0
    turns = int((grows[1:] != grows[:-1]).sum()) if len(grows) > 1 else 0
    eighths = _eighths(playing)
    last_onset = playing.chord_onset_sec[-1]
    return {
        "velocity_autocorrelation": autocorrelation(level),
        "velocity_step": step(level),
        "velocity_slope": slope(level, playing.chord_onset_sec / max(last_onset, 1e-6)),
        "velocity_arch": arch(level),
        "melody_velocity_step": step(melody),
        "melody_velocity_autocorrelation": autocorrelation(melody),
        "velocity_roughness": sd(level - wave),
        "velocity_wave": sd(wave),
        "velocity_tide": sd(rolling_mean(level, 33)) if len(level) >= 33 else MISSING,
        "swell_rate": turns / playing.span_sec if len(grows) > 1 else MISSING,
        "growing_fraction": fraction(grows),
        "eighth_velocity_sd": sd(eighths),
        "eighth_velocity_range": extent(eighths),
        "eighth_velocity_step": step(eighths),
        "loudest_eighth": float(eighths.argmax()) / N_WINDOWS if len(eighths) else MISSING,
        **course("velocity", sixths(playing.struck.onset_sec, _against_whole(playing), last_onset)),
    }


def _against_whole(playing: Playing) -> FloatArray:
    """(N,) velocity of each note above the mean of all."""
    return playing.struck.velocity - mean(playing.struck.velocity)


def _eighths(playing: Playing) -> FloatArray:
    """(8,) mean velocity of each eighth of the time, bridged where one is silent; () if too short."""
    if len(playing.chord_size) < N_WINDOWS:
        return np.zeros(0)
    which = (playing.struck.onset_sec / playing.span_sec * N_WINDOWS).astype(int)
    which = np.minimum(which, N_WINDOWS - 1)
    count = np.bincount(which, minlength=N_WINDOWS)
    total = group_sum(playing.struck.velocity, which, N_WINDOWS)
    used = np.flatnonzero(count)
    return np.interp(np.arange(N_WINDOWS), used, total[used] / count[used])


def _accents(playing: Playing) -> dict[str, float]:
    level = chord_velocity(playing)
    stands_out = level - rolling_mean(level, 9)
    accented = stands_out >= ACCENT_VELOCITY
    log_ioi = np.log(playing.ioi_sec + 1e-3)
    return {
        "accent_fraction": fraction(accented),
        "accent_mean": mean(stands_out[accented]),
        "accent_skewness": skewness(stands_out),
        "accent_largest": percentile(stands_out, 95),
        "accent_delay": correlation(stands_out[1:], log_ioi),
        "accent_lengthening": correlation(stands_out[:-1], log_ioi),
    }

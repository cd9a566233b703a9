"""How much is played and where on the keyboard: extent, density, register and melodic contour."""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.music.statistics.catalogue import N_SIXTHS, Matter
from tocco.music.statistics.playing import Playing
from tocco.music.statistics.summaries import (
    MISSING,
    arch,
    autocorrelation,
    correlation,
    course,
    fraction,
    mean,
    sd,
)
from tocco.units import FloatArray

LOW_REGISTER_PITCH: Final = 48
HIGH_REGISTER_PITCH: Final = 76
"""Below C3 and above E5: the registers where a single hand rarely plays both parts."""

_EXTENT = Matter("extent", needs_score=False)
_TEXTURE = Matter("texture", needs_score=False)
_REGISTER = Matter("register", needs_score=False)
_CONTOUR = Matter("contour", needs_score=False)

TEXTURE: Final = (
    *_EXTENT.one("note_count", "count", "notes struck"),
    *_EXTENT.one("span_sec", "s", "from the first onset to the last key release"),
    *_EXTENT.one("span_log", "log", "logarithm of the span in seconds"),
    *_TEXTURE.one("note_rate", "1/s", "notes struck a second"),
    *_TEXTURE.one("onset_rate", "1/s", "chords or single notes struck a second"),
    *_TEXTURE.one("chord_size_mean", "count", "notes struck together"),
    *_TEXTURE.one("chord_size_max", "count", "largest number of notes struck together"),
    *_TEXTURE.one("chord_fraction", "fraction", "onsets that strike more than one note"),
    *_TEXTURE.one("fast_fraction", "fraction", "onsets that follow the one before within 150 ms"),
    *_TEXTURE.six("density", "ratio", "onsets in each sixth of the time against an even share"),
    *_REGISTER.one("pitch_mean", "semitones", "mean pitch, middle C is 60", invariant=False),
    *_REGISTER.one("pitch_sd", "semitones", "spread of the pitches around their mean"),
    *_REGISTER.one("pitch_lowest", "semitones", "lowest pitch", invariant=False),
    *_REGISTER.one("pitch_highest", "semitones", "highest pitch", invariant=False),
    *_REGISTER.one("low_fraction", "fraction", "notes below C3", invariant=False),
    *_REGISTER.one("high_fraction", "fraction", "notes above E5", invariant=False),
    *_REGISTER.one(
        "hand_distance", "semitones", "from the lowest to the highest note of a chord, on average"
    ),
)

CONTOUR: Final = (
    *_CONTOUR.one("melody_interval_mean", "semitones", "size of the upper line's steps and leaps"),
    *_CONTOUR.one("melody_repeat_fraction", "fraction", "moves of the upper line that repeat the note"),
    *_CONTOUR.one("melody_step_fraction", "fraction", "moves of the upper line by one or two semitones"),
    *_CONTOUR.one("melody_leap_fraction", "fraction", "moves of the upper line beyond a fourth"),
    *_CONTOUR.one("melody_rise_fraction", "fraction", "moves of the upper line that go up"),
    *_CONTOUR.one("melody_turn_fraction", "fraction", "moves of the upper line that reverse the direction"),
    *_CONTOUR.one("melody_pitch_sd", "semitones", "spread of the upper line around its mean"),
    *_CONTOUR.one("melody_pitch_arch", "semitones", "arch of the upper line, negative for up and down"),
    *_CONTOUR.one("melody_pitch_autocorrelation", "correlation", "smoothness of the upper line"),
    *_CONTOUR.one(
        "melody_high_loud",
        "correlation",
        "upper line: the higher, the louder (a rule of the KTH system, Friberg et al. 2006)",
    ),
    *_CONTOUR.one(
        "melody_high_slow", "correlation", "upper line: the higher, the longer until the next note"
    ),
)


def measure_texture(playing: Playing) -> dict[str, float]:
    """Measure extent, density and register."""
    pitch, span = playing.struck.pitch, playing.span_sec
    n_notes, n_onsets = len(playing.struck), len(playing.chord_size)
    several = playing.chord_size > 1
    width = (playing.struck.pitch[playing.top] - playing.struck.pitch[playing.bottom])[several]
    return {
        "note_count": float(n_notes),
        "span_sec": span if n_notes else MISSING,
        "span_log": float(np.log(span)) if span > 0 else MISSING,
        "note_rate": n_notes / span if span > 0 else MISSING,
        "onset_rate": n_onsets / span if span > 0 else MISSING,
        "chord_size_mean": mean(playing.chord_size),
        "chord_size_max": float(playing.chord_size.max()) if n_onsets else MISSING,
        "chord_fraction": fraction(several),
        "fast_fraction": fraction(playing.ioi_sec < 0.15),
        **course("density", _density(playing)),
        "pitch_mean": mean(pitch),
        "pitch_sd": sd(pitch),
        "pitch_lowest": float(pitch.min()) if n_notes else MISSING,
        "pitch_highest": float(pitch.max()) if n_notes else MISSING,
        "low_fraction": fraction(pitch < LOW_REGISTER_PITCH),
        "high_fraction": fraction(pitch > HIGH_REGISTER_PITCH),
        "hand_distance": mean(width),
    }


def _density(playing: Playing) -> FloatArray:
    """(6,) onsets of each sixth against an even share; missing below one onset a sixth."""
    onset = playing.chord_onset_sec
    if len(onset) < N_SIXTHS or playing.span_sec <= 0:
        return np.full(N_SIXTHS, MISSING)
    which = np.minimum((onset / playing.span_sec * N_SIXTHS).astype(int), N_SIXTHS - 1)
    return np.bincount(which, minlength=N_SIXTHS) * (N_SIXTHS / len(onset))


def measure_contour(playing: Playing) -> dict[str, float]:
    """Measure the shape of the upper line: the highest note of every chord."""
    pitch, velocity = playing.struck.pitch[playing.top], playing.struck.velocity[playing.top]
    move = np.diff(pitch)
    size = np.abs(move)
    direction = np.sign(move[move != 0])
    return {
        "melody_interval_mean": mean(size),
        "melody_repeat_fraction": fraction(size == 0),
        "melody_step_fraction": fraction((size == 1) | (size == 2)),
        "melody_leap_fraction": fraction(size > 5),
        "melody_rise_fraction": fraction(move > 0),
        "melody_turn_fraction": fraction(direction[1:] != direction[:-1]),
        "melody_pitch_sd": sd(pitch),
        "melody_pitch_arch": arch(pitch),
        "melody_pitch_autocorrelation": autocorrelation(pitch),
        "melody_high_loud": correlation(pitch, velocity),
        "melody_high_slow": correlation(pitch[:-1], np.log(playing.ioi_sec + 1e-3)),
    }

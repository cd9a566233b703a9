"""How loud, bright and rough the sum of all sounding strings is, computed from keys and pedals alone.

A plain model of the instrument: every note starts at a level given by its velocity and decays at a
rate given by its pitch until its damper falls.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from tocco.music.statistics.catalogue import Matter
from tocco.music.statistics.playing import Playing
from tocco.music.statistics.summaries import (
    MISSING,
    arch,
    autocorrelation,
    correlation,
    five,
    fraction,
    group_sum,
    mean,
    percentile,
    skewness,
    slope,
    step,
    two,
)
from tocco.units import FloatArray, hz_from_pitch

FRAMES_PER_SEC: Final = 10
FIRST_FRAME_SEC: Final = 0.05
DYNAMIC_RANGE_DB: Final = 60.0
"""Between velocity 1 and 127 of sampled pianos (Dannenberg 2006 measures 40 to 70 dB)."""
SILENCE_DB: Final = -60.0
"""The softest note as it is struck; strings that have decayed below it are not heard."""
N_PARTIALS: Final = 6
N_PITCHES: Final = 128

_SOUND = Matter("sound", needs_score=False)

SOUND: Final = (
    *_SOUND.five("struck_energy_log", "log", "sum of squared velocities of all ringing notes"),
    *_SOUND.five("loudness_db", "dB", "level of all ringing notes with their decay", invariant=False),
    *_SOUND.one("loudness_range_db", "dB", "level: 95th less 5th percentile", invariant=False),
    *_SOUND.one("loudness_step_db", "dB", "level: change from one tenth second to the next", invariant=False),
    *_SOUND.one("loudness_rise_db", "dB", "level: 95th percentile of the rises", invariant=False),
    *_SOUND.one("loudness_slope_db", "dB", "level: growth over the whole", invariant=False),
    *_SOUND.one("loudness_arch_db", "dB", "level: arch over the whole", invariant=False),
    *_SOUND.one(
        "loudness_skewness", "ratio", "level: positive where loud moments stand out", invariant=False
    ),
    *_SOUND.one("loudness_autocorrelation", "correlation", "level: smoothness", invariant=False),
    *_SOUND.one("silent_fraction", "fraction", "time without any ringing note"),
    *_SOUND.two(
        "brightness", "semitones", "pitch of the spectrum's centre, loud notes counting more", invariant=False
    ),
    *_SOUND.one("brightness_slope", "semitones", "brightness: rise over the whole", invariant=False),
    *_SOUND.one("brightness_step", "semitones", "brightness: change a tenth second", invariant=False),
    *_SOUND.one("brightness_loudness", "correlation", "louder is brighter", invariant=False),
    *_SOUND.two("roughness", "ratio", "beating of close partials (Sethares 1993)", invariant=False),
    *_SOUND.one("roughness_high", "ratio", "roughness: 90th percentile", invariant=False),
    *_SOUND.one(
        "roughness_pedal", "ratio", "roughness that the pedal adds to that of the keys", invariant=False
    ),
    *_SOUND.one("roughness_loudness", "correlation", "louder is rougher", invariant=False),
)


@dataclass(frozen=True, eq=False)
class SoundCurves:
    """The sounding sum over time, at ten frames a second.

    Attributes
    ----------
    energy : (T,) squared amplitude, 1 for one note at velocity 127 as it is struck
    brightness : (T,) semitones, NaN in silence
    roughness : (T,) roughness per energy, NaN in silence
    """

    energy: FloatArray
    brightness: FloatArray
    roughness: FloatArray


def amplitude_from_velocity(velocity: FloatArray) -> FloatArray:
    """Peak amplitude of a struck note, 1 at velocity 127: the square law of Dannenberg (2006).

    Returns
    -------
    (N,) 0..1
    """
    root = 10.0 ** (-DYNAMIC_RANGE_DB / 40.0)
    offset = (127.0 * root - 1.0) / 126.0
    return ((1.0 - offset) / 127.0 * velocity + offset) ** 2


def decay_time_sec(pitch: FloatArray) -> FloatArray:
    """Time in which a piano string falls by 60 dB: 15 s at the bottom, 0.3 s at the top.

    Exponential between the ends of the keyboard, after the first, faster part of the decay
    (Fletcher and Rossing 1998, ch. 12).

    Returns
    -------
    (N,) seconds
    """
    return 15.0 * (0.3 / 15.0) ** ((pitch - 21.0) / 87.0)


def partial_amplitude(velocity: FloatArray) -> FloatArray:
    """Strength of the partials of a note: a hard blow carries further up the series.

    Partial n has n to the power of minus 2.5 at the softest and minus 1 at the loudest blow, the
    trend that Askenfelt and Jansson (1993) measured.

    Returns
    -------
    (N, 6) 1 for the first partial
    """
    power = 2.5 - 1.5 * velocity / 127.0
    return np.arange(1.0, N_PARTIALS + 1.0) ** -power[:, None]


def brightness_above_pitch(velocity: FloatArray) -> FloatArray:
    """(N,) semitones from a note's pitch up to the centre of its spectrum."""
    strength = partial_amplitude(velocity)
    number = np.arange(1.0, N_PARTIALS + 1.0)
    return 12.0 * np.log2(strength @ number / strength.sum(axis=1))


@lru_cache(maxsize=1)
def roughness_of_pairs() -> FloatArray:
    """Roughness of every pair of pitches at full amplitude.

    Sum over the pair's partials of the dissonance curve of Plomp and Levelt in the form of Sethares
    (1993): exp(-3.5 s df) - exp(-5.75 s df), with s = 0.24 / (0.021 f + 19), f the lower frequency.

    Returns
    -------
    (128, 128) symmetric, zero on the diagonal
    """
    number = np.arange(1.0, N_PARTIALS + 1.0)
    frequency = hz_from_pitch(np.arange(N_PITCHES))[:, None] * number
    # Mezzo-forte spectra: the kernel is one for all velocities, the levels enter as amplitudes.
    weight = np.broadcast_to(partial_amplitude(np.asarray([64.0])), frequency.shape)
    kernel = np.zeros((N_PITCHES, N_PITCHES))
    for i in range(N_PARTIALS):
        for j in range(N_PARTIALS):
            one, other = frequency[:, None, i], frequency[None, :, j]
            scale = 0.24 / (0.021 * np.minimum(one, other) + 19.0) * np.abs(one - other)
            strength = weight[:, None, i] * weight[None, :, j]
            kernel += strength * (np.exp(-3.5 * scale) - np.exp(-5.75 * scale))
    np.fill_diagonal(kernel, 0.0)
    kernel.flags.writeable = False
    return kernel


def frame_sec(span_sec: float) -> FloatArray:
    """(T,) seconds: the frames of the sound curves, ten a second."""
    count = max(round(span_sec * 1e6) * FRAMES_PER_SEC // 1_000_000, 0)
    return FIRST_FRAME_SEC + np.arange(count) / FRAMES_PER_SEC


def sound_curves(playing: Playing, end_sec: FloatArray) -> SoundCurves:
    """Add up all ringing notes, each with its decay.

    Parameters
    ----------
    playing
    end_sec : (N,) seconds, one for each of `playing.sounding`
        When each note is damped: its pedalled end, or the key release for the keys alone.
    """
    notes, time = playing.sounding, frame_sec(playing.span_sec)
    n_frames, decay = len(time), decay_time_sec(notes.pitch)
    first = np.ceil((notes.onset_sec - FIRST_FRAME_SEC) * FRAMES_PER_SEC - 1e-6).astype(int)
    audible_end = np.minimum(end_sec, notes.onset_sec + decay)
    last = np.ceil((audible_end - FIRST_FRAME_SEC) * FRAMES_PER_SEC - 1e-6).astype(int)
    # A note that falls between two frames is heard in the one after it.
    last = np.minimum(np.maximum(last, np.where(notes.onset_sec >= 0.0, first + 1, first)), n_frames)
    first = np.maximum(first, 0)
    count = np.maximum(last - first, 0)
    note = np.repeat(np.arange(len(notes)), count)
    frame = np.arange(len(note)) - np.repeat(np.cumsum(count) - count, count) + first[note]
    age = np.maximum(time[frame] - notes.onset_sec[note], 0.0)
    energy = (amplitude_from_velocity(notes.velocity)[note] * 10.0 ** (-3.0 * age / decay[note])) ** 2
    centre = notes.pitch + brightness_above_pitch(notes.velocity)
    total = group_sum(energy, frame, n_frames)
    weighted = group_sum(energy * centre[note], frame, n_frames)
    sounds = total > 0.0
    used, row = np.unique(notes.pitch.astype(int), return_inverse=True)
    amplitude = np.sqrt(group_sum(energy, row[note] * n_frames + frame, len(used) * n_frames))
    amplitude = amplitude.reshape(len(used), n_frames)
    beating = np.einsum("pt,pt->t", amplitude, roughness_of_pairs()[np.ix_(used, used)] @ amplitude) / 2.0
    safe = np.where(sounds, total, 1.0)
    return SoundCurves(
        energy=total,
        brightness=np.where(sounds, weighted / safe, MISSING),
        roughness=np.where(sounds, beating / safe, MISSING),
    )


def struck_energy(playing: Playing) -> FloatArray:
    """(T,) sum over ringing notes of (velocity / 127)^2: how much was struck, decay left out."""
    notes, time = playing.sounding, frame_sec(playing.span_sec)
    energy = (notes.velocity / 127.0) ** 2
    by_onset, by_end = np.argsort(notes.onset_sec), np.argsort(notes.end_sec)
    begun = np.concatenate([[0.0], np.cumsum(energy[by_onset])])
    ended = np.concatenate([[0.0], np.cumsum(energy[by_end])])
    at = np.searchsorted(notes.onset_sec[by_onset], time, side="right")
    gone = np.searchsorted(notes.end_sec[by_end], time, side="right")
    return np.maximum(begun[at] - ended[gone], 0.0)


def measure_sound(playing: Playing) -> dict[str, float]:
    """Measure loudness, brightness and roughness curves."""
    curves = sound_curves(playing, playing.sounding.end_sec)
    keys = sound_curves(playing, playing.sounding.offset_sec)
    level = 10.0 * np.log10(np.maximum(curves.energy, 10.0 ** (SILENCE_DB / 10.0)))
    sounds = curves.energy > 0.0
    brightness, roughness = curves.brightness[sounds], curves.roughness[sounds]
    return {
        **five("struck_energy_log", np.log(struck_energy(playing) + 1e-3)),
        **_loudness(level),
        "silent_fraction": fraction(~sounds),
        **two("brightness", brightness),
        "brightness_slope": slope(brightness),
        "brightness_step": step(brightness),
        "brightness_loudness": correlation(brightness, level[sounds]),
        **two("roughness", roughness),
        "roughness_high": percentile(roughness, 90),
        "roughness_pedal": mean(roughness) - mean(keys.roughness[keys.energy > 0.0]),
        "roughness_loudness": correlation(roughness, level[sounds]),
    }


def _loudness(level_db: FloatArray) -> dict[str, float]:
    return {
        **five("loudness_db", level_db),
        "loudness_range_db": percentile(level_db, 95) - percentile(level_db, 5),
        "loudness_step_db": step(level_db),
        "loudness_rise_db": percentile(np.diff(level_db), 95),
        "loudness_slope_db": slope(level_db),
        "loudness_arch_db": arch(level_db),
        "loudness_skewness": skewness(level_db),
        "loudness_autocorrelation": autocorrelation(level_db),
    }

"""The sound of each onset in a recording, with the recording's own colour taken out.

Microphone and room filter every onset alike: in decibels they add the same number to a band each time.
The mean of every band over the take holds that number, and is subtracted. What the take's own mean
brightness was cannot be told any more; how the sound changes within it can.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from tocco.music.statistics.summaries import MISSING
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.units import SAMPLE_RATE_HZ, FloatArray, db_from_amplitude, samples_from_sec

WINDOW_SEC: Final = 0.08
GAP_SEC: Final = 0.01
"""The sound of an onset is read from here after it, and what it rises from as long before."""

LOWEST_HZ: Final = 110.0
BANDS_PER_OCTAVE: Final = 3
N_BANDS: Final = 18
"""Third octaves from 110 Hz to 7 kHz."""

FLOOR_DB: Final = -70.0
"""Below the loudest band of the take: noise of rooms and phones lies there."""

TILT_DB: Final = -6.0
"""Slope an octave of the neutral spectrum that replaces the recording's own."""

FEWEST_ONSETS: Final = 20

_SILENCE_DB = -300.0


@dataclass(frozen=True, eq=False)
class OnsetSpectra:
    """What each onset of `Evidence.together` sounds like.

    Attributes
    ----------
    rise_db : (G,) dB, mean rise of the bands that rise, from before an onset to after it
    brightness : (G,) semitones above 110 Hz: centre of the spectrum, the take's mean colour replaced
    colour : (G,) semitones: the part of it that pitch, velocity and number of the notes do not explain
        NaN where the sound lies outside the recording.
    """

    rise_db: FloatArray
    brightness: FloatArray
    colour: FloatArray


def read_onset_spectra(evidence: Evidence) -> OnsetSpectra | None:
    """Listen to every onset of a whole performance; None without audio, or with fewer than 20 onsets."""
    together = evidence.together
    if evidence.audio is None or len(together.size) < FEWEST_ONSETS:
        return None
    after = _band_levels(evidence.audio, together.onset_sec + GAP_SEC)
    before = _band_levels(evidence.audio, together.onset_sec - GAP_SEC - WINDOW_SEC)
    if not np.isfinite(after).any():
        return None
    floor = float(np.nanmax(after)) + FLOOR_DB
    after, before = np.maximum(after, floor), np.maximum(before, floor)
    rise = np.maximum(after - before, 0.0).mean(axis=1)
    own_colour = np.nanmean(after, axis=0)
    octave = np.arange(N_BANDS) / BANDS_PER_OCTAVE
    neutral = 10.0 ** ((after - own_colour + TILT_DB * octave) / 10.0)
    brightness = neutral @ (12.0 * octave) / neutral.sum(axis=1)
    return OnsetSpectra(rise, brightness, _unexplained(evidence, brightness))


def _band_levels(audio: FloatArray, start_sec: FloatArray) -> FloatArray:
    """(G, 18) dB in third octaves of the windows that begin at given times; NaN outside the recording."""
    length = samples_from_sec(WINDOW_SEC)
    start = np.round(start_sec * SAMPLE_RATE_HZ).astype(np.int64)
    inside = (start >= 0) & (start + length <= len(audio))
    levels = np.full((len(start), N_BANDS), MISSING)
    if inside.any():
        frames = audio[start[inside][:, None] + np.arange(length)] * np.hanning(length)
        power = np.abs(np.fft.rfft(frames, axis=1)) ** 2 @ _bands()
        levels[inside] = db_from_amplitude(np.sqrt(power) / length, _SILENCE_DB)
    return levels


@lru_cache(maxsize=1)
def _bands() -> FloatArray:
    """(F, 18) share of each frequency in each third octave; neighbours overlap by halves."""
    hz = np.fft.rfftfreq(samples_from_sec(WINDOW_SEC), 1.0 / SAMPLE_RATE_HZ)
    place = BANDS_PER_OCTAVE * np.log2(np.maximum(hz, 1.0) / LOWEST_HZ)
    return np.maximum(0.0, 1.0 - np.abs(place[:, None] - np.arange(N_BANDS)))


def _unexplained(evidence: Evidence, brightness: FloatArray) -> FloatArray:
    """(G,) semitones: brightness less what a linear fit over the take expects of the notes struck."""
    together, struck = evidence.together, evidence.playing.struck
    columns = (
        np.ones(len(brightness)),
        struck.pitch[together.top],
        struck.pitch[together.bottom],
        struck.velocity[together.top],
        np.log(together.size),
    )
    notes = np.stack(columns, axis=1).astype(float)
    heard = np.isfinite(brightness)
    found = np.linalg.lstsq(notes[heard], brightness[heard], rcond=None)[0]
    return brightness - notes @ found

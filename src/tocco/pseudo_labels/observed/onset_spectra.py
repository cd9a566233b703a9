"""Spectrum of each onset in a recording, with the long-term average spectrum removed.

Microphone and room filter every onset alike: they add a constant in decibels to each band. The mean of
every band over the take contains that constant and is subtracted. The absolute brightness of a take is
lost by this; changes within the take remain.
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
"""Distance from the onset to the window after it, and to the window before it."""

LOWEST_HZ: Final = 110.0
BANDS_PER_OCTAVE: Final = 3
N_BANDS: Final = 18
"""Third octaves from 110 Hz to 7 kHz."""

FLOOR_DB: Final = -70.0
"""Relative to the loudest band of the take; room and phone noise lies below."""

SPECTRAL_TILT_DB: Final = -6.0
"""Slope per octave of the neutral spectrum that replaces the long-term average."""

FEWEST_ONSETS: Final = 20

_SILENCE_DB = -300.0


@dataclass(frozen=True, eq=False)
class OnsetSpectra:
    """Spectral measures of each onset of `Evidence.onset_groups`.

    Attributes
    ----------
    rise_db : (G,) dB, positive level change from before to after the onset, mean over bands
    brightness : (G,) semitones above 110 Hz: spectral centroid, long-term average spectrum replaced
    colour : (G,) semitones: residual of brightness after regression on pitch, velocity and chord size
        NaN where the onset lies outside the recording.
    """

    rise_db: FloatArray
    brightness: FloatArray
    colour: FloatArray


def read_onset_spectra(evidence: Evidence) -> OnsetSpectra | None:
    """Measure every onset of a whole performance; None without audio, or with fewer than 20 onsets."""
    groups = evidence.onset_groups
    if evidence.audio is None or len(groups.size) < FEWEST_ONSETS:
        return None
    after = _band_levels(evidence.audio, groups.onset_sec + GAP_SEC)
    before = _band_levels(evidence.audio, groups.onset_sec - GAP_SEC - WINDOW_SEC)
    if not np.isfinite(after).any():
        return None
    floor = float(np.nanmax(after)) + FLOOR_DB
    after, before = np.maximum(after, floor), np.maximum(before, floor)
    rise = np.maximum(after - before, 0.0).mean(axis=1)
    own_colour = np.nanmean(after, axis=0)
    octave = np.arange(N_BANDS) / BANDS_PER_OCTAVE
    neutral = 10.0 ** ((after - own_colour + SPECTRAL_TILT_DB * octave) / 10.0)
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
    """(F, 18) triangular third-octave filters; neighbours overlap by half."""
    hz = np.fft.rfftfreq(samples_from_sec(WINDOW_SEC), 1.0 / SAMPLE_RATE_HZ)
    place = BANDS_PER_OCTAVE * np.log2(np.maximum(hz, 1.0) / LOWEST_HZ)
    return np.maximum(0.0, 1.0 - np.abs(place[:, None] - np.arange(N_BANDS)))


def _unexplained(evidence: Evidence, brightness: FloatArray) -> FloatArray:
    """(G,) semitones: residual of a linear regression of brightness on the notes of each onset."""
    groups, struck = evidence.onset_groups, evidence.playing.struck
    columns = (
        np.ones(len(brightness)),
        struck.pitch[groups.top],
        struck.pitch[groups.bottom],
        struck.velocity[groups.top],
        np.log(groups.size),
    )
    notes = np.stack(columns, axis=1).astype(float)
    known = np.isfinite(brightness)
    found = np.linalg.lstsq(notes[known], brightness[known], rcond=None)[0]
    return brightness - notes @ found

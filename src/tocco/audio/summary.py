"""A recording in eight numbers: level, dynamic range, brightness, onsets.

They are the inputs of the linear baseline: what can be said of a recording without knowing its notes.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch

from tocco.errors import InputError
from tocco.units import SAMPLE_RATE_HZ, FloatArray, db_from_amplitude

SUMMARY: Final = (
    "level_db",
    "level_sd_db",
    "dynamic_range_db",
    "centroid_hz",
    "centroid_sd_hz",
    "rolloff_hz",
    "flatness_db",
    "onset_density",
)
"""Names of the numbers, in the order of `recording_summary`."""

WINDOW_SAMPLES: Final = 2048
HOP_SAMPLES: Final = 512
SILENCE_DB: Final = 60.0
"""Frames this far below the loudest one say nothing of brightness, and are left out."""

ROLLOFF_SHARE: Final = 0.85
RISE: Final = 0.1
"""An onset is a peak of the rise of the spectrum above this share of the highest peak."""

STEADY: Final = 0.01
"""A rise below this share of the mean spectrum is none: a steady tone has no onsets."""

ONSET_GAP_SEC: Final = 0.05
_LEAST_POWER: Final = 1e-10


def recording_summary(audio: FloatArray, sample_rate_hz: int = SAMPLE_RATE_HZ) -> FloatArray:
    """Eight numbers of a recording.

    Parameters
    ----------
    audio : (S,) mono, full scale 1
    sample_rate_hz

    Returns
    -------
    (8,) in the order of `SUMMARY`
        Level and its standard deviation over frames in dB; dynamic range as the difference of the 95th and
        the 10th percentile of the level in dB; mean and standard deviation of the spectral centroid, and
        mean 85 % roll-off, in Hz; mean spectral flatness in dB; onsets a second.

    Raises
    ------
    InputError
        The waveform is no row of samples, is shorter than a frame (85 ms), or silent throughout.
    """
    audio = np.asarray(audio, np.float32)
    if audio.ndim != 1 or len(audio) < WINDOW_SAMPLES:
        raise InputError(
            "audio", f"has shape {audio.shape}", allowed=f"(S,) mono samples, S >= {WINDOW_SAMPLES}"
        )
    power = _power(audio)
    level_db = db_from_amplitude(np.sqrt(power.sum(axis=0) / WINDOW_SAMPLES))
    loud = level_db > level_db.max() - SILENCE_DB
    if power.max() <= 0.0:
        raise InputError("audio", "is silent throughout", next_step="check the recording")
    frequency_hz = np.arange(len(power)) * sample_rate_hz / WINDOW_SAMPLES
    heard = power[:, loud]
    total = heard.sum(axis=0)
    amplitude = np.sqrt(heard)
    centroid_hz = frequency_hz @ amplitude / amplitude.sum(axis=0)
    rolloff_hz = frequency_hz[(np.cumsum(heard, axis=0) >= ROLLOFF_SHARE * total).argmax(axis=0)]
    floored = np.maximum(heard, _LEAST_POWER)
    flatness = np.exp(np.log(floored).mean(axis=0)) / floored.mean(axis=0)
    low_db, high_db = np.quantile(level_db[loud], [0.1, 0.95])
    return np.array(
        [
            db_from_amplitude(np.sqrt(np.mean(audio.astype(float) ** 2))),
            level_db[loud].std(),
            high_db - low_db,
            centroid_hz.mean(),
            centroid_hz.std(),
            rolloff_hz.mean(),
            10.0 * np.log10(flatness).mean(),
            _onset_density(power, sample_rate_hz),
        ]
    )


def _power(audio: FloatArray) -> FloatArray:
    """(F, T) power spectrum of Hann windows without padding."""
    window = torch.hann_window(WINDOW_SAMPLES)
    spectrum = torch.stft(
        torch.from_numpy(audio),
        WINDOW_SAMPLES,
        hop_length=HOP_SAMPLES,
        window=window,
        center=False,
        return_complex=True,
    )
    return (spectrum.abs() ** 2).numpy().astype(float)


def _onset_density(power: FloatArray, sample_rate_hz: int) -> float:
    """Peaks of the spectral flux a second (Dixon, DAFx 2006), of log-compressed magnitudes."""
    from scipy.signal import find_peaks

    rate_hz = sample_rate_hz / HOP_SAMPLES
    magnitude = np.log1p(np.sqrt(power))
    flux = np.maximum(np.diff(magnitude, axis=1), 0.0).sum(axis=0)
    if not len(flux):
        return 0.0
    least = max(RISE * float(flux.max()), STEADY * float(magnitude.sum(axis=0).mean()))
    peaks, _ = find_peaks(
        np.concatenate([[0.0], flux, [0.0]]),
        prominence=max(least, 1e-12),
        distance=max(1, round(ONSET_GAP_SEC * rate_hz)),
    )
    return float(len(peaks) * rate_hz / len(flux))

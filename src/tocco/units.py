"""Sample rates, hops, and the conversions between seconds, samples, frames and decibels.

All rates and conversions of tocco are defined here. The time of a frame is its centre: frame `t`
of a layer with hop `h` and window `w` is centred on sample `t * h + w / 2`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]
BoolArray = npt.NDArray[np.bool_]

SAMPLE_RATE_HZ: Final = 24_000
"""Sample rate of every model input (that of MERT)."""

CQT_HOP_SAMPLES: Final = 512
CQT_BINS_PER_OCTAVE: Final = 24
CQT_OCTAVES: Final = 7
C1_HZ: Final = 32.703195662574829

A4_HZ: Final = 440.0
LOWEST_PIANO_KEY: Final = 21
HIGHEST_PIANO_KEY: Final = 108


def samples_from_sec(time_sec: float, sample_rate_hz: int = SAMPLE_RATE_HZ) -> int:
    """Nearest sample to a time.

    >>> samples_from_sec(0.5)
    12000
    """
    return round(time_sec * sample_rate_hz)


def sec_from_samples(samples: int, sample_rate_hz: int = SAMPLE_RATE_HZ) -> float:
    """Time of a sample.

    >>> sec_from_samples(36_000)
    1.5
    """
    return samples / sample_rate_hz


@dataclass(frozen=True)
class FrameClock:
    """Frames of an analysis: their length, their distance and their times.

    Parameters
    ----------
    hop_samples, window_samples
        Distance between frames and length of one frame, in samples; no padding at either end.
    sample_rate_hz
        Rate of the waveform.

    Examples
    --------
    >>> mert = FrameClock(hop_samples=320, window_samples=400)
    >>> mert.n_frames(240_000), mert.rate_hz
    (749, 75.0)
    """

    hop_samples: int
    window_samples: int
    sample_rate_hz: int = SAMPLE_RATE_HZ

    @property
    def rate_hz(self) -> float:
        """Frames per second."""
        return self.sample_rate_hz / self.hop_samples

    def n_frames(self, n_samples: int) -> int:
        """Number of complete frames in a waveform."""
        return max(0, (n_samples - self.window_samples) // self.hop_samples + 1)

    def centre_sec(self, n_frames: int) -> FloatArray:
        """(T,) seconds: the centre of each frame."""
        return (np.arange(n_frames) * self.hop_samples + self.window_samples / 2) / self.sample_rate_hz


def db_from_amplitude(amplitude: npt.ArrayLike, floor_db: float = -120.0) -> FloatArray:
    """Level in dB re full scale; silence gives `floor_db`.

    >>> float(db_from_amplitude(0.5).round(2))
    -6.02
    """
    floor = 10.0 ** (floor_db / 20.0)
    return 20.0 * np.log10(np.maximum(np.abs(np.asarray(amplitude, dtype=float)), floor))


def amplitude_from_db(level_db: npt.ArrayLike) -> FloatArray:
    """Amplitude of a level in dB re full scale.

    >>> float(amplitude_from_db(-20.0))
    0.1
    """
    return 10.0 ** (np.asarray(level_db, dtype=float) / 20.0)


def hz_from_pitch(pitch: npt.ArrayLike) -> FloatArray:
    """Frequency of a MIDI pitch in equal temperament.

    >>> float(hz_from_pitch(69))
    440.0
    """
    return A4_HZ * 2.0 ** ((np.asarray(pitch, dtype=float) - 69.0) / 12.0)

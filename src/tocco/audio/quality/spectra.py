"""Short-time spectra of a stream, and bands of a semitone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from tocco.units import SAMPLE_RATE_HZ, FloatArray, hz_from_pitch

FFT_SAMPLES: Final = 2048
HOP_SAMPLES: Final = 512
FRAMES_A_SEC: Final = SAMPLE_RATE_HZ / HOP_SAMPLES
N_BINS: Final = FFT_SAMPLES // 2 + 1
BIN_HZ: Final = SAMPLE_RATE_HZ / FFT_SAMPLES
POWER_FLOOR: Final = 1e-12
"""-120 dB: digital silence has a level, and no spectrum is divided by nothing."""

LOWEST_BAND: Final = 48
HIGHEST_BAND: Final = 120
"""Pitches of the bands of a semitone, C3 to C9: below, a bin is wider than a semitone."""

_FRAMES_AT_ONCE: Final = 64


class Frames:
    """Windowed power spectra of a stream.

    Parameters
    ----------
    fft_samples, hop_samples
    """

    def __init__(self, fft_samples: int = FFT_SAMPLES, hop_samples: int = HOP_SAMPLES) -> None:
        self.fft_samples, self.hop_samples = fft_samples, hop_samples
        window = np.hanning(fft_samples + 1)[:-1]
        # scaled so that a sine of amplitude 1 has the power 1 in its bin
        self._window = (window * 2.0 / window.sum()).astype(np.float32)
        self._rest = np.zeros(0, np.float32)

    def add(self, block: FloatArray) -> Iterator[FloatArray]:
        """Spectra of the frames that this block completes, in portions that stay in the cache.

        Parameters
        ----------
        block : (S,) mono

        Yields
        ------
        (T, fft_samples // 2 + 1) float32 power
        """
        samples = np.concatenate([self._rest, np.asarray(block, np.float32)])
        n_frames = max(0, (len(samples) - self.fft_samples) // self.hop_samples + 1)
        self._rest = samples[n_frames * self.hop_samples :].copy()
        if n_frames == 0:
            return
        frames = np.lib.stride_tricks.sliding_window_view(samples, self.fft_samples)[:: self.hop_samples]
        for start in range(0, n_frames, _FRAMES_AT_ONCE):
            spectrum = np.fft.rfft(
                frames[start : min(start + _FRAMES_AT_ONCE, n_frames)] * self._window, axis=1
            )
            yield (np.square(spectrum.real) + np.square(spectrum.imag)).astype(np.float32)


def semitone_bands() -> FloatArray:
    """Weights that gather the bins of a spectrum into bands of a semitone.

    Returns
    -------
    (N_BINS, HIGHEST_BAND - LOWEST_BAND + 1) float32
        Triangles between neighbouring pitches, at least a bin wide on either side.
    """
    frequency = np.arange(N_BINS) * BIN_HZ
    centre = hz_from_pitch(np.arange(LOWEST_BAND, HIGHEST_BAND + 1))
    width = np.maximum(centre * (2.0 ** (1 / 12) - 1.0), BIN_HZ)
    return np.maximum(0.0, 1.0 - np.abs(frequency[:, None] - centre) / width).astype(np.float32)

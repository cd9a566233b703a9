"""Noise, hum, range of level and tuning of a stream: what can be said of any recording of tones."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from tocco.audio.quality.histograms import LevelHistograms
from tocco.audio.quality.spectra import POWER_FLOOR, Frames
from tocco.audio.quality.texture import spectral_peaks
from tocco.units import A4_HZ, SAMPLE_RATE_HZ, FloatArray

_FFT_SAMPLES: Final = 8192
_BIN_HZ: Final = SAMPLE_RATE_HZ / _FFT_SAMPLES

_NOISE_EDGES: Final = np.unique(np.geomspace(20, _FFT_SAMPLES // 2 + 1, 13).astype(int))
"""Bins at which the bands of the noise floor begin, 60 Hz to 12 kHz."""
_VALLEY_SHARE: Final = 0.2
"""Bins below this quantile lie between partials, however many notes sound."""
_NOISE_QUANTILE: Final = 0.15

_HUM_BINS: Final = 128
_HUM_HARMONICS: Final = 5
_HUM_PROMINENCE_DB: Final = 8.0
_HUM_LINES: Final = 3
_HUM_QUANTILE: Final = 0.1
_HUM_FRAMES: Final = 20
"""Seven seconds: a held bass note is no hum."""

_TUNING_HZ: Final = (230.0, 1_500.0)
"""Below, a peak is blurred by its neighbours; above, stiff strings are sharp."""
_TUNING_PEAKS: Final = 12
_TUNING_RANGE_DB: Final = 30.0
_AUDIBLE_POWER: Final = 1e-8


@dataclass(frozen=True)
class Hum:
    """Hum of the mains.

    Attributes
    ----------
    mains_hz : 50 or 60
    level_db : dB re the mean level of the recording
    """

    mains_hz: int
    level_db: float


class SlowSpectra:
    """Noise, hum and tuning, from spectra of a third of a second."""

    def __init__(self) -> None:
        self._frames = Frames(_FFT_SAMPLES, _FFT_SAMPLES)
        self._low = LevelHistograms(_HUM_BINS)
        self._valleys = LevelHistograms(len(_NOISE_EDGES) - 1)
        self._cents = np.zeros(1200)
        self._energy, self._n = 0.0, 0

    def add(self, block: FloatArray) -> None:
        """Take in samples: (S,) mono at 24 kHz."""
        for power in self._frames.add(block):
            self._energy += float(power[:, _NOISE_EDGES[0] :].sum())
            self._n += len(power)
            self._low.add(10.0 * np.log10(power[:, :_HUM_BINS] + POWER_FLOOR))
            self._valleys.add(10.0 * np.log10(_valleys(power) + POWER_FLOOR))
            self._add_peaks(power)

    def _add_peaks(self, power: FloatArray) -> None:
        frequency, level = spectral_peaks(power, _BIN_HZ, _TUNING_HZ, _TUNING_PEAKS)
        # silence has peaks too: those of rounding
        loud = (frequency > 0.0) & (level > -_TUNING_RANGE_DB)
        loud &= (power.max(axis=1) > _AUDIBLE_POWER)[:, None]
        cents = np.round(1200.0 * np.log2(frequency[loud] / A4_HZ)).astype(int)
        np.add.at(self._cents, cents % 1200, 10.0 ** (level[loud] / 40.0))

    @property
    def snr_db(self) -> float | None:
        """Mean level over the level between the partials; where notes never stop, a lower bound.

        None before the first spectrum.
        """
        if self._n == 0:
            return None
        # powers of noise are exponentially distributed: their quantile q is -ln(1 - q) of the mean
        correction = -np.log1p(-_VALLEY_SHARE)
        floor = 10.0 ** (self._valleys.quantile(_NOISE_QUANTILE) / 10.0) / correction
        noise = float((floor * np.diff(_NOISE_EDGES)).sum())
        return float(10.0 * np.log10((self._energy / self._n + POWER_FLOOR) / noise))

    @property
    def tuning(self) -> tuple[float, float]:
        """Offset from A = 440 Hz in cents within -50..50, and how well one offset fits: 0..1."""
        total = self._cents.sum()
        if total == 0.0:
            return 0.0, 0.0
        angle = 2j * np.pi * np.arange(1200) / 100.0
        resultant = (self._cents * np.exp(angle)).sum() / total
        return float(np.angle(resultant) / (2 * np.pi) * 100.0), float(abs(resultant))

    @property
    def hum(self) -> Hum | None:
        """The mains, where most of its harmonics never stop."""
        if self._n < _HUM_FRAMES:
            return None
        floor = self._low.quantile(_HUM_QUANTILE)
        found = [hum for mains in (50, 60) if (hum := self._hum_at(mains, floor)) is not None]
        return max(found, key=lambda hum: hum.level_db, default=None)

    def _hum_at(self, mains_hz: int, floor: FloatArray) -> Hum | None:
        line = np.round(mains_hz * np.arange(1, _HUM_HARMONICS + 1) / _BIN_HZ).astype(int)
        around = np.concatenate([np.arange(-7, -3), np.arange(4, 8)])
        height = np.array([floor[k - 1 : k + 2].max() for k in line])
        stands_out = height - np.array([np.median(floor[k + around]) for k in line]) > _HUM_PROMINENCE_DB
        if int(stands_out.sum()) < _HUM_LINES:
            return None
        # the bins of a line sum to one and a half times its power (Hann window)
        lines = 1.5 * (10.0 ** (height[stands_out] / 10.0)).sum()
        return Hum(mains_hz, float(10.0 * np.log10(lines / (self._energy / self._n + POWER_FLOOR))))


def _valleys(power: FloatArray) -> FloatArray:
    """(T, bands) power of a bin between the partials of each band."""
    bands = [
        np.quantile(power[:, low:high], _VALLEY_SHARE, axis=1)
        for low, high in pairwise(_NOISE_EDGES.tolist())
    ]
    return np.stack(bands, axis=1)

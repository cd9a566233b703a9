"""The straight line of time on which notes fit a recording best, wherever it lies.

The notes are cut into stretches of 20 s. Each is laid against the whole recording at every lag; a
wrong tempo of half a per cent does not harm within so short a stretch. Then the line is sought along
which the fits of all stretches sum up to most: their lags grow with time where the clocks drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tocco.music.onset_salience import HIGHEST_BAND, LOWEST_BAND, PITCH_HOP_SEC, OnsetSalience
from tocco.music.performance import Performance
from tocco.units import FloatArray, IntArray

MAX_DRIFT: Final = 0.006
"""The greatest difference of two clocks that is searched for; cheap recorders stay below 0.1 %."""

# Semitones above the note, and how much of the rise at its onset is found there.
_PARTIALS = ((0, 1.0), (12, 0.8), (19, 0.6), (24, 0.5), (28, 0.3), (31, 0.3))
_POOL = 2
_HOP_SEC = PITCH_HOP_SEC * _POOL
_STRETCH_FRAMES = round(20.0 / _HOP_SEC)
_FFT_FRAMES = 2048
_MAX_LAGS = 40_000
_N_LINES = 4
_APART_SEC = 0.12


@dataclass(frozen=True)
class ClockLine:
    """Time of the recording = MIDI time + lag + drift * (MIDI time - centre)."""

    lag_sec: float
    drift: float
    centre_sec: float

    def at(self, time_sec: FloatArray) -> FloatArray:
        """(K,) seconds of the recording."""
        return time_sec + self.lag_sec + self.drift * (time_sec - self.centre_sec)


@dataclass(frozen=True, eq=False)
class PartialOnsets:
    """What should be heard: for every partial of every note when, in which band and how clearly.

    Attributes
    ----------
    onset_sec : (I,) seconds
    band : (I,) index of a semitone band of `OnsetSalience.pitch`
    weight : (I,) > 0
    """

    onset_sec: FloatArray
    band: IntArray
    weight: FloatArray

    @classmethod
    def of(cls, performance: Performance) -> PartialOnsets:
        """The partials of all notes that lie in the bands."""
        step = np.array([s for s, _ in _PARTIALS])
        weight = np.tile([w for _, w in _PARTIALS], len(performance))
        band = (performance.pitch[:, None] + step).ravel() - LOWEST_BAND
        kept = (band >= 0) & (band <= HIGHEST_BAND - LOWEST_BAND)
        return cls(np.repeat(performance.onset_sec, len(step))[kept], band[kept], weight[kept])


@dataclass(frozen=True, eq=False)
class _Fits:
    """How well each stretch of the notes fits at each place.

    Attributes
    ----------
    fit : (K, A)
        Column a: the stretch begins `_STRETCH_FRAMES` before frame a of the recording.
    start : (K,) frames, ascending
        Where each stretch begins in the MIDI.
    """

    fit: FloatArray
    start: IntArray


@dataclass(frozen=True, eq=False)
class SalienceSpectrum:
    """The salience of a recording, ready for any notes to be laid against it.

    Attributes
    ----------
    blocks : (F, B, P) complex
        Spectra of overlapping blocks of every band (overlap-save).
    """

    blocks: npt.NDArray[np.complexfloating]


def salience_spectrum(salience: OnsetSalience) -> SalienceSpectrum:
    """Ranks to a power, so that the few strongest rises of a band count and the others hardly."""
    n = len(salience.pitch) // _POOL * _POOL
    pooled = np.zeros((n // _POOL, salience.pitch.shape[1]), np.float32)
    for i in range(_POOL):
        pooled += salience.pitch[i:n:_POOL] ** 4 / _POOL
    pooled -= np.float32(0.2)  # mean 0 by chance
    hop = _FFT_FRAMES - _STRETCH_FRAMES
    n_blocks = -(-(len(pooled) + _STRETCH_FRAMES) // hop)
    padded = np.zeros(((n_blocks - 1) * hop + _FFT_FRAMES, pooled.shape[1]), np.float32)
    padded[_STRETCH_FRAMES : _STRETCH_FRAMES + len(pooled)] = pooled
    blocks = np.lib.stride_tricks.sliding_window_view(padded, _FFT_FRAMES, axis=0)[::hop][:n_blocks]
    return SalienceSpectrum(np.ascontiguousarray(np.fft.rfft(blocks, axis=2).transpose(2, 0, 1)))


def search_lines(performance: Performance, spectrum: SalienceSpectrum) -> tuple[ClockLine, ...]:
    """The lines of time along which the notes find most new sound at their pitches, best first.

    Every lag at which recording and notes touch is looked at, and every drift up to `MAX_DRIFT`. A
    figure that is repeated gives several good lines; up to four that are apart are returned.
    """
    fits = _stretch_fits(PartialOnsets.of(performance), spectrum)
    first, last = float(performance.onset_sec[0]), float(performance.onset_sec[-1])
    centre_sec = (first + last) / 2
    n_lags = fits.fit.shape[1] + int(fits.start[-1] - fits.start[0])
    pool = -(-n_lags // _MAX_LAGS)
    n_steps = max(1, int(np.ceil(MAX_DRIFT * (last - first) / 2 / (_HOP_SEC * pool))))
    # Frames by which each stretch is late for a drift of one.
    lateness = fits.start + _STRETCH_FRAMES / 2 - centre_sec / _HOP_SEC
    lines = []
    for lag, drift in _coarse_lines(fits, lateness, pool, n_steps):
        lag, drift = _fine_line(fits, lateness, lag, drift, reach=2 * pool, drift_step=MAX_DRIFT / n_steps)
        lines.append(ClockLine(lag * _HOP_SEC, drift, centre_sec))
    return tuple(lines)


def _stretch_fits(partials: PartialOnsets, spectrum: SalienceSpectrum) -> _Fits:
    """Cross-correlation of every stretch with the recording, summed over the bands."""
    # A pooled frame is centred between its two frames.
    frame = np.rint(partials.onset_sec / _HOP_SEC - 0.5 + 0.5 / _POOL).astype(np.int64)
    stretch, which = np.unique((frame - frame.min()) // _STRETCH_FRAMES, return_inverse=True)
    start = frame.min() + stretch * _STRETCH_FRAMES

    _, n_blocks, n_bands = spectrum.blocks.shape
    hop = _FFT_FRAMES - _STRETCH_FRAMES
    fit = np.empty((len(start), n_blocks * hop), np.float32)
    for k in range(len(start)):
        mine = which == k
        pattern = np.zeros((n_bands, _FFT_FRAMES), np.float32)
        np.add.at(pattern, (partials.band[mine], frame[mine] - start[k]), partials.weight[mine])
        product = np.matmul(spectrum.blocks, np.conj(np.fft.rfft(pattern, axis=1)).T[:, :, None])[:, :, 0]
        fit[k] = np.fft.irfft(product, _FFT_FRAMES, axis=0)[:hop].T.ravel()
    return _Fits(fit, start)


def _coarse_lines(fits: _Fits, lateness: FloatArray, pool: int, n_steps: int) -> list[tuple[float, float]]:
    """Lags in frames, and drifts, of the greatest sums over all stretches; `pool` lags are seen as one."""
    n = fits.fit.shape[1] // pool * pool
    pooled = fits.fit[:, :n].reshape(len(fits.fit), -1, pool).max(axis=2)
    span = int(fits.start[-1] - fits.start[0])
    n_lags = pooled.shape[1] + -(-span // pool)
    best_total = np.full(n_lags, -np.inf, np.float32)
    best_drift = np.zeros(n_lags)
    for drift in np.linspace(-MAX_DRIFT, MAX_DRIFT, 2 * n_steps + 1):
        shift = np.rint((fits.start - fits.start[-1] + drift * lateness) / pool).astype(int)
        total = np.zeros(n_lags, np.float32)
        for row, by in zip(pooled, shift.tolist(), strict=True):
            low, high = max(0, -by), min(n_lags, len(row) - by)
            total[low:high] += row[low + by : high + by]
        better = total > best_total
        best_total[better], best_drift[better] = total[better], drift
    found = []
    apart = max(1, round(_APART_SEC / _HOP_SEC / pool))
    for _ in range(_N_LINES):
        i = int(np.argmax(best_total))
        found.append((float(i * pool - _STRETCH_FRAMES - fits.start[-1]), float(best_drift[i])))
        best_total[max(0, i - apart) : i + apart + 1] = -np.inf
    return found


def _fine_line(
    fits: _Fits, lateness: FloatArray, lag: float, drift: float, reach: int, drift_step: float
) -> tuple[float, float]:
    """The best line near a coarse one, with every lag looked at by itself."""
    drifts = np.clip(drift + drift_step * np.linspace(-1.5, 1.5, 25), -MAX_DRIFT, MAX_DRIFT)
    lags = lag + np.arange(-reach, reach + 1)
    place = fits.start + _STRETCH_FRAMES + lags[:, None] + drifts[:, None, None] * lateness
    column = np.rint(place).astype(np.int64)
    inside = (column >= 0) & (column < fits.fit.shape[1])
    fit = fits.fit[np.arange(len(fits.fit)), np.clip(column, 0, fits.fit.shape[1] - 1)]
    total = np.where(inside, fit, 0.0).sum(axis=2)
    i, j = np.unravel_index(int(np.argmax(total)), total.shape)
    return float(lags[j]), float(drifts[i])

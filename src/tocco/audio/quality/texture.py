"""What sounds: measures of four seconds that tell a piano from everything else.

A piano's partials begin at once, keep their frequency and only ever decay; bowed and blown notes hold their
level or swell, voices glide and waver, drums rise over the whole band, noise has no partials. Every measure
is relative to the level of its own window, so that gain alone changes none of them.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np

from tocco.audio.quality.spectra import (
    BIN_HZ,
    FRAMES_A_SEC,
    LOWEST_BAND,
    POWER_FLOOR,
    semitone_bands,
)
from tocco.units import BoolArray, FloatArray

WINDOW_FRAMES: Final = 192
WINDOW_HOP_FRAMES: Final = 96
"""Windows of 4.1 s, one every 2 s."""

_RANGE_DB: Final = 40.0
"""Bands this far below the strongest of the window count as sounding."""

_RELATIVE_FLOOR: Final = 1e-7
"""Of a bin, re the mean power of a frame: 70 dB is more than rooms leave audible."""

_SHORT_FRAMES: Final = 6
_LONG_FRAMES: Final = 22
"""Steps over which slopes are taken: 0.13 s and 0.47 s."""

_SHORT_EDGES: Final = (-200.0, -80.0, -40.0, -20.0, -10.0, -3.0, 3.0, 10.0, 30.0, 100.0)
_LONG_EDGES: Final = (-60.0, -30.0, -15.0, -8.0, -3.0, 0.0, 3.0, 10.0, 30.0)
"""Edges of histograms of slopes, dB a second."""

_OCTAVES_HZ: Final = (125.0, 250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0, 11_900.0)
_MODULATION_HZ: Final = (0.6, 1.5, 3.0, 5.0, 8.0, 14.0, 23.0)
_N_PEAKS: Final = 10
_PEAKS_HZ: Final = (200.0, 3_000.0)


def texture(power: FloatArray, speech: FloatArray) -> dict[str, float]:
    """Measures of one window.

    Parameters
    ----------
    power : (T, N_BINS), frames of `Frames`
    speech : (K,) 0..1
        Probability of speech in the window's frames.

    Returns
    -------
    name -> value
        The same names in the same order for every window.
    """
    # every measure sees the same range, however loud the recording and however deep its silence
    power = power / (float(power.sum(axis=1).mean()) + POWER_FLOOR) + _RELATIVE_FLOOR
    bands = 10.0 * np.log10(power @ _band_weights())
    bands = np.maximum(bands - bands.max(), -80.0)
    return {
        **_slopes(bands),
        **_onsets(bands),
        **_peaks(power),
        **_pitch(power),
        **_shape(power),
        **_modulation(power),
        "speech_mean": float(speech.mean()) if len(speech) else 0.0,
        "speech_p90": float(np.quantile(speech, 0.9)) if len(speech) else 0.0,
    }


@cache
def _band_weights() -> FloatArray:
    return semitone_bands()


@cache
def _octave_bins() -> tuple[slice, ...]:
    edges = [int(hz / BIN_HZ) for hz in _OCTAVES_HZ]
    return tuple(slice(low, high) for low, high in pairwise(edges))


def _partials(bands: FloatArray) -> BoolArray:
    """(T, P) where a band sounds and is louder than its neighbours."""
    edge = np.full((len(bands), 1), -np.inf)
    left = np.concatenate([edge, bands[:, :-1]], axis=1)
    right = np.concatenate([bands[:, 1:], edge], axis=1)
    return (bands > -_RANGE_DB) & (bands >= left) & (bands >= right)


def _slopes(bands: FloatArray) -> dict[str, float]:
    """How the level of partials changes: histograms over all of them, and medians by register."""
    partial = _partials(bands)
    found: dict[str, float] = {}
    for name, step, edges in (("short", _SHORT_FRAMES, _SHORT_EDGES), ("long", _LONG_FRAMES, _LONG_EDGES)):
        slope = (bands[step:] - bands[:-step]) * (FRAMES_A_SEC / step)
        # of the louder end, so that attacks count as well as decays
        chosen = partial[:-step] | partial[step:]
        share = np.histogram(slope[chosen], [-np.inf, *edges, np.inf])[0] / max(int(chosen.sum()), 1)
        found |= {f"{name}_slope_{k}": float(value) for k, value in enumerate(share)}
    lasting = partial[:-_LONG_FRAMES] & partial[_LONG_FRAMES:]
    slope = (bands[_LONG_FRAMES:] - bands[:-_LONG_FRAMES]) * (FRAMES_A_SEC / _LONG_FRAMES)
    for name, low, high in (("low", 48, 62), ("middle", 62, 76), ("high", 76, 90), ("top", 90, 121)):
        columns = slice(low - LOWEST_BAND, high - LOWEST_BAND)
        own = slope[:, columns][lasting[:, columns]]
        found[f"lasting_slope_{name}"] = float(np.median(own)) if len(own) > 5 else 0.0
        found[f"lasting_share_{name}"] = len(own) / max(int(partial[:, columns].sum()), 1)
    return found | _waver(bands, lasting)


def _waver(bands: FloatArray, lasting: BoolArray) -> dict[str, float]:
    """How far lasting partials leave the straight line between the ends of half a second."""
    middle = bands[_LONG_FRAMES // 2 : -_LONG_FRAMES // 2]
    ends = 0.5 * (bands[_LONG_FRAMES:] + bands[:-_LONG_FRAMES])
    bend = (middle[: len(ends)] - ends)[lasting]
    if len(bend) < 5:
        return dict.fromkeys(("bend_p10", "bend_p50", "bend_p90"), 0.0)
    low, mid, high = np.quantile(bend, (0.1, 0.5, 0.9))
    return {"bend_p10": float(low), "bend_p50": float(mid), "bend_p90": float(high)}


def _onsets(bands: FloatArray) -> dict[str, float]:
    """How attacks rise: how many bands at once, how high, how steeply, how often."""
    rise = np.maximum(np.maximum(bands[2:], -60.0) - np.maximum(bands[:-2], -60.0), 0.0)
    flux = rise.mean(axis=1)
    peaks = np.flatnonzero((flux[1:-1] > flux[:-2]) & (flux[1:-1] >= flux[2:])) + 1
    strong = peaks[np.argsort(flux[peaks])[::-1][:6]] if len(peaks) else np.array([int(np.argmax(flux))])
    wide = (rise[strong] > 6.0).mean(axis=1)
    low, high = rise[strong][:, :36].mean(), rise[strong][:, 48:].mean()
    return {
        "flux_median": float(np.median(flux)),
        "flux_p95": float(np.quantile(flux, 0.95)),
        "flux_peak": float(flux[strong].mean()),
        "flux_peaks_a_sec": float(
            (flux[peaks] > 0.35 * flux[strong].mean()).sum() / len(flux) * FRAMES_A_SEC
        ),
        "onset_width": float(wide.mean()),
        "onset_high_to_low": float(np.log((high + 0.1) / (low + 0.1))),
        "fall_p95": float(np.quantile(np.maximum(bands[:-2] - bands[2:], 0.0).mean(axis=1), 0.95)),
    }


def _peaks(power: FloatArray) -> dict[str, float]:
    """How steady the frequencies of spectral peaks are, and how well they fit one tuning."""
    frequency, level = spectral_peaks(power, BIN_HZ, _PEAKS_HZ, _N_PEAKS)
    cents = 1200.0 * np.log2(np.maximum(frequency, 1.0) / 440.0)
    here, there = cents[:-2], cents[2:]
    nearest = np.abs(here[:, :, None] - there[:, None, :]).min(axis=2)
    known = (level[:-2] > -30.0) & (frequency[:-2] > 0.0)
    drift = nearest[known & (nearest < 150.0)]
    weight = (frequency > 0.0) * (level > -40.0)
    angle = np.exp(2j * np.pi * cents / 100.0)
    fit = float(abs((angle * weight).sum()) / max(float(weight.sum()), 1.0))
    if len(drift) < 10:
        drift = np.array([100.0])
    low, mid, high = np.quantile(drift, (0.25, 0.5, 0.8))
    return {
        "drift_p25": float(np.log(low + 0.5)),
        "drift_p50": float(np.log(mid + 0.5)),
        "drift_p80": float(np.log(high + 0.5)),
        "drift_matched": float((nearest[known] < 50.0).mean()) if known.any() else 0.0,
        "tuning_fit": fit,
        "peaks_sounding": float((weight > 0).sum(axis=1).mean()),
    }


def spectral_peaks(
    power: FloatArray, bin_hz: float, band_hz: tuple[float, float], n_peaks: int
) -> tuple[FloatArray, FloatArray]:
    """The strongest peaks of each spectrum, interpolated by a parabola through the levels.

    Parameters
    ----------
    power : (T, bins)
    bin_hz
    band_hz : where peaks are looked for
    n_peaks : at most so many each

    Returns
    -------
    frequency : (T, n_peaks) Hz, 0 where there is none
    level : (T, n_peaks) dB re the strongest of the frame
    """
    low, high = int(band_hz[0] / bin_hz), int(band_hz[1] / bin_hz)
    level = 10.0 * np.log10(power[:, low - 1 : high + 1] + POWER_FLOOR)
    left, mid, right = level[:, :-2], level[:, 1:-1], level[:, 2:]
    is_peak = (mid > left) & (mid >= right)
    ranked = np.where(is_peak, mid, -np.inf)
    at = np.argpartition(ranked, -n_peaks, axis=1)[:, -n_peaks:]
    row = np.arange(len(power))[:, None]
    a, b, c = left[row, at], mid[row, at], right[row, at]
    bend = np.where(a - 2 * b + c < 0, a - 2 * b + c, -1.0)
    frequency = np.where(is_peak[row, at], (at + low + 0.5 * (a - c) / bend) * bin_hz, 0.0)
    return frequency, b - mid.max(axis=1, keepdims=True)


def _pitch(power: FloatArray) -> dict[str, float]:
    """How far one harmonic series explains a frame: the highest peak of the cepstrum, and its moves."""
    log = np.log(power[::2]).astype(np.float32)
    log = np.maximum(log, log.max(axis=1, keepdims=True) - 12.0)
    log -= log.mean(axis=1, keepdims=True)
    cepstrum = np.fft.irfft(log, axis=1)[:, 30:320]  # 800 Hz down to 75 Hz
    height, at = cepstrum.max(axis=1), cepstrum.argmax(axis=1) + 30
    move = np.abs(np.diff(np.log2(at)))
    return {
        "cepstral_peak": float(height.mean()),
        "cepstral_peak_p90": float(np.quantile(height, 0.9)),
        "pitch_stays": float((move < 0.012).mean()),
        "pitch_glides": float(((move >= 0.012) & (move < 0.12)).mean()),
    }


def _shape(power: FloatArray) -> dict[str, float]:
    """Flatness and contrast by octave, the spread of level, the colour."""
    found: dict[str, float] = {}
    level = []
    for k, bins in enumerate(_octave_bins()):
        own = power[:, bins]
        log = np.log10(own)
        flat = 10.0 * (log.mean(axis=1) - np.log10(own.mean(axis=1)))
        octave = 10.0 * np.log10(own.mean(axis=1))
        level.append(octave)
        found[f"flatness_{k}"] = float(np.median(flat))
        found[f"flatness_{k}_p90"] = float(np.quantile(flat, 0.9))
        found[f"spread_{k}"] = float(np.clip(np.subtract(*np.quantile(octave, (0.9, 0.1))), 0, 50))
    mean = np.array([one.mean() for one in level])
    colour = np.clip(mean - mean.max(), -70.0, 0.0)
    found |= {f"colour_{k}": float(value) for k, value in enumerate(colour)}
    whole = 10.0 * np.log10(power[:, int(100 / BIN_HZ) :].sum(axis=1))
    quantile = np.quantile(whole, (0.05, 0.5, 0.95))
    found["level_range"] = float(np.clip(quantile[2] - quantile[0], 0, 60))
    found["level_skew"] = float(np.clip((quantile[2] + quantile[0] - 2 * quantile[1]), -30, 30))
    step = np.diff(whole)
    found["level_rise_p95"] = float(np.quantile(step, 0.95))
    found["level_fall_p05"] = float(np.quantile(step, 0.05))
    found["level_asymmetry"] = float(np.mean(np.clip(step, -20, 20) ** 3) / (np.mean(step**2) ** 1.5 + 1e-3))
    return found


def _modulation(power: FloatArray) -> dict[str, float]:
    """Shares of slow and fast changes of level, from phrases to roughness."""
    found: dict[str, float] = {}
    edges = np.array(_MODULATION_HZ) * len(power) / FRAMES_A_SEC
    for name, bins in (("low", slice(13, 85)), ("high", slice(85, 512))):
        level = 10.0 * np.log10(power[:, bins].sum(axis=1))
        spectrum = np.abs(np.fft.rfft((level - level.mean()) * np.hanning(len(level)))) ** 2
        total = spectrum[1:].sum() + POWER_FLOOR
        for k in range(len(edges) - 1):
            share = spectrum[int(edges[k]) : int(edges[k + 1])].sum() / total
            found[f"modulation_{name}_{k}"] = float(np.log(share + 1e-3))
    return found

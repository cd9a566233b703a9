"""What a phone does to a recording: a narrow band, a coloured one, automatic gain, an overdriven input.

All filters are causal and of minimum phase, as in the devices: their delay is under a millisecond
within the pass band. No effect depends on the level of its input: thresholds are relative to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from scipy import signal

from tocco.audio.augmenting.checks import check_range, checked_waveform, rms
from tocco.errors import InputError
from tocco.units import SAMPLE_RATE_HZ, FloatArray, amplitude_from_db, db_from_amplitude

ClipKind = Literal["soft", "hard"]

LOW_CUT_HZ: Final = (20.0, 500.0)
HIGH_CUT_HZ: Final = (2_500.0, 20_000.0)
CLIP_DB: Final = (0.0, 12.0)
EQ_GAIN_DB: Final = (-18.0, 18.0)
AGC_STRENGTH: Final = (0.0, 1.0)
AGC_MOST_DB: Final = 20.0
GAIN_DB: Final = (-40.0, 40.0)

_FRAME_SEC = 0.01
_QUIETEST_DB = 50.0


def gain_variation(audio: FloatArray, db_range: float, rng: np.random.Generator) -> FloatArray:
    """A recording at another level.

    Parameters
    ----------
    audio : (S,) mono
    db_range : dB, 0..40
        The gain is drawn evenly from `-db_range..db_range`; the usual range is 6 dB.
    rng

    Returns
    -------
    (S,) float32
        Not limited: peaks may pass full scale.
    """
    check_range("db_range", db_range, 0.0, GAIN_DB[1], "dB")
    return apply_gain(audio, float(rng.uniform(-db_range, db_range)))


def apply_gain(audio: FloatArray, gain_db: float) -> FloatArray:
    """A recording louder or softer by a known amount.

    Parameters
    ----------
    audio : (S,) mono
    gain_db : dB, -40..40

    Returns
    -------
    (S,) float32
    """
    audio = checked_waveform(audio)
    check_range("gain_db", gain_db, *GAIN_DB, "dB")
    return audio * np.float32(amplitude_from_db(gain_db))


def limit_band(
    audio: FloatArray, low_hz: float, high_hz: float, *, sample_rate_hz: int = SAMPLE_RATE_HZ
) -> FloatArray:
    """A small microphone: little bass (12 dB an octave) and little treble (24 dB an octave).

    Parameters
    ----------
    audio : (S,) mono
    low_hz, high_hz : Hz, 20..500 and 2500..20000
        Where the response has fallen by 3 dB. A bound above half the sample rate cuts nothing.
    sample_rate_hz : Hz

    Returns
    -------
    (S,) float32
    """
    audio = checked_waveform(audio)
    return np.asarray(signal.sosfilt(band_filter(low_hz, high_hz, sample_rate_hz), audio), np.float32)


def band_filter(low_hz: float, high_hz: float, sample_rate_hz: int) -> FloatArray:
    """Second-order sections of `limit_band`: (J, 6)."""
    check_range("low_hz", low_hz, *LOW_CUT_HZ, "Hz")
    check_range("high_hz", high_hz, *HIGH_CUT_HZ, "Hz")
    sections = [np.asarray(signal.butter(2, low_hz, "highpass", fs=sample_rate_hz, output="sos"))]
    if high_hz < 0.5 * sample_rate_hz:
        sections.append(np.asarray(signal.butter(4, high_hz, "lowpass", fs=sample_rate_hz, output="sos")))
    return np.vstack(sections)


def equalize(
    audio: FloatArray,
    bands: Sequence[tuple[float, float, float]],
    *,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
) -> FloatArray:
    """A device's own colour: peaks and dips in its frequency response.

    Parameters
    ----------
    audio : (S,) mono
    bands : (centre in Hz, gain in dB within -18..18, quality 0.3..10), 1 or more
    sample_rate_hz : Hz

    Returns
    -------
    (S,) float32
        Not limited: peaks may pass full scale.
    """
    audio = checked_waveform(audio)
    return np.asarray(signal.sosfilt(eq_filter(bands, sample_rate_hz), audio), np.float32)


def eq_filter(bands: Sequence[tuple[float, float, float]], sample_rate_hz: int) -> FloatArray:
    """Second-order sections of `equalize`: (J, 6), one a band.

    The peaking filter of Bristow-Johnson, Cookbook formulae for audio EQ biquads (1998).
    """
    if not bands:
        raise InputError("bands", "is empty", allowed="one band or more")
    sections = []
    for centre_hz, gain_db, quality in bands:
        check_range("centre_hz", centre_hz, 20.0, 0.45 * sample_rate_hz, "Hz")
        check_range("gain_db", gain_db, *EQ_GAIN_DB, "dB")
        check_range("quality", quality, 0.3, 10.0, "")
        amplitude = 10.0 ** (gain_db / 40.0)
        angle = 2.0 * np.pi * centre_hz / sample_rate_hz
        alpha = np.sin(angle) / (2.0 * quality)
        b = np.array([1.0 + alpha * amplitude, -2.0 * np.cos(angle), 1.0 - alpha * amplitude])
        a = np.array([1.0 + alpha / amplitude, -2.0 * np.cos(angle), 1.0 - alpha / amplitude])
        sections.append(np.concatenate((b, a)) / a[0])
    return np.vstack(sections)


def largest_deviation_db(filter_sos: FloatArray, sample_rate_hz: int) -> float:
    """How far a filter's response leaves its own mean between 100 Hz and 4 kHz: its colour.

    Parameters
    ----------
    filter_sos : (J, 6)
    sample_rate_hz : Hz

    Returns
    -------
    dB, >= 0
        The mean over logarithmic frequency is taken off: a plain gain has no colour.
    """
    top_hz = min(4_000.0, 0.49 * sample_rate_hz)
    frequency_hz = np.geomspace(100.0, top_hz, 256)
    _, response = signal.sosfreqz(filter_sos, worN=frequency_hz, fs=sample_rate_hz)
    level_db = db_from_amplitude(np.abs(response))
    return float(np.abs(level_db - level_db.mean()).max())


def clip(audio: FloatArray, clip_db: float, kind: ClipKind = "hard") -> FloatArray:
    """An overdriven input: what lies above a ceiling is cut off, or bent under it.

    Parameters
    ----------
    audio : (S,) mono
    clip_db : dB, 0..12
        How far the ceiling lies under the waveform's own peak.
    kind
        "hard": straight up to the ceiling, flat beyond; "soft": ceiling * tanh(x / ceiling).

    Returns
    -------
    (S,) float32
        Nowhere above the ceiling.
    """
    audio = checked_waveform(audio)
    check_range("clip_db", clip_db, *CLIP_DB, "dB")
    if kind not in ("soft", "hard"):
        raise InputError("clip kind", f"is {kind!r}", allowed="soft, hard")
    ceiling = np.float32(np.abs(audio).max() * amplitude_from_db(-clip_db))
    if ceiling == 0.0:
        return audio.copy()
    return np.clip(audio, -ceiling, ceiling) if kind == "hard" else ceiling * np.tanh(audio / ceiling)


def automatic_gain(
    audio: FloatArray,
    strength: float,
    *,
    attack_sec: float = 0.05,
    release_sec: float = 1.0,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
) -> FloatArray:
    """A recorder that turns soft passages up and loud ones down.

    The level of 10 ms frames is followed fast upwards and slowly downwards; the gain moves it by
    `strength` of the way to the level of the whole, by 20 dB at most.

    Parameters
    ----------
    audio : (S,) mono
    strength : 0 (off) .. 1 (everything at one level)
    attack_sec, release_sec : seconds, > 0
        Time constants upwards and downwards.
    sample_rate_hz : Hz

    Returns
    -------
    (S,) float32
        Not limited: an attack after a soft passage may pass full scale, as it does in phones.
    """
    audio = checked_waveform(audio)
    check_range("strength", strength, *AGC_STRENGTH, "")
    check_range("attack_sec", attack_sec, 0.001, 10.0, "s")
    check_range("release_sec", release_sec, 0.001, 60.0, "s")
    whole = rms(audio)
    if whole == 0.0:
        return audio.copy()
    level_db, centre = frame_levels_db(audio / np.float32(whole), _FRAME_SEC, sample_rate_hz)
    followed = _followed(np.maximum(level_db, -_QUIETEST_DB), attack_sec, release_sec)
    gain_db = np.clip(-strength * followed, -AGC_MOST_DB, AGC_MOST_DB)
    gain = amplitude_from_db(np.interp(np.arange(len(audio)), centre, gain_db))
    return audio * gain.astype(np.float32)


def _followed(level_db: FloatArray, attack_sec: float, release_sec: float) -> FloatArray:
    rise, fall = 1.0 - np.exp(-_FRAME_SEC / attack_sec), 1.0 - np.exp(-_FRAME_SEC / release_sec)
    followed = np.empty(len(level_db))
    state = float(level_db[0])
    for t, level in enumerate(level_db.tolist()):
        state += (rise if level > state else fall) * (level - state)
        followed[t] = state
    return followed


def frame_levels_db(
    audio: FloatArray, frame_sec: float, sample_rate_hz: int
) -> tuple[FloatArray, FloatArray]:
    """Level of consecutive frames.

    Parameters
    ----------
    audio : (S,)
    frame_sec : seconds
    sample_rate_hz : Hz

    Returns
    -------
    level_db : (T,) dB re full scale
        The last frame may be shorter than the others.
    centre : (T,) samples
        The middle of each frame.
    """
    length = max(1, round(frame_sec * sample_rate_hz))
    start = np.arange(0, len(audio), length)
    size = np.diff(np.append(start, len(audio)))
    power = np.add.reduceat(np.square(audio, dtype=np.float64), start) / size
    return db_from_amplitude(np.sqrt(power)), start + size / 2.0


def dynamics_amount_db(before: FloatArray, after: FloatArray, sample_rate_hz: int) -> float:
    """By how much an effect narrowed or widened the distance between soft and loud.

    Parameters
    ----------
    before, after : (S,) in step with one another
    sample_rate_hz : Hz

    Returns
    -------
    dB, >= 0
        Spread (5th to 95th percentile) of the gain that frames of 100 ms got, over the frames within
        50 dB of the loudest.
    """
    level_db, _ = frame_levels_db(before, 0.1, sample_rate_hz)
    changed_db, _ = frame_levels_db(after, 0.1, sample_rate_hz)
    heard = (level_db > level_db.max() - _QUIETEST_DB) & (level_db > -120.0)
    if not heard.any():
        return 0.0
    low, high = np.percentile((changed_db - level_db)[heard], [5.0, 95.0])
    return float(high - low)

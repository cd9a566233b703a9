"""Lossy compression as an effect."""

from __future__ import annotations

from typing import Final

import numpy as np
import soxr

from tocco.audio.augmenting.checks import checked_waveform
from tocco.errors import InputError, MissingPartError
from tocco.units import SAMPLE_RATE_HZ, FloatArray

MP3_KBITS: Final = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
"""The bit rates of MPEG-1 Layer III."""

_CODEC_HZ = 48_000
"""MPEG-1 proper, the only family with all the bit rates up to 320; what phones and web services encode at."""

_LEAST_SEC = 0.1
_QUALITY = 5
_CODEC_PEAK = 0.9


def compress_audio(audio: FloatArray, bitrate: int, *, sample_rate_hz: int = SAMPLE_RATE_HZ) -> FloatArray:
    """A recording after MP3 compression: coded by LAME and decoded again, without delay.

    The codec gets the waveform at one level, a peak of 0.9, and the result is brought back by the same
    gain: nothing clips, and a soft recording is coded like a loud one. It runs at 48 kHz.

    Parameters
    ----------
    audio : (S,) mono, 0.1 s or longer
    bitrate : kbit/s, one of `MP3_KBITS`
    sample_rate_hz : Hz

    Returns
    -------
    (S,) float32
        As long as the input and in step with it; peaks may pass full scale.

    Raises
    ------
    InputError
        The waveform cannot be used, or MP3 has no such bit rate.
    MissingPartError
        The codec is not installed.
    """
    audio = checked_waveform(audio, least_sec=_LEAST_SEC, sample_rate_hz=sample_rate_hz)
    if bitrate not in MP3_KBITS:
        raise InputError("bitrate", f"is {bitrate} kbit/s", allowed=", ".join(map(str, MP3_KBITS)))
    try:
        from fast_mp3_augment import compress_roundtrip
    except ImportError as error:
        raise MissingPartError(
            "fast-mp3-augment", "is not installed", next_step="install tocco[train]"
        ) from error
    peak = float(np.abs(audio).max())
    if peak == 0.0:
        return audio.copy()
    sent = soxr.resample(audio * np.float32(_CODEC_PEAK / peak), sample_rate_hz, _CODEC_HZ)
    heard = compress_roundtrip(sent.astype(np.float32), _CODEC_HZ, int(bitrate), quality=_QUALITY)
    back = soxr.resample(heard, _CODEC_HZ, sample_rate_hz).astype(np.float32)
    return _of_length(back, len(audio)) * np.float32(peak / _CODEC_PEAK)


def _of_length(audio: FloatArray, n_samples: int) -> FloatArray:
    """Trimmed, or led out by the sample or two of silence that two changes of rate may cost."""
    return np.pad(audio[:n_samples], (0, max(0, n_samples - len(audio))))

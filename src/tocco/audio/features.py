"""Time-frequency transform and levels of a waveform."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch

from tocco.errors import InputError
from tocco.units import (
    C1_HZ,
    CQT_BINS_PER_OCTAVE,
    CQT_HOP_SAMPLES,
    CQT_OCTAVES,
    SAMPLE_RATE_HZ,
    FloatArray,
    FrameClock,
    db_from_amplitude,
)

_N_BINS = CQT_BINS_PER_OCTAVE * CQT_OCTAVES
_FRAMES_A_PORTION = 2048


def compute_cqt(audio: FloatArray, sample_rate_hz: int = SAMPLE_RATE_HZ) -> FloatArray:
    """The quarter-tones that sound over time, for pictures.

    A constant-Q transform (Brown, JASA 89, 1991) with 24 bins an octave over seven octaves from C1;
    bin `24 * k` is the note C of octave `1 + k`. Scaled as librosa scales it: a steady sine of
    amplitude `a` reads about `a / 2 * sqrt(kernel length)`, so that low notes are not drawn fainter
    for their longer kernels.

    Parameters
    ----------
    audio : (S,) mono, full scale = 1
    sample_rate_hz : Hz, at least 8400, twice the highest bin

    Returns
    -------
    (168, T) float32, linear magnitude, >= 0
        T = 1 + S // 512; frame `t` is centred on sample `512 * t`, beyond the ends is silence. For
        decibels see `tocco.units.db_from_amplitude`.

    Raises
    ------
    InputError
        The waveform is empty, not mono or not finite, or its rate cannot hold the highest bin.
    """
    audio = np.asarray(audio, np.float32)
    if audio.ndim != 1 or len(audio) == 0:
        raise InputError("audio", f"has shape {audio.shape}", allowed="(S,) mono samples, S >= 1")
    if not np.isfinite(audio).all():
        raise InputError("audio", "holds NaN or infinite samples", next_step="check what computed it")
    highest_hz = C1_HZ * 2.0**CQT_OCTAVES
    if sample_rate_hz < 2.0 * highest_hz:
        raise InputError(
            "sample_rate_hz", f"is {sample_rate_hz} Hz", allowed=f"at least {2.0 * highest_hz:.0f} Hz"
        )
    transform, width = _cqt_transform(sample_rate_hz)
    padded = torch.nn.functional.pad(torch.from_numpy(audio), (width // 2, width // 2))
    n_frames = 1 + len(audio) // CQT_HOP_SAMPLES
    portions = []
    with torch.inference_mode():
        for first in range(0, n_frames, _FRAMES_A_PORTION):
            last = min(first + _FRAMES_A_PORTION, n_frames) - 1
            span = padded[first * CQT_HOP_SAMPLES : last * CQT_HOP_SAMPLES + width]
            portions.append(transform(span)[0].numpy())
    return np.concatenate(portions, axis=1)


@lru_cache(maxsize=4)
def _cqt_transform(sample_rate_hz: int) -> tuple[torch.nn.Module, int]:
    """The kernels of one sample rate, built once, and their width in samples."""
    from nnAudio.features.cqt import CQT1992v2

    transform = CQT1992v2(
        sr=sample_rate_hz,
        hop_length=CQT_HOP_SAMPLES,
        fmin=C1_HZ,
        n_bins=_N_BINS,
        bins_per_octave=CQT_BINS_PER_OCTAVE,
        center=False,
        verbose=False,
    )
    return transform.eval(), int(transform.kernel_width)


def level_db(audio: FloatArray, clock: FrameClock) -> FloatArray:
    """How loud every frame is.

    Parameters
    ----------
    audio : (S,) mono, full scale = 1
    clock
        Hop and window of the frames.

    Returns
    -------
    (T,) dB re full scale, -120 for silence
        Root mean square of each whole frame; a full-scale sine reads -3.01. T = 0 where the waveform
        is shorter than a frame.
    """
    audio = np.asarray(audio)
    if audio.ndim != 1:
        raise InputError("audio", f"has shape {audio.shape}", allowed="(S,) mono samples")
    n_frames = clock.n_frames(len(audio))
    if n_frames == 0:
        return np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(audio, clock.window_samples)[:: clock.hop_samples]
    power = np.empty(n_frames)
    for first in range(0, n_frames, _FRAMES_A_PORTION):  # squares of a few frames at a time
        few = frames[first : first + _FRAMES_A_PORTION].astype(float)
        power[first : first + len(few)] = np.einsum("ts,ts->t", few, few) / clock.window_samples
    return db_from_amplitude(np.sqrt(power))

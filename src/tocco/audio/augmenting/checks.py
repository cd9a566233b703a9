"""What every effect asks of its waveform and of its numbers."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tocco.errors import InputError
from tocco.units import FloatArray


def checked_waveform(audio: npt.ArrayLike, *, least_sec: float = 0.0, sample_rate_hz: int = 1) -> FloatArray:
    """A mono waveform as float32; refused where it is none.

    Parameters
    ----------
    audio : (S,) floating point, full scale = 1
    least_sec : seconds
        The shortest that the effect can work on.
    sample_rate_hz : Hz

    Returns
    -------
    (S,) float32

    Raises
    ------
    InputError
        Not one channel, empty, integers, not finite, or too short.
    """
    waveform = np.asarray(audio)
    if waveform.ndim != 1 or len(waveform) == 0:
        raise InputError("audio", f"has shape {waveform.shape}", allowed="(S,) mono samples, S >= 1")
    if not np.issubdtype(waveform.dtype, np.floating):
        raise InputError(
            "audio", f"holds {waveform.dtype}", allowed="floating point", next_step="divide by full scale"
        )
    if not np.isfinite(waveform).all():
        raise InputError("audio", "holds NaN or infinite samples", next_step="check what computed it")
    if len(waveform) < least_sec * sample_rate_hz:
        raise InputError(
            "audio", f"lasts {len(waveform) / sample_rate_hz:.3f} s", allowed=f"{least_sec:g} s or more"
        )
    return waveform.astype(np.float32, copy=False)


def check_range(name: str, value: float, low: float, high: float, unit: str) -> None:
    """Refuse a number outside its range.

    Raises
    ------
    InputError
        The value is not finite, or outside `low..high`.
    """
    if not (math.isfinite(value) and low <= value <= high):
        raise InputError(name, f"is {value:g} {unit}", allowed=f"{low:g} to {high:g} {unit}")


def rms(audio: FloatArray) -> float:
    """Root mean square over the whole waveform, summed in double precision."""
    return math.sqrt(float(np.square(audio, dtype=np.float64).mean()))

"""The perceived loudness of a rendering, and bringing it to a stated loudness without clipping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.errors import InputError, MissingPartError
from tocco.units import SAMPLE_RATE_HZ, FloatArray, amplitude_from_db, db_from_amplitude

TARGET_LUFS: Final = -23.0
"""Programme loudness that renderings are brought to before a drawn level moves them (EBU R 128, 2020)."""

SILENCE_LUFS: Final = -70.0
"""The absolute gate of BS.1770: what is softer has no loudness."""

_GATING_BLOCK_SEC: Final = 0.4


@dataclass(frozen=True, eq=False)
class Levelled:
    """A waveform at a stated loudness, or as near to it as its peak allows.

    Attributes
    ----------
    waveform : (S,) float32
    loudness_lufs : LUFS, as it came out
    peak_dbfs : dB re full scale, as it came out
    held_down_by_peak
        The peak ceiling kept it below the loudness that was asked for.
    """

    waveform: FloatArray
    loudness_lufs: float
    peak_dbfs: float
    held_down_by_peak: bool


def loudness_lufs(waveform: FloatArray) -> float:
    """Integrated loudness after ITU-R BS.1770-4: K-weighted and gated, so that pauses do not count.

    Parameters
    ----------
    waveform : (S,) mono at 24 kHz
        What is shorter than one gating block of 0.4 s is measured within 0.4 s of silence.

    Returns
    -------
    LUFS; minus infinity for silence

    Raises
    ------
    MissingPartError
        The loudness meter is not installed.
    """
    try:
        from pyloudnorm import Meter
    except ImportError as error:
        raise MissingPartError(
            "pyloudnorm",
            "is not installed, and loudness is measured with it",
            next_step="pip install 'tocco[data]'",
        ) from error
    block = round(_GATING_BLOCK_SEC * SAMPLE_RATE_HZ)
    padded = np.pad(np.asarray(waveform, dtype=float), (0, max(0, block - len(waveform))))
    return float(Meter(SAMPLE_RATE_HZ).integrated_loudness(padded))


def at_loudness(waveform: FloatArray, target_lufs: float, *, ceiling_dbfs: float, source: str) -> Levelled:
    """The waveform at a loudness, or as far below as its peak requires.

    Parameters
    ----------
    waveform : (S,) mono at 24 kHz
    target_lufs : LUFS, -60 to 0
    ceiling_dbfs : dB re full scale
        No sample stands above this.
    source
        What the sound is of, for messages.

    Raises
    ------
    InputError
        The sound is too soft to have a loudness.
    """
    before = loudness_lufs(waveform)
    if not before > SILENCE_LUFS:
        raise InputError(
            source,
            f"sounds at {before:.0f} LUFS, too soft to be brought to a level",
            allowed=f"louder than {SILENCE_LUFS:.0f} LUFS",
            next_step="check the velocities and the soundfont",
        )
    wanted_db = target_lufs - before
    room_db = ceiling_dbfs - float(db_from_amplitude(np.abs(waveform).max()))
    gain_db = min(wanted_db, room_db)
    levelled = (waveform * np.float32(amplitude_from_db(gain_db))).astype(np.float32)
    return Levelled(
        waveform=levelled,
        loudness_lufs=before + gain_db,
        peak_dbfs=float(db_from_amplitude(np.abs(levelled).max())),
        held_down_by_peak=room_db < wanted_db,
    )

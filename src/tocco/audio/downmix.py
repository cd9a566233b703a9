"""From the channels of a recording to one mono signal.

Channels are averaged, unless they cancel each other: a microphone cable with swapped wires, or a
"pseudo-stereo" effect, gives two channels of opposite sign, and their mean is silence. One of them is
used then.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np

from tocco.audio.decoding import AUDIO_LIMITS, AudioLimits, open_sound
from tocco.units import FloatArray, amplitude_from_db

OUT_OF_PHASE_DB: Final = -12.0
"""Mono mix of two channels this far below the channels: they cancel each other (`out_of_phase`).

Independent channels lose 3 dB, one silent channel of two another 3 dB. More channels that are independent
lose more, and the limit lies lower by as much.
"""
PROBE_SEC: Final = 30.0
"""Seconds of sound on which it is decided; wires do not change sides within a recording."""
_SOUNDING_DB: Final = -60.0


def channel_heard(path: Path, limits: AudioLimits = AUDIO_LIMITS) -> int | None:
    """Which channel of a recording to use alone; None where the mean of all can be taken.

    Raises
    ------
    InputError
        As `open_sound`, for as much as is read.
    """
    with open_sound(path, limits) as sound:
        if sound.header.n_channels == 1:
            return None
        return cancelling_channel(sound.blocks, sound.header.sample_rate_hz)


def cancelling_channel(
    blocks: Iterable[FloatArray], sample_rate_hz: int, probe_sec: float = PROBE_SEC
) -> int | None:
    """Which channel to use alone, because the mean of all would cancel.

    Parameters
    ----------
    blocks : iterable of (n, C) full scale = 1
        Read only until `probe_sec` seconds of blocks that sound have passed.
    sample_rate_hz : Hz
    probe_sec : seconds

    Returns
    -------
    index of the channel with the most energy; None where the mean can be taken
    """
    energy, mono_energy, n_sounding = np.zeros(1), 0.0, 0
    for block in blocks:
        squares = np.square(block, dtype=float).sum(axis=0)
        energy = energy + squares
        mono_energy += float(np.square(block.mean(axis=1, dtype=np.float32), dtype=float).sum())
        if squares.max() > amplitude_from_db(_SOUNDING_DB) ** 2 * len(block):
            n_sounding += len(block)
        if n_sounding >= probe_sec * sample_rate_hz:
            break
    limit = 2 / len(energy) * 10.0 ** (OUT_OF_PHASE_DB / 10.0)
    return int(np.argmax(energy)) if mono_energy < limit * energy.mean() else None


def to_mono(block: FloatArray, channel: int | None) -> FloatArray:
    """(n,) float32: the mean of the channels of a block (n, C), or one of them alone."""
    if channel is None:
        return block.mean(axis=1, dtype=np.float32)
    return np.ascontiguousarray(block[:, channel])

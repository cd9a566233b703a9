"""Small performances to be played, and what is heard of them."""

from __future__ import annotations

import ctypes.util
from collections.abc import Sequence

import numpy as np
import pytest

from tocco.audio.rendering import Instrument, instruments_of
from tocco.errors import MissingPartError
from tocco.music.performance import PedalCurve, Performance
from tocco.units import SAMPLE_RATE_HZ, FloatArray

Note = tuple[float, float, int, int]


def performance(notes: Sequence[Note], sustain: Sequence[tuple[float, int]] = ()) -> Performance:
    """(onset, offset, pitch, velocity) notes and (time, value) pedal steps as a performance."""
    onset, offset, pitch, velocity = (np.array(column) for column in zip(*sorted(notes), strict=True))
    steps = np.array(sustain, float).reshape(-1, 2)
    return Performance(
        onset_sec=onset.astype(float),
        offset_sec=offset.astype(float),
        pitch=pitch.astype(int),
        velocity=velocity.astype(int),
        sustain=PedalCurve(steps[:, 0], steps[:, 1]),
        sostenuto=PedalCurve(),
        soft=PedalCurve(),
        duration_sec=float(offset.max()),
    )


def level_dbfs(audio: FloatArray, start_sec: float, end_sec: float) -> float:
    part = audio[round(start_sec * SAMPLE_RATE_HZ) : round(end_sec * SAMPLE_RATE_HZ)]
    return float(10 * np.log10(np.square(part, dtype=float).mean() + 1e-20))


def energy_rise_sec(audio: FloatArray, near_sec: float) -> float:
    """Where an isolated note begins: the first sample over 2 % of its attack and twice the rest before."""
    start = round((near_sec - 0.02) * SAMPLE_RATE_HZ)
    part = np.abs(audio[start : start + round(0.2 * SAMPLE_RATE_HZ)])
    threshold = max(0.02 * part.max(), 2 * part[:440].max())
    return (start + int(np.argmax(part > threshold))) / SAMPLE_RATE_HZ


def installed(choice: str) -> Instrument:
    """The first piano of a choice; the test skips on a machine without it."""
    if ctypes.util.find_library("fluidsynth") is None:
        pytest.skip("FluidSynth is not installed")
    try:
        return instruments_of(choice)[0]
    except MissingPartError as error:
        pytest.skip(str(error))

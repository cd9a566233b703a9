"""Performances from what the scripts that make the examples computed of each note."""

from __future__ import annotations

import numpy as np

from tocco.music.performance import PedalCurve, Performance
from tocco.units import FloatArray, IntArray


def build_performance(
    onset: FloatArray,
    offset: FloatArray,
    pitch: IntArray,
    velocity: FloatArray,
    sustain: PedalCurve,
    source: str,
) -> Performance:
    """Sort the notes and let each key go before it is struck again."""
    order = np.lexsort((pitch, onset))
    onset, offset, pitch = onset[order], offset[order].copy(), pitch[order]
    for key in np.unique(pitch):
        notes = np.flatnonzero(pitch == key)
        offset[notes[:-1]] = np.minimum(offset[notes[:-1]], onset[notes[1:]] - 0.03)
    return Performance(
        onset_sec=onset,
        offset_sec=offset,
        pitch=pitch,
        velocity=np.clip(np.round(velocity[order]), 1, 127).astype(np.int64),
        sustain=sustain,
        sostenuto=PedalCurve(),
        soft=PedalCurve(),
        duration_sec=float(max(offset.max(), sustain.time_sec[-1])),
        source=source,
    )

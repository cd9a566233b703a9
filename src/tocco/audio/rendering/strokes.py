"""What is done to the piano: key strokes and pedal moves, on the clock of the synthesiser's blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.music.performance import Performance
from tocco.units import FloatArray, IntArray

SYNTH_RATE_HZ: Final = 48_000
"""FluidSynth plays at twice the final rate, so that its interpolation folds nothing into the band."""

SYNTH_BLOCK_SAMPLES: Final = 64
"""FluidSynth starts and stops notes on these boundaries only: 1.33 ms apart at 48 kHz."""

RELEASE: Final = 0
PEDAL: Final = 1
STRIKE: Final = 2
"""Kinds of event, in the order in which they happen within a block."""

_SUSTAIN, _SOSTENUTO, _SOFT = 64, 66, 67


@dataclass(frozen=True)
class Event:
    """One thing done to the piano, at the start of a synthesiser block.

    Attributes
    ----------
    block
        May lie before 0.
    kind
        RELEASE, PEDAL or STRIKE.
    number : 0..127
        The key, or the pedal's controller.
    value : 0..127
        Velocity, or the pedal's position.
    """

    block: int
    kind: int
    number: int
    value: int


def block_of(time_sec: float) -> int:
    """The synthesiser block that starts nearest to a time."""
    return round(time_sec * SYNTH_RATE_HZ / SYNTH_BLOCK_SAMPLES)


def events_of(performance: Performance, attack_sec: FloatArray | None = None) -> list[Event]:
    """Everything done to the piano, in order.

    Within a block releases come first, then pedals, then strikes: a pedal that goes down as the
    harmony changes must catch the new one only.

    Parameters
    ----------
    performance
    attack_sec : (128,) seconds by pitch, >= 0
        How long before its sound each key is struck; None for at once.
    """
    events: list[Event] = []
    strike_sec = performance.onset_sec - (0.0 if attack_sec is None else attack_sec[performance.pitch])
    for on, off, pitch, velocity in _strikes(performance, strike_sec):
        events += (Event(on, STRIKE, pitch, velocity), Event(off, RELEASE, pitch, 0))
    pedals = ((_SUSTAIN, performance.sustain), (_SOSTENUTO, performance.sostenuto), (_SOFT, performance.soft))
    for number, pedal in pedals:
        for time_sec, value in zip(pedal.time_sec, pedal.value, strict=True):
            events.append(Event(block_of(time_sec), PEDAL, number, round(float(np.clip(value, 0, 127)))))
    events.sort(key=lambda event: (event.block, event.kind))
    end = max(block_of(performance.duration_sec), events[-1].block)
    events += (Event(end, PEDAL, number, 0) for number, _ in pedals)
    return events


def _strikes(performance: Performance, strike_sec: FloatArray) -> Iterator[tuple[int, int, int, int]]:
    """Key down and key up of each strike, in blocks: one key at a time is down once.

    A note whose key is struck again ends there; notes of one key within one block are one strike.
    """
    on = np.round(strike_sec * (SYNTH_RATE_HZ / SYNTH_BLOCK_SAMPLES)).astype(int)
    off = np.round(performance.offset_sec * (SYNTH_RATE_HZ / SYNTH_BLOCK_SAMPLES)).astype(int)
    for pitch in np.unique(performance.pitch):
        of_key: IntArray = np.flatnonzero(performance.pitch == pitch)
        starts, strike_of = np.unique(on[of_key], return_inverse=True)
        ends, velocity = np.zeros_like(starts), np.zeros_like(starts)
        np.maximum.at(ends, strike_of, np.maximum(off[of_key], on[of_key] + 1))
        np.maximum.at(velocity, strike_of, performance.velocity[of_key])
        ends[:-1] = np.minimum(ends[:-1], starts[1:])
        for start, end, loudness in zip(starts, ends, velocity, strict=True):
            yield int(start), int(end), int(pitch), int(loudness)

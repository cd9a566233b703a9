"""What the keys and the pedals did: the value that every symbolic module works on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np

from tocco.units import BoolArray, FloatArray, IntArray

PEDAL_DOWN: Final = 64
"""Pedal value from which on a pedal counts as down, where only up and down are asked for (MIDI 1.0)."""


Origin = Literal["keys", "transcribed"]
"""Where notes come from: recorded from the keys, or transcribed from audio."""


@dataclass(frozen=True, eq=False)
class PedalCurve:
    """Position of one pedal over time, as the steps that the instrument sent.

    Attributes
    ----------
    time_sec : (C,) seconds, ascending
    value : (C,) 0 (up) to 127 (down); before the first step the pedal is up
    """

    time_sec: FloatArray = field(default_factory=lambda: np.zeros(0))
    value: FloatArray = field(default_factory=lambda: np.zeros(0))

    def __len__(self) -> int:
        return len(self.time_sec)

    def at(self, time_sec: FloatArray) -> FloatArray:
        """Pedal position at given times.

        Parameters
        ----------
        time_sec : (K,) seconds, any order

        Returns
        -------
        (K,) 0..127
            A step counts from its own time on.
        """
        if len(self.time_sec) == 0:
            return np.zeros(np.shape(time_sec))
        step = np.searchsorted(self.time_sec, time_sec, side="right") - 1
        return np.where(step >= 0, self.value[np.maximum(step, 0)], 0.0)

    def between(self, start_sec: float, end_sec: float) -> PedalCurve:
        """The steps in `start <= t < end`, led by the position in force at the start unless it is 0."""
        inside = (self.time_sec > start_sec) & (self.time_sec < end_sec)
        position = self.at(np.array([start_sec]))
        carried = position > 0
        return PedalCurve(
            np.concatenate((np.array([start_sec])[carried], self.time_sec[inside])),
            np.concatenate((position[carried], self.value[inside])),
        )


@dataclass(frozen=True, eq=False)
class Performance:
    """The notes and pedals of one performance, on the clock of its recording.

    Notes are sorted by onset, then by pitch. Arrays are never written to.

    Attributes
    ----------
    onset_sec, offset_sec : (N,) seconds, onset < offset
        Key down and key up; the pedal does not lengthen a note here. In a segment, notes held over
        an edge keep their true times, outside `0..duration_sec`.
    pitch : (N,) 0..127
    velocity : (N,) 1..127
    sustain, sostenuto, soft
        Pedals 64, 66 and 67.
    duration_sec
        End of the performance: the last key or pedal release, or the end of its segment.
    n_unmatched : note-ons that never got a note-off and were ended by rule
    source
        The file it came from, for messages.
    origin
        Whether the keys sent the notes, or a transcriber found them in the sound.
    """

    onset_sec: FloatArray
    offset_sec: FloatArray
    pitch: IntArray
    velocity: IntArray
    sustain: PedalCurve
    sostenuto: PedalCurve
    soft: PedalCurve
    duration_sec: float
    n_unmatched: int = 0
    source: str = ""
    origin: Origin = "keys"

    def __len__(self) -> int:
        return len(self.onset_sec)

    @property
    def struck_inside(self) -> BoolArray:
        """(N,) whether each key goes down within `0 <= t < duration_sec`; else it was held over the start."""
        return (self.onset_sec >= 0.0) & (self.onset_sec < self.duration_sec)

    def only(self, note: BoolArray | IntArray) -> Performance:
        """The same with some of its notes alone; pedals and clock stay.

        Parameters
        ----------
        note : (N,) which to keep, or (M,) their index, ascending
        """
        return replace(
            self,
            onset_sec=self.onset_sec[note],
            offset_sec=self.offset_sec[note],
            pitch=self.pitch[note],
            velocity=self.velocity[note],
        )

    def shifted(self, by_sec: float, stretch: float = 1.0) -> Performance:
        """The same performance on another clock: `t -> stretch * t + by_sec`."""

        def move(t: FloatArray) -> FloatArray:
            return stretch * t + by_sec

        return replace(
            self,
            onset_sec=move(self.onset_sec),
            offset_sec=move(self.offset_sec),
            sustain=replace(self.sustain, time_sec=move(self.sustain.time_sec)),
            sostenuto=replace(self.sostenuto, time_sec=move(self.sostenuto.time_sec)),
            soft=replace(self.soft, time_sec=move(self.soft.time_sec)),
            duration_sec=float(stretch * self.duration_sec + by_sec),
        )

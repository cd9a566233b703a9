"""What the corruptions need to know of a performance: what is struck together, beats, bars, voices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from tocco.errors import InputError, MismatchError
from tocco.music.alignment import Alignment
from tocco.music.performance import Performance
from tocco.music.statistics.playing import chords
from tocco.units import FloatArray, IntArray

MELODY, INNER, BASS = 2, 1, 0

_GROUPS_PER_STRETCH: Final = 8
"""Without a score, this many successive chords or notes stand for a bar."""
_HIGHEST_BASS_PITCH: Final = 59
"""The lowest of several sounding notes counts as the bass below middle C, else as an inner voice."""


@dataclass(frozen=True, eq=False)
class Context:
    """A performance with what is derived from it once.

    Attributes
    ----------
    performance
    alignment : with the score, where there is one
    group_of : (N,) index of the chord (or single note) that each note belongs to
    group_sec : (G,) seconds, ascending: the first key of each
    """

    performance: Performance
    alignment: Alignment | None
    group_of: IntArray
    group_sec: FloatArray

    @property
    def n_groups(self) -> int:
        """Count of chords and single notes."""
        return len(self.group_sec)

    @property
    def minutes(self) -> float:
        """From the first onset to the last."""
        return float(self.group_sec[-1] - self.group_sec[0]) / 60.0

    @cached_property
    def group_beat(self) -> FloatArray | None:
        """(G,) beats: the median position of each group's notes; None without a score."""
        if self.alignment is None:
            return None
        beat = self.alignment.performance_beat
        order = np.lexsort((beat, self.group_of))
        size = np.bincount(self.group_of)
        return beat[order][np.cumsum(size) - size + size // 2]

    @cached_property
    def group_bar(self) -> IntArray:
        """(G,) number of the bar, ascending, that each group is played in.

        Without a score, a stretch of eight groups.
        """
        if self.alignment is None or self.group_beat is None:
            return np.arange(self.n_groups) // _GROUPS_PER_STRETCH
        onset = self.alignment.score.bar_onset_beat
        bar = np.searchsorted(onset, self.group_beat + 1e-3, side="right") - 1
        return np.maximum.accumulate(np.clip(bar, 0, len(onset) - 1))

    @cached_property
    def voice(self) -> IntArray:
        """(N,) MELODY, INNER or BASS.

        Melody is what no higher key sounds above when it is struck; bass is what none sounds below,
        under middle C.
        """
        played = self.performance
        voice = np.full(len(played), INNER, dtype=np.int64)
        held: list[int] = []
        for group, members in enumerate(np.split(np.arange(len(played)), self._later_starts)):
            start = self.group_sec[group]
            held = [note for note in held if played.offset_sec[note] > start + 0.05]
            sounding = played.pitch[[*held, *members]]
            top, bottom = int(sounding.max()), int(sounding.min())
            for note in members:
                if played.pitch[note] == top:
                    voice[note] = MELODY
                elif played.pitch[note] == bottom and bottom <= _HIGHEST_BASS_PITCH:
                    voice[note] = BASS
            held.extend(members.tolist())
        return voice

    @cached_property
    def _later_starts(self) -> IntArray:
        return np.flatnonzero(np.diff(self.group_of)) + 1

    def bar_name(self, sec: float) -> str:
        """Printed name of the bar at a time of the clean performance; "" without a score."""
        if self.alignment is None:
            return ""
        return self.alignment.bar_at(float(self.alignment.beat_at(sec)) + 1e-3)

    def note_bar_name(self, note: int) -> str:
        """Printed name of the bar that a note is played in; "" without a score."""
        if self.alignment is None:
            return ""
        return self.alignment.bar_at(float(self.alignment.performance_beat[note]))


def read_context(performance: Performance, alignment: Alignment | None) -> Context:
    """Gather chords, and check that the alignment belongs to the performance.

    Raises
    ------
    InputError
        The performance has no notes.
    MismatchError
        The alignment was made from another performance.
    """
    if len(performance) == 0:
        raise InputError(
            performance.source or "performance", "has no notes", allowed="at least one note to corrupt"
        )
    if alignment is not None and len(alignment.performance_beat) != len(performance):
        raise MismatchError(
            performance.source or "performance",
            f"has {len(performance)} notes, its alignment speaks of {len(alignment.performance_beat)}",
            next_step="align this performance with its score",
        )
    group_of = chords(performance.onset_sec)
    first = np.flatnonzero(np.diff(group_of, prepend=-1))
    return Context(performance, alignment, group_of, performance.onset_sec[first])


def planned_count(share: float, total: int) -> int:
    """How many of `total` a share above 0 means: the nearest whole number, and at least one."""
    return max(1, round(share * total))

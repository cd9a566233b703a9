"""Written notes gathered into what is struck together, and both sides as bare arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tocco.units import BoolArray, FloatArray, IntArray

N_PITCHES = 128

_SAME_ONSET_BEAT = 1e-4
"""Notation files round triplets to their own divisions; a 64th is 0.0625 beats."""


def _no_beats() -> FloatArray:
    return np.zeros(0)


def _no_notes() -> BoolArray:
    return np.zeros(0, dtype=bool)


@dataclass(frozen=True, eq=False)
class WrittenNotes:
    """The notes of one reading of a score.

    Attributes
    ----------
    onset_beat : (S,) beats, ascending
    duration_beat : (S,) beats, 0 for grace notes
    pitch : (S,) 0..127
    is_grace : (S,)
    early_beat : (S,) beats by which a note may come earlier; empty where none may
    is_optional : (S,) whether a note is not printed; empty where all are
        Such notes say where a player may be, and no stroke is theirs: whoever plays them adorns.
    """

    onset_beat: FloatArray
    duration_beat: FloatArray
    pitch: IntArray
    is_grace: BoolArray
    early_beat: FloatArray = field(default_factory=_no_beats)
    is_optional: BoolArray = field(default_factory=_no_notes)

    def __len__(self) -> int:
        return len(self.onset_beat)

    @property
    def is_printed(self) -> BoolArray:
        """(S,) Whether a note is to be played."""
        return ~self.is_optional if len(self.is_optional) else np.ones(len(self), dtype=bool)


@dataclass(frozen=True, eq=False)
class PlayedNotes:
    """The notes of one performance.

    Attributes
    ----------
    onset_sec : (N,) seconds, ascending
    offset_sec : (N,) seconds
    pitch : (N,) 0..127
    velocity : (N,) 1..127
    """

    onset_sec: FloatArray
    offset_sec: FloatArray
    pitch: IntArray
    velocity: IntArray

    def __len__(self) -> int:
        return len(self.onset_sec)

    def kept(self, note: IntArray) -> PlayedNotes:
        """Some of the notes: (M,) indices, ascending."""
        return PlayedNotes(self.onset_sec[note], self.offset_sec[note], self.pitch[note], self.velocity[note])


@dataclass(frozen=True, eq=False)
class OnsetGroups:
    """Written notes by onset: a chord, or a single note, with the grace notes before it.

    Attributes
    ----------
    onset_beat : (G,) beats, strictly ascending
    group_of : (S,) index into the groups
    first_note : (G + 1,) index into the notes; group g holds notes first_note[g] to first_note[g + 1]
    holds_pitch : (128, G)
        Whether a group holds a pitch.
    """

    onset_beat: FloatArray
    group_of: IntArray
    first_note: IntArray
    holds_pitch: BoolArray

    def __len__(self) -> int:
        return len(self.onset_beat)


def group_onsets(written: WrittenNotes) -> OnsetGroups:
    """Notes written for the same moment, as one group each.

    Parameters
    ----------
    written : at least one note
    """
    starts = np.concatenate([[True], np.diff(written.onset_beat) > _SAME_ONSET_BEAT])
    group_of = np.cumsum(starts) - 1
    first_note = np.append(np.flatnonzero(starts), len(written))
    holds_pitch = np.zeros((N_PITCHES, int(group_of[-1]) + 1), dtype=bool)
    holds_pitch[written.pitch, group_of] = True
    return OnsetGroups(written.onset_beat[starts], group_of, first_note, holds_pitch)

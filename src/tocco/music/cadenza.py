"""Cadenzas in small notes: where they find their time.

A run of small notes is printed on the beat of the note that it leads to, and takes no time in the score.
Played, a short one is squeezed in; a long one has time of its own, and an order that tells where the player
is. On the *course* of a score each note of a long run has a place: beats as printed, with room put in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tocco.units import BoolArray, FloatArray, IntArray

MIN_RUN = 10
"""Shorter runs are squeezed in while the other hand plays on, and belong to their main note."""

STEP_BEAT = 0.125
"""Room for one small note: a thirty-second."""


@dataclass(frozen=True, eq=False)
class Course:
    """A score with room for its cadenzas.

    Attributes
    ----------
    onset_beat : (S,) beats of the course, of every note
    is_placed : (S,) whether a note is part of a cadenza, and has its own place
    early_beat : (S,) beats of the course
        How much earlier than its place a note may be struck: a bass under a cadenza sounds with its first
        note as well as with the note that it leads to.
    room_start_beat, room_end_beat : (C,) beats of the course, ascending
        Where each cadenza starts, and where the note that it leads to stands.
    """

    onset_beat: FloatArray
    is_placed: BoolArray
    early_beat: FloatArray
    room_start_beat: FloatArray
    room_end_beat: FloatArray

    def printed_beat(self, course_beat: FloatArray) -> FloatArray:
        """Printed beats at beats of the course, of any shape; within a cadenza they stand still."""
        room = self.room_end_beat - self.room_start_beat
        taken = np.minimum(np.maximum(course_beat[..., None] - self.room_start_beat, 0.0), room)
        return course_beat - taken.sum(axis=-1)

    def course_beat(self, printed_beat: FloatArray) -> FloatArray:
        """Beats of the course at printed beats, of any shape; where a cadenza leads to, after it."""
        passed = np.searchsorted(self.printed_beat(self.room_end_beat), printed_beat, side="right")
        return printed_beat + np.append(0.0, np.cumsum(self.room_end_beat - self.room_start_beat))[passed]

    def room_at(self, course_beat: FloatArray) -> IntArray:
        """Index of the cadenza in which places lie, beats of the course of any shape; -1 outside."""
        at = np.searchsorted(self.room_end_beat, course_beat, side="right")
        starts = np.append(self.room_start_beat, np.inf)
        return np.where(course_beat >= starts[at], at, -1)


def course_of(onset_beat: FloatArray, grace_lead: IntArray) -> Course:
    """Give the notes of long runs their places.

    Parameters
    ----------
    onset_beat : (S,) beats as printed, ascending
    grace_lead : (S,) place of a small note before its main note, counted back from it; 0 for all others
    """
    at_beat = np.unique(onset_beat[grace_lead >= MIN_RUN])
    longest = np.array([grace_lead[onset_beat == beat].max() for beat in at_beat], dtype=np.int64)
    room_beat = STEP_BEAT * longest
    before = np.concatenate([[0.0], np.cumsum(room_beat)])
    is_placed = np.isin(onset_beat, at_beat) & (grace_lead > 0)
    passed = np.searchsorted(at_beat, onset_beat, side="right")
    course = onset_beat + before[passed]
    ends_room = np.isin(onset_beat, at_beat) & ~is_placed
    return Course(
        onset_beat=np.where(is_placed, course - STEP_BEAT * grace_lead, course),
        is_placed=is_placed,
        early_beat=np.where(ends_room, np.append(0.0, room_beat)[passed], 0.0),
        room_start_beat=at_beat + before[:-1],
        room_end_beat=at_beat + before[1:],
    )

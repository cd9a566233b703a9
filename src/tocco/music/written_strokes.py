"""A reading of a score as a player goes through it: which notes ask for a stroke, or allow one, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tocco.music.cadenza import Course, course_of
from tocco.music.matching.chords import WrittenNotes
from tocco.music.matching.readings import Reading
from tocco.music.score import Score
from tocco.units import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class WrittenStrokes:
    """The notes of a reading that ask for a stroke or allow one, in the order in which a player meets them.

    Attributes
    ----------
    score
    course : with room for cadenzas
    note : (W,) index into the score of each note that asks for a stroke; -1 for one that allows it
        In the order of the course. Notes that the score holds but does not print allow a stroke.
    written : these notes, beats of the course
    """

    score: Score
    course: Course
    note: IntArray
    written: WrittenNotes

    @classmethod
    def of(cls, score: Score) -> WrittenStrokes:
        """The strokes of one reading."""
        lead = np.array(score.grace_lead or np.zeros(len(score)), dtype=np.int64)
        course = course_of(score.onset_beat, lead)
        note = _struck_notes(score)
        note = note[np.argsort(course.onset_beat[note], kind="stable")]
        written = WrittenNotes(
            course.onset_beat[note],
            score.duration_beat[note],
            score.pitch[note],
            score.is_grace[note] & ~course.is_placed[note],
            course.early_beat[note],
        )
        if len(score.hidden_pitch):
            written, order = _with_hidden(written, course.course_beat(score.hidden_onset_beat), score)
            note = np.append(note, np.full(len(written) - len(note), -1))[order]
        return cls(score, course, note, written)

    def printed(self) -> tuple[WrittenNotes, IntArray]:
        """The notes that ask for a stroke, and their indices into the score."""
        if not len(self.written.is_optional):
            return self.written, self.note
        written = self.written
        asks = written.is_printed
        printed = WrittenNotes(
            written.onset_beat[asks],
            written.duration_beat[asks],
            written.pitch[asks],
            written.is_grace[asks],
            written.early_beat[asks],
        )
        return printed, self.note[asks]


def _struck_notes(score: Score) -> IntArray:
    """Notes that ask for a stroke of their own.

    Of notes that share key and beat the longest does, or of equal ones that of the upper voice.
    """
    double = np.zeros(len(score), dtype=bool)
    order = np.lexsort((score.voice, -score.duration_beat, score.pitch, np.round(score.onset_beat, 6)))
    order = order[~score.is_grace[order]]
    same_key = np.diff(score.pitch[order]) == 0
    same_beat = np.diff(np.round(score.onset_beat[order], 6)) == 0
    double[order[1:][same_key & same_beat]] = True
    return np.flatnonzero(~double)


def _with_hidden(
    written: WrittenNotes, hidden_beat: FloatArray, score: Score
) -> tuple[WrittenNotes, IntArray]:
    """Printed and other notes together; and the order of both, the printed ones counted first."""
    n_printed, n_hidden = len(written), len(hidden_beat)
    onset_beat = np.append(written.onset_beat, hidden_beat)
    order = np.argsort(onset_beat, kind="stable")
    nothing = np.zeros(n_hidden)
    return WrittenNotes(
        onset_beat[order],
        np.append(written.duration_beat, nothing)[order],
        np.append(written.pitch, score.hidden_pitch)[order],
        np.append(written.is_grace, nothing.astype(bool))[order],
        np.append(written.early_beat, nothing)[order],
        np.arange(n_printed + n_hidden)[order] >= n_printed,
    ), order


def printed_readings(pages: Sequence[WrittenStrokes]) -> list[Reading]:
    """The readings, with one number for each printed note in all of them."""
    number: dict[str, int] = {}
    found = []
    for page in pages:
        printed_id = _printed_ids(page.score)
        written, notes = page.printed()
        printed = [number.setdefault(printed_id[note], len(number)) for note in notes]
        found.append(Reading(written, np.array(printed)))
    return found


def _printed_ids(score: Score) -> list[str]:
    """The id of the printed note behind each note: a repeated pass has added "-2", "-3", ... to it."""
    first_pass = set(score.note_id)
    stems = (note_id.rpartition("-") for note_id in score.note_id)
    return [
        stem if number.isdigit() and stem in first_pass else note_id
        for note_id, (stem, _, number) in zip(score.note_id, stems, strict=True)
    ]

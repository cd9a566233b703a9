"""What was played against what is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from tocco.errors import InputError, MismatchError
from tocco.music.beat_map import beat_from_sec, sec_from_beat
from tocco.music.cadenza import Course
from tocco.music.matching.chords import PlayedNotes
from tocco.music.matching.matcher import NoteMatching, match_notes
from tocco.music.matching.ornaments import Ornament, find_arpeggios
from tocco.music.matching.readings import choose_reading
from tocco.music.matching.spans import (
    RetriedSpan,
    RolledChord,
    SkippedSpan,
    ornaments_within,
    retried_spans,
    retries_within,
    rolled_chords,
    skipped_spans,
)
from tocco.music.matching.substitutions import pair_wrong_notes
from tocco.music.matching.tempo_map import TempoMap
from tocco.music.mismatch import mismatch
from tocco.music.performance import Performance
from tocco.music.played_ornaments import played_ornaments
from tocco.music.score import Score
from tocco.music.written_strokes import WrittenStrokes, printed_readings
from tocco.units import FloatArray, IntArray

MIN_MATCH_RATE = 0.6
"""So much of both sides agrees, given-up tries and skips aside, only where they belong together. A beginner
with one wrong note in five reaches 0.8; an unrelated piece finds up to 0.59 of its pitches by chance."""

MIN_IN_TEMPO_RATE = 0.28
"""With less than `MIN_MATCH_RATE`, the notes that agree have to agree in tempo as well. Of 368 pairs of a
performance and another piece's score (easy pieces in one key, excerpts of ten seconds among them) none
reaches 0.24, of 268 right pairs none is below 0.33; chosen on one half of the performances, on the other
it accepts 0 of 199 wrong pairs and refuses 0 of 150 right ones."""

_MOST_RETRIED = 0.5
"""Of what was played, so much at most may be given-up tries where little of the rest agrees."""

_JUMPY_TEMPO = 0.3
"""An unsteadiness that halves what an agreement counts for. It is 0.44 at most where a performance belongs to
the score; by chance the length of a beat jumps by a factor of two or three from onset to onset."""

_Event = TypeVar("_Event", SkippedSpan, RolledChord)


_WAIT_BEAT = 5e-4
"""The clock of the score stops so little before the note that a cadenza leads to."""


def _no_index() -> IntArray:
    return np.zeros(0, dtype=np.int64)


def _no_times() -> FloatArray:
    return np.zeros(0)


@dataclass(frozen=True, eq=False)
class Alignment:
    """Every note of a performance and of its score, classed as match, insertion or deletion.

    Attributes
    ----------
    score
        The reading of the score that was played (repeats as the performance took them).
    match : (K, 2) index into score, index into performance; ascending by score index
    deletion : (D,) index into score: written, not played
    insertion : (I,) index into performance: played, not written
    substitution : (Q, 2) index into deletion's score notes, index into insertion's performance notes
        Pairs (score index, performance index) that are one wrong note: close in time and pitch.
        Every pair's members are also listed in `deletion` and `insertion`.
    anchor_beat, anchor_sec : (G,) ascending, at least two
        The beat-to-seconds map: one point for each score onset with a match; small notes of a cadenza are
        none, while the beat waits for them.
    performance_beat : (N,) beats
        Position of every performed note: its score note's onset for a match, else read off the map.
    unplayed : (U,) index into score: neither played nor missing
        Outside the stretch that was performed, skipped, or outside a window; and of two voices that
        write the same key at the same beat the shorter note: the key is struck once, for the longer one.
        Match, deletion and unplayed together are the whole score.
    performance_onset_sec, performance_pitch : (N,)
        Of the performance that was aligned; empty in an alignment that was not made from one.
    confidence : (K,) 0..1
        For each match, the share of such matches that are right; empty as above.
    written_sec : (S,) seconds
        When each written note was due; empty as above.
    overall_confidence : 0..1
        How much of the performed stretch and of the performance agree, given-up tries and skips aside.
    retries : tries that were given up and played again, in order; their notes are insertions
    skips : stretches of the score that were passed over, in order; their notes are unplayed
    ornaments : added notes that adorn a written one; they are insertions, but no mistakes
    rolled_chords : arpeggios, in order of the score
    """

    score: Score
    match: IntArray
    deletion: IntArray
    insertion: IntArray
    substitution: IntArray
    anchor_beat: FloatArray
    anchor_sec: FloatArray
    performance_beat: FloatArray
    unplayed: IntArray = field(default_factory=_no_index)
    performance_onset_sec: FloatArray = field(default_factory=_no_times)
    performance_pitch: IntArray = field(default_factory=_no_index)
    confidence: FloatArray = field(default_factory=_no_times)
    written_sec: FloatArray = field(default_factory=_no_times)
    overall_confidence: float = 1.0
    retries: tuple[RetriedSpan, ...] = ()
    skips: tuple[SkippedSpan, ...] = ()
    ornaments: tuple[Ornament, ...] = ()
    rolled_chords: tuple[RolledChord, ...] = ()

    @property
    def n_match(self) -> int:
        """Notes played as written."""
        return len(self.match)

    @property
    def n_wrong(self) -> int:
        """Notes played in place of another."""
        return len(self.substitution)

    @property
    def n_missing(self) -> int:
        """Notes left out, wrong ones not counted."""
        return len(self.deletion) - len(self.substitution)

    @property
    def n_extra(self) -> int:
        """Notes added, wrong ones not counted."""
        return len(self.insertion) - len(self.substitution)

    @property
    def differs_much(self) -> bool:
        """Whether so many notes differ from the score that what rests on it is doubtful."""
        return self.overall_confidence < MIN_MATCH_RATE

    @property
    def match_rate(self) -> float:
        """Agreement of the two note lists, 0..1: twice the matches over all notes of both (F1)."""
        total = 2 * self.n_match + len(self.deletion) + len(self.insertion)
        return 2 * self.n_match / total if total else 0.0

    def beat_at(self, sec: FloatArray | float) -> FloatArray:
        """Where in the score a moment of the performance is.

        Parameters
        ----------
        sec : any shape, seconds

        Returns
        -------
        Beats, of the same shape. Beyond the first and last anchor the tempo of about a bar goes on.
        """
        return beat_from_sec(np.asarray(sec, dtype=float), self.anchor_beat, self.anchor_sec)

    def sec_at(self, beat: FloatArray | float) -> FloatArray:
        """When a place in the score sounds.

        Parameters
        ----------
        beat : any shape, beats of the unfolded score

        Returns
        -------
        Seconds, of the same shape.
        """
        return sec_from_beat(np.asarray(beat, dtype=float), self.anchor_beat, self.anchor_sec)

    def due_sec(self, note: IntArray) -> FloatArray:
        """When written notes are due by those that were played around them.

        Parameters
        ----------
        note : (M,) index into the score

        Returns
        -------
        (M,) seconds. A note of a cadenza, which takes no time in the score, is due between its neighbours.
        """
        return self.written_sec[note] if len(self.written_sec) else self.sec_at(self.score.onset_beat[note])

    def bar_at(self, beat: float) -> str:
        """Printed name of the bar that a beat falls into."""
        return self.score.bar_name[self.score.bar_index_at(float(beat))]

    def window(self, start_sec: float, end_sec: float, note_index: IntArray) -> Alignment:
        """The alignment of a segment cut from this performance.

        Parameters
        ----------
        start_sec, end_sec
            The segment on the clock of the performance; the segment's own clock starts at 0.
        note_index : (M,) index into the performance, ascending
            The notes that the segment keeps, in its own order.

        Returns
        -------
        Indices count the segment's notes; the score is the whole score. Matches and insertions are
        those of kept notes; a deletion stays if it was due within the segment; all other notes of the
        score are `unplayed`. Anchors are those within the segment and the next ones on either side, on
        the segment's clock, so that the map holds up to its edges.
        """
        if not end_sec > start_sec:
            raise InputError("window", f"ends at {end_sec} s and starts at {start_sec} s")
        note_index = np.asarray(note_index, dtype=np.int64)
        place = np.full(len(self.performance_beat), -1, dtype=np.int64)
        place[note_index] = np.arange(len(note_index))
        match = _renumber(self.match, place)
        inside = place[self.match[:, 1]] >= 0
        due_sec = self.due_sec(self.deletion)
        deletion = self.deletion[(due_sec >= start_sec) & (due_sec < end_sec)]
        substitution = _renumber(self.substitution, place)
        substitution = substitution[np.isin(substitution[:, 0], deletion)]
        insertion = place[self.insertion]
        outside = np.ones(len(self.score), dtype=bool)
        outside[match[:, 0]] = False
        outside[deletion] = False
        near = _with_neighbours(self.anchor_sec, start_sec, end_sec)
        return replace(
            self,
            match=match,
            deletion=deletion,
            insertion=np.sort(insertion[insertion >= 0]),
            substitution=substitution,
            anchor_beat=self.anchor_beat[near],
            anchor_sec=self.anchor_sec[near] - start_sec,
            performance_beat=self.performance_beat[note_index],
            unplayed=np.flatnonzero(outside),
            performance_onset_sec=self.performance_onset_sec[note_index] - start_sec,
            performance_pitch=self.performance_pitch[note_index],
            confidence=self.confidence[inside] if len(self.confidence) else self.confidence,
            written_sec=self.written_sec - start_sec,
            retries=retries_within(self.retries, start_sec, end_sec, place),
            skips=_moved_within(self.skips, start_sec, end_sec),
            ornaments=ornaments_within(self.ornaments, place),
            rolled_chords=_moved_within(self.rolled_chords, start_sec, end_sec),
        )


def _renumber(pairs: IntArray, place: IntArray) -> IntArray:
    """Pairs whose performed note is kept, with its new index."""
    pairs = np.column_stack((pairs[:, 0], place[pairs[:, 1]]))
    return pairs[pairs[:, 1] >= 0]


def _moved_within(events: tuple[_Event, ...], start_sec: float, end_sec: float) -> tuple[_Event, ...]:
    """Events that happen within a segment, on its own clock."""
    inside = (event for event in events if start_sec <= event.at_sec < end_sec)
    return tuple(replace(event, at_sec=event.at_sec - start_sec) for event in inside)


def _with_neighbours(anchor_sec: FloatArray, start_sec: float, end_sec: float) -> slice:
    """Anchors within a window and one more on either side; at least two."""
    first = int(np.searchsorted(anchor_sec, start_sec, side="right")) - 1
    last = int(np.searchsorted(anchor_sec, end_sec, side="left")) + 1
    first = min(max(first, 0), max(len(anchor_sec) - 2, 0))
    return slice(first, min(max(last, first + 2), len(anchor_sec)))


def align_performance_to_score(performance: Performance, score: Score | Sequence[Score]) -> Alignment:
    """Tell for every note whether it was played as written, and where in the score the player is.

    Parameters
    ----------
    performance
        May cover only a stretch of the score.
    score
        One score, or the readings of it (`score_readings`): the one that was played is found.

    Returns
    -------
    The alignment with the reading that was played. The same input gives the same result.

    Raises
    ------
    InputError
        The performance has fewer than two notes.
    MismatchError
        Performance and score do not belong together: no more agrees than of another piece by chance.
    """
    readings = [score] if isinstance(score, Score) else list(score)
    if not readings:
        raise InputError("score", "has no reading to align with")
    if len(performance) < 2:
        raise InputError(
            performance.source or "performance",
            f"has {len(performance)} notes",
            allowed="at least 2 for an alignment with a score",
            next_step="check that the file holds the performance",
        )
    played = PlayedNotes(
        performance.onset_sec, performance.offset_sec, performance.pitch, performance.velocity
    )
    pages = [WrittenStrokes.of(reading) for reading in readings]
    page = pages[choose_reading(printed_readings(pages), played)]
    result = match_notes(page.written, played)
    if result is not None and (page.course.room_at(result.tempo_map.beat) < 0).sum() < 2:
        raise MismatchError(
            performance.source or "performance",
            "plays little more than a cadenza in small notes, which takes no time in the score",
            allowed="at least two onsets outside it",
            next_step="give a longer stretch of the performance, or assess without a score",
        )
    alignment = None if result is None else _alignment_of(page, played, result)
    rate = 0.0 if alignment is None else alignment.overall_confidence
    if result is None or alignment is None or not _belongs(replace(result, overall=rate)):
        raise mismatch(performance, page, played, rate, least_rate=MIN_MATCH_RATE)
    return alignment


def _belongs(result: NoteMatching) -> bool:
    """Whether more agrees than of another piece by chance: very much, or less but in tempo."""
    if result.overall >= MIN_MATCH_RATE:
        return True
    in_tempo = result.overall / (1.0 + result.unsteadiness / _JUMPY_TEMPO)
    return in_tempo >= MIN_IN_TEMPO_RATE and float(result.is_retried.mean()) <= _MOST_RETRIED


def _agreement(result: NoteMatching, n_hidden_strokes: int) -> float:
    """How much of performance and score agree, 0..1, strokes that hidden notes allow left out."""
    n_notes = int(result.is_performed.sum()) + int((~result.is_retried).sum()) - n_hidden_strokes
    return 2 * len(result.match) / max(n_notes, 1)


def _alignment_of(page: WrittenStrokes, played: PlayedNotes, result: NoteMatching) -> Alignment:
    """The matching in terms of the score, and what follows from it."""
    score, course, clock = page.score, page.course, result.tempo_map
    in_order = np.argsort(page.note[result.match[:, 0]], kind="stable")
    match = np.column_stack((page.note[result.match[:, 0]], result.match[:, 1]))[in_order]
    takes_part = np.zeros(len(score), dtype=bool)
    takes_part[page.note[result.is_performed]] = True
    missing, extra = takes_part.copy(), np.ones(len(played), dtype=bool)
    missing[match[:, 0]] = False
    extra[match[:, 1]] = False
    deletion, insertion = np.flatnonzero(missing), np.flatnonzero(extra)
    added = np.flatnonzero(extra & ~result.is_retried)
    written_sec = clock.sec_at(course.onset_beat)
    position = course.printed_beat(beat_from_sec(played.onset_sec, clock.beat, clock.sec))
    position[match[:, 1]] = score.onset_beat[match[:, 0]]
    anchors = _anchors(course, clock)
    ornaments, hidden_strokes = played_ornaments(page, played, result, added, anchors)
    added = np.setdiff1d(added, hidden_strokes)
    beats = course.printed_beat(result.groups.onset_beat)
    return Alignment(
        score=score,
        match=match,
        deletion=deletion,
        insertion=insertion,
        substitution=pair_wrong_notes(
            deletion,
            written_sec[deletion],
            score.pitch[deletion],
            added,
            played.onset_sec[added],
            played.pitch[added],
        ),
        anchor_beat=anchors.beat,
        anchor_sec=anchors.sec,
        performance_beat=position,
        unplayed=np.flatnonzero(~takes_part),
        performance_onset_sec=played.onset_sec,
        performance_pitch=played.pitch,
        confidence=result.confidence[in_order],
        written_sec=written_sec,
        overall_confidence=_agreement(result, len(hidden_strokes)),
        retries=retried_spans(result.retries, played, beats),
        skips=skipped_spans(result.skips, played, beats),
        ornaments=ornaments,
        rolled_chords=rolled_chords(
            find_arpeggios(page.written, played, result.groups, result.match),
            beats,
            clock.sec_at(result.groups.onset_beat),
        ),
    )


def _anchors(course: Course, clock: TempoMap) -> TempoMap:
    """The clock of the score: it goes through the onsets printed, and stands still in a cadenza."""
    room = course.room_at(clock.beat)
    played = np.unique(room[room >= 0])
    start_beat, end_beat = course.room_start_beat[played], course.room_end_beat[played]
    at_beat = course.printed_beat(end_beat)
    outside = room < 0
    beat = np.concatenate((course.printed_beat(clock.beat[outside]), at_beat - _WAIT_BEAT, at_beat))
    sec = np.concatenate((clock.sec[outside], clock.sec_at(start_beat), clock.sec_at(end_beat)))
    beat, first = np.unique(beat, return_index=True)
    return TempoMap(beat, sec[first])

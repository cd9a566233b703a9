"""What was played against what is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from tocco.errors import InputError, MismatchError
from tocco.music.beat_map import anchor_map, beat_from_sec, sec_from_beat
from tocco.music.common_sequence import CommonStretch, common_stretch, in_chord_order
from tocco.music.note_matching import match_leftovers, match_notes
from tocco.music.performance import Performance
from tocco.music.score import Score
from tocco.units import BoolArray, FloatArray, IntArray

MIN_MATCH_RATE = 0.5
"""A performance belongs to a score when half of the notes of both agree. A beginner with one wrong note
in five reaches 0.8; an unrelated piece finds some pitches by chance."""

_EXCERPT_GAP_BEAT = 4.0
"""A bar of 4/4. So much of the score before the first or after the last matched note is taken as not
performed (an excerpt, a stop); less counts as missing notes."""

_WRONG_NOTE_SEC = 0.3
"""A wrong note falls this close to where the right one was due: an eighth note at 100 beats a minute."""

_WRONG_NOTE_SEMITONES = 5
_OCTAVE = 12


def _no_index() -> IntArray:
    return np.zeros(0, dtype=np.int64)


def _no_times() -> FloatArray:
    return np.zeros(0)


@dataclass(frozen=True, eq=False)
class Alignment:
    """Every note of a performance and of its score, told apart as match, insertion or deletion.

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
    anchor_beat, anchor_sec : (G,) ascending
        The beat-to-seconds map: one point for each score onset with a match.
    performance_beat : (N,) beats
        Position of every performed note: its score note's onset for a match, else read off the map.
    unplayed : (U,) index into score: neither played nor missing
        Outside the stretch that was performed or outside a window; and of two voices that write the
        same key at the same beat the shorter note: the key is struck once, for the longer one. Match,
        deletion and unplayed together are the whole score.
    performance_onset_sec, performance_pitch : (N,)
        Of the performance that was aligned; empty in an alignment that was not made from one.
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
        due_sec = self.sec_at(self.score.onset_beat[self.deletion])
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
        )


def _renumber(pairs: IntArray, place: IntArray) -> IntArray:
    """Pairs whose performed note is kept, with its new index."""
    pairs = np.column_stack((pairs[:, 0], place[pairs[:, 1]]))
    return pairs[pairs[:, 1] >= 0]


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
        Performance and score do not belong together: less than `MIN_MATCH_RATE` of their notes agree.
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
    reading, stretch = _choose_reading(performance, readings)
    taking_part = _played_stretch(reading, stretch)
    match = match_notes(performance, reading, taking_part)
    alignment = _complete(performance, reading, taking_part, match)
    if alignment is None or alignment.match_rate < MIN_MATCH_RATE:
        rate = alignment.match_rate if alignment else 0.0
        raise MismatchError(
            performance.source or "performance",
            f"is not a performance of {reading.source or 'the score'}: {rate:.0%} of the notes agree",
            allowed=f"at least {MIN_MATCH_RATE:.0%}",
            next_step="give the score of the piece that was played, or assess without a score",
        )
    return alignment


def _choose_reading(performance: Performance, readings: Sequence[Score]) -> tuple[Score, CommonStretch]:
    """The reading most like the performance; of equals the one with least left over."""
    played = in_chord_order(performance.onset_sec, performance.pitch)
    looked_at = [(reading, common_stretch(played, reading.pitch)) for reading in readings]
    return max(
        looked_at,
        key=lambda pair: (pair[1].likeness, pair[1].last - pair[1].first - len(pair[0])),
    )


def _played_stretch(score: Score, stretch: CommonStretch) -> BoolArray:
    """Notes of the score that the performance may be held to.

    The look at the pitches finds the first and the last common note; a short rest of the score beyond
    them is taken in, a longer one was not performed.
    """
    taking_part = ~_unison_doubles(score)
    if stretch.last <= stretch.first:
        return taking_part
    onset = score.onset_beat
    first_beat, last_beat = onset[stretch.first], onset[stretch.last - 1]
    if first_beat - onset[0] > _EXCERPT_GAP_BEAT:
        taking_part &= onset >= first_beat
    if onset[-1] - last_beat > _EXCERPT_GAP_BEAT:
        taking_part &= onset <= last_beat
    return taking_part


def _unison_doubles(score: Score) -> BoolArray:
    """Notes that share key and beat with a longer note (or an equal one of an upper voice)."""
    double = np.zeros(len(score), dtype=bool)
    order = np.lexsort((score.voice, -score.duration_beat, score.pitch, np.round(score.onset_beat, 6)))
    order = order[~score.is_grace[order]]
    same_key = np.diff(score.pitch[order]) == 0
    same_beat = np.diff(np.round(score.onset_beat[order], 6)) == 0
    double[order[1:][same_key & same_beat]] = True
    return double


def _complete(
    performance: Performance, score: Score, taking_part: BoolArray, match: IntArray
) -> Alignment | None:
    """Everything that follows from the matches; None where they are too few for a map."""
    anchors = _anchors(performance, score, match)
    if len(anchors[0]) < 2:
        return None
    further = match_leftovers(performance, score, taking_part, match, anchors)
    match = np.concatenate((match, further))
    match = match[np.argsort(match[:, 0])]
    anchors = _anchors(performance, score, match)
    missing = taking_part.copy()
    missing[match[:, 0]] = False
    extra = np.ones(len(performance), dtype=bool)
    extra[match[:, 1]] = False
    deletion, insertion = np.flatnonzero(missing), np.flatnonzero(extra)
    position = beat_from_sec(performance.onset_sec, *anchors)
    position[match[:, 1]] = score.onset_beat[match[:, 0]]
    return Alignment(
        score=score,
        match=match,
        deletion=deletion,
        insertion=insertion,
        substitution=_pair_wrong_notes(
            deletion,
            sec_from_beat(score.onset_beat[deletion], *anchors),
            score.pitch[deletion],
            insertion,
            performance.onset_sec[insertion],
            performance.pitch[insertion],
        ),
        anchor_beat=anchors[0],
        anchor_sec=anchors[1],
        performance_beat=position,
        unplayed=np.flatnonzero(~taking_part),
        performance_onset_sec=performance.onset_sec,
        performance_pitch=performance.pitch,
    )


def _anchors(performance: Performance, score: Score, match: IntArray) -> tuple[FloatArray, FloatArray]:
    """The beat-to-seconds map of the matched notes; grace notes are not in time, so they do not count."""
    struck = match[~score.is_grace[match[:, 0]]]
    return anchor_map(score.onset_beat[struck[:, 0]], performance.onset_sec[struck[:, 1]])


def _pair_wrong_notes(
    deletion: IntArray,
    due_sec: FloatArray,
    due_pitch: IntArray,
    insertion: IntArray,
    sec: FloatArray,
    pitch: IntArray,
) -> IntArray:
    """Pair a missing note with an extra one where the two are one wrong note.

    As many pairs as possible, and of those pairings the one closest in time and pitch (the assignment
    problem). A neighbouring key up to a fourth away, or the same key an octave off.

    Returns
    -------
    (Q, 2) score index, performance index; ascending
    """
    pairs: list[tuple[int, int]] = []
    for group in _groups_in_time(due_sec, sec):
        rows, columns = group
        delay = np.abs(due_sec[rows][:, None] - sec[columns])
        interval = np.abs(due_pitch[rows][:, None] - pitch[columns])
        interval = np.where(interval == _OCTAVE, _WRONG_NOTE_SEMITONES, interval)
        near = (delay <= _WRONG_NOTE_SEC) & (interval <= _WRONG_NOTE_SEMITONES) & (interval > 0)
        cost = np.where(near, delay / _WRONG_NOTE_SEC + interval / _WRONG_NOTE_SEMITONES, 4.0 * near.size)
        pairs.extend(
            (int(deletion[rows[i]]), int(insertion[columns[j]]))
            for i, j in zip(*linear_sum_assignment(cost), strict=True)
            if near[i, j]
        )
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)


def _groups_in_time(due_sec: FloatArray, sec: FloatArray) -> list[tuple[IntArray, IntArray]]:
    """Missing and extra notes that can only pair among themselves, so that problems stay small."""
    time_sec = np.concatenate((due_sec, sec))
    order = np.argsort(time_sec, kind="stable")
    breaks = np.flatnonzero(np.diff(time_sec[order]) > _WRONG_NOTE_SEC) + 1
    groups = []
    for members in np.split(order, breaks):
        rows = members[members < len(due_sec)]
        columns = members[members >= len(due_sec)] - len(due_sec)
        if len(rows) and len(columns):
            groups.append((rows, columns))
    return groups

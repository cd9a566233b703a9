"""Note errors of a performance: kind, time and weight of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.music.alignment import Alignment
from tocco.music.alignment_findings import sort_notes
from tocco.music.matching.ornaments import is_brushed
from tocco.music.score import Score
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.observed.transcribed import (
    omission_probability,
    omission_share,
    undetected_shares,
)
from tocco.pseudo_labels.raters.salience import played_salience, written_salience
from tocco.units import BoolArray, FloatArray, IntArray

RESTART_NOTES: Final = 6.0
"""A restart counts as this many wrong notes of average salience."""

REPEATED_WEIGHT: Final = 1.5
"""A recurring error was learned and is not a slip."""

_SAME_BEAT = 1e-6

_ORNAMENT_SIGNS = frozenset(
    {
        "trill-mark",
        "turn",
        "delayed-turn",
        "inverted-turn",
        "delayed-inverted-turn",
        "vertical-turn",
        "inverted-vertical-turn",
        "shake",
        "wavy-line",
        "mordent",
        "inverted-mordent",
        "schleifer",
        "haydn",
    }
)
"""MusicXML names of signs that stand for the written note and its neighbours."""

_NEIGHBOUR_SEMITONES = 2
_TREMOLO_SIGN = "tremolo"
_ORNAMENT_LEAD_BEAT = 0.25
"""An ornament may begin slightly before the beat."""


@dataclass(frozen=True, eq=False)
class NoteErrors:
    """Correct notes and errors of a performance, with the time at which each counts and its salience.

    Attributes
    ----------
    right_sec, right_weight : (K,)
    error_sec, error_weight : (E,)
    kind : (E,) "wrong", "missing", "extra", "skipped" or "restart"
    written, played : (E,) index into the score and into the performance; -1 where there is none
    doubtful : (E,) a missing note that was more likely too soft to be detected than omitted
    repeated : (E,) the same printed note is missing or wrong in another repeat as well
    """

    right_sec: FloatArray
    right_weight: FloatArray
    error_sec: FloatArray
    error_weight: FloatArray
    kind: tuple[str, ...]
    written: IntArray
    played: IntArray
    repeated: BoolArray
    doubtful: BoolArray


@dataclass(frozen=True, eq=False)
class _Errors:
    """Errors of one kind.

    Attributes
    ----------
    kind
    sec, weight : (M,)
    written, played : (M,) -1 where there is none
    doubtful : (M,)
    """

    kind: str
    sec: FloatArray
    weight: FloatArray
    written: IntArray
    played: IntArray
    doubtful: BoolArray


def _errors(
    kind: str,
    sec: FloatArray,
    weight: FloatArray,
    *,
    written: IntArray | None = None,
    played: IntArray | None = None,
    doubtful: BoolArray | None = None,
) -> _Errors:
    """Errors of one kind, with defaults for what is not given."""
    none = np.full(len(sec), -1)
    return _Errors(
        kind=kind,
        sec=sec,
        weight=weight,
        written=none if written is None else written,
        played=none if played is None else played,
        doubtful=np.zeros(len(sec), dtype=bool) if doubtful is None else doubtful,
    )


def find_note_errors(evidence: Evidence) -> NoteErrors:
    """Find correct notes and errors, and weight both by salience.

    Ornaments, the notes of arpeggiated chords and those of abandoned attempts are no errors, but a key that
    is brushed along with a note of an ornament is one. Each abandoned attempt is one error (a restart), and
    the notes of a skipped passage are missing. In a transcription a missing note is weighted by the
    probability that it was omitted, not too soft to be detected (`observed.transcribed`).

    Parameters
    ----------
    evidence
        With an alignment.
    """
    alignment, performance = evidence.alignment, evidence.performance
    if alignment is None:
        raise ValueError("note errors need an alignment")
    found, due = sort_notes(alignment), written_salience(alignment.score)
    played_sec = alignment.performance_onset_sec
    omitted = _omission_probability(evidence, found.missing)
    adorns = realises_ornament(alignment, found.extra) & ~is_brushed(
        found.extra, performance.onset_sec, performance.pitch, performance.velocity
    )
    extra = found.extra[~adorns]
    errors = [
        _errors(
            "wrong",
            played_sec[found.wrong[:, 1]],
            due[found.wrong[:, 0]],
            written=found.wrong[:, 0],
            played=found.wrong[:, 1],
        ),
        _errors(
            "missing",
            alignment.due_sec(found.missing),
            due[found.missing] * omitted,
            written=found.missing,
            doubtful=omitted < 0.5,
        ),
        _errors("extra", played_sec[extra], played_salience(performance)[extra], played=extra),
        _skipped(alignment, due),
        _restarts(alignment, RESTART_NOTES * float(due.mean())),
    ]
    right = found.right
    return _joined(alignment.score, errors, played_sec[right[:, 1]], due[right[:, 0]])


def _joined(
    score: Score, errors: Sequence[_Errors], right_sec: FloatArray, right_weight: FloatArray
) -> NoteErrors:
    """All errors, one kind after the other; recurring ones have a larger weight."""
    written = np.concatenate([one.written for one in errors])
    repeated = _repeated(score, written)
    weight = np.concatenate([one.weight for one in errors])
    return NoteErrors(
        right_sec=right_sec,
        right_weight=right_weight,
        error_sec=np.concatenate([one.sec for one in errors]),
        error_weight=weight * np.where(repeated, REPEATED_WEIGHT, 1.0),
        kind=tuple(one.kind for one in errors for _ in one.sec),
        written=written,
        played=np.concatenate([one.played for one in errors]),
        repeated=repeated,
        doubtful=np.concatenate([one.doubtful for one in errors]),
    )


def _omission_probability(evidence: Evidence, missing: IntArray) -> FloatArray:
    """(M,) probability that missing notes were omitted, not too soft to be detected; 1 in recorded MIDI."""
    alignment = evidence.alignment
    if alignment is None or not evidence.is_transcribed:
        return np.ones(len(missing))
    return omission_probability(_undetected_shares(evidence, alignment, missing))


def _undetected_shares(evidence: Evidence, alignment: Alignment, missing: IntArray) -> FloatArray:
    """(M,) share of the notes around each missing one that a transcriber does not detect."""
    performance, detected = evidence.performance, alignment.match[:, 1]
    return undetected_shares(
        alignment.due_sec(missing),
        alignment.score.pitch[missing],
        performance.onset_sec[detected],
        performance.pitch[detected],
        performance.velocity[detected],
    )


@dataclass(frozen=True, eq=False)
class AbsentNotes:
    """Written notes that a transcription lacks: left out by the player, or too soft to be heard.

    Attributes
    ----------
    note : (M,) index into the score
    was_omitted : (M,) 0..1, the probability that it was left out
    """

    note: IntArray
    was_omitted: FloatArray

    @property
    def unheard(self) -> IntArray:
        """(U,) those that were more likely too soft."""
        return self.note[self.was_omitted < 0.5]

    @property
    def n_doubtful(self) -> int:
        """Expected number of those counted as left out that were played."""
        return int(np.ceil(np.sum(1.0 - self.was_omitted[self.was_omitted >= 0.5]) - 1e-9))


def absent_notes(evidence: Evidence) -> AbsentNotes:
    """The notes that a transcription lacks; none for notes of the keys, and without a score.

    How many notes this player leaves out is estimated from all that are absent
    (`observed.transcribed.omission_share`).
    """
    if evidence.alignment is None or not evidence.is_transcribed:
        return AbsentNotes(np.zeros(0, dtype=np.int64), np.zeros(0))
    missing = sort_notes(evidence.alignment).missing
    undetected = _undetected_shares(evidence, evidence.alignment, missing)
    share = omission_share(undetected, len(evidence.alignment.match))
    return AbsentNotes(missing, share / (share + undetected))


def _skipped(alignment: Alignment, due: FloatArray) -> _Errors:
    """Written notes of skipped passages, at the time of the skip."""
    onset = alignment.score.onset_beat
    notes: list[IntArray] = [np.zeros(0, dtype=np.int64)]
    seconds = [np.zeros(0)]
    for skip in alignment.skips:
        left = (onset >= skip.start_beat - _SAME_BEAT) & (onset <= skip.end_beat + _SAME_BEAT)
        inside = np.intersect1d(np.flatnonzero(left), alignment.unplayed)
        notes.append(inside)
        seconds.append(np.full(len(inside), skip.at_sec))
    note = np.concatenate(notes)
    return _errors("skipped", np.concatenate(seconds), due[note], written=note)


def _restarts(alignment: Alignment, weight: float) -> _Errors:
    """Abandoned attempts, each at the time where the new one begins."""
    tries = alignment.retries
    return _errors(
        "restart",
        np.array([retry.end_sec for retry in tries]),
        np.full(len(tries), weight),
        played=np.array([retry.first_note for retry in tries], dtype=np.int64),
    )


def _repeated(score: Score, written: IntArray) -> BoolArray:
    """Which errors concern a printed note that is in error more than once."""
    places = [
        (
            score.bar_name[score.bar[note]],
            round(float(score.onset_beat[note] - score.bar_onset_beat[score.bar[note]]), 3),
            int(score.pitch[note]),
        )
        if note >= 0
        else None
        for note in written
    ]
    count = Counter(places)
    return np.array([at is not None and count[at] > 1 for at in places], dtype=bool)


def realises_ornament(alignment: Alignment, insertion: IntArray) -> BoolArray:
    """Which extra notes realise an ornament sign."""
    score = alignment.score
    realises = np.zeros(len(insertion), dtype=bool)
    position = alignment.performance_beat[insertion]
    for note, names in enumerate(score.articulation):
        signs = set(names.split(","))
        reach = _NEIGHBOUR_SEMITONES if signs & _ORNAMENT_SIGNS else 0
        if not reach and _TREMOLO_SIGN not in signs:
            continue
        start = score.onset_beat[note]
        end = start + score.duration_beat[note]
        in_time = (position >= start - _ORNAMENT_LEAD_BEAT) & (position < end)
        realises |= in_time & (np.abs(alignment.performance_pitch[insertion] - score.pitch[note]) <= reach)
    return realises

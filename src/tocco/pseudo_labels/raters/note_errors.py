"""The mistakes of a performance, note by note: what they are, when they count, and how much they weigh."""

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
from tocco.pseudo_labels.observed.transcribed import left_out_chance
from tocco.pseudo_labels.raters.salience import played_salience, written_salience
from tocco.units import BoolArray, FloatArray, IntArray

RESTART_NOTES: Final = 6.0
"""A restart disturbs as much as this many wrong notes of middling salience."""

REPEATED_WEIGHT: Final = 1.5
"""A mistake that comes again was learned, not slipped."""

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
"""Signs that stand for the written note and its neighbours, by their MusicXML names."""

_NEIGHBOUR_SEMITONES = 2
_TREMOLO_SIGN = "tremolo"
_ORNAMENT_LEAD_BEAT = 0.25
"""An ornament may begin a little before the beat."""


@dataclass(frozen=True, eq=False)
class NoteErrors:
    """Every judged note of a performance, with the time at which it counts and how much it is heard.

    Attributes
    ----------
    right_sec, right_weight : (K,)
    error_sec, error_weight : (E,)
    kind : (E,) "wrong", "missing", "extra", "skipped" or "restart"
    written, played : (E,) index into the score and into the performance; -1 where there is none
    doubtful : (E,) a missing note that was rather too soft to be heard than left out
    repeated : (E,) the same printed note is missed or wrong in another pass as well
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
class _Mistakes:
    """Mistakes of one kind, M of them.

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


def _mistakes(
    kind: str,
    sec: FloatArray,
    weight: FloatArray,
    *,
    written: IntArray | None = None,
    played: IntArray | None = None,
    doubtful: BoolArray | None = None,
) -> _Mistakes:
    """Mistakes of one kind; what is not given, they do not have."""
    none = np.full(len(sec), -1)
    return _Mistakes(
        kind=kind,
        sec=sec,
        weight=weight,
        written=none if written is None else written,
        played=none if played is None else played,
        doubtful=np.zeros(len(sec), dtype=bool) if doubtful is None else doubtful,
    )


def find_note_errors(evidence: Evidence) -> NoteErrors:
    """Tell right notes from mistakes, and weigh both.

    Ornaments, the notes of rolled chords and those of tries that were given up are no mistakes, but a key
    that is brushed along with a note of an ornament is; each try that was given up is one mistake of its own,
    and a passage that was skipped is missing. Where the keys were read off the sound, a missing note counts
    by how likely it is that it was not just too soft to be heard (`audibility`).

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
    left_out = _chance_left_out(evidence, found.missing)
    adorns = realises_ornament(alignment, found.extra) & ~is_brushed(
        found.extra, performance.onset_sec, performance.pitch, performance.velocity
    )
    extra = found.extra[~adorns]
    mistakes = [
        _mistakes(
            "wrong",
            played_sec[found.wrong[:, 1]],
            due[found.wrong[:, 0]],
            written=found.wrong[:, 0],
            played=found.wrong[:, 1],
        ),
        _mistakes(
            "missing",
            alignment.due_sec(found.missing),
            due[found.missing] * left_out,
            written=found.missing,
            doubtful=left_out < 0.5,
        ),
        _mistakes("extra", played_sec[extra], played_salience(performance)[extra], played=extra),
        _skipped(alignment, due),
        _restarts(alignment, RESTART_NOTES * float(due.mean())),
    ]
    right = found.right
    return _joined(alignment.score, mistakes, played_sec[right[:, 1]], due[right[:, 0]])


def _joined(
    score: Score, mistakes: Sequence[_Mistakes], right_sec: FloatArray, right_weight: FloatArray
) -> NoteErrors:
    """All mistakes, one kind after the other; those that come again weigh more."""
    written = np.concatenate([one.written for one in mistakes])
    repeated = _repeated(score, written)
    weight = np.concatenate([one.weight for one in mistakes])
    return NoteErrors(
        right_sec=right_sec,
        right_weight=right_weight,
        error_sec=np.concatenate([one.sec for one in mistakes]),
        error_weight=weight * np.where(repeated, REPEATED_WEIGHT, 1.0),
        kind=tuple(one.kind for one in mistakes for _ in one.sec),
        written=written,
        played=np.concatenate([one.played for one in mistakes]),
        repeated=repeated,
        doubtful=np.concatenate([one.doubtful for one in mistakes]),
    )


def _chance_left_out(evidence: Evidence, missing: IntArray) -> FloatArray:
    """(M,) how likely missing notes were not played: from keys surely, by ear they may have been too soft."""
    alignment, performance = evidence.alignment, evidence.performance
    if alignment is None or not evidence.is_transcribed:
        return np.ones(len(missing))
    told = alignment.match[:, 1]
    return left_out_chance(
        alignment.due_sec(missing),
        alignment.score.pitch[missing],
        performance.onset_sec[told],
        performance.pitch[told],
        performance.velocity[told],
    )


def _skipped(alignment: Alignment, due: FloatArray) -> _Mistakes:
    """Written notes that were passed over, at the second at which each passage was."""
    onset = alignment.score.onset_beat
    notes: list[IntArray] = [np.zeros(0, dtype=np.int64)]
    seconds = [np.zeros(0)]
    for skip in alignment.skips:
        left = (onset >= skip.start_beat - _SAME_BEAT) & (onset <= skip.end_beat + _SAME_BEAT)
        inside = np.intersect1d(np.flatnonzero(left), alignment.unplayed)
        notes.append(inside)
        seconds.append(np.full(len(inside), skip.at_sec))
    note = np.concatenate(notes)
    return _mistakes("skipped", np.concatenate(seconds), due[note], written=note)


def _restarts(alignment: Alignment, weight: float) -> _Mistakes:
    """Tries that were given up, each where the new one begins."""
    tries = alignment.retries
    return _mistakes(
        "restart",
        np.array([retry.end_sec for retry in tries]),
        np.full(len(tries), weight),
        played=np.array([retry.first_note for retry in tries], dtype=np.int64),
    )


def _repeated(score: Score, written: IntArray) -> BoolArray:
    """Which errors concern a printed note that is in error more than once: it was learned wrong."""
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
    """Which extra notes are the written-out form of an ornament sign."""
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

"""Whether the mistakes that were planted are the mistakes that are found."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from tocco.music.alignment import Alignment
from tocco.music.corruption import Corruption
from tocco.music.performance import Performance
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.raters.note_errors import find_note_errors
from tocco.schema import StrictModel

ERROR_KINDS: Final = ("wrong_notes", "missing_notes", "extra_notes", "doubled_notes")

SAME_KEY_SEC: Final = 0.35
"""Of two strokes of one key so near to each other either may be called the added one. By the key, of two
written notes so near either may be called the missing one: nothing but its time tells which one failed."""

RESTARTS: Final = "restarts"

Marks = set[tuple[str, int]]


class Detection(StrictModel):
    """How many planted mistakes were found, and how many of those found were planted.

    A wrong note makes two marks, the written note that is missing and the key that was struck; missing
    and added notes make one. A mark that was there before anything was planted counts neither way. Each mark
    stands for one other at most.
    """

    kind: str
    """Of the corruption."""

    by_key: bool
    """Whether the mark of a written note may stand for one of its key close by; to the very note if not.
    Of two strokes of a key so close either may be called the added one in any case."""

    n_planted: int
    """Marks planted."""

    n_found: int
    """Of these, marks found."""

    n_claimed: int
    """Marks found that were not there before."""

    n_true: int
    """Of these, marks that were planted."""


def marks_of(performance: Performance, alignment: Alignment) -> Marks:
    """The marks of the mistakes that the note-accuracy rater counts: ("written", note), ("played", note)."""
    errors = find_note_errors(Evidence(performance, alignment))
    marks: Marks = set()
    for kind, written, played in zip(errors.kind, errors.written, errors.played, strict=True):
        if kind == "restart":
            continue
        if written >= 0:
            marks.add(("written", int(written)))
        if played >= 0:
            marks.add(("played", int(played)))
    return marks


def planted_marks(clean: Alignment, corruption: Corruption) -> Marks:
    """The marks that a corruption planted, where the clean note belonged to a written one."""
    written_of = dict(zip(clean.match[:, 1].tolist(), clean.match[:, 0].tolist(), strict=True))
    marks: Marks = set()
    for edit in corruption.edits:
        if edit.kind in ("wrong", "missing", "dropped") and edit.old_note in written_of:
            marks.add(("written", written_of[edit.old_note]))
        if edit.kind in ("extra", "doubled") or (edit.kind == "wrong" and edit.old_note in written_of):
            marks.add(("played", edit.new_note))
    return marks


def detect(
    performance: Performance,
    clean: Alignment,
    corruption: Corruption,
    found: Alignment,
    *,
    by_key: bool = False,
) -> Detection:
    """Compare what was planted with what was found.

    Parameters
    ----------
    performance, clean : before the corruption
    corruption
    found : alignment of the corrupted performance with the same reading of the score
    by_key
        Let the mark of a written note stand for one of the same key within 0.35 s, also in the stead of one
        that was there before. To the very note if not.
    """
    before: Marks = set()
    for side, note in marks_of(performance, clean):
        moved = note if side == "written" else int(corruption.new_of_old[note])
        if moved >= 0:
            before.add((side, moved))
    planted = planted_marks(clean, corruption) - before
    claimed = marks_of(corruption.performance, found)
    gone, claimed = before - claimed, claimed - before
    meets = _Meeting(corruption.performance, found, by_key)
    true = meets.paired(claimed, planted)
    kept = meets.paired(claimed - true, gone) if by_key else set()
    return Detection(
        kind=corruption.name,
        by_key=by_key,
        n_planted=len(planted),
        n_found=len(true),
        n_claimed=len(claimed) - len(kept),
        n_true=len(true),
    )


def detect_restarts(
    performance: Performance,
    clean: Alignment,
    corruption: Corruption,
    found: Alignment,
    *,
    by_key: bool = False,
) -> Detection:
    """Compare planted restarts with those found; a note of a first try called a mistake is a false claim."""
    onset = corruption.performance.onset_sec
    tries = [(float(onset[r.first_note]), float(onset[r.last_note])) for r in found.retries]
    planted = [(span.start_sec, span.end_sec) for span in corruption.spans if span.kind == "restart"]

    def meet(one: tuple[float, float], other: tuple[float, float]) -> bool:
        return one[0] <= other[1] and other[0] <= one[1]

    true = sum(any(meet(attempt, span) for span in planted) for attempt in tries)
    notes = detect(performance, clean, corruption, found, by_key=by_key)
    return Detection(
        kind=corruption.name,
        by_key=by_key,
        n_planted=len(planted),
        n_found=sum(any(meet(attempt, span) for attempt in tries) for span in planted),
        n_claimed=len(tries) + notes.n_claimed,
        n_true=true,
    )


class _Meeting:
    """Which marks of one alignment mean the same."""

    def __init__(self, performance: Performance, found: Alignment, by_key: bool) -> None:
        self._sides = ("written", "played") if by_key else ("played",)
        due_sec = found.due_sec(np.arange(len(found.score)))
        self._sec = {"written": due_sec, "played": performance.onset_sec}
        self._pitch = {"written": found.score.pitch, "played": performance.pitch}

    def paired(self, marks: Marks, others: Marks) -> Marks:
        """The marks that are among the others, or stand for one of the same key close by; one for one."""
        same = marks & others
        found = set(same)
        by_key: dict[tuple[str, int], tuple[list[int], list[int]]] = {}
        for which, rest in enumerate((marks - same, others - same)):
            for side, note in sorted(mark for mark in rest if mark[0] in self._sides):
                key = (side, int(self._pitch[side][note]))
                by_key.setdefault(key, ([], []))[which].append(note)
        for (side, _), (own, other) in by_key.items():
            apart_sec = np.abs(self._sec[side][own][:, None] - self._sec[side][other])
            # Rather more pairs than nearer ones.
            cost = np.where(apart_sec <= SAME_KEY_SEC, apart_sec, SAME_KEY_SEC * (1 + apart_sec.size))
            rows, columns = linear_sum_assignment(cost)
            found |= {
                (side, own[i]) for i, j in zip(rows, columns, strict=True) if apart_sec[i, j] <= SAME_KEY_SEC
            }
        return found


def precision_recall(detections: list[Detection]) -> tuple[float, float]:
    """Precision and recall over several excerpts, by marks; NaN where nothing was claimed or planted."""
    claimed = sum(d.n_claimed for d in detections)
    planted = sum(d.n_planted for d in detections)
    precision = sum(d.n_true for d in detections) / claimed if claimed else float("nan")
    recall = sum(d.n_found for d in detections) / planted if planted else float("nan")
    return precision, recall

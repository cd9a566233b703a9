"""Detection of planted note errors."""

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
"""Of two notes of one key this close in time, either may be reported as the added one. By key, of two written
notes this close, either may be reported as the missing one, since only its time distinguishes them."""

RESTARTS: Final = "restarts"

Marks = set[tuple[str, int]]


class Detection(StrictModel):
    """How many planted note errors were found, and how many of those found were planted.

    A wrong note makes two marks, the missing written note and the played key; missing and added notes make
    one. Marks that existed before anything was planted are not counted. Marks are matched one to one.
    """

    kind: str
    """Kind of corruption."""

    by_key: bool
    """Whether the mark of a written note matches one of the same key close by, or only that of the same note.
    Of two played notes of a key, either may be reported as the added one in any case."""

    n_planted: int
    """Marks planted."""

    n_found: int
    """Planted marks that were found."""

    n_claimed: int
    """Marks found that did not exist before."""

    n_true: int
    """Marks found that were planted."""


def marks_of(performance: Performance, alignment: Alignment) -> Marks:
    """Marks of the errors that the note-accuracy rater counts: ("written", note), ("played", note)."""
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
    """Marks that a corruption planted, where the uncorrupted note was matched to a written one."""
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
    """Compare planted with detected note errors.

    Parameters
    ----------
    performance, clean : before the corruption
    corruption
    found : alignment of the corrupted performance with the same reading of the score
    by_key
        Match the mark of a written note to one of the same key within 0.35 s, including marks that existed
        before; otherwise only to that of the same note.
    """
    before: Marks = set()
    for side, note in marks_of(performance, clean):
        moved = note if side == "written" else int(corruption.new_of_old[note])
        if moved >= 0:
            before.add((side, moved))
    planted = planted_marks(clean, corruption) - before
    claimed = marks_of(corruption.performance, found)
    gone, claimed = before - claimed, claimed - before
    matcher = _MarkMatcher(corruption.performance, found, by_key)
    true = matcher.paired(claimed, planted)
    moved_marks = matcher.paired(claimed - true, gone) if by_key else set()
    return Detection(
        kind=corruption.name,
        by_key=by_key,
        n_planted=len(planted),
        n_found=len(true),
        n_claimed=len(claimed) - len(moved_marks),
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
    """Compare planted with detected restarts; a note of the first attempt reported as an error is false."""
    onset = corruption.performance.onset_sec
    attempts = [(float(onset[r.first_note]), float(onset[r.last_note])) for r in found.retries]
    planted = [(span.start_sec, span.end_sec) for span in corruption.spans if span.kind == "restart"]

    def overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
        return one[0] <= other[1] and other[0] <= one[1]

    true = sum(any(overlap(attempt, span) for span in planted) for attempt in attempts)
    notes = detect(performance, clean, corruption, found, by_key=by_key)
    return Detection(
        kind=corruption.name,
        by_key=by_key,
        n_planted=len(planted),
        n_found=sum(any(overlap(attempt, span) for attempt in attempts) for span in planted),
        n_claimed=len(attempts) + notes.n_claimed,
        n_true=true,
    )


class _MarkMatcher:
    """Matches marks that denote the same error."""

    def __init__(self, performance: Performance, found: Alignment, by_key: bool) -> None:
        self._sides = ("written", "played") if by_key else ("played",)
        due_sec = found.due_sec(np.arange(len(found.score)))
        self._sec = {"written": due_sec, "played": performance.onset_sec}
        self._pitch = {"written": found.score.pitch, "played": performance.pitch}

    def paired(self, marks: Marks, others: Marks) -> Marks:
        """Marks that equal one of the others, or match one of the same key close by, one to one."""
        same = marks & others
        found = set(same)
        by_key: dict[tuple[str, int], tuple[list[int], list[int]]] = {}
        for which, rest in enumerate((marks - same, others - same)):
            for side, note in sorted(mark for mark in rest if mark[0] in self._sides):
                key = (side, int(self._pitch[side][note]))
                by_key.setdefault(key, ([], []))[which].append(note)
        for (side, _), (own, other) in by_key.items():
            apart_sec = np.abs(self._sec[side][own][:, None] - self._sec[side][other])
            # More pairs are preferred to nearer ones.
            cost = np.where(apart_sec <= SAME_KEY_SEC, apart_sec, SAME_KEY_SEC * (1 + apart_sec.size))
            rows, columns = linear_sum_assignment(cost)
            found |= {
                (side, own[i]) for i, j in zip(rows, columns, strict=True) if apart_sec[i, j] <= SAME_KEY_SEC
            }
        return found


def precision_recall(detections: list[Detection]) -> tuple[float, float]:
    """Precision and recall of marks over several excerpts; NaN where nothing was found or planted."""
    claimed = sum(d.n_claimed for d in detections)
    planted = sum(d.n_planted for d in detections)
    precision = sum(d.n_true for d in detections) / claimed if claimed else float("nan")
    recall = sum(d.n_found for d in detections) / planted if planted else float("nan")
    return precision, recall

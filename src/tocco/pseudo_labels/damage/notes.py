"""Damage to the notes: wrong, missing and added ones, and restarts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from tocco.pseudo_labels.damage.reading import Reading, root_mean_square
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.raters.note_errors import NoteErrors, find_note_errors
from tocco.units import BoolArray, IntArray

KIND_WEIGHT: Final[Mapping[str, float]] = MappingProxyType(
    {"wrong": 1.0, "missing": 0.3, "skipped": 0.3, "extra": 0.3, "restart": 1.0}
)
"""What an error counts, times its salience; the salience of a restart is that of six notes."""

STRETCH_NOTES: Final = 40
"""Written notes of a stretch; the rates of the stretches are averaged by their squares."""

GHOST_SEMITONES: Final = (12, 19, 24, 28, 31)
GHOST_SEC: Final = 0.06
DOUBLED_SEC: Final = 0.09
"""A transcriber reports partials of a sound as notes struck with it, and a sound twice."""


def measure_note_errors(evidence: Evidence) -> Reading | str:
    """Weighted errors for each written note that was due, root mean square over stretches of the music."""
    if evidence.alignment is None:
        return evidence.why_unwritten()
    errors = evidence.once(find_note_errors)
    weight = errors.error_weight * np.array([KIND_WEIGHT[kind] for kind in errors.kind])
    if evidence.is_transcribed:
        weight = np.where(_is_ghost(evidence, errors), 0.0, weight)
    is_due = np.isin(errors.kind, ("wrong", "missing", "skipped"))
    due_sec = np.concatenate((errors.right_sec, errors.error_sec[is_due]))
    due = np.concatenate((errors.right_weight, errors.error_weight[is_due]))
    if not len(due):
        return evidence.why_unwritten()
    stretch_end = _stretch_ends(due_sec)
    of_due = np.searchsorted(stretch_end, due_sec, side="left")
    of_error = np.searchsorted(stretch_end, errors.error_sec, side="left")
    n = len(stretch_end) + 1
    due_of, lost_of = np.bincount(of_due, due, n), np.bincount(of_error, weight, n)
    used = due_of > 0.0
    rate = lost_of[used] / due_of[used]
    return Reading(root_mean_square(rate, due_of[used].astype(float)), errors.error_sec, weight)


def _stretch_ends(due_sec: np.ndarray) -> np.ndarray:
    """Seconds at which all stretches but the last one end."""
    ordered = np.sort(due_sec)
    n = max(len(ordered) // STRETCH_NOTES, 1)
    return ordered[np.arange(1, n) * len(ordered) // n - 1]


def _is_ghost(evidence: Evidence, errors: NoteErrors) -> BoolArray:
    """(E,) which errors are notes that a transcriber adds to a right one."""
    performance, alignment = evidence.performance, evidence.alignment
    assert alignment is not None
    right: IntArray = alignment.match[:, 1]
    right_sec, right_pitch = performance.onset_sec[right], performance.pitch[right]
    ghost = np.zeros(len(errors.kind), dtype=bool)
    for k in np.flatnonzero(np.array(errors.kind) == "extra"):
        note = errors.played[k]
        away = np.abs(right_sec - performance.onset_sec[note])
        above = performance.pitch[note] - right_pitch
        is_partial = (away < GHOST_SEC) & np.isin(above, GHOST_SEMITONES)
        ghost[k] = bool((is_partial | ((away < DOUBLED_SEC) & (above == 0))).any())
    return ghost

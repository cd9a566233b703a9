"""The performance without its note errors.

A wrong note under the pedal is dissonant with the sustained sound, but it is already rated as a wrong note.
Pedalling is therefore rated on the remaining notes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.raters.note_errors import find_note_errors
from tocco.units import IntArray


@dataclass(frozen=True, eq=False)
class WithoutNoteErrors:
    """A performance without note errors.

    Attributes
    ----------
    evidence : of the remaining notes, on the time axis of the performance
        The original evidence where there is no score, or no wrong or added note.
    note : (M,) index of each of its notes in the performance
    """

    evidence: Evidence
    note: IntArray


def read_without_note_errors(evidence: Evidence) -> WithoutNoteErrors:
    """Remove wrong and added notes; ornaments and abandoned attempts stay."""
    performance, alignment = evidence.performance, evidence.alignment
    every = WithoutNoteErrors(evidence, np.arange(len(performance)))
    if alignment is None:
        return every
    errors = evidence.once(find_note_errors)
    struck = np.isin(errors.kind, ("wrong", "extra"))
    is_correct = np.ones(len(performance), dtype=bool)
    is_correct[errors.played[struck]] = False
    if is_correct.all() or not is_correct.any():
        return every
    note = np.flatnonzero(is_correct)
    only = replace(
        evidence,
        performance=performance.only(is_correct),
        alignment=alignment.window(0.0, float("inf"), note),
    )
    return WithoutNoteErrors(only, note)

"""What a player meant: the performance without the keys that were struck by mistake.

A wrong key under the pedal clashes with whatever rings, and that is told as a wrong note already: how the
foot serves the music is read from the notes that belong to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.raters.note_errors import find_note_errors
from tocco.units import IntArray


@dataclass(frozen=True, eq=False)
class Intended:
    """A performance without mistakes.

    Attributes
    ----------
    evidence : of the notes that were meant, on the clock of the performance
        The evidence itself where there is no score, or no key was struck by mistake.
    note : (M,) index of each of its notes in the performance
    """

    evidence: Evidence
    note: IntArray


def read_intended(evidence: Evidence) -> Intended:
    """Leave out keys struck in place of written ones, and keys added; ornaments and tries given up stay."""
    performance, alignment = evidence.performance, evidence.alignment
    every = Intended(evidence, np.arange(len(performance)))
    if alignment is None:
        return every
    errors = evidence.once(find_note_errors)
    struck = np.isin(errors.kind, ("wrong", "extra"))
    meant = np.ones(len(performance), dtype=bool)
    meant[errors.played[struck]] = False
    if meant.all() or not meant.any():
        return every
    note = np.flatnonzero(meant)
    only = replace(
        evidence, performance=performance.only(meant), alignment=alignment.window(0.0, float("inf"), note)
    )
    return Intended(only, note)

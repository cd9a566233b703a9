"""What was done to a performance to make it worse: the ground truth of a corruption."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from tocco.music.performance import Performance
from tocco.music.time_map import TimeMap
from tocco.units import BoolArray, IntArray

NoteEditKind = Literal[
    "wrong",
    "missing",
    "extra",
    "doubled",
    "given_up",
    "dropped",
    "moved",
    "level",
    "shortened",
    "lengthened",
]
SpanEditKind = Literal[
    "restart",
    "hesitation",
    "dropped_bars",
    "dragged",
    "rushed",
    "uneven_run",
    "pedal_moved",
    "pedal_missing",
    "pedal_held",
]


@dataclass(frozen=True)
class NoteEdit:
    """One note that was changed, taken away or added.

    Attributes
    ----------
    kind
        "wrong": struck on a neighbour key. "missing", "dropped": taken away, alone or with its bar.
        "extra": added beside `old_note`. "doubled": a second strike of `old_note`. "given_up": the
        first try of `old_note`, which is played again. "moved", "level", "shortened", "lengthened":
        the same note at another time, velocity or length.
    old_note : index into the clean performance; for an added note, the one that caused it
    new_note : index into the corrupted performance; -1 where the note is gone
    old_sec : onset of `old_note` on the clean clock
    new_sec : onset of `new_note`, or where the missing one was due, on the corrupted clock
    bar : printed bar name, "" without a score
    """

    kind: NoteEditKind
    old_note: int
    new_note: int
    old_sec: float
    new_sec: float
    bar: str


@dataclass(frozen=True)
class SpanEdit:
    """One stretch of time that was changed.

    Attributes
    ----------
    kind
    start_sec, end_sec : on the corrupted clock
        Of a restart: from the first note given up to the first note played again. Of a hesitation:
        the pause. Of dropped bars: the seam, start and end alike.
    old_start_sec, old_end_sec : on the clean clock
        Of a restart: what is tried twice. Of a hesitation: its place. Of dropped bars: what is gone.
    first_bar, last_bar : printed bar names, "" without a score
    """

    kind: SpanEditKind
    start_sec: float
    end_sec: float
    old_start_sec: float
    old_end_sec: float
    first_bar: str
    last_bar: str


@dataclass(frozen=True, eq=False)
class Corruption:
    """A worse performance, and exactly what makes it worse.

    Attributes
    ----------
    name, severity, unit, target : of the kind; `target` is the dimension that suffers
    performance : the corrupted one; the clean one itself at severity 0
    new_of_old : (N,) index into the corrupted performance of each clean note, -1 where it is gone
        A wrong note stands for the note it replaces; a note played again for the one first tried.
    edits : in order of `new_sec`
    spans : in order of `start_sec`
    time_map : clean seconds to corrupted seconds
        What was put in (pauses, tries given up) is a jump, what was left out a cut. Displacements of
        single notes are no change of clock and stand in `edits`.
    """

    name: str
    severity: float
    unit: str
    target: str
    performance: Performance
    new_of_old: IntArray
    edits: tuple[NoteEdit, ...]
    spans: tuple[SpanEdit, ...]
    time_map: TimeMap

    @property
    def old_of_new(self) -> IntArray:
        """(M,) index into the clean performance of each corrupted note, -1 for an added one."""
        old = np.full(len(self.performance), -1, dtype=np.int64)
        kept = np.flatnonzero(self.new_of_old >= 0)
        old[self.new_of_old[kept]] = kept
        return old

    @property
    def still_right(self) -> BoolArray:
        """(N,) whether each clean note is still played, on its own key."""
        right = self.new_of_old >= 0
        right[[edit.old_note for edit in self.edits if edit.kind == "wrong"]] = False
        return right

    def matches(self, match: IntArray) -> IntArray:
        """The matches with a score that still hold.

        Parameters
        ----------
        match : (K, 2) index into the score, index into the clean performance

        Returns
        -------
        (K', 2) index into the score, index into the corrupted performance
        """
        pairs = np.asarray(match, dtype=np.int64).reshape(-1, 2)
        pairs = pairs[self.still_right[pairs[:, 1]]]
        return np.column_stack((pairs[:, 0], self.new_of_old[pairs[:, 1]]))

    def ground_truth(self) -> dict[str, Any]:
        """The record without the notes themselves, in plain types for a JSON file."""
        return {
            "name": self.name,
            "severity": self.severity,
            "unit": self.unit,
            "target": self.target,
            "n_old": len(self.new_of_old),
            "n_new": len(self.performance),
            "edits": [asdict(edit) for edit in self.edits],
            "spans": [asdict(span) for span in self.spans],
            "new_of_old": self.new_of_old.tolist(),
            "time_map": [self.time_map.old_sec.tolist(), self.time_map.new_sec.tolist()],
        }

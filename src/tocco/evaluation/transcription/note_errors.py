"""Planted note errors, and those that are found in a transcription."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from tocco.data.sources import AlignedPerformance, read_performance
from tocco.errors import MismatchError
from tocco.evaluation.transcription.pairs import Pair, PlantedError
from tocco.inference.note_report import alignment_report
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.observed.transcribed import detection_probability
from tocco.pseudo_labels.raters.note_errors import absent_notes

SAME_SEC: Final = 0.35
"""A found error is a planted one of the same key no further away."""

CLEARLY_HEARD: Final = 0.95
"""A planted error counts where its note, played as the others, would be heard with this probability."""

KINDS: Final = ("wrong", "missing", "extra")

Side = Literal["played", "written"]


@dataclass(frozen=True)
class Mark:
    """One key that is out of place: played and not written, or written and not played."""

    side: Side
    time_sec: float
    pitch: int


@dataclass(frozen=True)
class Counts:
    """Of one recording.

    Attributes
    ----------
    planted, found : marks that were planted, and those of them that were found
    claimed : marks that were found and were not there before anything was planted
    notes : that were played
    """

    planted: int
    found: int
    claimed: int
    notes: int


def count_errors(pair: Pair, folder: Path) -> Counts | None:
    """Planted and found marks of a recording; None where its score is not found in its transcription."""
    try:
        clean = read_performance(pair.clean_midi(folder), pair.score)
        heard = read_performance(pair.heard_midi(folder), pair.score, origin="transcribed")
    except MismatchError:
        return None
    before, found = marks_found(clean), marks_found(heard)
    planted = [mark for error in pair.errors if is_clearly_heard(error) for mark in marks_of(error)]
    claimed = unpaired(found, before)
    true = len(planted) - len(unpaired(planted, claimed))
    softly = [mark for error in pair.errors if not is_clearly_heard(error) for mark in marks_of(error)]
    claimed = unpaired(claimed, softly)
    return Counts(len(planted), true, len(claimed), len(clean.performance))


def is_clearly_heard(error: PlantedError) -> bool:
    """Whether a note of that velocity would be heard, almost surely."""
    return bool(detection_probability(np.array(error.velocity)) >= CLEARLY_HEARD)


def marks_of(error: PlantedError) -> list[Mark]:
    """A wrong note makes two marks, a missing or an extra one makes one."""
    marks = []
    if error.pitch is not None:
        marks.append(Mark("played", error.time_sec, error.pitch))
    if error.written_pitch is not None:
        marks.append(Mark("written", error.time_sec, error.written_pitch))
    return marks


def marks_found(aligned: AlignedPerformance) -> list[Mark]:
    """The marks of the note errors that an assessment names."""
    performance, alignment = aligned.performance, aligned.alignment
    if alignment is None:
        return []
    unheard = absent_notes(Evidence(performance, alignment)).unheard
    report = alignment_report(alignment, performance, unheard)
    marks = []
    for note in (*report.substitution, *report.deletion, *report.insertion):
        if note.played_pitch is not None:
            marks.append(Mark("played", note.time_sec, note.played_pitch))
        if note.expected_pitch is not None:
            marks.append(Mark("written", note.time_sec, note.expected_pitch))
    return marks


def unpaired(marks: Sequence[Mark], others: Iterable[Mark]) -> list[Mark]:
    """The marks that have none of the same key close by among the others; each of these is used once."""
    free = list(others)
    left = []
    for mark in marks:
        near = [
            other
            for other in free
            if (other.side, other.pitch) == (mark.side, mark.pitch)
            and abs(other.time_sec - mark.time_sec) <= SAME_SEC
        ]
        if near:
            free.remove(min(near, key=lambda other: abs(other.time_sec - mark.time_sec)))
        else:
            left.append(mark)
    return left

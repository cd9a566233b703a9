"""Takes for `damage.py`: performances with their alignment, and the grades of those that teachers heard."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tocco.data.pseudo_labelling import with_printed_score
from tocco.data.records import read_labels
from tocco.data.sources import read_performance
from tocco.errors import ToccoError
from tocco.files import file_name, read_names
from tocco.music.alignment import Alignment
from tocco.music.performance import Origin, Performance


@dataclass(frozen=True, eq=False)
class Take:
    """One performance.

    Attributes
    ----------
    name, piece, corpus
    performance, alignment
    grade : mean of the teachers; NaN where nobody graded it
    """

    name: str
    piece: str
    corpus: str
    performance: Performance
    alignment: Alignment
    grade: float = float("nan")


def read_takes(
    labels: Path, pieces: Path | None = None, without: Path | None = None, *, takes: int = 1000
) -> list[Take]:
    """Performances by people, in order of their names; those that match no score are left out, with a line.

    Parameters
    ----------
    labels
    pieces, without : files that name the pieces to use, and not to use
    takes : at most so many of each piece
    """
    named = None if pieces is None else set(map(file_name, read_names(pieces)))
    refused = set() if without is None else set(map(file_name, read_names(without)))
    found: list[Take] = []
    of_piece: dict[str, int] = {}
    for record in sorted(read_labels(labels, must_exist=True), key=lambda one: one.segment_id):
        piece = file_name(record.piece_id)
        outside = (named is not None and piece not in named) or piece in refused
        if outside or record.is_score_rendering or of_piece.get(piece, 0) >= takes:
            continue
        record = with_printed_score(record)
        if record.midi_path is None or record.score_path is None:
            continue
        read = _read(record.midi_path, record.score_path, record.origin)
        if read is not None:
            of_piece[piece] = of_piece.get(piece, 0) + 1
            found.append(Take(record.segment_id, piece, record.source, *read))
    return found


def read_students(table: Path) -> list[Take]:
    """Transcribed takes with the grades of their teachers."""
    found = []
    with table.open(newline="") as lines:
        for row in csv.DictReader(lines):
            read = _read(table.parent / row["midi"], table.parent / row["score"], "transcribed")
            grades = [float(value) for name, value in row.items() if name.startswith("instructor") and value]
            if read is not None:
                found.append(Take(row["id"], row["piece"], "students", *read, float(np.mean(grades))))
    return found


def _read(midi: Path, score: Path, origin: Origin) -> tuple[Performance, Alignment] | None:
    try:
        read = read_performance(midi, score, origin=origin)
    except ToccoError as error:
        print(f"left out: {error}")
        return None
    return None if read.alignment is None else (read.performance, read.alignment)

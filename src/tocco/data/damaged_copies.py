"""Statistics of performances that are damaged on purpose, to learn what damage does to them.

Every copy is made from the notes of a rated performance, aligned anew with its score as a real one would be,
and measured. The kinds that are held out of training are reported apart by the validity suite.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.data.records import LabelRecord
from tocco.data.sources import read_record
from tocco.engines import LocalEngine, Progress
from tocco.errors import InputError, MismatchError
from tocco.music.alignment import Alignment, align_performance_to_score
from tocco.music.corruption import CORRUPTIONS, HELD_OUT_KINDS, corrupt
from tocco.music.performance import Performance
from tocco.music.statistics import performance_statistics
from tocco.units import FloatArray, IntArray

TRAINED_KINDS: Final = tuple(kind for kind in CORRUPTIONS if kind not in HELD_OUT_KINDS)

COPIES: Final = 4
"""Copies of each performance, of different kinds, each at a random step of its ladder."""


@dataclass(frozen=True, eq=False)
class DamagedStatistics:
    """Statistics of the damaged copies of N performances.

    Attributes
    ----------
    statistics : (M, P) in the order of `STATISTICS`, against the score; NaN where missing
    without_score : (M, P) the same, measured without the score
    original : (M,) index of the performance
    kind : (M,) what was done to it
    """

    statistics: FloatArray
    without_score: FloatArray
    original: IntArray
    kind: tuple[str, ...]


@dataclass(frozen=True)
class _Task:
    record: LabelRecord
    copies: int
    seed: int


def damaged_statistics(
    records: Sequence[LabelRecord],
    *,
    copies: int = COPIES,
    seed: int = 0,
    jobs: int = 1,
    progress: Progress | None = None,
) -> DamagedStatistics:
    """Damage each record in `copies` ways, and measure what comes out.

    A kind that cannot be applied (no pedal, no runs) is replaced by another; what was drawn depends on the
    seed and the name of the record alone.

    Raises
    ------
    InputError
        A record has no MIDI, or its files cannot be used.
    """
    tasks = [_Task(record, copies, seed) for record in records]
    found = list(LocalEngine(jobs).map(_damaged, tasks, progress))
    original = [index for index, rows in enumerate(found) for _ in rows]
    rows = [row for rows in found for row in rows]
    return DamagedStatistics(
        statistics=np.stack([with_score for _, with_score, _ in rows]),
        without_score=np.stack([alone for _, _, alone in rows]),
        original=np.array(original, dtype=int),
        kind=tuple(kind for kind, _, _ in rows),
    )


def _damaged(task: _Task) -> list[tuple[str, FloatArray, FloatArray]]:
    record = task.record
    read = read_record(record, refuse_other_score=False)
    digest = hashlib.sha256(record.segment_id.encode()).digest()[:8]
    rng = np.random.default_rng([task.seed, *digest])
    rows: list[tuple[str, FloatArray, FloatArray]] = []
    for kind in rng.permutation(TRAINED_KINDS):
        if len(rows) == task.copies:
            break
        severity = float(rng.choice(CORRUPTIONS[kind].ladder))
        try:
            worse = corrupt(read.performance, kind, severity, rng, alignment=read.alignment).performance
        except InputError:
            continue
        alignment = _aligned_anew(worse, read.alignment)
        with_score = performance_statistics(worse, alignment).values
        rows.append((str(kind), with_score, performance_statistics(worse, None).values))
    return rows


def _aligned_anew(worse: Performance, alignment: Alignment | None) -> Alignment | None:
    if alignment is None:
        return None
    try:
        return align_performance_to_score(worse, alignment.score)
    except MismatchError:
        return None

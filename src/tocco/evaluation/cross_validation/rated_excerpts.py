"""Rated excerpts with what perception learns from: statistics, shortfalls, and damaged copies.

Nothing here depends on how many points a shortfall takes off, so that what is measured is kept when that is
changed.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tocco.cache import Arrays, cached_arrays, content_key
from tocco.data.damaged_copies import damaged_statistics
from tocco.data.records import LabelRecord
from tocco.data.sources import read_record
from tocco.engines import LocalEngine, Progress
from tocco.errors import InputError
from tocco.files import sha256_of
from tocco.inference.shortfalls import Shortfalls, measure_shortfalls
from tocco.models.damage_invariant_ridge import DamagedCopies
from tocco.music.statistics import STATISTICS, performance_statistics
from tocco.pseudo_labels.damage.catalogue import MEASURES as DAMAGE_MEASURES
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.raters.registry import RATERS
from tocco.rubrics import TOCCO10
from tocco.units import FloatArray, IntArray

NAMES: Final = tuple(one.name for one in TOCCO10.dimensions if one.descriptors)
"""The dimensions that listeners' ratings give."""

SCORE_FREE: Final = tuple(statistic.name for statistic in STATISTICS if not statistic.needs_score)
ALL_STATISTICS: Final = tuple(statistic.name for statistic in STATISTICS)
SHORTFALL_MEASURES: Final = (*RATERS, *DAMAGE_MEASURES)


@dataclass(frozen=True, eq=False)
class Condition:
    """The rated excerpts as they are measured, all with their scores or all without.

    Attributes
    ----------
    statistics : (P,) names
    clean : (N, P) statistics of the excerpts, NaN where missing
    damaged : of their damaged copies
    shortfall : (N, Q) in the order of `SHORTFALL_MEASURES`, NaN where missing
    """

    statistics: tuple[str, ...]
    clean: FloatArray
    damaged: DamagedCopies
    shortfall: FloatArray

    def shortfalls(self) -> list[Shortfalls]:
        """Of every excerpt."""
        return [_shortfalls(row) for row in self.shortfall]

    def only(self, rows: IntArray) -> Condition:
        """Some of the excerpts."""
        return Condition(self.statistics, self.clean[rows], self.damaged.of(rows), self.shortfall[rows])


def _shortfalls(row: FloatArray) -> Shortfalls:
    known = {name: float(value) for name, value in zip(SHORTFALL_MEASURES, row, strict=True)}
    return Shortfalls(
        {name: value for name, value in known.items() if np.isfinite(value)},
        {name: "missing" for name, value in known.items() if not np.isfinite(value)},
    )


@dataclass(frozen=True, eq=False)
class RatedExcerpts:
    """Excerpts in both conditions.

    Attributes
    ----------
    with_score, without_score
    labels : (N, D) rating of `NAMES`
    """

    with_score: Condition
    without_score: Condition
    labels: FloatArray

    @property
    def both(self) -> tuple[Condition, Condition]:
        """With a score, without."""
        return self.with_score, self.without_score


def measure_rated_excerpts(
    records: Sequence[LabelRecord],
    cache_dir: Path,
    *,
    seed: int = 0,
    jobs: int = 1,
    progress: Progress | None = None,
) -> RatedExcerpts:
    """Measure every record and its damaged copies; what an interrupted run measured is read.

    Raises
    ------
    InputError
        A record has no MIDI, lacks a label, or its files cannot be used.
    """
    cache_dir.mkdir(parents=True, exist_ok=True)
    measure = functools.partial(_cached, cache_dir=cache_dir, seed=seed)
    found = list(LocalEngine(jobs).map(measure, records, progress))
    original = np.array([n for n, one in enumerate(found) for _ in one["damaged"]], dtype=int)
    free = [ALL_STATISTICS.index(name) for name in SCORE_FREE]
    table = {name: np.stack([one[name] for one in found]) for name in _PER_RECORD}
    damaged = {name: np.concatenate([one[name] for one in found]) for name in _PER_COPY}
    return RatedExcerpts(
        Condition(
            ALL_STATISTICS,
            table["statistics"],
            DamagedCopies(damaged["damaged"], original),
            table["shortfall"],
        ),
        Condition(
            SCORE_FREE,
            table["statistics_alone"][:, free],
            DamagedCopies(damaged["damaged_alone"][:, free], original),
            table["shortfall_alone"],
        ),
        _labels(records),
    )


_PER_RECORD: Final = ("statistics", "statistics_alone", "shortfall", "shortfall_alone")
_PER_COPY: Final = ("damaged", "damaged_alone")


def _labels(records: Sequence[LabelRecord]) -> FloatArray:
    labels = np.array([[record.labels.get(name, np.nan) for name in NAMES] for record in records])
    lacking = np.flatnonzero(~np.isfinite(labels).all(axis=1))
    if len(lacking):
        raise InputError(
            records[int(lacking[0])].segment_id,
            "lacks a rating",
            allowed=", ".join(NAMES),
            next_step="leave the record out, or rate it",
        )
    return labels


def _cached(record: LabelRecord, *, cache_dir: Path, seed: int) -> dict[str, np.ndarray]:
    files = [path for path in (record.midi_path, record.score_path) if path is not None]
    key = content_key(__name__, [sha256_of(p) for p in files], seed)
    path = cache_dir / f"{record.segment_id}-{key}.safetensors"
    reader = cached_arrays(path, functools.partial(_measured, record, seed))
    return {name: reader.array(name) for name in (*_PER_RECORD, *_PER_COPY)}


def _measured(record: LabelRecord, seed: int) -> Arrays:
    read = read_record(record, refuse_other_score=False)
    copies = damaged_statistics([record], seed=seed)
    return {
        "statistics": performance_statistics(read.performance, read.alignment).values,
        "statistics_alone": performance_statistics(read.performance, None).values,
        "shortfall": _row(measure_shortfalls(Evidence(read.performance, read.alignment))),
        "shortfall_alone": _row(measure_shortfalls(Evidence(read.performance, None))),
        "damaged": copies.statistics,
        "damaged_alone": copies.without_score,
    }


def _row(shortfalls: Shortfalls) -> FloatArray:
    return np.array([shortfalls.of.get(name, np.nan) for name in SHORTFALL_MEASURES])

"""Labels from the ratings of several people: mean, spread and number, with and without their severities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.data.records import LabelRecord
from tocco.errors import InputError
from tocco.labelling.project import Project
from tocco.labelling.severity import fit_severity
from tocco.labelling.store import RatingStore
from tocco.labelling.table import RatingTable, rating_table
from tocco.units import FloatArray

DEBIASED: Final = "experts"
RAW: Final = "experts, raw"
"""Sources of the records."""


@dataclass(frozen=True)
class ConsensusRow:
    """One dimension of one segment.

    Attributes
    ----------
    segment_id, dimension
    n : raters
    mean, sd : of the debiased ratings, points; sd is None for one rater
    raw_mean, raw_sd : of the ratings as given
    """

    segment_id: str
    dimension: str
    n: int
    mean: float
    sd: float | None
    raw_mean: float
    raw_sd: float | None


@dataclass(frozen=True)
class Consensus:
    """Labels of a project.

    Attributes
    ----------
    debiased, raw : a record a segment, in the project's order
    rows : each dimension by itself, with its own number of raters
    n_without : segments of the project, anchors aside, that have no rating that counts
    """

    debiased: tuple[LabelRecord, ...]
    raw: tuple[LabelRecord, ...]
    rows: tuple[ConsensusRow, ...]
    n_without: int


def expert_labels(project: Project, store: RatingStore, *, min_raters: int = 1) -> Consensus:
    """The labels of every rated segment.

    The first rating of each rater counts, certain or not; repetitions and anchors do not. A debiased rating
    is what was given minus the rater's leniency in that dimension (`Severity.shrunk`), held to 0..100.

    Parameters
    ----------
    project, store
    min_raters
        A dimension with fewer ratings has no label.

    Raises
    ------
    InputError
        No rating counts.
    """
    labels = rating_table(store.ratings(), project.settings.dimensions).labels()
    given, debiased = labels.value, _debiased(labels)
    rows = [
        row
        for segment_id in project.segments
        for row in _rows(labels, segment_id, given, debiased)
        if row.n >= min_raters
    ]
    if not rows:
        raise InputError(
            project.folder,
            f"has no segment with {min_raters} or more ratings that count",
            next_step="a rating counts once four fifths of its segment were heard; see `tocco label report`",
        )
    by_segment: dict[str, list[ConsensusRow]] = {}
    for row in rows:
        by_segment.setdefault(row.segment_id, []).append(row)
    n_rated = sum(one.role != "anchor" for one in project.facts.values())
    return Consensus(
        tuple(_record(project, name, of, is_raw=False) for name, of in by_segment.items()),
        tuple(_record(project, name, of, is_raw=True) for name, of in by_segment.items()),
        tuple(rows),
        n_rated - len(by_segment),
    )


def _debiased(labels: RatingTable) -> FloatArray:
    shrunk = fit_severity(labels).shrunk
    return np.clip(labels.value - shrunk[labels.rater, labels.dimension], 0.0, 100.0)


def _rows(
    labels: RatingTable, segment_id: str, given: FloatArray, debiased: FloatArray
) -> list[ConsensusRow]:
    if segment_id not in labels.segments:
        return []
    of_segment = labels.segment == labels.segments.index(segment_id)
    rows = []
    for d, name in enumerate(labels.dimensions):
        of = of_segment & (labels.dimension == d)
        if of.any():
            rows.append(
                ConsensusRow(segment_id, name, int(of.sum()), *_mean_sd(debiased[of]), *_mean_sd(given[of]))
            )
    return rows


def _mean_sd(value: FloatArray) -> tuple[float, float | None]:
    sd = round(float(value.std(ddof=1)), 4) if len(value) > 1 else None
    return round(float(value.mean()), 4), sd


def _record(project: Project, name: str, rows: list[ConsensusRow], *, is_raw: bool) -> LabelRecord:
    mean = {row.dimension: row.raw_mean if is_raw else row.mean for row in rows}
    sd: Mapping[str, float | None] = {row.dimension: row.raw_sd if is_raw else row.sd for row in rows}
    return project.record(name).model_copy(
        update={
            "labels": mean,
            "label_sd": {key: value for key, value in sd.items() if value is not None},
            "n_raters": max(row.n for row in rows),
            "source": RAW if is_raw else DEBIASED,
        }
    )

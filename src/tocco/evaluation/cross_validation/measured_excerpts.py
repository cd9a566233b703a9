"""Measures of rated excerpts, read from their files once."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tocco.cache import Arrays, cached_arrays, content_key
from tocco.data.records import LabelRecord
from tocco.data.sources import read_record
from tocco.data.value_arrays import arrays_of, value_of
from tocco.engines import LocalEngine, Progress
from tocco.evaluation.cross_validation.baselines import feature_matrix
from tocco.evaluation.cross_validation.shallow_models import excerpt_of
from tocco.files import sha256_of
from tocco.music.measures import MEASURES, performance_measures
from tocco.music.midi import ridge_features
from tocco.music.statistics import STATISTICS
from tocco.units import BoolArray, FloatArray

SCORE_FREE: Final = tuple(statistic.name for statistic in STATISTICS if not statistic.needs_score)


@dataclass(frozen=True, eq=False)
class MeasuredExcerpts:
    """Measures of whole excerpts.

    Attributes
    ----------
    measures : (R, M) in the order of `MEASURES`; NaN where missing
    ridge : (R, 10) in the order of `RIDGE_FEATURES`
    score_refusal : (R,) why a record's score is not of the same music; "" where it is, or there is none
    """

    measures: FloatArray
    ridge: FloatArray
    score_refusal: tuple[str, ...]

    @property
    def has_score(self) -> BoolArray:
        """(R,) whether an excerpt has any measure that needs a score."""
        return np.asarray(np.isfinite(self.measures[:, ~IS_SCORE_FREE]).any(axis=1))


def _is_score_free(name: str) -> bool:
    part, _, statistic = name.rpartition(".")
    return statistic in _FREE and part != "score"


_FREE: Final = frozenset(SCORE_FREE)
IS_SCORE_FREE: Final = np.array([_is_score_free(name) for name in MEASURES])


def measure_excerpts(
    records: Sequence[LabelRecord],
    *,
    cache_dir: Path | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> MeasuredExcerpts:
    """Align and measure every record as a whole; a score of other music is not used.

    Parameters
    ----------
    records
    cache_dir : of what is measured; None for nowhere
    jobs, progress

    Raises
    ------
    InputError
        A record has no MIDI, or its files cannot be used.
    """
    measure = functools.partial(_measured, cache_dir=cache_dir)
    found = list(LocalEngine(jobs).map(measure, records, progress))
    return MeasuredExcerpts(
        np.stack([one["measures"] for one in found]),
        np.stack([one["ridge"] for one in found]),
        tuple(value_of("score_refusal", one.__getitem__) for one in found),
    )


def _measured(record: LabelRecord, cache_dir: Path | None) -> Arrays:
    if cache_dir is None:
        return _excerpt_arrays(record)
    cache_dir.mkdir(parents=True, exist_ok=True)
    files = [sha256_of(path) for path in (record.midi_path, record.score_path) if path is not None]
    settings = (record.start_time, record.end_time, record.origin, record.score_path is not None)
    path = cache_dir / f"{record.segment_id}-{content_key(__name__, *settings, *files)}.safetensors"
    read = cached_arrays(path, functools.partial(_excerpt_arrays, record))
    return {name: read.array(name) for name in ("measures", "ridge", "score_refusal")}


def _excerpt_arrays(record: LabelRecord) -> Arrays:
    read = read_record(record, refuse_other_score=False)
    performance, alignment = excerpt_of(record, read.performance, read.alignment)
    return {
        "measures": performance_measures(performance, alignment),
        "ridge": feature_matrix([ridge_features(performance)])[0],
        **arrays_of(read.score_refusal, "score_refusal"),
    }

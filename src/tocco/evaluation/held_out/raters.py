"""Ratings of single raters, which range accuracy and its ceiling need."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from tocco.errors import InputError
from tocco.files import read_text
from tocco.metrics import rater_table
from tocco.rubrics import TARGETS
from tocco.units import FloatArray

RATINGS_FILE: Final = "ratings.jsonl"
"""What an importer of a corpus writes beside `labels.jsonl`: one line a rater and segment."""

_RATER: Final = "__rater"


def rater_ratings(labels: Path, segment_ids: Sequence[str]) -> FloatArray | None:
    """Ratings of every rater, from the file beside a label file.

    Parameters
    ----------
    labels
        The label file.
    segment_ids : N of them

    Returns
    -------
    (N, D, R) rating in the order of `TARGETS`, NaN where missing; None where there is no such file, or no
    rating of these segments in it

    Raises
    ------
    InputError
        A line of the file is no record of a rating.
    """
    path = labels.parent / RATINGS_FILE
    if not path.is_file():
        return None
    wanted = set(segment_ids)
    segments: list[str] = []
    values: list[list[float]] = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            segment = str(row["segment_id"]).rpartition(_RATER)[0]
            if segment in wanted:
                values.append([float(row["labels"].get(name, np.nan)) for name in TARGETS])
                segments.append(segment)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{path}, line {number}", "is no rating of one rater", next_step="import the corpus again"
            ) from error
    if not values:
        return None
    table = np.array(values)
    columns = [rater_table(segment_ids, segments, table[:, d]) for d in range(len(TARGETS))]
    widest = max(column.shape[1] for column in columns)
    found = np.full((len(segment_ids), len(TARGETS), widest), np.nan)
    for d, column in enumerate(columns):
        found[:, d, : column.shape[1]] = column
    return found

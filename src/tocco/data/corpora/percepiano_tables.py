"""Tables of PercePiano: descriptors, segments, and rating events."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from tocco.data.corpora.corpus import read_table
from tocco.errors import InputError
from tocco.rubrics import DESCRIPTORS, dimensions_from_descriptors

HIGHEST_ANSWER: Final = 7.0

Votes = Mapping[tuple[str, str], Mapping[str, float]]
"""(segment, rater) -> descriptor or dimension -> rating in points."""


def rows(path: Path, required: Iterable[str]) -> list[dict[str, str]]:
    """Read a table that has at least these columns."""
    return [row for _, row in read_table(path, required)]


def axis_columns(path: Path) -> tuple[str, ...]:
    """Descriptors in the spelling of the source. Checked, since a widely copied list is shifted by one."""
    listed = sorted(rows(path, ["index", "name"]), key=lambda row: int(row["index"]))
    columns = tuple(row["name"] for row in listed)
    for position, (column, descriptor) in enumerate(zip(columns, DESCRIPTORS, strict=False)):
        if column.lower() != descriptor:
            raise InputError(path, f"has {column!r} at index {position}", allowed=descriptor)
    if len(columns) != len(DESCRIPTORS):
        raise InputError(path, f"has {len(columns)} axes", allowed=str(len(DESCRIPTORS)))
    return columns


def by_segment(path: Path, required: Sequence[str]) -> dict[str, dict[str, str]]:
    """Row of every segment; repeated segments are refused."""
    table: dict[str, dict[str, str]] = {}
    for row in rows(path, ["segment_id", *required]):
        segment = row["segment_id"]
        if segment in table:
            raise InputError(path, f"has segment {segment!r} twice")
        table[segment] = row
    return table


def number(path: Path, row: Mapping[str, str], column: str, low: float, high: float) -> float:
    """Parse a cell as a number within a range; the error names segment and column."""
    try:
        value = float(row[column])
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise InputError(
            path,
            f"{column} of {row['segment_id']!r} is {row[column]!r}",
            allowed=f"{low:g} to {high:g}",
        )
    return value


def rater_votes(path: Path, columns: Sequence[str]) -> tuple[Votes, int]:
    """Ratings of each rater and segment.

    Each rater has the same weight: repeated answers of one rater for a segment are averaged first. An
    answer of 0 is missing, and a dimension is rated by those who answered all of its descriptors.

    Returns
    -------
    (segment, rater) -> name -> points, in order of segment and rater; and the count of invalid rows
    """
    answers: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    n_invalid = 0
    for row in rows(path, ["segment_id", "rater", "valid", *columns]):
        if row["valid"] != "1":
            n_invalid += 1
            continue
        for column in columns:
            answer = number(path, row, column, 0.0, HIGHEST_ANSWER) if row[column] else 0.0
            if answer > 0.0:
                answers[row["segment_id"], row["rater"]][column.lower()].append(answer)
    votes: dict[tuple[str, str], dict[str, float]] = {}
    for key, by_axis in sorted(answers.items()):
        axes = {axis: 100.0 * statistics.fmean(given) / HIGHEST_ANSWER for axis, given in by_axis.items()}
        votes[key] = axes | dimensions_from_descriptors(axes)
    return votes, n_invalid


def composite_sd(votes: Votes) -> dict[str, dict[str, float]]:
    """Standard deviation between raters for each dimension that combines several descriptors.

    Returns
    -------
    segment -> dimension -> sample standard deviation in points
    """
    given: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for (segment, _), ratings in votes.items():
        for name, value in ratings.items():
            if name not in DESCRIPTORS:
                given[segment][name].append(value)
    return {
        segment: {name: statistics.stdev(values) for name, values in by_name.items() if len(values) > 1}
        for segment, by_name in given.items()
    }

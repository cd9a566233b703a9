"""One assessment of the suite: the ratings that a user would see."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Literal

from tocco.cache import Keyed
from tocco.inference.assessment import Assessment
from tocco.rubrics import DIMENSIONS
from tocco.schema import StrictModel

Modality = Literal["keys_score", "keys", "transcribed_score", "sound"]
"""What is given: notes of the keys with the score; without it; through a transcriber with it; a recording
with notes and score."""

RowPart = Literal["clean", "damage", "invariance", "deadpan", "graded", "abstention"]


class Row(StrictModel):
    """One file that was assessed."""

    part: RowPart
    take: str
    piece: str
    kind: str
    """Damage, change, or sort of playing; "" for an undamaged excerpt."""

    step: int
    """Of five; 0 where there is no severity."""

    modality: Modality
    ratings: dict[str, float]
    """Dimension -> 0 to 100; what is missing is absent."""

    width: dict[str, float]
    """Dimension -> width of its 90 % interval, in points."""

    low: dict[str, float]
    """Dimension -> lower end of its interval."""

    aggregate: float | None
    abstained: bool
    refusal: str | None
    """Why the file was refused; null where it was assessed."""


class CaseRows(Keyed):
    """The rows of one case."""

    part: RowPart
    rows: tuple[Row, ...]
    inapplicable: str | None = None
    """Why the case does not apply to its take."""


class RowName(StrictModel):
    """Which row it is."""

    part: RowPart
    take: str
    piece: str
    kind: str = ""
    step: int = 0
    modality: Modality


def assessed(name: RowName, assessment: Assessment) -> Row:
    """The row of an assessment."""
    rated = {n: r for n, r in assessment.ratings.items() if r.value is not None}
    ends = {n: r.interval_90 for n, r in rated.items() if r.interval_90 is not None}
    return Row(
        **name.model_dump(),
        ratings={n: round(float(r.value or 0.0), 3) for n, r in rated.items()},
        width={n: round(high - low, 3) for n, (low, high) in ends.items()},
        low={n: round(low, 3) for n, (low, _) in ends.items()},
        aggregate=assessment.aggregate.value,
        abstained=assessment.abstained,
        refusal=None,
    )


def refused(name: RowName, reason: str) -> Row:
    """The row of a file that was refused."""
    return Row(
        **name.model_dump(),
        ratings={},
        width={},
        low={},
        aggregate=None,
        abstained=False,
        refusal=reason,
    )


COLUMNS = (
    "part",
    "take",
    "piece",
    "kind",
    "step",
    "modality",
    *DIMENSIONS,
    "aggregate",
    "abstained",
    "refusal",
)


def rows_table(rows: Iterable[Row]) -> str:
    """Text of `rows.csv`; a missing rating is an empty cell."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        ratings = [_cell(row.ratings.get(name)) for name in DIMENSIONS]
        named = (row.part, row.take, row.piece, row.kind, row.step, row.modality)
        silence = ("yes" if row.abstained else "", row.refusal or "")
        writer.writerow([*named, *ratings, _cell(row.aggregate), *silence])
    return stream.getvalue()


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"

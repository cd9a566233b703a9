"""What a jury said: marks, votes between two performances, and who may not judge whom."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from tocco.csv_table import Row, Table, read_table
from tocco.errors import InputError, short
from tocco.units import FloatArray

HIGHEST_MARK: Final = 1000.0
"""Marks may be on any scale from 0 up to here; each juror's are compared among themselves only."""

LONG: Final = ("juror", "performance", "mark")
OWN: Final = "own_student"
VOTES: Final = ("juror", "better", "worse")
_PERFORMANCES: Final = "the performances that are ranked"


@dataclass(frozen=True)
class Mark:
    """A juror's mark of one performance."""

    juror: str
    performance: str
    value: float


@dataclass(frozen=True)
class Vote:
    """A juror's comparison of two performances; the order has no meaning where they are tied."""

    juror: str
    better: str
    worse: str
    is_tie: bool = False


@dataclass(frozen=True)
class Recusal:
    """A juror who may not judge a performance, such as that of an own student."""

    juror: str
    performance: str


@dataclass(frozen=True)
class Jury:
    """Everything that a jury said.

    Attributes
    ----------
    marks, votes, recusals
    """

    marks: tuple[Mark, ...] = ()
    votes: tuple[Vote, ...] = ()
    recusals: frozenset[Recusal] = field(default_factory=frozenset)

    @property
    def jurors(self) -> tuple[str, ...]:
        """Those who marked or voted, in the order in which they first did."""
        return tuple(dict.fromkeys([one.juror for one in (*self.marks, *self.votes)]))


def mark_table(marks: Sequence[Mark], jurors: Sequence[str], performances: Sequence[str]) -> FloatArray:
    """(J, N) marks, NaN where a juror gave none; marks of other performances are left out."""
    row = {name: k for k, name in enumerate(jurors)}
    column = {name: k for k, name in enumerate(performances)}
    table = np.full((len(jurors), len(performances)), np.nan)
    for one in marks:
        if one.performance in column:
            table[row[one.juror], column[one.performance]] = one.value
    return table


def read_marks(path: Path, performances: Collection[str]) -> Jury:
    """Read marks: a row a mark, or a row a performance with a column a juror.

    Parameters
    ----------
    path
        A CSV with the columns juror, performance and mark, and own_student (yes or no) if wanted. Or
        with the column performance and one column a juror, named after that juror. An empty cell is
        no mark.
    performances : names that may be marked

    Raises
    ------
    InputError
        Names the file, the line and the value.
    """
    table = read_table(path)
    is_long = "mark" in table.columns or "juror" in table.columns
    found = _long(table, performances) if is_long else _wide(table, performances)
    if not found.marks and not found.recusals:
        raise InputError(path, "has no marks", allowed="one mark or more")
    return found


def read_votes(path: Path, performances: Collection[str]) -> Jury:
    """Read votes: a CSV with the columns juror, better, worse, and tie (yes or no) if wanted.

    Raises
    ------
    InputError
        Names the file, the line and the value.
    """
    table = read_table(path)
    table.require(VOTES, ("tie",))
    votes = []
    for row in table.rows:
        better, worse = (row.known(name, performances, _PERFORMANCES) for name in VOTES[1:])
        if better == worse:
            raise InputError(
                row.subject, f"better and worse are both {short(better)}", allowed="two performances",
                next_step="correct this line",
            )  # fmt: skip
        votes.append(Vote(row.filled("juror"), better, worse, row.is_yes("tie")))
    return Jury(votes=tuple(votes))


def read_recusals(path: Path, performances: Collection[str], jurors: Collection[str]) -> frozenset[Recusal]:
    """Read who may not judge whom: a CSV with the columns juror and performance.

    Raises
    ------
    InputError
        A juror gave no mark and no vote, so that a slip of the pen cannot undo a recusal; or as above.
    """
    table = read_table(path)
    table.require(("juror", "performance"))
    return frozenset(
        Recusal(
            row.known("juror", jurors, "a juror who marked or voted"),
            row.known("performance", performances, _PERFORMANCES),
        )
        for row in table.rows
    )


def _long(table: Table, performances: Collection[str]) -> Jury:
    table.require(LONG, (OWN,))
    first: dict[tuple[str, str], str] = {}
    marks, recusals = [], set()
    for row in table.rows:
        juror, performance = row.filled("juror"), row.known("performance", performances, _PERFORMANCES)
        earlier = first.setdefault((juror, performance), row.subject)
        if earlier != row.subject:
            raise InputError(
                row.subject,
                f"{short(juror)} marks {short(performance)} again, after {earlier.rpartition(', ')[2]}",
                allowed="one mark by a juror for a performance",
                next_step="remove one of the two",
            )
        if row.is_yes(OWN):
            recusals.add(Recusal(juror, performance))
        if row.cells["mark"]:
            marks.append(Mark(juror, performance, _value(row, "mark")))
    return Jury(tuple(marks), recusals=frozenset(recusals))


def _wide(table: Table, performances: Collection[str]) -> Jury:
    if "performance" not in table.columns or len(table.columns) < 2:
        raise InputError(
            table.path,
            f"begins with {short(','.join(table.columns))}",
            allowed=f"columns {', '.join(LONG)}; or performance, and one column a juror",
            next_step="name the columns in the first line",
        )
    first: dict[str, str] = {}
    marks = []
    for row in table.rows:
        performance = row.known("performance", performances, _PERFORMANCES)
        earlier = first.setdefault(performance, row.subject)
        if earlier != row.subject:
            problem = f"{short(performance)} was marked in {earlier.rpartition(', ')[2]}"
            raise InputError(
                row.subject, problem, allowed="one row a performance", next_step="remove one of the two"
            )
        jurors = [name for name in table.columns if name != "performance"]
        marks += [Mark(juror, performance, _value(row, juror)) for juror in jurors if row.cells[juror]]
    return Jury(tuple(marks))


def _value(row: Row, column: str) -> float:
    text = row.cells[column]
    try:
        value = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        value = math.nan
    if not 0.0 <= value <= HIGHEST_MARK:
        raise InputError(
            row.subject,
            f"{column} is {short(text)}",
            allowed=f"a number from 0 to {HIGHEST_MARK:g}, with a point before decimals, or empty",
            next_step="correct this line",
        )
    return value

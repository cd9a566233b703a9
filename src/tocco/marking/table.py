"""Tables of one person's marks or votes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tocco.csv_table import Row, Table
from tocco.csv_table import read_table as read_csv
from tocco.errors import InputError, UsageError, short
from tocco.inference.marks import MarkScale
from tocco.rubrics import DIMENSIONS

AGGREGATE: Final = "aggregate"
"""Name of the mark of the whole performance."""

COLUMN_ALIASES: Final = {"overall": AGGREGATE, "mark": AGGREGATE}
"""Other names of columns -> their own."""

_OTHER: Final = ("id", "piece", "note")
_VOTES: Final = ("better", "worse")
_SCALE: Final = re.compile(r"(-?\d+(?:\.\d+)?)\s*(?:-|–|:|\.\.|to)\s*(-?\d+(?:\.\d+)?)")
_NUMBER: Final = re.compile(r"[-+]?\d+(?:[.,]\d+)?")

USUAL_SCALES: Final = ((1.0, 5.0), (1.0, 6.0), (0.0, 10.0), (0.0, 20.0), (0.0, 30.0), (0.0, 100.0))
"""[lowest, highest]: scales that are looked for where none is given, the higher the better."""


@dataclass(frozen=True)
class MarkedTake:
    """One row of marks.

    Attributes
    ----------
    subject : file and line, for messages
    id : of the performance
    marks : dimension or "aggregate" -> mark, on the person's scale
    piece : None where the table does not say
    """

    subject: str
    id: str
    marks: Mapping[str, float]
    piece: str | None = None


@dataclass(frozen=True)
class Vote:
    """One row of votes.

    Attributes
    ----------
    subject : file and line, for messages
    better, worse : ids of two performances
    """

    subject: str
    better: str
    worse: str


def read_table(path: Path) -> tuple[MarkedTake, ...] | tuple[Vote, ...]:
    """Read marks, or votes where the header names `better` and `worse`.

    Parameters
    ----------
    path
        A CSV, UTF-8, separated by commas, semicolons or tabs. Marks: a column id, then any of the ten
        dimensions, and "aggregate" ("overall" and "mark" mean the same); also "piece", and "note", which is
        not read. An empty cell is no mark. Votes: the columns better and worse.

    Raises
    ------
    InputError
        Names the line: an unknown column, an empty id, a mark that is no number, no marks at all.
    """
    table = read_csv(path)
    return _votes(table) if set(table.columns) & set(_VOTES) else _marks(table)


def read_scale(text: str) -> MarkScale:
    """A scale as it is written: the mark of the worst performance, then that of the best.

    >>> read_scale("6-1")
    MarkScale(worst=6.0, best=1.0, source='given')

    Raises
    ------
    UsageError
    """
    found = _SCALE.fullmatch(text.strip())
    if found is None or float(found[1]) == float(found[2]):
        raise UsageError(
            "--scale",
            f"is {short(text)}",
            allowed="WORST-BEST, two different numbers such as 0-30, or 6-1 where 1 is the best",
            next_step="give the mark of the worst and that of the best performance",
        )
    return MarkScale(worst=float(found[1]), best=float(found[2]), source="given")


def scale_of(takes: tuple[MarkedTake, ...], names: tuple[str, ...], given: MarkScale | None) -> MarkScale:
    """The scale of some columns: the given one, or the narrowest usual one that holds their marks.

    Raises
    ------
    InputError
        A mark lies outside the given scale, or no usual scale holds all.
    """
    marks = [(take.subject, name, take.marks[name]) for take in takes for name in names if name in take.marks]
    usual = [MarkScale(worst=low, best=high, source="found") for low, high in USUAL_SCALES]
    possible = usual if given is None else [given]
    for scale in possible:
        if all(scale.holds(mark) for _, _, mark in marks):
            return scale
    subject, name, mark = next(one for one in marks if not possible[-1].holds(one[2]))
    raise InputError(
        subject,
        f"{name} is {mark:g}",
        allowed=str(possible[-1]),
        next_step="correct the mark, or give your scale with --scale WORST-BEST",
    )


def _marks(table: Table) -> tuple[MarkedTake, ...]:
    column = _named(table)
    found = tuple(
        MarkedTake(
            row.subject,
            row.filled(column["id"]),
            {
                name: _number(row.subject, written, row.cells[written])
                for name, written in _marked(row, column)
            },
            row.cells.get(column.get("piece", ""), "") or None,
        )
        for row in table.rows
    )
    if not any(take.marks for take in found):
        raise InputError(table.path, "has no marks", next_step="fill in at least one mark")
    return tuple(take for take in found if take.marks)


def _named(table: Table) -> dict[str, str]:
    """The columns by their own names -> as they are written."""
    known = (*_OTHER, *DIMENSIONS, AGGREGATE, *COLUMN_ALIASES)
    Table(table.path, tuple(name.lower() for name in table.columns), ()).require(("id",), known[1:])
    named: dict[str, str] = {}
    for written in table.columns:
        name = COLUMN_ALIASES.get(written.lower(), written.lower())
        if name in named:
            raise InputError(
                table.path,
                f"has {name} twice, as {short(named[name])} and {short(written)}",
                next_step="remove one of the columns",
            )
        named[name] = written
    return named


def _marked(row: Row, column: Mapping[str, str]) -> list[tuple[str, str]]:
    """The columns of a row that hold a mark, by their own names and as they are written."""
    return [(name, written) for name, written in column.items() if name not in _OTHER and row.cells[written]]


def _votes(table: Table) -> tuple[Vote, ...]:
    table.require(_VOTES, ("note",))
    votes = tuple(Vote(row.subject, row.filled("better"), row.filled("worse")) for row in table.rows)
    for vote in votes:
        if vote.better == vote.worse:
            raise InputError(
                vote.subject,
                f"calls {short(vote.better)} better than itself",
                next_step="name two performances",
            )
    return votes


def _number(subject: str, name: str, text: str) -> float:
    if _NUMBER.fullmatch(text) is None:
        raise InputError(
            subject,
            f"{name} is {short(text)}",
            allowed="a number, or nothing",
            next_step="correct the cell, or leave it empty",
        )
    return float(text.replace(",", "."))

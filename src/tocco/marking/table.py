"""Tables of one person's marks or votes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tocco.errors import InputError, UsageError, short
from tocco.files import read_text
from tocco.inference.marks import MarkScale
from tocco.rubrics import DIMENSIONS
from tocco.schema import nearest

AGGREGATE: Final = "aggregate"
"""Name of the mark of the whole performance."""

COLUMN_ALIASES: Final = {"overall": AGGREGATE, "mark": AGGREGATE}
"""Other names of columns -> their own."""

_OTHER: Final = ("id", "piece", "note")
_VOTES: Final = ("better", "worse")
_SEPARATORS: Final = (",", ";", "\t")
_SCALE: Final = re.compile(r"(-?\d+(?:\.\d+)?)\s*(?:-|–|:|\.\.|to)\s*(-?\d+(?:\.\d+)?)")
_NUMBER: Final = re.compile(r"[-+]?\d+(?:[.,]\d+)?")

USUAL_SCALES: Final = ((1.0, 5.0), (1.0, 6.0), (0.0, 10.0), (0.0, 20.0), (0.0, 30.0), (0.0, 100.0))
"""[lowest, highest]: scales that are looked for where none is given, the higher the better."""


@dataclass(frozen=True)
class MarkedTake:
    """One row of marks.

    Attributes
    ----------
    line : in the file
    id : of the performance
    marks : dimension or "aggregate" -> mark, on the person's scale
    piece : None where the table does not say
    """

    line: int
    id: str
    marks: Mapping[str, float]
    piece: str | None = None


@dataclass(frozen=True)
class Vote:
    """One row of votes.

    Attributes
    ----------
    line : in the file
    better, worse : ids of two performances
    """

    line: int
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
    columns, rows = _rows(path)
    if set(columns) & set(_VOTES):
        return _votes(path, columns, rows)
    found = _named(path, columns)
    takes = [_marked(path, line, dict(zip(found, cells, strict=True))) for line, cells in rows]
    marked = tuple(take for take in takes if take.marks)
    if not marked:
        raise InputError(
            path, "has no marks", allowed="one row a performance", next_step="fill in at least one mark"
        )
    return marked


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


def scale_of(
    path: Path, takes: tuple[MarkedTake, ...], names: tuple[str, ...], given: MarkScale | None
) -> MarkScale:
    """The scale of some columns: the given one, or the narrowest usual one that holds their marks.

    Raises
    ------
    InputError
        A mark lies outside the given scale, or no usual scale holds all.
    """
    marks = [(take.line, name, take.marks[name]) for take in takes for name in names if name in take.marks]
    usual = [MarkScale(worst=low, best=high, source="found") for low, high in USUAL_SCALES]
    possible = usual if given is None else [given]
    for scale in possible:
        if all(scale.holds(mark) for _, _, mark in marks):
            return scale
    line, name, mark = next(one for one in marks if not possible[-1].holds(one[2]))
    raise InputError(
        f"{path}, line {line}",
        f"{name} is {mark:g}",
        allowed=str(possible[-1]),
        next_step="correct the mark, or give your scale with --scale WORST-BEST",
    )


def _rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header and rows with their lines; blank rows are left out."""
    text = read_text(path)
    head = text.split("\n", 1)[0]
    separator = max(_SEPARATORS, key=head.count)
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=separator, strict=True))
    except csv.Error as error:
        raise InputError(path, f"is no CSV ({error})", next_step="save it as CSV again") from error
    if not lines or not any(cell.strip() for cell in lines[0]):
        raise InputError(path, "is empty", allowed="a header, then one row a performance")
    columns = [cell.strip().lower() for cell in lines[0]]
    rows = []
    for number, cells in enumerate(lines[1:], start=2):
        filled = [cell.strip() for cell in cells]
        if not any(filled):
            continue
        if any(filled[len(columns) :]):
            raise InputError(
                f"{path}, line {number}",
                f"has {len(filled)} cells",
                allowed=f"{len(columns)} as in the header",
                next_step="remove a separator; a decimal is written with a point, or the cell in quotes",
            )
        rows.append((number, (filled + [""] * len(columns))[: len(columns)]))
    return columns, rows


def _named(path: Path, columns: list[str]) -> list[str]:
    """The columns by their own names."""
    known = (*_OTHER, *DIMENSIONS, AGGREGATE, *COLUMN_ALIASES)
    for column in columns:
        if column not in known:
            raise InputError(
                f"{path}, line 1",
                f"column {nearest(column, known)}",
                next_step="name the column so, or remove it",
            )
    named = [COLUMN_ALIASES.get(column, column) for column in columns]
    twice = [name for name in dict.fromkeys(named) if named.count(name) > 1]
    if twice or "id" not in named:
        problem = f"has {twice[0]} twice" if twice else "has no column id"
        raise InputError(
            f"{path}, line 1",
            problem,
            allowed="id, then dimensions or aggregate",
            next_step="correct the header",
        )
    return named


def _marked(path: Path, line: int, cells: Mapping[str, str]) -> MarkedTake:
    subject = f"{path}, line {line}"
    marks = {
        name: _number(subject, name, text) for name, text in cells.items() if text and name not in _OTHER
    }
    return MarkedTake(line, _id(subject, cells["id"]), marks, cells.get("piece") or None)


def _votes(path: Path, columns: list[str], rows: list[tuple[int, list[str]]]) -> tuple[Vote, ...]:
    if [name for name in columns if name != "note"] not in (list(_VOTES), list(_VOTES[::-1])):
        raise InputError(
            f"{path}, line 1",
            f"names {', '.join(map(short, columns))}",
            allowed="better, worse for votes; or id and marks",
            next_step="put marks and votes into files of their own",
        )
    found = []
    for line, row in rows:
        subject, cells = f"{path}, line {line}", dict(zip(columns, row, strict=True))
        vote = Vote(line, _id(subject, cells["better"]), _id(subject, cells["worse"]))
        if vote.better == vote.worse:
            raise InputError(
                subject, f"calls {short(vote.better)} better than itself", next_step="name two performances"
            )
        found.append(vote)
    if not found:
        raise InputError(path, "has no votes", allowed="one row a pair", next_step="add a row")
    return tuple(found)


def _id(subject: str, text: str) -> str:
    if not text:
        raise InputError(subject, "has no id", next_step="name the performance as its assessment is named")
    return text


def _number(subject: str, name: str, text: str) -> float:
    if _NUMBER.fullmatch(text) is None:
        raise InputError(
            subject,
            f"{name} is {short(text)}",
            allowed="a number, or nothing",
            next_step="correct the cell, or leave it empty",
        )
    return float(text.replace(",", "."))

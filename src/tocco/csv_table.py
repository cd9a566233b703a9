"""Tables as spreadsheets write them: rows with their line number and cells by column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tocco.errors import InputError, short
from tocco.files import read_text
from tocco.schema import nearest

_SEPARATORS: Final = (",", ";", "\t")
_NEXT: Final = "correct this line"


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes
    ----------
    subject : file and line, for messages
    cells : column -> text without spaces around it
    """

    subject: str
    cells: dict[str, str]

    def filled(self, column: str) -> str:
        """A cell that may not be empty.

        Raises
        ------
        InputError
            It is.
        """
        if not self.cells[column]:
            raise InputError(self.subject, f"{column} is empty", allowed="a name", next_step=_NEXT)
        return self.cells[column]

    def known(self, column: str, names: Iterable[str], what: str) -> str:
        """A cell that has to be one of some names.

        Raises
        ------
        InputError
            It is none of them; the message has the nearest.
        """
        name = self.filled(column)
        valid = list(names)
        if name not in valid:
            problem = f"{column}: {nearest(name, valid)}" if valid else f"{column}: {short(name)} is unknown"
            raise InputError(self.subject, problem, allowed=what, next_step=_NEXT)
        return name

    def is_yes(self, column: str) -> bool:
        """Whether a cell says yes; an empty one, or none at all, says no.

        Raises
        ------
        InputError
            It says neither.
        """
        text = self.cells.get(column, "").casefold()
        if text not in ("", "yes", "no"):
            problem = f"{column} is {short(self.cells[column])}"
            raise InputError(self.subject, problem, allowed="yes, no, or empty", next_step=_NEXT)
        return text == "yes"


@dataclass(frozen=True)
class Table:
    """A table with a header.

    Attributes
    ----------
    path
    columns : as written
    rows
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def require(self, needed: Iterable[str], optional: Iterable[str] = ()) -> None:
        """Refuse columns other than these.

        Raises
        ------
        InputError
            One is missing, or another is there.
        """
        needed, optional = tuple(needed), tuple(optional)
        known = (*needed, *optional)
        allowed = f"columns {', '.join(needed)}" + (f"; if wanted {', '.join(optional)}" if optional else "")
        for name in needed:
            if name not in self.columns:
                problem = f"has no column {name!r} among {short(','.join(self.columns))}"
                raise InputError(self.path, problem, allowed=allowed, next_step="add it to the header")
        for name in self.columns:
            if name not in known:
                problem, remedy = f"column {nearest(name, known)}", "rename or remove it"
                raise InputError(self.path, problem, allowed=allowed, next_step=remedy)


def read_table(path: Path) -> Table:
    """Read a CSV: UTF-8, separated by commas, semicolons or tabs, with a header; blank lines are skipped.

    Raises
    ------
    InputError
        It cannot be read, a row has too few or too many cells, or it has no rows; with file and line.
    """
    lines = read_lines(path)
    if len(lines) < 2:
        raise InputError(path, "has no rows", allowed="a header, and one row or more below it")
    header = tuple(cell.strip() for cell in lines[0][1])
    _check_header(path, header)
    return Table(path, header, tuple(_row(path, number, cells, header) for number, cells in lines[1:]))


def read_lines(path: Path) -> list[tuple[int, list[str]]]:
    """Line number and cells of every line of a CSV that is not blank; commas, semicolons or tabs separate.

    Raises
    ------
    InputError
        It cannot be read, or is not valid CSV; with file and line.
    """
    text = read_text(path)
    head = text.lstrip("\r\n").partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=max(_SEPARATORS, key=head.count), strict=True
    )
    try:
        return [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise InputError(
            f"{path}, line {reader.line_num}",
            "is not valid CSV",
            allowed="every quoted cell ends with its quote",
            next_step="check the quotes",
        ) from error


def _check_header(path: Path, header: tuple[str, ...]) -> None:
    for place, name in enumerate(header, start=1):
        if not name or header.count(name) > 1:
            problem = f"has the column {name!r} twice" if name else f"has no name for column {place}"
            raise InputError(path, problem, allowed="a name of its own for each", next_step="name the column")


def _row(path: Path, number: int, cells: list[str], header: tuple[str, ...]) -> Row:
    subject = f"{path}, line {number}"
    if len(cells) != len(header):
        raise InputError(
            subject,
            f"has {len(cells)} cells",
            allowed=f"{len(header)}, as the header has",
            next_step="leave an empty cell for a missing value, and quote a name that contains a comma",
        )
    return Row(subject, {name: cell.strip() for name, cell in zip(header, cells, strict=True)})

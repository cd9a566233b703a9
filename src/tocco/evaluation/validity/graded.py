"""Takes that teachers have graded."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tocco.errors import InputError
from tocco.files import read_text

_NEEDED: Final = ("id", "midi", "score", "piece")
_TEACHER: Final = "instructor"
LOWEST_GRADE, HIGHEST_GRADE = 1.0, 5.0


@dataclass(frozen=True)
class GradedTake:
    """One take.

    Attributes
    ----------
    id, piece
    player : who played it; the id where the table does not say
    midi, score : files
    grades : of each teacher, 1 to 5
    """

    id: str
    piece: str
    player: str
    midi: Path
    score: Path
    grades: tuple[float, ...]

    @property
    def mean_grade(self) -> float:
        """1 to 5."""
        return sum(self.grades) / len(self.grades)

    @property
    def points(self) -> float:
        """The teachers' mean on 0 to 100."""
        return 100.0 * (self.mean_grade - LOWEST_GRADE) / (HIGHEST_GRADE - LOWEST_GRADE)


def read_graded(path: Path) -> tuple[GradedTake, ...]:
    """Read a table of graded takes; its paths are relative to its folder.

    Raises
    ------
    InputError
        A column is missing, a grade is no number from 1 to 5, or there are fewer than two teachers.
    """
    reader = csv.DictReader(read_text(path).splitlines())
    columns = reader.fieldnames or ()
    teachers = [name for name in columns if name.startswith(_TEACHER)]
    missing = [name for name in _NEEDED if name not in columns]
    if missing or len(teachers) < 2:
        raise InputError(
            path,
            f"lacks {', '.join(missing) or 'teachers'}",
            allowed=f"columns {', '.join(_NEEDED)}, and {_TEACHER}1, {_TEACHER}2 or more",
        )
    return tuple(_take(path, row, teachers) for row in reader)


def _take(path: Path, row: dict[str, str], teachers: list[str]) -> GradedTake:
    grades = tuple(_grade(path, row["id"], row[name]) for name in teachers)
    midi, score = (path.parent / row[name] for name in ("midi", "score"))
    return GradedTake(row["id"], row["piece"], row.get("player") or row["id"], midi, score, grades)


def _grade(path: Path, take: str, text: str) -> float:
    try:
        grade = float(text)
    except ValueError:
        grade = float("nan")
    if not LOWEST_GRADE <= grade <= HIGHEST_GRADE:
        raise InputError(path, f"grades {take} {text!r}", allowed=f"{LOWEST_GRADE:g} to {HIGHEST_GRADE:g}")
    return grade

"""What commands on many performances are given: assessments that are there, and files to assess first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import typer

from tocco.data.pairing import TakeFiles, subject_of, takes_in
from tocco.errors import InputError, UsageError
from tocco.files import assert_plain_file, read_text
from tocco.inference.assessment import Assessment, read_assessment
from tocco.schema import parse_object

COMPARISON, RANKING = "comparison", "ranking"
RESULTS: Final = (COMPARISON, RANKING)
"""Names of the results that lie in a folder beside its assessments."""

_DUPLICATE: Final = "give each performance once, under a name of its own"


def divided(files: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Assessments among the arguments, and whatever is to be assessed first.

    A folder that holds assessments stands for these; performances in it that have none are left out, and
    named on stderr.

    Raises
    ------
    InputError
        A file does not exist.
    """
    assessed: list[Path] = []
    others: list[Path] = []
    for path in files:
        assert_plain_file(path)
        inside = _assessments_in(path) if path.is_dir() else []
        if inside:
            assessed += inside
            _name_left_out(path, {one.stem for one in inside})
        elif path.suffix.lower() == ".json":
            assessed.append(path)
        else:
            others.append(path)
    return assessed, others


def read_assessments(paths: Sequence[Path], takes: Sequence[TakeFiles]) -> dict[str, Assessment]:
    """Name -> assessment, of those that are there.

    Parameters
    ----------
    paths : of the assessments
    takes : performances that will be assessed beside them

    Raises
    ------
    UsageError
        Two of all have one name, or one has the name of a result.
    InputError
        A file is no assessment.
    """
    names = [*(path.stem for path in paths), *(take.id for take in takes)]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise UsageError(name, "is the name of two performances", next_step=_DUPLICATE)
        if name.casefold() in RESULTS:
            raise UsageError(name, "is the name of a result", next_step="rename the performance")
    return {path.stem: read_assessment(path) for path in paths}


def _assessments_in(folder: Path) -> list[Path]:
    """JSON files of a folder, without its results; none where it holds performances only."""
    present = sorted(path for path in folder.glob("*.json") if path.stem not in RESULTS)
    found = [path for path in present if _is_assessment(path)]
    for path in present if found else ():
        if path not in found:
            typer.echo(f"left out: {path} is no assessment", err=True)
    return found


def _is_assessment(path: Path) -> bool:
    try:
        return "schema_version" in parse_object(read_text(path))
    except (InputError, ValueError):
        return False


def _name_left_out(folder: Path, assessed: set[str]) -> None:
    for take in takes_in(folder)[0]:
        if take.id not in assessed:
            reason = f"has no assessment in {folder}, where others have"
            typer.echo(f"left out: {subject_of(take, folder)} {reason}", err=True)

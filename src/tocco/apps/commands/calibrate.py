"""`tocco calibrate`: a personal calibration from marks, and what it gains."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tocco.errors import OutputError, UsageError
from tocco.files import assert_plain_file
from tocco.inference.marks import MarkScale
from tocco.marking.calibrate import calibrate as fit
from tocco.marking.calibration import FittedMap, PersonalCalibration, is_calibration, write_calibration
from tocco.marking.table import AGGREGATE, COLUMN_ALIASES, read_scale
from tocco.report.wording import title
from tocco.rubrics import DIMENSIONS
from tocco.schema import nearest

_SUFFIX: Final = ".json"
_MOST_SAID: Final = 8


def calibrate(
    marks: Path, assessments: Path, output: Path, scales: Sequence[str], *, overwrite: bool
) -> None:
    """Fit, write the file, and print maps and gains.

    Parameters
    ----------
    marks : table
    assessments : folder
    output : JSON
    scales : "WORST-BEST" or "COLUMN=WORST-BEST"
    overwrite : whether a file that is no personal calibration may be replaced
    """
    if output.suffix.lower() != _SUFFIX:
        raise UsageError("--output", f"is {output.name}", allowed="a name that ends in .json")
    assert_plain_file(marks)
    given = _scales(scales)
    if output.exists() and not overwrite and not is_calibration(output):
        raise OutputError(
            output, "exists, and is no personal calibration", next_step="name another file, or --overwrite"
        )
    found = fit(marks, assessments, output.stem.encode(errors="replace").decode(), given)
    write_calibration(found.calibration, output)
    _print(found.calibration)
    for line in found.left_out[:_MOST_SAID]:
        typer.echo(f"left out: {line}", err=True)
    if len(found.left_out) > _MOST_SAID:
        typer.echo(f"left out: {len(found.left_out) - _MOST_SAID} more marks", err=True)
    typer.echo(str(output))


def _scales(texts: Sequence[str]) -> dict[str | None, MarkScale]:
    found: dict[str | None, MarkScale] = {}
    for text in texts:
        column, separator, scale = text.rpartition("=")
        name = COLUMN_ALIASES.get(column, column) if separator else None
        if name is not None and name not in (*DIMENSIONS, AGGREGATE):
            raise UsageError("--scale", f"column {nearest(column, (*DIMENSIONS, AGGREGATE))}")
        if name in found:
            raise UsageError(
                "--scale", f"gives {name or 'all columns'} two scales", next_step="leave one out"
            )
        found[name] = read_scale(scale)
    return found


def _print(calibration: PersonalCalibration) -> None:
    console = Console(highlight=False)
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("", overflow="fold")
    unit = "agreed" if calibration.source.kind == "votes" else "distance"
    for column in ("n", "level", "slope", f"{unit}: default", "personal", "gain", "90 %"):
        table.add_column(column, justify="right")
    for name, fitted in calibration.maps.items():
        table.add_row(title(name), *_cells(fitted))
    if calibration.aggregate is not None:
        table.add_row(Text("Whole performance", style="bold"), *_cells(calibration.aggregate))
    console.print(table)
    for sentence in calibration.sentences:
        console.print(Text(f"{sentence}."))


def _cells(fitted: FittedMap) -> list[str]:
    slope = sum(fitted.slopes)
    cells = [str(fitted.n), f"{fitted.offset:+.1f}", f"{slope:.2f}"]
    if not fitted.checks:
        return [*cells, "", "", "", ""]
    check = fitted.checks[0]
    factor = 100.0 if check.measure == "votes" else 1.0
    low, high = (factor * end for end in check.gain_90)
    numbers = (factor * value for value in (check.default, check.personal, check.gain))
    return [*cells, *(f"{number:.1f}" for number in numbers), f"{low:.1f} to {high:.1f}"]

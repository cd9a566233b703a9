"""`tocco report`: the HTML report of an assessment that was made before."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import typer

from tocco.apps.commands.marking import read_marking
from tocco.errors import OutputError, UsageError
from tocco.files import assert_plain_file
from tocco.inference.assessment import read_assessment
from tocco.report.page.document import write_page
from tocco.report.page.frame import is_page
from tocco.report.page.material import read_material

_SUFFIXES = (".html", ".htm")


def report(
    assessment: Path,
    *,
    audio: Path | None,
    midi: Path | None,
    score: Path | None,
    output: Path | None,
    sound: Literal["inside", "beside"],
    calibration: Path | None = None,
    rubric: str | None = None,
    overwrite: bool,
) -> None:
    """Write the report, and print its name.

    Parameters
    ----------
    assessment : JSON
    audio, midi, score : that were assessed; None where one is not to be shown
    output : None for `<assessment>.html`
    sound : whether the recording is put into the report or beside it
    calibration, rubric : what is laid beside the ratings; None for what the assessment has
    overwrite : whether any file of that name may be replaced
    """
    path = assessment.with_suffix(".html") if output is None else output
    if path.suffix.lower() not in _SUFFIXES:
        raise UsageError("--output", f"is {path.name}", allowed="a name that ends in .html")
    if sound == "beside" and audio is None:
        raise UsageError("--sound", "is beside, and no recording is given", next_step="give it with --audio")
    for file in (assessment, audio, midi, score):
        if file is not None:
            assert_plain_file(file)
    marking = read_marking(calibration, rubric)
    found = marking.beside(read_assessment(assessment))
    if path.exists() and not overwrite and not is_page(path):
        raise OutputError(path, "exists, and is no report", next_step="name another file, or --overwrite")
    write_page(found, read_material(found, audio, midi, score), path, sound_beside=sound == "beside")
    typer.echo(str(path))

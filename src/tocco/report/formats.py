"""The files that `-o` writes: one row for each suffix."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tocco.data.pairing import TakeFiles
from tocco.errors import OutputError
from tocco.files import write_bytes
from tocco.inference.alignment_document import AlignmentDocument, write_alignment
from tocco.inference.assessment import Assessment, write_assessment_file
from tocco.music.alignment import Alignment
from tocco.music.match_file import write_match_file
from tocco.music.performance import Performance
from tocco.report.alignment_picture import draw_alignment
from tocco.report.curve_picture import draw_curve
from tocco.report.page.document import write_page
from tocco.report.page.material import read_material


@dataclass(frozen=True, eq=False)
class DescribedAlignment:
    """A performance beside its score, with the document that describes the two.

    Attributes
    ----------
    document
    alignment : that the document was made from
    performance : that was aligned
    """

    document: AlignmentDocument
    alignment: Alignment
    performance: Performance


@dataclass(frozen=True)
class AssessedTake:
    """An assessment, with the files that it was made from.

    Attributes
    ----------
    assessment
    files : what can be shown and heard beside it
    transcription : MIDI of a recording that came without; None where MIDI was given
    """

    assessment: Assessment
    files: TakeFiles
    transcription: Path | None = None


Report = AssessedTake | DescribedAlignment


def _write_assessment(taken: AssessedTake, path: Path) -> None:
    write_assessment_file(taken.assessment, path)


def _write_transcription(taken: AssessedTake, path: Path) -> None:
    if taken.transcription is None or not taken.transcription.is_file():
        raise OutputError(path, "cannot be written: its transcription is gone", next_step="assess it again")
    write_bytes(path, taken.transcription.read_bytes())


def _draw_curve(taken: AssessedTake, path: Path) -> None:
    draw_curve(taken.assessment, path)


def _write_page(taken: AssessedTake, path: Path) -> None:
    files = taken.files
    midi = taken.transcription if files.midi is None else files.midi
    material = read_material(taken.assessment, files.audio, midi, files.score)
    write_page(taken.assessment, material, path)


def _write_json(aligned: DescribedAlignment, path: Path) -> None:
    write_alignment(aligned.document, path)


def _write_match(aligned: DescribedAlignment, path: Path) -> None:
    write_match_file(aligned.alignment, aligned.performance, path)


def _draw(aligned: DescribedAlignment, path: Path) -> None:
    draw_alignment(aligned.alignment, aligned.performance, aligned.document, path)


TRANSCRIPTION_SUFFIX: Final = ".mid"
"""Of the one file that only some assessments have: those of recordings without MIDI."""

FORMATS: Final[Mapping[str, Mapping[type[Report], Callable[[Any, Path], None]]]] = {
    ".json": {AssessedTake: _write_assessment, DescribedAlignment: _write_json},
    TRANSCRIPTION_SUFFIX: {AssessedTake: _write_transcription},
    ".match": {DescribedAlignment: _write_match},
    ".png": {AssessedTake: _draw_curve, DescribedAlignment: _draw},
    ".html": {AssessedTake: _write_page},
}
"""Suffix -> kind of report -> what writes it to a path, whole or not at all.

The JSON comes first: it names the inputs, so that a run that was killed can be repeated.
"""


def report_paths(
    kind: type[Report], folder: Path, name: str, *, without: Collection[str] = ()
) -> tuple[Path, ...]:
    """The files of one report, in the order in which they are written.

    Parameters
    ----------
    kind : of the report
    folder, name : `<folder>/<name><suffix>`
    without : suffixes that this report has no file of
    """
    suffixes = (suffix for suffix, writers in FORMATS.items() if kind in writers and suffix not in without)
    return tuple(folder / f"{name}{suffix}" for suffix in suffixes)


def write_report(report: Report, paths: Iterable[Path]) -> None:
    """Write files of a report, each in the format of its suffix.

    Parameters
    ----------
    report
    paths : out of `report_paths`

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    for path in paths:
        _writer(path.suffix, type(report))(report, path)


def _writer(suffix: str, kind: type[Report]) -> Callable[[Any, Path], None]:
    return FORMATS[suffix][kind]

"""The files that `-o` writes: one row for each ending of a name."""

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
from tocco.report.attention_picture import draw_attention_curve, draw_attention_map
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


def _draw_attention_map(taken: AssessedTake, path: Path) -> None:
    draw_attention_map(taken.assessment, path)


def _draw_attention_curve(taken: AssessedTake, path: Path) -> None:
    draw_attention_curve(taken.assessment, path)


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

ATTENTION_ENDINGS: Final = ("_attention.png", "_attention_curve.png")
"""Of the pictures of the network's attention, which an assessment that abstains does not have."""

FORMATS: Final[Mapping[str, Mapping[type[Report], Callable[[Any, Path], None]]]] = {
    ".json": {AssessedTake: _write_assessment, DescribedAlignment: _write_json},
    TRANSCRIPTION_SUFFIX: {AssessedTake: _write_transcription},
    ".match": {DescribedAlignment: _write_match},
    ".png": {AssessedTake: _draw_curve, DescribedAlignment: _draw},
    ".html": {AssessedTake: _write_page},
    ATTENTION_ENDINGS[0]: {AssessedTake: _draw_attention_map},
    ATTENTION_ENDINGS[1]: {AssessedTake: _draw_attention_curve},
}
"""Ending of the name -> kind of report -> what writes it to a path, whole or not at all.

The JSON comes first: it names the inputs, so that a run that was killed can be repeated.
"""


def report_paths(
    kind: type[Report], folder: Path, name: str, *, without: Collection[str] = ()
) -> tuple[Path, ...]:
    """The files of one report, in the order in which they are written.

    Parameters
    ----------
    kind : of the report
    folder, name : `<folder>/<name><ending>`
    without : endings that this report has no file of
    """
    return tuple(folder / f"{name}{ending}" for ending in _endings(kind) if ending not in without)


def is_reserved(name: str) -> bool:
    """Whether the files of this name would have the names of another assessment's pictures.

    >>> is_reserved("take"), is_reserved("take_attention")
    (False, True)
    """
    return name.casefold().endswith(tuple(Path(ending).stem for ending in ATTENTION_ENDINGS))


def _endings(kind: type[Report]) -> list[str]:
    return [ending for ending, writers in FORMATS.items() if kind in writers]


def write_report(report: Report, paths: Iterable[Path]) -> None:
    """Write files of a report, each in the format of its ending.

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
        _writer(path.name, type(report))(report, path)


def _writer(name: str, kind: type[Report]) -> Callable[[Any, Path], None]:
    """What writes a file of this name: the longest ending that fits."""
    ending = max((ending for ending in _endings(kind) if name.endswith(ending)), key=len)
    return FORMATS[ending][kind]

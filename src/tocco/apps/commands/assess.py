"""`tocco assess`: tables, JSON and pictures of assessed performances."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from tocco.apps.progress import progress_bar
from tocco.audio.transcription import transcriber_of
from tocco.data.pairing import TakeFiles
from tocco.errors import MissingPartError
from tocco.inference.assessment import Assessment
from tocco.inference.batch import assess_many, assess_take, shared_assessor
from tocco.marking.apply import Marking
from tocco.report.assessment_folder import AssessmentFolder
from tocco.report.batch_table import print_batch
from tocco.report.terminal import print_assessment
from tocco.report.wording import clock

SOME_FAILED: Final = 1
_NO_MARKS: Final = Marking()


def assess_one(
    take: TakeFiles,
    bundle: Path | None,
    output: Path | None,
    *,
    transcriber: str | None = None,
    overwrite: bool,
    marking: Marking = _NO_MARKS,
) -> None:
    """Assess one performance, print its table and, with `output`, write its files."""
    folder = None if output is None else AssessmentFolder(output, marking)
    if folder is not None:
        folder.prepare()
        folder.earlier(take, overwrite=overwrite)
    assessor = shared_assessor(bundle, transcriber)
    if marking.calibration is not None:
        marking.check(assessor.bundle.identity)
    with progress_bar("transcribing", clock, at_once=False) as on_transcribed:
        assessment = marking(assess_take(assessor, take, on_transcribed))
    written = () if folder is None else folder.write(take, assessment)
    print_assessment(assessment)
    for path in written:
        typer.echo(str(path))


@dataclass(frozen=True)
class Assessed:
    """What became of many performances.

    Attributes
    ----------
    found : id -> assessment, in the order given
    n_before : so many were assessed by an earlier run
    failed : ids; the reason of each was printed to stderr
    """

    found: dict[str, Assessment]
    n_before: int
    failed: frozenset[str]


def assess_several(
    takes: Sequence[TakeFiles],
    bundle: Path | None,
    output: Path | None,
    *,
    transcriber: str | None = None,
    jobs: int = 1,
    marking: Marking = _NO_MARKS,
) -> int:
    """Assess many performances and print a table of all; an error does not end the batch.

    With `output`, performances assessed by an earlier run are skipped.

    Returns
    -------
    The exit code: 1 where a performance failed; each is named on stderr.
    """
    folder = None if output is None else AssessmentFolder(output, marking)
    if marking.calibration is not None:
        marking.check(shared_assessor(bundle, transcriber).bundle.identity)
    made = assessed_takes(takes, bundle, folder, transcriber=transcriber, jobs=jobs)
    table = "" if folder is None else f"{folder.write_table(made.found)}: "
    if made.found:
        print_batch(made.found)  # after the table, which a closed pipe would lose
    for line in marking.said(has_files=folder is not None):
        typer.echo(line)
    counts = f"{len(made.found)} assessed, {made.n_before} of them before, {len(made.failed)} failed"
    typer.echo(table + counts)
    return SOME_FAILED if made.failed else 0


def assessed_takes(
    takes: Sequence[TakeFiles],
    bundle: Path | None,
    folder: AssessmentFolder | None,
    *,
    transcriber: str | None = None,
    jobs: int = 1,
) -> Assessed:
    """Assess performances, into a folder if there is one, and read what is there already."""
    done: list[str] = []
    if folder is not None:
        sha256 = shared_assessor(bundle, transcriber).bundle.sha256
        folder.prepare()
        version = _version(transcriber) if any(take.is_recording_alone for take in takes) else None
        done = [take.id for take in takes if folder.is_done(take, sha256, version)]
    waiting = [take for take in takes if take.id not in done]
    found: dict[str, Assessment] = {}
    failed: set[str] = set()
    with progress_bar("assessing") as advance:
        deliver = None if folder is None else folder.write
        outcomes = assess_many(
            waiting, bundle, transcriber=transcriber, jobs=jobs, deliver=deliver, progress=advance
        )
        with closing(outcomes):  # an error here ends the processes at once
            for outcome in outcomes:
                if outcome.error is not None:
                    failed.add(outcome.take.id)
                    typer.echo(f"tocco: {outcome.take.id}: {outcome.error}", err=True)
                elif outcome.assessment is not None:
                    found[outcome.take.id] = outcome.assessment
    if folder is not None:
        found |= {name: folder.read(name) for name in done}
    complete = {take.id: found[take.id] for take in takes if take.id not in failed}
    return Assessed(complete, len(done), frozenset(failed))


def _version(transcriber: str | None) -> str | None:
    """Of the transcriber; None where it is not installed, which each recording that needs it will say."""
    try:
        return transcriber_of(transcriber).version
    except MissingPartError:
        return None

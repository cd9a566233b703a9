"""`tocco data prepare`: cached training inputs of rated performances, in parallel."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from tocco.apps.progress import progress_bar
from tocco.audio.transcription import transcriber_of
from tocco.data.prepared import record_outline
from tocco.data.record_arrays import MissingMidi
from tocco.data.records import LabelRecord, read_labels
from tocco.engines import Engine, assert_arrived
from tocco.errors import ToccoError
from tocco.files import writable_folder
from tocco.training.config import DataConfig
from tocco.training.config_file import load_config

SOME_FAILED: Final = 1

MOST_NAMED: Final = 3
"""Records that are named for the same problem; the others are counted."""


@dataclass(frozen=True)
class _Task:
    """One record to prepare, as sent to a worker."""

    record: LabelRecord
    window_sec: float
    overlap: float
    cache: Path
    missing_midi: MissingMidi
    transcriber: str | None


@dataclass(frozen=True)
class _Outcome:
    """The cached file of a record, or its error."""

    path: Path | None
    score_refusal: str = ""
    error: ToccoError | None = None


def prepare(labels: Path, config: Path | None, cache: Path, engine: Engine) -> int:
    """Read, align and measure every record of a label file; cached records are skipped.

    Parameters
    ----------
    labels
    config
        The experiment whose windows are prepared; None for windows of the default length.
    cache
        Cache folder. `tocco train -o RUNS/NAME` reads `RUNS/prepared`.
    engine

    Returns
    -------
    The exit code: 1 where some records failed; stderr has a line for each problem, with the first
    three of its records.
    """
    records = read_labels(labels, must_exist=True)
    windows = DataConfig.model_validate({}) if config is None else load_config(config).data
    writable_folder(cache)
    if windows.missing_midi == "derive" and any(record.midi_path is None for record in records):
        transcriber_of(windows.transcriber)  # fail before the work where there is none
    settings = (windows.window_sec, windows.overlap, cache, windows.missing_midi, windows.transcriber)
    tasks = [_Task(record, *settings) for record in records]
    outcomes: list[_Outcome] = []
    errors: list[ToccoError] = []
    try:
        with progress_bar("preparing") as advance, closing(engine.map(_prepared, tasks, advance)) as found:
            for outcome in found:
                if outcome.path is not None:
                    assert_arrived(outcome.path)
                if outcome.error is not None:
                    errors.append(outcome.error)
                outcomes.append(outcome)
    finally:
        for line in problems(errors):
            typer.echo(f"tocco: {line}", err=True)
    failed = len(errors)
    refused = sum(bool(outcome.score_refusal) for outcome in outcomes)
    megabytes = sum(outcome.path.stat().st_size for outcome in outcomes if outcome.path is not None) / 1e6
    typer.echo(
        f"{cache}: {len(outcomes) - failed} of {len(records)} records prepared, {megabytes:.1f} MB, "
        f"{refused} without their score, which is of other music; {failed} failed"
    )
    return SOME_FAILED if failed else 0


def problems(errors: Sequence[ToccoError]) -> list[str]:
    """One line for each problem, with the records that have it."""
    subjects_of: dict[tuple[str, str | None, str | None], list[str]] = {}
    for error in errors:
        subjects_of.setdefault((error.problem, error.allowed, error.next_step), []).append(error.subject)
    lines = []
    for (problem, allowed, next_step), subjects in subjects_of.items():
        more = len(subjects) - MOST_NAMED
        named = ", ".join(subjects[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
        lines.append(str(ToccoError(named, problem, allowed=allowed, next_step=next_step)))
    return lines


def _prepared(task: _Task) -> _Outcome:
    try:
        found = record_outline(
            task.record,
            window_sec=task.window_sec,
            overlap=task.overlap,
            cache_dir=task.cache,
            missing_midi=task.missing_midi,
            transcriber=task.transcriber,
        )
    except ToccoError as error:
        return _Outcome(None, error=error)
    return _Outcome(found.source.path, found.score_refusal)

"""`tocco benchmark percepiano`, `ratings`, `leaks`, `leaderboard`: a benchmark that is open to anyone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from tocco.apps.progress import progress_bar
from tocco.errors import InputError, UsageError
from tocco.evaluation.benchmark.benchmark import DRAWS, SEED, Benchmark, joined
from tocco.evaluation.benchmark.figures import NO_LISTENING
from tocco.evaluation.benchmark.leaderboard import README, leaderboard_text, read_leaderboard
from tocco.evaluation.benchmark.leaks import CLAIMS, read_split
from tocco.evaluation.benchmark.other_predictions import (
    SHALLOW_MODELS,
    predictions_of_assessments,
    predictions_of_result,
    predictions_of_shallow_model,
)
from tocco.evaluation.benchmark.page import figures_csv, fold_sentence, markdown, summary
from tocco.evaluation.benchmark.predictions import (
    FaultyPredictionsError,
    Predictions,
    predictions_csv,
    read_predictions,
)
from tocco.evaluation.benchmark.protocols import PROTOCOLS
from tocco.evaluation.benchmark.submission import read_about, submission_of, write_submission
from tocco.files import writable_folder, write_bytes

PAGE: Final = "benchmark.md"
TABLE: Final = "benchmark.csv"
SUBMISSION: Final = "submission.json"
PREDICTIONS: Final = "predictions.csv"


@dataclass(frozen=True)
class Entry:
    """What is evaluated: exactly one of the first five.

    Attributes
    ----------
    predictions : a CSV
    assessments : folder of assessments
    results : "protocol=path" of cross-validations, paths without suffix; `system` names one of their systems
    baseline : of `NO_LISTENING`
    model : of `SHALLOW_MODELS`
    system
    jobs : processes that measure and fit a model
    protocols : None for those that the predictions are of
    is_untrained, allow_missing : as of `Benchmark.evaluate`
    about : YAML of a submission
    draws, seed
    """

    predictions: Path | None = None
    assessments: Path | None = None
    results: tuple[str, ...] = ()
    baseline: str | None = None
    model: str | None = None
    system: str | None = None
    protocols: tuple[str, ...] | None = None
    is_untrained: bool = False
    allow_missing: bool = False
    about: Path | None = None
    draws: int = DRAWS
    jobs: int = 1
    seed: int = SEED


def write_folds(benchmark: Benchmark, output: Path) -> None:
    """Write the table of folds that models are trained on."""
    benchmark.require_protocol()
    write_bytes(output, benchmark.folds_csv().encode())
    typer.echo(f"{output}: {len(benchmark.records)} segments, protocols {', '.join(benchmark.protocols)}")


def evaluate(benchmark: Benchmark, entry: Entry, output: Path) -> int:
    """Evaluate predictions; write page, table and, with `about`, a submission. Returns the exit code.

    Every fault of the predictions is printed, one line each.
    """
    _check_names(entry)
    benchmark.require_protocol()
    about = None if entry.about is None else read_about(entry.about)
    writable_folder(output)
    try:
        given = _predictions(benchmark, entry, output)
        with progress_bar("evaluating", at_once=False) as advance:
            result = benchmark.evaluate(
                given,
                entry.protocols,
                is_untrained=entry.is_untrained,
                allow_missing=entry.allow_missing,
                draws=entry.draws,
                seed=entry.seed,
                progress=advance,
            )
    except FaultyPredictionsError as error:
        for fault in error.faults:
            typer.echo(f"tocco: {fault}", err=True)
        return error.exit_code
    n_segments = len(benchmark.records)
    text = markdown(result, [("data", f"{benchmark.title}, {n_segments} segments")])
    write_bytes(output / TABLE, figures_csv(result).encode())
    if about is not None:
        write_submission(submission_of(result, about), output / SUBMISSION)
    write_bytes(output / PAGE, text.encode())
    typer.echo(summary(result))
    for figures in result.protocols:
        typer.echo(f"{figures.protocol}: {fold_sentence(result, figures)}")
    typer.echo(f"{output / PAGE}: every target, beside what needs no listening")
    return 0


def leaks(
    benchmark: Benchmark, split: Path, column: str | None, claim: str | None, compare_notes: bool
) -> None:
    """Print what a split leaks; with a claim, refuse a split that does not test it."""
    if claim is not None and claim not in CLAIMS:
        raise UsageError("--claim", f"is {claim!r}", allowed=", ".join(CLAIMS))
    parts = read_split(split, column)
    with progress_bar("reading", at_once=False) as advance:
        report = benchmark.leaks(parts, compare_notes=compare_notes, progress=advance)
    for line in report.lines():
        typer.echo(line)
    if claim is None:
        return
    if report.holds(claim) is False:
        raise InputError(split, f"does not test {claim}", next_step="put what is shared into one part")
    if report.holds(claim) is None:
        lacking = ", ".join(kind for kind in CLAIMS[claim] if kind in report.not_compared)
        raise InputError(
            split,
            f"is not shown to test {claim}: {lacking} could not be compared",
            next_step="leave out --no-notes, and give a label file that states what is lacking",
        )


def leaderboard(folder: Path) -> None:
    """Check every submission of a folder, and write its page."""
    submissions = read_leaderboard(folder)
    write_bytes(folder / README, leaderboard_text(submissions).encode())
    typer.echo(f"{folder / README}: {len(submissions)} submissions")


def _check_names(entry: Entry) -> None:
    """Refuse names that are none, before anything is read or written."""
    given = {
        "--baseline": ([entry.baseline], NO_LISTENING),
        "--model": ([entry.model], SHALLOW_MODELS),
        "--protocol": (entry.protocols or (), tuple(PROTOCOLS)),
    }
    for option, (names, allowed) in given.items():
        for name in names:
            if name is not None and name not in allowed:
                raise UsageError(option, f"is {name!r}", allowed=", ".join(map(repr, allowed)))


def _predictions(benchmark: Benchmark, entry: Entry, output: Path) -> Predictions:
    """What is evaluated; predictions that were no file before are written as one."""
    given = (entry.predictions, entry.assessments, entry.results, entry.baseline, entry.model)
    if sum(map(bool, given)) != 1:
        raise UsageError(
            "tocco benchmark",
            "needs one thing to evaluate",
            allowed="--predictions, --assessments, --result, --baseline or --model",
            next_step="give one of the five, or --folds",
        )
    if entry.predictions is not None:
        return read_predictions(entry.predictions)
    if entry.assessments is not None:
        found = predictions_of_assessments(entry.assessments)
    elif entry.results:
        found = _of_results(benchmark, entry.results, entry.system)
    elif entry.model:
        with progress_bar("measuring") as measuring, progress_bar("learning") as learning:
            found = predictions_of_shallow_model(
                benchmark,
                entry.model,
                entry.protocols,
                jobs=entry.jobs,
                measuring=measuring,
                learning=learning,
            )
    else:
        found = benchmark.baseline(str(entry.baseline))
    write_bytes(output / PREDICTIONS, predictions_csv(found.of).encode())
    return found


def _of_results(benchmark: Benchmark, results: Sequence[str], system: str | None) -> Predictions:
    if system is None:
        raise UsageError("--result", "needs --system", next_step="name one of its systems")
    parts: list[Predictions] = []
    for given in results:
        protocol, equals, path = given.partition("=")
        if not equals or protocol not in PROTOCOLS:
            raise UsageError("--result", f"is {given!r}", allowed=f"PROTOCOL=PATH; {', '.join(PROTOCOLS)}")
        parts.append(predictions_of_result(Path(path), system, benchmark, protocol))
    return joined(parts)

"""Options of `tocco benchmark percepiano`, `ratings`, `leaks` and `leaderboard`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tocco.errors import UsageError

_Labels = Annotated[Path, typer.Option(help="Label file, JSONL, as `tocco data` writes it.")]
_Output = Annotated[
    Path, typer.Option("-o", "--output", help="Folder for page, tables and submission; a CSV with --folds.")
]
_Folds = Annotated[
    bool,
    typer.Option("--folds", help="Write the folds that models are to be trained on, and do nothing else."),
]
_Predictions = Annotated[
    Path | None,
    typer.Option(help="CSV: segment_id, fold and a column per target (0 to 100); docs/benchmark.md."),
]
_Assessments = Annotated[
    Path | None, typer.Option(help="Folder of assessments, <segment_id>.json, in place of predictions.")
]
_Result = Annotated[
    list[str] | None,
    typer.Option(
        "--result",
        metavar="PROTOCOL=PATH",
        help="Result of a cross-validation under a protocol, as in clusters=FOLDER/predictions; repeat it "
        "for several protocols of one --system.",
    ),
]
_System = Annotated[str | None, typer.Option(help="A system of --result.")]
_Baseline = Annotated[
    str | None, typer.Option(help="Evaluate 'constant', 'passage mean' or 'pianist mean' as a system.")
]
_Model = Annotated[
    str | None,
    typer.Option(
        help="Fit one of tocco's models of statistics to each fold, and evaluate it: 'ridge, 10 features', "
        "'ridge, statistics', 'kernel ridge', 'trees, no score' or 'trees'."
    ),
]
_Jobs = Annotated[int, typer.Option(min=1, help="Parallel processes of --model.")]
_Protocols = Annotated[
    list[str] | None,
    typer.Option(
        "--protocol",
        help="clusters, performer, both, work or published; repeat it for several. By default what the "
        "column protocol of the CSV names, or clusters.",
    ),
]
_Untrained = Annotated[
    bool,
    typer.Option(
        "--untrained",
        help="The system has learned nothing from these labels: its predictions count in every protocol.",
    ),
]
_AllowMissing = Annotated[
    bool, typer.Option("--allow-missing", help="A missing prediction counts as the constant.")
]
_About = Annotated[
    Path | None, typer.Option(help="YAML with name, authors, trained_on, ...: also write a submission.")
]
_Draws = Annotated[int, typer.Option(min=1, help="Draws of the bootstrap over clusters.")]


_SOURCES = ("predictions", "assessments", "result", "baseline", "model")


def percepiano(
    labels: _Labels,
    output: _Output,
    folds: _Folds = False,
    predictions: _Predictions = None,
    assessments: _Assessments = None,
    result: _Result = None,
    system: _System = None,
    baseline: _Baseline = None,
    model: _Model = None,
    protocols: _Protocols = None,
    untrained: _Untrained = False,
    allow_missing: _AllowMissing = False,
    about: _About = None,
    draws: _Draws = 2000,
    jobs: _Jobs = 1,
) -> None:
    """Evaluate predictions of PercePiano's ratings without leaks, beside baselines and published figures."""
    from tocco.evaluation.benchmark import percepiano as benchmark_of

    _run(benchmark_of(labels), output, folds, locals())


def ratings(
    labels: _Labels,
    output: _Output,
    title: Annotated[str | None, typer.Option(help="Name of the data set in the page.")] = None,
    folds: _Folds = False,
    predictions: _Predictions = None,
    assessments: _Assessments = None,
    result: _Result = None,
    system: _System = None,
    baseline: _Baseline = None,
    model: _Model = None,
    protocols: _Protocols = None,
    untrained: _Untrained = False,
    allow_missing: _AllowMissing = False,
    about: _About = None,
    draws: _Draws = 2000,
    jobs: _Jobs = 1,
) -> None:
    """Evaluate predictions of the ratings of any label file: the same protocols, beside no listening."""
    from tocco.evaluation.benchmark import ratings as benchmark_of

    _run(benchmark_of(labels, title), output, folds, locals())


def leaks(
    labels: Annotated[Path, typer.Option(help="Label file, JSONL, that has the segments of the split.")],
    split: Annotated[Path, typer.Option(help="CSV: segment_id, and the part of each in fold, side or part.")],
    column: Annotated[str | None, typer.Option(help="Column of the parts, if it has another name.")] = None,
    claim: Annotated[
        str | None,
        typer.Option(
            help="'unseen takes', 'new music' or 'new pianist': fail if the split does not test it."
        ),
    ] = None,
    notes: Annotated[bool, typer.Option(help="Read the MIDI: identical files, the same take twice.")] = True,
) -> None:
    """Say what a split of your own leaks: music, pianists and takes that are in more than one part."""
    from tocco.apps.commands import open_benchmark as command
    from tocco.evaluation.benchmark import ratings as benchmark_of

    command.leaks(benchmark_of(labels), split, column, claim, notes)


def leaderboard(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Submissions, JSON; its README.md is written.")
    ],
) -> None:
    """Check the submissions of a folder and write its page."""
    from tocco.apps.commands import open_benchmark as command

    command.leaderboard(folder)


def _run(benchmark: Any, output: Path, folds: bool, given: dict[str, Any]) -> None:
    from tocco.apps.commands import open_benchmark as command

    if folds:
        others = [name for name in _SOURCES if given[name]]
        if others:
            raise UsageError("--folds", f"and --{others[0]} exclude each other", next_step="leave one out")
        command.write_folds(benchmark, output)
        return
    names = (
        *("predictions", "assessments", "baseline", "model", "system"),
        *("allow_missing", "about", "draws", "jobs"),
    )
    entry = command.Entry(
        **{name: given[name] for name in names},
        results=tuple(given["result"] or ()),
        protocols=tuple(given["protocols"]) if given["protocols"] else None,
        is_untrained=given["untrained"],
    )
    raise typer.Exit(command.evaluate(benchmark, entry, output))

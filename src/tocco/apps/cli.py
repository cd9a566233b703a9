"""The command line: `tocco COMMAND`.

Commands import what they need when they run, so that `tocco --help` stays quick.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from tocco.errors import ToccoError

EXIT_CODES = (
    "Exit codes: 0 done; 1 some rows of a manifest failed; 2 wrong usage; 3 an input cannot be used; "
    "4 inputs do not belong together; 5 a part of this machine is missing; 6 the bundle cannot be used; "
    "7 the result cannot be written; 130 interrupted."
)

INTERRUPTED = 130

app = typer.Typer(
    name="tocco",
    help="Rate a piano performance on ten dimensions, each with an interval that can be trusted.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data_app = typer.Typer(help="Import corpora and render MIDI.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(data_app, name="data")
benchmark_app = typer.Typer(
    help="Yardsticks that a network is held against.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(benchmark_app, name="benchmark")


def _version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(f"tocco {version('tocco')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def assess(
    audio: Annotated[
        list[Path] | None, typer.Argument(metavar="AUDIO...", help="Recordings.", show_default=False)
    ] = None,
    midi: Annotated[
        Path | None, typer.Option(help="Performance MIDI of the recording; alone, it is rendered.")
    ] = None,
    score: Annotated[Path | None, typer.Option(help="Score: MusicXML, .mxl or score MIDI.")] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="CSV with the columns id,audio,midi,score: assess every row.")
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="Model bundle; the one inside the package if not given.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for the JSON and the picture.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Rows of a manifest at once.")] = 1,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace assessments of other inputs under the same name.")
    ] = False,
) -> None:
    """Rate performances: a table here, and with -o the assessment as JSON and its curve as PNG."""
    from tocco.apps import assess as command

    if manifest is not None:
        if audio or midi or score:
            _usage("--manifest names the inputs: give no AUDIO, --midi or --score beside it")
        if output is None:
            _usage("--manifest needs -o DIR")
        if overwrite:
            _usage("--manifest keeps what it has assessed; remove what is to be assessed again")
        raise typer.Exit(command.assess_manifest(manifest, bundle, output, jobs=jobs))
    if not audio and midi is None:
        _usage("give a recording, or --midi, or --manifest")
    if audio and len(audio) > 1 and (midi or score):
        _usage("--midi and --score belong to one recording; for several, use --manifest")
    for recording in audio or [None]:
        command.assess_one(recording, midi, score, bundle, output, overwrite=overwrite)


@app.command()
def align(
    played: Annotated[Path, typer.Argument(metavar="AUDIO|MIDI", help="What was played.")],
    score: Annotated[Path, typer.Argument(metavar="SCORE", help="MusicXML, .mxl or score MIDI.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for match file, JSON, picture.")],
    midi: Annotated[Path | None, typer.Option(help="Performance MIDI of the recording.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what other inputs left under the same name.")
    ] = False,
) -> None:
    """Lay a performance against its score: match file, JSON, and a picture of mistakes and tempo."""
    from tocco.apps import align as command

    command.align(played, score, output, midi=midi, overwrite=overwrite)


@data_app.command("percepiano")
def data_percepiano(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="The PercePiano data pack.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for labels, MIDI, scores, audio.")],
    render: Annotated[
        bool, typer.Option("--render/--no-render", help="Render the audio of every excerpt.")
    ] = True,
    soundfont: Annotated[Path | None, typer.Option(help="Soundfont; else TOCCO_SOUNDFONT or system.")] = None,
) -> None:
    """Import PercePiano into the shared label schema and render its audio (resumable)."""
    from tocco.apps import corpora

    corpora.import_percepiano(source, output, render=render, soundfont=soundfont)


@data_app.command("asap")
def data_asap(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="Folder of the data set, or its .tar.xz.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for manifest, MIDI, scores, beats.")],
    check_scores: Annotated[
        bool, typer.Option("--check-scores", help="Read every MusicXML as music; else its first lines.")
    ] = False,
) -> None:
    """Import ASAP: performances, scores, and where the beats fall in both."""
    from tocco.apps import importers

    importers.import_asap(source, output, check_scores=check_scores)


@data_app.command("render")
def data_render(
    midi: Annotated[list[Path], typer.Argument(metavar="MIDI...", help="Performance MIDI files.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A .flac file for one MIDI, else a folder.")],
    soundfont: Annotated[Path | None, typer.Option(help="Soundfont; else TOCCO_SOUNDFONT or system.")] = None,
) -> None:
    """Render performance MIDI to FLAC with FluidSynth."""
    from tocco.apps import corpora

    corpora.render(midi, output, soundfont=soundfont)


@app.command()
def train(
    config: Annotated[Path, typer.Option(help="Experiment, a YAML file.")],
    labels: Annotated[Path, typer.Option(help="Label file, JSONL.")],
    run: Annotated[Path, typer.Option("-o", "--run", help="Folder of the run.")],
    fold: Annotated[
        str, typer.Option(help="A fold to hold out, 'all' for each in turn, 'none' to learn from everything.")
    ] = "none",
    inner: Annotated[
        bool, typer.Option("--inner", help="Report on a part of the training data; for choosing settings.")
    ] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="BLOCK.KEY=VALUE", help="Override a setting.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that prepare inputs.")] = 2,
) -> None:
    """Train a network; checkpoints, config and split go to the run's folder."""
    from tocco.apps import experiments

    experiments.train(
        config, labels, run, fold=fold, inner=inner, overrides=set_ or [], resume=resume, jobs=jobs
    )


@app.command()
def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run with all folds trained.")],
    labels: Annotated[Path, typer.Option(help="Label file that the run was trained on.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables and figures.")],
    jobs: Annotated[int, typer.Option(min=1, help="Processes that prepare inputs.")] = 2,
) -> None:
    """Cross-validated figures of a run beside the baselines, and the calibration of its intervals."""
    from tocco.apps import experiments

    experiments.evaluate(run, labels, output, jobs=jobs)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a trained and evaluated run.")],
    evaluation: Annotated[Path, typer.Option(help="Folder that `tocco evaluate` wrote.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the new bundle.")],
    labels: Annotated[Path, typer.Option(help="Label file that the run was trained on.")],
) -> None:
    """Write the bundle of a run: weights, config, calibration, model card."""
    from tocco.apps import experiments

    experiments.export(run, evaluation, labels, output)


@benchmark_app.command("trees")
def benchmark_trees(
    labels: Annotated[Path, typer.Option(help="Label file, JSONL.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables and figures.")],
    protocol: Annotated[
        str, typer.Option(help="cv4_cluster: new music; cv4_performer: new pianists; leave_one_work_out.")
    ] = "cv4_cluster",
    jobs: Annotated[int, typer.Option(min=1, help="Processes that measure and learn.")] = 2,
) -> None:
    """Boosted trees on statistics of whole excerpts, cross-validated beside the baselines."""
    from tocco.apps import yardsticks

    yardsticks.benchmark_trees(labels, output, protocol=protocol, jobs=jobs)


@app.command()
def doctor() -> None:
    """Say what this machine can do: audio formats, rendering, training, the bundled model."""
    from tocco.apps.doctor import report

    raise typer.Exit(report())


def _usage(message: str) -> NoReturn:
    raise typer.BadParameter(message)


def main() -> None:
    """Run a command; an error that a user can act on is one line and the class's exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # an old terminal may lack a sign; the ratings come through
    try:
        app()
    except ToccoError as error:
        typer.echo(f"tocco: {error}", err=True)
        sys.exit(error.exit_code)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            typer.echo("tocco: interrupted; a second run goes on where this one stopped", err=True)
        raise


def door(command: str) -> None:
    """Run one command under a script's own name: `python train.py ...` is `tocco train ...`."""
    sys.argv.insert(1, command)
    main()

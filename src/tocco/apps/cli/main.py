"""The command line: `tocco COMMAND`.

Commands import their modules when they run, so that `tocco --help` and usage errors respond quickly.
"""

from __future__ import annotations

import io
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from tocco.apps.cli import (
    ablate,
    align,
    assess,
    benchmark,
    calibrate,
    compare,
    data,
    evaluate,
    label,
    open_benchmark,
    pseudo_label,
    rank,
    report,
    serve,
    statistics,
    train,
    transcribe,
    transcription,
)
from tocco.apps.cli.corpora import add_importers
from tocco.errors import ToccoError

EXIT_CODES = (
    "Exit codes: 0 done; 1 some performances of several failed; 2 wrong usage; 3 an input cannot be used; "
    "4 inputs do not belong together; 5 something needed is not installed; 6 the bundle cannot be used; "
    "7 the result cannot be written; 130 interrupted; 143 ended by SIGTERM."
)

INTERRUPTED = 130


class _LabelByDefault(TyperGroup):
    """`tocco pseudo-label MANIFEST` means `tocco pseudo-label label MANIFEST`."""

    # The type of the context depends on the release of typer: click's, or typer's own copy of it.
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            meant = get_close_matches(args[0], self.commands, n=1)
            if meant and not Path(args[0]).exists():
                ctx.fail(f"No such command or manifest '{args[0]}'. Did you mean '{meant[0]}'?")
            args = ["label", *args]
        return super().parse_args(ctx, args)


def _group(help_: str, cls: type[TyperGroup] = TyperGroup) -> typer.Typer:
    return typer.Typer(cls=cls, help=help_, no_args_is_help=True, rich_markup_mode=None)


app = typer.Typer(
    name="tocco",
    help="Rate a piano performance on ten dimensions, each with a calibrated interval.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(assess.assess)
app.command()(align.align)
app.command()(report.report)
app.command()(compare.compare)
app.command()(rank.rank)
app.command()(calibrate.calibrate)
app.command()(transcribe.transcribe)
app.command()(serve.serve)

data_app = _group("Import corpora and render MIDI.")
add_importers(data_app)
data_app.command()(data.maestro)
data_app.command()(data.render)
data_app.command()(data.prepare)
app.add_typer(data_app, name="data")

pseudo_label_app = _group(
    "Ratings computed by rule from audio, MIDI and score: `pseudo-label MANIFEST -o FILE`.",
    _LabelByDefault,
)
pseudo_label_app.command("label")(pseudo_label.label)
pseudo_label_app.command("fit-scale")(pseudo_label.fit_scale)
pseudo_label_app.command("fit-norms")(pseudo_label.fit_norms)
pseudo_label_app.command("fit-damage")(pseudo_label.fit_damage)
app.add_typer(pseudo_label_app, name="pseudo-label")

label_app = _group("Ratings by people: prepare segments, invite raters, judge the ratings, make labels.")
label_app.command("prepare")(label.prepare)
label_app.command("invite")(label.invite)
label_app.command("raters")(label.raters)
label_app.command("next")(label.next_)
label_app.command("report")(label.report)
label_app.command("export")(label.export)
label_app.command("import")(label.import_)
label_app.command("backup")(label.backup)
label_app.command("restore")(label.restore)
app.add_typer(label_app, name="label")

app.command()(train.train)
app.command()(evaluate.evaluate)
app.command()(ablate.ablate)
app.command()(train.export)

statistics_app = _group("Predictors that rate a whole performance by its statistics.")
statistics_app.command("fit-norms")(statistics.fit_norms)
statistics_app.command("fit")(statistics.fit)
statistics_app.command("fit-perception")(statistics.fit_perception)
statistics_app.command("fit-differences")(statistics.fit_differences)
app.add_typer(statistics_app, name="statistics")

transcription_app = _group("What transcription does to ratings: recordings of known keys.")
transcription_app.command("pairs")(transcription.pairs)
transcription_app.command("fit")(transcription.fit)
transcription_app.command("report")(transcription.report)
app.add_typer(transcription_app, name="transcription")

benchmark_app = _group(
    "Predictions of anyone against people's ratings; baselines; validation of pseudo-labels and ratings."
)
benchmark_app.command("percepiano")(open_benchmark.percepiano)
benchmark_app.command("ratings")(open_benchmark.ratings)
benchmark_app.command("leaks")(open_benchmark.leaks)
benchmark_app.command("leaderboard")(open_benchmark.leaderboard)
benchmark_app.command("trees")(benchmark.trees)
benchmark_app.command("statistics")(benchmark.statistics)
benchmark_app.command("pseudo-labels")(benchmark.pseudo_labels)
benchmark_app.command("validity")(benchmark.validity)
benchmark_app.command("calibration")(benchmark.calibration)
benchmark_app.command("differences")(benchmark.differences)
app.add_typer(benchmark_app, name="benchmark")


@app.command()
def doctor() -> None:
    """Show what this machine supports: audio formats, rendering, training, the bundled model."""
    from tocco.apps.commands.doctor import report

    raise typer.Exit(report())


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


def main() -> None:
    """Run a command; a `ToccoError` prints one line and exits with the code of its class."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # an old terminal may lack a character of the output
    try:
        app()
    except ToccoError as error:
        typer.echo(f"tocco: {error}", err=True)
        sys.exit(error.exit_code)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            typer.echo("tocco: interrupted; run the same command again to continue", err=True)
        raise


def entry_point(*command: str) -> None:
    """Run one command from a script: `python train.py ...` is `tocco train ...`."""
    sys.argv[1:1] = command
    main()

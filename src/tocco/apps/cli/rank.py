"""Options of `tocco rank`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from tocco.apps.cli.given import takes_to_assess
from tocco.apps.cli.options import Transcriber
from tocco.errors import UsageError
from tocco.rubrics import DIMENSIONS

_GIVE_JURY: Final = "give marks with --marks, or votes with --votes"


def rank(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FOLDER|FILE...",
            help="A folder of assessments, or assessments (.json); or recordings, performance MIDI and "
            "scores as for `tocco assess`, which are assessed first.",
            show_default=False,
        ),
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="CSV of performances, as for `tocco assess`; needs -o.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="Folder for ranking.html, .csv and .json, and for new assessments."
        ),
    ] = None,
    by: Annotated[
        str,
        typer.Option(metavar="DIMENSION", help="What ratings are compared by: aggregate, or a dimension."),
    ] = "aggregate",
    marks: Annotated[
        Path | None,
        typer.Option(
            help="CSV of jurors' marks: juror, performance, mark (and own_student: yes or no); or "
            "performance and one column a juror."
        ),
    ] = None,
    votes: Annotated[
        Path | None, typer.Option(help="CSV of votes on pairs: juror, better, worse (and tie: yes or no).")
    ] = None,
    recuse: Annotated[
        Path | None,
        typer.Option(help="CSV of who may not judge whom, such as own students: juror, performance."),
    ] = None,
    counts: Annotated[
        Literal["tocco", "jury", "both"] | None,
        typer.Option(
            "--with",
            help="Whose judgement counts; by default the jury's alone where there is one, else tocco's.",
        ),
    ] = None,
    correct_beyond: Annotated[
        float | None,
        typer.Option(
            metavar="POINTS", help="Move marks farther than that off the mean of the other jurors to there."
        ),
    ] = None,
    delete_beyond: Annotated[
        float | None,
        typer.Option(
            metavar="POINTS", help="Leave out marks farther than that off the mean of the other jurors."
        ),
    ] = None,
    yes_no: Annotated[
        int | None, typer.Option("--yes-no", metavar="K", help="So many pass to the next round.")
    ] = None,
    at_least: Annotated[
        float | None,
        typer.Option(
            metavar="POINTS", help="All pass whose rating (with a jury: mean mark) is that high or higher."
        ),
    ] = None,
    score: Annotated[
        list[Path] | None, typer.Option(help="Score of all performances that are assessed first.")
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="Model bundle; by default the one of the package.")
    ] = None,
    transcribed: Annotated[
        bool, typer.Option("--transcribed", help="The MIDI was transcribed from a recording.")
    ] = False,
    transcriber: Transcriber = None,
    jobs: Annotated[int, typer.Option(min=1, help="Number of parallel processes.")] = 1,
) -> None:
    """Rank performances for a jury: an order with its ties, who cannot be separated, who is heard again.

    It is an aid and no verdict. Marks and votes of jurors are compared within each juror.
    """
    has_jury = marks is not None or votes is not None
    source = counts or ("jury" if has_jury else "tocco")
    _check_choice(by, source, recuse, has_jury=has_jury)
    for option, points in (("--correct-beyond", correct_beyond), ("--delete-beyond", delete_beyond)):
        if points is not None:
            _check_points(option, points, marks)
    _check_cut(yes_no, at_least, source, marks)
    if not files and manifest is None:
        raise UsageError("rank", "got nothing to rank", next_step="give a folder of performances")
    if manifest is not None and output is None:
        raise UsageError("--manifest", "needs -o", next_step="name a folder for the assessments with -o")
    from tocco.apps.commands import rank as command
    from tocco.apps.commands.given import divided
    from tocco.ranking.cuts import CutRule
    from tocco.ranking.rank import Options
    from tocco.ranking.rules import Rules

    rules = Rules(correct_beyond, delete_beyond)
    cut = None if yes_no is None and at_least is None else CutRule(yes_no, at_least)
    assessed, others = divided(files or [])
    takes = takes_to_assess(others, score or [], manifest, transcribed=transcribed)
    raise typer.Exit(
        command.rank(
            assessed,
            takes,
            command.JuryFiles(marks, votes, recuse),
            Options(by, source, rules, cut),
            bundle=bundle,
            output=output,
            transcriber=transcriber,
            jobs=jobs,
        )
    )


def _check_choice(by: str, source: str, recuse: Path | None, *, has_jury: bool) -> None:
    if by != "aggregate" and by not in DIMENSIONS:
        from tocco.schema import nearest

        raise UsageError("--by", nearest(by, ("aggregate", *DIMENSIONS)), next_step="name one of them")
    if source != "tocco" and not has_jury:
        raise UsageError("--with", f"is {source}, and no jury is given", next_step=_GIVE_JURY)
    if recuse is not None and not has_jury:
        raise UsageError("--recuse", "is given, and no jury is", next_step=_GIVE_JURY)


def _check_points(option: str, points: float, marks: Path | None) -> None:
    if not (math.isfinite(points) and points > 0.0):
        raise UsageError(option, f"is {points:g}", allowed="a number above 0")
    if marks is None:
        raise UsageError(option, "is given, and no marks are", next_step="give them with --marks")


def _check_cut(passing: int | None, at_least: float | None, source: str, marks: Path | None) -> None:
    if passing is not None and at_least is not None:
        raise UsageError(
            "--at-least", "is given beside --yes-no", allowed="one of the two", next_step="leave one out"
        )
    if passing is not None and passing < 1:
        raise UsageError("--yes-no", f"is {passing}", allowed="1 or more")
    if at_least is None:
        return
    if not (math.isfinite(at_least) and at_least >= 0.0):
        raise UsageError("--at-least", f"is {at_least:g}", allowed="a number of 0 or more")
    if source == "both":
        raise UsageError(
            "--at-least",
            "is given with --with both, and marks have another scale than ratings",
            allowed="--with tocco, or --with jury",
            next_step="say how many pass with --yes-no",
        )
    if source == "jury" and marks is None:
        raise UsageError("--at-least", "needs marks, and votes alone are given", next_step="use --yes-no")

"""Options of `tocco label ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from tocco.errors import UsageError

ProjectFolder = Annotated[
    Path, typer.Argument(metavar="PROJECT", help="Folder that `tocco label prepare` made.")
]


def prepare(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER|MANIFEST|LABELS",
            help="Folder of recordings, MIDI and scores; or a manifest (.csv); or a label file (.jsonl), as "
            "`tocco data` writes one.",
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the new project.")],
    count: Annotated[int, typer.Option(min=1, help="Number of segments to be rated.")] = 250,
    calibration: Annotated[
        int, typer.Option(min=0, help="Of these, how many are rated first and again on the next day.")
    ] = 20,
    known: Annotated[
        Path | None,
        typer.Option(
            metavar="LABELS.jsonl",
            help="Segments with ratings by people: anchors among the others, and calibration with feedback.",
        ),
    ] = None,
    assessments: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="What `tocco assess -o` wrote of the same performances, for their quality."
        ),
    ] = None,
    title: Annotated[str, typer.Option(help="Shown to raters.")] = "Piano performances",
    dimension: Annotated[
        list[str] | None, typer.Option(help="Rate this dimension; repeat for several. All ten by default.")
    ] = None,
    repeats: Annotated[float, typer.Option(min=0.0, max=0.5, help="Share that is presented twice.")] = 0.1,
    anchors: Annotated[
        float, typer.Option(min=0.0, max=0.5, help="Segments with known ratings, as a share.")
    ] = 0.05,
    per_performance: Annotated[
        int, typer.Option(min=1, help="Most candidates of one performance, for this round and later ones.")
    ] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Of the choice and of every rater's order.")] = 0,
    render: Annotated[
        bool, typer.Option("--render/--no-render", help="Render segments without a recording now.")
    ] = True,
) -> None:
    """Make a project: 20 to 30 s segments, diverse in piece, composer, difficulty and quality."""
    from pydantic import ValidationError

    from tocco.apps.commands import label as command
    from tocco.labelling.prepare import Plan
    from tocco.labelling.project import Settings
    from tocco.rubrics import DIMENSIONS
    from tocco.schema import one_line

    if calibration > count:
        raise UsageError("--calibration", f"is {calibration}", allowed=f"at most --count, {count}")
    try:
        settings = Settings(
            title=title,
            dimensions=tuple(dimension or DIMENSIONS),
            seed=seed,
            repeat_share=repeats,
            anchor_share=anchors,
        )
    except ValidationError as error:
        raise UsageError("--dimension", one_line(error, Settings)) from error
    plan = Plan(count, calibration, per_performance)
    command.prepare(source, output, plan, settings, known=known, assessments=assessments, render=render)


def invite(
    project: ProjectFolder,
    rater: Annotated[str, typer.Argument(metavar="RATER", help="Short name, part of file names.")],
    name: Annotated[str, typer.Option(help="Name as shown to the rater.")] = "",
    role: Annotated[Literal["rater", "admin"], typer.Option(help="What the link allows.")] = "rater",
    url: Annotated[str, typer.Option(help="Address of `tocco serve` as the rater reaches it.")] = (
        "http://localhost:8350"
    ),
    days: Annotated[float, typer.Option(min=0.01, max=3650.0, help="Days until the link expires.")] = 90.0,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="First make every earlier link of this rater void.")
    ] = False,
) -> None:
    """Add a rater and print a signed link. Whoever has the link can rate in that name."""
    from tocco.apps.commands import label as command

    command.invite(project, rater, name=name, role=role, url=url, days=days, revoke=revoke)


def raters(
    project: ProjectFolder,
    deactivate: Annotated[str | None, typer.Option(metavar="RATER", help="Shut a rater out.")] = None,
    activate: Annotated[str | None, typer.Option(metavar="RATER", help="Let a rater in again.")] = None,
) -> None:
    """List the raters, and how far each is."""
    from tocco.apps.commands import label as command

    command.raters(project, deactivate=deactivate, activate=activate)


def next_(
    project: ProjectFolder,
    count: Annotated[int, typer.Option(min=1, help="Number of segments of the round.")] = 200,
    bundle: Annotated[
        Path | None, typer.Option(help="Model bundle; by default the one of the package.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the choice, and change nothing.")] = False,
) -> None:
    """Add a round: the candidates that are most uncertain, and unlike what the project has."""
    from tocco.apps.commands import label as command

    command.next_(project, count, bundle, dry_run=dry_run)


def report(
    project: ProjectFolder,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for raters.md and raters.json.")],
) -> None:
    """Judge the raters: agreement, consistency, anchors, severity, drift; and whom to talk to."""
    from tocco.apps.commands import label as command

    command.report(project, output)


def export(
    project: ProjectFolder,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the labels.")],
    min_raters: Annotated[int, typer.Option(min=1, help="A dimension with fewer raters has no label.")] = 1,
) -> None:
    """Write consensus labels (debiased and raw), every rating as JSON, and votes."""
    from tocco.apps.commands import label as command

    command.export(project, output, min_raters)


def import_(
    project: ProjectFolder,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Annotations: a JSON list, or one JSON object a line."),
    ],
    rater: Annotated[
        str | None, typer.Option(help="Whose ratings they are, where the file names nobody.")
    ] = None,
) -> None:
    """Add ratings that were made elsewhere; the same file again changes nothing."""
    from tocco.apps.commands import label as command

    command.import_(project, files, rater)


def backup(
    project: ProjectFolder,
    output: Annotated[Path, typer.Option("-o", "--output", help="File of the copy.")],
) -> None:
    """Copy the store of ratings to one file, also while people rate."""
    from tocco.apps.commands import label as command

    command.backup(project, output)


def restore(
    project: ProjectFolder,
    copy: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `tocco label backup` wrote.")],
) -> None:
    """Replace the store of ratings by a backup; what was there is kept beside it."""
    from tocco.apps.commands import label as command

    command.restore(project, copy)

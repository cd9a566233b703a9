"""Options of `tocco serve`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from tocco.apps.cli.options import Transcriber


def serve(
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FOLDER",
            help="Library: the folder of the takes and of what is made of them. By default $TOCCO_LIBRARY, "
            "else a folder of this user.",
        ),
    ] = None,
    scores: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder of scores to choose from.")
    ] = None,
    ratings: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Rating project, made by `tocco label prepare`. By default the folder `ratings` of the "
            "library.",
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 for any that is free.")] = 8350,
    host: Annotated[
        str,
        typer.Option(help="Address to listen to. One that other machines reach needs a secret."),
    ] = "localhost",
    secret: Annotated[
        str | None,
        typer.Option(
            help="Secret to log in with, at least 12 characters; better as TOCCO_SECRET, which no other user "
            "of this machine sees.",
        ),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Further name by which other machines call this one."),
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="Model bundle; by default the one of the package.")
    ] = None,
    transcriber: Transcriber = None,
    jobs: Annotated[int, typer.Option(min=1, help="Takes that are assessed at the same time.")] = 1,
    time_limit: Annotated[
        float, typer.Option(min=0.1, metavar="MINUTES", help="Time that one job may take.")
    ] = 60.0,
    memory_limit: Annotated[
        float, typer.Option(min=0.5, metavar="GB", help="Memory that one job may use.")
    ] = 8.0,
    upload_limit: Annotated[
        float, typer.Option(min=0.001, metavar="MB", help="Size that one file may have.")
    ] = 1_000.0,
) -> None:
    """Assess, compare and rank in a browser, on this machine: nothing leaves it."""
    from tocco.apps.commands.serve import run
    from tocco.apps.web.settings import MEGABYTE, SECRET_VARIABLE, JobLimits, Settings, default_library

    run(
        Settings(
            library=default_library() if output is None else output,
            scores=scores,
            ratings=ratings,
            host=host,
            port=port,
            secret=os.environ.get(SECRET_VARIABLE) or None if secret is None else secret,
            names=tuple(name or ()),
            bundle=bundle,
            transcriber=transcriber,
            upload_bytes=round(upload_limit * MEGABYTE),
            jobs=JobLimits(jobs, 60.0 * time_limit, round(1_000 * memory_limit) * MEGABYTE),
        )
    )

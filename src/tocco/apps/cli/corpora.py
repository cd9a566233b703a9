"""`tocco data CORPUS`: one command for each corpus of the registry."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from tocco.data.corpora.registry import IMPORTERS, Importer, Option


def add_importers(app: typer.Typer) -> None:
    """Add a command for every corpus."""
    for importer in IMPORTERS:
        app.command(importer.name, help=importer.summary)(command_of(importer))


def command_of(importer: Importer) -> Callable[..., None]:
    """The command of one corpus, with a signature built from the importer's options."""

    def run(source: Path, output: Path, **options: Any) -> None:
        from tocco.apps.progress import progress_bar

        with progress_bar("reading") as advance:
            report = importer.run(source, output, on_progress=advance, **options)
        for line in report.lines():
            typer.echo(line)

    source = Annotated[Path, typer.Argument(metavar="SRC", help=importer.source)]
    output = Annotated[Path, typer.Option("-o", "--output", help=importer.target)]
    types = {"source": source, "output": output} | {one.name: _type_of(one) for one in importer.options}
    defaults = {one.name: one.default for one in importer.options}
    run.__annotations__ = types
    run.__signature__ = inspect.Signature(  # pyright: ignore[reportFunctionMemberAccess]
        [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                annotation=annotation,
                default=defaults.get(name, inspect.Parameter.empty),
            )
            for name, annotation in types.items()
        ]
    )
    return run


def _type_of(option: Option) -> Any:
    kind: Any = Literal[option.kind] if isinstance(option.kind, tuple) else option.kind
    if option.default is None:
        kind = kind | None
    flag = "--" + option.name.replace("_", "-")
    names = (f"{flag}/--no-{option.name}",) if kind is bool and option.default else (flag,)
    return Annotated[kind, typer.Option(*names, help=option.help)]

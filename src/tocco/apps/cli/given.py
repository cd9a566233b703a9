"""Performances that commands on several of them are given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import typer

from tocco.apps.cli.assess import performances_given
from tocco.data.pairing import TakeFiles
from tocco.errors import UsageError


def takes_to_assess(
    files: list[Path], score: list[Path], manifest: Path | None, *, transcribed: bool
) -> list[TakeFiles]:
    """Performances to be assessed first; what is left out is said on stderr."""
    if not files and manifest is None:
        if score:
            raise UsageError("--score", "is given, and nothing is to be assessed", next_step="leave it out")
        return []
    given = performances_given(files, [], score, manifest)
    for one in given.left_out:
        typer.echo(f"left out: {one.subject} {one.reason}", err=True)
    return [replace(take, origin="transcribed") if transcribed else take for take in given.takes]

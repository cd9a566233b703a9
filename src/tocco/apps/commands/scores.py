"""Folders of scores at the terminal."""

from __future__ import annotations

from pathlib import Path

import typer

from tocco.apps.progress import progress_bar
from tocco.music.score_finding import ScoreFolder, open_score_folder


def read_scores(folder: Path) -> ScoreFolder:
    """Read the scores of a folder that were not read before, and name those that are left out."""
    with progress_bar("reading scores") as advance:
        scores = open_score_folder(folder, on_read=advance)
    for one in scores.left_out:
        typer.echo(f"left out: {one.path.relative_to(folder).as_posix()} {one.reason}", err=True)
    return scores

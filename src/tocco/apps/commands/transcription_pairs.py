"""`tocco transcription pairs`: recordings of known keys, and what a transcriber hears in them."""

from __future__ import annotations

from pathlib import Path

import typer

from tocco.apps.progress import progress_bar
from tocco.audio.transcription.choice import transcriber_of
from tocco.data.records import read_labels
from tocco.errors import InputError
from tocco.evaluation.transcription.pairs import Pair, PairTask, chosen_records, make_pairs


def make(
    labels: Path, output: Path, pieces: Path | None, *, n: int, task: PairTask, transcriber: str | None = None
) -> None:
    """Make so many pairs from a label file; those of an earlier run are kept.

    Raises
    ------
    InputError
        No performance can be used.
    """
    names = None if pieces is None else pieces.read_text(encoding="utf-8").split("\n")
    records = chosen_records(read_labels(labels), names, n, task.seed)
    if not records:
        raise InputError(labels, "has no performance with MIDI and score of these pieces")
    made = 0
    with progress_bar("transcribing") as advance:
        for place, outcome in enumerate(
            make_pairs(records, output, transcriber_of(transcriber), task), start=1
        ):
            advance(place, len(records))
            if isinstance(outcome, Pair):
                made += 1
            else:
                typer.echo(f"left out: {outcome}", err=True)
    typer.echo(f"{output}: {made} recordings with their keys and their transcriptions")

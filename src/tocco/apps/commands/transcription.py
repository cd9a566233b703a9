"""`tocco transcription ...`: recordings of known keys, and what their transcription takes from ratings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from tocco.apps.progress import progress_bar
from tocco.audio.transcription.choice import transcriber_of
from tocco.data.records import read_labels
from tocco.errors import BundleError, InputError
from tocco.evaluation.transcription.fit import BothWays, fit_loss, rate_both_ways
from tocco.evaluation.transcription.pairs import Pair, PairTask, chosen_records, make_pairs, read_pairs
from tocco.inference.bundle import load_bundle, replace_calibration


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


def fit(folders: Sequence[Path], bundle: Path) -> None:
    """Find what transcription takes from a bundle's ratings, and write it into its calibration.

    Raises
    ------
    InputError
        A folder has no pairs.
    BundleError
        The bundle cannot be used, or has no predictor of whole performances.
    """
    loaded = load_bundle(bundle)
    if loaded.whole is None:
        raise BundleError(bundle, "has no predictor of whole performances")
    both: dict[bool, list[BothWays]] = {True: [], False: []}
    pairs = [(pair, folder) for folder in folders for pair in _pairs_of(folder)]
    with progress_bar("rating") as advance:
        for place, (pair, folder) in enumerate(pairs, start=1):
            for has_score, rows in both.items():
                found = rate_both_ways(loaded, pair, folder, has_score=has_score)
                rows += [] if found is None else [found]
            advance(place, len(pairs))
    loss = fit_loss(loaded.whole.names, both, transcriber_of(None).version)
    replace_calibration(bundle, loaded.calibration.model_copy(update={"transcription": loss}))
    typer.echo(f"{bundle}: what transcription takes from the ratings, by {loss.n} of {len(pairs)} recordings")


def _pairs_of(folder: Path) -> tuple[Pair, ...]:
    pairs = read_pairs(folder)
    if not pairs:
        raise InputError(folder, "has no recordings", next_step="make some with `tocco transcription pairs`")
    return pairs

"""`tocco transcription ...`: recordings of known keys, and what their transcription takes from ratings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Final

import typer

from tocco.apps.progress import progress_bar
from tocco.audio.transcription.choice import transcriber_of
from tocco.data.records import read_labels
from tocco.errors import BundleError, InputError
from tocco.evaluation.transcription.fit import (
    BothWays,
    accuracy_both_ways,
    card_with_transcription,
    fit_loss,
    rate_both_ways,
)
from tocco.evaluation.transcription.note_errors import Counts, count_errors
from tocco.evaluation.transcription.notes import notes_heard
from tocco.evaluation.transcription.pairs import Pair, PairTask, chosen_records, make_pairs, read_pairs
from tocco.evaluation.transcription.report import RatedSet, document
from tocco.files import writable_folder, write_bytes
from tocco.inference.bundle import CARD, Bundle, load_bundle, replace_calibration
from tocco.rubrics import TOCCO10

REPORT: Final = "report.md"


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
    loss = fit_loss(loaded.whole.names, both, _one_transcriber(folders, [pair for pair, _ in pairs]))
    sources = sorted({pair.source for pair, _ in pairs})
    card = card_with_transcription((bundle / CARD).read_text(encoding="utf-8"), loss, sources)
    replace_calibration(bundle, loaded.calibration.model_copy(update={"transcription": loss}), card)
    typer.echo(f"{bundle}: what transcription takes from the ratings, by {loss.n} of {len(pairs)} recordings")


def _one_transcriber(folders: Sequence[Path], pairs: Sequence[Pair]) -> str:
    names = sorted({pair.transcriber for pair in pairs})
    if len(names) > 1:
        raise InputError(
            folders[0],
            f"and the other folders were heard by {' and '.join(names)}",
            allowed="one transcriber",
            next_step="fit a bundle for each",
        )
    return names[0]


def _pairs_of(folder: Path) -> tuple[Pair, ...]:
    pairs = read_pairs(folder)
    if not pairs:
        raise InputError(folder, "has no recordings", next_step="make some with `tocco transcription pairs`")
    return pairs


def report(folders: Sequence[Path], output: Path, bundle: Path | None) -> None:
    """Compare ratings by transcription with those by keys, and write `report.md`.

    Raises
    ------
    InputError
        A folder has no pairs.
    BundleError
        The bundle cannot be used, or does not know what transcription takes.
    """
    loaded = load_bundle(bundle)
    loss = loaded.calibration.transcription
    if loaded.whole is None or loss is None:
        raise BundleError(
            bundle or "bundle", "knows no transcriptions", next_step="run `tocco transcription fit` first"
        )
    output = writable_folder(output)
    total = sum(len(_pairs_of(folder)) for folder in folders)
    done = count(1)
    with progress_bar("rating") as advance:
        sets = [_rated_set(loaded, one, lambda: advance(next(done), total)) for one in folders]
    text = document(sets, loaded.whole.names, TOCCO10.names, loss)
    write_bytes(output / REPORT, text.encode())
    typer.echo(str(output / REPORT))


def _rated_set(bundle: Bundle, folder: Path, on_done: Callable[[], None]) -> RatedSet:
    both: dict[bool, list[BothWays]] = {True: [], False: []}
    accuracy: list[tuple[float, float, bool]] = []
    errors: dict[str, list[Counts]] = {}
    for pair in _pairs_of(folder):
        for has_score, rows in both.items():
            found = rate_both_ways(bundle, pair, folder, has_score=has_score)
            rows += [] if found is None else [found]
        rated = accuracy_both_ways(pair, folder)
        accuracy += [] if rated is None else [rated]
        counted = count_errors(pair, folder)
        errors.setdefault(pair.planted, []).extend([] if counted is None else [counted])
        on_done()
    notes = [notes_heard(pair, folder) for pair in _pairs_of(folder)]
    return RatedSet(folder.name, both, accuracy, errors, notes)

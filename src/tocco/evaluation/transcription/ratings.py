"""Every recording of a folder rated twice: by the keys that were played, and by their transcription."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tocco.cache import Keyed, cached_model, code_hash, json_key
from tocco.errors import ToccoError
from tocco.evaluation.transcription.pairs import Pair
from tocco.files import sha256_of
from tocco.inference.assessment import Assessment, Rating
from tocco.inference.assessor import Assessor
from tocco.schema import StrictModel

Way = Literal["keys", "transcribed", "keys, no score", "transcribed, no score"]
WAYS: tuple[Way, ...] = ("keys", "transcribed", "keys, no score", "transcribed, no score")


class FoundError(StrictModel):
    """A note error that an assessment names."""

    kind: Literal["wrong", "missing", "extra"]
    """What it is."""

    time_sec: float
    """When it was played, or was due."""

    pitch: int | None
    """The key that was played."""

    written_pitch: int | None
    """The key that is written."""


class RatedPair(Keyed):
    """The ratings of one recording in every way; a way that was refused is absent."""

    ratings: dict[Way, dict[str, Rating]]
    """Way -> dimension -> rating."""

    errors: dict[Way, tuple[FoundError, ...]]
    """Note errors that were found, with a score; "clean" ones are those of the performance as it was."""

    clean_errors: tuple[FoundError, ...]
    """Note errors found by keys before errors were planted."""

    refused: dict[Way, str]
    """Way -> why."""


@dataclass(frozen=True)
class PairRating:
    """A pair and its ratings."""

    pair: Pair
    rated: RatedPair


def rate_pairs(pairs: Sequence[Pair], folder: Path, assessor: Assessor, cache: Path) -> Iterator[PairRating]:
    """Rate the recordings of a folder; ratings of an earlier run of the same code are read.

    Parameters
    ----------
    pairs, folder : as of `read_pairs`
    assessor
    cache : folder of the ratings
    """
    cache.mkdir(parents=True, exist_ok=True)
    for pair in pairs:
        content = [pair.key, assessor.bundle.sha256, code_hash(__name__)]
        content += [sha256_of(path) for path in (pair.keys_midi(folder), pair.heard_midi(folder))]
        key = json_key(content)
        rated = cached_model(
            cache / f"{pair.id}.json",
            RatedPair,
            key,
            lambda pair=pair, key=key: _rated(pair, folder, assessor, key),
        )
        yield PairRating(pair, rated.value)


def _rated(pair: Pair, folder: Path, assessor: Assessor, key: str) -> RatedPair:
    ratings: dict[Way, dict[str, Rating]] = {}
    errors: dict[Way, tuple[FoundError, ...]] = {}
    refused: dict[Way, str] = {}
    for way in WAYS:
        is_heard = way.startswith("transcribed")
        midi = pair.heard_midi(folder) if is_heard else pair.keys_midi(folder)
        score = None if way.endswith("no score") else pair.score
        try:
            found = assessor.assess(
                pair.audio(folder), midi, score, origin="transcribed" if is_heard else "keys"
            )
        except ToccoError as error:
            refused[way] = error.problem
            continue
        ratings[way] = dict(found.ratings)
        errors[way] = found_errors(found)
    clean: tuple[FoundError, ...] = ()
    if pair.planted != "none":
        clean = found_errors(assessor.assess(None, pair.clean_midi(folder), pair.score))
    return RatedPair(key=key, ratings=ratings, errors=errors, clean_errors=clean, refused=refused)


def found_errors(assessment: Assessment) -> tuple[FoundError, ...]:
    """The note errors that an assessment names."""
    report = assessment.alignment
    if report is None:
        return ()
    lists = {"wrong": report.substitution, "missing": report.deletion, "extra": report.insertion}
    return tuple(
        FoundError(
            kind=kind,
            time_sec=note.time_sec,
            pitch=note.played_pitch,
            written_pitch=note.expected_pitch,
        )
        for kind, notes in lists.items()
        for note in notes
    )

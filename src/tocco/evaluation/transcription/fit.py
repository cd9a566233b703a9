"""Fits what transcription takes from ratings (`inference.transcription_loss`) on recordings of known keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np

from tocco.data.sources import read_performance
from tocco.errors import MismatchError
from tocco.evaluation.transcription.pairs import Pair
from tocco.inference.bundle import Bundle
from tocco.inference.combination import held, total_deductions
from tocco.inference.rating import rate_whole
from tocco.inference.rules import RULES
from tocco.inference.shortfalls import measure_shortfalls
from tocco.inference.transcription_loss import (
    NORMAL_90,
    DimensionLoss,
    TranscriptionLoss,
    without_unheard,
)
from tocco.music.alignment import Alignment
from tocco.music.performance import Origin, Performance
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.units import FloatArray

LEVEL: Final = 0.9
CARD_HEADING: Final = "## Transcribed notes"


@dataclass(frozen=True, eq=False)
class Parts:
    """What a rating of the model is put together from.

    Attributes
    ----------
    perception : (D,) points
    deducted : (D,) points
    """

    perception: FloatArray
    deducted: FloatArray

    def rating(self, shift: FloatArray | float = 0.0) -> FloatArray:
        """(D,) the rating, with a shift of perception."""
        return held(self.perception + shift - self.deducted)


def rated_parts(bundle: Bundle, performance: Performance, alignment: Alignment | None) -> Parts:
    """Perception and deductions of a performance, as an assessment finds them, without its sound.

    Parameters
    ----------
    bundle : with predictors of the whole
    performance : of either origin
    alignment
    """
    if bundle.whole is None:
        raise ValueError("the bundle has no predictor of whole performances")
    shortfalls = measure_shortfalls(Evidence(performance, alignment))
    if performance.origin == "transcribed":
        shortfalls = without_unheard(shortfalls, performance)
    perception = rate_whole(bundle.whole, performance, alignment).rating[0]
    return Parts(perception, total_deductions(bundle.whole.names, shortfalls))


@dataclass(frozen=True, eq=False)
class BothWays:
    """One recording by keys and by transcription."""

    keys: Parts
    heard: Parts


def rate_both_ways(bundle: Bundle, pair: Pair, folder: Path, *, has_score: bool) -> BothWays | None:
    """A recording rated both ways; None where its score is not found in one of them."""
    score = pair.score if has_score else None
    try:
        parts = [
            rated_parts(bundle, found.performance, found.alignment)
            for found in (
                read_performance(midi, score, origin=origin) for midi, origin in _files(pair, folder)
            )
        ]
    except MismatchError:
        return None
    return BothWays(*parts)


def _files(pair: Pair, folder: Path) -> tuple[tuple[Path, Origin], tuple[Path, Origin]]:
    return (pair.keys_midi(folder), "keys"), (pair.heard_midi(folder), "transcribed")


def accuracy_both_ways(pair: Pair, folder: Path) -> tuple[float, float, bool] | None:
    """Note accuracy by keys, by transcription, and whether its interval holds the former; None as above."""
    try:
        found = [read_performance(midi, pair.score, origin=origin) for midi, origin in _files(pair, folder)]
    except MismatchError:
        return None
    rated = [RULES["note_accuracy"].rate(Evidence(one.performance, one.alignment)) for one in found]
    keys, heard = (one.value or 0.0 for one in rated)
    low, high = rated[1].interval_90 or (heard, heard)
    return keys, heard, low <= keys <= high


def fit_loss(
    names: tuple[str, ...], both: Mapping[bool, list[BothWays]], transcriber: str
) -> TranscriptionLoss:
    """The shift that makes the median difference 0, and the spread of what remains, by dimension.

    Parameters
    ----------
    names : (D,) targets
    both : whether there is a score -> recordings rated both ways
    transcriber : its version
    """
    found = {has_score: _losses(names, rows) for has_score, rows in both.items()}
    return TranscriptionLoss(
        transcriber=transcriber,
        n=min(len(rows) for rows in both.values()),
        with_score=found[True],
        without_score=found[False],
    )


def _losses(names: tuple[str, ...], rows: list[BothWays]) -> dict[str, DimensionLoss]:
    shift = -np.median(differences(rows, np.zeros(len(names))), axis=0)
    left = np.abs(differences(rows, shift))
    sd = conformal_quantile(left) / NORMAL_90
    return {
        name: DimensionLoss(shift=round(float(shift[d]), 3), sd=round(float(sd[d]), 3))
        for d, name in enumerate(names)
    }


def differences(rows: Iterable[BothWays], shift: FloatArray) -> FloatArray:
    """(R, D) rating by transcription less that by keys, after the shift."""
    return np.array([one.heard.rating(shift) - one.keys.rating() for one in rows])


def conformal_quantile(errors: FloatArray, level: float = LEVEL) -> FloatArray:
    """(D,) the size that a new error of the same kind stays below with the given probability.

    Parameters
    ----------
    errors : (R, D) sizes
    level
    """
    rank = min(int(np.ceil((len(errors) + 1) * level)), len(errors))
    return np.sort(errors, axis=0)[rank - 1]


def card_with_transcription(card: str, loss: TranscriptionLoss, sources: Sequence[str]) -> str:
    """The card of a bundle with a section on transcribed notes, in place of an earlier one.

    Parameters
    ----------
    card
    loss
    sources : corpora of the recordings
    """
    template = resources.files("tocco.evaluation.transcription") / "transcription_card.md"
    section = template.read_text(encoding="utf-8").format(
        transcriber=loss.transcriber, n=loss.n, sources=" and ".join(sources)
    )
    return card.partition(CARD_HEADING)[0].rstrip() + "\n\n" + section

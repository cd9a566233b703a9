"""How far ratings by transcription lie from those by keys, and which note errors it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.evaluation.markdown import table
from tocco.evaluation.transcription.fit import BothWays, differences
from tocco.evaluation.transcription.note_errors import Counts
from tocco.evaluation.transcription.notes import NotesHeard, notes_table
from tocco.inference.transcription_loss import (
    NORMAL_90,
    UNHEARD_DIMENSIONS,
    DimensionLoss,
    TranscriptionLoss,
)
from tocco.metrics import spearman_rho, value_or_nan

MOST_MEDIAN: Final = 2.0
MOST_95: Final = 6.0
LEAST_RANK: Final[Mapping[str, float]] = {"note_accuracy": 0.95, "rhythmic_precision": 0.95}
LEAST_RANK_OF_OTHERS: Final = 0.85
HELD: Final = (0.88, 0.92)
LEAST_ERRORS: Final = 0.9
"""Bars, set before any figure: points, rank correlation, share of intervals, precision and recall."""


@dataclass(frozen=True)
class Agreement:
    """One dimension by transcription against by keys.

    Attributes
    ----------
    n
    bias, median, upper : points; `upper` holds 95 % of the differences
    rank : Spearman's correlation
    held : share of the differences within what they widen the interval by; for note accuracy, of the ratings
        by keys within the interval by transcription
    spread : standard deviation of the ratings by keys
    """

    dimension: str
    n: int
    bias: float
    median: float
    upper: float
    rank: float
    held: float
    spread: float


@dataclass(frozen=True)
class RatedSet:
    """The recordings of one folder.

    Attributes
    ----------
    name
    both : whether there is a score -> recordings rated both ways
    accuracy : note accuracy of each recording by keys and by transcription, and whether its interval holds
        the former
    errors : kind of planted errors -> counts of each recording
    notes : of each recording
    """

    name: str
    both: Mapping[bool, Sequence[BothWays]]
    accuracy: Sequence[tuple[float, float, bool]]
    errors: Mapping[str, Sequence[Counts]]
    notes: Sequence[NotesHeard] = ()


def agreements(
    names: Sequence[str],
    dimensions: Sequence[str],
    rows: Sequence[BothWays],
    loss: Mapping[str, DimensionLoss],
) -> list[Agreement]:
    """Every dimension that a transcription rates, by its differences after the shift of the calibration."""
    shift, sd = (np.array([getattr(loss[name], field) for name in names]) for field in ("shift", "sd"))
    apart = differences(rows, shift)
    keys = np.array([one.keys.rating() for one in rows])
    return [
        _agreement(name, apart[:, d], keys[:, d], np.abs(apart[:, d]) <= NORMAL_90 * sd[d])
        for name in dimensions
        if name in names and name not in UNHEARD_DIMENSIONS
        for d in [list(names).index(name)]
    ]


def accuracy_agreement(accuracy: Sequence[tuple[float, float, bool]]) -> Agreement:
    """Note accuracy, which is computed by rule."""
    keys, heard, is_held = (np.array(column) for column in zip(*accuracy, strict=True))
    return _agreement("note_accuracy", heard - keys, keys, is_held)


def _agreement(name: str, apart: np.ndarray, keys: np.ndarray, is_held: np.ndarray) -> Agreement:
    return Agreement(
        dimension=name,
        n=len(apart),
        bias=float(np.median(apart)),
        median=float(np.median(np.abs(apart))),
        upper=float(np.quantile(np.abs(apart), 0.95)),
        rank=value_or_nan(spearman_rho, keys, keys + apart),
        held=float(np.mean(is_held)),
        spread=float(keys.std()),
    )


def document(
    sets: Sequence[RatedSet], names: Sequence[str], dimensions: Sequence[str], loss: TranscriptionLoss
) -> str:
    """The report as Markdown.

    Parameters
    ----------
    sets
    names : (D,) targets of the ratings in `sets`
    dimensions : those that are shown
    loss : of the bundle that rated
    """
    lines = ["# Ratings by transcription against ratings by keys", "", *_introduction(loss), ""]
    for one in sets:
        for has_score, rows in one.both.items():
            found = [accuracy_agreement(one.accuracy)] if has_score and one.accuracy else []
            found += agreements(names, dimensions, rows, loss.of(has_score=has_score))
            lines += [f"## {one.name}, {'with' if has_score else 'without'} the score", ""]
            lines += agreement_table(found)
    lines += ["## Note errors in transcriptions", "", *errors_table(sets)]
    heard = [note for one in sets for note in one.notes]
    if heard:
        lines += ["## Notes and their velocity", "", *notes_table(heard)]
    return "\n".join(lines)


def _introduction(loss: TranscriptionLoss) -> list[str]:
    exact, other = LEAST_RANK["note_accuracy"], LEAST_RANK_OF_OTHERS
    return [
        f"Transcriber: {loss.transcriber}; shift and spread were found on {loss.n} other recordings. Bars,",
        f"written down before: the median difference is {MOST_MEDIAN:g} points at most and 95 % lie within",
        f"{MOST_95:g}; the rank correlation is {exact:g} for note accuracy and rhythm, else {other:g};",
        f"{HELD[0]:.0%} to {HELD[1]:.0%} of the differences lie within what the interval is widened by;",
        f"precision and recall of note errors are {LEAST_ERRORS:g}. A dagger marks what misses its bar.",
        f"Not rated from any transcription: {', '.join(UNHEARD_DIMENSIONS)}.",
    ]


def agreement_table(found: Sequence[Agreement]) -> list[str]:
    """One row a dimension; what misses its bar is marked."""
    head = ("dimension", "n", "median bias", "median", "95 %", "rank", "held", "spread by keys")
    return table(head, [_row(one) for one in found])


def _row(one: Agreement) -> tuple[str, ...]:
    least = LEAST_RANK.get(one.dimension, LEAST_RANK_OF_OTHERS)
    return (
        one.dimension,
        str(one.n),
        f"{one.bias:+.1f}",
        _marked(f"{one.median:.1f}", one.median <= MOST_MEDIAN),
        _marked(f"{one.upper:.1f}", one.upper <= MOST_95),
        _marked(f"{one.rank:.2f}", one.rank >= least),
        _marked(f"{one.held:.0%}", HELD[0] <= one.held <= HELD[1]),
        f"{one.spread:.1f}",
    )


def errors_table(sets: Sequence[RatedSet]) -> list[str]:
    """Planted, found and claimed marks by kind of error, over all sets."""
    rows = []
    for kind in dict.fromkeys(kind for one in sets for kind in one.errors):
        counts = [count for one in sets for count in one.errors.get(kind, ())]
        planted, found, claimed, notes = (
            sum(getattr(count, field) for count in counts)
            for field in ("planted", "found", "claimed", "notes")
        )
        recall = found / planted if planted else float("nan")
        precision = found / claimed if claimed and planted else float("nan")
        rows.append(
            (
                kind,
                str(len(counts)),
                str(notes),
                str(planted),
                "" if not planted else _marked(f"{recall:.2f}", recall >= LEAST_ERRORS),
                "" if not planted else _marked(f"{precision:.2f}", precision >= LEAST_ERRORS),
                f"{100 * (claimed - found) / notes:.1f}",
            )
        )
    head = ("planted", "recordings", "notes", "marks", "recall", "precision", "false marks a 100 notes")
    return table(head, rows)


def _marked(text: str, is_met: bool) -> str:
    return text if is_met else f"{text} †"

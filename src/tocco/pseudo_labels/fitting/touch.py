"""Fit of the touch norms: quantile regression of key-down duration on written duration and context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from tocco.errors import InputError
from tocco.music.statistics.score_articulation import articulation_log
from tocco.pseudo_labels.norms.model import TouchNorms, TouchTable
from tocco.pseudo_labels.norms.touch import articulation_signs, technical_context, written_sec
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.raters.articulation_quality import free_to_hold
from tocco.units import FloatArray, IntArray

VALUE_SEC: Final = (0.1, 0.15, 0.25, 0.4, 0.8, 1.6)
"""Written durations for which the tables have entries."""

STACCATO, SLURRED, PLAIN = 0, 1, 2
SIGNS: Final = ("staccato", "slurred", "plain")
CONTEXT: Final = ("doubling", "octave", "repeated", "accompanying")

USUAL_QUANTILE: Final = 0.5
LONG_QUANTILE: Final = 0.8

SMOOTHING_LOG: Final = 0.03
"""Far below the spread of touch (about 0.5), and wide enough for a quasi-Newton method."""

DECIMALS: Final = 3
"""The last one depends on the choice of the pool; with fewer, values between two steps would be unstable."""

FEWEST_NOTES: Final = 1.0
"""With fewer, a table entry would be determined by a single performance."""

_START_LOG = -0.3
_MOST_STEPS = 2000
_FLATTEST = 1e-6


@dataclass(frozen=True, eq=False)
class TouchNotes:
    """Matched notes whose duration the player was free to choose.

    Attributes
    ----------
    value_sec : (K,) written duration, seconds
    sign : (K,) `STACCATO`, `SLURRED` or `PLAIN`
    context : (K, 4) of `norms.touch.technical_context`
    held_log : (K,) log ratio of key-down to written duration
    """

    value_sec: FloatArray
    sign: IntArray
    context: FloatArray
    held_log: FloatArray

    def columns(self) -> FloatArray:
        """Design matrix: per sign the interpolation weights of `VALUE_SEC`, then the technical context.

        Returns
        -------
        (K, 22)
        """
        place, knots = np.log(self.value_sec), np.log(VALUE_SEC)
        hat = np.stack([np.interp(place, knots, one) for one in np.eye(len(knots))], axis=1)
        by_sign = [hat * (self.sign == sign)[:, None] for sign in range(len(SIGNS))]
        return np.concatenate([*by_sign, self.context], axis=1)


def read_touch_notes(evidence: Evidence) -> TouchNotes | None:
    """The notes of a performance that the norms are fitted to; None where too few match the score."""
    written, alignment = evidence.written, evidence.alignment
    if written is None or alignment is None:
        return None
    struck, score = evidence.playing.struck, alignment.score
    held_log = articulation_log(written, (struck.offset_sec - struck.onset_sec)[written.played])
    free = free_to_hold(evidence, written)
    sign = np.select([*articulation_signs(written, score)], [STACCATO, SLURRED], PLAIN)
    context = technical_context(written, score.pitch[written.note])
    return TouchNotes(written_sec(written)[free], sign[free], context[free], held_log[free])


def fit_touch(notes: Sequence[TouchNotes], pieces: Sequence[str]) -> TouchNorms:
    """Fit the tables of touch to all notes, with equal weight per piece.

    Parameters
    ----------
    notes : of each performance
    pieces : piece of each performance

    Raises
    ------
    InputError
        A table entry has no notes to be fitted to.
    """
    columns = np.concatenate([one.columns() for one in notes])
    held_log = np.concatenate([one.held_log for one in notes])
    _refuse_unseen(columns)
    names = [name for one, name in zip(notes, pieces, strict=True) for _ in one.held_log]
    piece = np.unique(names, return_inverse=True)[1]
    weight = 1.0 / np.bincount(piece)[piece]
    usual, long = (
        np.round(quantile_regression(columns, held_log, weight, quantile), DECIMALS) + 0.0
        for quantile in (USUAL_QUANTILE, LONG_QUANTILE)
    )
    usual_share, long_share = (
        float(np.average(held_log < columns @ table, weights=weight)) for table in (usual, long)
    )
    return TouchNorms(
        value_sec=VALUE_SEC,
        usual=_table(usual),
        long=_table(long),
        usual_quantile=USUAL_QUANTILE,
        long_quantile=LONG_QUANTILE,
        usual_share=round(usual_share, 3),
        long_share=round(long_share, 3),
        smoothing_log=SMOOTHING_LOG,
        n_notes=len(held_log),
        piece_spread_log=round(_spread_of_medians(held_log - columns @ usual, piece), 3),
        printed_spread_log=round(_spread_of_medians(held_log, piece), 3),
    )


def _refuse_unseen(columns: FloatArray) -> None:
    names = [f"{sign} notes of about {sec:g} s" for sign in SIGNS for sec in VALUE_SEC]
    names += ["chords", "leaps", "repeated keys", "accompanying notes"]
    unseen = [name for name, column in zip(names, columns.T, strict=True) if column.sum() < FEWEST_NOTES]
    if unseen:
        raise InputError(
            "pool",
            f"has too few {' and too few '.join(unseen)}",
            next_step="give more pieces, of more kinds",
        )


def quantile_regression(
    columns: FloatArray, value: FloatArray, weight: FloatArray, quantile: float
) -> FloatArray:
    """Quantile regression (Koenker and Bassett 1978).

    Minimises the check loss, `q e` above and `(q - 1) e` below, smoothed to `q e + s log(1 + exp(-e / s))`
    for L-BFGS (compare Chen 2007). The exact linear programme is too large for the available solvers with
    half a million notes.

    Parameters
    ----------
    columns : (K, C)
    value : (K,)
    weight : (K,) > 0, any scale
    quantile : 0..1

    Returns
    -------
    (C,)
    """
    share = weight / weight.sum()
    # With columns of unit size, rare ones such as long notes with a staccato sign converge equally well.
    size = np.sqrt(share @ columns**2)
    unit = columns / size

    def loss(coefficients: FloatArray) -> tuple[float, FloatArray]:
        residual = value - unit @ coefficients
        height = quantile * residual + SMOOTHING_LOG * np.logaddexp(0.0, -residual / SMOOTHING_LOG)
        slope = quantile - expit(-residual / SMOOTHING_LOG)
        return float(share @ height), -(unit.T @ (share * slope))

    start = _START_LOG * size
    settings = {"maxiter": _MOST_STEPS, "ftol": 0.0, "gtol": _FLATTEST}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=settings)
    return np.asarray(found.x, dtype=float) / size


def _table(coefficients: FloatArray) -> TouchTable:
    """The coefficients as a named table."""
    by_sign = coefficients[: -len(CONTEXT)].reshape(len(SIGNS), len(VALUE_SEC))
    columns = {sign: tuple(row) for sign, row in zip(SIGNS, by_sign.tolist(), strict=True)}
    context = dict(zip(CONTEXT, coefficients[-len(CONTEXT) :].tolist(), strict=True))
    return TouchTable.model_validate({**columns, **context})


def _spread_of_medians(value: FloatArray, piece: IntArray) -> float:
    """Standard deviation over pieces of the median of each piece."""
    return float(np.std([np.median(value[piece == one]) for one in range(piece.max() + 1)]))

"""Fitting the norms of touch: quantile regression of how long competent pianists hold what is written."""

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
from tocco.pseudo_labels.norms.touch import asked_of_the_hand, signs_over, written_sec
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.raters.articulation_quality import tells_of_touch
from tocco.units import FloatArray, IntArray

VALUE_SEC: Final = (0.1, 0.15, 0.25, 0.4, 0.8, 1.6)
"""Written times at which the tables of touch stand."""

STACCATO, SLURRED, PLAIN = 0, 1, 2
SIGNS: Final = ("staccato", "slurred", "plain")
ASKED: Final = ("doubling", "octave", "repeated", "accompanying")

USUAL_QUANTILE: Final = 0.5
LONG_QUANTILE: Final = 0.8

SMOOTHING_LOG: Final = 0.03
"""Far below the spread of touch (about 0.5), and wide enough for a quasi-Newton method."""

DECIMALS: Final = 3
"""The last of them moves with the choice of the pool; with fewer, a number between two of them would jump."""

FEWEST_NOTES: Final = 1.0
"""Fewer would put a number of the tables wherever one player happened to be."""

_START_LOG = -0.3
_MOST_STEPS = 2000
_FLATTEST = 1e-6


@dataclass(frozen=True, eq=False)
class TouchNotes:
    """Matched notes that their player was free to hold.

    Attributes
    ----------
    value_sec : (K,) seconds, as written
    sign : (K,) `STACCATO`, `SLURRED` or `PLAIN`
    asked : (K, 4) of `touch_norm.asked_of_the_hand`
    held_log : (K,) logarithm of key-down against written time
    """

    value_sec: FloatArray
    sign: IntArray
    asked: FloatArray
    held_log: FloatArray

    def columns(self) -> FloatArray:
        """What `coefficients` are for: per sign the share of each of `VALUE_SEC`, then what is asked.

        Returns
        -------
        (K, 22)
        """
        place, knots = np.log(self.value_sec), np.log(VALUE_SEC)
        hat = np.stack([np.interp(place, knots, one) for one in np.eye(len(knots))], axis=1)
        by_sign = [hat * (self.sign == sign)[:, None] for sign in range(len(SIGNS))]
        return np.concatenate([*by_sign, self.asked], axis=1)


def read_touch_notes(evidence: Evidence) -> TouchNotes | None:
    """The notes of a performance that tell of touch; None where too few match the score."""
    written, alignment = evidence.written, evidence.alignment
    if written is None or alignment is None:
        return None
    struck, score = evidence.playing.struck, alignment.score
    held_log = articulation_log(written, (struck.offset_sec - struck.onset_sec)[written.played])
    told = tells_of_touch(evidence, written)
    sign = np.select([*signs_over(written, score)], [STACCATO, SLURRED], PLAIN)
    asked = asked_of_the_hand(written, score.pitch[written.note])
    return TouchNotes(written_sec(written)[told], sign[told], asked[told], held_log[told])


def fit_touch(notes: Sequence[TouchNotes], pieces: Sequence[str]) -> TouchNorms:
    """Fit the tables of touch to every note; each piece weighs the same.

    Parameters
    ----------
    notes : of each performance
    pieces : that each performance is of

    Raises
    ------
    InputError
        Nothing tells what a number of the tables should be.
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
            f"holds hardly any {' and hardly any '.join(unseen)}",
            next_step="give more pieces, of more kinds",
        )


def quantile_regression(
    columns: FloatArray, value: FloatArray, weight: FloatArray, quantile: float
) -> FloatArray:
    """Coefficients under whose prediction a share of the values lies (Koenker and Bassett 1978).

    Least sum of the check loss, `q e` above and `(q - 1) e` below, whose kink is rounded off as
    `q e + s log(1 + exp(-e / s))` so that L-BFGS finds the way; Chen 2007 rounds it for the same end.
    As a linear programme it is exact, and with half a million notes out of reach of the solvers at hand.

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
    # In columns of unit size a rare one, such as long notes under a staccato sign, is found as exactly.
    size = np.sqrt(share @ columns**2)
    unit = columns / size

    def loss(coefficients: FloatArray) -> tuple[float, FloatArray]:
        left = value - unit @ coefficients
        height = quantile * left + SMOOTHING_LOG * np.logaddexp(0.0, -left / SMOOTHING_LOG)
        slope = quantile - expit(-left / SMOOTHING_LOG)
        return float(share @ height), -(unit.T @ (share * slope))

    start = _START_LOG * size
    settings = {"maxiter": _MOST_STEPS, "ftol": 0.0, "gtol": _FLATTEST}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=settings)
    return np.asarray(found.x, dtype=float) / size


def _table(coefficients: FloatArray) -> TouchTable:
    """The coefficients by their names."""
    by_sign = coefficients[: -len(ASKED)].reshape(len(SIGNS), len(VALUE_SEC))
    columns = {sign: tuple(row) for sign, row in zip(SIGNS, by_sign.tolist(), strict=True)}
    asked = dict(zip(ASKED, coefficients[-len(ASKED) :].tolist(), strict=True))
    return TouchTable.model_validate({**columns, **asked})


def _spread_of_medians(value: FloatArray, piece: IntArray) -> float:
    """Standard deviation over the pieces of the median of each."""
    return float(np.std([np.median(value[piece == one]) for one in range(piece.max() + 1)]))

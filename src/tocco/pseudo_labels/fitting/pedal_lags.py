"""Pedal-timing lags: seconds from the onsets with the largest pedal-change weight to lifts and presses.

A measurement of competent pianists that enters no rating. The expected lags and their sources are in
`raters.pedal_timing`; this shows whether the reference pool agrees with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.errors import InputError
from tocco.music.statistics.playing import pedal_crossings
from tocco.pseudo_labels.fitting.scale import weighted_percentiles
from tocco.pseudo_labels.norms.model import LagNorms, PedalNorms
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.raters.pedal_timing import CHANGE_SEC, change_weights, metrical_weight
from tocco.pseudo_labels.raters.without_note_errors import read_without_note_errors
from tocco.units import FloatArray

STRONGEST_SHARE: Final = 0.05
REACH_SEC: Final = 0.3
LAG_PERCENT: Final = (10, 25, 50, 75, 90)


@dataclass(frozen=True, eq=False)
class PedalLags:
    """Pedal events near the onsets with the largest pedal-change weight.

    Attributes
    ----------
    lift_sec, press_sec : (A,), (B,) seconds from the onset to the nearest lift, and press
        Of the onsets with such an event within reach.
    n_onsets : onsets considered
    """

    lift_sec: FloatArray
    press_sec: FloatArray
    n_onsets: int


def read_pedal_lags(evidence: Evidence) -> PedalLags | None:
    """Measure the lags of a whole performance; None without a score, and where the pedal is never pressed."""
    evidence = evidence.once(read_without_note_errors).evidence
    playing, alignment = evidence.playing, evidence.alignment
    pressed, lifted = pedal_crossings(playing.sustain)
    if alignment is None or not len(pressed):
        return None
    weight = change_weights(playing) * metrical_weight(alignment, playing)
    strongest = np.argsort(-weight, kind="stable")[: max(round(STRONGEST_SHARE * len(weight)), 1)]
    onset_sec = np.sort(playing.chord_onset_sec[strongest])
    since_lift = pressed - np.append(-np.inf, lifted)[np.searchsorted(lifted, pressed)]
    begins = pressed[since_lift >= CHANGE_SEC]
    return PedalLags(nearest_lags(onset_sec, lifted), nearest_lags(onset_sec, begins), len(onset_sec))


def nearest_lags(onset_sec: FloatArray, event_sec: FloatArray) -> FloatArray:
    """Lag of the pedal event nearest to each onset, for the onsets with one within 0.3 s.

    Parameters
    ----------
    onset_sec : (C,) seconds, ascending
    event_sec : (M,) seconds, ascending

    Returns
    -------
    (A,) seconds, A <= C; below 0 where the event comes first

    Examples
    --------
    >>> nearest_lags(np.array([1.0, 2.0, 3.0]), np.array([0.9, 1.05, 2.5])).round(3).tolist()
    [0.05]
    """
    if not len(event_sec):
        return np.zeros(0)
    after = np.searchsorted(event_sec, onset_sec)
    lags = [event_sec[np.clip(place, 0, len(event_sec) - 1)] - onset_sec for place in (after - 1, after)]
    nearest = np.where(np.abs(lags[0]) < np.abs(lags[1]), *lags)
    return nearest[np.abs(nearest) <= REACH_SEC]


def measure_pedal_lags(lags: Sequence[PedalLags | None], pieces: Sequence[str]) -> PedalNorms:
    """Percentiles of the pedal-timing lags, with equal weight per piece.

    Parameters
    ----------
    lags : of each performance; None without pedal
    pieces : piece of each performance

    Raises
    ------
    InputError
        There is no lift, or no press, of the pedal near such an onset.
    """
    pedalled = [(piece, one) for piece, one in zip(pieces, lags, strict=True) if one is not None]
    n_onsets = sum(one.n_onsets for _, one in pedalled)
    return PedalNorms(
        lift=_lags("lifts", [(piece, one.lift_sec) for piece, one in pedalled], n_onsets),
        press=_lags("presses", [(piece, one.press_sec) for piece, one in pedalled], n_onsets),
        strongest_share=STRONGEST_SHARE,
        reach_sec=REACH_SEC,
    )


def _lags(what: str, found: Sequence[tuple[str, FloatArray]], n_onsets: int) -> LagNorms:
    names = np.array([piece for piece, lag_sec in found for _ in lag_sec], dtype=str)
    if not len(names):
        raise InputError(
            "pool",
            f"has no {what} of the pedal near an onset where a pedal change is expected",
            next_step="give performances with pedal",
        )
    piece = np.unique(names, return_inverse=True)[1]
    lag_sec = np.concatenate([lags for _, lags in found])
    at_sec = weighted_percentiles(lag_sec, 1.0 / np.bincount(piece)[piece], LAG_PERCENT)
    return LagNorms(
        lag_sec={str(p): round(float(sec), 3) + 0.0 for p, sec in zip(LAG_PERCENT, at_sec, strict=True)},
        n_moves=len(lag_sec),
        share=round(len(lag_sec) / n_onsets, 3),
    )

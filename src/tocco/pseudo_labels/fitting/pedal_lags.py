"""When the foot moves: how long after the onsets that ask most for a change it lifts, and presses.

A measurement of competent players that enters no rating. What a foot is expected to do is said, with its
sources, in `pedal_timing`; this is to see whether the reference pool does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.errors import InputError
from tocco.music.statistics.playing import pedal_crossings
from tocco.pseudo_labels.fitting.scale import weighted_percentiles
from tocco.pseudo_labels.norms.model import FootNorms, LagNorms
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.raters.pedal_timing import CHANGE_SEC, calls_for_change, metrical_weight
from tocco.pseudo_labels.raters.without_note_errors import read_intended
from tocco.units import FloatArray

STRONGEST_SHARE: Final = 0.05
REACH_SEC: Final = 0.3
LAG_PERCENT: Final = (10, 25, 50, 75, 90)


@dataclass(frozen=True, eq=False)
class FootLags:
    """Movements of the foot near the onsets that ask for it most.

    Attributes
    ----------
    lift_sec, press_sec : (A,), (B,) seconds from the onset to the nearest lift, and press
        Of the onsets with one in reach.
    n_calls : onsets that were looked at
    """

    lift_sec: FloatArray
    press_sec: FloatArray
    n_calls: int


def read_foot_lags(evidence: Evidence) -> FootLags | None:
    """Lags of a whole performance; None without a score, and where the pedal is never pressed."""
    evidence = evidence.once(read_intended).evidence
    playing, alignment = evidence.playing, evidence.alignment
    pressed, lifted = pedal_crossings(playing.sustain)
    if alignment is None or not len(pressed):
        return None
    call = calls_for_change(playing) * metrical_weight(alignment, playing)
    strongest = np.argsort(-call, kind="stable")[: max(round(STRONGEST_SHARE * len(call)), 1)]
    called_sec = np.sort(playing.chord_onset_sec[strongest])
    since_lift = pressed - np.append(-np.inf, lifted)[np.searchsorted(lifted, pressed)]
    begins = pressed[since_lift >= CHANGE_SEC]
    return FootLags(nearest_lags(called_sec, lifted), nearest_lags(called_sec, begins), len(called_sec))


def nearest_lags(called_sec: FloatArray, moved_sec: FloatArray) -> FloatArray:
    """Time from each onset to the movement nearest to it, of the onsets with one within 0.3 s.

    Parameters
    ----------
    called_sec : (C,) seconds, ascending
    moved_sec : (M,) seconds, ascending

    Returns
    -------
    (A,) seconds, A <= C; below 0 where the movement comes first

    Examples
    --------
    >>> nearest_lags(np.array([1.0, 2.0, 3.0]), np.array([0.9, 1.05, 2.5])).round(3).tolist()
    [0.05]
    """
    if not len(moved_sec):
        return np.zeros(0)
    after = np.searchsorted(moved_sec, called_sec)
    lags = [moved_sec[np.clip(place, 0, len(moved_sec) - 1)] - called_sec for place in (after - 1, after)]
    nearest = np.where(np.abs(lags[0]) < np.abs(lags[1]), *lags)
    return nearest[np.abs(nearest) <= REACH_SEC]


def measure_foot(feet: Sequence[FootLags | None], pieces: Sequence[str]) -> FootNorms:
    """Percentiles of the lags of the foot; each piece weighs the same.

    Parameters
    ----------
    feet : of each performance; None without pedal
    pieces : that each performance is of

    Raises
    ------
    InputError
        Nobody lifts, or presses, the pedal near such an onset.
    """
    pedalled = [(piece, foot) for piece, foot in zip(pieces, feet, strict=True) if foot is not None]
    n_calls = sum(foot.n_calls for _, foot in pedalled)
    return FootNorms(
        lift=_lags("lifts", [(piece, foot.lift_sec) for piece, foot in pedalled], n_calls),
        press=_lags("presses", [(piece, foot.press_sec) for piece, foot in pedalled], n_calls),
        strongest_share=STRONGEST_SHARE,
        reach_sec=REACH_SEC,
    )


def _lags(what: str, found: Sequence[tuple[str, FloatArray]], n_calls: int) -> LagNorms:
    names = np.array([piece for piece, lag_sec in found for _ in lag_sec], dtype=str)
    if not len(names):
        raise InputError(
            "pool",
            f"holds no {what} of the pedal near an onset that asks for one",
            next_step="give performances with pedal",
        )
    piece = np.unique(names, return_inverse=True)[1]
    lag_sec = np.concatenate([lags for _, lags in found])
    at_sec = weighted_percentiles(lag_sec, 1.0 / np.bincount(piece)[piece], LAG_PERCENT)
    return LagNorms(
        lag_sec={str(p): round(float(sec), 3) + 0.0 for p, sec in zip(LAG_PERCENT, at_sec, strict=True)},
        n_moves=len(lag_sec),
        share=round(len(lag_sec) / n_calls, 3),
    )

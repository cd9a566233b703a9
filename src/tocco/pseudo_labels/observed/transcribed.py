"""Observation model of a transcription: what it shows of the played keys and pedal.

A transcriber finds the beginning and end of a sound to about 10 ms. What makes no sound is not observed: it
misses soft notes and pedals that sustain nothing, and detects a pedal late, because the sound changes only
when a key is released. Whether key or pedal ended a note that was released under the pedal is not
observable either. The constants are those of transkun 2.0 on rendered performances
(results/transcription/errors.txt).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from tocco.music.performance import PEDAL_DOWN, PedalCurve
from tocco.music.statistics.playing import pedal_crossings
from tocco.music.transcriber_noise import MIDDLE_VELOCITY, REGISTER_VELOCITY, TranscriberNoise
from tocco.units import BoolArray, FloatArray, IntArray

TRANSCRIBER: Final = TranscriberNoise()
"""Measured error model of a transcriber."""

OMISSION_SHARE: Final = 0.01
"""Share of written notes that competent pianists omit."""

AROUND_SEC: Final = 5.0
AROUND_SEMITONES: Final = 7
FEWEST_AROUND: Final = 5

LIFT_MARGIN_SEC: Final = 0.03
"""A note that ends at a pedal lift, or this soon after it, was ended by the lift."""

_EM_STEPS: Final = 30

_NODES, _NODE_WEIGHTS = hermegauss(21)
_NODE_WEIGHTS = _NODE_WEIGHTS / _NODE_WEIGHTS.sum()

LEAST_OBSERVED_SHARE: Final = 2.0 / 3.0
"""Share of the notes whose release must be observable before articulation is rated."""


def played_velocity(velocity: FloatArray | IntArray, pitch: IntArray) -> FloatArray:
    """Played velocity, estimated from the velocity in a transcription.

    Parameters
    ----------
    velocity : (N,) as transcribed
    pitch : (N,)

    Returns
    -------
    (N,) velocity, not bounded
    """
    register = np.interp(pitch, *REGISTER_VELOCITY)
    return MIDDLE_VELOCITY + (velocity - MIDDLE_VELOCITY - register) / TRANSCRIBER.velocity_slope


def detection_probability(played: FloatArray) -> FloatArray:
    """Probability that a transcriber detects a note, by its played velocity.

    Examples
    --------
    >>> detection_probability(np.array([5.0, 15.5, 60.0])).round(2).tolist()
    [0.2, 0.5, 1.0]
    """
    from scipy.special import expit

    return expit(
        (np.asarray(played, dtype=float) - TRANSCRIBER.inaudible_velocity) / TRANSCRIBER.inaudible_width
    )


def omission_probability(undetected: FloatArray) -> FloatArray:
    """Probability that notes absent from a transcription were omitted, rather than played too softly.

    Parameters
    ----------
    undetected : (M,) as of `undetected_shares`

    Examples
    --------
    >>> omission_probability(np.array([0.0, 0.01, 0.09])).tolist()
    [1.0, 0.5, 0.1]
    """
    return OMISSION_SHARE / (OMISSION_SHARE + undetected)


def omission_share(undetected: FloatArray, n_detected: int) -> float:
    """Share of the written notes that were omitted, as the transcription itself suggests.

    By expectation and maximisation: where far more notes are absent than softness explains, most of them were
    omitted. Never below that of competent pianists.

    Parameters
    ----------
    undetected : (M,) share of such notes that go undetected, of every absent note
    n_detected : notes that were detected

    Examples
    --------
    >>> [round(omission_share(np.full(m, 0.02), 200), 3) for m in (2, 10, 40)]
    [0.01, 0.028, 0.147]
    """
    share, n = OMISSION_SHARE, max(n_detected + len(undetected), 1)
    for _ in range(_EM_STEPS):
        share = max(float(np.sum(share / (share + undetected))) / n, OMISSION_SHARE)
    return share


def undetected_shares(
    missing_sec: FloatArray,
    missing_pitch: IntArray,
    detected_sec: FloatArray,
    detected_pitch: IntArray,
    velocity: FloatArray | IntArray,
) -> FloatArray:
    """Share of the notes that go undetected around each absent one.

    Played velocity around a note (within 5 s and a fifth, or all keys where few are so near) is modelled as
    a normal distribution, of which the softest part goes undetected.

    Parameters
    ----------
    missing_sec, missing_pitch : (M,) seconds at which unmatched written notes were due, and their pitches
    detected_sec, detected_pitch, velocity : (N,) matched notes of the transcription

    Returns
    -------
    (M,) 0..1
        0 with fewer than five notes around.
    """
    played = played_velocity(velocity, detected_pitch)
    found = np.zeros(len(missing_sec))
    for k in range(len(missing_sec)):
        near = np.abs(detected_sec - missing_sec[k]) <= AROUND_SEC
        beside = near & (np.abs(detected_pitch - missing_pitch[k]) <= AROUND_SEMITONES)
        around = beside if beside.sum() >= FEWEST_AROUND else near
        if around.sum() >= FEWEST_AROUND:
            found[k] = undetected_share(float(played[around].mean()), float(played[around].std()))
    return found


def undetected_share(mean: float, spread: float) -> float:
    """Expected share of undetected notes for normally distributed velocity (Gauss-Hermite quadrature).

    Parameters
    ----------
    mean, spread : mean and standard deviation of played velocity

    Examples
    --------
    >>> round(undetected_share(15.5, 10.0), 3), round(undetected_share(60.0, 0.0), 4)
    (0.5, 0.0029)
    """
    at = mean + spread * _NODES
    return float(_NODE_WEIGHTS @ (1.0 - detection_probability(at)))


def without_press_lag(curve: PedalCurve) -> PedalCurve:
    """Pedal curve with presses moved earlier by the detection lag, never before the preceding lift."""
    pressed, lifted = pedal_crossings(curve)
    if not len(pressed):
        return curve
    n = len(lifted)
    after = np.append(-np.inf, lifted)[np.searchsorted(lifted, pressed)]
    earlier = np.maximum(pressed - TRANSCRIBER.press_lag_sec, np.minimum(after + LIFT_MARGIN_SEC, pressed))
    time_sec = np.concatenate([earlier, lifted])
    value = np.concatenate([np.full(len(pressed), 127.0), np.zeros(n)])
    order = np.argsort(time_sec, kind="stable")
    return PedalCurve(time_sec[order], value[order])


def is_released_under_pedal(curve: PedalCurve, offset_sec: FloatArray) -> BoolArray:
    """Which notes end under the pedal or with its lift, so that their key release is not observable."""
    ends_with_lift = curve.at(offset_sec - LIFT_MARGIN_SEC) >= PEDAL_DOWN
    return ends_with_lift | (curve.at(offset_sec) >= PEDAL_DOWN)

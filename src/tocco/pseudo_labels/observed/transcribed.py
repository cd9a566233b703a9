"""What of a performance can be heard: keys and pedal that a transcriber read off the sound.

A transcriber hears when a sound begins and ends to the hundredth of a second. It does not hear what makes
no sound: it misses soft notes, tells no pedal that carries nothing, tells one late, since nothing changes
until a key is let go, and cannot say whether key or pedal ended a note that was let go with the pedal
down. The sizes here are those of transkun 2.0 on rendered performances
(results/transcription/errors.txt).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import expit

from tocco.music.performance import PEDAL_DOWN, PedalCurve
from tocco.music.statistics.playing import pedal_crossings
from tocco.music.transcriber_noise import MIDDLE_VELOCITY, REGISTER_VELOCITY, TranscriberNoise
from tocco.units import BoolArray, FloatArray, IntArray

HEARING: Final = TranscriberNoise()
"""How a transcriber hears, as it was measured."""

LEFT_OUT_SHARE: Final = 0.01
"""Of the notes of competent players, how many are written and not played."""

AROUND_SEC: Final = 5.0
AROUND_SEMITONES: Final = 7
FEWEST_AROUND: Final = 5

LIFT_MARGIN_SEC: Final = 0.03
"""A note whose end is told at a lift, or just after it, ended with the lift."""

_NODES, _NODE_WEIGHTS = hermegauss(21)
_NODE_WEIGHTS = _NODE_WEIGHTS / _NODE_WEIGHTS.sum()

LEAST_HEARD_SHARE: Final = 2.0 / 3.0
"""Of the notes, whose ends have to be heard before anything is said of the touch."""


def as_struck(velocity: FloatArray | IntArray, pitch: IntArray) -> FloatArray:
    """The strength at which notes were struck, from that at which a transcriber tells them.

    Parameters
    ----------
    velocity : (N,) as told
    pitch : (N,)

    Returns
    -------
    (N,) velocity, not bounded
    """
    register = np.interp(pitch, *REGISTER_VELOCITY)
    return MIDDLE_VELOCITY + (velocity - MIDDLE_VELOCITY - register) / HEARING.velocity_slope


def heard_chance(struck: FloatArray) -> FloatArray:
    """How likely notes struck at some velocity are told by a transcriber.

    Examples
    --------
    >>> heard_chance(np.array([5.0, 15.5, 60.0])).round(2).tolist()
    [0.2, 0.5, 1.0]
    """
    return expit((np.asarray(struck, dtype=float) - HEARING.inaudible_velocity) / HEARING.inaudible_width)


def left_out_chance(
    missing_sec: FloatArray,
    missing_pitch: IntArray,
    heard_sec: FloatArray,
    heard_pitch: IntArray,
    velocity: FloatArray | IntArray,
) -> FloatArray:
    """How likely it is that notes which are not told were not played, rather than played too softly.

    The strengths of what was heard around a note, within 5 s and a fifth, or of all keys where few are so
    near, are taken for a normal distribution; of that the softest go unheard.

    Parameters
    ----------
    missing_sec, missing_pitch : (M,) written notes without a stroke: when they were due, and their keys
    heard_sec, heard_pitch, velocity : (N,) strokes, as told

    Returns
    -------
    (M,) 0..1
        1 with fewer than five strokes around.
    """
    struck = as_struck(velocity, heard_pitch)
    found = np.ones(len(missing_sec))
    for k in range(len(missing_sec)):
        near = np.abs(heard_sec - missing_sec[k]) <= AROUND_SEC
        beside = near & (np.abs(heard_pitch - missing_pitch[k]) <= AROUND_SEMITONES)
        around = beside if beside.sum() >= FEWEST_AROUND else near
        if around.sum() >= FEWEST_AROUND:
            unheard = unheard_share(float(struck[around].mean()), float(struck[around].std()))
            found[k] = LEFT_OUT_SHARE / (LEFT_OUT_SHARE + unheard)
    return found


def unheard_share(mean: float, spread: float) -> float:
    """Share of notes that go unheard where strength is spread normally (Gauss-Hermite quadrature).

    Parameters
    ----------
    mean, spread : velocity as struck; standard deviation

    Examples
    --------
    >>> round(unheard_share(15.5, 10.0), 3), round(unheard_share(60.0, 0.0), 4)
    (0.5, 0.0029)
    """
    at = mean + spread * _NODES
    return float(_NODE_WEIGHTS @ (1.0 - heard_chance(at)))


def as_pressed(curve: PedalCurve) -> PedalCurve:
    """The pedal as it will have been pressed: earlier than it was heard, though not before it was up."""
    pressed, lifted = pedal_crossings(curve)
    if not len(pressed):
        return curve
    n = len(lifted)
    after = np.append(-np.inf, lifted)[np.searchsorted(lifted, pressed)]
    earlier = np.maximum(pressed - HEARING.press_lag_sec, np.minimum(after + LIFT_MARGIN_SEC, pressed))
    time_sec = np.concatenate([earlier, lifted])
    value = np.concatenate([np.full(len(pressed), 127.0), np.zeros(n)])
    order = np.argsort(time_sec, kind="stable")
    return PedalCurve(time_sec[order], value[order])


def is_let_go_under(curve: PedalCurve, offset_sec: FloatArray) -> BoolArray:
    """Which notes end with the pedal down, or with its lift: the key's end cannot be heard."""
    ends_with_lift = curve.at(offset_sec - LIFT_MARGIN_SEC) >= PEDAL_DOWN
    return ends_with_lift | (curve.at(offset_sec) >= PEDAL_DOWN)

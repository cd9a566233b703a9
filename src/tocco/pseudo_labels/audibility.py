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
from scipy.special import expit

from tocco.music.performance import PEDAL_DOWN, PedalCurve
from tocco.music.statistics.playing import pedal_crossings
from tocco.units import BoolArray, FloatArray, IntArray

SOFTEST_VELOCITY: Final = 30.5
SOFTEST_WIDTH: Final = 5.2
"""Half of the notes that would be told at this velocity are not told at all; the logistic curve around it.
They are struck at 15.5, with a width of 7.6, and strength is told at .69 of the distance from 64."""

_PROBIT_WIDTH: Final = (8.0 / np.pi) ** 0.5
"""Standard deviation of the normal distribution that is most like a logistic curve of width 1."""

LEFT_OUT_SHARE: Final = 0.01
"""Of the notes of competent players, how many are written and not played."""

AROUND_SEC: Final = 5.0
AROUND_SEMITONES: Final = 7
FEWEST_AROUND: Final = 5

PRESS_LAG_SEC: Final = 0.086
LIFT_MARGIN_SEC: Final = 0.03
"""A note whose end is told at a lift, or just after it, ended with the lift."""

LEAST_HEARD_SHARE: Final = 2.0 / 3.0
"""Of the notes, whose ends have to be heard before anything is said of the touch."""


def heard_chance(velocity: FloatArray) -> FloatArray:
    """How likely notes of some strength are told by a transcriber.

    Parameters
    ----------
    velocity : any shape
        As it is told, or would be.

    Examples
    --------
    >>> heard_chance(np.array([20.0, 30.5, 60.0])).round(2).tolist()
    [0.12, 0.5, 1.0]
    """
    return expit((np.asarray(velocity, dtype=float) - SOFTEST_VELOCITY) / SOFTEST_WIDTH)


def left_out_chance(
    missing_sec: FloatArray,
    missing_pitch: IntArray,
    heard_sec: FloatArray,
    heard_pitch: IntArray,
    velocity: FloatArray | IntArray,
) -> FloatArray:
    """How likely it is that notes which are not told were not played, rather than played too softly.

    The strengths of what was heard around it, within 5 s and a fifth, are taken for a normal distribution; of
    that the softest go unheard (the mean of a logistic curve over it after MacKay 1992).

    Parameters
    ----------
    missing_sec, missing_pitch : (M,) written notes without a stroke: when they were due, and their keys
    heard_sec, heard_pitch, velocity : (N,) strokes

    Returns
    -------
    (M,) 0..1
        1 where nobody plays softly.
    """
    found = np.ones(len(missing_sec))
    for k in range(len(missing_sec)):
        near = np.abs(heard_sec - missing_sec[k]) <= AROUND_SEC
        beside = near & (np.abs(heard_pitch - missing_pitch[k]) <= AROUND_SEMITONES)
        around = beside if beside.sum() >= FEWEST_AROUND else near
        if around.sum() >= FEWEST_AROUND:
            level, spread = float(velocity[around].mean()), float(velocity[around].std())
            width = float(np.hypot(SOFTEST_WIDTH, spread / _PROBIT_WIDTH))
            unheard = float(expit((SOFTEST_VELOCITY - level) / width))
            found[k] = LEFT_OUT_SHARE / (LEFT_OUT_SHARE + unheard)
    return found


def as_pressed(curve: PedalCurve) -> PedalCurve:
    """The pedal as it will have been pressed: earlier than it was heard, though not before it was up."""
    pressed, lifted = pedal_crossings(curve)
    if not len(pressed):
        return curve
    n = len(lifted)
    after = np.append(-np.inf, lifted)[np.searchsorted(lifted, pressed)]
    earlier = np.maximum(pressed - PRESS_LAG_SEC, np.minimum(after + LIFT_MARGIN_SEC, pressed))
    time_sec = np.concatenate([earlier, lifted])
    value = np.concatenate([np.full(len(pressed), 127.0), np.zeros(n)])
    order = np.argsort(time_sec, kind="stable")
    return PedalCurve(time_sec[order], value[order])


def is_let_go_under(curve: PedalCurve, offset_sec: FloatArray) -> BoolArray:
    """Which notes end with the pedal down, or with its lift: the key's end cannot be heard."""
    ends_with_lift = curve.at(offset_sec - LIFT_MARGIN_SEC) >= PEDAL_DOWN
    return ends_with_lift | (curve.at(offset_sec) >= PEDAL_DOWN)

"""Flattened, inverted and spiky dynamics: right notes at the wrong level. Times stay as they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from scipy.ndimage import gaussian_filter1d

from tocco.music.corruption.context import Context, planned_count
from tocco.music.corruption.draft import Draft, RowEdit
from tocco.units import FloatArray

CONTOUR_SEC: Final = 1.0
"""Width (standard deviation) of the window over which level is a crescendo, not a single accent."""

STRETCH_SEC: Final = 4.0
"""About a phrase member: long enough for a swell, short enough that a minute has many."""
TURN_SEC: Final = 0.5

_GRID_SEC: Final = 0.1
SOFTEST, LOUDEST = 1, 127


def flattened_dynamics(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Everything drawn towards the middle level; share of the dynamic range that is lost."""
    del rng  # every corruption has one signature, and this one leaves nothing to chance
    velocity = context.performance.velocity.astype(float)
    return at_level(context, velocity - severity * (velocity - np.median(velocity)))


def inverted_dynamics(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Crescendo where diminuendo was; share of the stretches of four seconds whose contour is turned round.

    The turn from one stretch to the next is a Gaussian of half a second. The range stays: a contour that
    was drawn through zero would be flat half way, and that is another fault.
    """
    velocity = context.performance.velocity.astype(float)
    onset = context.performance.onset_sec
    stretch = ((onset - onset[0]) / STRETCH_SEC).astype(int)
    n_stretches = int(stretch[-1]) + 1
    turned = rng.permutation(n_stretches)[: planned_count(severity, n_stretches)]
    grid = _GRID_SEC * (np.arange(int((onset[-1] - onset[0]) / _GRID_SEC) + 1) + 0.5)
    sign = np.where(np.isin((grid / STRETCH_SEC).astype(int), turned), -1.0, 1.0)
    sign = gaussian_filter1d(sign, TURN_SEC / _GRID_SEC, mode="nearest")
    contour = level_contour(context)
    change = (np.interp(onset - onset[0], grid, sign) - 1.0) * (contour - contour.mean())
    return at_level(context, velocity + change)


def spiky_dynamics(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Single notes that jump out or drop away; velocity steps, standard deviation."""
    spike = rng.normal(0.0, 1.0, len(context.performance))
    return at_level(context, context.performance.velocity + severity * (spike - spike.mean()))


def level_contour(context: Context) -> FloatArray:
    """(N,) velocity steps by which the playing around each note is louder than on average.

    Each voice is measured against its own mean, so that a change of texture is no crescendo. What the
    Gaussian window takes off a swell is put back by smoothing the remainder once more (twicing, Tukey
    1977): of a swell of eight seconds 93 % are left, of one of two seconds a few.
    """
    played, voice = context.performance, context.voice
    velocity = played.velocity.astype(float)
    size = np.bincount(voice, minlength=3)
    voice_mean = np.bincount(voice, velocity, 3) / np.maximum(size, 1)
    level = velocity - voice_mean[voice]
    contour = _smoothed(played.onset_sec, level)
    return contour + _smoothed(played.onset_sec, level - contour)


def _smoothed(onset_sec: FloatArray, value: FloatArray) -> FloatArray:
    """(N,) mean of the values near each note in time, in a Gaussian window."""
    cell = ((onset_sec - onset_sec[0]) / _GRID_SEC).astype(int)
    size = int(cell[-1]) + 1
    width = CONTOUR_SEC / _GRID_SEC
    total = gaussian_filter1d(np.bincount(cell, value, size), width, mode="constant")
    count = gaussian_filter1d(np.bincount(cell, minlength=size).astype(float), width, mode="constant")
    return total[cell] / count[cell]


def at_level(context: Context, velocity: FloatArray) -> Draft:
    """The performance at other velocities, rounded and kept within 1 to 127."""
    played = context.performance
    new = np.clip(np.rint(velocity), SOFTEST, LOUDEST).astype(played.velocity.dtype)
    changed = np.flatnonzero(new != played.velocity).tolist()
    edits = tuple(RowEdit("level", note, note) for note in changed)
    return replace(Draft.of(played), velocity=new, edits=edits)

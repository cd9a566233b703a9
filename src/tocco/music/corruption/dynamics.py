"""Flattened, inverted and spiky dynamics: right notes at the wrong level. Times stay as they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from tocco.music.corruption.context import BASS, INNER, MELODY, Context
from tocco.music.corruption.draft import Draft, RowEdit
from tocco.units import FloatArray, IntArray

CONTOUR_SEC: Final = 1.0
"""Width (standard deviation) of the window over which level is a crescendo, not a single accent."""

_GRID_SEC: Final = 0.1
SOFTEST, LOUDEST = 1, 127


def flattened_dynamics(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Everything drawn towards the middle level; share of the dynamic range that is lost."""
    del rng  # every corruption has one signature, and this one leaves nothing to chance
    velocity = context.performance.velocity.astype(float)
    return at_level(context, velocity - severity * (velocity - np.median(velocity)))


def inverted_dynamics(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Swells that come too soon, at last upside down; share of the similarity to the own contour lost.

    "Crescendo means piano, diminuendo means forte" (Hans von Buelow to his pupils): who is loud as soon
    as a crescendo begins, and soft as soon as a diminuendo does, is ahead of the music; far enough ahead,
    there is diminuendo where crescendo was. Of the contour as an analytic signal (Gabor 1946) the phase
    is advanced: `cos(phase) c - sin(phase) q`, with q the contour a quarter wave later, so that every
    swell comes early by the same share of its own length and is as large as it was. (A contour drawn
    through zero would be flat half way, and stretches turned round one by one would be a lottery of how
    much contour they have: those are other faults.) The phase is `arccos(1 - 2 severity)`, which lets
    the correlation with the contour as it was fall evenly: .6 at a severity of .2, none at .5, -1 at 1.
    """
    del rng  # every corruption has one signature, and this one leaves nothing to chance
    played = context.performance
    contour = level_contour(context)
    contour = contour - contour.mean()
    phase = np.arccos(1.0 - 2.0 * severity)
    early = np.cos(phase) * contour - np.sin(phase) * _quarter_later(played.onset_sec, contour)
    return at_level(context, played.velocity + early - contour)


def _quarter_later(onset_sec: FloatArray, contour: FloatArray) -> FloatArray:
    """(N,) the contour a quarter wave later: its Hilbert transform, mirrored at both ends."""
    from scipy.signal import hilbert

    grid = np.arange(onset_sec[0], onset_sec[-1] + _GRID_SEC, _GRID_SEC)
    wave = np.interp(grid, onset_sec, contour)
    mirrored = np.concatenate((wave[::-1], wave, wave[::-1]))
    quarter = np.imag(np.asarray(hilbert(mirrored)))[len(wave) : 2 * len(wave)]
    return np.interp(onset_sec, grid, quarter)


def spiky_dynamics(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Single notes that jump out or drop away; velocity steps, standard deviation."""
    spike = rng.normal(0.0, 1.0, len(context.performance))
    return at_level(context, context.performance.velocity + severity * (spike - spike.mean()))


def level_contour(context: Context) -> FloatArray:
    """(N,) velocity steps by which the playing around each note is louder than on average.

    Highest, lowest and inner notes are each measured against their own mean, so that a change of texture
    is no crescendo. What is struck together decides which is which: keys that are still held have faded,
    and how long they are held is no matter of level. What the
    Gaussian window takes off a swell is put back by smoothing the remainder once more (twicing, Tukey
    1977): of a swell of eight seconds 93 % are left, of one of two seconds a few.
    """
    played, voice = context.performance, _struck_place(context)
    velocity = played.velocity.astype(float)
    size = np.bincount(voice, minlength=3)
    voice_mean = np.bincount(voice, velocity, 3) / np.maximum(size, 1)
    level = velocity - voice_mean[voice]
    contour = _smoothed(played.onset_sec, level)
    return contour + _smoothed(played.onset_sec, level - contour)


def _struck_place(context: Context) -> IntArray:
    """(N,) MELODY for the highest of what is struck together, BASS for the lowest, INNER between."""
    pitch, group_of = context.performance.pitch.astype(np.int64), context.group_of
    highest, lowest = np.full(context.n_groups, -1), np.full(context.n_groups, 128)
    np.maximum.at(highest, group_of, pitch)
    np.minimum.at(lowest, group_of, pitch)
    place = np.where(pitch == lowest[group_of], BASS, INNER)
    return np.where(pitch == highest[group_of], MELODY, place)


def _smoothed(onset_sec: FloatArray, value: FloatArray) -> FloatArray:
    """(N,) mean of the values near each note in time, in a Gaussian window."""
    from scipy.ndimage import gaussian_filter1d

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

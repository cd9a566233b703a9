"""What a single note is held against: how its voice usually is, and what is near.

The highest, the lowest and the inner notes of the onsets are three voices. Level is compared within each, so
that the voicing of chords is neither a swell nor an accent. A note that is struck alone is the highest,
whichever hand strikes it: where the hands take turns, what sets them apart is taken for accents. (With voices
told by staff, or by what still sounds, level and accents follow what the music suggests less.)
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.music.statistics.summaries import around
from tocco.pseudo_labels.observed.onsets import Together
from tocco.units import FloatArray, IntArray

LOWEST: Final = 0
INNER: Final = 1
HIGHEST: Final = 2

NEAR_SEC: Final = 1.1
"""Reach of the mean, taken twice, over which level is a swell and not an accent (its spread is .9 s)."""


def near(time_sec: FloatArray, value: FloatArray, reach_sec: float = NEAR_SEC) -> FloatArray:
    """(..., G) mean of what is near, the nearest counting most.

    Parameters
    ----------
    time_sec : (G,) ascending
    value : (..., G)
    reach_sec : > 0
    """
    return around(time_sec, around(time_sec, value, reach_sec), reach_sec)


def voice_of(together: Together) -> IntArray:
    """(K,) LOWEST, INNER or HIGHEST of its onset; a single note is the highest."""
    struck = np.full(int(together.note.max()) + 1 if len(together.note) else 0, INNER)
    struck[together.bottom] = LOWEST
    struck[together.top] = HIGHEST
    return struck[together.note]


def voice_means(together: Together, value: FloatArray) -> FloatArray:
    """(K,) the mean of each note's voice over the performance.

    Parameters
    ----------
    together
    value : (K,) of the notes of `together`
    """
    voice = voice_of(together)
    mean = np.bincount(voice, value, 3) / np.maximum(np.bincount(voice, minlength=3), 1)
    return mean[voice]


def near_onsets(together: Together, value: FloatArray) -> FloatArray:
    """(G,) a value of the notes around each onset, each against the mean of its voice.

    Parameters
    ----------
    together
    value : (K,) of the notes of `together`
    """
    return _around_onsets(together, value - voice_means(together, value))


def single_out(together: Together, value: FloatArray) -> FloatArray:
    """(K,) a value of each note, less the mean of its voice and less what is near.

    Parameters
    ----------
    together
    value : (K,) of the notes of `together`
    """
    own = value - voice_means(together, value)
    return own - _around_onsets(together, own)[together.onset_of]


def _around_onsets(together: Together, own: FloatArray) -> FloatArray:
    """(G,) mean of the notes around each onset, every onset counting once."""
    if not len(together.size):
        return np.zeros(0)
    mean = np.bincount(together.onset_of, own) / together.size
    return near(np.maximum.accumulate(together.onset_sec), mean)

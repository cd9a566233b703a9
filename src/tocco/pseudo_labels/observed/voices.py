"""Reference level of a note: the mean of its voice, and its neighbours in time.

The highest, the lowest and the inner notes of the onsets form three voices. Level is compared within each,
so that voicing is neither a crescendo nor an accent. A single note counts as the highest, whichever hand
plays it; where the hands alternate, their difference in level therefore counts as accents. (Voices by staff,
or by the notes still sounding, gave lower correlations of level and accents with their predictors.)
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.music.statistics.summaries import around
from tocco.pseudo_labels.observed.onsets import OnsetGroups
from tocco.units import FloatArray, IntArray

LOWEST: Final = 0
INNER: Final = 1
HIGHEST: Final = 2

SMOOTHING_SEC: Final = 1.1
"""Half-width of a moving average, applied twice (kernel standard deviation 0.9 s): slower changes are a
crescendo, faster ones an accent."""


def smoothed(time_sec: FloatArray, value: FloatArray, reach_sec: float = SMOOTHING_SEC) -> FloatArray:
    """(..., G) local mean over time: a moving average applied twice, a triangular weighting.

    Parameters
    ----------
    time_sec : (G,) ascending
    value : (..., G)
    reach_sec : > 0
    """
    return around(time_sec, around(time_sec, value, reach_sec), reach_sec)


def voice_of(groups: OnsetGroups) -> IntArray:
    """(K,) LOWEST, INNER or HIGHEST note of its onset; a single note is the highest."""
    struck = np.full(int(groups.note.max()) + 1 if len(groups.note) else 0, INNER)
    struck[groups.bottom] = LOWEST
    struck[groups.top] = HIGHEST
    return struck[groups.note]


def voice_means(groups: OnsetGroups, value: FloatArray) -> FloatArray:
    """(K,) mean of each note's voice over the performance.

    Parameters
    ----------
    groups
    value : (K,) of the notes of `onset_groups`
    """
    voice = voice_of(groups)
    mean = np.bincount(voice, value, 3) / np.maximum(np.bincount(voice, minlength=3), 1)
    return mean[voice]


def smoothed_at_onsets(groups: OnsetGroups, value: FloatArray) -> FloatArray:
    """(G,) local mean around each onset of a note value, relative to the mean of each voice.

    Parameters
    ----------
    groups
    value : (K,) of the notes of `onset_groups`
    """
    return _around_onsets(groups, value - voice_means(groups, value))


def local_deviation(groups: OnsetGroups, value: FloatArray) -> FloatArray:
    """(K,) deviation of a note value from the mean of its voice and from the local mean.

    Parameters
    ----------
    groups
    value : (K,) of the notes of `onset_groups`
    """
    own = value - voice_means(groups, value)
    return own - _around_onsets(groups, own)[groups.onset_of]


def _around_onsets(groups: OnsetGroups, own: FloatArray) -> FloatArray:
    """(G,) local mean around each onset, with equal weight per onset."""
    if not len(groups.size):
        return np.zeros(0)
    mean = np.bincount(groups.onset_of, own) / groups.size
    return smoothed(np.maximum.accumulate(groups.onset_sec), mean)

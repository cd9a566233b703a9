"""Peers: the standing of other pianists in the same piece, and the standing expected from it.

The difficulty covariates explain only a part of the differences between pieces. Where several pianists play a
piece, their mean standing estimates the rest: the expected standing of a performance is the mean of its
peers, shrunk towards the mean of the pool by its reliability (best linear unbiased prediction; Searle,
Casella and McCulloch 1992, "Variance Components", chapter 7). Takes by the same pianist are never peers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.pseudo_labels.scale.model import ReferenceScale
from tocco.units import FloatArray

FARTHEST_STANDING: Final = 4.0
"""Standing is clipped to this size: a rating of 0.01 has a standing of -8 or -17, and a single failed segment
must not determine the expectation of others."""


@dataclass(frozen=True)
class Take:
    """Standing of one performance on the scale, before comparison with others.

    Attributes
    ----------
    performance : name
    music : name of the piece or passage; takes of the same name are compared
    performer
    standing : dimension -> mean over the performance; unrated dimensions are absent
    """

    performance: str
    music: str
    performer: str
    standing: Mapping[str, float]


@dataclass(frozen=True)
class Expectation:
    """Standing expected of one performance from its peers.

    Attributes
    ----------
    n_peers : other pianists of the same music
    standing : dimension -> standing relative to the mean of the pool; absent where no peer was rated
    """

    n_peers: int
    standing: Mapping[str, float]


def mean_standing(
    ratings: Sequence[Mapping[str, float]], confidence: Sequence[Mapping[str, float]], scale: ReferenceScale
) -> dict[str, float]:
    """Standing of a performance: mean over its segments, weighted by confidence.

    The standing of a segment is clipped to `FARTHEST_STANDING`.

    Parameters
    ----------
    ratings, confidence : of each segment, by dimension
    scale : the scale of the ratings
    """
    found = {}
    for name, dimension in scale.dimensions.items():
        known = [k for k, one in enumerate(ratings) if name in one and confidence[k][name] > 0.0]
        if known:
            standing = np.array([dimension.standing_of(ratings[k][name]) for k in known])
            clipped = np.clip(standing, -FARTHEST_STANDING, FARTHEST_STANDING)
            found[name] = float(np.average(clipped, weights=[confidence[k][name] for k in known]))
    return found


def expectations(takes: Sequence[Take], scale: ReferenceScale) -> dict[str, Expectation]:
    """Expected standing of each performance, from the other pianists of the same piece.

    Returns
    -------
    Name of the performance -> expectation, for every one of them.
    """
    by_music: dict[str, list[Take]] = {}
    for take in takes:
        by_music.setdefault(take.music, []).append(take)
    found = {}
    for members in by_music.values():
        for take in members:
            others: dict[str, list[Take]] = {}
            for other in members:
                if other.performer != take.performer:
                    others.setdefault(other.performer, []).append(other)
            found[take.performance] = _expectation(list(others.values()), scale)
    return found


def _expectation(others: Sequence[Sequence[Take]], scale: ReferenceScale) -> Expectation:
    """Expectation from the mean standing of each pianist, over all takes."""
    standing = {}
    for name, dimension in scale.dimensions.items():
        own = [[take.standing[name] for take in takes if name in take.standing] for takes in others]
        means = np.array([np.mean(values) for values in own if values])
        if len(means):
            standing[name] = dimension.expected(means)
    return Expectation(len(others), standing)


def variance_parts(value: FloatArray, group: Sequence[str]) -> tuple[float, float]:
    """Variance components within and between groups, of a one-way layout with groups of unequal size.

    Within is the mean square within groups. Between is the mean square between groups less that within,
    divided by the effective group size (Searle, Casella and McCulloch 1992, "Variance Components", 3.6).

    Parameters
    ----------
    value : (N,)
    group : N names
    """
    _, index = np.unique(np.asarray(group), return_inverse=True)
    size = np.bincount(index).astype(float)
    centre = np.bincount(index, value) / size
    n, k = len(value), len(size)
    within = float(((value - centre[index]) ** 2).sum() / (n - k))
    among = float((size * (centre - value.mean()) ** 2).sum() / (k - 1))
    effective = (n - (size**2).sum() / n) / (k - 1)
    return within, (among - within) / effective

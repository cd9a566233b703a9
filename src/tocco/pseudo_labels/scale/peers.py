"""Peers: what other pianists reach in the same music, and what is therefore to be expected of one more.

What is written explains only a part of how pieces differ on the scale: a fugue and an etude stay apart
however well they are played. Where several people play a piece, they tell the rest by themselves. What is
expected of a performance is what its peers reach, drawn in to the pool's middle by how much their mean can
be trusted (best linear unbiased prediction; Searle, Casella and McCulloch 1992, "Variance Components",
chapter 7). A performance is never its own peer, nor is another take by the same pianist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.pseudo_labels.scale.model import ReferenceScale
from tocco.units import FloatArray

FARTHEST_STANDING: Final = 4.0
"""Spreads of the pool. A rating of 0.01 stands at -8 or -17, one rounded to 0 wherever the rounding puts it:
one ruined segment shall not decide what is expected of others."""


@dataclass(frozen=True)
class Take:
    """Where one performance stands on the scale, before it is compared with any other.

    Attributes
    ----------
    performance : its name
    music : what was played: takes of the same name can be compared
    performer
    standing : dimension -> mean over the performance, in spreads of the pool; what was not rated is absent
    """

    performance: str
    music: str
    performer: str
    standing: Mapping[str, float]


@dataclass(frozen=True)
class Expectation:
    """What the peers of one performance reach.

    Attributes
    ----------
    n_peers : other pianists of the same music
    standing : dimension -> spreads of the pool above its middle; absent where no peer was rated
    """

    n_peers: int
    standing: Mapping[str, float]


def mean_standing(
    ratings: Sequence[Mapping[str, float]], confidence: Sequence[Mapping[str, float]], scale: ReferenceScale
) -> dict[str, float]:
    """Where a performance stands: the mean over its segments, each by its confidence.

    Segments beyond `FARTHEST_STANDING` are drawn in to it.

    Parameters
    ----------
    ratings, confidence : of each segment, by dimension
    scale : that gave them
    """
    found = {}
    for name, dimension in scale.dimensions.items():
        known = [k for k, one in enumerate(ratings) if name in one and confidence[k][name] > 0.0]
        if known:
            standing = np.array([dimension.standing_of(ratings[k][name]) for k in known])
            drawn = np.clip(standing, -FARTHEST_STANDING, FARTHEST_STANDING)
            found[name] = float(np.average(drawn, weights=[confidence[k][name] for k in known]))
    return found


def expectations(takes: Sequence[Take], scale: ReferenceScale) -> dict[str, Expectation]:
    """What is to be expected of each performance, from the other pianists of the same music.

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
    """Every pianist counts once, with the mean of all takes."""
    standing = {}
    for name, dimension in scale.dimensions.items():
        own = [[take.standing[name] for take in takes if name in take.standing] for takes in others]
        means = np.array([np.mean(values) for values in own if values])
        if len(means):
            standing[name] = dimension.expected(means)
    return Expectation(len(others), standing)


def variance_parts(value: FloatArray, group: Sequence[str]) -> tuple[float, float]:
    """Variance within groups and between them, of a one-way layout with groups of unequal size.

    Within is the mean square within groups; between is what the mean square between groups has above it,
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

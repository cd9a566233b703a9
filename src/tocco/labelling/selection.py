"""A diverse choice of segments: pieces, composers, difficulty and quality about equally often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.labelling.candidates import Candidate
from tocco.units import FloatArray, IntArray

UNKNOWN: Final = "unknown"
GROUPS: Final = ("low", "middle", "high")

WEIGHTS: Final[Mapping[str, float]] = {
    "piece": 1.0,
    "composer": 1.0,
    "difficulty": 1.0,
    "quality": 1.0,
    "performer": 0.5,
}
"""How much a property counts: each pulls towards equal counts of its values."""


@dataclass(frozen=True)
class Properties:
    """What segments are balanced by.

    Attributes
    ----------
    values : property -> (N,) value of each candidate
    """

    values: Mapping[str, tuple[str, ...]]

    def counts(self, chosen: Sequence[int]) -> dict[str, dict[str, int]]:
        """Property -> value -> number of the chosen candidates, most frequent first."""
        return {
            name: dict(Counter(values[i] for i in chosen).most_common())
            for name, values in self.values.items()
        }


def properties_of(candidates: Sequence[Candidate]) -> Properties:
    """Properties of candidates; difficulty and quality as thirds of what is known among them."""
    records = [one.record for one in candidates]
    return Properties(
        {
            "piece": tuple(one.piece_id for one in records),
            "composer": tuple(one.composer or UNKNOWN for one in candidates),
            "difficulty": thirds(np.array([one.difficulty for one in candidates])),
            "quality": thirds(np.array([one.quality for one in candidates])),
            "performer": tuple(one.performer_id or UNKNOWN for one in records),
        }
    )


def thirds(value: FloatArray) -> tuple[str, ...]:
    """Group of each value among those that are known.

    >>> thirds(np.array([1.0, 5.0, 9.0, np.nan]))
    ('low', 'middle', 'high', 'unknown')
    """
    known = np.isfinite(value)
    if not known.any():
        return (UNKNOWN,) * len(value)
    edges = np.quantile(value[known], [1.0 / 3.0, 2.0 / 3.0])
    group = np.searchsorted(edges, value, side="left")
    return tuple(GROUPS[g] if is_known else UNKNOWN for g, is_known in zip(group, known, strict=True))


def select(properties: Properties, n: int, rng: np.random.Generator) -> IntArray:
    """Choose one candidate after another: each time one whose values are rarest among those chosen.

    Parameters
    ----------
    properties
    n : at most as many as there are
    rng : breaks ties

    Returns
    -------
    (n,) index, in the order in which they were chosen
    """
    size = len(next(iter(properties.values.values())))
    coded = {
        name: np.unique(values, return_inverse=True)[1].ravel()
        for name, values in properties.values.items()
        if len(set(values)) > 1
    }
    counts = {name: np.zeros(code.max() + 1) for name, code in coded.items()}
    tie = rng.uniform(0.0, 1e-6, size=size)
    is_left = np.ones(size, bool)
    chosen = []
    for _ in range(min(n, size)):
        crowding = tie.copy()
        for name, code in coded.items():
            expected = max(n / len(counts[name]), 1.0)
            crowding += WEIGHTS[name] * counts[name][code] / expected
        best = int(np.argmin(np.where(is_left, crowding, np.inf)))
        chosen.append(best)
        is_left[best] = False
        for name, code in coded.items():
            counts[name][code[best]] += 1.0
    return np.array(chosen, dtype=int)

"""What one measure of damage found: its value, and how large it is at each place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from tocco.units import FloatArray

FAR_ENOUGH_SEC: Final = 3.0
"""Two places of one measure lie at least this far apart: nearer ones are the same event."""

TOO_FEW_NOTES: Final = "the performance has fewer than 20 notes"


@dataclass(frozen=True, eq=False)
class Reading:
    """A value, more is worse, and its size at each place.

    Attributes
    ----------
    value : in the unit of the measure
    at_sec : (P,) seconds of the performance
    size : (P,) how much each place adds; a place of size 0 is none
    """

    value: float
    at_sec: FloatArray = field(default_factory=lambda: np.zeros(0))
    size: FloatArray = field(default_factory=lambda: np.zeros(0))

    def worst(self, n: int) -> list[tuple[float, float]]:
        """(second, size) of the largest places, at most n, no two within 3 s; the largest first."""
        found: list[tuple[float, float]] = []
        for k in np.argsort(-self.size, kind="stable"):
            second, size = float(self.at_sec[k]), float(self.size[k])
            if size <= 0.0 or len(found) == n:
                break
            if all(abs(second - other) >= FAR_ENOUGH_SEC for other, _ in found):
                found.append((second, size))
        return found


def root_mean_square(value: FloatArray, weight: FloatArray | None = None) -> float:
    """Root of the weighted mean square: large values count for more than in a mean.

    Examples
    --------
    >>> root_mean_square(np.array([0.0, 0.0, 0.0, 4.0]))
    2.0
    """
    return float(np.sqrt(np.average(value**2, weights=weight)))

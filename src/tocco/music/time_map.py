"""Where a moment of one recording is in its changed twin."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tocco.errors import InputError
from tocco.units import FloatArray


@dataclass(frozen=True, eq=False)
class TimeMap:
    """Old seconds to new seconds: straight lines between anchors, slope 1 beyond the first and last.

    Time never runs backwards. Two anchors with one old time are a jump: something was put in there,
    and the moment itself moves behind it. Two anchors with one new time are a cut: the old time
    between them no longer exists and maps to the seam.

    Attributes
    ----------
    old_sec, new_sec : (A,) seconds, A >= 1, ascending, equal neighbours allowed
    """

    old_sec: FloatArray
    new_sec: FloatArray

    def __post_init__(self) -> None:
        old, new = np.asarray(self.old_sec, dtype=float), np.asarray(self.new_sec, dtype=float)
        if old.ndim != 1 or old.shape != new.shape or len(old) == 0:
            raise InputError("time map", f"has anchors of shapes {old.shape} and {new.shape}")
        if not (np.isfinite(old).all() and np.isfinite(new).all()):
            raise InputError("time map", "has anchors that are no times", allowed="finite seconds")
        if np.any(np.diff(old) < 0) or np.any(np.diff(new) < 0):
            raise InputError("time map", "runs backwards", allowed="ascending anchors")
        object.__setattr__(self, "old_sec", old)
        object.__setattr__(self, "new_sec", new)

    @classmethod
    def identity(cls) -> TimeMap:
        """The map of a change that moves nothing.

        >>> float(TimeMap.identity()(3.5))
        3.5
        """
        return cls(np.zeros(1), np.zeros(1))

    @classmethod
    def linear(cls, stretch: float, shift_sec: float = 0.0, *, end_sec: float = 86_400.0) -> TimeMap:
        """`new = stretch * old + shift_sec`, for old times between minus and plus `end_sec`.

        >>> float(TimeMap.linear(2.0, 1.0)(3.0))
        7.0
        """
        if not stretch > 0:
            raise InputError("stretch", f"is {stretch:g}", allowed="above 0")
        # With an anchor at 0 the start maps to `shift_sec` exactly; between far anchors it would round.
        old = np.array([-end_sec, 0.0, end_sec])
        return cls(old, stretch * old + shift_sec)

    def __call__(self, sec: FloatArray | float) -> FloatArray:
        """New times of old ones.

        Parameters
        ----------
        sec : any shape, seconds

        Returns
        -------
        Seconds, of the same shape. At a jump, the time behind it.
        """
        return _interpolated(np.asarray(sec, dtype=float), self.old_sec, self.new_sec)

    def inverse(self) -> TimeMap:
        """New seconds to old seconds; within a jump the old time stands still."""
        return TimeMap(self.new_sec, self.old_sec)

    def then(self, later: TimeMap) -> TimeMap:
        """The map of this change followed by another.

        >>> float(TimeMap.linear(2.0).then(TimeMap.linear(1.0, 5.0))(1.0))
        7.0
        """
        # Where self stands still, a jump of `later` happens at the start of the standstill and is over
        # by its end: each anchor of `later` is therefore set at both.
        last = _interpolated(later.old_sec, self.new_sec, self.old_sec)
        first = -_interpolated(-later.old_sec, -self.new_sec[::-1], -self.old_sec[::-1])
        old = np.concatenate((self.old_sec, first, last))
        through = np.concatenate((self.new_sec, later.old_sec, later.old_sec))
        new = np.concatenate((later(self.new_sec), later.new_sec, later.new_sec))
        order = np.lexsort((new, through, old))
        return TimeMap(old[order], np.maximum.accumulate(new[order]))

    @property
    def is_identity(self) -> bool:
        """Whether no time moves."""
        return bool(np.array_equal(self.old_sec, self.new_sec))

    @property
    def jumps(self) -> tuple[tuple[float, float, float], ...]:
        """What was put in: (old time, new start, new end), in order."""
        anchors = zip(self.old_sec.tolist(), self.new_sec.tolist(), strict=True)
        return tuple((a, na, nb) for (a, na), (b, nb) in pairwise(anchors) if a == b and nb > na)


def _interpolated(at: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """Straight lines through (x, y), taken from the right at a jump, slope 1 outside."""
    left = np.searchsorted(x, at, side="right") - 1
    inside = (left >= 0) & (left < len(x) - 1)
    low = np.clip(left, 0, max(len(x) - 2, 0))
    high = np.minimum(low + 1, len(x) - 1)
    width = np.where(x[high] > x[low], x[high] - x[low], 1.0)
    between = y[low] + (at - x[low]) * (y[high] - y[low]) / width
    outside = np.where(left < 0, y[0] + (at - x[0]), y[-1] + (at - x[-1]))
    return np.where(inside, between, outside)

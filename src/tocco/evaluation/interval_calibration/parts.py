"""Parts of a table of predictions, and their cross-fitting: what is tested is never calibrated on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from tocco.evaluation.interval_calibration.methods import Method, Unit
from tocco.evaluation.interval_calibration.predictions import Predictions
from tocco.units import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Side:
    """Rows of one dimension: some to calibrate on, others to test, without a cluster in common.

    Attributes
    ----------
    calibration, test
    index : (M,) of the test rows among those of the part
    """

    calibration: Predictions
    test: Predictions
    index: IntArray


@dataclass(frozen=True, eq=False)
class Part:
    """Rows of one split and input.

    Attributes
    ----------
    split, input : names
    rows
    """

    split: str
    input: str
    rows: Predictions
    _sides: dict[Unit, list[Side]] = field(default_factory=dict, init=False, repr=False)

    def sides(self, unit: Unit) -> list[Side]:
        """Sides that test each row once, calibrated on other folds or on other works.

        Empty where some fold or work has no other, of other clusters, to be calibrated on.
        """
        if unit not in self._sides:
            self._sides[unit] = _sides_of(self.rows, unit)
        return self._sides[unit]

    def allows(self, method: Method) -> bool:
        """Whether there is something to calibrate the method on."""
        return bool(self.sides(method.unit))

    def intervals(self, method: Method, level: float) -> tuple[FloatArray, FloatArray]:
        """Interval of every row, calibrated on labels of the same dimension in other folds, or works.

        Parameters
        ----------
        method : that the part allows
        level : 0..1

        Returns
        -------
        low, high : (K,) rating
        """
        low, high = np.full((2, len(self.rows)), np.nan)
        for side in self.sides(method.unit):
            low[side.index], high[side.index] = method.intervals(side.calibration, side.test, level)
        return low, high

    def by_dimension(self) -> dict[str, IntArray]:
        """Indices of the rows of each dimension, in sorted order."""
        names, code = np.unique(self.rows.dimension, return_inverse=True)
        return {str(name): np.flatnonzero(code == d) for d, name in enumerate(names)}


def parts_of(predictions: Predictions) -> Iterator[Part]:
    """Each split and input for itself."""
    for split in np.unique(predictions.split):
        for kind in np.unique(predictions.input[predictions.split == split]):
            rows = predictions.where((predictions.split == split) & (predictions.input == kind))
            yield Part(str(split), str(kind), rows)


def _sides_of(rows: Predictions, unit: Unit) -> list[Side]:
    found = []
    dimension, of_unit, cluster = (
        np.unique(column, return_inverse=True)[1]
        for column in (rows.dimension, getattr(rows, unit), rows.cluster)
    )
    for d in range(int(dimension.max()) + 1):
        own = dimension == d
        for u in np.unique(of_unit[own]):
            test = own & (of_unit == u)
            other = own & (of_unit != u) & ~np.isin(cluster, cluster[test])
            if not other.any():
                return []
            index = np.flatnonzero(test)
            found.append(Side(rows.where(np.flatnonzero(other)), rows.where(index), index))
    return found

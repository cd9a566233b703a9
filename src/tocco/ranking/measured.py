"""Ratings as measurements of the strengths that a jury's comparisons speak of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.units import FloatArray

SCALES: Final = (2.5, 5.0, 10.0, 20.0, 40.0)
"""Points of rating that one unit of strength may be worth, all as likely beforehand. Two marks of one rater
with an error of 13 points each would make it 10."""

DISCREPANCIES: Final = (0.0, 5.0, 10.0, 20.0)
"""Points by which what is rated may differ from what a jury judges, beside the error of the ratings; standard
deviations, all as likely beforehand. With the largest, ratings hardly count."""

_LEAST_VARIANCE: Final = 0.01


@dataclass(frozen=True, eq=False)
class Measured:
    """Strengths as another source has measured them, with a normal error.

    Attributes
    ----------
    value : (N,) of any mean
    precision : (N, N) inverse covariance of the error; singular, since a constant in all is not known
    log_norm : logarithm of the constant of the density of the measurements
    """

    value: FloatArray
    precision: FloatArray
    log_norm: float

    @classmethod
    def of(
        cls, value: FloatArray, covariance: FloatArray, scale: float = 1.0, discrepancy: float = 0.0
    ) -> Measured:
        """From measurements in points.

        Parameters
        ----------
        value : (N,) points
        covariance : (N, N) of the errors of their contrasts, points squared
        scale : points that one unit of strength is worth
        discrepancy : points, standard deviation of what is measured about what is meant
        """
        n = len(value)
        # Orthonormal contrasts: what is orthogonal to a constant.
        basis = np.linalg.svd(np.eye(n) - 1.0 / n)[0][:, : n - 1]
        inner = basis.T @ covariance @ basis + (discrepancy**2 + _LEAST_VARIANCE) * np.eye(n - 1)
        precision = basis @ np.linalg.inv(inner) @ basis.T
        return cls(value / scale, precision * scale**2, float(-0.5 * np.linalg.slogdet(inner)[1]))


def readings(value: FloatArray, covariance: FloatArray) -> Iterator[Measured]:
    """Ratings in every scale and with every discrepancy that is considered."""
    for scale in SCALES:
        for discrepancy in DISCREPANCIES:
            yield Measured.of(value, covariance, scale, discrepancy)

"""What the calibration errors of a perfect model are, by chance.

Only an error above the 95th percentile of a perfect model of the same size shows that something is wrong.
`calibration_error_null` and `ence_null` assume independent labels. Labels of one cluster of music are not:
`perfect_curves` simulates errors that are shared within clusters, and its null is wider.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tocco.metrics.calibration import CALIBRATION_LEVELS, ENCE_BINS, ence_of
from tocco.metrics.validation import validate_level, validate_levels, validate_sd
from tocco.units import FloatArray

NULL_DRAWS = 2000
_CHUNK = 250
"""Simulated sets of labels in memory at a time."""


@dataclass(frozen=True, eq=False)
class NullDistribution:
    """Errors of a perfect model by chance.

    Attributes
    ----------
    errors : (B,) of each simulated set of labels, ascending
    """

    errors: FloatArray

    @property
    def mean(self) -> float:
        """What to expect of a perfect model."""
        return float(self.errors.mean())

    @property
    def p95(self) -> float:
        """95th percentile: a perfect model exceeds it in one of twenty sets of labels."""
        return float(np.quantile(self.errors, 0.95))

    def p_value(self, error: float) -> float:
        """Probability that a perfect model has this error or a larger one.

        (1 + number of draws with an error as large) / (1 + draws): never 0 (Davison & Hinkley,
        Bootstrap Methods and their Application, 1997, eq. 4.11).
        """
        as_large = len(self.errors) - int(np.searchsorted(self.errors, error, side="left"))
        return (1 + as_large) / (1 + len(self.errors))


def calibration_error_null(
    n: int,
    generator: np.random.Generator,
    levels: Iterable[float] = CALIBRATION_LEVELS,
    draws: int = NULL_DRAWS,
) -> NullDistribution:
    """Both calibration errors of a perfect model with `n` independent labels.

    The level at which a label enters the interval, or its quantile, is uniform for a perfect model,
    so the central and the quantile error have this one null distribution.

    Parameters
    ----------
    n : labels, >= 1
    generator
        Source of the simulated labels.
    levels : (K,) 0..1
    draws : >= 1
    """
    levels = validate_levels(levels)
    return null_of(_perfect_curves(n, generator, levels, draws), levels)


def calibration_band(
    n: int,
    generator: np.random.Generator,
    levels: Iterable[float] = CALIBRATION_LEVELS,
    draws: int = NULL_DRAWS,
    level: float = 0.95,
) -> tuple[FloatArray, FloatArray]:
    """Where a perfect model's curve lies, at each level for itself, for a reliability diagram.

    Parameters
    ----------
    n, generator, levels, draws
        As for `calibration_error_null`.
    level : 0..1
        Share of perfect models inside, at any one of `levels`.

    Returns
    -------
    low, high : (K,) 0..1
    """
    return band_of(_perfect_curves(n, generator, validate_levels(levels), draws), level)


def band_of(curves: FloatArray, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Central range of simulated curves, at each level for itself.

    Parameters
    ----------
    curves : (B, K) 0..1
    level : 0..1

    Returns
    -------
    low, high : (K,) 0..1
    """
    validate_level(level)
    low, high = np.quantile(curves, [(1.0 - level) / 2.0, (1.0 + level) / 2.0], axis=0)
    return low, high


def _perfect_curves(n: int, generator: np.random.Generator, levels: FloatArray, draws: int) -> FloatArray:
    """(draws, K) observed shares: cumulative counts of `n` uniform values between the levels."""
    if n < 1 or draws < 1:
        raise ValueError(f"n is {n} and draws {draws}, both must be at least 1")
    order = np.argsort(levels)
    share = np.diff(levels[order], prepend=0.0, append=1.0)
    curves = np.empty((draws, len(levels)))
    curves[:, order] = np.cumsum(generator.multinomial(n, share, size=draws), axis=1)[:, :-1] / n
    return curves


def perfect_curves(
    clusters: npt.ArrayLike,
    shared: float,
    generator: np.random.Generator,
    levels: Iterable[float] = CALIBRATION_LEVELS,
    draws: int = NULL_DRAWS,
) -> tuple[FloatArray, FloatArray]:
    """Curves of a perfect model whose errors have a part that labels of one cluster share.

    Standardised errors are sqrt(shared) g + sqrt(1 - shared) e, with g one normal draw a cluster and e one a
    label: each label for itself is calibrated, but those of a cluster are wrong together.

    Parameters
    ----------
    clusters : (N,) any label
    shared : 0..1, correlation of the standardised errors of two labels of a cluster
    generator
        Source of the simulated errors.
    levels : (K,) 0..1
    draws : >= 1

    Returns
    -------
    central, quantile : (draws, K) 0..1
        As `coverage_curve` and `quantile_curve` would measure them.
    """
    from scipy.special import ndtri

    if not 0.0 <= shared <= 1.0:
        raise ValueError(f"shared is {shared}, must lie between 0 and 1")
    levels = validate_levels(levels)
    names, code = np.unique(np.asarray(clusters), return_inverse=True)
    if len(code) < 1 or draws < 1:
        raise ValueError(f"{len(code)} labels and {draws} draws, both must be at least 1")
    central, quantile = np.empty((2, draws, len(levels)))
    for start in range(0, draws, _CHUNK):
        rows = min(_CHUNK, draws - start)
        common = generator.standard_normal((rows, len(names)))[:, code]
        own = generator.standard_normal((rows, len(code)))
        z = np.sqrt(shared) * common + np.sqrt(1.0 - shared) * own
        central[start : start + rows] = _shares_below(np.abs(z), ndtri((1.0 + levels) / 2.0))
        quantile[start : start + rows] = _shares_below(z, ndtri(levels))
    return central, quantile


def _shares_below(values: FloatArray, ends: FloatArray) -> FloatArray:
    """(B, K) share of each row of (B, N) values that is at most each of (K,) ends."""
    order = np.argsort(ends)
    place = (
        np.searchsorted(ends[order], values, side="left") + (len(ends) + 1) * np.arange(len(values))[:, None]
    )
    counts = np.bincount(place.ravel(), minlength=len(values) * (len(ends) + 1))
    found = np.empty((len(values), len(ends)))
    found[:, order] = np.cumsum(counts.reshape(len(values), -1), axis=1)[:, :-1] / values.shape[1]
    return found


def null_of(curves: FloatArray, levels: Iterable[float] = CALIBRATION_LEVELS) -> NullDistribution:
    """Calibration errors of simulated curves.

    Parameters
    ----------
    curves : (B, K) 0..1
    levels : (K,) 0..1
    """
    return NullDistribution(np.sort(np.abs(curves - validate_levels(levels)).mean(axis=1)))


def ence_null(
    sd: npt.ArrayLike, generator: np.random.Generator, bins: int = ENCE_BINS, draws: int = NULL_DRAWS
) -> NullDistribution:
    """ENCE of a perfect model with these sds and independent normal errors.

    Parameters
    ----------
    sd : (N,) rating points, > 0, of the performances with a label
    generator
        Source of the simulated errors.
    bins, draws : >= 1
    """
    sd = validate_sd(sd)
    if draws < 1:
        raise ValueError(f"draws is {draws}, must be at least 1")
    errors = np.empty(draws)
    for start in range(0, draws, _CHUNK):
        drawn = generator.standard_normal((min(_CHUNK, draws - start), len(sd)))
        errors[start : start + _CHUNK] = ence_of(sd, sd * drawn, bins)
    return NullDistribution(np.sort(errors))

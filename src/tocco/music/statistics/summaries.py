"""Describing a list of numbers: spread, trend, arch, autocorrelation, and the missing value.

Every function answers NaN where its question has no answer (no notes, one note, no spread), so that
"unknown" is never mistaken for "none".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from tocco.music.statistics.catalogue import FIVE, N_SIXTHS
from tocco.units import BoolArray, FloatArray, IntArray

MISSING: Final = float("nan")
FLAT: Final = 1e-9
"""A spread below this is rounding, not playing."""
MAX_NEIGHBOURS: Final = 64
"""A local line looks at no more onsets than this on either side, which bounds its cost."""


def mean(x: FloatArray | IntArray) -> float:
    """Arithmetic mean; missing for no values."""
    return float(x.sum() / len(x)) if len(x) else MISSING


def sd(x: FloatArray) -> float:
    """Standard deviation; missing below two values."""
    return float(x.std()) if len(x) > 1 else MISSING


def median(x: FloatArray) -> float:
    """Median; missing for no values."""
    return percentile(x, 50.0)


def percentiles(x: FloatArray, percent: Sequence[float]) -> FloatArray:
    """Percentiles by linear interpolation between ranks; missing for no values.

    The definition of `numpy.percentile`, without its cost on short lists.
    """
    if not len(x):
        return np.full(len(percent), MISSING)
    rank = np.asarray(percent) / 100.0 * (len(x) - 1)
    return np.interp(rank, np.arange(len(x)), np.sort(x))


def percentile(x: FloatArray, percent: float) -> float:
    """One percentile; missing for no values."""
    return float(percentiles(x, (percent,))[0])


def extent(x: FloatArray) -> float:
    """Largest less smallest; missing for no values."""
    return float(np.ptp(x)) if len(x) else MISSING


def around(time_sec: FloatArray, value: FloatArray, reach_sec: float) -> FloatArray:
    """Mean of the values no farther away in time than a reach.

    Parameters
    ----------
    time_sec : (G,) ascending
    value : (..., G)
    reach_sec : > 0

    Returns
    -------
    (..., G) in the unit of value
    """
    total = np.concatenate(
        (np.zeros((*value.shape[:-1], 1)), np.cumsum(value, axis=-1, dtype=float)), axis=-1
    )
    first = np.searchsorted(time_sec, time_sec - reach_sec, side="left")
    end = np.searchsorted(time_sec, time_sec + reach_sec, side="right")
    return (total[..., end] - total[..., first]) / (end - first)


def fraction(which: BoolArray) -> float:
    """Share of True; missing for no values."""
    return float(which.mean()) if len(which) else MISSING


def two(stem: str, x: FloatArray) -> dict[str, float]:
    """Mean and spread under `stem`."""
    return {f"{stem}_mean": mean(x), f"{stem}_sd": sd(x)}


def five(stem: str, x: FloatArray) -> dict[str, float]:
    """Mean, spread and the 10th, 50th and 90th percentile under `stem`."""
    low, middle, high = percentiles(x, (10.0, 50.0, 90.0))
    numbers = (mean(x), sd(x), float(low), float(middle), float(high))
    return {f"{stem}_{part}": number for part, number in zip(FIVE, numbers, strict=True)}


def step(x: FloatArray) -> float:
    """Mean size of the change from one value to the next."""
    return mean(np.abs(np.diff(x)))


def skewness(x: FloatArray) -> float:
    """Third standardised moment: positive where a few values stand out above the rest."""
    if len(x) < 3:
        return MISSING
    centred = x - x.mean()
    spread = np.sqrt(np.mean(centred**2))
    return float(np.mean(centred**3) / spread**3) if spread > FLAT else MISSING


def autocorrelation(x: FloatArray) -> float:
    """Likeness of each value to the one before: near 1 for a long line, below 0 for alternation."""
    if len(x) < 4:
        return MISSING
    centred = x - x.mean()
    energy = float((centred**2).sum())
    if energy <= FLAT * len(x):
        return MISSING
    return float((centred[1:] * centred[:-1]).sum() / energy)


def correlation(x: FloatArray, y: FloatArray) -> float:
    """Pearson correlation; missing below three pairs or where either does not vary."""
    if len(x) < 3:
        return MISSING
    a, b = x - x.mean(), y - y.mean()
    scale = np.sqrt((a @ a) * (b @ b))
    if np.sqrt(a @ a) <= FLAT * len(x) or np.sqrt(b @ b) <= FLAT * len(x):
        return MISSING
    return float(np.clip((a @ b) / scale, -1.0, 1.0))


def slope(y: FloatArray, x: FloatArray | None = None) -> float:
    """Rise over the whole length of `x` by least squares; `x` runs from 0 to 1 if not given."""
    x = np.linspace(0.0, 1.0, len(y)) if x is None else x
    if len(y) < 3 or np.ptp(x) <= FLAT:
        return MISSING
    centred = x - x.mean()
    return float((centred @ (y - y.mean())) / (centred @ centred))


def arch(y: FloatArray) -> float:
    """Curvature over the whole: negative for a phrase that swells and recedes.

    The quadratic coefficient of a parabola over -1..1 (Todd 1992 models phrases so).
    """
    if len(y) < 4:
        return MISSING
    # On symmetric places z, z^2 less its mean is orthogonal to the constant and to the slope.
    square = np.linspace(-1.0, 1.0, len(y)) ** 2
    square -= square.mean()
    return float((square @ y) / (square @ square))


def rolling_mean(x: FloatArray, width: int) -> FloatArray:
    """Mean over a centred span of `width` values (odd), shorter at either end.

    Returns
    -------
    (N,) in the unit of x
    """
    total = np.concatenate([[0.0], np.cumsum(x, dtype=float)])
    here = np.arange(len(x))
    low, high = np.maximum(here - width // 2, 0), np.minimum(here + width // 2 + 1, len(x))
    return (total[high] - total[low]) / (high - low)


def group_sum(values: FloatArray, group: IntArray, n_groups: int) -> FloatArray:
    """(n_groups,) sum of the values of each group; 0 for an unused one."""
    return np.asarray(np.bincount(group, values, n_groups), dtype=float)


def group_mean(values: FloatArray, group: IntArray, n_groups: int) -> FloatArray:
    """(n_groups,) mean of the values of each group; every group is used."""
    return group_sum(values, group, n_groups) / np.bincount(group, minlength=n_groups)


def group_median(values: FloatArray, group: IntArray, n_groups: int) -> FloatArray:
    """(n_groups,) median of the values of each group; every group is used."""
    ordered = values[np.lexsort((values, group))]
    count = np.bincount(group, minlength=n_groups)
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    return (ordered[first + (count - 1) // 2] + ordered[first + count // 2]) / 2.0


def sixths(position: FloatArray, values: FloatArray, length: float) -> FloatArray:
    """Mean of the values in each sixth of a length.

    Parameters
    ----------
    position : (N,) 0..length
    values : (N,)
    length

    Returns
    -------
    (6,) NaN for a sixth without values
    """
    if length <= 0 or not len(values):
        return np.full(N_SIXTHS, MISSING)
    which = np.clip((position / length * N_SIXTHS).astype(int), 0, N_SIXTHS - 1)
    count = np.bincount(which, minlength=N_SIXTHS)
    total = group_sum(values, which, N_SIXTHS)
    return np.where(count > 0, total / np.maximum(count, 1), MISSING)


def course(stem: str, values: FloatArray) -> dict[str, float]:
    """The six sixths under `stem`."""
    return {f"{stem}_sixth_{k + 1}": float(value) for k, value in enumerate(values)}


def local_line(x: FloatArray, y: FloatArray, bandwidth: float) -> FloatArray:
    """What the neighbours of each point say about it: a Gaussian-weighted line that leaves it out.

    Local linear regression (Cleveland 1979) with weights exp(-(dx / bandwidth)^2 / 2), solved in
    closed form for all points at once.

    Parameters
    ----------
    x : (G,) ascending, no two alike
    y : (G,)
    bandwidth : in the unit of x

    Returns
    -------
    (G,) in the unit of y
        NaN where fewer than four neighbours carry weight (above .05).
    """
    n = len(x)
    reach = np.searchsorted(x, x + 4.0 * bandwidth) - np.arange(n)
    width = min(int(reach.max(initial=1)), MAX_NEIGHBOURS)
    shift = np.concatenate([np.arange(-width, 0), np.arange(1, width + 1)])
    there = np.arange(n)[:, None] + shift
    exists = (there >= 0) & (there < n)
    there = np.clip(there, 0, n - 1)
    # Relative to the point itself, which keeps the sums small wherever the clock stands.
    away, rise = x[there] - x[:, None], y[there] - y[:, None]
    near = exists & (np.abs(away) <= 4.0 * bandwidth)
    weight = np.where(near, np.exp(-0.5 * (away / bandwidth) ** 2), 0.0)
    weighted = weight * away
    s0, s1, s2 = weight.sum(axis=1), weighted.sum(axis=1), (weighted * away).sum(axis=1)
    t0, t1 = (weight * rise).sum(axis=1), (weighted * rise).sum(axis=1)
    determinant = s0 * s2 - s1**2
    enough = (weight > 0.05).sum(axis=1) >= 4
    solvable = enough & (determinant > FLAT * bandwidth**2 * np.maximum(s0, FLAT) ** 2)
    return np.where(solvable, y + (s2 * t0 - s1 * t1) / np.where(solvable, determinant, 1.0), MISSING)

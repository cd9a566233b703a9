"""From differences of two performances each to what is known about all of them at once.

The errors of the differences are not independent: N noisy ratings make N (N - 1) / 2 differences, and the
error of one performance is in N - 1 of them. Means and standard deviations of all differences determine the
joint normal distribution of the N merits up to a constant, and ranks are drawn from that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.ranking.davidson import N_DRAWS, normal_draws
from tocco.units import FloatArray, IntArray

LEVEL: Final = 0.9
"""Of intervals."""

_ROUNDING: Final = 1e-9
_LEAST_SD: Final = 1e-6


@dataclass(frozen=True, eq=False)
class PairedDifferences:
    """The difference of every two performances.

    Attributes
    ----------
    mean : (N, N) points, row less column, antisymmetric
    sd : (N, N) points, symmetric, 0 on the diagonal
    """

    mean: FloatArray
    sd: FloatArray

    def __post_init__(self) -> None:
        n = len(self.mean)
        if self.mean.shape != (n, n) or self.sd.shape != (n, n):
            raise ValueError(f"mean has shape {self.mean.shape} and sd {self.sd.shape}, both must be (N, N)")
        if not np.allclose(self.mean, -self.mean.T) or not np.allclose(self.sd, self.sd.T):
            raise ValueError("differences turn their sign with their order, and their spread stays")


@dataclass(frozen=True, eq=False)
class Merits:
    """What is known about N performances at once, as a normal distribution.

    Attributes
    ----------
    mean : (N,) relative to the mean of all
    covariance : (N, N) of these contrasts; every row sums to 0
    """

    mean: FloatArray
    covariance: FloatArray

    def draws(self, rng: np.random.Generator, n: int = N_DRAWS) -> FloatArray:
        """(n, N) merits."""
        return normal_draws(self.mean, self.covariance, rng, n)


def joint_merits(pairs: PairedDifferences) -> Merits:
    """The merits whose differences are these.

    The mean is the least-squares solution. The covariance follows from the spread of the differences: a
    variogram determines the covariance of all contrasts, half of it doubly centred and turned round (as in
    classical scaling, Gower 1966). Spreads that no joint distribution has are replaced by the nearest that
    one has.
    """
    n = len(pairs.mean)
    centre = np.eye(n) - 1.0 / n
    values, axes = np.linalg.eigh(-0.5 * centre @ pairs.sd**2 @ centre)
    return Merits(pairs.mean.mean(axis=1), (axes * np.clip(values, 0.0, None)) @ axes.T)


def ranks_of(draws: FloatArray) -> IntArray:
    """(n, N) rank in each draw, 1 the best."""
    return np.argsort(np.argsort(-draws, axis=1), axis=1) + 1


def rank_intervals(ranks: IntArray, level: float = LEVEL) -> IntArray:
    """(N, 2) first and last rank: the shortest run of ranks that holds at least `level` of the draws.

    Of several that are as short, the one that holds most.
    """
    n = ranks.shape[1]
    share = np.stack([np.bincount(column - 1, minlength=n) for column in ranks.T]) / len(ranks)
    below = np.concatenate((np.zeros((n, 1)), share.cumsum(axis=1)), axis=1)
    found = np.zeros((n, 2), dtype=np.int64)
    for row in range(n):
        for length in range(1, n + 1):
            held = below[row, length:] - below[row, : n + 1 - length]
            if held.max() >= level - _ROUNDING:
                first = int(held.argmax()) + 1
                found[row] = first, first + length - 1
                break
    return found


def expected_outcomes(pairs: PairedDifferences, margin: float) -> tuple[FloatArray, FloatArray]:
    """Chances that the row is better by more than a margin, and that the two are within it; (N, N) each.

    Parameters
    ----------
    pairs
    margin : points, >= 0
    """
    from scipy.special import ndtr

    off_diagonal = ~np.eye(len(pairs.mean), dtype=bool)
    sd = np.maximum(pairs.sd, _LEAST_SD)
    better = ndtr((pairs.mean - margin) / sd) * off_diagonal
    return better, np.clip(1.0 - (better + better.T), 0.0, 1.0) * off_diagonal


def chance_of_being_better(draws: FloatArray) -> FloatArray:
    """(N, N) share of the draws in which the row is above the column; 0.5 on the diagonal."""
    n = draws.shape[1]
    share = np.full((n, n), 0.5)
    for row in range(n):
        for column in range(row):
            share[row, column] = (draws[:, row] > draws[:, column]).mean()
            share[column, row] = 1.0 - share[row, column]
    return share

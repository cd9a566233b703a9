"""Which performances to rate next: uncertain ones, unlike each other and unlike those that are rated."""

from __future__ import annotations

import numpy as np

from tocco.models.statistics_models import KERNEL_ALPHA, gaussian_kernel, kernel_gamma
from tocco.units import FloatArray, IntArray


class Novelty:
    """How little is known of each candidate from those that are rated or chosen: 1 nothing, 0 all.

    The posterior variance of a Gaussian process with the kernel regression's kernel and noise.

    Parameters
    ----------
    z : (N, P) standardised statistics of the candidates
    z_rated : (R, P) of those that are rated
    """

    def __init__(self, z: FloatArray, z_rated: FloatArray) -> None:
        self._gamma = kernel_gamma(z.shape[1])
        self._z = z
        self._known = np.zeros((len(z), 0))
        self.variance = np.ones(len(z))
        if len(z_rated):
            within = gaussian_kernel(z_rated, z_rated, self._gamma) + KERNEL_ALPHA * np.eye(len(z_rated))
            root = np.linalg.cholesky(within)
            self._known = np.linalg.solve(root, gaussian_kernel(z_rated, z, self._gamma)).T
            self.variance = 1.0 - np.square(self._known).sum(axis=1)

    def choose(self, i: int) -> None:
        """Reckon with candidate `i` as rated."""
        cross = gaussian_kernel(self._z, self._z[i : i + 1], self._gamma)[:, 0]
        step = (cross - self._known @ self._known[i]) / np.sqrt(self.variance[i] + KERNEL_ALPHA)
        self._known = np.column_stack([self._known, step])
        self.variance = np.maximum(self.variance - np.square(step), 0.0)


def choose(z: FloatArray, z_rated: FloatArray, n: int, uncertainty: FloatArray | None = None) -> IntArray:
    """Choose one candidate after another, each by uncertainty times novelty.

    Parameters
    ----------
    z : (N, P) standardised statistics of the candidates
    z_rated : (R, P) of those that are rated; R may be 0
    n : at most N
    uncertainty : (N,) >= 0, any unit; None for novelty alone

    Returns
    -------
    (n,) index of the candidates, in the order in which they were chosen
    """
    weight = np.ones(len(z)) if uncertainty is None else np.asarray(uncertainty, float)
    novelty = Novelty(z, z_rated)
    chosen: list[int] = []
    is_left = np.ones(len(z), bool)
    for _ in range(min(n, len(z))):
        utility = np.where(is_left, weight * np.sqrt(novelty.variance), -np.inf)
        best = int(np.argmax(utility))
        chosen.append(best)
        is_left[best] = False
        novelty.choose(best)
    return np.array(chosen, dtype=int)


def relative_uncertainty(*parts: FloatArray) -> FloatArray:
    """Mean of several uncertainties, each relative to its own mean over the candidates.

    Parameters
    ----------
    parts : (N,) each, >= 0; one that is 0 everywhere counts as 1

    Returns
    -------
    (N,) with mean 1
    """
    shares = [part / part.mean() if part.mean() > 0.0 else np.ones(len(part)) for part in parts]
    return np.mean(shares, axis=0)

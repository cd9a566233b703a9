"""A quick committee of two models of the 320 statistics: where they differ, a rating would teach most.

The equations and settings are those of `models.statistics_models`, for all targets at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.models.statistics_models import KERNEL_ALPHA, RIDGE_ALPHA, gaussian_kernel, kernel_gamma
from tocco.units import FloatArray

LEAST_ERROR: Final = 1.0
"""Points; smaller errors of a held-out rating count as this, so that their logarithm is finite."""


@dataclass(frozen=True, eq=False)
class CommitteeRating:
    """What the committee says of candidates.

    Attributes
    ----------
    rating : (2, N, D) of the ridge and of the kernel regression
    error_sd : (N,) expected error in points, learned from the errors of ratings that were left out
    """

    rating: FloatArray
    error_sd: FloatArray

    @property
    def mean(self) -> FloatArray:
        """(N, D) the mean of both members."""
        return self.rating.mean(axis=0)

    @property
    def disagreement(self) -> FloatArray:
        """(N,) points: root mean square of the members' standard deviation over the targets."""
        return np.sqrt(self.rating.var(axis=0).mean(axis=1))


def committee_rating(z_rated: FloatArray, labels: FloatArray, z: FloatArray) -> CommitteeRating:
    """Fit both members to rated performances, and rate candidates.

    Parameters
    ----------
    z_rated : (R, P) standardised statistics of the rated performances, R >= 2
    labels : (R, D) ratings, without gaps
    z : (N, P) of the candidates
    """
    centre = z_rated.mean(axis=0)
    gamma = kernel_gamma(z.shape[1])
    kernels = (
        ((z_rated - centre) @ (z_rated - centre).T, (z - centre) @ (z_rated - centre).T, RIDGE_ALPHA),
        (gaussian_kernel(z_rated, z_rated, gamma), gaussian_kernel(z, z_rated, gamma), KERNEL_ALPHA),
    )
    mean = labels.mean(axis=0)
    ratings, left_out = [], []
    for within, across, alpha in kernels:
        inverse = np.linalg.inv(within + alpha * np.eye(len(labels)))
        dual = inverse @ (labels - mean)
        ratings.append(mean + across @ dual)
        left_out.append(dual / np.diag(inverse)[:, None])  # closed form of leave-one-out errors
    error = np.sqrt(np.square(np.mean(left_out, axis=0)).mean(axis=1))
    log_error = np.log(np.maximum(error, LEAST_ERROR))
    within, across, alpha = kernels[1]
    dual = np.linalg.solve(within + alpha * np.eye(len(labels)), log_error - log_error.mean())
    return CommitteeRating(np.stack(ratings), np.exp(log_error.mean() + across @ dual))

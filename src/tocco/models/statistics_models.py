"""Linear and kernel ridge regression on standardised statistics of whole performances.

Both read a missing statistic as the mean of the training performances. scikit-learn solves the equations;
reading what it found needs numpy alone, and gives the same ratings to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import numpy as np

from tocco.errors import MissingPartError
from tocco.models.predictor import Prediction, PredictorInput
from tocco.models.predictor_files import (
    ArrayKind,
    Header,
    read_arrays,
    read_header,
    refused,
    write_arrays,
    write_header,
)
from tocco.units import BoolArray, FloatArray

RIDGE_ALPHA: Final = 1000.0
KERNEL_ALPHA: Final = 1.0
KERNEL_WIDTH: Final = 1.0
"""In units of sqrt(P), the root mean square distance of standardised performances from their mean.

All three from inner splits by cluster (eight, a quarter of a training side apart, PercePiano): mean R2 of the
descriptors .37 at each; .34 at a ridge of 300, .25 at 100; for kernels of width .7 to 2.5 and alpha .03 to 3
between .23 and .38."""

OUTLIER_SD: Final = 5.0
"""Standardised statistics are clipped to this many standard deviations, to avoid extrapolation."""


@dataclass(frozen=True, eq=False)
class StatisticsScale:
    """Mean and spread of each statistic in the training performances.

    Attributes
    ----------
    mean : (P,) 0 where never seen
    sd : (P,) 0 where it is the same, or missing, in all of training

    Examples
    --------
    >>> scale = fit_statistics_scale(np.array([[1.0, 7.0], [3.0, np.nan]]))
    >>> scale.standardised(np.array([[3.0, 9.0], [np.nan, 7.0]]))
    array([[1., 0.],
           [0., 0.]])
    """

    mean: FloatArray
    sd: FloatArray

    def standardised(self, inputs: FloatArray) -> FloatArray:
        """Statistics in standard deviations from the mean of the training performances.

        Parameters
        ----------
        inputs : (N, P) NaN where missing

        Returns
        -------
        (N, P) within +- `OUTLIER_SD`
            0 where missing, and in a statistic whose spread is 0.
        """
        spread = np.where(self.sd > 0, self.sd, np.inf)
        z = np.where(np.isfinite(inputs), (inputs - self.mean) / spread, 0.0)
        return np.clip(z, -OUTLIER_SD, OUTLIER_SD)


def fit_statistics_scale(inputs: FloatArray) -> StatisticsScale:
    """The scale of the training performances.

    Parameters
    ----------
    inputs : (N, P) NaN where missing
    """
    there = np.isfinite(inputs)
    n = np.maximum(there.sum(axis=0), 1)
    mean = np.where(there, inputs, 0.0).sum(axis=0) / n
    sd = np.sqrt(np.where(there, (inputs - mean) ** 2, 0.0).sum(axis=0) / n)
    # Rounding gives equal values a spread of about their last digit.
    varies = sd > 1e-9 * np.maximum(np.abs(mean), 1e-300)
    return StatisticsScale(mean, np.where(varies, sd, 0.0))


def label_sd(labels: FloatArray) -> FloatArray:
    """(D,) spread of each target's labels; at least one rating point.

    Parameters
    ----------
    labels : (N, D) rating, NaN where there is none; each target with at least one
    """
    if not labels.shape[1]:
        return np.zeros(0)
    return np.maximum(np.nanstd(labels, axis=0), 1.0)


@dataclass(frozen=True, eq=False)
class RidgeStatistics:
    """Linear regression on all standardised statistics.

    Attributes
    ----------
    names : (D,) targets
    statistics : (P,) names of the statistics that are read
    scale
    coefficients : (D, P) rating points a standard deviation
    intercept : (D,) rating points
    sd : (D,) rating points, spread of the training labels
    """

    names: tuple[str, ...]
    statistics: tuple[str, ...]
    scale: StatisticsScale
    coefficients: FloatArray
    intercept: FloatArray
    sd: FloatArray

    kind: ClassVar[str] = "ridge_statistics"

    def predict(self, rows: PredictorInput) -> Prediction:
        """See `Predictor.predict`; ratings are not held to 0..100."""
        z = self.scale.standardised(rows.read_statistics(self.statistics))
        rating = np.empty((len(z), len(self.names)))
        for d, (weights, at_mean) in enumerate(zip(self.coefficients, self.intercept, strict=True)):
            # One target at a time: a product of matrices would add in another order than the fit's.
            rating[:, d] = z @ weights + at_mean
        return Prediction(rating, np.tile(self.sd, (len(z), 1)))

    def save(self, folder: Path) -> None:
        """See `Predictor.save`."""
        arrays = {"coefficients": self.coefficients, "intercept": self.intercept, "sd": self.sd}
        write_arrays(folder, {**_scale_arrays(self.scale), **arrays})
        write_header(folder, Header(self.kind, self.names, self.statistics))

    @classmethod
    def load(cls, folder: Path) -> RidgeStatistics:
        """See `Predictor.load`."""
        header = read_header(folder, cls.kind)
        n_targets, n_statistics = len(header.names), len(header.statistics)
        arrays = read_arrays(
            folder,
            {
                **_scale_kinds(n_statistics),
                "coefficients": ArrayKind("float64", (n_targets, n_statistics)),
                "intercept": ArrayKind("float64", (n_targets,)),
                "sd": ArrayKind("float64", (n_targets,)),
            },
        )
        scale = _read_scale(folder, arrays)
        return cls(
            header.names, header.statistics, scale, arrays["coefficients"], arrays["intercept"], arrays["sd"]
        )


def fit_ridge_statistics(
    names: Sequence[str], statistics: Sequence[str], inputs: FloatArray, labels: FloatArray
) -> RidgeStatistics:
    """Ridge regression (`RIDGE_ALPHA`) of every target that has a label.

    Parameters and errors as for `tocco.models.boosted_trees.fit_boosted_trees`.
    """
    try:
        from sklearn.linear_model import Ridge
    except ImportError as error:
        raise _no_sklearn() from error
    scale, z, rated = _standardised(inputs, labels)
    coefficients, intercept = np.empty((len(rated), inputs.shape[1])), np.empty(len(rated))
    for k, d in enumerate(rated):
        rows = ~np.isnan(labels[:, d])
        found = Ridge(alpha=RIDGE_ALPHA).fit(z[rows], labels[rows, d])
        coefficients[k], intercept[k] = found.coef_, found.intercept_
    return RidgeStatistics(
        tuple(names[d] for d in rated),
        tuple(statistics),
        scale,
        coefficients,
        intercept,
        label_sd(labels[:, rated]),
    )


@dataclass(frozen=True, eq=False)
class KernelRidge:
    """Ratings of the performances that are alike in their standardised statistics (Gaussian kernel).

    Attributes
    ----------
    names : (D,) targets
    statistics : (P,) names of the statistics that are read
    scale
    training : (N, P) standardised statistics of the training performances
    is_labelled : (N, D) which of them each target was learned from
    dual : (N, D) rating points, weight of each training performance; 0 where it is not labelled
    mean : (D,) rating points, mean of the training labels
    sd : (D,) rating points, their spread
    """

    names: tuple[str, ...]
    statistics: tuple[str, ...]
    scale: StatisticsScale
    training: FloatArray
    is_labelled: BoolArray
    dual: FloatArray
    mean: FloatArray
    sd: FloatArray

    kind: ClassVar[str] = "kernel_ridge"

    def predict(self, rows: PredictorInput) -> Prediction:
        """See `Predictor.predict`; ratings are not held to 0..100."""
        z = self.scale.standardised(rows.read_statistics(self.statistics))
        rating = np.empty((len(z), len(self.names)))
        for d, at_mean in enumerate(self.mean):
            learned = self.is_labelled[:, d]
            kernel = gaussian_kernel(z, self.training[learned], kernel_gamma(z.shape[1]))
            rating[:, d] = at_mean + np.dot(kernel, self.dual[learned, d])
        return Prediction(rating, np.tile(self.sd, (len(z), 1)))

    def save(self, folder: Path) -> None:
        """See `Predictor.save`."""
        named = ("training", "is_labelled", "dual", "mean", "sd")
        arrays = {name: getattr(self, name) for name in named}
        arrays["label_mean"] = arrays.pop("mean")
        write_arrays(folder, {**_scale_arrays(self.scale), **arrays})
        write_header(folder, Header(self.kind, self.names, self.statistics))

    @classmethod
    def load(cls, folder: Path) -> KernelRidge:
        """See `Predictor.load`."""
        header = read_header(folder, cls.kind)
        n_targets, n_statistics = len(header.names), len(header.statistics)
        arrays = read_arrays(
            folder,
            {
                **_scale_kinds(n_statistics),
                "training": ArrayKind("float64", (None, n_statistics)),
                "is_labelled": ArrayKind("bool", (None, n_targets)),
                "dual": ArrayKind("float64", (None, n_targets)),
                "label_mean": ArrayKind("float64", (n_targets,)),
                "sd": ArrayKind("float64", (n_targets,)),
            },
        )
        if len({len(arrays[name]) for name in ("training", "is_labelled", "dual")}) > 1:
            raise refused(folder, "training, is_labelled and dual differ in length")
        scale = _read_scale(folder, arrays)
        arrays["mean"] = arrays.pop("label_mean")
        return cls(header.names, header.statistics, scale, **arrays)


def fit_kernel_ridge(
    names: Sequence[str], statistics: Sequence[str], inputs: FloatArray, labels: FloatArray
) -> KernelRidge:
    """Kernel ridge regression (`KERNEL_ALPHA`, `KERNEL_WIDTH`) of every target that has a label.

    Parameters and errors as for `tocco.models.boosted_trees.fit_boosted_trees`.
    """
    try:
        from sklearn import kernel_ridge
    except ImportError as error:
        raise _no_sklearn() from error
    scale, z, rated = _standardised(inputs, labels)
    is_labelled = np.isfinite(labels[:, rated])
    dual, mean = np.zeros(is_labelled.shape), np.empty(len(rated))
    for k, d in enumerate(rated):
        rows = is_labelled[:, k]
        mean[k] = labels[rows, d].mean()
        model = kernel_ridge.KernelRidge(kernel="rbf", gamma=kernel_gamma(z.shape[1]))
        model.set_params(alpha=KERNEL_ALPHA)  # its stubs want an int
        dual[rows, k] = model.fit(z[rows], labels[rows, d] - mean[k]).dual_coef_
    return KernelRidge(
        tuple(names[d] for d in rated),
        tuple(statistics),
        scale,
        z,
        is_labelled,
        dual,
        mean,
        label_sd(labels[:, rated]),
    )


def _standardised(inputs: FloatArray, labels: FloatArray) -> tuple[StatisticsScale, FloatArray, list[int]]:
    """The scale of the inputs, (N, P) inputs on it, and the targets that have a label."""
    scale = fit_statistics_scale(inputs)
    return scale, scale.standardised(inputs), np.flatnonzero(np.isfinite(labels).any(axis=0)).tolist()


def kernel_gamma(n_statistics: int) -> float:
    """The Gaussian's factor for squared distances: 1 / (2 * width**2 * P)."""
    return 1.0 / (2.0 * KERNEL_WIDTH**2 * n_statistics)


def gaussian_kernel(a: FloatArray, b: FloatArray, gamma: float) -> FloatArray:
    """exp(-gamma * squared distance), in the very steps of scikit-learn's `rbf_kernel`.

    Parameters
    ----------
    a : (N, P), b : (M, P)
    gamma

    Returns
    -------
    (N, M) 0..1
    """
    distance = -2 * (a @ b.T)
    distance += np.einsum("ij,ij->i", a, a)[:, None]
    distance += np.einsum("ij,ij->i", b, b)[None, :]
    np.maximum(distance, 0.0, out=distance)
    distance *= -gamma
    return np.exp(distance)


def _scale_arrays(scale: StatisticsScale) -> dict[str, np.ndarray]:
    return {"statistics_mean": scale.mean, "statistics_sd": scale.sd}


def _scale_kinds(n_statistics: int) -> dict[str, ArrayKind]:
    return dict.fromkeys(("statistics_mean", "statistics_sd"), ArrayKind("float64", (n_statistics,)))


def _read_scale(folder: Path, arrays: dict[str, np.ndarray]) -> StatisticsScale:
    """The scale, taken out of the arrays of a file."""
    scale = StatisticsScale(arrays.pop("statistics_mean"), arrays.pop("statistics_sd"))
    if (scale.sd < 0).any():
        raise refused(folder, "statistics_sd holds a negative spread")
    return scale


def _no_sklearn() -> MissingPartError:
    return MissingPartError(
        "ridge regression", "is solved by scikit-learn", next_step="pip install 'tocco[train]'"
    )

"""Kernel ridge regression on statistics expressed against norms, each target with its own weights.

A statistic counts as much as it explains of the training labels, half over all targets and half of the target
itself. numpy alone fits and predicts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Final

import numpy as np

from tocco.errors import BundleError
from tocco.models.predictor import Prediction, PredictorInput, StatisticsTable
from tocco.models.predictor_files import (
    HEADER,
    ArrayKind,
    Header,
    read_arrays,
    read_header,
    refused,
    write_arrays,
    write_header,
)
from tocco.models.statistics_models import StatisticsScale, fit_statistics_scale, label_sd
from tocco.models.statistics_norms import StatisticsNorms, norm_kinds, norm_names, norms_of_arrays
from tocco.units import BoolArray, FloatArray

ROWS_AT_ONCE: Final = 32
"""Performances that are rated in one step, which bounds the memory."""


@dataclass(frozen=True)
class KernelSettings:
    """Settings of the regression.

    Attributes
    ----------
    alpha : > 0, of the ridge
    width : > 0, of the kernel, in units of sqrt(F), about the distance of two performances
    linear : >= 0, weight of the linear part of the kernel
    shared : 0..1, how far the weights of the features are those of all targets together
    """

    alpha: float = 0.5
    width: float = 1.0
    linear: float = 0.1
    shared: float = 0.5

    def kernel(self, distance: FloatArray, product: FloatArray) -> FloatArray:
        """An inverse quadratic kernel and a linear one, from what `weighted_products` returns."""
        return 1.0 / (1.0 + distance / (2.0 * self.width**2)) + self.linear * product


@dataclass(frozen=True, eq=False)
class NormKernelRidge:
    """Ratings of the performances that differ from the norms in the same ways.

    Attributes
    ----------
    names : (D,) targets
    norms : what the statistics are expressed against
    scale : of the F features
    training : (N, F) standardised features of the training performances
    weight : (D, F) of the squared difference in each feature, of mean 1
    is_labelled : (N, D) which of them each target was learned from
    dual : (N, D) rating points, weight of each training performance; 0 where it is not labelled
    mean : (D,) rating points, mean of the training labels
    sd : (D,) rating points, their spread
    settings
    """

    names: tuple[str, ...]
    norms: StatisticsNorms
    scale: StatisticsScale
    training: FloatArray
    weight: FloatArray
    is_labelled: BoolArray
    dual: FloatArray
    mean: FloatArray
    sd: FloatArray
    settings: KernelSettings

    kind: ClassVar[str] = "norm_kernel_ridge"

    @property
    def statistics(self) -> tuple[str, ...]:
        """See `Predictor.statistics`."""
        return self.norms.names.all

    def predict(self, rows: PredictorInput) -> Prediction:
        """See `Predictor.predict`; ratings are not held to 0..100."""
        table = StatisticsTable(self.statistics, rows.read_statistics(self.statistics))
        z = self.scale.standardised(self.norms.features(table))
        blocks = [self._rated(z[start : start + ROWS_AT_ONCE]) for start in range(0, len(z), ROWS_AT_ONCE)]
        rating = np.concatenate([np.empty((0, len(self.names))), *blocks])
        return Prediction(rating, np.tile(self.sd, (len(z), 1)))

    def _rated(self, z: FloatArray) -> FloatArray:
        """(N, D) ratings of standardised features (N, F): one product of matrices for all targets."""
        weight, training, square = self._prepared
        n_features = weight.shape[1]
        weighted = z[:, None, :] * weight  # (N, D, F)
        product = (weighted.reshape(-1, n_features) @ training.T).reshape(*weighted.shape[:2], -1)
        own = np.einsum("ndf,nf->nd", weighted, z)
        distance = np.maximum(own[:, :, None] + square - 2.0 * product, 0.0) / n_features
        kernel = self.settings.kernel(distance, product / n_features)
        # Where a performance is not labelled, its dual is 0.
        return self.mean + np.einsum("ndt,td->nd", kernel, self.dual)

    @cached_property
    def _prepared(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Weights and training features as float64, and (D, T) weighted squares of the latter."""
        weight, training = self.weight.astype(float), self.training.astype(float)
        return weight, training, weight @ (training * training).T

    def save(self, folder: Path) -> None:
        """See `Predictor.save`."""
        own = {name: getattr(self, name) for name in _ARRAYS} | {"label_mean": self.mean}
        scale = {"feature_mean": self.scale.mean, "feature_sd": self.scale.sd}
        write_arrays(folder, {**own, **scale, **self.norms.arrays()})
        settings = {**asdict(self.settings), **self.norms.settings()}
        write_header(folder, Header(self.kind, self.names, self.norms.names.whole, settings))

    @classmethod
    def load(cls, folder: Path) -> NormKernelRidge:
        """See `Predictor.load`."""
        header = read_header(folder, cls.kind)
        names = norm_names(folder, header.statistics, header.settings)
        n_targets = len(header.names)
        n_features = len(names.whole) * (1 + bool(names.parts) + bool(names.written)) + len(names.written)
        arrays = read_arrays(
            folder,
            {
                **norm_kinds(names),
                "training": ArrayKind("float32", (None, n_features)),
                "weight": ArrayKind("float32", (n_targets, n_features)),
                "is_labelled": ArrayKind("bool", (None, n_targets)),
                "dual": ArrayKind("float64", (None, n_targets)),
                "label_mean": ArrayKind("float64", (n_targets,)),
                "sd": ArrayKind("float64", (n_targets,)),
                "feature_mean": ArrayKind("float64", (n_features,)),
                "feature_sd": ArrayKind("float64", (n_features,)),
            },
        )
        norms = norms_of_arrays(folder, names, arrays)
        scale = StatisticsScale(arrays.pop("feature_mean"), arrays.pop("feature_sd"))
        arrays["mean"] = arrays.pop("label_mean")
        if len({len(arrays[name]) for name in ("training", "is_labelled", "dual")}) > 1:
            raise refused(folder, "training, is_labelled and dual differ in length")
        if (scale.sd < 0).any() or (arrays["weight"] < 0).any():
            raise refused(folder, "feature_sd or weight holds a negative number")
        return cls(header.names, norms, scale, **arrays, settings=_settings(folder, header))


_ARRAYS: Final = ("training", "weight", "is_labelled", "dual", "sd")


def _settings(folder: Path, header: Header) -> KernelSettings:
    own = {key: value for key, value in header.settings.items() if key not in ("parts", "written")}
    if set(own) != set(asdict(KernelSettings())):
        raise BundleError(folder / HEADER, "does not give the settings of its kernel, and them alone")
    for key, value in own.items():
        least = 0.0 if key in ("linear", "shared") else 1e-9
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < np.inf:
            raise BundleError(folder / HEADER, f"has {key} {value!r}", allowed="a number, not negative")
    return KernelSettings(**own)


def fit_norm_kernel_ridge(
    names: Sequence[str],
    norms: StatisticsNorms,
    inputs: FloatArray,
    labels: FloatArray,
    settings: KernelSettings | None = None,
) -> NormKernelRidge:
    """Regression of every target that has a label.

    Parameters
    ----------
    names : (D,) targets
    norms
    inputs : (N, M) the measures `norms.names.all`, NaN where missing
    labels : (N, D) rating, NaN where there is none
    settings : the defaults if None
    """
    settings = settings or KernelSettings()
    features = norms.features(StatisticsTable(norms.names.all, inputs))
    return fit_kernel_to_features(names, norms, features, labels, settings)


def fit_kernel_to_features(
    names: Sequence[str],
    norms: StatisticsNorms,
    features: FloatArray,
    labels: FloatArray,
    settings: KernelSettings,
) -> NormKernelRidge:
    """The same from the (N, F) features that `norms` make, for many fits to the same performances."""
    rated = np.flatnonzero(np.isfinite(labels).any(axis=0))
    scale = fit_statistics_scale(features)
    # As they will be stored, so that a predictor rates alike before and after.
    z = scale.standardised(features).astype(np.float32).astype(float)
    weight = feature_weights(z, labels[:, rated], settings.shared).astype(np.float32)
    is_labelled = np.isfinite(labels[:, rated])
    dual, mean = np.zeros(is_labelled.shape), np.empty(len(rated))
    for k, d in enumerate(rated):
        rows = is_labelled[:, k]
        mean[k] = labels[rows, d].mean()
        kernel = weighted_kernel(z[rows], z[rows], weight[k].astype(float), settings)
        kernel[np.diag_indices_from(kernel)] += settings.alpha
        dual[rows, k] = np.linalg.solve(kernel, labels[rows, d] - mean[k])
    return NormKernelRidge(
        names=tuple(names[int(d)] for d in rated),
        norms=norms,
        scale=scale,
        training=z.astype(np.float32),
        weight=weight,
        is_labelled=is_labelled,
        dual=dual,
        mean=mean,
        sd=label_sd(labels[:, rated]),
        settings=settings,
    )


def feature_weights(z: FloatArray, labels: FloatArray, shared: float) -> FloatArray:
    """Weight of each feature for each target: the share of the labels' variance that it explains alone.

    Parameters
    ----------
    z : (N, F) standardised features
    labels : (N, D) rating, NaN where there is none
    shared : 0..1, weight of the mean over the targets; the rest is the target's own

    Returns
    -------
    (D, F) >= 0, of mean 1 over the features
    """
    explained = np.stack([_explained(z, labels[:, d]) for d in range(labels.shape[1])])
    common = explained.mean(axis=0)
    return shared * _of_mean_one(common) + (1.0 - shared) * _of_mean_one(explained)


def _explained(z: FloatArray, label: FloatArray) -> FloatArray:
    """(F,) squared correlation with one target."""
    rows = np.isfinite(label)
    if not rows.any():
        return np.zeros(z.shape[1])
    x = z[rows] - z[rows].mean(axis=0)
    y = label[rows] - label[rows].mean()
    spread = np.einsum("ij,ij->j", x, x) * (y @ y)
    return np.divide((x.T @ y) ** 2, spread, out=np.zeros(z.shape[1]), where=spread > 0)


def _of_mean_one(weight: FloatArray) -> FloatArray:
    """Scaled along the last axis; all 1 where nothing is explained."""
    mean = weight.mean(axis=-1, keepdims=True)
    return np.divide(weight, mean, out=np.ones_like(weight), where=mean > 0)


def weighted_kernel(a: FloatArray, b: FloatArray, weight: FloatArray, settings: KernelSettings) -> FloatArray:
    """The kernel of weighted features.

    Parameters
    ----------
    a : (N, F), b : (M, F) standardised features
    weight : (F,) >= 0, of mean 1
    settings

    Returns
    -------
    (N, M)
    """
    return settings.kernel(*weighted_products(a, b, weight))


def weighted_products(a: FloatArray, b: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Squared distance and scalar product of weighted features, both divided by their number.

    Parameters as for `weighted_kernel`.

    Returns
    -------
    distance, product : (N, M)
    """
    weighted = a * weight
    product = weighted @ b.T
    square_a = np.einsum("ij,ij->i", weighted, a)
    square_b = (b * b) @ weight
    distance = np.maximum(square_a[:, None] + square_b[None, :] - 2.0 * product, 0.0)
    return distance / len(weight), product / len(weight)

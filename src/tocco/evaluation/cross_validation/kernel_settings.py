"""Choice of a kernel's settings by the training data alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from tocco.data.splits import Fold
from tocco.errors import InputError
from tocco.models.norm_kernel import KernelSettings, feature_weights, weighted_products
from tocco.models.statistics_models import fit_statistics_scale
from tocco.units import FloatArray, IntArray

N_INNER_FOLDS: Final = 4

CANDIDATES: Final = tuple(
    KernelSettings(alpha=alpha, width=width, linear=linear)
    for alpha in (0.25, 0.5, 1.0)
    for width in (0.7, 1.0, 1.4)
    for linear in (0.1, 0.3)
)


def group_folds(groups: npt.NDArray, n_folds: int, generator: np.random.Generator) -> list[Fold]:
    """Folds of whole groups, of about equal size.

    Parameters
    ----------
    groups : (N,) any label; at least as many as folds
    n_folds
    generator : breaks the order of groups of one size

    Returns
    -------
    list of (train, test) : indices, ascending
    """
    names, member = np.unique(groups, return_inverse=True)
    if len(names) < n_folds:
        raise ValueError(f"{len(names)} groups cannot be divided into {n_folds} folds")
    sizes = np.bincount(member)
    fold_of = np.zeros(len(names), dtype=int)
    load = np.zeros(n_folds)
    order = generator.permutation(len(names))
    for group in order[np.argsort(-sizes[order], kind="stable")]:
        fold_of[group] = load.argmin()
        load[fold_of[group]] += sizes[group]
    fold = fold_of[member]
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(n_folds)]


def choose_kernel_settings(
    features: FloatArray,
    labels: FloatArray,
    groups: npt.NDArray,
    generator: np.random.Generator,
    candidates: Sequence[KernelSettings] = CANDIDATES,
) -> KernelSettings:
    """The settings with the highest mean R2 of the targets on inner folds of whole groups.

    Parameters
    ----------
    features : (N, F) of the training performances, before they are standardised
    labels : (N, D) rating, NaN where missing
    groups : (N,) what inner folds must not divide
    generator : of the inner folds
    candidates : that agree in `shared`

    Raises
    ------
    InputError
        All performances are of one group.
    """
    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise InputError(
            "inner folds", f"have {n_groups} group to divide", allowed="two or more", next_step="add records"
        )
    predicted = np.full((len(candidates), *labels.shape), np.nan)
    for train, test in group_folds(groups, min(N_INNER_FOLDS, n_groups), generator):
        predicted[:, test] = _predictions(features, labels, train, test, candidates)
    squared = np.nanmean((predicted - labels) ** 2, axis=1)
    r2 = 1.0 - squared / np.nanvar(labels, axis=0)
    return candidates[int(np.nanmean(r2, axis=1).argmax())]


def _predictions(
    features: FloatArray,
    labels: FloatArray,
    train: IntArray,
    test: IntArray,
    candidates: Sequence[KernelSettings],
) -> FloatArray:
    """(C, M, D) ratings of the test performances with each of the settings."""
    scale = fit_statistics_scale(features[train])
    z, held_out = scale.standardised(features[train]), scale.standardised(features[test])
    (shared,) = {settings.shared for settings in candidates}
    weights = feature_weights(z, labels[train], shared)
    found = np.full((len(candidates), len(test), labels.shape[1]), np.nan)
    for d, weight in enumerate(weights):
        rows = np.isfinite(labels[train, d])
        if not rows.any():
            continue
        mean = labels[train, d][rows].mean()
        # The products of all candidates are the same: they alone are costly.
        own, other = weighted_products(z[rows], z[rows], weight), weighted_products(held_out, z[rows], weight)
        for c, settings in enumerate(candidates):
            kernel = settings.kernel(*own)
            kernel[np.diag_indices_from(kernel)] += settings.alpha
            dual = np.linalg.solve(kernel, labels[train, d][rows] - mean)
            found[c, :, d] = mean + settings.kernel(*other) @ dual
    return found

"""The baselines that every evaluation shows, fitted on the training side of each fold alone.

   random               uniform over 0 to 100, seeded
   constant             mean training rating
   passage mean         mean training rating of the same passage; only where a tested passage was trained on
   pianist mean         mean training rating of the same pianist; likewise
   linear, sound        linear regression on eight numbers of the recording (`tocco.audio.summary`)
   ridge, 10 features   ridge regression on ten numbers of the notes
   trees                boosted trees on the statistics of the whole excerpt, one forest a target

The two means of groups listen to nothing. A split that leaks, or labels that follow passage or pianist, make
them good, and a model has to be better than they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tocco.data.records import LabelRecord
from tocco.data.splits import Fold
from tocco.engines import Progress
from tocco.evaluation.cross_validation.baselines import (
    Baseline,
    constant,
    passage_mean,
    pianist_mean,
    ridge10,
)
from tocco.evaluation.cross_validation.excerpt_features import ExcerptFeatures
from tocco.evaluation.cross_validation.shallow_models import held_out
from tocco.evaluation.cross_validation.trees import one_forest
from tocco.metrics import RATING_RANGE
from tocco.units import FloatArray

RANDOM, CONSTANT, PASSAGE, PIANIST = "random", "constant", "passage mean", "pianist mean"
LINEAR, RIDGE, TREES = "linear, sound", "ridge, 10 features", "trees"


@dataclass(frozen=True, eq=False)
class BaselineRatings:
    """Held-out ratings of the baselines.

    Attributes
    ----------
    rating : name -> (R, D) rating; NaN for an excerpt that no fold tests
    undefined : name -> why a baseline is not there
    """

    rating: Mapping[str, FloatArray]
    undefined: Mapping[str, str]


def all_baselines(
    records: Sequence[LabelRecord],
    features: ExcerptFeatures,
    labels: FloatArray,
    folds: Sequence[Fold],
    *,
    seed: int,
    progress: Progress | None = None,
) -> BaselineRatings:
    """Held-out ratings of every baseline that is defined for these folds.

    Parameters
    ----------
    records : R of them
    features : of the same
    labels : (R, D) rating, NaN where missing
    folds : (train, test) indices into the records
    seed : of the random ratings
    progress
    """
    groups = {
        PASSAGE: np.array([one.passage_id or "" for one in records]),
        PIANIST: np.array([one.performer_id or "" for one in records]),
    }
    undefined = {
        name: reason for name, of in groups.items() if (reason := _why_undefined(name, of, folds)) is not None
    }
    systems: dict[str, tuple[Baseline, npt.NDArray]] = {
        RANDOM: (uniform, _seeds(len(records), seed)),
        CONSTANT: (constant, np.zeros(len(records))),
        PASSAGE: (passage_mean, groups[PASSAGE]),
        PIANIST: (pianist_mean, groups[PIANIST]),
        LINEAR: (linear, features.sound),
        RIDGE: (ridge10, features.notes),
        TREES: (one_forest, features.statistics),
    }
    defined = {name: system for name, system in systems.items() if name not in undefined}
    return BaselineRatings(held_out(defined, labels, folds, progress=progress), undefined)


def _why_undefined(name: str, group: npt.NDArray, folds: Sequence[Fold]) -> str | None:
    """Why a mean of groups would be the constant under another name, or None where it is not."""
    what = name.removesuffix(" mean")
    known = sum(
        int((np.isin(group[test], group[train]) & (group[test] != "")).sum()) for train, test in folds
    )
    return None if known else f"no {what} of the tested excerpts is in their training data"


def _seeds(n: int, seed: int) -> npt.NDArray:
    """(n,) a seed for every excerpt, so that its random ratings do not depend on the fold."""
    return np.random.default_rng(seed).integers(2**31, size=n)


def uniform(train_inputs: npt.NDArray, train_labels: FloatArray, test_inputs: npt.NDArray) -> FloatArray:
    """Random ratings, uniform over the scale.

    Parameters
    ----------
    train_inputs : (N,) not used
    train_labels : (N, D) only its width is used
    test_inputs : (M,) a seed for each performance

    Returns
    -------
    (M, D) rating
    """
    rows = [
        np.random.default_rng(int(one)).uniform(*RATING_RANGE, train_labels.shape[1]) for one in test_inputs
    ]
    return np.array(rows).reshape(len(test_inputs), train_labels.shape[1])


def linear(train_inputs: npt.NDArray, train_labels: FloatArray, test_inputs: npt.NDArray) -> FloatArray:
    """Least squares on standardised numbers; one that is missing counts as the training mean.

    Parameters
    ----------
    train_inputs : (N, F) NaN where missing
    train_labels : (N, D) rating, NaN where missing
    test_inputs : (M, F)

    Returns
    -------
    (M, D) rating, not clipped to 0..100; NaN for a dimension without a training label
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    est = np.full((len(test_inputs), train_labels.shape[1]), np.nan)
    for d in range(train_labels.shape[1]):
        rows = np.isfinite(train_labels[:, d])
        if rows.any():
            model = make_pipeline(
                SimpleImputer(keep_empty_features=True), StandardScaler(), LinearRegression()
            )
            est[:, d] = model.fit(train_inputs[rows], train_labels[rows, d]).predict(test_inputs)
    return est

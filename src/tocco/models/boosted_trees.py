"""Boosted decision trees on the statistics of whole performances.

LightGBM trains the trees (Ke et al., NIPS 2017); prediction needs numpy alone. Splits and leaves are stored
as arrays: a quarter of the size of LightGBM's own text, safe to load, and the same ratings as those of
LightGBM to the last bit, since trees only compare and forests only add, in order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Final

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
from tocco.models.statistics_models import label_sd
from tocco.units import BoolArray, FloatArray, IntArray

N_TREES: Final = 250

N_FORESTS: Final = 5
"""Forests per target, with different seeds; their mean is the rating. On inner splits by cluster, mean R2 of
eight descriptors: one forest .423, the mean of three .431."""

TREE_SETTINGS: Final[Mapping[str, float | int | bool | str]] = {
    "objective": "regression",
    "learning_rate": 0.04,
    "num_leaves": 12,
    "min_data_in_leaf": 15,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "feature_fraction": 0.25,
    "lambda_l2": 3.0,
    "deterministic": True,
    "force_col_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
"""Settings of LightGBM, fixed before any evaluation of tocco."""

_CATEGORICAL, _DEFAULT_LEFT = 1, 2
_MISSING_SHIFT, _MISSING_NONE, _MISSING_NAN = 2, 0, 2
"""Bits of `decision_type` in LightGBM's text (include/LightGBM/tree.h)."""


@dataclass(frozen=True, eq=False)
class Trees:
    """Binary trees, with their S splits and L leaves in common arrays.

    A node is one number: `s` >= 0 is a split, `-1 - l` is leaf `l`.

    Attributes
    ----------
    root : (T,) root node of each tree
    feature : (S,) index of the compared column
    threshold : (S,) a value goes left if it is not greater; may be infinite
    missing_left : (S,) whether a missing value goes left
    left, right : (S,) child nodes; the number of a split is less than those of its children
    leaf : (L,) value of each leaf
    """

    root: IntArray
    feature: IntArray
    threshold: FloatArray
    missing_left: BoolArray
    left: IntArray
    right: IntArray
    leaf: FloatArray

    def values(self, inputs: FloatArray, trees: slice) -> FloatArray:
        """Values of some of the trees.

        Parameters
        ----------
        inputs : (N, P), NaN = missing
        trees

        Returns
        -------
        (N, number of trees)
        """
        root = self.root[trees]
        place = np.tile(root, len(inputs))
        row = np.repeat(np.arange(len(inputs)), len(root))
        walking = np.flatnonzero(place >= 0)
        while len(walking):
            split = place[walking]
            value = inputs[row[walking], self.feature[split]]
            goes_left = np.where(np.isnan(value), self.missing_left[split], value <= self.threshold[split])
            place[walking] = np.where(goes_left, self.left[split], self.right[split])
            walking = walking[place[walking] >= 0]
        return self.leaf[-1 - place].reshape(len(inputs), len(root))


@dataclass(frozen=True, eq=False)
class BoostedTrees:
    """Forests for each target; a target's rating is the mean of its forests.

    Attributes
    ----------
    names : (D,) targets
    statistics : (P,) names of the statistics that are read
    trees : of the first target's first forest, of its second, ..., of the last target's last
    n_trees : (D, F) trees in each forest
    sd : (D,) rating points, spread of the training labels
        A forest predicts no uncertainty: a calibration scales this.
    """

    names: tuple[str, ...]
    statistics: tuple[str, ...]
    trees: Trees
    n_trees: IntArray
    sd: FloatArray

    kind: ClassVar[str] = "boosted_trees"

    def predict(self, rows: PredictorInput) -> Prediction:
        """See `Predictor.predict`; ratings are not held to 0..100."""
        inputs = rows.read_statistics(self.statistics)
        rating = np.zeros((len(inputs), len(self.names)))
        begin, n_forests = 0, self.n_trees.shape[1]
        for d, sizes in enumerate(self.n_trees):
            for size in sizes:
                # In the order in which LightGBM adds: another order would end in other last bits.
                values = self.trees.values(inputs, slice(begin, begin + size))
                rating[:, d] += np.add.accumulate(values, axis=1)[:, -1] / n_forests
                begin += size
        return Prediction(rating, np.tile(self.sd, (len(inputs), 1)))

    def save(self, folder: Path) -> None:
        """See `Predictor.save`."""
        arrays = {f.name: getattr(self.trees, f.name) for f in fields(Trees)}
        write_arrays(folder, {**arrays, "n_trees": self.n_trees, "sd": self.sd})
        write_header(folder, Header(self.kind, self.names, self.statistics))

    @classmethod
    def load(cls, folder: Path) -> BoostedTrees:
        """See `Predictor.load`."""
        header = read_header(folder, cls.kind)
        indices = dict.fromkeys(("root", "feature", "left", "right"), ArrayKind("int32", (None,)))
        arrays = read_arrays(
            folder,
            {
                **indices,
                "threshold": ArrayKind("float64", (None,), finite=False),
                "missing_left": ArrayKind("bool", (None,)),
                "leaf": ArrayKind("float64", (None,)),
                "n_trees": ArrayKind("int32", (len(header.names), None)),
                "sd": ArrayKind("float64", (len(header.names),)),
            },
        )
        n_trees, sd = arrays.pop("n_trees"), arrays.pop("sd")
        trees = Trees(**arrays)
        problem = _contradiction(trees, n_trees, len(header.statistics))
        if problem is not None:
            raise refused(folder, problem)
        return cls(header.names, header.statistics, trees, n_trees, sd)


def fit_boosted_trees(
    names: Sequence[str],
    statistics: Sequence[str],
    inputs: FloatArray,
    labels: FloatArray,
    *,
    weight: FloatArray | None = None,
    n_forests: int | None = None,
) -> BoostedTrees:
    """Grow `n_forests` forests of `N_TREES` trees for every target that has a label.

    The same inputs give the same trees to the last bit.

    Parameters
    ----------
    names : (D,) targets
    statistics : (P,) names of the columns of `inputs`
    inputs : (N, P) NaN where missing
    labels : (N, D) rating, NaN where there is none
        Each target is learned from the performances that have its label.
    weight : (N,) how much each performance counts; all alike if None
    n_forests : forests of a target, which differ in their seed; `N_FORESTS` if None

    Raises
    ------
    MissingPartError
        LightGBM is not installed.
    """
    n_forests = N_FORESTS if n_forests is None else n_forests
    rated = [d for d in range(len(names)) if np.isfinite(labels[:, d]).any()]
    forests: list[list[list[_Tree]]] = []
    for d in rated:
        rows = ~np.isnan(labels[:, d])
        own = None if weight is None else weight[rows]
        forests.append([_forest(inputs[rows], labels[rows, d], seed, own) for seed in range(n_forests)])
    return BoostedTrees(
        names=tuple(names[d] for d in rated),
        statistics=tuple(statistics),
        trees=_joined([tree for target in forests for forest in target for tree in forest]),
        n_trees=np.array([list(map(len, target)) for target in forests], np.int32).reshape(-1, n_forests),
        sd=label_sd(labels[:, rated]),
    )


@dataclass(frozen=True, eq=False)
class _Tree:
    """One tree as LightGBM numbers it: its own splits from 0, a leaf `l` as `-1 - l`."""

    feature: IntArray
    threshold: FloatArray
    missing_left: BoolArray
    left: IntArray
    right: IntArray
    leaf: FloatArray


def _forest(
    inputs: FloatArray, labels: FloatArray, seed: int, weight: FloatArray | None = None
) -> list[_Tree]:
    try:
        import lightgbm
    except ImportError as error:
        raise MissingPartError(
            "boosted trees", "are grown by LightGBM", next_step="pip install 'tocco[train]'"
        ) from error
    settings: dict[str, Any] = dict(TREE_SETTINGS) | {"seed": seed}
    data = lightgbm.Dataset(inputs, labels, weight=weight, params=settings)
    return trees_of_text(lightgbm.train(settings, data, num_boost_round=N_TREES).model_to_string())


def trees_of_text(text: str) -> list[_Tree]:
    """The trees in a model that LightGBM has written as text, version 4.

    Raises
    ------
    ValueError
        A tree has what this reader does not know: categories, linear leaves, zeros that mean missing.
    """
    return [_tree(block) for block in text.split("\n\n") if block.lstrip().startswith("Tree=")]


def _tree(block: str) -> _Tree:
    field = dict(line.split("=", 1) for line in block.strip().splitlines())
    if field["num_cat"] != "0" or field["is_linear"] != "0":
        raise ValueError("a tree has categories or linear leaves")
    decision = np.array(field.get("decision_type", "").split(), dtype=int)
    threshold = np.array(field.get("threshold", "").split(), dtype=float)
    missing = decision >> _MISSING_SHIFT
    if (decision & _CATEGORICAL).any() or not np.isin(missing, (_MISSING_NONE, _MISSING_NAN)).all():
        raise ValueError("a tree has a split by category, or one for which zero means missing")
    default_left = (decision & _DEFAULT_LEFT) > 0
    return _Tree(
        feature=np.array(field.get("split_feature", "").split(), dtype=np.int32),
        threshold=threshold,
        # A column without gaps in training: LightGBM takes a gap for a zero.
        missing_left=np.where(missing == _MISSING_NAN, default_left, threshold >= 0.0),
        left=np.array(field.get("left_child", "").split(), dtype=np.int32),
        right=np.array(field.get("right_child", "").split(), dtype=np.int32),
        leaf=np.array(field["leaf_value"].split(), dtype=float),
    )


def _joined(trees: Sequence[_Tree]) -> Trees:
    """The same trees, their places counted through all of them."""
    n_splits = np.cumsum([0, *(len(tree.feature) for tree in trees)], dtype=np.int32)
    n_leaves = np.cumsum([0, *(len(tree.leaf) for tree in trees)], dtype=np.int32)

    def moved(places: IntArray, t: int) -> IntArray:
        return np.where(places >= 0, places + n_splits[t], places - n_leaves[t]).astype(np.int32)

    def row(name: str, dtype: type) -> np.ndarray:
        return np.concatenate([np.zeros(0, dtype), *(getattr(tree, name) for tree in trees)])

    start = [np.array([0 if len(tree.feature) else -1]) for tree in trees]
    none = np.zeros(0, np.int32)
    return Trees(
        root=np.concatenate([none, *(moved(place, t) for t, place in enumerate(start))]),
        feature=row("feature", np.int32),
        threshold=row("threshold", np.float64),
        missing_left=row("missing_left", np.bool_),
        left=np.concatenate([none, *(moved(tree.left, t) for t, tree in enumerate(trees))]),
        right=np.concatenate([none, *(moved(tree.right, t) for t, tree in enumerate(trees))]),
        leaf=row("leaf", np.float64),
    )


def _contradiction(trees: Trees, n_trees: IntArray, n_statistics: int) -> str | None:
    """Why these arrays are no trees that can be walked, or None."""
    n_splits, n_leaves = len(trees.feature), len(trees.leaf)
    if any(len(a) != n_splits for a in (trees.threshold, trees.missing_left, trees.left, trees.right)):
        return "the arrays of the splits differ in length"
    if (n_trees < 1).any() or n_trees.sum() != len(trees.root):
        return f"n_trees sums to {n_trees.sum()}, and there are {len(trees.root)} trees"
    if np.isnan(trees.threshold).any():
        return "a threshold is NaN"
    if ((trees.feature < 0) | (trees.feature >= n_statistics)).any():
        return f"a split compares a statistic that is none of the {n_statistics}"
    for places in (trees.root, trees.left, trees.right):
        if ((places >= n_splits) | (places < -n_leaves)).any():
            return "a branch ends at no split and no leaf"
    own = np.arange(n_splits)
    if any(((places >= 0) & (places <= own)).any() for places in (trees.left, trees.right)):
        return "a branch leads back"
    return None

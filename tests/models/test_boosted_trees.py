"""Boosted trees: read as LightGBM reads them, kept and found again."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tocco.errors import BundleError, MissingPartError
from tocco.models import boosted_trees
from tocco.models.boosted_trees import (
    N_FORESTS,
    N_TREES,
    TREE_SETTINGS,
    BoostedTrees,
    Trees,
    fit_boosted_trees,
    trees_of_text,
)
from tocco.models.predictor import PredictorInput, StatisticsTable
from tocco.models.registry import load_predictor

NAMES, STATISTICS = ("phrasing", "musicality", "never_rated"), ("a", "b", "c", "d", "e")


def rows(values: np.ndarray, names: tuple[str, ...] = STATISTICS) -> PredictorInput:
    return PredictorInput(statistics=StatisticsTable(names, values))


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(120, 5))
    x[rng.random(x.shape) < 0.2] = np.nan
    x[:, 3] = np.round(np.nan_to_num(x[:, 3]))  # many zeros, never missing
    y = 50 + 10 * np.nan_to_num(x[:, :2]) + 5 * np.isnan(x[:, 2:3])
    return x, np.column_stack([y, np.full(len(y), np.nan)])


@pytest.fixture(scope="module")
def fitted(data: tuple[np.ndarray, np.ndarray]) -> BoostedTrees:
    x, y = data
    return fit_boosted_trees(NAMES, STATISTICS, x[:90], y[:90])


def test_ratings_are_lightgbms_to_the_last_bit(data, fitted: BoostedTrees) -> None:
    import lightgbm

    x, y = data
    test = np.concatenate([x[90:], np.full((1, 5), np.nan), [[1e-36, -1e-36, np.inf, -np.inf, 0.0]]])
    expected = np.zeros(len(test))
    for seed in range(N_FORESTS):
        settings = dict(TREE_SETTINGS) | {"seed": seed}
        grown = lightgbm.train(settings, lightgbm.Dataset(x[:90], y[:90, 1], params=settings), N_TREES)
        expected += np.asarray(grown.predict(test)) / N_FORESTS
    assert fitted.names == ("phrasing", "musicality")
    assert np.array_equal(fitted.predict(rows(test)).rating[:, 1], expected)


def test_the_spread_of_the_labels_stands_for_the_sd(data, fitted: BoostedTrees) -> None:
    x, y = data
    sd = fitted.predict(rows(x[90:])).sd
    assert sd.shape == (30, 2)
    assert sd[7] == pytest.approx(y[:90, :2].std(axis=0))


def test_statistics_are_found_by_name(data, fitted: BoostedTrees) -> None:
    x, _ = data
    turned = rows(np.column_stack([x, x[:, 0]])[:, ::-1], ("other", *STATISTICS[::-1]))
    assert np.array_equal(fitted.predict(turned).rating, fitted.predict(rows(x)).rating)
    with pytest.raises(ValueError, match=r"\['e'\] were not computed"):
        fitted.predict(rows(x[:, :4], STATISTICS[:4]))
    with pytest.raises(ValueError, match="reads statistics"):
        fitted.predict(PredictorInput())


def test_what_is_kept_says_the_same_to_the_last_bit(data, fitted: BoostedTrees, tmp_path: Path) -> None:
    x, _ = data
    fitted.save(tmp_path)
    again = load_predictor(tmp_path)
    assert isinstance(again, BoostedTrees)
    assert (again.names, again.statistics) == (fitted.names, fitted.statistics)
    before, after = fitted.predict(rows(x)), again.predict(rows(x))
    assert np.array_equal(before.rating, after.rating)
    assert np.array_equal(before.sd, after.sd)


def test_a_tree_without_a_split_is_its_leaf() -> None:
    x = np.zeros((20, 5))  # nothing to split by
    constant = fit_boosted_trees(("phrasing",), STATISTICS, x, np.full((20, 1), 63.0))
    assert constant.predict(rows(x[:2])).rating.tolist() == [[63.0], [63.0]]


def test_nothing_learned_rates_nothing(data, tmp_path: Path) -> None:
    x, _ = data
    empty = fit_boosted_trees(NAMES, STATISTICS, x, np.full((120, 3), np.nan))
    empty.save(tmp_path)
    assert load_predictor(tmp_path).predict(rows(x)).rating.shape == (120, 0)


def test_prediction_needs_no_lightgbm(data, fitted: BoostedTrees, monkeypatch, tmp_path: Path) -> None:
    x, y = data
    fitted.save(tmp_path)
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    assert load_predictor(tmp_path).predict(rows(x)).rating.shape == (120, 2)
    with pytest.raises(MissingPartError, match=r"grown by LightGBM.*tocco\[train\]"):
        fit_boosted_trees(NAMES, STATISTICS, x, y)


@pytest.mark.parametrize(
    ("part", "change", "problem"),
    [
        ("left", lambda a: np.where(np.arange(len(a)) == 3, 3, a), "a branch leads back"),
        ("right", lambda a: np.where(np.arange(len(a)) == 3, 10**6, a), "no split and no leaf"),
        ("root", lambda a: a - 10**6, "no split and no leaf"),
        ("feature", lambda a: a + 5, "none of the 5"),
        ("threshold", lambda a: np.where(np.arange(len(a)) == 3, np.nan, a), "a threshold is NaN"),
        ("threshold", lambda a: a[:-1], "differ in length"),
        ("root", lambda a: a[:-1], "n_trees sums to"),
        ("leaf", lambda a: np.where(np.arange(len(a)) == 3, np.nan, a), "leaf holds a NaN"),
        ("leaf", lambda a: a.astype(np.float32), r"leaf is float32.*float64"),
    ],
)
def test_arrays_that_are_no_trees_are_refused(fitted, tmp_path: Path, part, change, problem) -> None:
    changed = change(getattr(fitted.trees, part))
    if changed.dtype.kind == "i":
        changed = changed.astype(np.int32)
    replace(fitted, trees=replace(fitted.trees, **{part: changed})).save(tmp_path)
    with pytest.raises(BundleError, match=problem):
        BoostedTrees.load(tmp_path)


def test_a_gap_goes_where_lightgbm_sends_it() -> None:
    """Two splits: one saw gaps in training and sends them right; one saw none and takes a gap for zero."""
    text = "tree\n\nTree=0\n" + "\n".join(
        (
            "num_cat=0",
            "is_linear=0",
            "split_feature=0 1",
            "threshold=5 -1.5",
            "decision_type=8 2",
            "left_child=-1 -2",
            "right_child=1 -3",
            "leaf_value=1 2 3",
        )
    )
    (tree,) = trees_of_text(text)
    forest: Trees = boosted_trees._joined([tree])
    nan = float("nan")
    values = forest.values(np.array([[5.0, nan], [nan, -2.0], [nan, nan], [6.0, -1.5]]), slice(None))
    assert values.ravel().tolist() == [1.0, 2.0, 3.0, 2.0]


@pytest.mark.parametrize(
    "line", ["num_cat=1", "is_linear=1", "decision_type=1 2", "decision_type=4 2", "decision_type=12 2"]
)
def test_trees_of_another_sort_are_not_guessed_at(line: str) -> None:
    fields = {
        "num_cat": "0",
        "is_linear": "0",
        "split_feature": "0 1",
        "threshold": "1 2",
        "decision_type": "8 2",
        "left_child": "-1 -2",
        "right_child": "1 -3",
        "leaf_value": "1 2 3",
    }
    name, value = line.split("=")
    block = "\n".join(f"{k}={v}" for k, v in (fields | {name: value}).items())
    with pytest.raises(ValueError, match=r"^a tree has"):
        trees_of_text(f"Tree=0\n{block}")


def test_forests_are_grown_with_the_stated_settings() -> None:
    assert (N_TREES, N_FORESTS) == (250, 5)
    assert dict(TREE_SETTINGS) == {
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


def test_a_forest_without_trees_is_refused(fitted: BoostedTrees, tmp_path: Path) -> None:
    n_trees = fitted.n_trees.copy()
    n_trees[0, 0], n_trees[0, 1] = 0, n_trees[0, 0] + n_trees[0, 1]
    replace(fitted, n_trees=n_trees).save(tmp_path)
    with pytest.raises(BundleError, match="n_trees sums to"):
        BoostedTrees.load(tmp_path)

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tocco import metrics
from tocco.evaluation.cross_validation import baselines

NAN = math.nan


def test_constant_is_the_mean_of_the_labels_that_are_there():
    train = np.array([[10.0, NAN, NAN], [30.0, 50.0, NAN]])
    est = baselines.constant(np.zeros(2), train, np.zeros(3))
    assert np.array_equal(est, [[20.0, 50.0, NAN]] * 3, equal_nan=True)


@pytest.mark.parametrize("baseline", [baselines.passage_mean, baselines.pianist_mean])
def test_group_means_and_the_mean_of_everyone_where_nothing_is_known(baseline):
    labels = np.array([[10.0, 1.0], [20.0, NAN], [60.0, 5.0]])
    est = baseline(np.array(["a", "a", "b"]), labels, np.array(["b", "a", "new"]))
    assert est.tolist() == [[60.0, 5.0], [15.0, 1.0], [30.0, 3.0]]
    labels[2, 1] = NAN
    est = baseline(np.array(["a", "a", "b"]), labels, np.array(["b"]))
    assert est.tolist() == [[60.0, 1.0]]  # "b" is unrated on the second dimension


def test_ridge_solves_the_normal_equations(rng):
    x = rng.normal(3, 2, (40, 10))
    y = rng.uniform(0, 100, (40, 2))
    y[:5, 1] = NAN
    test = rng.normal(3, 2, (7, 10))
    est = baselines.ridge10(x, y, test)
    for d, first in ((0, 0), (1, 5)):
        mean, sd = x[first:].mean(0), x[first:].std(0)
        z, target = (x[first:] - mean) / sd, y[first:, d]
        w = np.linalg.solve(z.T @ z + np.eye(10), z.T @ (target - target.mean()))
        assert est[:, d] == pytest.approx(target.mean() + (test - mean) / sd @ w)


def test_ridge_does_not_mind_the_units_of_its_inputs(rng):
    x, y, test = rng.normal(size=(30, 10)), rng.uniform(0, 100, (30, 1)), rng.normal(size=(5, 10))
    scale = 10.0 ** np.arange(-5, 5)
    assert baselines.ridge10(x * scale, y, test * scale) == pytest.approx(baselines.ridge10(x, y, test))


def test_ridge_without_labels_says_nothing(rng):
    est = baselines.ridge10(rng.normal(size=(5, 10)), np.full((5, 1), NAN), np.zeros((2, 10)))
    assert np.isnan(est).all()


def test_held_out_labels_never_reach_their_own_prediction(rng):
    labels = rng.uniform(0, 100, (24, 2))
    fold = np.arange(24) % 3
    inputs = rng.normal(size=(24, 10))
    groups = np.arange(24) % 4
    for baseline, x in (
        (baselines.constant, inputs),
        (baselines.passage_mean, groups),
        (baselines.ridge10, inputs),
    ):
        before = baselines.cross_validate_baseline(baseline, x, labels, fold)
        changed = labels.copy()
        changed[fold == 1] = 100 - changed[fold == 1]
        after = baselines.cross_validate_baseline(baseline, x, changed, fold)
        assert np.array_equal(before[fold == 1], after[fold == 1])
        assert not np.allclose(before[fold == 0], after[fold == 0])


def test_each_fold_is_predicted_from_the_others_and_fold_minus_one_takes_no_part():
    labels = np.array([[10.0], [20.0], [60.0], [99.0]])
    est = baselines.cross_validate_baseline(baselines.constant, np.zeros(4), labels, [0, 0, 1, -1])
    assert np.array_equal(est, [[60.0], [60.0], [15.0], [NAN]], equal_nan=True)


def test_feature_matrix_keeps_the_order_of_names():
    row = {name: float(i) for i, name in enumerate(baselines.RIDGE_FEATURES)}
    shuffled = dict(reversed(row.items())) | {"other": 9.0}
    assert baselines.feature_matrix([shuffled]).tolist() == [list(range(10))]
    assert baselines.feature_matrix([]).shape == (0, 10)
    del shuffled["vel_sd"]
    with pytest.raises(ValueError, match=r"performance 1 lacks the statistics \['vel_sd'\]"):
        baselines.feature_matrix([row, shuffled])


@pytest.mark.parametrize(
    ("inputs", "labels", "fold", "message"),
    [
        (np.zeros(3), np.zeros(3), [0, 1, 1], "must be .performances, dimensions"),
        (np.zeros(3), np.zeros((3, 1)), [0, 1], "one number for each of 3"),
        (np.zeros(2), np.zeros((3, 1)), [0, 1, 1], "inputs count 2, labels 3"),
        (np.zeros(3), np.zeros((3, 1)), [0, 0, -1], "1 fold: cross-validation needs at least 2"),
        (np.array([0.0, NAN, 1.0]), np.zeros((3, 1)), [0, 1, 1], "NaN or an infinity"),
    ],
)
def test_refusals(inputs, labels, fold, message):
    with pytest.raises(ValueError, match=message):
        baselines.cross_validate_baseline(baselines.constant, inputs, labels, fold)


@pytest.mark.data
def test_no_listening_baselines_on_percepiano(corpus_dir: Path):
    import pandas as pd

    table = pd.read_csv(corpus_dir / "percepiano" / "labels.csv").set_index("segment_id")
    folds = pd.read_csv(corpus_dir / "percepiano" / "folds.csv").set_index("segment_id").loc[table.index]
    columns = [c for c in table if c.endswith("__mean")]
    labels = 100 * table[columns].to_numpy()
    passages, performers = table["passage"].to_numpy(str), table["performer"].to_numpy(str)

    def mean(baseline, inputs, split):
        est = baselines.cross_validate_baseline(baseline, inputs, labels, folds[split].to_numpy())
        return metrics.mean_scores(metrics.evaluate(labels, est, columns))

    assert len(labels) == 983
    assert mean(baselines.constant, passages, "cv4_cluster")["mae"] == pytest.approx(10.31, abs=0.01)
    unseen = mean(baselines.passage_mean, passages, "cv4_cluster")
    assert unseen == mean(baselines.constant, passages, "cv4_cluster")
    assert mean(baselines.passage_mean, passages, "cv4_performer")["r2"] == pytest.approx(0.294, abs=0.005)
    pianist = mean(baselines.pianist_mean, performers, "cv4_cluster")
    assert pianist["pearson_r"] == pytest.approx(0.399, abs=0.005)


@pytest.mark.data
@pytest.mark.slow
def test_ridge_on_percepiano(corpus_dir: Path):
    import pandas as pd

    from tocco.music.midi import load_midi, ridge_features

    folder = corpus_dir / "percepiano"
    table = pd.read_csv(folder / "labels.csv").set_index("segment_id")
    folds = pd.read_csv(folder / "folds.csv").set_index("segment_id").loc[table.index]
    columns = [c for c in table if c.endswith("__mean")]
    inputs = baselines.feature_matrix(
        [ridge_features(load_midi(folder / "midi" / f"{i}.mid")) for i in table.index]
    )
    labels = 100 * table[columns].to_numpy()
    est = baselines.cross_validate_baseline(
        baselines.ridge10, inputs, labels, folds["cv4_cluster"].to_numpy()
    )
    mean = metrics.mean_scores(metrics.evaluate(labels, est, columns))
    assert mean["pearson_r"] == pytest.approx(0.57, abs=0.01)
    assert mean["r2"] == pytest.approx(0.33, abs=0.01)
    assert mean["mae"] == pytest.approx(8.1, abs=0.1)

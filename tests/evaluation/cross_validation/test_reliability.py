from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tocco import metrics
from tocco.evaluation.cross_validation.reliability import rater_reliability

# Shrout & Fleiss (1979), table 2: six targets rated by four judges.
SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float
)


def long(table):
    item, rater = np.indices(table.shape)
    return item.ravel(), rater.ravel(), table.ravel()


def simulated(rng, n_items, raters, item_sd, noise_sd, group_sd=0.0, per_group=1):
    """Ratings with known variances and unequal numbers of raters."""
    group = np.arange(n_items) // per_group
    truth = rng.normal(0, item_sd, n_items) + rng.normal(0, group_sd, n_items)[group]
    count = rng.integers(*raters, n_items)
    item = np.repeat(np.arange(n_items), count)
    rater = np.concatenate([np.arange(c) for c in count])
    return item, rater, truth[item] + rng.normal(0, noise_sd, len(item)), group[item], truth


def test_published_example():
    result = rater_reliability(*long(SHROUT_FLEISS))
    assert result.single_reliability == pytest.approx(0.17, abs=0.005)  # ICC(1,1)
    assert result.mean_reliability == pytest.approx(0.44, abs=0.005)  # ICC(1,4)
    assert (result.n_items, result.n_ratings, result.raters_per_item) == (6, 24, 4.0)


def test_mean_squares_of_a_balanced_table():
    between = 4 * SHROUT_FLEISS.mean(1).var(ddof=1)
    within = SHROUT_FLEISS.var(axis=1, ddof=1).mean()
    result = rater_reliability(*long(SHROUT_FLEISS))
    assert result.residual_variance == pytest.approx(within)
    assert result.item_variance == pytest.approx((between - within) / 4)
    assert result.mean_reliability == pytest.approx((between - within) / between)


def test_unequal_numbers_of_raters_recover_the_variances(rng):
    item, rater, rating, *_ = simulated(rng, 4000, (2, 12), item_sd=2.0, noise_sd=3.0)
    result = rater_reliability(item, rater, rating)
    assert result.item_variance == pytest.approx(4.0, rel=0.06)
    assert result.residual_variance == pytest.approx(9.0, rel=0.03)
    assert result.single_reliability == pytest.approx(4 / 13, abs=0.02)


def test_it_is_the_highest_r2_against_such_means(rng):
    """Even the truth explains only the reliable share of the mean ratings."""
    item, rater, rating, _, truth = simulated(rng, 4000, (5, 6), item_sd=2.0, noise_sd=3.0)
    mean = np.bincount(item, weights=rating) / np.bincount(item)
    slope = rater_reliability(item, rater, rating).mean_reliability
    assert metrics.pearson_r(mean, truth) ** 2 == pytest.approx(slope, abs=0.02)


def test_within_groups_differences_between_groups_do_not_count(rng):
    item, rater, rating, group, _ = simulated(
        rng, 4000, (2, 9), item_sd=1.0, noise_sd=2.0, group_sd=5.0, per_group=8
    )
    within = rater_reliability(item, rater, rating, groups=group)
    assert within.item_variance == pytest.approx(1.0, rel=0.1)
    assert rater_reliability(item, rater, rating).item_variance > 20
    shifted = rater_reliability(item, rater, rating + 50.0 * group, groups=group)
    assert shifted.item_variance == pytest.approx(within.item_variance, rel=1e-6)


def test_repeats_of_a_rater_are_one_vote():
    item, rater, rating = long(SHROUT_FLEISS)
    spread = np.tile([-1.0, 1.0], (len(item), 1))
    doubled = rater_reliability(np.repeat(item, 2), np.repeat(rater, 2), (rating[:, None] + spread).ravel())
    once = rater_reliability(item, rater, rating)
    assert doubled.mean_reliability == pytest.approx(once.mean_reliability)
    assert doubled.n_ratings == 24


def test_names_order_and_scale_do_not_matter(rng):
    item, rater, rating = long(SHROUT_FLEISS)
    order = rng.permutation(24)
    named = rater_reliability(
        np.char.add("take", item.astype(str))[order], (rater * 7 - 3)[order], (rating * 14.3 + 5)[order]
    )
    assert named.mean_reliability == pytest.approx(rater_reliability(item, rater, rating).mean_reliability)


def test_pure_noise_has_no_negative_variance():
    table = np.array([[1.0, 9.0], [9.0, 1.0], [2.0, 8.0]])
    result = rater_reliability(*long(table))
    assert result.item_variance == 0.0
    assert result.mean_reliability == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 0], [0], [1, 2]), "must be flat and of one length"),
        (([], [], []), "missing, NaN or infinite"),
        (([0, 1], [0, 0], [1, np.nan]), "missing, NaN or infinite"),
        (([0, 1], [0, 0], [1, 2]), "too few ratings"),
        (([0, 0], [0, 1], [1, 2]), "too few ratings"),
        (([0, 0, 1, 1], [0, 1, 0, 1], [3, 3, 3, 3]), "all ratings are equal"),
        (([0, 0, 1, 1], [0, 1, 0, 1], [1, 2, 3, 4], [0, 1, 0, 0]), "in more than one group"),
        (([0, 0, 1, 1], [0, 1, 0, 1], [1, 2, 3, 4], [0, 1]), "groups have shape"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        rater_reliability(*arguments)


@pytest.mark.data
def test_percepiano_raters(corpus_dir: Path):
    """Near the .75 (.66 to .88 by axis) and .41 within passages that are known of all 1,202 excerpts."""
    import pandas as pd

    folder = corpus_dir / "percepiano"
    ratings = pd.read_csv(folder / "ratings_long.csv.gz")
    table = pd.read_csv(folder / "labels.csv").set_index("segment_id")
    ratings = ratings[(ratings.valid == 1) & ratings.rating_1to7.between(1, 7)]
    ratings = pd.merge(ratings, table[["passage", "is_score"]], left_on="segment_id", right_index=True)
    overall, within = {}, {}
    for axis, rows in ratings.groupby("dimension"):
        columns = (rows.segment_id.to_numpy(str), rows.rater.to_numpy(), rows.rating_1to7.to_numpy())
        overall[axis] = rater_reliability(*columns).mean_reliability
        human = (rows.is_score == 0).to_numpy()
        within[axis] = rater_reliability(
            *(c[human] for c in columns), groups=rows.passage.to_numpy(str)[human]
        ).mean_reliability
    assert len(overall) == 19
    assert np.mean(list(overall.values())) == pytest.approx(0.723, abs=0.005)
    assert min(overall.values()) == pytest.approx(0.64, abs=0.01)
    assert max(overall, key=overall.__getitem__) == "Pedal_Sparse_Saturated"
    assert overall["Pedal_Sparse_Saturated"] == pytest.approx(0.88, abs=0.01)
    assert np.mean(list(within.values())) == pytest.approx(0.39, abs=0.01)
    assert within["Timbre_Bright_Dark"] == 0.0

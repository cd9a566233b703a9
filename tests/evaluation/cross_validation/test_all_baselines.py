"""Baselines that every evaluation shows: known answers, and nothing of the tested side in the fit."""

import numpy as np
import pytest

from tocco.data.records import LabelRecord
from tocco.evaluation.cross_validation.all_baselines import (
    CONSTANT,
    LINEAR,
    PASSAGE,
    PIANIST,
    RANDOM,
    RIDGE,
    TREES,
    all_baselines,
    linear,
    uniform,
)
from tocco.evaluation.cross_validation.excerpt_features import ExcerptFeatures

N = 60
TRAIN, TEST = np.arange(40), np.arange(40, N)


def record(n: int, passage: str, pianist: str | None) -> LabelRecord:
    return LabelRecord(
        segment_id=f"take{n}",
        piece_id="piece",
        performer_id=pianist,
        source="test",
        midi_path=f"/nowhere/{n}.mid",
        labels={"phrasing": 50.0},
        passage_id=passage,
    )


@pytest.fixture
def features(rng: np.random.Generator) -> ExcerptFeatures:
    return ExcerptFeatures(rng.normal(size=(N, 8)), rng.normal(size=(N, 10)), rng.normal(size=(N, 30)))


@pytest.fixture
def labels(rng: np.random.Generator, features: ExcerptFeatures) -> np.ndarray:
    own = 50.0 + 5.0 * features.sound[:, :1] + rng.normal(0.0, 1.0, (N, 1))
    return np.hstack([own, rng.uniform(20.0, 80.0, (N, 1))])


def records(shared_passages: bool) -> list[LabelRecord]:
    side = [n if shared_passages else n + 100 * (n >= 40) for n in range(N)]
    return [record(n, f"passage{side[n] % 5 + 10 * (side[n] >= 100)}", f"pianist{n % 3}") for n in range(N)]


def test_every_baseline_is_there_and_the_sound_is_read(features, labels) -> None:
    found = all_baselines(records(True), features, labels, [(TRAIN, TEST)], seed=1)
    assert set(found.rating) == {RANDOM, CONSTANT, PASSAGE, PIANIST, LINEAR, RIDGE, TREES}
    assert found.undefined == {}
    for table in found.rating.values():
        assert np.isnan(table[TRAIN]).all()
        assert np.isfinite(table[TEST]).all()
    assert found.rating[CONSTANT][TEST] == pytest.approx(np.tile(labels[TRAIN].mean(axis=0), (20, 1)))
    of_pianist = labels[TRAIN][np.arange(40) % 3 == 41 % 3].mean(axis=0)
    assert found.rating[PIANIST][41] == pytest.approx(of_pianist)
    error = found.rating[LINEAR][TEST, 0] - labels[TEST, 0]
    assert np.sqrt(np.mean(error**2)) < 1.5  # the noise has an sd of 1, the ratings one of 5


def test_a_mean_of_groups_that_were_not_trained_on_is_left_out_with_the_reason(features, labels) -> None:
    found = all_baselines(records(False), features, labels, [(TRAIN, TEST)], seed=1)
    assert PASSAGE not in found.rating
    assert found.undefined == {PASSAGE: "no passage of the tested excerpts is in their training data"}
    nobody = [record(n, f"passage{n % 5}", None) for n in range(N)]
    assert set(all_baselines(nobody, features, labels, [(TRAIN, TEST)], seed=1).undefined) == {PIANIST}


def test_tested_labels_change_no_baseline(features, labels) -> None:
    other = labels.copy()
    other[TEST] = 100.0 - other[TEST]
    ours, theirs = (
        all_baselines(records(True), features, table, [(TRAIN, TEST)], seed=1) for table in (labels, other)
    )
    for name, table in ours.rating.items():
        assert np.array_equal(table[TEST], theirs.rating[name][TEST]), name


def test_training_labels_change_all_but_the_random_one(features, labels) -> None:
    other = labels.copy()
    other[TRAIN] = 100.0 - other[TRAIN]
    ours, theirs = (
        all_baselines(records(True), features, table, [(TRAIN, TEST)], seed=1) for table in (labels, other)
    )
    alike = {name for name, t in ours.rating.items() if np.array_equal(t[TEST], theirs.rating[name][TEST])}
    assert alike == {RANDOM}


def test_random_ratings_fill_the_scale_and_follow_the_seed() -> None:
    seeds = np.arange(500)
    drawn = uniform(np.zeros(3), np.zeros((3, 4)), seeds)
    assert drawn.shape == (500, 4)
    assert drawn.min() >= 0.0
    assert drawn.max() <= 100.0
    assert drawn.mean() == pytest.approx(50.0, abs=2.0)
    assert drawn.std() == pytest.approx(100.0 / np.sqrt(12.0), abs=1.5)
    assert np.array_equal(uniform(np.zeros(3), np.zeros((3, 4)), seeds[::-1]), drawn[::-1])


def test_linear_is_least_squares_and_a_missing_number_counts_as_the_mean(rng: np.random.Generator) -> None:
    inputs, test = rng.normal(size=(30, 3)), rng.normal(size=(5, 3))
    labels = rng.normal(50.0, 10.0, (30, 1))
    design = np.column_stack([np.ones(30), inputs])
    coefficient, *_ = np.linalg.lstsq(design, labels, rcond=None)
    expected = np.column_stack([np.ones(5), test]) @ coefficient
    assert linear(inputs, labels, test) == pytest.approx(expected, abs=1e-8)
    gap = test.copy()
    gap[:, 1] = np.nan
    at_mean = test.copy()
    at_mean[:, 1] = inputs[:, 1].mean()
    assert linear(inputs, labels, gap) == pytest.approx(linear(inputs, labels, at_mean))
    unknown = np.hstack([labels, np.full((30, 1), np.nan)])
    assert np.isnan(linear(inputs, unknown, test)[:, 1]).all()

"""Peers: what other pianists reach is taken off, and nobody is compared with themselves."""

from __future__ import annotations

import numpy as np
import pytest

from pseudo_example import made_up_scale
from tocco.pseudo_labels.scale.model import ReferenceScale, rating_of
from tocco.pseudo_labels.scale.peers import Take, expectations, mean_standing, variance_parts

DIMENSION = "rhythmic_precision"


@pytest.fixture(scope="module")
def scale() -> ReferenceScale:
    made = made_up_scale()
    fields = {"centre": 0.1, "between_players": 0.2, "between_pieces": 0.6}
    return made.model_copy(
        update={"dimensions": {name: one.model_copy(update=fields) for name, one in made.dimensions.items()}}
    )


def take(performance: str, performer: str, standing: float, music: str = "m") -> Take:
    return Take(performance, music, performer, {DIMENSION: standing})


def test_peers_are_the_other_pianists_of_the_same_music(scale: ReferenceScale) -> None:
    takes = [
        take("a1", "a", 1.0),
        take("a2", "a", 3.0),
        take("b", "b", 0.4),
        take("c", "c", -0.2),
        take("alone", "d", 9.0, music="other"),
    ]
    found = expectations(takes, scale)
    assert {name: one.n_peers for name, one in found.items()} == {
        "a1": 2,
        "a2": 2,
        "b": 2,
        "c": 2,
        "alone": 0,
    }
    assert found["alone"].standing == {}
    # Two peers tell the piece with B / (B + W / 2) = .6 / .7; both takes of "a" are one pianist.
    assert found["a1"].standing[DIMENSION] == pytest.approx((0.1 - 0.1) * 0.6 / 0.7)
    assert found["b"].standing[DIMENSION] == pytest.approx((0.5 * (2.0 - 0.2) - 0.1) * 0.6 / 0.7)


def test_what_no_peer_was_rated_on_is_not_expected(scale: ReferenceScale) -> None:
    found = expectations([take("a", "a", 1.0), Take("b", "m", "b", {})], scale)
    assert found["a"].n_peers == 1
    assert found["a"].standing == {}
    assert found["b"].standing[DIMENSION] == pytest.approx(0.9 * 0.6 / 0.8)


def test_the_best_prediction_of_a_piece_is_the_one_with_the_least_error(scale: ReferenceScale) -> None:
    """Of all shares of the peers' mean, the one used leaves the least of the piece in the label."""
    rng = np.random.default_rng(7)
    piece = rng.normal(0.0, np.sqrt(0.6), 20_000)
    peers = 0.1 + piece[:, None] + rng.normal(0.0, np.sqrt(0.2), (20_000, 3))
    dimension = scale.dimensions[DIMENSION]
    used = np.array([dimension.expected(row) for row in peers])
    error = np.mean((piece - used) ** 2)
    mean = peers.mean(axis=1) - 0.1
    for share in (0.0, 0.5, 0.8, 1.0):
        assert error < np.mean((piece - share * mean) ** 2)


def test_a_mean_standing_counts_by_confidence(scale: ReferenceScale) -> None:
    dimension = scale.dimensions[DIMENSION]
    ratings = [{DIMENSION: rating_of(at, dimension)} for at in (0.2, 1.0)]
    ratings.append({"tone_quality": 50.0})
    confidence = [{DIMENSION: 0.75}, {DIMENSION: 0.25}, {"tone_quality": 0.0}]
    assert mean_standing(ratings, confidence, scale) == pytest.approx({DIMENSION: 0.4})


def test_one_ruined_segment_does_not_decide_what_is_expected(scale: ReferenceScale) -> None:
    ratings = [{DIMENSION: 50.0}] * 40
    even = mean_standing(ratings, [{DIMENSION: 1.0}] * 40, scale)[DIMENSION]
    ruined = mean_standing([*ratings, {DIMENSION: 0.0}], [{DIMENSION: 1.0}] * 41, scale)[DIMENSION]
    assert even - (4.0 + even) / 41 == pytest.approx(ruined)


def test_a_rating_is_compared_where_it_stands(scale: ReferenceScale) -> None:
    dimension = scale.dimensions[DIMENSION]
    rating = rating_of(0.7, dimension)
    assert scale.compared(DIMENSION, rating, 0.0) == pytest.approx(rating)
    assert scale.compared(DIMENSION, rating, 0.5) == pytest.approx(rating_of(0.2, dimension))


def test_variance_parts_are_those_that_were_put_in() -> None:
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(400), rng.integers(2, 7, 400))
    value = rng.normal(0.0, 3.0, 400)[group] + rng.normal(0.0, 5.0, len(group))
    within, between = variance_parts(value, [str(g) for g in group])
    assert within == pytest.approx(25.0, rel=0.1)
    assert between == pytest.approx(9.0, rel=0.25)


def test_balanced_variance_parts_agree_with_one_way_anova() -> None:
    from scipy.stats import f_oneway

    rng = np.random.default_rng(2)
    table = rng.normal(0.0, 1.0, (12, 4)) + rng.normal(0.0, 2.0, (12, 1))
    within, between = variance_parts(table.ravel(), [str(k) for k in np.repeat(np.arange(12), 4)])
    statistic = f_oneway(*table).statistic
    assert (within + 4 * between) / within == pytest.approx(statistic)

"""Ridge regression over a pool: planted weights are recovered, with equal weight per piece."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr

from tocco.errors import InputError
from tocco.pseudo_labels.fitting.predictors import (
    coefficients,
    cross_validated,
    folds_of,
    mean_r,
    pearson_r,
    refuse_constant,
    to_digits,
)
from tocco.units import FloatArray

TRUTH = np.array([2.0, -0.3, 40.0])
SIZE = np.array([1.0, 10.0, 0.05])
"""About how far each predictor moves."""


def made_up(
    rng: np.random.Generator, noise: float = 0.0, truth: FloatArray = TRUTH, n: int = 400
) -> tuple[FloatArray, FloatArray]:
    """Hints, and what follows them with something of its own."""
    predictor = SIZE[:, None] * rng.normal(size=(len(TRUTH), n))
    return predictor, truth @ predictor + noise * rng.normal(0.0, 1.0, n)


def test_planted_weights_are_found(rng: np.random.Generator) -> None:
    predictors, followed = zip(*(made_up(rng) for _ in range(12)), strict=True)
    pieces = [f"piece{k // 2}" for k in range(12)]
    np.testing.assert_allclose(coefficients(predictors, followed, pieces, penalty=1e-9), TRUTH, rtol=1e-6)
    # On independent predictors of unit size the penalty takes 2 % off each.
    np.testing.assert_allclose(coefficients(predictors, followed, pieces), TRUTH / 1.02, rtol=0.05)


def test_it_is_the_ridge_regression_of_the_weighted_rows(rng: np.random.Generator) -> None:
    """As least squares with a row for each penalty, on predictors of unit size."""
    predictors, followed = zip(*(made_up(rng, 10.0, n=n) for n in (150, 900, 300)), strict=True)
    vote = np.concatenate([np.full(len(one), part / len(one)) for one, part in
                           zip(followed, (0.25, 0.25, 0.5), strict=True)])  # fmt: skip
    predictor, value = np.concatenate(predictors, axis=1).T, np.concatenate(followed)
    size = np.sqrt(vote @ predictor**2)
    rows = np.concatenate([np.sqrt(vote)[:, None] * predictor / size, np.sqrt(0.3) * np.eye(len(TRUTH))])
    due = np.concatenate([np.sqrt(vote) * value, np.zeros(len(TRUTH))])
    expected = np.linalg.lstsq(rows, due, rcond=None)[0] / size
    found = coefficients(predictors, followed, ["a", "a", "b"], penalty=0.3)
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_further_takes_of_a_piece_give_it_no_further_votes(rng: np.random.Generator) -> None:
    (first, one), (second, other) = made_up(rng), made_up(rng, truth=2.0 * TRUTH)
    once = coefficients([first, second], [one, other], ["a", "b"])
    often = coefficients([first, first, first, second], [one, one, one, other], ["a", "a", "a", "b"])
    np.testing.assert_allclose(often, once, rtol=1e-9)


def test_a_predictor_that_never_moves_weighs_nothing_and_is_named(rng: np.random.Generator) -> None:
    predictor, followed = made_up(rng)
    predictor[1] = 5e-16 * rng.normal(size=400)
    found = coefficients([predictor], [followed - TRUTH[1] * predictor[1]], ["a"])
    assert found[1] == 0.0
    np.testing.assert_allclose(found[[0, 2]], coefficients([predictor[[0, 2]]], [followed], ["a"]), rtol=1e-9)
    with pytest.raises(InputError, match=r"no coefficient for b, which is constant in it. Next: give more"):
        refuse_constant(["a", "b", "c"], [predictor, predictor], "give more")
    predictor[[0, 2]] = 0.0
    with pytest.raises(InputError, match=r"gives no coefficient for a, b and c, which are constant in it"):
        refuse_constant(["a", "b", "c"], [predictor, predictor], "give more")
    refuse_constant(["a", "b", "c"], [predictor, made_up(rng)[0]], "give more")


def test_a_fifth_of_the_pieces_is_left_out_at_a_time_and_each_piece_whole(rng: np.random.Generator) -> None:
    pieces = [f"piece{k % 12}" for k in range(36)]
    fold = folds_of(pieces, rng)
    assert sorted(np.bincount(fold).tolist()) == [6, 6, 6, 9, 9]
    assert all(len(set(fold[np.array(pieces) == piece])) == 1 for piece in pieces)
    assert sorted(folds_of(["a", "b", "b"], rng).tolist()) in ([0, 1, 1], [0, 0, 1])


def test_what_is_suggested_was_fitted_without_the_piece(rng: np.random.Generator) -> None:
    """Two pieces go opposite ways: the one is foretold from the other, and wrongly."""
    takes = [made_up(rng, truth=sign * TRUTH) for sign in (1.0, 1.0, -1.0)]
    predictors, followed = zip(*takes, strict=True)
    got = cross_validated(
        predictors,
        followed,
        ["a", "a", "b"],
        np.array([0, 0, 1]),
        lambda k, suggested: [float(k), pearson_r(suggested, followed[k])],
    )
    assert got[0::2] == [0.0, 1.0, 2.0]
    np.testing.assert_allclose(got[1::2], -1.0, atol=0.01)


def test_likeness_is_pearsons_and_nothing_where_one_is_still(rng: np.random.Generator) -> None:
    first, second = rng.normal(size=(2, 50)) + 3.0
    assert pearson_r(first, second) == pytest.approx(float(pearsonr(first, second)[0]))
    assert pearson_r(np.ones(50), second) == 0.0
    assert (mean_r([0.25, 0.2505]), mean_r([])) == (0.25, 0.0)


def test_two_digits_are_written() -> None:
    assert to_digits(np.array([12.34, -0.005678, 0.0, -0.0])) == [12.0, -0.0057, 0.0, 0.0]
    assert str(to_digits(np.array([-0.0]))[0]) == "0.0"

"""The dynamics contour: planted weights are found again and held where they were not fitted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import pearsonr

from rater_etude import play, study_score
from tocco.errors import InputError
from tocco.pseudo_labels.fitting.level import (
    FEWEST_ONSETS,
    LEVEL_PREDICTORS,
    WINDOW_SEC,
    LevelSample,
    fit_level,
    read_level_sample,
    window_correlations,
)
from tocco.pseudo_labels.norms.level import level_predictors
from tocco.pseudo_labels.norms.model import LevelVelocity, reference_norms
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.units import FloatArray

TRUTH = np.array(list(reference_norms().level.velocity.model_dump().values()))
SIZE = np.array([10.0, 6.0, 0.3, 0.5, 0.4, 0.05, 0.4, 0.5, 0.6, 0.3, 0.1])
"""About how far each predictor moves."""


def made_up(
    rng: np.random.Generator, noise: float = 0.0, truth: FloatArray = TRUTH, n: int = 400
) -> LevelSample:
    """A performance of four onsets a second that follows its predictors, and something of its own."""
    predictor = SIZE[:, None] * rng.normal(size=(len(LEVEL_PREDICTORS), n))
    return LevelSample(0.25 * np.arange(n), predictor, truth @ predictor + rng.normal(0.0, 1.0, n) * noise)


def test_windows_are_correlated_as_scipy_does(rng: np.random.Generator) -> None:
    onset_sec = np.sort(rng.uniform(0.0, 90.0, 300))
    first, second = rng.normal(size=(2, 300))
    found = window_correlations(onset_sec, first, second)
    expected = []
    for k in range(4):
        inside = (onset_sec >= onset_sec[0] + k * WINDOW_SEC) & (
            onset_sec < onset_sec[0] + (k + 1) * WINDOW_SEC
        )
        expected.append(pearsonr(first[inside], second[inside])[0])
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_a_window_that_is_still_has_no_likeness_and_an_empty_one_is_passed_over() -> None:
    onset_sec = np.concatenate(
        [np.linspace(0.0, 19.0, 40), np.linspace(20.0, 39.0, FEWEST_ONSETS - 1), [41.0]]
    )
    assert window_correlations(onset_sec, np.ones(len(onset_sec)), onset_sec) == [0.0]
    assert window_correlations(np.linspace(0.0, 10.0, 50), np.arange(50.0), np.arange(50.0)) == []


def test_where_the_level_follows_the_predictors_it_does_so_on_other_pieces(rng: np.random.Generator) -> None:
    pool, pieces = [made_up(rng) for _ in range(10)], [f"piece{k}" for k in range(10)]
    found = fit_level(pool, pieces, rng)
    assert found.correlation > 0.999
    assert (found.n_folds, found.n_onsets, found.n_windows) == (5, 4000, 40)
    # On independent predictors of unit size the penalty takes 2 % off each.
    np.testing.assert_allclose(list(found.velocity.model_dump().values()), TRUTH / 1.02, rtol=0.05)
    own = [replace(one, level=np.asarray(rng.normal(size=len(one.level)))) for one in pool]
    assert abs(fit_level(own, pieces, rng).correlation) < 0.1


def test_what_is_left_out_is_missed(rng: np.random.Generator) -> None:
    """Only the soft pedal is followed: without it nothing is left, and signs are not missed."""
    alone = np.where(np.array(LEVEL_PREDICTORS) == "soft_pedal", -12.0, 0.0)
    pool = [made_up(rng, 1.0, alone) for _ in range(6)]
    found = fit_level(pool, list("abcdef"), rng)
    assert found.correlation > 0.9
    assert abs(found.correlation_without_soft_pedal) < 0.2
    assert found.correlation_without_signs == pytest.approx(found.correlation, abs=0.02)


def test_a_new_sign_is_one_of_the_score(rng: np.random.Generator) -> None:
    alone = np.where(np.array(LEVEL_PREDICTORS) == "mark_change", 5.0, 0.0)
    found = fit_level([made_up(rng, 1.0, alone) for _ in range(6)], list("abcdef"), rng)
    assert found.correlation > 0.9
    assert abs(found.correlation_without_signs) < 0.2


def test_pieces_are_left_out_whole(rng: np.random.Generator) -> None:
    """Each piece goes its own way: were a take of it in the fit, the level would be foretold."""
    pool, pieces = [], []
    for k in range(2):
        own = np.where(np.arange(len(LEVEL_PREDICTORS)) == k, 30.0, 0.0)
        pool += [made_up(rng, 0.0, own * (1 if k else -1)) for _ in range(3)]
        pieces += [f"piece{k}"] * 3
    found = fit_level(pool, pieces, rng)
    assert found.n_folds == 2
    assert abs(found.correlation) < 0.2


def test_a_predictor_that_never_moves_is_named(rng: np.random.Generator) -> None:
    pool = [made_up(rng) for _ in range(2)]
    for one in pool:
        one.predictor[[LEVEL_PREDICTORS.index("soft_pedal"), LEVEL_PREDICTORS.index("mark")]] = 0.0
    with pytest.raises(InputError, match="no coefficient for soft_pedal and mark, which are constant"):
        fit_level(pool, ["a", "b"], rng)


def test_what_is_read_of_a_study() -> None:
    evidence = Evidence(*play(study_score()))
    found = read_level_sample(evidence)
    assert found is not None
    assert found.predictor.shape == (len(LEVEL_PREDICTORS), 128)
    np.testing.assert_array_equal(
        found.predictor[LEVEL_PREDICTORS.index("top")], level_predictors(evidence)["top"]
    )
    assert set(LEVEL_PREDICTORS) == set(level_predictors(evidence)) == set(LevelVelocity.model_fields)
    assert read_level_sample(Evidence(play(study_score())[0])) is None


def test_of_one_piece_alone_nothing_is_held_together(rng: np.random.Generator) -> None:
    found = fit_level([made_up(rng), made_up(rng)], ["a", "a"], rng)
    assert (found.correlation, found.n_windows, found.n_folds) == (0.0, 0, 1)

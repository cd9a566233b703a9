"""The norms of accents: what the takes of a study accent is found again, where it was not fitted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rater_etude import play, study_score
from tocco.errors import InputError
from tocco.pseudo_labels.fitting.accents import ACCENT_PREDICTORS, AccentNotes, fit_accents, read_accent_notes
from tocco.pseudo_labels.norms.accents import accent_predictors, played_accents
from tocco.pseudo_labels.norms.model import AccentVelocity, reference_norms
from tocco.pseudo_labels.observed.evidence import Evidence

TRUTH = np.array(list(reference_norms().accents.velocity.model_dump().values()))
SIZE = np.array([4.0, 0.4, 0.4, 0.4, 0.2, 0.3, 0.4, 0.4])
"""About how far each predictor moves."""


def made_up(rng: np.random.Generator, noise: float = 0.0, n: int = 500) -> AccentNotes:
    """A performance whose accents follow the predictors, and something of their own."""
    predictor = SIZE[:, None] * rng.normal(size=(len(ACCENT_PREDICTORS), n))
    return AccentNotes(predictor, TRUTH @ predictor + noise * rng.normal(size=n))


def test_where_accents_follow_the_predictors_they_do_so_in_other_pieces(rng: np.random.Generator) -> None:
    pool, pieces = [made_up(rng) for _ in range(8)], [f"piece{k // 2}" for k in range(8)]
    found = fit_accents(pool, pieces, rng)
    assert found.correlation > 0.999
    assert (found.n_folds, found.n_notes) == (4, 4000)
    # On independent predictors of unit size the penalty takes 2 % off each, and two digits are written.
    np.testing.assert_allclose(list(found.velocity.model_dump().values()), TRUTH / 1.02, rtol=0.07)
    own = [replace(one, accent=np.asarray(rng.normal(size=500))) for one in pool]
    assert abs(fit_accents(own, pieces, rng).correlation) < 0.1


def test_the_correlation_is_the_mean_of_the_performances(rng: np.random.Generator) -> None:
    """Half of the accents' variance is their own: the square root of a half."""
    spread = float(np.sqrt(np.sum((TRUTH * SIZE) ** 2)))
    pool = [made_up(rng, spread, n=5000) for _ in range(6)]
    assert fit_accents(pool, list("abcdef"), rng).correlation == pytest.approx(0.5**0.5, abs=0.02)


def test_a_predictor_that_never_moves_is_named(rng: np.random.Generator) -> None:
    pool = [made_up(rng) for _ in range(2)]
    for one in pool:
        one.predictor[ACCENT_PREDICTORS.index("slur")] = 0.0
    with pytest.raises(
        InputError, match=r"gives no coefficient for slur, .* Next: give performances of scores with two"
    ):
        fit_accents(pool, ["a", "b"], rng)


def test_what_is_read_of_a_study() -> None:
    evidence = Evidence(*play(study_score()))
    found = read_accent_notes(evidence)
    assert found is not None
    assert found.predictor.shape == (len(ACCENT_PREDICTORS), 256)
    np.testing.assert_array_equal(
        found.predictor[ACCENT_PREDICTORS.index("value")], accent_predictors(evidence)["value"]
    )
    np.testing.assert_array_equal(found.accent, played_accents(evidence))
    assert set(ACCENT_PREDICTORS) == set(accent_predictors(evidence)) == set(AccentVelocity.model_fields)
    assert read_accent_notes(Evidence(play(study_score())[0])) is None

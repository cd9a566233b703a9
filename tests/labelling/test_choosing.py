from __future__ import annotations

import numpy as np
import pytest

from tocco.labelling.choosing import Novelty, choose, relative_uncertainty
from tocco.labelling.committee import committee_rating
from tocco.models.predictor import PredictorInput, StatisticsTable
from tocco.models.statistics_models import (
    KERNEL_ALPHA,
    fit_kernel_ridge,
    fit_ridge_statistics,
    gaussian_kernel,
    kernel_gamma,
)


def test_novelty_is_the_posterior_variance_of_a_gaussian_process(rng: np.random.Generator) -> None:
    z, rated = rng.normal(size=(12, 5)), rng.normal(size=(4, 5))
    novelty = Novelty(z, rated)
    for i in (3, 7):
        novelty.choose(i)
    known = np.concatenate([rated, z[[3, 7]]])
    gamma = kernel_gamma(5)
    within = gaussian_kernel(known, known, gamma) + KERNEL_ALPHA * np.eye(6)
    across = gaussian_kernel(z, known, gamma)
    expected = 1.0 - np.einsum("ij,ij->i", across @ np.linalg.inv(within), across)
    np.testing.assert_allclose(novelty.variance, expected, atol=1e-12)


def test_what_is_chosen_is_unlike_what_is_rated_and_each_other(rng: np.random.Generator) -> None:
    centres = 3.0 * rng.normal(size=(5, 20))
    group = np.repeat(np.arange(5), 10)
    z = centres[group] + 0.1 * rng.normal(size=(50, 20))
    rated = centres[:2] + 0.1 * rng.normal(size=(2, 20))
    chosen = choose(z, rated, 3)
    assert sorted(group[chosen]) == [2, 3, 4]
    assert sorted(group[choose(z, rated[:0], 5)]) == [0, 1, 2, 3, 4]
    assert len(set(choose(z, rated, 50).tolist())) == 50
    assert len(choose(z, rated, 99)) == 50


def test_uncertain_candidates_come_first_where_all_are_as_novel(rng: np.random.Generator) -> None:
    z = np.eye(8) * 50.0
    uncertainty = np.arange(8.0)
    assert choose(z, z[:0], 3, uncertainty).tolist() == [7, 6, 5]
    near = np.concatenate([z, z[7:] + 0.01])
    assert choose(near, z[:0], 3, np.append(uncertainty, 7.01)).tolist()[0] == 8
    assert 7 not in choose(near, z[7:], 1, np.append(uncertainty, 0.0)).tolist()


def test_parts_of_the_uncertainty_count_the_same_whatever_their_unit() -> None:
    one, other = np.array([1.0, 3.0]), np.array([300.0, 100.0])
    np.testing.assert_allclose(relative_uncertainty(one, other), [1.0, 1.0])
    np.testing.assert_allclose(relative_uncertainty(one, np.zeros(2)), [0.75, 1.25])


def test_the_committee_rates_as_the_models_that_it_is_made_of(rng: np.random.Generator) -> None:
    z, labels = rng.normal(size=(60, 12)), rng.normal(55.0, 10.0, size=(60, 3))
    new = rng.normal(size=(20, 12))
    names, statistics = ("a", "b", "c"), tuple(f"s{i}" for i in range(12))
    found = committee_rating(
        (z - z.mean(axis=0)) / z.std(axis=0), labels, (new - z.mean(axis=0)) / z.std(axis=0)
    )
    rows = PredictorInput(statistics=StatisticsTable(statistics, new))
    for k, fit in enumerate((fit_ridge_statistics, fit_kernel_ridge)):
        expected = fit(names, statistics, z, labels).predict(rows).rating
        np.testing.assert_allclose(found.rating[k], expected, atol=1e-8)
    np.testing.assert_allclose(found.mean, found.rating.mean(axis=0))


def test_the_expected_error_is_higher_where_ratings_are_noisier(rng: np.random.Generator) -> None:
    z = rng.normal(size=(400, 6))
    is_noisy = z[:, 0] > 0.0
    labels = 50.0 + np.where(is_noisy, 20.0, 2.0)[:, None] * rng.normal(size=(400, 4))
    new = rng.normal(size=(200, 6))
    found = committee_rating(z, labels, new)
    clear = np.abs(new[:, 0]) > 1.0
    noisy = new[:, 0] > 0.0
    assert found.error_sd[clear & noisy].mean() > 2.5 * found.error_sd[clear & ~noisy].mean()
    assert found.error_sd.min() > 0.0


def test_disagreement_is_the_spread_of_the_members() -> None:
    z = np.array([[-1.0, 0.0], [1.0, 0.0], [-1.0, 1.0], [1.0, 1.0]])
    found = committee_rating(
        z, np.array([[0.0], [100.0], [0.0], [100.0]]), np.array([[9.0, 9.0], [1.0, 0.0]])
    )
    np.testing.assert_allclose(
        found.disagreement, np.abs(found.rating[0, :, 0] - found.rating[1, :, 0]) / 2.0, rtol=1e-12
    )
    assert found.disagreement.shape == (2,)
    assert found.rating[0, 1, 0] == pytest.approx(
        50.0, abs=1.0
    )  # the ridge is held back, with so few ratings

"""How far differences can be trusted: pairs, figures, and their test on folds that had no part in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tocco.data.records import LabelRecord
from tocco.errors import InputError
from tocco.evaluation.cross_validation import differences as module
from tocco.evaluation.cross_validation.difference_pairs import (
    Pairs,
    aggregate_shares,
    other_music,
    pairs_of,
    same_music,
    variance_of_means,
)
from tocco.evaluation.cross_validation.difference_report import document
from tocco.evaluation.cross_validation.differences import (
    CONDITIONS,
    MUSIC,
    agreed_from,
    all_pairs,
    calibrate,
    fit_figures,
    held_out,
    rows_of,
)
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.rubrics import TOCCO10

NAMES = ("rhythmic_precision", "phrasing")


def result(
    n_passages: int = 8, n_players: int = 6, seed: int = 0, noise: float = 4.0
) -> CrossValidationResult:
    """Raters give 0.6 of the points that the ratings give, and an error of their own."""
    rng = np.random.default_rng(seed)
    n = n_passages * n_players
    rated = 50.0 + 10.0 * rng.standard_normal((n, 2))
    labels = 50.0 + 0.6 * (rated - 50.0) + noise * rng.standard_normal((n, 2))
    passage = np.repeat(np.arange(n_passages), n_players)
    tables = {"combined": rated, "combined, no score": rated}
    return CrossValidationResult(
        names=NAMES,
        segment_ids=np.array([f"s{k}" for k in range(n)]),
        clusters=np.array([f"c{p}" for p in passage]),
        passages=np.array([f"p{p}" for p in passage]),
        performers=np.array([f"player{k % n_players}" for k in range(n)]),
        is_score=np.arange(n) % n_players == n_players - 1,
        fold=passage % 4,
        labels=np.clip(labels, 0.0, 100.0),
        predictions=tables,
    )


def made(rated: np.ndarray, raters: np.ndarray, chance: float = 1e-6) -> Pairs:
    n = len(rated)
    columns = (rated[:, None], raters[:, None], np.full((n, 1), chance))
    return Pairs(
        ("phrasing",), np.arange(n) % 4, np.array([f"c{k % 8}" for k in range(n)]), np.ones(n), *columns
    )


def record(name: str, points: tuple[float, float], midi: str) -> LabelRecord:
    labels = dict(zip(NAMES, points, strict=True))
    return LabelRecord(segment_id=name, piece_id="p", source="s", midi_path=Path(midi), labels=labels)


def test_pairs_of_the_same_music_are_people_in_one_passage() -> None:
    pairs = same_music(result())
    assert len(pairs) == 8 * 10  # five people each
    of = result()
    assert (of.passages[pairs[:, 0]] == of.passages[pairs[:, 1]]).all()
    assert not of.is_score[pairs].any()


def test_pairs_of_other_music_share_no_cluster_and_are_drawn_alike_every_time() -> None:
    of = result()
    pairs = other_music(of, np.random.default_rng(1))
    assert (of.clusters[pairs[:, 0]] != of.clusters[pairs[:, 1]]).all()
    assert not of.is_score[pairs].any()
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    assert (pairs == other_music(of, np.random.default_rng(1))).all()


def test_a_pair_has_the_differences_of_ratings_and_of_raters_and_their_chance() -> None:
    of = result()
    variance = np.full((len(of), 3), 2.0)
    found = pairs_of(of, variance, "combined", np.array([[0, 1], [0, 2]]))
    assert found.rated[0, :2] == pytest.approx(of.predictions["combined"][0] - of.predictions["combined"][1])
    shares = np.array([TOCCO10.weights[name] for name in NAMES])
    assert found.raters[1, 2] == pytest.approx((of.labels[0] - of.labels[2]) @ (shares / shares.sum()))
    assert found.chance == pytest.approx(2.0)
    assert found.weight == pytest.approx([1.5, 1.5])  # the first has two partners, the others one
    assert aggregate_shares(NAMES).sum() == pytest.approx(1.0)


def test_the_chance_of_a_mean_is_that_of_its_single_raters() -> None:
    of = result(1, 2)
    records = [record(f"s{k}", (50.0, 50.0), f"{k}.mid") for k in range(2)]
    ratings = [record(f"s{k}-{r}", (50.0 + 10.0 * r, 40.0), f"{k}.mid") for k in range(2) for r in range(3)]
    variance = variance_of_means(of, records, ratings)
    share = aggregate_shares(NAMES)[0]
    assert variance[0] == pytest.approx([100.0 / 3.0, 0.0, share**2 * 100.0 / 3.0])
    with pytest.raises(InputError, match="1 raters"):
        variance_of_means(of, records, ratings[:4])


def test_gain_and_sd_are_found_again() -> None:
    rng = np.random.default_rng(3)
    rated = 12.0 * rng.standard_normal(20_000)
    found = fit_figures(made(rated, 0.6 * rated + 5.0 * rng.standard_normal(20_000)))["phrasing"]
    assert found.gain == pytest.approx(0.6, abs=0.01)
    assert found.sd == pytest.approx(5.0, abs=0.1)
    assert found.n == 20_000


def test_the_chance_of_the_raters_is_taken_off_the_sd() -> None:
    rng = np.random.default_rng(3)
    rated = 12.0 * rng.standard_normal(20_000)
    raters = rated + 5.0 * rng.standard_normal(20_000) + 3.0 * rng.standard_normal(20_000)
    assert fit_figures(made(rated, raters, chance=3.0))["phrasing"].sd == pytest.approx(5.0, abs=0.15)


@pytest.mark.parametrize(("slope", "gain"), [(-0.5, 0.0), (1.7, 1.0)])
def test_the_gain_is_held_to_nothing_and_one(slope: float, gain: float) -> None:
    rated = np.linspace(-20.0, 20.0, 101)
    assert fit_figures(made(rated, slope * rated))["phrasing"].gain == gain


def test_the_threshold_is_the_smallest_that_raters_agree_with() -> None:
    rated = np.arange(0.25, 40.0, 0.25)
    raters = np.where(rated < 10.0, -1.0, 1.0)  # they disagree below 10 points
    # of 120 differences of 10 and more and k below them, 95 % agree where k is 6 at most: from 8.5 on
    assert agreed_from(rated, raters, np.ones(len(rated))) == 8.5


def test_where_raters_never_agree_the_threshold_is_the_largest_that_was_tested() -> None:
    rated = np.linspace(0.1, 30.0, 200)
    assert agreed_from(rated, -rated, np.ones(200)) == 30.0


def test_few_pairs_prove_no_threshold() -> None:
    rated = np.concatenate((np.linspace(0.1, 8.9, 300), np.linspace(10.0, 20.0, module.LEAST_PAIRS - 1)))
    raters = np.where(rated < 9.0, -1.0, 1.0)
    assert agreed_from(rated, raters, np.ones(len(rated))) == 20.0
    more = np.append(rated, 15.0)
    assert agreed_from(more, np.append(raters, 1.0), np.ones(len(more))) == 9.0


def test_held_out_pairs_are_covered_as_often_as_claimed() -> None:
    of = result(40, 8, seed=5)
    variance = np.full((len(of), 3), 1e-9)
    held = held_out(pairs_of(of, variance, "combined", same_music(of)))
    rows = {row.name: row for row in rows_of(held, seed=0, draws=50)}
    for row in rows.values():
        assert 0.85 < float(row.covered.value) < 0.95
        assert row.covered.low < row.covered.value < row.covered.high
    assert 0.0 < rows["phrasing"].said < 0.7
    assert float(rows["phrasing"].right.value) > 0.93


def test_the_figures_of_a_fold_do_not_see_its_pairs() -> None:
    of = result(8, 8, seed=5)
    pairs = pairs_of(of, np.full((len(of), 3), 1e-9), "combined", same_music(of))
    changed = pairs.raters.copy()
    changed[pairs.fold == 2] *= -1.0
    other = Pairs(pairs.names, pairs.fold, pairs.cluster, pairs.weight, pairs.rated, changed, pairs.chance)
    one, two = held_out(pairs), held_out(other)
    assert (one.said[pairs.fold == 2] == two.said[pairs.fold == 2]).all()
    assert (one.half_width[pairs.fold == 2] == two.half_width[pairs.fold == 2]).all()
    assert not (one.half_width[pairs.fold == 1] == two.half_width[pairs.fold == 1]).all()


def test_the_report_states_every_pair_of_conditions_and_judges_by_the_bars() -> None:
    of = result(12, 6)
    records = [record(f"s{k}", (50.0, 50.0), f"{k}.mid") for k in range(len(of))]
    ratings = [record(f"s{k}-{r}", (50.0 + r, 40.0), f"{k}.mid") for k in range(len(of)) for r in range(3)]
    pairs = all_pairs(of, records, ratings, seed=0)
    rows = {key: rows_of(held_out(of_key), seed=0, draws=20) for key, of_key in pairs.items()}
    text = document({"labels": "made up"}, pairs, rows, np.array([0.03, 0.1, np.nan, 0.2]))
    for condition in CONDITIONS:
        for music in MUSIC:
            assert f"## Pairs of {music}, {condition}: {len(pairs[condition, music])}" in text
    assert "| with a score |" in text
    assert "Between 3 pairs of pianists in the same passage: least 0.030" in text
    found = calibrate(pairs, "made up")
    assert found.with_score["phrasing"].same_music == fit_figures(pairs[CONDITIONS[0], MUSIC[0]])["phrasing"]
    assert (
        found.of("phrasing", has_score=False, same_music=False)
        == fit_figures(pairs[CONDITIONS[1], MUSIC[1]])["phrasing"]
    )
    assert found.of("note_accuracy", has_score=True, same_music=True) is None

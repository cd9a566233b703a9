"""Quantile regression of touch: planted tables are found again, and an exact solver says the same."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.stats import norm

from rater_etude import play, study_score
from tocco.errors import InputError
from tocco.pseudo_labels.fitting.touch import (
    CONTEXT,
    PLAIN,
    SIGNS,
    SLURRED,
    STACCATO,
    VALUE_SEC,
    TouchNotes,
    fit_touch,
    quantile_regression,
    read_touch_notes,
)
from tocco.pseudo_labels.norms.model import TouchTable, reference_norms
from tocco.pseudo_labels.norms.touch import read_touch_norm
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.units import FloatArray

SPREAD_LOG = 0.4


def coefficients(table: TouchTable) -> FloatArray:
    """In the order of `TouchNotes.columns`."""
    by_sign = [value for sign in SIGNS for value in getattr(table, sign)]
    return np.array([*by_sign, *(getattr(table, name) for name in CONTEXT)])


TRUTH = coefficients(reference_norms().touch.usual)


def made_up(rng: np.random.Generator, n: int, spread_log: float, level_log: float = 0.0) -> TouchNotes:
    """Notes of every value and sign, held as the shipped table says, and a spread around it."""
    value_sec = np.exp(rng.uniform(np.log(0.08), np.log(2.0), n))
    counted = [np.log2(rng.integers(1, 5, n)), rng.uniform(0.0, 2.0, n), *rng.integers(0, 2, (2, n))]
    asked = np.stack(counted, axis=1, dtype=np.float64)
    notes = TouchNotes(value_sec, rng.integers(0, 3, n), asked, np.zeros(n))
    held_log = notes.columns() @ TRUTH + rng.normal(level_log, spread_log, n)
    return TouchNotes(value_sec, notes.sign, asked, held_log)


def test_the_table_that_was_planted_is_found(rng: np.random.Generator) -> None:
    """Without spread the median is the table itself, to the last digit that is written."""
    found = fit_touch([made_up(rng, 3000, 0.0) for _ in range(3)], ["a", "b", "c"])
    np.testing.assert_allclose(coefficients(found.usual), TRUTH, atol=1e-9)
    assert found.n_notes == 9000
    assert found.value_sec == VALUE_SEC


def test_quantiles_lie_where_they_should(rng: np.random.Generator) -> None:
    """A normal spread of 0.4: four in five lie below 0.84 spreads, whatever is written."""
    found = fit_touch([made_up(rng, 5000, SPREAD_LOG) for _ in range(4)], ["a", "b", "c", "d"])
    away = coefficients(found.long) - coefficients(found.usual)
    by_sign, asked = away[: -len(CONTEXT)], away[-len(CONTEXT) :]
    np.testing.assert_allclose(by_sign, SPREAD_LOG * norm.ppf(0.8), atol=0.09)
    np.testing.assert_allclose(asked, 0.0, atol=0.03)
    np.testing.assert_allclose(coefficients(found.usual), TRUTH, atol=0.08)
    assert found.usual_share == pytest.approx(0.5, abs=0.02)  # of the table as it is written
    assert found.long_share == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("quantile", [0.2, 0.5, 0.8])
def test_so_many_lie_below(quantile: float, rng: np.random.Generator) -> None:
    columns = np.column_stack([np.ones(4000), rng.normal(size=4000)])
    value = columns @ [0.3, -0.5] + rng.exponential(0.5, 4000) * (1.0 + np.abs(columns[:, 1]))
    weight = rng.uniform(0.5, 2.0, 4000)
    below = value < columns @ quantile_regression(columns, value, weight, quantile)
    assert np.average(below, weights=weight) == pytest.approx(quantile, abs=0.01)


@pytest.mark.parametrize("quantile", [0.5, 0.8])
def test_an_exact_solver_says_nearly_the_same(quantile: float, rng: np.random.Generator) -> None:
    """The check loss as a linear programme: the parts above and below as variables of their own."""
    n = 400
    columns = np.column_stack([np.ones(n), rng.uniform(0.0, 1.0, n), 1.0 * rng.integers(0, 2, n)])
    value = columns @ [0.1, -0.6, 0.4] + rng.normal(0.0, SPREAD_LOG, n)
    weight = rng.uniform(0.2, 1.0, n)
    cost = np.concatenate([np.zeros(6), quantile * weight, (1.0 - quantile) * weight])
    equal = np.hstack([columns, -columns, np.eye(n), -np.eye(n)])
    solved = linprog(cost, A_eq=equal, b_eq=value, method="highs")
    exact = solved.x[:3] - solved.x[3:6]
    found = quantile_regression(columns, value, weight, quantile)
    np.testing.assert_allclose(found, exact, atol=0.05)

    def loss(at: FloatArray) -> float:
        left = value - columns @ at
        return float(weight @ np.maximum(quantile * left, (quantile - 1.0) * left))

    assert loss(exact) <= loss(found) <= 1.002 * loss(exact)


def test_a_rare_column_is_found_as_exactly(rng: np.random.Generator) -> None:
    """One note in two thousand has it: half of those few lie below all the same."""
    n = 40_000
    rare = (np.arange(n) % 2000 == 0).astype(float)
    columns = np.column_stack([np.ones(n), rare])
    value = rng.normal(0.0, SPREAD_LOG, n) + 2.0 * rare
    found = quantile_regression(columns, value, np.ones(n), 0.5)
    few = np.sort(value[rare > 0.0])
    assert len(few) == 20
    assert few[8] < found.sum() < few[11]


def test_a_long_piece_weighs_as_much_as_a_short_one(rng: np.random.Generator) -> None:
    """Two short pieces a little dry against a long one that is held: most pieces are dry, most notes not."""
    pool = [
        made_up(rng, 8000, 0.1, 0.5),
        made_up(rng, 1000, 0.1, -0.3),
        made_up(rng, 1000, 0.1, -0.3),
    ]
    found = fit_touch(pool, ["long", "short", "other"])
    signs = coefficients(found.usual)[: -len(CONTEXT)] - TRUTH[: -len(CONTEXT)]
    # The middle of all is the upper quarter of the two: 0.67 spreads above theirs.
    assert np.mean(signs) == pytest.approx(-0.3 + 0.067, abs=0.03)
    # Two takes of one piece are one piece: the long one is half of the pool, and 0.6 of it lies below 0.8.
    again = fit_touch(pool, ["long", "short", "short"])
    signs = coefficients(again.long)[: -len(CONTEXT)] - TRUTH[: -len(CONTEXT)]
    assert np.mean(signs) == pytest.approx(0.5 + 0.1 * norm.ppf(0.6), abs=0.03)


def test_the_spread_of_pieces_is_that_of_their_medians(rng: np.random.Generator) -> None:
    levels = (-0.2, 0.0, 0.2)
    found = fit_touch([made_up(rng, 4000, 0.05, level) for level in levels], ["a", "b", "c"])
    assert found.piece_spread_log == pytest.approx(np.std(levels), abs=0.01)
    assert found.printed_spread_log > 0.0


def test_columns_and_norm_read_the_tables_alike() -> None:
    """What is fitted is what is compared with: by matrix as by interpolation."""
    norms = reference_norms().touch
    for sign in ("", "slur", "staccato"):
        evidence = Evidence(*play(study_score(sign)))
        notes, written = read_touch_notes(evidence), evidence.written
        assert notes is not None
        assert written is not None
        assert len(notes.held_log) == len(written.note)
        expected = read_touch_norm(written, study_score(sign))
        columns = notes.columns()
        np.testing.assert_allclose(columns @ coefficients(norms.usual), expected.usual_log, atol=1e-12)
        np.testing.assert_allclose(columns @ coefficients(norms.long), expected.long_log, atol=1e-12)


def test_what_is_read_of_a_study() -> None:
    """Quavers of 0.3 s under slurs over notes of 0.6 s under none, all held for nine tenths."""
    notes = read_touch_notes(Evidence(*play(study_score("slur"))))
    assert notes is not None
    upper = notes.sign == SLURRED
    assert (upper.sum(), (notes.sign == PLAIN).sum(), (notes.sign == STACCATO).sum()) == (128, 128, 0)
    np.testing.assert_allclose(notes.value_sec[upper], 0.3, atol=1e-6)
    np.testing.assert_allclose(notes.value_sec[~upper], 0.6, atol=1e-6)
    np.testing.assert_allclose(notes.held_log[upper], np.log(0.9 + 0.005 / 0.3), atol=1e-6)


def test_without_a_score_nothing_is_read() -> None:
    assert read_touch_notes(Evidence(play(study_score())[0])) is None


def test_what_is_never_written_is_not_made_up(rng: np.random.Generator) -> None:
    whole = made_up(rng, 3000, 0.1)
    kept = (whole.sign != STACCATO) | (whole.value_sec < 0.8)
    part = TouchNotes(whole.value_sec[kept], whole.sign[kept], whole.context[kept], whole.held_log[kept])
    with pytest.raises(InputError, match=r"has too few staccato notes of about 1\.6 s\. Next: give more"):
        fit_touch([part, part], ["a", "b"])

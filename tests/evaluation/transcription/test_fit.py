"""Shift and spread of ratings by transcription, from recordings whose keys are known."""

from __future__ import annotations

import numpy as np
import pytest

from tocco.evaluation.transcription.fit import (
    BothWays,
    Parts,
    card_with_transcription,
    conformal_quantile,
    differences,
    fit_loss,
)

NAMES = ("phrasing", "musicality")


def rows(apart: np.ndarray) -> list[BothWays]:
    """Recordings whose perception by transcription lies so many points below that by keys."""
    keys = np.tile([50.0, 60.0], (len(apart), 1))
    none = np.zeros(2)
    return [BothWays(Parts(k, none), Parts(k - a, none)) for k, a in zip(keys, apart, strict=True)]


def test_the_shift_is_the_median_and_the_spread_holds_nine_of_ten() -> None:
    apart = np.column_stack((3.0 + np.linspace(-5.0, 5.0, 39), np.full(39, -1.0)))
    loss = fit_loss(NAMES, {True: rows(apart), False: rows(apart + 1.0)}, "toy 1")
    assert loss.with_score["phrasing"].shift == pytest.approx(3.0)
    assert loss.without_score["phrasing"].shift == pytest.approx(4.0)
    assert loss.with_score["musicality"].shift == pytest.approx(-1.0)
    assert loss.with_score["musicality"].sd == pytest.approx(0.0)
    held = (
        np.abs(differences(rows(apart), np.array([3.0, -1.0])))[:, 0]
        <= 1.6449 * loss.with_score["phrasing"].sd + 2e-3
    )
    assert held.sum() == 37  # ceil(.9 x 40) = 36 of 39, and the 36th in size is one of two


def test_deductions_count_in_what_remains() -> None:
    one = BothWays(Parts(np.array([50.0]), np.array([4.0])), Parts(np.array([48.0]), np.array([1.0])))
    assert differences([one], np.array([2.0])).tolist() == [[3.0]]


@pytest.mark.parametrize(("n", "rank"), [(9, 9), (10, 10), (19, 18), (100, 91)])
def test_the_quantile_counts_the_new_one(n: int, rank: int) -> None:
    errors = np.arange(1.0, n + 1.0)[:, None]
    assert conformal_quantile(errors).tolist() == [rank]


def test_the_card_says_once_what_the_figures_rest_on() -> None:
    loss = fit_loss(NAMES, {True: rows(np.zeros((12, 2))), False: rows(np.zeros((12, 2)))}, "toy 1")
    card = card_with_transcription("# A bundle\n\ntext\n", loss, ["ASAP"])
    assert card.startswith("# A bundle\n\ntext\n\n## Transcribed notes\n")
    assert "come from toy 1" in card
    assert "12 recordings made from the keys of ASAP" in card
    assert card_with_transcription(card, loss, ["ASAP"]) == card

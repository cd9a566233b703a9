"""Harm: 0 at the good anchor, 1 at the bad one, monotone, without a kink and without a limit."""

from __future__ import annotations

import numpy as np
import pytest

from damage_example import anchor, anchors, damage
from tocco.pseudo_labels.damage.catalogue import MEASURES
from tocco.pseudo_labels.damage.harm import SOFT_START, harm, harm_of


@pytest.mark.parametrize("name", MEASURES)
def test_the_anchors(name: str) -> None:
    assert harm_of(name, 0.1, anchor(0.1, 1.0)) == 0.0
    assert harm_of(name, 1.0, anchor(0.1, 1.0)) == pytest.approx(1.0)
    assert harm_of(name, 0.0, anchor(0.1, 1.0)) == 0.0


@pytest.mark.parametrize("name", MEASURES)
def test_more_is_never_less_harmful(name: str) -> None:
    found = [harm_of(name, value, anchor()) for value in np.geomspace(0.01, 100.0, 200)]
    assert np.all(np.diff(found) >= 0.0)
    assert found[-1] > 2.0


def test_it_is_linear_in_the_logarithm_beyond_the_soft_start() -> None:
    values = np.geomspace(0.5, 50.0, 30)  # slowness: nothing is added before the logarithm
    found = np.array([harm_of("slowness", value, anchor(0.1, 1.0)) for value in values])
    np.testing.assert_allclose(np.diff(found), np.diff(found)[0], rtol=1e-9)


def test_it_starts_without_a_kink() -> None:
    share = np.array([0.0, 0.01, 0.02])
    found = [harm_of("slowness", 0.1 * 10.0**one, anchor(0.1, 1.0)) for one in share]
    assert found[1] - found[0] < 0.1 * (0.01 / (1.0 - SOFT_START / 2.0))
    at = 0.1 * 10.0 ** np.array([SOFT_START - 1e-4, SOFT_START, SOFT_START + 1e-4])
    before, here, after = (harm_of("slowness", value, anchor(0.1, 1.0)) for value in at)
    assert after - here == pytest.approx(here - before, rel=1e-2)


def test_a_third_of_the_way() -> None:
    """.3 of the way in the logarithm: .15 of .85."""
    assert harm_of("slowness", 0.1 * 10.0**0.3, anchor(0.1, 1.0)) == pytest.approx(0.15 / 0.85)


def test_each_origin_has_its_own_anchors_and_missing_measures_none() -> None:
    values = {"slowness": 1.0, "density": 0.0}
    of_keys, heard = (harm(damage(values, origin), anchors()) for origin in ("keys", "transcribed"))
    assert of_keys == {"slowness": pytest.approx(1.0), "density": 0.0}
    assert heard["slowness"] < 0.8

"""Readings: the worst places, and a mean that large values decide."""

from __future__ import annotations

import numpy as np
import pytest

from tocco.pseudo_labels.damage.reading import FAR_ENOUGH_SEC, Reading, root_mean_square


def test_the_worst_places_come_first_and_lie_apart() -> None:
    reading = Reading(1.0, np.array([1.0, 1.5, 9.0, 20.0, 30.0]), np.array([5.0, 4.0, 3.0, 0.0, 1.0]))
    assert reading.worst(2) == [(1.0, 5.0), (9.0, 3.0)]
    assert reading.worst(9) == [(1.0, 5.0), (9.0, 3.0), (30.0, 1.0)]


def test_what_is_nearer_than_three_seconds_is_one_place() -> None:
    near = Reading(1.0, np.array([0.0, FAR_ENOUGH_SEC * 0.9]), np.array([2.0, 1.0]))
    far = Reading(1.0, np.array([0.0, FAR_ENOUGH_SEC * 1.1]), np.array([2.0, 1.0]))
    assert (len(near.worst(3)), len(far.worst(3))) == (1, 2)
    assert FAR_ENOUGH_SEC == 3.0


def test_weights_of_the_root_mean_square() -> None:
    assert root_mean_square(np.array([3.0, 0.0]), np.array([1.0, 8.0])) == pytest.approx(1.0)

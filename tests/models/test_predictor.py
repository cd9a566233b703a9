"""Rows that a predictor is asked about: statistics by name, windows, or a word on which is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tocco.models.network import PerformanceBatch
from tocco.models.predictor import Prediction, PredictorInput, StatisticsTable, rating_by_name

TABLE = StatisticsTable(("a", "b", "c"), np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))


def test_statistics_come_in_the_order_that_is_asked_for() -> None:
    assert TABLE.columns(("c", "a")).tolist() == [[3.0, 1.0], [6.0, 4.0]]
    assert TABLE.columns(["a", "b", "c"]) is TABLE.values
    assert TABLE.columns(()).shape == (2, 0)
    with pytest.raises(ValueError, match=r"statistics \['x', 'y'\] were not computed"):
        TABLE.columns(("x", "a", "y"))


def test_rows_are_counted_by_what_is_there(make_batch: Callable[..., PerformanceBatch]) -> None:
    assert len(PredictorInput()) == 0
    assert len(PredictorInput(statistics=TABLE)) == 2
    assert len(PredictorInput(make_batch())) == 3
    assert len(PredictorInput(make_batch(), TABLE)) == 3


def test_what_was_not_given_is_named(make_batch: Callable[..., PerformanceBatch]) -> None:
    batch = make_batch()
    assert PredictorInput(batch).read_windows() is batch
    assert PredictorInput(statistics=TABLE).read_statistics(("b",)).tolist() == [[2.0], [5.0]]
    with pytest.raises(ValueError, match="listens to windows, and none were given"):
        PredictorInput(statistics=TABLE).read_windows()
    with pytest.raises(ValueError, match="reads statistics of the whole performance; none were given"):
        PredictorInput(batch).read_statistics(("b",))


def test_ratings_by_name_have_gaps_where_nothing_is_rated() -> None:
    predictor: Any = type("Two", (), {"names": ("phrasing", "musicality")})()
    prediction = Prediction(np.array([[1.0, 2.0], [3.0, 4.0]]), np.ones((2, 2)))
    found = rating_by_name(predictor, prediction, ("musicality", "tone_quality", "phrasing"))
    assert np.array_equal(found, [[2.0, np.nan, 1.0], [4.0, np.nan, 3.0]], equal_nan=True)

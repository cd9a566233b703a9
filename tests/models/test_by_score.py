"""One predictor for performances with a score and one for those without, row by row."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tocco.errors import BundleError
from tocco.models.by_score import ByScore
from tocco.models.predictor import PredictorInput, StatisticsTable
from tocco.models.predictor_files import HEADER
from tocco.models.registry import load_predictor
from tocco.models.statistics_models import RidgeStatistics, StatisticsScale

NAN = float("nan")


def linear(names: tuple[str, ...], statistics: tuple[str, ...], at: float) -> RidgeStatistics:
    n = len(statistics)
    scale = StatisticsScale(np.zeros(n), np.ones(n))
    one = np.ones(len(names))
    return RidgeStatistics(names, statistics, scale, np.ones((len(names), n)), at * one, at / 10 * one)


def both() -> ByScore:
    return ByScore(linear(("phrasing",), ("a", "s", "t"), 50.0), linear(("phrasing",), ("a", "b"), 20.0))


ROWS = PredictorInput(
    statistics=StatisticsTable(
        ("a", "b", "s", "t"),
        np.array([[1.0, 2, 3, 4], [1.0, 2, NAN, NAN], [1.0, 2, NAN, 4], [NAN, NAN, NAN, NAN]]),
    )
)


def test_a_row_with_any_measure_of_the_score_has_a_score() -> None:
    said = both().predict(ROWS)
    assert said.rating.ravel().tolist() == [50 + 1 + 3 + 4, 20 + 1 + 2, 50 + 1 + 4, 20]
    assert said.sd.ravel().tolist() == [5.0, 2.0, 5.0, 2.0]
    assert both().names == ("phrasing",)
    assert both().statistics == ("a", "s", "t", "b")


def test_it_is_kept_with_both(tmp_path: Path) -> None:
    both().save(tmp_path)
    again = load_predictor(tmp_path)
    assert isinstance(again, ByScore)
    assert np.array_equal(again.predict(ROWS).rating, both().predict(ROWS).rating)


def test_both_rate_the_same_from_different_statistics() -> None:
    with pytest.raises(ValueError, match="rate different targets"):
        ByScore(linear(("phrasing",), ("a", "s"), 1.0), linear(("musicality",), ("a",), 1.0))
    with pytest.raises(ValueError, match="reads all that the one with a score reads"):
        ByScore(linear(("phrasing",), ("a",), 1.0), linear(("phrasing",), ("a", "b"), 1.0))


def test_members_of_other_targets_are_refused(tmp_path: Path) -> None:
    both().save(tmp_path)
    linear(("musicality",), ("a", "b"), 1.0).save(tmp_path / "without_score")
    with pytest.raises(BundleError, match="rate different targets"):
        load_predictor(tmp_path)
    linear(("phrasing",), ("a",), 1.0).save(tmp_path / "without_score")
    with pytest.raises(BundleError, match="names other targets or statistics"):
        load_predictor(tmp_path)
    header = json.loads((tmp_path / HEADER).read_text())
    (tmp_path / HEADER).write_text(json.dumps(header | {"kind": "blend"}))
    with pytest.raises(BundleError, match="weights"):
        load_predictor(tmp_path)

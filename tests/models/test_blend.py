"""A blend is the weighted mean of those that know a target, and is kept with its members."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from tocco.errors import BundleError
from tocco.models.blend import Blend, member_folder
from tocco.models.predictor import Prediction, PredictorInput, StatisticsTable
from tocco.models.predictor_files import HEADER
from tocco.models.statistics_models import RidgeStatistics, StatisticsScale


@dataclass(frozen=True)
class Always:
    """Says the same of each target."""

    names: tuple[str, ...]
    rating: tuple[float, ...]
    sd: tuple[float, ...]
    statistics: tuple[str, ...] = ()

    kind: ClassVar[str] = "always"

    def predict(self, rows: PredictorInput) -> Prediction:
        return Prediction(np.tile(self.rating, (len(rows), 1)), np.tile(self.sd, (len(rows), 1)))

    def save(self, folder: Path) -> None:
        raise NotImplementedError

    @classmethod
    def load(cls, folder: Path) -> Always:
        raise NotImplementedError


def rows(n: int) -> PredictorInput:
    return PredictorInput(statistics=StatisticsTable(("a", "b"), np.zeros((n, 2))))


def linear(statistic: str, value: float, names: tuple[str, ...] = ("phrasing",)) -> RidgeStatistics:
    n = len(names)
    scale = StatisticsScale(np.zeros(1), np.ones(1))
    return RidgeStatistics(names, (statistic,), scale, np.zeros((n, 1)), np.full(n, value), np.full(n, 8.0))


def test_weights_are_relative_to_those_that_know_a_target() -> None:
    one = Always(("phrasing", "musicality"), (40.0, 30.0), (2.0, 6.0), ("a",))
    two = Always(("tone_quality", "phrasing"), (70.0, 80.0), (4.0, 10.0), ("b", "a"))
    blend = Blend((one, two), (1.0, 3.0))
    assert blend.names == ("phrasing", "musicality", "tone_quality")
    assert blend.statistics == ("a", "b")
    said = blend.predict(rows(2))
    assert said.rating.tolist() == [[70.0, 30.0, 70.0]] * 2
    assert said.sd.tolist() == [[8.0, 6.0, 4.0]] * 2


@pytest.mark.parametrize(
    ("n", "weights"), [(0, ()), (1, ()), (2, (1.0,)), (1, (0.0,)), (1, (-1.0,)), (1, (float("inf"),))]
)
def test_each_member_has_a_positive_weight(n: int, weights: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Blend((Always(("phrasing",), (1.0,), (1.0,)),) * n, weights)


def test_it_is_kept_with_its_members(tmp_path: Path) -> None:
    blend = Blend((linear("a", 40.0), linear("b", 60.0)), (1.0, 3.0))
    blend.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {HEADER, member_folder(0), member_folder(1)}
    assert member_folder(1) == "member1"
    again = Blend.load(tmp_path)
    assert (again.weights, again.names, again.statistics) == ((1.0, 3.0), ("phrasing",), ("a", "b"))
    assert again.predict(rows(1)).rating.tolist() == [[55.0]]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "does not give its members' weights"),
        ({"weights": []}, "does not give its members' weights"),
        ({"weights": 3}, "does not give its members' weights"),
        ({"weights": [1.0, 3.0], "more": 1}, "does not give its members' weights"),
        ({"weights": [1.0, 0.0]}, r"has the weight 0.0 \(allowed: numbers above 0\)"),
        ({"weights": [1.0, True]}, "has the weight True"),
        ({"weights": [1.0, "3"]}, "has the weight '3'"),
        ({"weights": [1.0, 1e999]}, "has the weight inf"),
    ],
)
def test_weights_that_are_none_are_refused(tmp_path: Path, settings: dict, problem: str) -> None:
    Blend((linear("a", 40.0), linear("b", 60.0)), (1.0, 3.0)).save(tmp_path)
    header = json.loads((tmp_path / HEADER).read_text())
    (tmp_path / HEADER).write_text(json.dumps(header | {"settings": settings}))
    with pytest.raises(BundleError, match=problem):
        Blend.load(tmp_path)


@pytest.mark.parametrize("change", [{"names": ["musicality"]}, {"statistics": ["b", "a"]}])
def test_members_of_another_blend_are_refused(tmp_path: Path, change: dict) -> None:
    Blend((linear("a", 40.0), linear("b", 60.0)), (1.0, 3.0)).save(tmp_path)
    header = json.loads((tmp_path / HEADER).read_text())
    (tmp_path / HEADER).write_text(json.dumps(header | change))
    with pytest.raises(BundleError, match="names other targets or statistics than its members have"):
        Blend.load(tmp_path)

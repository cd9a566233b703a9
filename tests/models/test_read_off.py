"""Dimensions as means of descriptors: which, with what sign, and only where the labels say so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tocco.errors import BundleError
from tocco.models.predictor import PredictorInput, StatisticsTable
from tocco.models.predictor_files import HEADER, write_arrays
from tocco.models.read_off import ReadOff, recipe_for
from tocco.models.registry import load_predictor
from tocco.models.statistics_models import RidgeStatistics, StatisticsScale

NAN = float("nan")
DESCRIPTORS = ("timing_stable_unstable", "musicmaking_flat_spacious")
NAMES = ("rhythmic_precision", "phrasing", *DESCRIPTORS)
RECIPE = {"rhythmic_precision": ((DESCRIPTORS[0], -1),), "phrasing": ((DESCRIPTORS[1], 1),)}


def member(*slopes: float) -> RidgeStatistics:
    n = len(slopes)
    scale = StatisticsScale(np.zeros(1), np.ones(1))
    return RidgeStatistics(
        DESCRIPTORS[:n], ("a",), scale, np.array(slopes)[:, None], np.full(n, 50.0), np.full(n, 8.0)
    )


def read_off() -> ReadOff:
    return ReadOff(NAMES, member(3.0, -2.0), RECIPE, np.array([1.0, 2.0, 3.0, 4.0]))


ROWS = PredictorInput(statistics=StatisticsTable(("a",), np.array([[0.0], [4.0]])))


def test_a_dimension_is_the_mean_of_its_descriptors_turned_round_where_the_sign_says() -> None:
    said = read_off().predict(ROWS)
    assert said.rating.tolist() == [[50.0, 50.0, 50.0, 50.0], [38.0, 42.0, 62.0, 42.0]]
    assert said.sd.tolist() == [[1.0, 2.0, 3.0, 4.0]] * 2
    both = {"dynamics_control": ((DESCRIPTORS[0], 1), (DESCRIPTORS[1], -1))}
    names = ("dynamics_control", *DESCRIPTORS)
    mean = ReadOff(names, member(3.0, -2.0), both, np.ones(3)).predict(ROWS).rating
    assert mean[1, 0] == (62.0 + (100.0 - 42.0)) / 2


def test_it_is_kept_with_its_member(tmp_path: Path) -> None:
    read_off().save(tmp_path)
    again = load_predictor(tmp_path)
    assert isinstance(again, ReadOff)
    assert again.names == NAMES
    assert again.recipe == RECIPE
    assert np.array_equal(again.predict(ROWS).rating, read_off().predict(ROWS).rating)
    assert np.array_equal(again.predict(ROWS).sd, read_off().predict(ROWS).sd)


def test_what_the_member_does_not_rate_cannot_be_read_off() -> None:
    with pytest.raises(ValueError, match="does not rate musicmaking_flat_spacious"):
        ReadOff(NAMES[:3], member(1.0), RECIPE, np.ones(3))
    with pytest.raises(ValueError, match="does not rate what is left"):
        ReadOff((*NAMES, "musicality"), member(1.0, 1.0), RECIPE, np.ones(5))


@pytest.mark.parametrize(
    "recipe",
    [
        {},
        {"phrasing": []},
        {"phrasing": [["musicmaking_flat_spacious", 2]]},
        {"phrasing": ["musicmaking_flat_spacious"]},
        [],
    ],
)
def test_a_header_without_a_recipe_is_refused(tmp_path: Path, recipe) -> None:
    read_off().save(tmp_path)
    header = json.loads((tmp_path / HEADER).read_text())
    (tmp_path / HEADER).write_text(json.dumps(header | {"settings": {"recipe": recipe}}))
    with pytest.raises(BundleError, match=r"does not say what is read off|does not rate what is left"):
        load_predictor(tmp_path)


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    read_off().save(tmp_path)
    write_arrays(tmp_path, {"sd": np.array([1.0, 0.0, 1.0, 1.0])})
    with pytest.raises(BundleError, match="sd holds a number that is not positive"):
        load_predictor(tmp_path)
    read_off().save(tmp_path)
    header = json.loads((tmp_path / HEADER).read_text())
    (tmp_path / HEADER).write_text(json.dumps(header | {"statistics": ["b"]}))
    with pytest.raises(BundleError, match="names other statistics than its member has"):
        load_predictor(tmp_path)


def test_only_what_the_labels_show_to_be_a_mean_is_read_off() -> None:
    labels = np.array([[70.0, 40.0, 30.0, 40.0], [20.0, NAN, 80.0, NAN]])
    assert recipe_for(NAMES, labels) == RECIPE
    rounded = labels + np.array([[0.004, 0.0, 0.0, 0.0]])
    assert set(recipe_for(NAMES, rounded)) == {"rhythmic_precision", "phrasing"}
    apart = labels + np.array([[0.02, 0.0, 0.0, 0.0]])
    assert set(recipe_for(NAMES, apart)) == {"phrasing"}
    missing = labels.copy()
    missing[0, 1] = NAN
    assert set(recipe_for(NAMES, missing)) == {"rhythmic_precision"}
    assert recipe_for(NAMES[:2], labels[:, :2]) == {}

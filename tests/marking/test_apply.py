"""Marks beside the ratings of an assessment."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from marking_example import HALF, drawn, rated, whole, write_folder, write_marks
from tocco.errors import MismatchError
from tocco.inference.assessment import Assessment, read_assessment, to_json, write_assessment_file
from tocco.inference.evidence import BundleIdentity
from tocco.marking.apply import Marking, personal_marks
from tocco.marking.calibrate import calibrate
from tocco.marking.calibration import PersonalCalibration
from tocco.marking.scheme import load_scheme
from tocco.marking.table import read_scale
from tocco.rubrics import DIMENSIONS


@pytest.fixture
def severe(rng: np.random.Generator, tmp_path: Path) -> PersonalCalibration:
    """Marks of 0 to 30 for the whole, and of 6 to 1 for phrasing, 20 points below the ratings."""
    ratings = drawn(20, rng)
    ids = write_folder(tmp_path, ratings, "abcdef0" * 2 + "abcdef")
    points = np.clip(whole(ratings) - 20.0, 0.0, 100.0)
    path = write_marks(tmp_path / "m.csv", ids, 0.3 * points)
    phrasing = 6.0 - 0.05 * np.clip(ratings[:, DIMENSIONS.index("phrasing")] - 20.0, 0.0, 100.0)
    lines = path.read_text().splitlines()
    rows = [f"{line},{mark:.2f}" for line, mark in zip(lines[1:], phrasing, strict=True)]
    path.write_text("\n".join([f"{lines[0]},phrasing", *rows]))
    scales = {None: read_scale("0-30"), "phrasing": read_scale("6-1")}
    return calibrate(path, tmp_path, "anna", scales).calibration


def take(**ratings: float | None) -> Assessment:
    return rated(dict.fromkeys(DIMENSIONS, 60.0) | ratings)


def test_the_marks_stand_beside_the_ratings_on_the_scales_of_the_person(severe):
    before = take(phrasing=70.0)
    after = Marking(severe)(before)
    assert after.ratings == before.ratings
    assert after.aggregate == before.aggregate
    personal = after.personal
    assert personal is not None
    assert personal.aggregate is not None
    phrasing = personal.marks["phrasing"]
    assert phrasing.points == pytest.approx(50.0, abs=2.0)
    assert phrasing.mark == pytest.approx(6.0 - 0.05 * phrasing.points, abs=0.01)
    assert phrasing.points_90 is not None
    assert phrasing.mark_90 == tuple(pytest.approx(6.0 - 0.05 * end, abs=0.01) for end in phrasing.points_90)
    assert personal.aggregate.mark == pytest.approx(0.3 * 41.5, abs=0.8)
    assert str(personal.aggregate.scale) == "0 to 30"
    assert sum(personal.weights.values()) == pytest.approx(1.0, abs=1e-3)
    assert personal.sentences == severe.sentences


def test_intervals_are_wider_than_the_mapped_ones(severe):
    found = personal_marks(take(), severe).marks["phrasing"]
    slope = severe.maps["phrasing"].slopes[0]
    assert found.points is not None
    assert found.points_90 is not None
    assert found.points_90[1] - found.points > slope * HALF


def test_what_is_not_rated_has_no_mark_and_the_whole_goes_on_without_it(severe):
    found = personal_marks(take(phrasing=None), severe)
    assert found.marks["phrasing"].points is None
    assert found.marks["phrasing"].reason == "phrasing not rated: no score"
    assert found.aggregate is not None
    assert found.aggregate.points is not None
    assert "phrasing" not in found.weights
    nothing = personal_marks(rated(dict.fromkeys(DIMENSIONS)), severe)
    assert nothing.aggregate is not None
    assert nothing.aggregate.points is None
    assert nothing.weights == {}


def test_it_is_written_and_read_back_to_the_digit(severe, tmp_path):
    made = Marking(severe, load_scheme("abrsm"))(take())
    write_assessment_file(made, tmp_path / "a.json")
    assert read_assessment(tmp_path / "a.json") == made
    fields = json.loads(to_json(made))
    assert fields["personal"]["name"] == "anna"
    assert fields["marking_scheme"]["name"] == "abrsm"
    fields["personal"]["marks"]["phrasng"] = fields["personal"]["marks"].pop("phrasing")
    with pytest.raises(ValueError, match="did you mean 'phrasing'"):
        Assessment.model_validate(fields)


def test_what_is_not_asked_for_is_taken_away_or_stays(severe):
    both = Marking(severe, load_scheme("rcm"))(take())
    assert Marking()(both) == take()
    other = Marking(scheme=load_scheme("abrsm")).beside(both)
    assert other.marking_scheme is not None
    assert (other.personal, other.marking_scheme.name) == (both.personal, "abrsm")


def test_a_calibration_for_another_bundle_is_refused(severe):
    other = BundleIdentity(name="other", version="2.0", sha256="e" * 64)
    with pytest.raises(MismatchError) as caught:
        Marking(severe).check(other)
    assert str(caught.value) == (
        "personal calibration anna: was made for another bundle (tocco-compact 0.1.0 dddddddd, not other 2.0 "
        "eeeeeeee). Next: assess the marked performances with this bundle, and run `tocco calibrate` again."
    )
    with pytest.raises(MismatchError):
        Marking(severe)(take().model_copy(update={"bundle": other}))
    Marking(scheme=load_scheme("rcm")).check(other)


def test_other_notes_than_those_that_were_marked_are_said(severe):
    found = personal_marks(rated(dict.fromkeys(DIMENSIONS, 60.0), notes="transcribed"), severe)
    assert found.sentences[:-1] == severe.sentences
    assert found.sentences[-1] == (
        "Fitted to ratings of notes of the keys, while this performance has transcribed notes: "
        "the map may not hold"
    )


def test_it_goes_to_other_processes_and_a_table_of_many_says_it(severe):
    marking = Marking(severe, load_scheme("trinity"))
    assert pickle.loads(pickle.dumps(marking)) == marking
    lines = marking.said(has_files=True)
    assert lines[0] == "Marks as of anna: in each JSON and report; the table has the default ratings"
    assert lines[1:-1] == [f"{sentence}." for sentence in severe.sentences]
    assert lines[-1].endswith("This is no examination result, and Trinity College London has no part in it.")
    assert Marking().said(has_files=True) == []


def test_without_marks_nothing_is_moved(tmp_path, rng):
    """A single mark that agrees with the rating leaves it where it is."""
    ids = write_folder(tmp_path, drawn(1, rng), "a")
    row = read_assessment(tmp_path / f"{ids[0]}.json").ratings["phrasing"].value
    assert row is not None
    path = write_marks(tmp_path / "m.csv", ids, np.array([row]), "phrasing")
    made = calibrate(path, tmp_path, "x", {None: read_scale("0-100")}).calibration
    found = personal_marks(take(phrasing=35.0), made).marks["phrasing"]
    assert found.points == pytest.approx(35.0, abs=0.02)

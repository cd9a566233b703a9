"""From a table and a folder to a personal calibration."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from marking_example import drawn, rated, whole, write_folder, write_marks
from tocco.errors import InputError, MismatchError, UsageError
from tocco.inference.assessment import write_assessment_file
from tocco.marking.calibrate import calibrate
from tocco.marking.calibration import (
    FittedMap,
    LeaveOneOut,
    MarksSource,
    read_calibration,
    to_bytes,
    write_calibration,
)
from tocco.marking.sentences import LOSS, NO_GAIN, TOO_FEW, sentences
from tocco.marking.table import read_scale
from tocco.rubrics import DIMENSIONS

SEVEN = "abcdef0" * 3
"""Pieces of 20 takes."""


@pytest.fixture
def ratings(rng: np.random.Generator) -> np.ndarray:
    return drawn(20, rng)


@pytest.fixture
def severe(rng: np.random.Generator, ratings: np.ndarray, tmp_path: Path) -> Path:
    """Assessments of 20 takes of 7 pieces in `tmp_path`, and marks of 0 to 30 by a severe teacher."""
    ids = write_folder(tmp_path, ratings, SEVEN[:20])
    points = np.clip(whole(ratings) - 22.0 + rng.normal(0.0, 5.0, size=20), 0.0, 100.0)
    return write_marks(tmp_path / "marks.csv", ids, 0.3 * points)


def test_a_severe_teacher_is_found_and_the_gain_is_shown(severe, tmp_path):
    found = calibrate(severe, tmp_path, "anna", {None: read_scale("0-30")}).calibration
    assert found.aggregate is not None
    assert found.aggregate.offset == pytest.approx(-22.0, abs=4.0)
    by_piece, by_take = found.aggregate.checks
    assert (by_piece.left_out, by_piece.n, by_piece.n_groups) == ("piece", 20, 7)
    assert (by_take.left_out, by_take.n_groups) == ("take", 20)
    assert by_piece.default == pytest.approx(22.0, abs=4.0)
    assert by_piece.personal < 9.0
    assert by_piece.gain == pytest.approx(by_piece.default - by_piece.personal, abs=1e-5)
    assert by_piece.above_chance
    first, second, third = found.sentences
    assert first == "anna: fitted to 20 marks on 20 performances of 7 pieces, on a scale of 0 to 30"
    assert second.startswith("Whole performance: with one piece left out at a time, the marks lie ")
    assert third.startswith("Other takes of the same pieces: with one take left out at a time")
    assert (found.source.n_takes, found.source.notes, found.maps) == (20, {"keys": 20}, {})


def test_marks_of_dimensions_have_a_map_each(ratings, rng, tmp_path):
    ids = write_folder(tmp_path, ratings, SEVEN[:20])
    columns = [DIMENSIONS.index(name) for name in ("phrasing", "musicality")]
    phrasing, musicality = (
        np.clip(ratings[:, d] + rng.normal(0.0, 9.0, size=20), 2.0, 98.0) / 20.0 for d in columns
    )
    rows = [f"{i},{p:.2f},{m:.2f}" for i, p, m in zip(ids, phrasing, np.roll(musicality, 7), strict=True)]
    path = tmp_path / "m.csv"
    path.write_text("\n".join(["id,phrasing,musicality", *rows]))
    found = calibrate(path, tmp_path, "ben", {None: read_scale("0-5")}).calibration
    assert list(found.maps) == ["phrasing", "musicality"]
    assert found.aggregate is None
    assert sum(found.maps["phrasing"].slopes) == pytest.approx(1.0, abs=0.3)
    assert sum(found.maps["musicality"].slopes) < 0.75
    assert any(NO_GAIN.capitalize() in one and "phrasing" in one for one in found.sentences)


def test_a_gain_that_is_not_above_chance_is_said(ratings, rng, tmp_path):
    ids = write_folder(tmp_path, ratings, SEVEN[:20])
    points = np.clip(whole(ratings) + rng.normal(0.0, 8.0, size=20), 0.0, 100.0)
    found = calibrate(write_marks(tmp_path / "m.csv", ids, points), tmp_path, "eva").calibration
    assert found.aggregate is not None
    assert not found.aggregate.checks[0].above_chance
    assert found.sentences[1].startswith(f"Whole performance, {NO_GAIN}: ")
    assert "0 to 100 (found, not given)" in found.sentences[0]


def test_a_calibration_that_loses_is_called_worse_than_the_default() -> None:
    check = LeaveOneOut(
        left_out="take", measure="points", n=5, n_groups=5, default=19.0, personal=21.8, constant=27.5,
        gain=-2.8, gain_90=(-5.0, -0.7),
    )  # fmt: skip
    source = MarksSource(
        kind="marks", file="m.csv", sha256="0" * 64, assessments_sha256="0" * 64,
        n_takes=1, n_marks=1, n_pieces=1, notes={"keys": 1},
    )  # fmt: skip
    fitted = FittedMap.model_construct(checks=(check,), contradicted=False)
    whole = sentences("eva", source, {}, {}, fitted)
    assert whole[0] == "eva: fitted to 1 mark on 1 performance of 1 piece"
    assert whole[1].startswith(f"Whole performance, {LOSS}: with one take left out")
    of_dimension = sentences("eva", source, {}, {"phrasing": fitted}, None)
    assert of_dimension[1] == f"{LOSS.capitalize()}: phrasing -2.8 points (-5.0 to -0.7)"


def test_marks_that_contradict_the_ratings_leave_the_default_and_say_so(ratings, tmp_path):
    ids = write_folder(tmp_path, ratings, SEVEN[:20])
    path = write_marks(tmp_path / "m.csv", ids, 6.0 - 0.05 * whole(ratings))
    found = calibrate(path, tmp_path, "otto").calibration
    assert found.aggregate is not None
    assert found.aggregate.contradicted
    assert found.aggregate.slopes == found.aggregate.default_slopes
    assert found.sentences[-1].startswith(
        "The marks contradict the ratings, so the default stands: the whole"
    )
    assert "--scale, as in 6-1" in found.sentences[-1]
    turned = calibrate(path, tmp_path, "otto", {None: read_scale("6-1")}).calibration
    assert turned.aggregate is not None
    assert not turned.aggregate.contradicted


def test_few_marks_make_a_calibration_that_says_they_are_few(ratings, tmp_path):
    ids = write_folder(tmp_path, ratings, SEVEN[:20])
    path = write_marks(tmp_path / "m.csv", ids[:3], np.array([3.0, 4.0, 2.0]))
    found = calibrate(path, tmp_path, "ida").calibration
    assert found.aggregate is not None
    assert found.aggregate.checks == ()
    assert f"Whole performance: {TOO_FEW}" in found.sentences


@pytest.mark.parametrize(("pieces", "said"), [("a" * 20, "one piece"), ("ab" * 10, "2 pieces")])
def test_takes_of_few_pieces_say_nothing_of_others(ratings, tmp_path, pieces, said):
    ids = write_folder(tmp_path, ratings, pieces)
    path = write_marks(tmp_path / "m.csv", ids, np.clip(whole(ratings) - 20.0, 0.0, 100.0))
    found = calibrate(path, tmp_path, "x").calibration
    assert found.aggregate is not None
    assert [check.left_out for check in found.aggregate.checks] == ["take"]
    assert f"The marks are of {said}, too few to see whether this holds for others" in found.sentences
    few = calibrate(write_marks(path, ids[:3], np.array([50.0, 60.0, 70.0])), tmp_path, "x").calibration
    assert not any("holds for others" in sentence for sentence in few.sentences)


def test_the_same_marks_give_the_same_bytes_and_are_read_back(severe, tmp_path):
    scale = {None: read_scale("0-30")}
    first, second = (calibrate(severe, tmp_path, "anna", scale).calibration for _ in range(2))
    assert to_bytes(first) == to_bytes(second)
    write_calibration(first, tmp_path / "anna.json")
    assert read_calibration(tmp_path / "anna.json") == first
    severe.write_text(severe.read_text().replace("take-00,", "take-00, "))
    other = calibrate(severe, tmp_path, "anna", scale).calibration
    assert other.source.sha256 != first.source.sha256
    assert other.aggregate == first.aggregate


def test_takes_without_a_score_are_pieces_of_their_own_unless_the_table_says(ratings, tmp_path):
    plain = rated(dict.fromkeys(DIMENSIONS, 50.0))
    rows = []
    for k in range(6):
        made = rated(dict(zip(DIMENSIONS, ratings[k].tolist(), strict=True)))
        made = made.model_copy(update={"inputs": plain.inputs.model_copy(update={"score": None})})
        write_assessment_file(made, tmp_path / f"t{k}.json")
        rows.append(f"t{k},{2 + k % 3},p{k // 2}")
    path = tmp_path / "m.csv"
    path.write_text("\n".join(["id,mark,piece", *rows]))
    assert calibrate(path, tmp_path, "x").calibration.source.n_pieces == 3
    path.write_text("\n".join(["id,mark", *(row.rpartition(",")[0] for row in rows)]))
    found = calibrate(path, tmp_path, "x").calibration
    assert found.source.n_pieces == 6
    assert found.aggregate is not None
    assert [check.left_out for check in found.aggregate.checks] == ["take"]


def test_votes_give_weights(ratings, tmp_path):
    ids = write_folder(tmp_path, ratings, SEVEN[:20])
    column = ratings[:, DIMENSIONS.index("rhythmic_precision")]
    pairs = [(i, j) for i in range(20) for j in range(i) if (i + j) % 4 == 0]
    rows = [f"{ids[i]},{ids[j]}" if column[i] > column[j] else f"{ids[j]},{ids[i]}" for i, j in pairs]
    path = tmp_path / "v.csv"
    path.write_text("\n".join(["better,worse", *rows]))
    found = calibrate(path, tmp_path, "rhea").calibration
    assert found.aggregate is not None
    weights = dict(zip(found.aggregate.dimensions, found.aggregate.slopes, strict=True))
    assert max(weights, key=lambda name: weights[name]) == "rhythmic_precision"
    assert (found.source.kind, found.scales, found.source.n_marks) == ("votes", {}, len(pairs))
    check = found.aggregate.checks[0]
    assert (check.measure, check.left_out, check.constant) == ("votes", "piece", None)
    assert 0.5 < check.default <= check.personal
    assert "of the votes are in the order of this calibration" in found.sentences[1]


def test_performances_that_are_not_assessed_are_named_with_the_next_step(severe, tmp_path):
    for one in ("take-03", "take-11"):
        (tmp_path / f"{one}.json").unlink()
    with pytest.raises(InputError) as caught:
        calibrate(severe, tmp_path, "anna")
    said = str(caught.value)
    assert f"names 2 of 20 performances that are not in {tmp_path}: take-03, take-11" in said
    assert f"assess them first (tocco assess ... -o {tmp_path})" in said
    with pytest.raises(InputError, match="is no folder"):
        calibrate(severe, tmp_path / "none", "anna")


def test_an_id_that_is_no_file_name_reads_no_other_file(tmp_path, ratings):
    inner = tmp_path / "in"
    inner.mkdir()
    write_folder(tmp_path, ratings[:1], "a")
    (tmp_path / "m.csv").write_text("id,mark\n../take-00,3\n")
    with pytest.raises(InputError, match=r"not in .*: \.\./take-00"):
        calibrate(tmp_path / "m.csv", inner, "x")


def test_assessments_of_two_bundles_do_not_mix(severe, tmp_path):
    fields = json.loads((tmp_path / "take-05.json").read_text())
    fields["bundle"]["sha256"] = "e" * 64
    (tmp_path / "take-05.json").write_text(json.dumps(fields))
    with pytest.raises(MismatchError, match=r"take-05.json: was rated by another bundle than take-00.json"):
        calibrate(severe, tmp_path, "anna")


def test_what_is_not_rated_is_left_out_and_named(severe, ratings, tmp_path):
    row = dict(zip(DIMENSIONS, ratings[2].tolist(), strict=True))
    write_assessment_file(rated(row | {"phrasing": None}, score="a"), tmp_path / "take-02.json")
    path = tmp_path / "m.csv"
    path.write_text("id,phrasing,mark\ntake-01,3,3\ntake-02,4,4\n")
    found = calibrate(path, tmp_path, "x")
    assert found.left_out == (
        "take-02: phrasing is marked and not rated",
        "phrasing: has no weight in the whole, since not every marked performance is rated in it",
    )
    assert found.calibration.maps["phrasing"].n == 1
    assert found.calibration.aggregate is not None
    assert "phrasing" not in found.calibration.aggregate.dimensions
    assert sum(found.calibration.aggregate.default_slopes) == pytest.approx(1.0, abs=1e-4)


def test_a_performance_that_was_not_rated_is_left_out(severe, tmp_path):
    fields = json.loads((tmp_path / "take-04.json").read_text())
    missing = {"value": None, "source": "missing", "reason": "unlike all music"}
    fields |= {"abstained": True, "abstained_reasons": ["unlike all music"]}
    fields["ratings"] = dict.fromkeys(fields["ratings"], missing)
    fields["aggregate"] |= {"value": None, "reason": "x", "parts": [], "without": [], "interval_90": None}
    (tmp_path / "take-04.json").write_text(json.dumps(fields))
    found = calibrate(severe, tmp_path, "anna", {None: read_scale("0-30")})
    assert found.left_out == ("take-04: the assessment abstained, so it is left out",)
    assert found.calibration.source.n_takes == 19


def test_columns_may_have_scales_of_their_own(ratings, tmp_path):
    write_folder(tmp_path, ratings[:2], "ab")
    path = tmp_path / "m.csv"
    path.write_text("id,phrasing,mark\ntake-00,2,22\ntake-01,5,25\n")
    scales = calibrate(path, tmp_path, "x").calibration.scales
    assert (scales["phrasing"].best, scales["aggregate"].best) == (5.0, 30.0)
    given = {"phrasing": read_scale("0-7"), None: read_scale("0-40")}
    scales = calibrate(path, tmp_path, "x", given).calibration.scales
    assert (scales["phrasing"].best, scales["aggregate"].best) == (7.0, 40.0)
    with pytest.raises(UsageError, match="--scale: names 'musicality', which has no marks"):
        calibrate(path, tmp_path, "x", {"musicality": read_scale("0-7")})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "report"}, "is no personal calibration"),
        ({"schema_version": "9.0"}, "has schema_version '9.0' (allowed: '1.0')"),
        ({"maps": {"phrasng": {}}}, "maps.phrasng"),
        ({"sentences": []}, "says what it rests on"),
        ({"scales": {}}, "scales are of []"),
        ({"extra": 1}, "'extra' is unknown"),
    ],
)
def test_a_file_that_is_no_calibration_is_refused(severe, tmp_path, change, said):
    found = calibrate(severe, tmp_path, "anna").calibration
    (tmp_path / "me.json").write_text(json.dumps(json.loads(to_bytes(found)) | change))
    with pytest.raises(InputError) as caught:
        read_calibration(tmp_path / "me.json")
    assert said in str(caught.value)
    assert "tocco calibrate" in str(caught.value) or "calibrate again" in str(caught.value)


def test_slopes_that_fall_are_refused(severe, tmp_path):
    fields = json.loads(to_bytes(calibrate(severe, tmp_path, "anna").calibration))
    fields["aggregate"]["slopes"][0] = -0.1
    (tmp_path / "me.json").write_text(json.dumps(fields))
    with pytest.raises(InputError, match=r"aggregate.slopes.0: .*greater than or equal to 0"):
        read_calibration(tmp_path / "me.json")

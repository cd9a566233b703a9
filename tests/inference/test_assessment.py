import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from assessment_example import NO_SCORE, example
from tocco.errors import InputError, OutputError
from tocco.inference.assessment import (
    ASSESSMENT_COLUMNS,
    Aggregate,
    Assessment,
    Curve,
    Rating,
    assessment_row,
    differing_inputs,
    read_assessment,
    to_json,
    write_assessment_file,
    write_assessment_table,
)
from tocco.rubrics import DESCRIPTORS, DIMENSIONS


@pytest.mark.parametrize("score", [True, False])
def test_what_is_read_back_is_what_was_written(tmp_path, score):
    written = example(score=score)
    path = tmp_path / "new folder" / "etude-1.json"
    write_assessment_file(written, path)
    assert read_assessment(path) == written
    assert to_json(read_assessment(path)) == path.read_text()
    assert [p.name for p in path.parent.iterdir()] == ["etude-1.json"]


def test_the_text_is_sorted_rounded_and_ends_in_a_newline():
    text = to_json(example())
    assert text.endswith("}\n")
    assert json.loads(text) == json.loads(text, parse_float=lambda x: round(float(x), 4))
    fields = json.loads(text)
    assert list(fields) == sorted(fields)
    assert fields["schema_version"] == "2.3"
    assert fields["rubric"] == "tocco10"
    assert fields["ratings"]["phrasing"] == {
        "value": 74.2,
        "sigma": 8.51,
        "interval_90": [60.2, 88.2],
        "reliability": 0.72,
        "source": "model",
        "perception": None,
        "deductions": {},
        "reason": None,
    }
    assert '"interval_90": [60.2, 88.2]' in text
    assert "time" not in fields
    assert "created" not in text


def test_without_a_score_its_parts_are_missing_with_a_reason():
    fields = json.loads(to_json(example(score=False)))
    assert fields["ratings"]["note_accuracy"]["source"] == "missing"
    assert fields["ratings"]["note_accuracy"]["reason"] == NO_SCORE
    assert fields["ratings"]["note_accuracy"]["value"] is None
    assert fields["alignment"] is None
    assert fields["alignment_reason"] == NO_SCORE
    assert fields["aggregate"]["without"] == ["note_accuracy"]
    assert "note_accuracy" not in {part["dimension"] for part in fields["aggregate"]["parts"]}


@given(
    value=st.floats(0, 100),
    below=st.floats(0, 100),
    above=st.floats(0, 100),
)
def test_rounding_never_breaks_an_interval(value, below, above):
    rating = Rating(
        value=value, interval_90=(max(value - below, 0), min(value + above, 100)), sigma=below, source="model"
    )
    assert rating.value == round(value, 2)
    assert Rating.model_validate(json.loads(rating.model_dump_json())) == rating


def test_numbers_of_numpy_are_numbers():
    rating = Rating(value=np.float64(50.0), interval_90=(np.float64(40), np.float64(60)), source="model")
    assert json.loads(rating.model_dump_json())["interval_90"] == [40.0, 60.0]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"value": 101.0, "source": "model"}, "less than or equal to 100"),
        ({"value": float("nan"), "source": "model"}, "finite"),
        (
            {"value": 50.0, "interval_90": (51.0, 60.0), "source": "model"},
            "does not contain 50.0",
        ),
        ({"value": 50.0, "interval_90": (40.0, 101.0), "source": "model"}, "less than or equal to 100"),
        ({"value": 50.0, "sigma": -1.0, "source": "model"}, "greater than or equal to 0"),
        ({"value": 50.0, "source": "missing", "reason": "x"}, "missing if, and only if"),
        ({"value": None, "source": "missing"}, "missing if, and only if"),
        ({"value": None, "source": "model"}, "missing if, and only if"),
        ({"value": 50.0, "source": "model", "reason": "x"}, "missing if, and only if"),
        ({"value": None, "sigma": 1.0, "source": "missing", "reason": "x"}, "neither sigma nor interval"),
        ({"value": 50.0, "source": "guess"}, "'model', 'rule', 'combined' or 'missing'"),
        ({"value": 50.0, "source": "model", "interval": (1.0, 2.0)}, "did you mean 'interval_90'"),
    ],
)
def test_a_rating_that_contradicts_itself_is_refused(fields, said):
    with pytest.raises(ValidationError, match=said):
        Rating.model_validate(fields)


def changed(**fields: object) -> dict[str, object]:
    return json.loads(to_json(example())) | fields


def test_ratings_are_in_the_order_of_the_rubric():
    assert tuple(example().ratings) == DIMENSIONS
    assert tuple(Assessment.model_validate(changed()).descriptors) == DESCRIPTORS
    ratings = changed()["ratings"]
    with pytest.raises(ValidationError, match="did you mean 'phrasing'"):
        Assessment.model_validate(changed(ratings=ratings | {"phrasin": ratings["musicality"]}))


def missing_all() -> dict[str, object]:
    nothing = json.loads(Rating.missing("outside").model_dump_json())
    base = changed()
    return base | {
        "ratings": dict.fromkeys(DIMENSIONS, nothing) | {"note_accuracy": base["ratings"]["note_accuracy"]},
        "descriptors": dict.fromkeys(DESCRIPTORS, nothing),
        "aggregate": base["aggregate"]
        | {"value": None, "interval_90": None, "parts": [], "reason": "outside"},
        "abstained": True,
        "abstained_reasons": ["outside what the model has seen: tempo"],
    }


def test_to_abstain_is_to_rate_nothing():
    assert Assessment.model_validate(missing_all()).ratings["note_accuracy"].value == 97.06
    with pytest.raises(ValidationError, match="abstains if, and only if"):
        Assessment.model_validate(missing_all() | {"abstained_reasons": []})
    with pytest.raises(ValidationError, match="abstains rates rhythmic_precision"):
        Assessment.model_validate(missing_all() | {"ratings": changed()["ratings"]})
    with pytest.raises(ValidationError, match="abstains rates the aggregate"):
        Assessment.model_validate(missing_all() | {"aggregate": changed()["aggregate"]})


COUNTS = {"match": 32, "insertion": 1, "deletion": 1, "substitution": 1}


@pytest.mark.parametrize(
    ("part", "change", "said"),
    [
        ("aggregate", {"reason": "x"}, "missing if, and only if"),
        ("aggregate", {"parts": []}, "parts if, and only if"),
        ("aggregate", {"parts": [{"dimension": "phrasing", "value": 50.0, "weight": 0.9}]}, "sum to 0.9"),
        ("aggregate", {"without": ["phrasin"]}, "did you mean 'phrasing'"),
        ("aggregate", {"weights": {"phrasing": 0.5}}, "weights sum to 0.5"),
        ("aggregate", {"weights": {"phrasin": 1.0}}, "did you mean 'phrasing'"),
        (
            "alignment",
            {"counts": {"match": 31, "insertion": 1, "deletion": 1, "substitution": 1}},
            "the lists have",
        ),
        (
            "alignment",
            {"insertion": [], "counts": {"match": 32, "deletion": 1, "substitution": 1}},
            "the lists have",
        ),
        ("curve", {"time_sec": [1.0]}, "another list of the curve has not"),
    ],
)
def test_parts_that_contradict_themselves_are_refused(part, change, said):
    base = changed()
    with pytest.raises(ValidationError, match=said):
        Assessment.model_validate(base | {part: base[part] | change})


def test_a_note_under_the_wrong_heading_is_refused():
    alignment = changed()["alignment"]
    swapped = alignment | {"insertion": alignment["deletion"]}
    with pytest.raises(ValidationError, match="insertion in bar 21 names the wrong pitches"):
        Assessment.model_validate(changed(alignment=swapped))


def test_an_alignment_or_a_reason():
    with pytest.raises(ValidationError, match="or a reason why there is none"):
        Assessment.model_validate(changed(alignment=None))
    with pytest.raises(ValidationError, match="or a reason why there is none"):
        Assessment.model_validate(changed(alignment_reason="x"))


def test_a_curve_ascends_and_its_points_lie_in_their_spans():
    fine = {
        "time_sec": (1.0, 2.0),
        "start_sec": (0.5, 1.5),
        "end_sec": (1.5, 2.5),
        "value": {"phrasing": (50.0, None)},
    }
    assert Curve.model_validate(fine).value["phrasing"] == (50.0, None)
    with pytest.raises(ValidationError, match="does not ascend"):
        Curve.model_validate(fine | {"time_sec": (1.0, 1.0)})
    with pytest.raises(ValidationError, match="outside its own start and end"):
        Curve.model_validate(fine | {"time_sec": (1.0, 2.6)})
    with pytest.raises(ValidationError, match="needs both edges and a value"):
        Curve.model_validate(fine | {"low_90": {"phrasing": (40.0, None)}})


def complaint(path) -> str:
    with pytest.raises(InputError) as caught:
        read_assessment(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            json.dumps(changed(schema_version="3.0")),
            "has schema_version '3.0' (allowed: '1.0', '1.1', '2.0', '2.1', '2.2', '2.3')",
        ),
        (json.dumps(changed(schema_version=1.0)), "has schema_version 1.0"),
        ("{}", "has no schema_version, so it is no assessment"),
        ("", "is not valid JSON"),
        ("[]", "not a JSON object"),
        (to_json(example())[:-30], "is not valid JSON"),
        (json.dumps(changed(raitings={})), "'raitings' is unknown, did you mean 'ratings'"),
    ],
)
def test_other_files_are_refused_in_one_line(tmp_path, text, said):
    path = tmp_path / "a.json"
    path.write_text(text)
    assert said in complaint(path)


def test_a_transcriber_stands_beside_the_hash_of_what_it_made():
    made = example().model_dump(mode="json")
    alone = {"notes": "transcribed", "transcriber": "hearer 3", "transcription_sha256": "e" * 64}
    made["inputs"] |= alone
    with pytest.raises(ValidationError, match="MIDI that is derived"):
        Assessment.model_validate(made)
    made["inputs"]["midi"]["origin"] = "derived"
    assert Assessment.model_validate(made).inputs.transcriber == "hearer 3"
    for missing in alone:
        fields = made | {"inputs": {k: v for k, v in made["inputs"].items() if k != missing}}
        fields["inputs"].setdefault("notes", "keys")
        with pytest.raises(ValidationError, match=r"stand together|notes that are transcribed"):
            Assessment.model_validate(fields)


def test_a_file_of_version_2_1_is_read(tmp_path):
    fields = json.loads(to_json(example())) | {"schema_version": "2.1"}
    for added in ("transcriber", "transcription_sha256"):
        assert fields["inputs"].pop(added) is None
    (tmp_path / "a.json").write_text(json.dumps(fields))
    assert read_assessment(tmp_path / "a.json") == example()


def test_a_file_of_version_2_2_is_read_and_has_no_marks(tmp_path):
    fields = json.loads(to_json(example())) | {"schema_version": "2.2"}
    for added in ("personal", "marking_scheme"):
        assert fields.pop(added) is None
    (tmp_path / "a.json").write_text(json.dumps(fields))
    assert read_assessment(tmp_path / "a.json") == example()


VERSION_1 = Path(__file__).parent / "files" / "assessment_version_1.json"


def test_a_file_of_version_1_is_read():
    old = json.loads(VERSION_1.read_text())
    found = read_assessment(VERSION_1)
    assert (old["schema_version"], found.schema_version) == ("1.1", "2.3")
    assert found.rubric == old["aggregate"]["rubric"] == "tocco10"
    assert old["ratings"]["note_accuracy"]["source"] == "pseudo-label"
    assert found.ratings["note_accuracy"].source == "rule"
    assert found.ratings["note_accuracy"].value == old["ratings"]["note_accuracy"]["value"] == 99.5
    assert (found.inputs.notes, found.inputs.sound) == ("keys", "recorded")
    assert found.aggregate.value == old["aggregate"]["value"]
    parts = {part.dimension: (part.value, part.weight) for part in found.aggregate.parts}
    assert parts["note_accuracy"] == (99.5, 0.175)
    assert set(parts) == set(old["aggregate"]["weights"])
    assert found.inputs.music is None
    written = json.loads(to_json(found))
    assert written["curve"] == old["curve"]
    assert Assessment.model_validate(written) == found


def test_a_file_of_version_1_says_what_was_rendered_and_has_technique_from_1_1_on(tmp_path):
    fields = json.loads(VERSION_1.read_text()) | {"schema_version": "1.0"}
    fields.pop("technique")
    fields["inputs"]["audio"]["origin"] = "derived"
    (tmp_path / "a.json").write_text(json.dumps(fields))
    found = read_assessment(tmp_path / "a.json")
    assert found.technique == {}
    assert (found.inputs.notes, found.inputs.sound) == ("keys", "rendered")


def test_an_assessment_is_valid_with_a_part_of_its_rubric():
    few = {"phrasing": changed()["ratings"]["phrasing"]}
    curve = changed()["curve"] | {"value": {}, "low_90": {}, "high_90": {}}
    part = changed(ratings=few, descriptors={}, curve=curve, moments=[], technique={})
    found = Assessment.model_validate(part)
    assert [one.name for one in found.dimensions] == ["phrasing"]
    assert found.dimensions[0].meaning.high == "long lines, spaciously shaped"


def test_what_is_named_is_of_the_rubric():
    foreign = changed()["moments"][0] | {"dimension": "phrasin"}
    with pytest.raises(ValidationError, match="did you mean 'phrasing'"):
        Assessment.model_validate(changed(moments=[foreign]))
    with pytest.raises(ValidationError, match="'timbre_soft_loud' is unknown"):
        Assessment.model_validate(changed(ratings={"timbre_soft_loud": changed()["ratings"]["phrasing"]}))


def test_a_missing_file_and_bytes_that_are_no_text_are_refused(tmp_path):
    assert "cannot be read" in complaint(tmp_path / "nowhere.json")
    (tmp_path / "b.json").write_bytes(b"\xff\x00")
    complaint(tmp_path / "b.json")


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        write_assessment_file(example(), tmp_path / "file" / "etude.json")


def test_the_table_has_a_row_each_and_empty_cells_for_what_is_missing(tmp_path):
    path = tmp_path / "assessments.csv"
    write_assessment_table({"with": example(), "without": example(score=False)}, path)
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == ASSESSMENT_COLUMNS
    assert [row["id"] for row in rows] == ["with", "without"]
    assert rows[0]["note_accuracy"] == "97.06"
    assert (rows[0]["phrasing"], rows[0]["phrasing_low_90"], rows[0]["phrasing_high_90"]) == (
        "74.2",
        "60.2",
        "88.2",
    )
    assert rows[0]["n_match"] == "32"
    assert rows[0]["n_substitution"] == "1"
    assert rows[1]["note_accuracy"] == rows[1]["n_match"] == ""
    assert (rows[0]["aggregate_without"], rows[1]["aggregate_without"]) == ("", "note_accuracy")
    assert rows[1]["score_sha256"] == ""
    assert rows[0]["bundle"] == "tocco-compact"
    assert rows[0]["abstained"] == "no"
    assert assessment_row("with", example()) == rows[0]


def test_what_differs_between_the_inputs_is_named():
    audio, midi, score = "a" * 64, "b" * 64, "c" * 64
    assert differing_inputs(example(), audio, midi, score) == ()
    assert differing_inputs(example(), audio, midi, "d" * 64) == ("another score",)
    assert differing_inputs(example(), audio, midi, None) == ("a score",)
    assert differing_inputs(example(score=False), audio, midi, score) == ("no score",)
    assert differing_inputs(example(), None, "d" * 64, score) == ("a recording", "another MIDI")


def test_the_schema_documents_every_field():
    schema = Assessment.model_json_schema()
    for name, part in {"Assessment": schema, **schema["$defs"]}.items():
        for field, content in part["properties"].items():
            assert content.get("description"), f"{name}.{field} says nothing"


HALVES = [{"dimension": name, "value": 50.0, "weight": 0.5} for name in ("phrasing", "musicality")]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"value": None, "parts": []}, "missing if, and only if"),
        ({"value": 50.0, "reason": "x"}, "missing if, and only if"),
        (
            {"value": None, "parts": [], "reason": "x", "interval_90": (1.0, 2.0)},
            "a missing aggregate has no interval",
        ),
        ({"value": 50.0, "weights": {"phrasing": 0.5, "musicality": 0.4988}}, "not 1"),
        ({"value": 50.0, "weights": {"phrasing": 0.5, "musicality": 0.5012}}, "not 1"),
        ({"value": 50.0, "interval_90": (51.0, 60.0)}, "does not contain 50.0"),
    ],
)
def test_an_aggregate_that_contradicts_itself_is_refused(fields, said):
    whole = {"parts": HALVES, "weights": {"phrasing": 0.5, "musicality": 0.5}}
    with pytest.raises(ValidationError, match=said):
        Aggregate.model_validate(whole | fields)


def test_weights_may_be_rounded_to_three_decimals():
    for last in (0.4992, 0.5008):
        weights = {"phrasing": 0.5, "musicality": last}
        found = Aggregate.model_validate({"value": 50.0, "parts": HALVES, "weights": weights})
        assert found.weights == weights
        parts = [HALVES[0], HALVES[1] | {"weight": last}]
        assert len(Aggregate.model_validate({"value": 50.0, "parts": parts, "weights": {}}).parts) == 2


def test_parts_of_the_aggregate_are_dimensions_of_the_rubric():
    fields = json.loads(to_json(example()))
    fields["aggregate"]["parts"][0]["dimension"] = "elegance"
    with pytest.raises(ValidationError, match="elegance"):
        Assessment.model_validate(fields)

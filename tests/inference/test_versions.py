"""What version 1 of an assessment says, in the words of version 2."""

from __future__ import annotations

from typing import Any

import pytest

from tocco.inference.versions import READABLE_VERSIONS, SCHEMA_VERSION, upgraded


def old(**changes: Any) -> dict[str, Any]:
    """The parts of a file that changed their form."""
    return {
        "schema_version": "1.1",
        "aggregate": {"value": 60.0, "rubric": "tocco10", "weights": {}},
        "ratings": {
            "note_accuracy": {"value": 99.0, "source": "pseudo-label"},
            "phrasing": {"value": 61.0, "source": "model"},
        },
        "descriptors": {"tempo": {"value": None, "source": "missing"}},
        "inputs": {"audio": {"origin": "derived"}, "midi": {"origin": "given"}},
        "tocco_version": "0.1.0",
    } | changes


def test_the_present_version_is_left_as_it_is() -> None:
    fields = {"schema_version": SCHEMA_VERSION, "ratings": {"a": {"source": "pseudo-label"}}}
    assert upgraded(fields) is fields
    assert READABLE_VERSIONS == ("1.0", "1.1", "2.0", "2.1", "2.2", "2.3")


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
def test_a_file_of_version_2_is_left_but_for_its_number(version: str) -> None:
    fields = {
        "schema_version": version,
        "ratings": {"a": {"source": "pseudo-label"}},
        "aggregate": {"value": 1.0},
    }
    assert upgraded(fields) == fields | {"schema_version": "2.3"}


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_file_of_version_1_is_said_anew(version: str) -> None:
    given = old(schema_version=version)
    new = upgraded(given)
    assert new["schema_version"] == "2.3"
    assert new["rubric"] == "tocco10"
    assert new["aggregate"] == {"value": 60.0, "weights": {}, "parts": []}
    assert new["ratings"] == {
        "note_accuracy": {"value": 99.0, "source": "rule"},
        "phrasing": {"value": 61.0, "source": "model"},
    }
    assert new["descriptors"] == given["descriptors"]
    assert new["tocco_version"] == "0.1.0"
    assert given == old(schema_version=version)  # the file's own fields stay


@pytest.mark.parametrize(
    ("audio", "midi", "sound", "notes"),
    [
        ("given", "given", "recorded", "keys"),
        ("derived", "given", "rendered", "keys"),
        ("given", "derived", "recorded", "transcribed"),
    ],
)
def test_where_notes_and_sound_come_from_is_said(audio: str, midi: str, sound: str, notes: str) -> None:
    inputs = upgraded(old(inputs={"audio": {"origin": audio}, "midi": {"origin": midi}}))["inputs"]
    assert (inputs["sound"], inputs["notes"]) == (sound, notes)
    assert inputs["audio"] == {"origin": audio}


def test_what_is_not_where_version_1_had_it_is_left_for_the_validation() -> None:
    strange = old(aggregate=3, ratings=None, descriptors=[1], inputs="none")
    new = upgraded(strange)
    for key in ("aggregate", "ratings", "descriptors", "inputs"):
        assert new[key] == strange[key]
    assert "rubric" not in new
    bare = upgraded(old(aggregate={"value": 1.0}, ratings={"a": 7}, inputs={"audio": 1}))
    assert "rubric" not in bare
    assert bare["ratings"] == {"a": 7}
    assert (bare["inputs"]["sound"], bare["inputs"]["notes"]) == ("recorded", "keys")


def test_an_aggregate_of_version_1_has_its_parts() -> None:
    weights = {"phrasing": 0.6, "note_accuracy": 0.4}
    whole = {"value": 76.2, "rubric": "tocco10", "weights": weights}
    parts = upgraded(old(aggregate=whole))["aggregate"]["parts"]
    assert parts == [
        {"dimension": "note_accuracy", "value": 99.0, "weight": 0.4},
        {"dimension": "phrasing", "value": 61.0, "weight": 0.6},
    ]
    assert "parts" not in upgraded(old(aggregate=whole | {"value": None}))["aggregate"]

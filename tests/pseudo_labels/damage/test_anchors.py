"""Anchors: the file that ships, and what is refused with which words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from damage_example import anchor, anchors
from tocco.errors import InputError
from tocco.pseudo_labels.damage.anchors import (
    MAX_ANCHORS_BYTES,
    DamageAnchors,
    load_anchors,
    read_anchors,
    reference_anchors,
)
from tocco.pseudo_labels.damage.catalogue import MEASURES


def text(**changed: object) -> str:
    return json.dumps(anchors().model_dump() | changed)


def test_the_anchors_that_ship() -> None:
    shipped = reference_anchors()
    assert shipped.pool.n_performances >= 80
    for origin in ("keys", "transcribed"):
        of_origin = shipped.of(origin)
        assert set(of_origin) == set(MEASURES)
        assert all(one.good < one.bad for one in of_origin.values())
        assert all(one.n_good >= 30 and one.n_bad >= 30 for one in of_origin.values())
    assert shipped.keys != shipped.transcribed


def test_a_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "anchors.json"
    path.write_text(text())
    assert load_anchors(path) == anchors()
    assert load_anchors(path).of("keys")["dry"] == anchor()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "is not valid JSON"),
        ("[]", "not a JSON object"),
        (text(format=2), "format"),
        (text(window=1), "did you mean 'window_sec'"),
        (text(keys={}), "keys: clusters, density"),
        (text(keys=dict.fromkeys([*MEASURES, "x"], anchor().model_dump())), "keys: x is not"),
    ],
)
def test_what_is_refused(content: str, problem: str) -> None:
    with pytest.raises(InputError, match="fit-damage") as error:
        read_anchors(content, "mine.json")
    assert "mine.json" in str(error.value)
    assert problem in str(error.value)


def test_bad_has_to_be_worse_than_good() -> None:
    wrong = {name: one.model_dump() for name, one in anchors().keys.items()}
    wrong["dry"] |= {"good": 2.0}
    with pytest.raises(InputError, match="bad is 1 and good is 2"):
        read_anchors(text(keys=wrong), "mine.json")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_anchors(tmp_path / "none.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match="not a text file"):
        load_anchors(tmp_path / "binary.json")
    (tmp_path / "large.json").write_text(" " * (MAX_ANCHORS_BYTES + 1))
    with pytest.raises(InputError, match="200,001 bytes"):
        load_anchors(tmp_path / "large.json")


def test_every_measure_has_an_anchor_for_both_origins() -> None:
    lacking = {name: one for name, one in anchors().keys.items() if name != "dry"}
    with pytest.raises(ValueError, match="dry is not what this release measures"):
        DamageAnchors.model_validate(anchors().model_dump() | {"transcribed": lacking})

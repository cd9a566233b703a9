"""What an assessment says it rests on has to agree with itself."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from assessment_example import alignment
from tocco.inference.evidence import AlignmentReport, InputFile, NoteOutcome, ScoreSearch

SHA256 = "0123456789abcdef" * 4


def test_the_counts_are_those_of_the_lists() -> None:
    fields = alignment().model_dump()
    assert AlignmentReport.model_validate(fields).counts["match"] == 32
    for kind in ("match", "insertion", "deletion", "substitution"):
        wrong = fields | {"counts": fields["counts"] | {kind: 5}}
        with pytest.raises(ValidationError, match="counts are"):
            AlignmentReport.model_validate(wrong)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("match", {"expected_pitch"}),
        ("match", {"played_pitch"}),
        ("insertion", {"played_pitch", "expected_pitch"}),
        ("insertion", set()),
        ("deletion", {"played_pitch"}),
        ("deletion", {"expected_pitch", "played_pitch"}),
        ("substitution", {"expected_pitch"}),
    ],
)
def test_each_list_names_the_pitches_that_it_is_about(kind: str, names: set[str]) -> None:
    note: dict[str, Any] = {"bar": "1", "beat": 1.0, "time_sec": 2.0} | dict.fromkeys(names, 60)
    empty: dict[str, Any] = dict.fromkeys(("match", "insertion", "deletion", "substitution"), ())
    counts = dict.fromkeys(empty, 0) | {kind: 1}
    fields = empty | {kind: (note,), "counts": counts, "bars": (), "repeats": "as written"}
    with pytest.raises(ValidationError, match=f"{kind} in bar 1 names the wrong pitches"):
        AlignmentReport.model_validate(fields)


@pytest.mark.parametrize("pitch", [-1, 128, 60.0, "60"])
def test_a_pitch_is_a_key_number(pitch: object) -> None:
    note: dict[str, Any] = {"bar": "1", "beat": 1.0, "time_sec": 2.0}
    with pytest.raises(ValidationError, match="played_pitch"):
        NoteOutcome.model_validate(note | {"played_pitch": pitch})
    for key in (0, 127):
        assert NoteOutcome.model_validate(note | {"played_pitch": key}).played_pitch == key


def test_a_beat_is_none_before_the_bar_and_a_bar_has_a_name() -> None:
    note: dict[str, Any] = {"bar": "1", "beat": 0.0, "time_sec": 0.0, "played_pitch": 60}
    assert NoteOutcome.model_validate(note).beat == 0.0
    for change in ({"beat": -0.1}, {"beat": float("nan")}, {"bar": ""}, {"time_sec": float("inf")}):
        with pytest.raises(ValidationError):
            NoteOutcome.model_validate(note | change)


def test_a_file_is_known_by_its_name_and_hash() -> None:
    assert InputFile(name="a.mid", sha256=SHA256, origin="given").flags == ()
    for change in ({"sha256": SHA256[:-1]}, {"sha256": SHA256.upper()}, {"name": ""}, {"origin": "sought"}):
        fields = {"name": "a.mid", "sha256": SHA256, "origin": "given"} | change
        with pytest.raises(ValidationError):
            InputFile.model_validate(fields)


def test_a_search_has_a_score_or_a_reason() -> None:
    search = {"folder": "scores", "key": "k", "n_scores": 3}
    assert ScoreSearch(**search, file="a.mxl").reason is None
    assert ScoreSearch(**search, reason="none fits").file is None
    for wrong in ({}, {"file": "a.mxl", "reason": "none fits"}):
        with pytest.raises(ValidationError, match="a score, or a reason why there is none"):
            ScoreSearch.model_validate(search | wrong)

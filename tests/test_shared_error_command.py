"""The command that measures the share of the error that the excerpts of one performance have in common."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import shared_error

from tocco.data.records import LabelRecord
from tocco.errors import InputError
from tocco.evaluation.cross_validation.result import CrossValidationResult

IDS = ("a1", "a2", "b1", "b2", "score1", "score2")
PERFORMERS = ("anna", "anna", "ben", "ben", None, None)
ERRORS = np.array([[3.0, 2.0], [3.0, -2.0], [-2.0, 4.0], [-2.0, -4.0], [50.0, 50.0], [50.0, 50.0]])


def result() -> CrossValidationResult:
    labels = np.full((6, 2), 50.0)
    text = np.array(["x"] * 6)
    is_score = np.array([False] * 4 + [True] * 2)
    return CrossValidationResult(
        ("phrasing", "musicality"),
        np.array(IDS),
        text,
        text,
        np.array([performer or "" for performer in PERFORMERS]),
        is_score,
        np.zeros(6, dtype=np.int64),
        labels,
        {"trees": labels + ERRORS},
    )


def records() -> list[LabelRecord]:
    return [
        RECORD.model_copy(update={"segment_id": n, "performer_id": p})
        for n, p in zip(IDS, PERFORMERS, strict=True)
    ]


RECORD = LabelRecord.model_construct(segment_id="a1", piece_id="sonata", performer_id="anna")


def test_errors_of_a_performance_that_agree_are_shared_and_opposite_ones_are_not() -> None:
    assert shared_error.shares(result(), records(), "trees") == (4, {"phrasing": 1.0, "musicality": -1.0})


def test_pieces_of_one_player_are_performances_of_their_own() -> None:
    apart = [
        r.model_copy(update={"piece_id": r.segment_id if r.performer_id == "ben" else "x"}) for r in records()
    ]
    assert shared_error.shares(result(), apart, "trees")[1] == {"phrasing": 1.0, "musicality": -1.0}
    with pytest.raises(ValueError, match="no performance has two excerpts"):
        shared_error.shares(
            result(), [r.model_copy(update={"piece_id": r.segment_id}) for r in records()], "trees"
        )


def test_an_unknown_system_and_other_labels_are_refused() -> None:
    with pytest.raises(InputError, match=r"--system: is 'oaks' \(allowed: trees\)"):
        shared_error.shares(result(), records(), "oaks")
    with pytest.raises(InputError, match="--labels: lacks score2"):
        shared_error.shares(result(), records()[:-1], "trees")


def test_the_files_are_read_and_the_shares_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result().save(tmp_path / "predictions")
    monkeypatch.setattr(shared_error, "read_labels", lambda path: records())
    monkeypatch.setattr(
        sys, "argv", ["", "--predictions", str(tmp_path / "predictions"), "--labels", "l.jsonl"]
    )
    shared_error.main()
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["4", "excerpts,", "trees"],
        ["phrasing", "1.00"],
        ["musicality", "-1.00"],
        ["mean", "0.00"],
    ]

"""benchmarks/error_patterns.py: errors by level, passage and piece, of labels that are known."""

from __future__ import annotations

import csv
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tocco.data.records import LabelRecord
from tocco.errors import InputError

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def patterns() -> ModuleType:
    name = "error_patterns"
    found = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    found.loader.exec_module(module)
    return module


def record(number: int, rating: float) -> LabelRecord:
    """Excerpts 0 to 4 are of one player and passage, 5 to 9 of another."""
    group = "a" if number < 5 else "b"
    return LabelRecord(
        segment_id=f"s{number}",
        piece_id="piece",
        performer_id=group,
        source="test",
        audio_path=None,
        midi_path=Path("a.mid"),
        labels={"phrasing": rating},
        passage_id=group,
        work_id="work",
    )


RECORDS = [record(number, 10.0 * number) for number in range(10)]


def predictions(path: Path, ratings: list[float]) -> Path:
    rows = "".join(f"s{number},{rating}\n" for number, rating in enumerate(ratings))
    path.write_text(f"segment_id,phrasing\n{rows}", encoding="utf-8")
    return path


def test_errors_towards_the_middle(patterns: ModuleType, tmp_path: Path) -> None:
    halved = [45 + 5.0 * (number - 4.5) for number in range(10)]
    data = patterns.held(RECORDS, predictions(tmp_path / "p.csv", halved), "clusters")
    rows = [row for row in patterns.levels(data) if row[1] == "rating"]
    assert [row[2:4] for row in rows] == [[1, 2], [2, 2], [3, 2], [4, 2], [5, 2]]
    assert [row[4] for row in rows] == ["5.0000", "25.0000", "45.0000", "65.0000", "85.0000"]
    assert [row[6] for row in rows] == ["20.0000", "10.0000", "0.0000", "-10.0000", "-20.0000"]


def test_passages_and_pieces(patterns: ModuleType, tmp_path: Path) -> None:
    shifted = [10.0 * number + (4 if number < 5 else -2) for number in range(10)]
    data = patterns.held(RECORDS, predictions(tmp_path / "p.csv", shifted), "clusters")
    assert patterns.passages(data) == [
        ["a", "work", 5, "4.0000", "4.0000"],
        ["b", "work", 5, "-2.0000", "2.0000"],
    ]
    excerpt, piece = patterns.pieces(data)
    assert excerpt[:3] == ["excerpt", "phrasing", 10]
    assert excerpt[5] == "3.0000"
    assert piece[:4] == ["piece", "phrasing", 2, "1.0000"]
    assert piece[4] == f"{1 - 10 / 625:.4f}"


def test_predictions_of_other_excerpts_are_refused(patterns: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("segment_id,phrasing\nother,50\n", encoding="utf-8")
    with pytest.raises(InputError, match="no prediction of a labelled excerpt"):
        patterns.held(RECORDS, tmp_path / "p.csv", "clusters")


def test_the_command_writes_what_it_read(
    patterns: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = tmp_path / "labels.jsonl"
    labels.write_text("".join(record.model_dump_json() + "\n" for record in RECORDS), encoding="utf-8")
    path = predictions(tmp_path / "p.csv", [50.0 + number for number in range(10)])
    words = ["x", str(path), "--labels", str(labels), "--system", "a system", "-o", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", words)
    patterns.main()
    with (tmp_path / "out" / "about.csv").open(encoding="utf-8") as file:
        about = {row["name"]: row["value"] for row in csv.DictReader(file)}
    assert (about["system"], about["excerpts"]) == ("a system", "10")
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        *("about.csv", "levels.csv", "passages.csv", "pieces.csv")
    }

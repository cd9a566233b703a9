"""`tocco rank`: what it takes, what it refuses in one line, and what it writes."""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assessment_example import example
from tocco.apps.cli.main import app
from tocco.errors import InputError, MismatchError, OutputError, ToccoError, UsageError
from tocco.inference.assessment import Assessment, write_assessment_file
from tocco.inference.bundle import Bundle, load_bundle

SHIFTS = {"anna": 30.0, "ben": 0.0, "cleo": -28.0}
MARKS = "juror,performance,mark\n" + "".join(
    f"{juror},{name},{mark}\n"
    for juror, marks in {"x": (80, 85, 70), "y": (8, 9, 7), "z": (20, 25, 10)}.items()
    for name, mark in zip(SHIFTS, marks, strict=True)
)


@cache
def bundled() -> Bundle:
    return load_bundle()


@cache
def rated(shift: float) -> Assessment:
    """The example by the bundle of the package, all ratings moved."""
    bundle = bundled()
    made = example().model_dump(mode="json")
    made["bundle"] |= {"sha256": bundle.sha256, "version": bundle.config.version}
    for name, rating in made["ratings"].items():
        if name != "note_accuracy":
            value = min(max(rating["value"] + shift, 5.0), 95.0)
            rating |= {"value": value, "interval_90": [value - 5.0, value + 5.0]}
    total = made["aggregate"]
    total["value"] = sum(
        made["ratings"][part["dimension"]]["value"] * part["weight"] for part in total["parts"]
    )
    total["interval_90"] = [total["value"] - 6.0, total["value"] + 6.0]
    for part in total["parts"]:
        part["value"] = made["ratings"][part["dimension"]]["value"]
    return Assessment.model_validate(made)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "assessed"
    inside.mkdir()
    for name, shift in SHIFTS.items():
        write_assessment_file(rated(shift), inside / f"{name}.json")
    (tmp_path / "marks.csv").write_text(MARKS)
    return inside


def tocco(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["rank", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


def refused(kind: type[ToccoError], *arguments: object) -> str:
    with pytest.raises(kind) as caught:
        CliRunner().invoke(app, ["rank", *map(str, arguments)], catch_exceptions=False)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def order(written: Path) -> list[str]:
    return [entry["name"] for entry in json.loads((written / "ranking.json").read_text())["entries"]]


def test_a_folder_of_assessments_is_ranked_by_tocco_alone(folder: Path, tmp_path: Path) -> None:
    said = tocco(folder, "-o", tmp_path / "out")
    assert "3 performances, ranked by tocco alone" in said
    assert "aid and no verdict" in said
    assert order(tmp_path / "out") == ["anna", "ben", "cleo"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "ranking.csv", "ranking.html", "ranking.json",
    ]  # fmt: skip


def test_a_jury_decides_alone_unless_it_is_said_otherwise(folder: Path, tmp_path: Path) -> None:
    marks = tmp_path / "marks.csv"
    said = tocco(folder, "--marks", marks, "-o", tmp_path / "out")
    assert "ranked by 3 jurors alone; tocco's ratings are shown and do not" in said
    assert order(tmp_path / "out") == ["ben", "anna", "cleo"]
    assert "by 3 jurors and by tocco" in tocco(folder, "--marks", marks, "--with", "both")
    said = tocco(folder, "--marks", marks, "--with", "tocco", "-o", tmp_path / "out")
    assert "what 3 jurors said is shown and does not count" in " ".join(said.split())
    assert order(tmp_path / "out") == ["anna", "ben", "cleo"]


def test_the_results_may_lie_among_the_assessments_and_be_made_again(folder: Path) -> None:
    for _ in range(2):
        tocco(folder, "-o", folder, "--by", "phrasing")
    assert order(folder) == ["anna", "ben", "cleo"]
    with (folder / "ranking.csv").open(newline="") as stream:
        assert [row["performance"] for row in csv.DictReader(stream)] == ["anna", "ben", "cleo"]


def test_recusals_rules_and_a_cut_from_the_command_line(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("juror,performance\nx,ben\nz,cleo\n")
    said = tocco(
        folder, "--marks", tmp_path / "marks.csv", "--recuse", tmp_path / "own.csv",
        "--delete-beyond", "50", "--yes-no", "1", "-o", tmp_path / "out",
    )  # fmt: skip
    written = json.loads((tmp_path / "out" / "ranking.json").read_text())
    changed = [(one["juror"], one["performance"], one["counts"]) for one in written["changed_marks"]]
    assert changed == [("x", "ben", None), ("z", "cleo", None), ("x", "anna", None)]
    assert "x, anna: 80 does not count: 66.0 above the mean of the other 2 marks (14.0)" in " ".join(
        said.split()
    )
    assert written["cut"]["passing"] == 1
    assert {entry["decision"] for entry in written["entries"]} <= {"yes", "edge", "no"}


def test_votes_serve_without_marks(folder: Path, tmp_path: Path) -> None:
    votes = tmp_path / "votes.csv"
    votes.write_text("juror,better,worse\n" + "".join(f"{k},cleo,ben\n{k},ben,anna\n" for k in "uvwxyz"))
    tocco(folder, "--votes", votes, "-o", tmp_path / "out")
    assert order(tmp_path / "out") == ["cleo", "ben", "anna"]


def test_performances_are_assessed_first_and_what_fails_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tocco.apps.commands import rank as command
    from tocco.apps.commands.assess import Assessed
    from tocco.report.assessment_folder import AssessmentFolder

    seen = {}

    def assessed(takes, bundle, into: AssessmentFolder, **options):
        seen.update({"takes": [take.id for take in takes], "into": into.path, "origin": takes[0].origin})
        found = {take.id: rated(SHIFTS[take.id]) for take in takes if take.id in SHIFTS}
        return Assessed(found, 0, frozenset({"dora"}))

    monkeypatch.setattr(command, "assessed_takes", assessed)
    music = tmp_path / "music"
    music.mkdir()
    for name in ("anna", "ben", "dora"):
        (music / f"{name}.mid").write_bytes(b"MThd\0\0\0\6\0\0\0\1\1\xe0MTrk\0\0\0\4\0\xff\x2f\0")
    marks = tmp_path / "marks.csv"
    marks.write_text(MARKS.replace("cleo", "dora"))
    tocco(music, "--transcribed", "--marks", marks, "-o", tmp_path / "out", code=1)
    assert seen == {"takes": ["anna", "ben", "dora"], "into": tmp_path / "out", "origin": "transcribed"}
    assert order(tmp_path / "out") == ["ben", "anna"]
    assert (tmp_path / "out" / "assessments.csv").is_file()


def test_performances_without_an_assessment_beside_others_are_named(folder: Path) -> None:
    (folder / "late.mid").write_bytes(b"MThd")
    (folder / "notes.json").write_text("{}")
    result = CliRunner().invoke(app, ["rank", str(folder)])
    assert result.exit_code == 0
    assert f"left out: late has no assessment in {folder}, where others have" in result.stderr
    assert "notes.json is no assessment" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--by", "phrasin"), "--by: 'phrasin' is unknown, did you mean 'phrasing'"),
        (("--with", "jury"), "--with: is jury, and no jury is given"),
        (("--recuse", "marks.csv"), "--recuse: is given, and no jury is"),
        (("--correct-beyond", "10"), "--correct-beyond: is given, and no marks are"),
        (
            ("--marks", "marks.csv", "--correct-beyond", "nan"),
            "--correct-beyond: is nan (allowed: a number above 0)",
        ),
        (("--marks", "marks.csv", "--delete-beyond", "0"), "--delete-beyond: is 0"),
        (
            ("--marks", "marks.csv", "--delete-beyond", "5", "--correct-beyond", "10"),
            "--delete-beyond: is 5, and --correct-beyond is 10",
        ),
        (("--yes-no", "0"), "--yes-no: is 0 (allowed: 1 or more)"),
        (("--yes-no", "3"), "--yes-no: is 3, and 3 performances are ranked (allowed: 1 to 2)"),
        (("--yes-no", "1", "--at-least", "50"), "--at-least: is given beside --yes-no"),
        (("--at-least", "inf"), "--at-least: is inf"),
        (("--marks", "marks.csv", "--with", "both", "--at-least", "5"), "marks have another scale"),
        (("--votes", "votes.csv", "--at-least", "5"), "--at-least: needs marks"),
        (("--score", "a.musicxml"), "--score: is given, and nothing is to be assessed"),
        (("--manifest", "a.csv"), "--manifest: needs -o"),
    ],
)
def test_wrong_usage_is_one_line(folder: Path, monkeypatch, arguments: tuple[str, ...], part: str) -> None:
    monkeypatch.chdir(folder.parent)
    assert part in refused(UsageError, folder, *arguments)


def test_other_faults_are_one_line_too(folder: Path, tmp_path: Path) -> None:
    assert "got nothing to rank" in refused(UsageError)
    assert "does not exist" in refused(InputError, tmp_path / "none")
    assert "1 performance can be ranked" in refused(InputError, folder / "anna.json")
    (tmp_path / "bad.csv").write_text("juror,performance,mark\nx,anna,A+\n")
    assert "bad.csv, line 2: mark is 'A+'" in refused(InputError, folder, "--marks", tmp_path / "bad.csv")
    out = tmp_path / "out"
    out.mkdir()
    (out / "ranking.csv").write_text("mine")
    assert "exists, and is no ranking" in refused(OutputError, folder, "-o", out)
    assert (out / "ranking.csv").read_text() == "mine"
    write_assessment_file(rated(1.0), folder / "Ranking.json")
    assert "is the name of a result" in refused(UsageError, folder)
    (folder / "Ranking.json").unlink()
    write_assessment_file(example(), folder / "old.json")
    assert "old: was rated by another bundle" in refused(MismatchError, folder)

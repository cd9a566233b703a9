"""`tocco compare`: which takes it takes, what it writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from comparison_example import take
from page_example import parsed
from tocco.apps.cli.main import app
from tocco.errors import InputError, MismatchError, OutputError, ToccoError, UsageError
from tocco.inference.assessment import Assessment, write_assessment_file
from tocco.inference.bundle import example_path, load_bundle

EXAMPLE = example_path()


@pytest.fixture(scope="module")
def sha256() -> str:
    return load_bundle().sha256


@pytest.fixture
def folder(tmp_path: Path, sha256: str) -> Path:
    """Assessments of three takes by the bundle that ships."""
    for k, name in enumerate(("mon", "tue", "wed")):
        made = take({"phrasing": 7.0 * k}, stretch=0.3 * k).model_dump()
        made["bundle"]["sha256"] = sha256
        write_assessment_file(Assessment.model_validate(made), tmp_path / f"{name}.json")
    return tmp_path


def tocco(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["compare", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(kind: type[ToccoError], *arguments: object) -> str:
    with pytest.raises(kind) as caught:
        CliRunner().invoke(app, ["compare", *map(str, arguments)], catch_exceptions=False)
    return str(caught.value)


def test_assessments_are_compared_in_the_order_given(folder: Path) -> None:
    text = tocco(folder / "tue.json", folder / "mon.json")
    assert "A is tue, B is mon" in text
    assert "+7.0" not in text
    assert "−7.0" in text


def test_page_and_json_are_written_and_may_be_written_again(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for _ in range(2):
        text = tocco(folder / "mon.json", folder / "tue.json", folder / "wed.json", "-o", out)
        assert text.splitlines()[-2:] == [str(out / "comparison.json"), str(out / "comparison.html")]
    found = json.loads((out / "comparison.json").read_text())
    assert [one["id"] for one in found["takes"]] == ["mon", "tue", "wed"]
    assert parsed((out / "comparison.html").read_text(encoding="utf-8")).all("h1")[0].text == "3 takes"


def test_a_file_of_that_name_that_is_no_comparison_is_not_lost(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "comparison.html").write_text("mine")
    problem = refused(OutputError, folder / "mon.json", folder / "tue.json", "-o", out)
    assert "is no comparison" in problem
    assert (out / "comparison.html").read_text() == "mine"
    (out / "comparison.html").unlink()
    (out / "comparison.json").write_text("{}")
    assert "is no comparison" in refused(OutputError, folder / "mon.json", folder / "tue.json", "-o", out)


@pytest.mark.parametrize(
    ("kind", "names", "said"),
    [
        (UsageError, (), "got nothing to compare"),
        (UsageError, ("mon.json",), "got 1 performance "),
        (InputError, ("mon.json", "thu.json"), "thu.json"),
        (UsageError, ("mon.json", "mon.json"), "is the name of two performances"),
    ],
)
def test_wrong_usage_is_one_line(
    kind: type[ToccoError], names: tuple[str, ...], said: str, folder: Path
) -> None:
    problem = refused(kind, *(folder / name for name in names))
    assert said in problem
    assert "\n" not in problem


def test_another_bundle_and_another_piece_are_refused(folder: Path, sha256: str) -> None:
    write_assessment_file(take(), folder / "old.json")
    assert "was rated by tocco-compact 0.1.0" in refused(
        MismatchError, folder / "mon.json", folder / "old.json"
    )
    made = take().model_dump()
    made["bundle"]["sha256"] = sha256
    made["inputs"]["score"]["sha256"] = "9" * 64
    write_assessment_file(Assessment.model_validate(made), folder / "other.json")
    assert "another score than mon" in refused(MismatchError, folder / "mon.json", folder / "other.json")


@pytest.mark.slow
def test_takes_are_assessed_first_and_can_be_heard(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / f"{name}.mid").write_bytes((EXAMPLE / "minuet.mid").read_bytes())
    out = tmp_path / "out"
    score = EXAMPLE / "minuet.musicxml"
    text = tocco(tmp_path / "first.mid", tmp_path / "second.mid", score, "-o", out)
    assert "rated alike" in text
    assert (out / "first.html").is_file()
    data = json.loads(
        parsed((out / "comparison.html").read_text(encoding="utf-8")).all("script", id="data")[0].text
    )
    assert data["takes"][0]["notes"] == data["takes"][1]["notes"] != []


def test_what_prints_may_fail_and_the_files_are_there(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("tocco.apps.commands.compare.print_comparison", closed)
    out = tmp_path / "out"
    with pytest.raises(BrokenPipeError):
        CliRunner().invoke(
            app,
            ["compare", str(folder / "mon.json"), str(folder / "tue.json"), "-o", str(out)],
            catch_exceptions=False,
        )
    assert (out / "comparison.html").is_file()
    assert (out / "comparison.json").is_file()


def test_a_folder_stands_for_its_assessments_and_not_for_its_results(folder: Path) -> None:
    tocco(folder, "-o", folder)
    text = tocco(folder, "-o", folder)
    assert "A is mon, B is wed" in text

"""`tocco calibrate`, and what `--as` and `--rubric` lay beside the ratings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from assessment_example import example
from marking_example import drawn, whole, write_folder, write_marks
from page_example import parsed, performance
from tocco.apps.cli.main import app
from tocco.errors import InputError, MismatchError, OutputError, ToccoError, UsageError
from tocco.files import sha256_of
from tocco.inference import batch
from tocco.inference.assessment import Assessment, read_assessment
from tocco.inference.evidence import InputFile
from tocco.music.midi import save_midi


class Stand:
    """In the network's place: the example assessment of what was given."""

    identity = example().bundle

    def __init__(self, bundle: Path | None, transcriber: object = None) -> None:
        self.bundle = SimpleNamespace(sha256=self.identity.sha256, identity=self.identity)

    def assess(self, audio: Path | None, midi: Path, score: Path | None, **other: object) -> Assessment:
        made = example()
        file = InputFile(name=midi.name, sha256=sha256_of(midi), origin="given", duration_sec=66.0)
        inputs = made.inputs.model_copy(
            update={
                "midi": file,
                "audio": file.model_copy(update={"origin": "derived"}),
                "sound": "rendered",
                "synchrony": None,
                "score": None,
            }
        )
        return made.model_copy(update={"inputs": inputs, "bundle": self.identity})


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> Iterator[Path]:
    """Two takes as MIDI, and 20 assessments in `done` with marks of a severe teacher."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(batch, "Assessor", Stand)
    for name in ("one", "two"):
        save_midi(performance(), tmp_path / f"{name}.mid")
    (tmp_path / "done").mkdir()
    ratings = drawn(20, rng)
    ids = write_folder(tmp_path / "done", ratings, "abcdef0" * 2 + "abcdef")
    points = np.clip(whole(ratings) - 22.0 + rng.normal(0.0, 5.0, size=20), 0.0, 100.0)
    write_marks(tmp_path / "marks.csv", ids, 0.3 * points)
    batch.shared_assessor.cache_clear()
    yield tmp_path
    batch.shared_assessor.cache_clear()


CALIBRATE = ("calibrate", "--marks", "marks.csv", "--assessments", "done", "--scale", "0-30")


def tocco(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def refused(kind: type[ToccoError], *arguments: object) -> str:
    with pytest.raises(kind) as caught:
        CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
    return str(caught.value)


def test_it_writes_the_file_and_prints_what_is_gained(home: Path) -> None:
    said = tocco(*CALIBRATE, "-o", "anna.json")
    assert said.endswith("anna.json")
    assert "anna: fitted to 20 marks on 20 performances of 7 pieces, on a scale of 0 to 30." in said
    fields = json.loads((home / "anna.json").read_text())
    check = fields["aggregate"]["checks"][0]
    row = said.partition("Whole performance ")[2].split()
    assert row[:1] == ["20"]
    assert row[3:6] == [f"{check[part]:.1f}" for part in ("default", "personal", "gain")]
    assert "{:.1f} to {:.1f}".format(*check["gain_90"]) in said
    first = (home / "anna.json").read_bytes()
    tocco(*CALIBRATE, "-o", "anna.json")
    assert (home / "anna.json").read_bytes() == first


def test_what_is_in_the_way_or_wrong_is_refused(home: Path) -> None:
    (home / "list.json").write_text("[]")
    assert "exists, and is no personal calibration" in refused(OutputError, *CALIBRATE, "-o", "list.json")
    tocco(*CALIBRATE, "-o", "list.json", "--overwrite")
    assert "a name that ends in .json" in refused(UsageError, *CALIBRATE, "-o", "anna.txt")
    assert "did you mean 'phrasing'" in refused(
        UsageError, *CALIBRATE, "-o", "a.json", "--scale", "phrasng=1-5"
    )
    assert "all columns two scales" in refused(UsageError, *CALIBRATE, "-o", "a.json", "--scale", "1-5")
    missing = ("calibrate", "--marks", "none.csv", "--assessments", "done", "-o", "a.json")
    assert "none.csv: does not exist" in refused(InputError, *missing)
    (home / "done" / "take-07.json").unlink()
    assert "take-07" in refused(InputError, *CALIBRATE, "-o", "a.json")
    assert not (home / "a.json").exists()


def test_an_assessment_has_the_marks_in_terminal_json_and_report(home: Path) -> None:
    tocco(*CALIBRATE, "-o", "anna.json")
    said = tocco("assess", "one.mid", "-o", "out", "--as", "anna.json", "--rubric", "abrsm")
    assert "As anna would mark it (0 to 30; beside the ratings, not in their place)" in said
    assert "This is no examination result, and ABRSM has no part in it." in said
    found = read_assessment(home / "out" / "one.json")
    assert found.ratings == example().ratings
    assert found.personal is not None
    assert found.marking_scheme is not None
    assert found.personal.sha256 == sha256_of(home / "anna.json")
    for sentence in found.personal.sentences:
        assert f"{sentence}." in said
    document = parsed((home / "out" / "one.html").read_text(encoding="utf-8"))
    assert document.all("section", id="personal")[0].all("h2")[0].text == "As anna would mark it"
    assert "no examination result" in document.all("section", id="scheme")[0].text
    again = tocco("assess", "one.mid", "-o", "out")
    assert "anna" not in again
    assert read_assessment(home / "out" / "one.json").personal is None


def test_several_performances_have_them_and_a_second_run_adds_or_takes_them_away(home: Path) -> None:
    tocco(*CALIBRATE, "-o", "anna.json")
    plain = tocco("assess", "one.mid", "two.mid", "-o", "out")
    assert "Marks as of" not in plain
    said = tocco("assess", "one.mid", "two.mid", "-o", "out", "--as", "anna.json", "--rubric", "rcm")
    assert "2 assessed, 2 of them before, 0 failed" in said
    assert "Marks as of anna: in each JSON and report; the table has the default ratings" in said
    for name in ("one", "two"):
        found = read_assessment(home / "out" / f"{name}.json")
        assert found.personal is not None
        assert found.marking_scheme is not None
        assert "As anna would mark it" in (home / "out" / f"{name}.html").read_text(encoding="utf-8")
    tocco("assess", "one.mid", "two.mid", "-o", "out")
    assert read_assessment(home / "out" / "one.json").personal is None
    assert "As anna would mark it" not in (home / "out" / "one.html").read_text(encoding="utf-8")


def test_a_calibration_of_another_bundle_is_refused_before_anything_is_assessed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tocco(*CALIBRATE, "-o", "anna.json")
    monkeypatch.setattr(Stand, "identity", example().bundle.model_copy(update={"sha256": "e" * 64}))
    monkeypatch.setattr(Stand, "assess", None)
    for files in (("one.mid",), ("one.mid", "two.mid")):
        said = refused(MismatchError, "assess", *files, "-o", "out", "--as", "anna.json")
        assert "was made for another bundle" in said
        assert "run `tocco calibrate` again" in said


def test_a_file_that_is_no_calibration_or_no_scheme_is_refused_first(home: Path) -> None:
    for options, said in (
        (("--as", "done/take-00.json"), "is no personal calibration"),
        (("--as", "none.json"), "none.json: does not exist"),
        (("--rubric", "abrms"), "--rubric: is 'abrms'"),
        (("--rubric", "none.yaml"), "none.yaml: cannot be read"),
    ):
        assert said in refused(InputError, "assess", "one.mid", "-o", "out", *options)
    assert not (home / "out").exists()


def test_a_report_is_written_with_them_too(home: Path) -> None:
    tocco(*CALIBRATE, "-o", "anna.json")
    path = home / "done" / "take-00.json"
    tocco("report", path, "-o", "a.html", "--as", "anna.json", "--rubric", "trinity")
    document = parsed((home / "a.html").read_text(encoding="utf-8"))
    assert [one.attributes["id"] for one in document.all("section") if "id" in one.attributes][:4] == [
        "findings", "ratings", "personal", "scheme",
    ]  # fmt: skip
    tocco("report", path, "-o", "b.html")
    assert parsed((home / "b.html").read_text(encoding="utf-8")).all("section", id="personal") == []

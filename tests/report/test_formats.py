import json

import pytest

from assessment_example import example
from attention_example import attended
from tocco.data.pairing import TakeFiles
from tocco.errors import OutputError
from tocco.inference.assessment import read_assessment
from tocco.report import formats
from tocco.report.formats import (
    ATTENTION_ENDINGS,
    FORMATS,
    TRANSCRIPTION_SUFFIX,
    AssessedTake,
    DescribedAlignment,
    report_paths,
    write_report,
)

TAKEN = AssessedTake(example(), TakeFiles("a"))


def test_every_kind_of_report_begins_with_its_json(tmp_path):
    assert [path.name for path in report_paths(AssessedTake, tmp_path, "a")] == [
        "a.json",
        "a.mid",
        "a.png",
        "a.html",
        "a_attention.png",
        "a_attention_curve.png",
    ]
    aligned = report_paths(DescribedAlignment, tmp_path, "a")
    assert [path.name for path in aligned] == ["a.json", "a.match", "a.png"]


def test_the_files_of_an_assessment(tmp_path):
    paths = report_paths(AssessedTake, tmp_path, "a", without=(TRANSCRIPTION_SUFFIX, *ATTENTION_ENDINGS))
    write_report(TAKEN, paths)
    assert read_assessment(paths[0]) == example()
    assert paths[1].read_bytes().startswith(b"\x89PNG")
    assert paths[2].read_text(encoding="utf-8").startswith("<!doctype html>")
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def test_a_new_format_is_one_row(tmp_path, monkeypatch):
    def write_aggregate(taken: AssessedTake, path) -> None:
        path.write_text(json.dumps(taken.assessment.aggregate.value))

    monkeypatch.setitem(FORMATS, ".txt", {AssessedTake: write_aggregate})
    paths = report_paths(AssessedTake, tmp_path, "a", without=(TRANSCRIPTION_SUFFIX, *ATTENTION_ENDINGS))
    write_report(TAKEN, paths)
    assert paths[-1] == tmp_path / "a.txt"
    assert json.loads(paths[-1].read_text()) == example().aggregate.value
    assert tmp_path / "a.txt" not in report_paths(DescribedAlignment, tmp_path, "a")


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        write_report(TAKEN, report_paths(AssessedTake, tmp_path / "file", "a"))


def test_attention_has_pictures_of_its_own(tmp_path):
    paths = report_paths(AssessedTake, tmp_path, "a", without=(TRANSCRIPTION_SUFFIX, ".html"))
    assert [path.name for path in paths][2:] == ["a_attention.png", "a_attention_curve.png"]
    write_report(AssessedTake(attended(), TakeFiles("a")), paths)
    assert len({path.read_bytes() for path in paths}) == 4


def test_the_alignment_of_any_name_keeps_its_own_picture(tmp_path):
    (picture,) = [p for p in report_paths(DescribedAlignment, tmp_path, "a_attention") if p.suffix == ".png"]
    assert picture.name == "a_attention.png"
    assert formats._writer(picture.name, DescribedAlignment) is FORMATS[".png"][DescribedAlignment]

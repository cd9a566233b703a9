"""The folder of assessments: which files are written under an id, and which ids are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from assessment_example import example
from attention_example import attended
from tocco.data.pairing import TakeFiles
from tocco.errors import InputError, OutputError
from tocco.report.assessment_folder import AssessmentFolder


def test_what_is_read_back_is_what_was_written(tmp_path: Path) -> None:
    folder = AssessmentFolder(tmp_path / "new folder")
    written = folder.write(TakeFiles("etude-1"), example())
    assert sorted(written) == sorted(folder.path.iterdir())
    assert written[0] == tmp_path / "new folder" / "etude-1.json"
    assert {path.stem for path in written} == {"etude-1"}
    assert folder.read("etude-1") == example()


@pytest.mark.parametrize("performance_id", ["../etude", "a/b", "", "."])
def test_an_id_that_cannot_name_a_file_is_refused(tmp_path: Path, performance_id: str) -> None:
    folder = AssessmentFolder(tmp_path / "out")
    with pytest.raises(InputError, match=r"id: .*cannot name a file"):
        folder.write(TakeFiles(performance_id), example())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        AssessmentFolder(tmp_path / "file").write(TakeFiles("etude"), example())


def test_pictures_of_attention_are_written_where_there_is_attention(tmp_path: Path) -> None:
    written = AssessmentFolder(tmp_path).write(TakeFiles("etude"), attended())
    names = {path.name for path in written}
    assert {"etude_attention.png", "etude_attention_curve.png"} < names
    assert {path.name for path in tmp_path.iterdir()} == names


@pytest.mark.parametrize("performance_id", ["take_attention", "take_Attention_curve"])
def test_an_id_that_names_the_picture_of_another_is_refused(tmp_path: Path, performance_id: str) -> None:
    with pytest.raises(InputError, match="is the name of a picture of another assessment"):
        AssessmentFolder(tmp_path).write(TakeFiles(performance_id), example())

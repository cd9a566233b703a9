"""Tables of performances: columns in any order, a semicolon, an importer's label file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocco.data.manifest import read_manifest
from tocco.data.records import LabelRecord, write_labels
from tocco.errors import InputError


def manifest(folder: Path, text: str) -> Path:
    path = folder / "takes.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_manifest_rows_and_their_paths(tmp_path: Path) -> None:
    path = manifest(
        tmp_path,
        "\ufeffid,audio,midi,score\n\nanna,a.wav,,\n"
        ' ben ,"b, take 2.wav", b.mid,/scores/b.xml\nmüller-3,,c.mid,\n',
    )
    anna, ben, mueller = read_manifest(path)
    assert (anna.id, anna.audio, anna.midi, anna.score) == ("anna", tmp_path / "a.wav", None, None)
    assert ben.id == "ben"
    assert ben.audio == tmp_path / "b, take 2.wav"
    assert ben.midi == tmp_path / "b.mid"
    assert ben.score == Path("/scores/b.xml")
    assert (mueller.id, mueller.audio, mueller.midi) == ("müller-3", None, tmp_path / "c.mid")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,audio,midi,score\na,a.wav,,\nA,b.wav,,\n", "line 3: id 'A' is already used in line 2"),
        ("id,audio,midi,score\na,a.wav,,\n\n../b,b.wav,,\n", "line 4: id '../b' cannot name a file"),
        ("id,audio,midi,score\na,,,s.xml\n", "line 2: audio and midi are both empty"),
        ("id,audio,midi,score\na,a.wav\n", "line 2: has 2 cells"),
        ("id,audio,midi,score\na,a.wav,,,x\n", "line 2: has 5 cells"),
        ("id,audio,midi,score\na,a.wav,,\na,b.wav,,\n", "line 3: id 'a' is already used in line 2"),
        ("id,adio,midi\na,a.wav,\n", "has a column 'adio' (allowed: columns named id, audio, midi, score)"),
        ("id,audio,audio\na,a.wav,b.wav\n", "has the column 'audio' twice"),
        ("a.wav,a.mid\n", "begins with 'a.wav,a.mid'"),
        ("", "is empty"),
        ("id,audio,midi,score\n", "has no performances"),
        ('id,audio,midi,score\na,"a.wav,,\n', "is not valid CSV"),
        ("id,audio,midi,score\na,a\0.wav,,\n", "takes.csv, line 2: "),
    ],
)
def test_a_wrong_manifest_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_manifest(manifest(tmp_path, text))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_manifest_files_are_checked_when_asked(tmp_path: Path) -> None:
    path = manifest(tmp_path, "id,audio,midi,score\na,a.wav,,\n")
    with pytest.raises(InputError, match=r"line 2: audio '.*a\.wav' is not a file"):
        read_manifest(path, must_exist=True)
    (tmp_path / "a.wav").touch()
    assert len(read_manifest(path, must_exist=True)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "id,score,midi,audio\nanna,a.xml,,a.wav\nben,,b.mid,\n",
        "id;audio;midi;score\nanna;a.wav;;a.xml\nben;;b.mid;\n",
        "id\taudio\tmidi\tscore\nanna\ta.wav\t\ta.xml\nben\t\tb.mid\t\n",
        "ID, Audio, MIDI, Score, teacher\nanna, a.wav, , a.xml, Ms X\nben, , b.mid, , Ms Y\n",
        'id,audio,midi,score,comment\r\nanna,a.wav,,a.xml,"well, well"\r\nben,,b.mid,,\r\n',
    ],
)
def test_columns_stand_in_any_order_and_other_columns_are_passed_over(tmp_path: Path, text: str) -> None:
    anna, ben = read_manifest(manifest(tmp_path, text))
    assert (anna.id, anna.audio, anna.midi, anna.score) == (
        "anna",
        tmp_path / "a.wav",
        None,
        tmp_path / "a.xml",
    )
    assert (ben.id, ben.audio, ben.midi, ben.score) == ("ben", None, tmp_path / "b.mid", None)


def test_missing_columns_are_empty_and_a_missing_id_is_the_name_of_the_recording(tmp_path: Path) -> None:
    (take,) = read_manifest(manifest(tmp_path, "audio\nMy take: 2.wav\n"))
    assert (take.id, take.midi, take.score) == ("My_take_2", None, None)
    (take,) = read_manifest(manifest(tmp_path, "id,midi\n,b.mid\n"))
    assert (take.id, take.audio) == ("b", None)


def test_the_label_file_of_an_importer_is_a_manifest(tmp_path: Path) -> None:
    record = LabelRecord(
        segment_id="anna-1", piece_id="minuet", source="folder", midi_path=tmp_path / "a.mid", labels={}
    )
    write_labels([record], tmp_path / "performances.jsonl")
    (take,) = read_manifest(tmp_path / "performances.jsonl")
    assert (take.id, take.audio, take.midi, take.score) == ("anna-1", None, tmp_path / "a.mid", None)
    write_labels([record.model_copy(update={"end_time": 4.0})], tmp_path / "parts.jsonl")
    with pytest.raises(InputError, match=r"parts.jsonl, anna-1: describes a part"):
        read_manifest(tmp_path / "parts.jsonl")

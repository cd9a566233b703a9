"""Which files belong to one performance."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocco.data.pairing import (
    LeftOut,
    TakeFiles,
    given_takes,
    kind_by_content,
    takes_in,
    takes_of,
)
from tocco.errors import InputError, UsageError
from tocco.inference.bundle import example_path
from tocco.music.midi import load_midi, save_midi

MIDI = b"MThd\0\0\0\6"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(*names: str, content: bytes = b"x") -> list[Path]:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(content)
    return [Path(name) for name in names]


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("take.wav", b"RIFF\0\0\0\0WAVE", "audio"),
        ("take.wav", MIDI, "midi"),
        ("take.mp3", b"<?xml version", "score"),
        ("piece_score.mid", MIDI, "score"),
        ("rmid.dat", b"RIFF\0\0\0\0RMID", "midi"),
        ("piece.mxl", b"PK\3\4", "score"),
        ("piece.pdf", b"%PDF-1.7", "score"),
        ("piece.sib", b"\x0fSIBELIUS", "score"),
        ("piece.xml", b"\xff\xfe<\0?\0", "score"),
        ("notes.txt", b"hello", "audio"),
    ],
)
def test_a_file_is_what_its_first_bytes_say(home: Path, name: str, content: bytes, kind: str) -> None:
    (path,) = put(name, content=content)
    assert kind_by_content(path) == kind


def test_one_file_of_each_kind_is_one_performance_whatever_the_names_and_the_order(home: Path) -> None:
    piece, keys, sound = put("minuet.musicxml", "keys.mid", "phone.m4a")
    expected = (TakeFiles("phone", sound, keys, piece),)
    assert takes_of([piece, keys, sound]) == expected == takes_of([sound, piece, keys])
    assert takes_of([keys]) == (TakeFiles("keys", midi=keys),)


def test_files_of_one_name_are_one_performance_and_their_order_is_kept(home: Path) -> None:
    files = put("b.wav", "a.mid", "B.mid", "a.musicxml", "b_score.mid")
    assert takes_of(files) == (
        TakeFiles("b", files[0], files[2], files[4]),
        TakeFiles("a", None, files[1], files[3]),
    )


def test_a_lone_score_serves_all(home: Path) -> None:
    one, two, piece = put("one.wav", "two.wav", "piece.musicxml")
    assert takes_of([one, two, piece]) == (
        TakeFiles("one", one, None, piece),
        TakeFiles("two", two, None, piece),
    )


def test_takes_of_one_name_in_two_folders_are_distinguished(home: Path) -> None:
    (piece,) = put("piece.musicxml")
    put("anna/take.wav", "ben/take.wav")
    given = given_takes([Path("anna"), Path("ben"), piece][:2], score=piece)
    assert [take.id for take in given.takes] == ["anna_take", "ben_take"]
    assert [take.score for take in given.takes] == [piece, piece]


def test_two_scores_need_names(home: Path) -> None:
    files = put("one.wav", "two.wav", "one.musicxml", "other.musicxml")
    with pytest.raises(UsageError, match=r"other.musicxml: is a score without a performance"):
        takes_of(files)


def test_a_folder_pairs_by_name_and_says_what_it_left_out(home: Path) -> None:
    put(
        "f/a/one.wav", "f/a/ONE.mid", "f/b/one.musicxml", "f/b/two.wav", "f/b/two.flac", "f/x.txt", "f/.h.wav"
    )
    takes, left_out = takes_in(Path("f"))
    assert takes == (TakeFiles("a_one", Path("f/a/one.wav"), Path("f/a/ONE.mid")),)
    assert set(left_out) == {
        LeftOut("b/two.flac and b/two.wav", "are 2 files of one kind (audio) under one name"),
        LeftOut("b/one.musicxml", "is a score without a performance of its name"),
        LeftOut("x.txt", "is no audio, MIDI or score (.txt)"),
    }


def test_a_folder_without_a_performance_is_refused(home: Path) -> None:
    put("f/piece.musicxml")
    with pytest.raises(InputError, match=r"f: has no performance \(piece.musicxml: is a score without"):
        given_takes([Path("f")])


def test_an_importers_folder_is_read_by_its_label_file(home: Path) -> None:
    put("f/midi/x.mid", "f/midi/y.mid")
    Path("f/performances.jsonl").write_text(
        '{"segment_id": "only-y", "piece_id": "p", "source": "s", "midi_path": "midi/y.mid", "labels": {}}\n'
    )
    (take,) = given_takes([Path("f")]).takes
    assert (take.id, take.midi) == ("only-y", home / "f/midi/y.mid")


def test_options_complete_the_one_performance(home: Path) -> None:
    sound, keys, piece = put("a.wav", "k.mid", "p.musicxml")
    assert given_takes([sound], keys, piece).takes == (TakeFiles("a", sound, keys, piece),)
    assert given_takes([], keys, piece).takes == (TakeFiles("k", None, keys, piece),)
    assert given_takes([piece], keys).takes == (TakeFiles("k", None, keys, piece),)


def test_a_missing_file_is_told_before_anything_is_read(home: Path) -> None:
    with pytest.raises(InputError, match=r"gone.mid: does not exist"):
        given_takes(put("a.wav"), Path("gone.mid"))


def test_a_lone_score_beside_a_folder_serves_all_without_one(home: Path) -> None:
    (piece,) = put("piece.musicxml")
    put("lessons/one.wav", "lessons/two.wav", "lessons/two.musicxml", "lessons/three.mid")
    takes = given_takes([Path("lessons"), piece]).takes
    assert {take.id: take.score for take in takes} == {
        "one": piece,
        "two": Path("lessons/two.musicxml"),
        "three": piece,
    }
    (other,) = put("other.musicxml")
    with pytest.raises(UsageError, match=r"other.musicxml: is a second score beside a folder"):
        given_takes([Path("lessons"), piece, other])


def test_files_of_one_name_and_kind_are_distinguished_by_their_folders(home: Path) -> None:
    files = put("a/take.wav", "a/take.mid", "b/take.wav")
    assert takes_of(files) == (
        TakeFiles("a_take", files[0], files[1]),
        TakeFiles("b_take", files[2]),
    )


def test_a_file_that_is_given_twice_counts_once(home: Path) -> None:
    (keys,) = put("take.mid")
    assert takes_of([keys, keys]) == (TakeFiles("take", midi=keys),)


def test_a_name_that_cannot_be_made_unique_is_named(home: Path) -> None:
    put("x/lessons/take.mid", "y/lessons/take.mid")
    with pytest.raises(UsageError, match=r"y/lessons/take.mid: has the name of another performance"):
        given_takes([Path("x/lessons"), Path("y/lessons")])


def test_what_was_heard_in_a_recording_before_is_no_midi_of_its_keys(tmp_path: Path) -> None:
    """A folder of recordings that holds assessments too: their transcriptions are heard again, not paired."""
    heard = load_midi(example_path() / "minuet.mid")
    for name in ("take", "übung_1"):
        save_midi(heard, tmp_path / f"{name}.mid", transcriber="toy 1")
        (tmp_path / f"{name}.json").write_text("{}")
    save_midi(heard, tmp_path / "keys.mid")
    for name in ("take.wav", "übung 1.wav", "keys.wav"):
        (tmp_path / name).write_bytes(b"RIFF")
    takes, _ = takes_in(tmp_path)
    assert {take.audio.name: take.midi and take.midi.name for take in takes if take.audio} == {
        "take.wav": None,
        "übung 1.wav": None,
        "keys.wav": "keys.mid",
    }
    assert len(takes) == 3
    lone = TakeFiles("lone", midi=tmp_path / "take.mid")
    assert lone.notes == "transcribed"

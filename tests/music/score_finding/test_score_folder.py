"""A folder of scores is read once, what cannot be read is named, and the score that is played is found."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from musicxml_pages import note, page
from score_library import played, write_library, write_notes, write_score
from tocco.errors import InputError
from tocco.music.score import load_score
from tocco.music.score_finding import ScoreFolder, open_score_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_library(tmp_path / "scores" / "deep", n=3)
    return tmp_path / "scores"


def opened(folder: Path) -> tuple[ScoreFolder, list[tuple[int, int]]]:
    read: list[tuple[int, int]] = []
    cache = folder.parent / "cache"
    return open_score_folder(folder, cache=cache, on_read=lambda *done: read.append(done)), read


def test_subfolders_are_read_and_other_files_are_not(folder: Path) -> None:
    (folder / "notes.txt").write_text("no score")
    write_score(folder / ".trash" / "old.mid", 9)
    scores, read = opened(folder)
    assert [path.name for path in scores.paths] == ["piece_0.mid", "piece_1.mid", "piece_2.mid"]
    assert scores.left_out == ()
    assert read == [(1, 3), (2, 3), (3, 3)]


def test_only_new_and_changed_files_are_read_again(folder: Path) -> None:
    first, _ = opened(folder)
    again, read = opened(folder)
    assert (again.key, read) == (first.key, [])
    write_score(folder / "deep" / "piece_1.mid", 77)
    write_score(folder / "new.mid", 78)
    os.utime(folder / "deep" / "piece_0.mid", (0, 0))
    changed, read = opened(folder)
    assert len(read) == 2
    assert len(changed.paths) == 4
    assert changed.key != first.key
    shutil.copy(folder / "deep" / "piece_0.mid", folder / "copy.mid")
    assert opened(folder)[1] == []


def test_what_was_cached_is_what_was_read(folder: Path) -> None:
    first, _ = opened(folder)
    again, _ = opened(folder)
    take = played(load_score(first.paths[2]), wrong=0.05)
    assert first.search(take) == again.search(take)
    assert first.indexed(1).bar_name == load_score(first.paths[1]).bar_name


def test_a_score_that_cannot_be_read_is_named_and_left_out(folder: Path) -> None:
    (folder / "broken.musicxml").write_text("<score-partwise><part>")
    shutil.copy(folder / "deep" / "piece_0.mid", folder / "same.mid")
    for _ in range(2):
        scores, _ = opened(folder)
        reasons = {one.path.name: one.reason for one in scores.left_out}
        assert set(reasons) == {"broken.musicxml", "same.mid"}
        assert reasons["broken.musicxml"]
        assert reasons["same.mid"] == "is the same file as piece_0.mid"
        assert len(scores.paths) == 3


def test_the_score_is_found_with_its_bars(folder: Path) -> None:
    scores, _ = opened(folder)
    found = scores.search(played(load_score(scores.paths[1])))
    assert (found.path, found.n_scores, found.reason) == (scores.paths[1], 3, "")
    assert found.bars is not None
    assert int(found.bars[0]) <= 2
    assert int(found.bars[1]) >= 14


def test_music_of_no_score_is_said(folder: Path, tmp_path: Path) -> None:
    scores, _ = opened(folder)
    take = played(load_score(write_score(tmp_path / "other.mid", 50)))
    found = scores.search(take)
    assert (found.path, found.bars, found.key) == (None, None, scores.key)
    assert found.reason == "none of the 3 scores in scores fits"


def test_of_the_same_music_notation_is_taken_and_the_other_named(tmp_path: Path) -> None:
    pitches = ["C4", "E4", "G4", "C5", "B4", "G4", "A4", "F4"]
    bars = [
        "".join(note(pitches[(3 * bar + bar * bar + k * (1 + bar % 3)) % 8]) for k in range(4))
        for bar in range(8)
    ]
    folder = tmp_path / "scores"
    folder.mkdir()
    (folder / "b.musicxml").write_text(page(*bars))
    score = load_score(folder / "b.musicxml")
    write_notes(folder / "a.mid", zip(score.onset_beat, score.duration_beat, score.pitch, strict=True))
    scores, _ = opened(folder)
    found = scores.search(played(score))
    assert found.path == folder / "b.musicxml"
    assert found.alike == (folder / "a.mid",)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.write_text("x"), "is not a folder"),
        (lambda path: path.mkdir(), "has no score that can be read"),
    ],
)
def test_what_is_no_folder_of_scores_is_refused(tmp_path: Path, make: object, said: str) -> None:
    make(tmp_path / "scores")  # type: ignore[operator]
    with pytest.raises(InputError, match=said):
        open_score_folder(tmp_path / "scores", cache=tmp_path / "cache")


def test_a_folder_of_broken_scores_says_why(tmp_path: Path) -> None:
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "a.musicxml").write_text("nothing")
    with pytest.raises(InputError, match=r"has no score that can be read \(a.musicxml: "):
        open_score_folder(tmp_path / "scores", cache=tmp_path / "cache")

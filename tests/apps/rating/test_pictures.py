"""What is drawn of a segment: nothing in it says what was wrong, and the score is in time."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import numpy as np
import pytest

import tocco
from rating_example import MINUET, SECONDS, short_project
from tocco.apps.rating.materials import Materials, draw_in_child
from tocco.apps.rating.pictures import VERSION, WIDTH, pictures_path, write_pictures
from tocco.apps.rating.score_following import NOT_FOLLOWED, score_of
from tocco.data.records import LabelRecord
from tocco.errors import InputError
from tocco.labelling.project import Project
from tocco.music.midi import load_midi

PRELUDE = Path(tocco.__file__).parent / "examples" / "bach_prelude"


def record(**changes: object) -> LabelRecord:
    given = {
        "segment_id": "s",
        "piece_id": "p",
        "source": "test",
        "midi_path": MINUET / "minuet.mid",
        "score_path": MINUET / "minuet.musicxml",
        "start_time": 55.0,
        "end_time": 58.0,
        "labels": {},
    }
    return LabelRecord.model_validate({**given, **changes})


@pytest.fixture
def project(tmp_path: Path, drawn: Path) -> Project:
    made = short_project(tmp_path / "project")
    (tmp_path / "project" / "pictures").symlink_to(drawn / "pictures")
    (tmp_path / "project" / "clips").symlink_to(drawn / "clips")
    return made


def test_every_printed_note_sounds_when_it_is_played(project: Project) -> None:
    segment = "secret_segment_1"
    score = Materials(project).pictures(segment)["score"]
    starts = np.array(score["events"][1::4]) / 1000.0
    onsets = load_midi(MINUET / "minuet.mid").onset_sec
    inside = onsets[(onsets >= SECONDS) & (onsets < 2 * SECONDS)] - SECONDS
    assert len(starts) == len(inside)
    assert np.abs(np.sort(starts) - np.sort(inside)).max() < 0.001
    numbers = {int(one) for one in re.findall(r'data-n="(\d+)"', score["svg"])}
    assert set(score["events"][::4]) <= numbers
    assert score["remark"] == ""


def test_a_wrong_note_is_not_marked() -> None:
    # The minuet has a wrong note at 56.6 s.
    score = score_of(record())
    assert score is not None
    assert set(score["events"][3::4]) == {0}
    assert not re.search("wrong|missing|mark|played", score["svg"])
    assert len(score["events"]) >= 4 * 10


def test_only_the_bars_that_are_played_are_drawn() -> None:
    part = score_of(record(start_time=0.0, end_time=3.0))
    whole = score_of(record(start_time=0.0, end_time=40.0))
    assert part is not None
    assert whole is not None
    bars = [re.findall(r'class="bar-number">(\d+)<', one["svg"]) for one in (part, whole)]
    assert bars[0] == ["1", "2"]
    assert bars[1][:2] == ["1", "2"]
    assert len(bars[1]) > 10


@pytest.mark.parametrize(
    "changes",
    [
        {"midi_path": None, "audio_path": MINUET / "minuet.flac"},
        {"midi_path": PRELUDE / "prelude_fluent.mid"},
    ],
)
def test_a_score_that_cannot_be_followed_is_shown_and_says_so(changes: dict[str, object]) -> None:
    score = score_of(record(**changes))
    assert score is not None
    assert score["svg"].startswith("<svg")
    assert (score["events"], score["remark"]) == ([], NOT_FOLLOWED)


def test_without_a_score_there_is_none() -> None:
    assert score_of(record(score_path=None)) is None


def test_the_roll_has_every_note_at_its_place(project: Project) -> None:
    pictures = Materials(project).pictures("secret_segment_0")
    onset = load_midi(MINUET / "minuet.mid").onset_sec
    expected = np.sort(onset[onset < SECONDS]) * WIDTH / SECONDS
    paths = re.findall(r'class="note [^"]*" d="([^"]+)"', pictures["roll"])
    drawn_at = np.sort([float(one) for path in paths for one in re.findall(r"M([\d.]+) ", path)])
    assert np.abs(drawn_at - expected).max() < 0.1
    heights = {name: share for share, name in pictures["octaves"]}
    assert sorted(heights, key=heights.__getitem__) == ["C5", "C4"]
    assert "style=" not in "".join(pictures[name] for name in ("wave", "roll", "pedal"))


def test_the_file_of_pictures_shows_nothing_and_changes_with_its_sources(project: Project) -> None:
    paths = {pictures_path(project, one) for one in project.segments}
    assert len(paths) == len(project.segments)
    assert all(re.fullmatch(r"[0-9a-f]{24}\.json", one.name) for one in paths)
    assert VERSION >= 1


def test_a_segment_is_drawn_once_however_many_ask(tmp_path: Path, drawn: Path) -> None:
    project = short_project(tmp_path / "project")
    begun: list[str] = []

    def draw(given: Project, segment_id: str) -> None:
        begun.append(segment_id)
        path = pictures_path(given, segment_id)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes((drawn / "pictures" / path.name).read_bytes())

    materials = Materials(project, draw)
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(len(materials.pictures("secret_segment_0"))))
        for _ in range(8)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    materials.close()
    assert begun == ["secret_segment_0"]
    assert found == [5] * 8


def test_what_cannot_be_drawn_says_nothing_of_it_and_is_tried_again(tmp_path: Path) -> None:
    project = short_project(tmp_path / "project")
    tried: list[str] = []

    def draw(_: Project, segment_id: str) -> None:
        tried.append(segment_id)
        raise InputError("/secret/path/take.wav", "is silent")

    materials = Materials(project, draw)
    for _ in range(2):
        with pytest.raises(InputError) as caught:
            materials.pictures("secret_segment_0")
        assert "secret" not in str(caught.value)
    materials.close()
    assert len(tried) == 2


@pytest.mark.slow
def test_a_process_of_its_own_draws_the_same(tmp_path: Path, drawn: Path) -> None:
    project = short_project(tmp_path / "project", n=1)
    draw_in_child(project, "secret_segment_0")
    path = pictures_path(project, "secret_segment_0")
    assert path.read_bytes() == (drawn / "pictures" / path.name).read_bytes()
    path.unlink()
    write_pictures(project, "secret_segment_0")
    assert path.read_bytes() == (drawn / "pictures" / path.name).read_bytes()

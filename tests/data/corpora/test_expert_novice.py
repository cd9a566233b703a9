import tarfile
from pathlib import Path

import numpy as np
import pytest

from corpus import performance
from tocco.data.corpora.expert_novice import import_expert_novice, points_of_grade
from tocco.data.records import read_labels
from tocco.errors import InputError
from tocco.music.midi import save_midi

HEAD = "id,midi,score,piece,player,level,instructor1,instructor2,raters_mean,raters_n"


def write_table(root: Path, *lines: str, head: str = HEAD) -> None:
    (root / "takes.csv").write_text("\n".join([head, *lines]) + "\n")


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """Three takes of two pieces by two players."""
    root = tmp_path / "pack"
    (root / "midi").mkdir(parents=True)
    (root / "score").mkdir()
    for n, name in enumerate(("song-1", "song-2", "blues-1")):
        save_midi(
            performance(np.random.default_rng(n), velocity=60.0, jitter_sec=0.05),
            root / "midi" / f"{name}.mid",
        )
    for piece in ("song", "blues"):
        (root / "score" / f"{piece}.musicxml").write_text("<score-partwise/>")
    write_table(
        root,
        "song-1,midi/song-1.mid,score/song.musicxml,song,s1,beginner,4,5,3.5,6",
        "song-2,midi/song-2.mid,score/song.musicxml,song,s2,advanced,1,,2,5",
        "blues-1,midi/blues-1.mid,score/blues.musicxml,blues,s1,beginner,2,3,,",
    )
    return root


def test_grades_become_ratings_of_the_whole(pack: Path, tmp_path: Path) -> None:
    report = import_expert_novice(pack, tmp_path / "out")
    assert (report.n_records, report.n_pieces, report.n_performers, report.n_clusters) == (3, 2, 2, 2)
    records = {r.segment_id: r for r in read_labels(report.manifest_path, must_exist=True)}
    first = records["song-1"]
    assert first.labels == {"overall_quality": 87.5}
    assert first.label_sd == {"overall_quality": pytest.approx(25.0 / 2**0.5, abs=1e-3)}
    assert (first.n_raters, first.performer_id, first.origin) == (2, "s1", "transcribed")
    assert first.cluster_id == first.work_id == first.passage_id == first.piece_id == "song"
    second = records["song-2"]
    assert (second.labels, second.label_sd, second.n_raters) == ({"overall_quality": 0.0}, {}, 1)
    assert (tmp_path / "out/takes.csv").read_bytes() == (pack / "takes.csv").read_bytes()
    card = (tmp_path / "out/CORPUS.md").read_text()
    assert "CC BY-NC-SA" in card
    assert "ISMIR 2023" in card


def test_every_rater_has_a_file_of_their_own(pack: Path, tmp_path: Path) -> None:
    import_expert_novice(pack, tmp_path / "out")
    by_teacher = {r.segment_id: r for r in read_labels(tmp_path / "out/ratings.jsonl")}
    assert {name: r.labels["overall_quality"] for name, r in by_teacher.items()} == {
        "song-1__instructor1": 75.0,
        "song-1__instructor2": 100.0,
        "song-2__instructor1": 0.0,
        "blues-1__instructor1": 25.0,
        "blues-1__instructor2": 50.0,
    }
    assert by_teacher["song-1__instructor2"].source == "Expert-Novice instructor2"
    others = {r.segment_id: r for r in read_labels(tmp_path / "out/other_raters.jsonl")}
    assert {name: (r.labels["overall_quality"], r.n_raters) for name, r in others.items()} == {
        "song-1": (62.5, 6),
        "song-2": (25.0, 5),
    }


def test_an_archive_gives_the_same_and_so_does_a_second_run(pack: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "pack.tar", "w") as archive:
        archive.add(pack, "pack")
    import_expert_novice(pack, tmp_path / "out")
    once = (tmp_path / "out/performances.jsonl").read_bytes(), (tmp_path / "out/CORPUS.md").read_bytes()
    import_expert_novice(pack, tmp_path / "out")
    import_expert_novice(tmp_path / "pack.tar", tmp_path / "other")
    for folder in ("out", "other"):
        assert (tmp_path / folder / "performances.jsonl").read_bytes() == once[0]
        assert (tmp_path / folder / "CORPUS.md").read_bytes() == once[1]


def test_a_take_that_cannot_be_used_is_left_out_and_named(pack: Path, tmp_path: Path) -> None:
    (pack / "midi/song-1.mid").write_bytes(b"no MIDI")
    write_table(
        pack,
        "song-1,midi/song-1.mid,score/song.musicxml,song,s1,beginner,4,5,3.5,6",
        "song-2,midi/song-2.mid,score/song.musicxml,song,s2,advanced,,,2,5",
        "blues-1,midi/blues-1.mid,score/blues.musicxml,blues,s1,beginner,2,3,,",
    )
    report = import_expert_novice(pack, tmp_path / "out")
    assert report.n_records == 1
    reasons = {one.subject: one.reason for one in report.skipped}
    assert list(reasons) == ["song-1", "song-2"]
    assert reasons["song-2"] == "has no teacher's grade"
    assert str(tmp_path) not in reasons["song-1"]
    assert not (tmp_path / "out/other_raters.jsonl").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a,midi/song-1.mid,score/song.musicxml,song,s1,x,5.1,5,3,6", "instructor1 of 'a' is '5.1'"),
        ("a,midi/song-1.mid,score/song.musicxml,song,s1,x,good,5,3,6", "instructor1 of 'a' is 'good'"),
        ("a,midi/song-1.mid,score/song.musicxml,song,s1,x,0,5,3,6", "allowed: 1 to 5"),
        ("a,midi/song-1.mid,score/song.musicxml,song,s1,x,4,5,3,0", "raters_n of 'a' is '0'"),
        ("a,midi/none.mid,score/song.musicxml,song,s1,x,4,5,3,6", "does not exist"),
        ("a,../secret.mid,score/song.musicxml,song,s1,x,4,5,3,6", "lies outside the corpus"),
    ],
)
def test_a_line_that_is_wrong_is_refused(pack: Path, tmp_path: Path, line: str, message: str) -> None:
    write_table(pack, line)
    with pytest.raises(InputError, match=message):
        import_expert_novice(pack, tmp_path / "out")
    assert not (tmp_path / "out/performances.jsonl").exists()


def test_a_table_without_teachers_is_refused(pack: Path, tmp_path: Path) -> None:
    write_table(pack, "a,midi/song-1.mid,score/song.musicxml,song,s1", head="id,midi,score,piece,player")
    with pytest.raises(InputError, match="has no column instructor1"):
        import_expert_novice(pack, tmp_path / "out")


def test_the_ends_of_the_scale() -> None:
    assert [points_of_grade(grade) for grade in (1.0, 3.0, 5.0)] == [0.0, 50.0, 100.0]

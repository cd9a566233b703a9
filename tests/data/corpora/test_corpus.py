import hashlib
import io
import subprocess
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocco.data.corpora.annotations import (
    Annotation,
    Beats,
    annotation_bytes,
    read_annotation,
    write_annotation,
)
from tocco.data.corpora.corpus import Skipped, check_score, content_sha256, grouped, inside, read_table
from tocco.data.corpora.opening import opened_source
from tocco.data.duplicates import Overlap, clusters, overlaps, written_runs
from tocco.errors import InputError
from tocco.music.performance import PedalCurve, Performance


def test_the_checksum_is_that_of_sha256sum(tmp_path):
    for name, content in (("b.txt", b"two"), ("a.txt", b"one")):
        (tmp_path / name).write_bytes(content)
    listing = subprocess.run(
        ["sha256sum", "a.txt", "b.txt"], cwd=tmp_path, capture_output=True, check=True
    ).stdout
    digests = {n: hashlib.sha256((tmp_path / n).read_bytes()).hexdigest() for n in ("b.txt", "a.txt")}
    assert content_sha256(digests) == hashlib.sha256(listing).hexdigest()


def test_many_of_one_reason_are_one_line():
    lines = grouped([*(Skipped(f"{n}.mid", "is empty") for n in range(4)), Skipped("x.mid", "is broken")])
    assert lines == ("4 x is empty: 0.mid, 1.mid, 2.mid, ...", "x.mid: is broken")


@pytest.mark.parametrize(
    ("content", "fits"),
    [
        (b"<?xml version='1.0'?><!-- a --><score-partwise version='4.0'>", True),
        ("<?xml version='1.0' encoding='UTF-16'?><score-timewise>".encode("utf-16"), True),
        (b"MThd\0\0\0\6", True),
        (b"PK\3\4", True),
        (b"<html>", False),
        (b"<score-partwisely/>", False),
        (b"", False),
    ],
)
def test_a_score_begins_like_one(tmp_path, content, fits):
    path = tmp_path / "score.xml"
    path.write_bytes(content)
    if fits:
        check_score(path, parse=False)
    else:
        with pytest.raises(InputError, match=r"score\.xml"):
            check_score(path, parse=False)


def test_rows_know_their_line(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('id,text\na,"one\ntwo"\nb,three\n')
    assert read_table(path, ["id"]) == [
        (3, {"id": "a", "text": "one\ntwo"}),
        (4, {"id": "b", "text": "three"}),
    ]
    path.write_text("id,text\na\n")
    with pytest.raises(InputError, match="line 2: does not have 2 cells"):
        read_table(path, ["id"])
    path.write_bytes(b"id\n\xff\n")
    with pytest.raises(InputError, match="not valid CSV"):
        read_table(path, ["id"])


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "a/../../secret"])
def test_a_path_that_leaves_the_corpus_is_refused(tmp_path, name):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "secret").write_text("s")
    with pytest.raises(InputError, match="lies outside the corpus"):
        inside(tmp_path / "corpus", name, "table, line 2")


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def test_an_archive_is_opened_and_tidied_away(tmp_path):
    path = archive(tmp_path / "c.tar.gz", {"c/mark": b"m", "c/a/b.txt": b"b"})
    with opened_source(path, "mark") as root:
        assert (root / "a/b.txt").read_bytes() == b"b"
    assert not root.exists()


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"../evil": b"e", "mark": b"m"}, "not safe to unpack"),
        ({"c/other": b"m"}, "has no folders with 'mark'"),
        ({"c/mark": b"m", "d/mark": b"m"}, "has 2 folders with 'mark'"),
    ],
)
def test_an_archive_that_cannot_be_used_is_refused(tmp_path, members, said):
    path = archive(tmp_path / "c.tar.gz", members)
    with pytest.raises(InputError, match=said), opened_source(path, "mark"):
        pass
    assert not (tmp_path / "evil").exists()


def test_a_broken_archive_is_refused(tmp_path):
    path = archive(tmp_path / "c.tar.gz", {"c/mark": bytes(np.random.default_rng(0).bytes(5_000))})
    path.write_bytes(path.read_bytes()[:2_000])
    said = r"c\.tar\.gz: is not a readable tar archive \(allowed: a folder, \.tar, "
    with pytest.raises(InputError, match=said), opened_source(path, "mark"):
        pass


def score(pitch: np.ndarray, step_sec: float = 0.5) -> Performance:
    onset = step_sec * np.arange(len(pitch))
    return Performance(
        onset, onset + 0.1, pitch, np.full(len(pitch), 64), PedalCurve(), PedalCurve(), PedalCurve(), 99.0
    )


def test_repeats_and_tempo_do_not_hide_the_same_music(rng):
    tune, other = rng.integers(40, 90, (2, 80))
    runs = {
        "tune": written_runs(score(tune)),
        "repeated": written_runs(score(np.concatenate([tune, tune]), 0.2)),
        "other": written_runs(score(other)),
        "short": written_runs(score(tune[:5])),
    }
    assert overlaps(runs, 0.3) == (Overlap("repeated", "tune", 1.0),)


def test_the_share_is_of_the_shorter():
    runs = {"a": np.arange(10, dtype=np.uint64), "b": np.arange(8, 108, dtype=np.uint64)}
    assert overlaps(runs, 0.2) == (Overlap("a", "b", 0.2),)
    assert overlaps(runs, 0.21) == ()


names = st.sampled_from("abcdefgh")


@given(st.lists(st.tuples(names, names), max_size=12))
def test_clusters_are_closed_under_links(links):
    group = clusters("abcdefgh", links)
    assert all(group[a] == group[b] for a, b in links)
    for name, first in group.items():
        assert group[first] == first <= name
    linked = {name for pair in links for name in pair}
    assert all(group[name] == name for name in set("abcdefgh") - linked)


def test_annotations_come_back_as_they_were(tmp_path):
    annotation = Annotation(
        segment_id="a",
        composer="Bach",
        title="Air",
        source_file="a.mid",
        duration_sec=9.5,
        beats=Beats(beat_sec=(0.1, 1 / 3), downbeat_sec=(0.1,)),
    )
    write_annotation(annotation, tmp_path / "a.json")
    assert read_annotation(tmp_path / "a.json") == annotation
    assert (tmp_path / "a.json").read_bytes() == annotation_bytes(annotation)
    (tmp_path / "a.json").write_text('{"segment_id": "a"}')
    with pytest.raises(InputError, match="composer"):
        read_annotation(tmp_path / "a.json")


def test_a_downbeat_is_a_beat_and_beats_ascend():
    with pytest.raises(ValueError, match="which is not a beat"):
        Beats(beat_sec=(0.0, 1.0), downbeat_sec=(0.5,))
    with pytest.raises(ValueError, match="does not ascend"):
        Beats(beat_sec=(1.0, 1.0), downbeat_sec=())

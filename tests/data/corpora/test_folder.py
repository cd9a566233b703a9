import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tocco.data.corpora.folder import import_folder
from tocco.data.records import read_labels
from tocco.errors import InputError, OutputError
from tocco.music.midi import save_midi
from tocco.music.performance import PedalCurve, Performance

PEDALS = (PedalCurve(), PedalCurve(), PedalCurve())


def write_midi(path: Path, seed: int, n_notes: int = 30) -> None:
    rng = np.random.default_rng(seed)
    onset = 0.2 + np.cumsum(rng.uniform(0.1, 0.5, n_notes))
    path.parent.mkdir(parents=True, exist_ok=True)
    save_midi(
        Performance(
            onset,
            onset + 0.1,
            rng.integers(40, 90, n_notes),
            np.full(n_notes, 64),
            *PEDALS,
            float(onset[-1] + 0.1),
        ),
        path,
    )


def write_audio(path: Path, seconds: float = 2.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(int(seconds * 8_000)) / 8_000
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * 440 * time), 8_000)


@pytest.fixture
def own(tmp_path) -> Path:
    folder = tmp_path / "own"
    write_midi(folder / "lesson/Take1.mid", 1)
    write_audio(folder / "lesson/take1.WAV")
    (folder / "lesson/take1.musicxml").write_text("<score-partwise/>")
    write_midi(folder / "lesson/take2.mid", 2)
    write_midi(folder / "lesson/take2_score.mid", 3)
    write_audio(folder / "take1.flac", 3.0)
    (folder / "notes.txt").write_text("well played")
    (folder / ".hidden.mid").write_bytes(b"no")
    return folder


def skipped(report) -> dict[str, str]:
    return {item.subject: item.reason for item in report.skipped}


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_files_of_one_folder_and_name_are_one_performance(own, tmp_path):
    report = import_folder(own, tmp_path / "out", licence="ours")
    by_id = {r.segment_id: r for r in read_labels(report.manifest_path, must_exist=True)}
    assert sorted(by_id) == ["lesson_take1", "lesson_take2", "take1"]
    one, two, three = by_id["lesson_take1"], by_id["lesson_take2"], by_id["take1"]
    out = tmp_path / "out"
    assert (one.audio_path, one.midi_path) == (out / "audio/lesson_take1.wav", out / "midi/lesson_take1.mid")
    assert one.score_path == out / "score/lesson_take1.musicxml"
    assert (two.audio_path, two.score_path) == (None, out / "score/lesson_take2.mid")
    assert (three.midi_path, three.score_path, three.labels) == (None, None, {})
    assert skipped(report) == {"notes.txt": "is no audio, MIDI or score (.txt)"}
    assert (out / "midi/lesson_take1.mid").read_bytes() == (own / "lesson/Take1.mid").read_bytes()
    assert "Licence: ours" in (out / "CORPUS.md").read_text()
    once = tree(out)
    import_folder(own, out, licence="ours")
    assert tree(out) == once


def test_ambiguous_pairs_are_left_out_and_both_are_named(own, tmp_path):
    write_audio(own / "lesson/take1.flac")
    (own / "lesson/take2.xml").write_text("<score-partwise/>")
    report = import_folder(own, tmp_path / "out")
    reasons = skipped(report)
    assert (
        reasons["lesson/take1.WAV and lesson/take1.flac"] == "are 2 files of one kind (audio) under one name"
    )
    assert "one kind (score)" in reasons["lesson/take2.xml and lesson/take2_score.mid"]
    assert report.n_records == 1


def test_what_cannot_be_used_is_left_out(own, tmp_path):
    (own / "lesson/Take1.mid").write_bytes(b"no")
    (own / "alone.musicxml").write_text("<score-partwise/>")
    (own / "take1.flac").write_bytes(b"no")
    report = import_folder(own, tmp_path / "out")
    reasons = skipped(report)
    assert "is no MIDI file" in reasons["lesson/take1"]
    assert reasons["alone.musicxml"] == "is a score without a performance of its name"
    assert "take1" in reasons
    assert report.n_records == 1


def test_one_take_under_two_names_is_kept_once(own, tmp_path):
    (own / "copy.mid").write_bytes((own / "lesson/take2.mid").read_bytes())
    report = import_folder(own, tmp_path / "out")
    assert skipped(report)["lesson_take2"] == "shares 100 % of its notes and their times with copy: one take"


def test_names_that_become_one_are_left_out(own, tmp_path):
    write_midi(own / "lesson_take2.mid", 9)
    report = import_folder(own, tmp_path / "out")
    assert "has the same id 'lesson_take2'" in skipped(report)["lesson_take2"]
    assert "has the same id 'lesson_take2'" in skipped(report)["lesson/take2"]


def test_who_plays_from_the_same_score_is_in_one_cluster(own, tmp_path):
    write_midi(own / "b.mid", 5)
    (own / "b.musicxml").write_text("<score-partwise/>")
    records = read_labels(import_folder(own, tmp_path / "out").manifest_path)
    cluster = {r.segment_id: r.cluster_id for r in records}
    assert cluster["b"] == cluster["lesson_take1"] != cluster["lesson_take2"]


def table(own: Path, *rows: str, header: str = "id,audio,midi,score,piece,performer,phrasing") -> Path:
    path = own / "takes.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_a_csv_says_what_belongs_together(own, tmp_path):
    path = table(
        own,
        "a,lesson/take1.WAV,lesson/Take1.mid,,Waltz,Ann,62.5",
        "b,,lesson/take2.mid,lesson/take2_score.mid,Waltz,Ben,",
        "c,take1.flac,,,,,0",
    )
    report = import_folder(path, tmp_path / "out", name="lessons")
    a, b, c = read_labels(report.manifest_path, must_exist=True)
    assert (a.piece_id, a.performer_id, a.labels, a.source) == ("Waltz", "Ann", {"phrasing": 62.5}, "lessons")
    assert (b.cluster_id, b.labels) == (a.cluster_id, {})
    assert (c.piece_id, c.performer_id, c.labels) == ("c", None, {"phrasing": 0.0})
    assert report.skipped == ()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["a,,lesson/take2.mid,,,,101"], r"line 2: phrasing is '101' \(allowed: 0 to 100\)"),
        (["a,,lesson/take2.mid,,,,nan"], "line 2: phrasing is 'nan'"),
        (["a,,lesson/take2.mid,,,,good"], "line 2: phrasing is 'good'"),
        (["a,,lesson/take9.mid,,,,"], r"line 2: midi .*take9\.mid' is not a file"),
        (["a,,,,,,50"], "line 2: audio and midi are both empty"),
        (["../a,,lesson/take2.mid,,,,"], "line 2: id '../a' cannot name a file"),
        (["a,,lesson/take2.mid,,,,", "A,,lesson/Take1.mid,,,,"], "line 3: id 'A' is already used in line 2"),
        (["a,,lesson/take2.mid,,,"], "line 2: does not have 7 cells"),
        (["a,,notes.txt,,,,"], r"line 2, .*notes\.txt: is no MIDI file"),
        (["a,notes.txt,,,,,"], r"line 2, .*notes\.txt: "),
        (["a,,lesson/take2.mid,notes.txt,,,"], r"line 2, .*notes\.txt: does not begin like a score"),
    ],
)
def test_a_wrong_row_is_named(own, tmp_path, rows, said):
    with pytest.raises(InputError, match=said) as caught:
        import_folder(table(own, *rows), tmp_path / "out")
    assert "takes.csv, line" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_wrong_column_is_named(own, tmp_path):
    path = table(own, "a,,lesson/take2.mid,,50", header="id,audio,midi,score,phrasng")
    with pytest.raises(InputError, match="did you mean 'phrasing'"):
        import_folder(path, tmp_path / "out")


def test_a_source_without_performances_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="has no usable performance"):
        import_folder(tmp_path / "empty", tmp_path / "out")
    with pytest.raises(InputError, match="does not exist"):
        import_folder(tmp_path / "nowhere", tmp_path / "out")


@pytest.mark.parametrize("here", [True, False])
def test_an_output_named_from_where_one_stands(own, tmp_path, monkeypatch, here):
    import_folder(own, tmp_path / "whole", name="own")
    (tmp_path / "stand").mkdir()
    monkeypatch.chdir(tmp_path / "stand")
    report = import_folder(Path("../own"), Path("." if here else "out"), name="own")
    assert report.manifest_path == Path("performances.jsonl" if here else "out/performances.jsonl")
    assert tree(Path("." if here else "out")) == tree(tmp_path / "whole")


def test_an_output_that_cannot_be_written_is_told_before_anything_is_read(own, tmp_path):
    (tmp_path / "taken").write_text("mine")
    seen: list[int] = []
    with pytest.raises(OutputError, match=r"taken: is no folder"):
        import_folder(own, tmp_path / "taken", on_progress=lambda done, total: seen.append(done))
    assert seen == []
    assert (tmp_path / "taken").read_text() == "mine"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("", r"is empty \(allowed: a CSV with a line of column names\)"),
        ("id;audio;midi", r"has no column 'id', only 'id;audio;midi'\. Next: .* commas between them"),
        ("id,midi,note_accuracy,note_accuracy", r"has the column 'note_accuracy' twice"),
    ],
)
def test_a_table_says_what_is_wrong_with_its_columns(tmp_path, header, said):
    table = tmp_path / "own.csv"
    table.write_text(f"{header}\na,take.mid,50,60\n" if header else "")
    write_midi(tmp_path / "take.mid", 1)
    with pytest.raises(InputError, match=said):
        import_folder(table, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to the superuser")
def test_a_closed_folder_is_told_before_anything_is_read(own, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(OutputError, match=r"closed: may not be written to"):
        import_folder(own, tmp_path / "closed/out")

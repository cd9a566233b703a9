import csv
import hashlib
import tarfile
from pathlib import Path

import numpy as np
import pytest

from tocco.data.corpora.annotations import read_annotation
from tocco.data.corpora.asap import import_asap
from tocco.data.corpora.asap_format import performer_of, read_beats, recording_of, work_of
from tocco.data.records import read_labels
from tocco.data.splits import assert_disjoint
from tocco.errors import InputError, OutputError
from tocco.music.midi import save_midi
from tocco.music.performance import PedalCurve, Performance

N_BEATS = 24
PEDALS = (PedalCurve(), PedalCurve(), PedalCurve())
MARCH, WALTZ = np.random.default_rng(1).integers(50, 80, (2, N_BEATS))
COLUMNS = (
    *("composer", "title", "folder", "xml_score", "midi_score", "midi_performance"),
    *("performance_annotations", "midi_score_annotations", "maestro_midi_performance"),
    *("maestro_audio_performance", "start", "end", "audio_performance"),
)


def played(pitch: np.ndarray, onset: np.ndarray) -> Performance:
    return Performance(
        onset, onset + 0.2, pitch, np.full(len(pitch), 70), *PEDALS, duration_sec=float(onset[-1] + 0.2)
    )


def write_take(path: Path, pitch: np.ndarray, onset: np.ndarray, first_label: str = "db,3/4,-2") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_midi(played(pitch, onset), path)
    labels = [first_label, *("db" if n % 3 == 0 else "b" for n in range(1, len(onset)))]
    lines = [f"{t:.6f}\t{t:.6f}\t{label}\n" for t, label in zip(onset, labels, strict=True)]
    path.with_name(f"{path.stem}_annotations.txt").write_text("".join(lines))


@pytest.fixture
def asap(tmp_path, rng) -> Path:
    """A march in two versions by three takes and a copy of one, and a waltz without MusicXML by one."""
    root = tmp_path / "asap"
    rows = []

    def piece(composer: str, title: str, folder: str, pitch: np.ndarray, takes: list[str]) -> None:
        write_take(root / folder / "midi_score.mid", pitch, 0.5 * np.arange(len(pitch)))
        for take in takes:
            jitter = np.abs(rng.normal(0, 0.05, len(pitch)))
            write_take(root / folder / f"{take}.mid", pitch, 0.3 + 0.6 * np.arange(len(pitch)) + jitter)
            rows.append(
                {"composer": composer, "title": title, "folder": folder}
                | {"xml_score": f"{folder}/xml_score.musicxml", "midi_score": f"{folder}/midi_score.mid"}
                | {"midi_performance": f"{folder}/{take}.mid"}
                | {"performance_annotations": f"{folder}/{take}_annotations.txt"}
                | {"midi_score_annotations": f"{folder}/midi_score_annotations.txt"}
            )

    piece("Bach", "Sonata_2_1st", "Bach/March", MARCH, ["LEE_K01", "Tan02M"])
    piece("Bach", "Sonata_2_1st", "Bach/March_repeat", np.concatenate([MARCH, MARCH]), ["Cui03", "Copy01"])
    piece("Haydn", "Waltz", "Haydn/Waltz", WALTZ, ["Tan05"])
    for folder in ("Bach/March", "Bach/March_repeat"):
        (root / folder / "xml_score.musicxml").write_text('<?xml version="1.0"?>\n<score-partwise/>')
    rows[1] |= {"maestro_midi_performance": "{maestro}/2006/a.midi", "start": "2.5"}
    rows[1] |= {"maestro_audio_performance": "{maestro}/2006/a.wav", "end": ""}
    # The same take again under another name, moved by a second.
    onset = np.loadtxt(root / "Bach/March/LEE_K01_annotations.txt", usecols=0, delimiter="\t", dtype=float)
    write_take(root / "Bach/March_repeat/Copy01.mid", MARCH, onset + 1.0)
    (root / "LICENSE.md").write_text("CC BY-NC-SA\n")
    write_table(root, rows)
    return root


def write_table(root: Path, rows: list[dict[str, str]]) -> None:
    with (root / "metadata.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(rows)


def rows_of(root: Path) -> list[dict[str, str]]:
    with (root / "metadata.csv").open() as stream:
        return list(csv.DictReader(stream))


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_versions_of_a_piece_share_a_cluster_and_copies_are_named(asap, tmp_path):
    report = import_asap(asap, tmp_path / "out")
    assert (report.n_records, report.n_pieces, report.n_performers, report.n_clusters) == (4, 2, 3, 2)
    by_id = {r.segment_id: r for r in read_labels(report.manifest_path, must_exist=True)}
    assert sorted(by_id) == [
        "Bach_March_LEE_K01",
        "Bach_March_Tan02M",
        "Bach_March_repeat_Cui03",
        "Haydn_Waltz_Tan05",
    ]
    lee, cui, waltz = (
        by_id[n] for n in ("Bach_March_LEE_K01", "Bach_March_repeat_Cui03", "Haydn_Waltz_Tan05")
    )
    assert lee.cluster_id == cui.cluster_id != waltz.cluster_id
    assert lee.passage_id != cui.passage_id
    assert lee.piece_id == cui.piece_id == "Bach_Sonata_2_1st"
    assert (lee.work_id, lee.performer_id, lee.labels, lee.source) == ("Bach_Sonata_2", "leek", {}, "ASAP")
    assert {(s.subject, s.reason) for s in report.skipped} == {
        ("Haydn/Waltz/xml_score.musicxml", "the table names this score, the source lacks it"),
        ("Bach/March_repeat/Copy01.mid", "is the same take as Bach/March/LEE_K01.mid, note for note"),
    }
    assert_disjoint([lee, cui], [waltz])
    with pytest.raises(InputError, match="share the cluster"):
        assert_disjoint([lee], [cui])


def test_other_titles_with_the_same_notes_are_one_cluster(asap, tmp_path):
    rows = rows_of(asap)
    for row in rows[2:4]:
        row["title"] = "March_complete"
    write_table(asap, rows)
    report = import_asap(asap, tmp_path / "out")
    assert (report.n_pieces, report.n_clusters) == (3, 2)


def test_beats_stand_beside_the_performance(asap, tmp_path):
    report = import_asap(asap, tmp_path / "out")
    by_id = {r.segment_id: r for r in read_labels(report.manifest_path)}
    record = by_id["Bach_March_Tan02M"]
    assert record.annotation_path is not None
    assert record.score_path == tmp_path / "out/score/Bach_March.mid"
    note = read_annotation(record.annotation_path)
    onset = np.loadtxt(asap / "Bach/March/Tan02M_annotations.txt", usecols=0, delimiter="\t", dtype=float)
    assert note.beats is not None
    assert note.score_beats is not None
    assert np.array_equal(note.beats.beat_sec, onset)
    assert np.array_equal(note.beats.downbeat_sec, onset[::3])
    assert note.score_beats.beat_sec == tuple(0.5 * n for n in range(N_BEATS))
    metre, key = note.beats.time_signatures[0], note.beats.key_signatures[0]
    assert (metre.start_sec, metre.numerator, metre.denominator, key.sharps) == (onset[0], 3, 4, -2)
    assert note.is_beat_aligned
    assert note.score_xml == "score/Bach_March.musicxml"
    assert note.recording is not None
    assert (note.recording.audio, note.recording.start_sec, note.recording.end_sec) == (
        "2006/a.wav",
        2.5,
        None,
    )
    assert (note.composer, note.title, note.source_file) == ("Bach", "Sonata_2_1st", "Bach/March/Tan02M.mid")
    other = read_annotation(tmp_path / "out/annotations/Haydn_Waltz_Tan05.json")
    assert other.recording is None
    assert other.score_xml is None


def test_folder_and_archive_and_a_second_run_give_the_same_bytes(asap, tmp_path):
    import_asap(asap, tmp_path / "one")
    once = tree(tmp_path / "one")
    import_asap(asap, tmp_path / "one")
    assert tree(tmp_path / "one") == once
    with tarfile.open(tmp_path / "asap.tar.xz", "w:xz") as tar:
        tar.add(asap, "asap")
    import_asap(tmp_path / "asap.tar.xz", tmp_path / "two")
    assert tree(tmp_path / "two") == once
    for line in once["checksums.sha256"].decode().splitlines():
        digest, name = line.split("  ")
        assert digest == hashlib.sha256(once[name]).hexdigest()
    listed = {line.split("  ")[1] for line in once["checksums.sha256"].decode().splitlines()}
    assert set(once) - listed == {"checksums.sha256", "CORPUS.md", "performances.jsonl"}
    assert "CC BY-NC-SA 4.0" in once["CORPUS.md"].decode()


def test_an_import_that_stopped_goes_on(asap, tmp_path):
    import_asap(asap, tmp_path / "whole")
    out = tmp_path / "out"
    (out / "midi").mkdir(parents=True)
    (out / "midi/Bach_March_LEE_K01.mid").write_bytes(b"half a fi")
    seen: list[tuple[int, int]] = []
    import_asap(asap, out, on_progress=lambda done, n: seen.append((done, n)))
    assert tree(out) == tree(tmp_path / "whole")
    assert seen == [(n, 5) for n in range(1, 6)]


def test_the_better_annotated_copy_is_kept(asap, tmp_path):
    path = asap / "Bach/March/LEE_K01_annotations.txt"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    report = import_asap(asap, tmp_path / "out")
    names = {record.segment_id for record in read_labels(report.manifest_path)}
    # Neither pairs up with its score now; neither is recorded; the first by name is kept.
    assert "Bach_March_LEE_K01" in names
    rows = rows_of(asap)
    rows[3] |= {
        "maestro_midi_performance": "{maestro}/b.midi",
        "maestro_audio_performance": "{maestro}/b.wav",
    }
    write_table(asap, rows)
    report = import_asap(asap, tmp_path / "again")
    names = {record.segment_id for record in read_labels(report.manifest_path)}
    assert "Bach_March_repeat_Copy01" in names
    assert "Bach_March_LEE_K01" not in names


@pytest.mark.parametrize(
    ("name", "content", "subject", "said"),
    [
        ("Bach/March/Tan02M.mid", b"no", "Bach/March/Tan02M.mid", "is no MIDI file"),
        ("Bach/March/Tan02M_annotations.txt", b"1.0\t1.0\tbeat\n", "Bach/March/Tan02M.mid", "label 'beat'"),
        ("Bach/March/Tan02M_annotations.txt", b"1.0 1.0 b\n", "Bach/March/Tan02M.mid", "'1.0 1.0 b'"),
        ("Bach/March/Tan02M_annotations.txt", b"2\t2\tb\n1\t1\tb\n", "Bach/March/Tan02M.mid", "not ascend"),
        ("Bach/March/Tan02M_annotations.txt", b"900\t900\tb\n", "Bach/March/Tan02M.mid", "at 900.0 s"),
        ("Bach/March/Tan02M_annotations.txt", b"", "Bach/March/Tan02M.mid", "last beat at 0.0 s"),
        ("Bach/March/Tan02M_annotations.txt", b"\xff", "Bach/March/Tan02M.mid", "not UTF-8"),
        ("Bach/March/xml_score.musicxml", b"<html/>", "Bach/March/xml_score.musicxml", "not begin like"),
        ("Haydn/Waltz/midi_score.mid", b"no", "Haydn/Waltz", "is no MIDI file"),
    ],
)
def test_what_cannot_be_used_is_left_out_and_named(asap, tmp_path, name, content, subject, said):
    (asap / name).write_bytes(content)
    report = import_asap(asap, tmp_path / "out")
    reasons = {item.subject: item.reason for item in report.skipped}
    assert said in reasons[subject]
    assert str(tmp_path) not in reasons[subject]
    assert report.n_records == (4 if "xml" in name else 3)


def test_a_missing_file_and_one_outside_are_left_out(asap, tmp_path):
    (asap / "Bach/March/Tan02M.mid").unlink()
    rows = rows_of(asap)
    rows[2]["midi_performance"] = "../../etc/passwd"
    write_table(asap, rows)
    report = import_asap(asap, tmp_path / "out")
    reasons = {item.subject: item.reason for item in report.skipped}
    assert "which does not exist" in reasons["Bach/March/Tan02M.mid"]
    assert "lies outside the corpus" in reasons["../../etc/passwd"]


def test_scores_are_read_as_music_on_request(asap, tmp_path):
    import_asap(asap, tmp_path / "quick")
    report = import_asap(asap, tmp_path / "thorough", check_scores=True)
    assert sum("xml_score" in item.subject for item in report.skipped) == 3
    assert report.n_records == 4
    assert not list((tmp_path / "thorough/score").glob("*.musicxml"))


def test_wrong_sources_and_targets_are_refused(asap, tmp_path):
    before = tree(asap)
    with pytest.raises(OutputError, match="inside the source"):
        import_asap(asap, asap / "out")
    assert tree(asap) == before
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"has no folders with 'metadata\.csv'"):
        import_asap(tmp_path / "empty", tmp_path / "out")
    (asap / "metadata.csv").write_text("composer,title\nBach,March\n")
    with pytest.raises(InputError, match="has no column 'folder'"):
        import_asap(asap, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("stem", "name"),
    [("Shi05M", "shi"), ("Bult-ItoS02M", "bult-itos"), ("WongDoe02_2009", "wongdoe"), ("KIM_J04", "kimj")],
)
def test_players_are_read_off_file_names(stem, name):
    assert performer_of(stem) == name


def test_movements_belong_to_a_work():
    assert work_of("Schubert", "Piano_Sonatas_894-2") == work_of("Schubert", "Piano_Sonatas_894-1")
    assert work_of("Bach", "Prelude_bwv_846") == work_of("Bach", "Fugue_bwv_846")
    assert work_of("Schumann", "Toccata_repeat") == work_of("Schumann", "Toccata")
    assert work_of("Chopin", "Ballade_2") != work_of("Liszt", "Ballade_2")


def test_rough_beats_are_distinguished(tmp_path):
    (tmp_path / "a.txt").write_text("0.5\t0.5\tdb,6/8\n1\t1\tbR\n1.5\t1.5\tb,,3\n")
    beats = read_beats(tmp_path / "a.txt")
    assert (beats.beat_sec, beats.downbeat_sec, beats.rough_beat_sec) == ((0.5, 1.0, 1.5), (0.5,), (1.0,))
    assert [(k.start_sec, k.sharps) for k in beats.key_signatures] == [(1.5, 3)]


def test_a_recording_with_a_time_that_is_none_is_refused():
    cells = {"maestro_audio_performance": "{maestro}/a.wav", "maestro_midi_performance": "{maestro}/a.midi"}
    with pytest.raises(InputError, match="start 'soon'"):
        recording_of(cells | {"midi_performance": "a.mid", "start": "soon", "end": ""})


@pytest.mark.data
@pytest.mark.slow
def test_the_real_data_set(corpus_dir, tmp_path):
    report = import_asap(corpus_dir / "asap.tar.xz", tmp_path / "out")
    assert (report.n_records, report.n_pieces, report.n_clusters) == (1007, 210, 209)
    assert len(report.skipped) == 4
    assert report.duration_sec / 3600 == pytest.approx(86.56, abs=0.01)
    records = read_labels(report.manifest_path, must_exist=True)
    toccata = {r.cluster_id for r in records if "Toccata" in r.piece_id}
    assert toccata == {"Schumann_Toccata"}
    aligned = [read_annotation(r.annotation_path).is_beat_aligned for r in records if r.annotation_path]
    assert len(aligned) == 1007
    assert 0.95 < np.mean(np.array(aligned, dtype=float)) < 1.0

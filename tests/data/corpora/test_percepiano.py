import csv
import gzip
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import symusic

from tocco.data.corpora.percepiano import PUBLISHED_FOLDS, import_percepiano
from tocco.data.records import read_labels
from tocco.errors import InputError, OutputError
from tocco.rubrics import DESCRIPTORS

AXES = [name.replace("_", " ").title().replace(" ", "_") for name in DESCRIPTORS]
SEGMENTS = {  # id -> (performer number, segment number, cluster, fold of music, fold of pianist)
    "Etude_8bars_1_1": ("1", "1", "c1", "0", "0"),
    "Etude_8bars_2_1": ("2", "1", "c1", "0", "1"),
    "Etude_8bars_1_2": ("1", "2", "c2", "1", "0"),
    "Etude_8bars_Score_2": ("Score", "2", "c2", "1", "-1"),
}


def write_csv(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_midi(path: Path, pitches: list[int]) -> None:
    track = symusic.Track(program=0)
    for step, pitch in enumerate(pitches):
        track.notes.append(symusic.Note(480 * step, 400, pitch, 70))
    score = symusic.Score(480)
    score.tracks.append(track)
    path.parent.mkdir(exist_ok=True)
    score.dump_midi(path)


@pytest.fixture
def pack(tmp_path) -> Path:
    """Four segments, three raters; rater 1 heard Etude_8bars_1_1 twice and one of rater 3's rows is void."""
    folder = tmp_path / "pack"
    folder.mkdir()
    write_csv(folder / "dimensions.csv", [{"index": i, "name": name} for i, name in enumerate(AXES)])
    labels, dedup, folds = [], [], []
    for segment, (performer, number, cluster, music, pianist) in SEGMENTS.items():
        write_midi(folder / "midi" / f"{segment}.mid", [60, 62, 64 + int(number), 65 + len(performer)])
        labels.append(
            {"segment_id": segment, "work": "Etude", "piece": "Etude_1", "bars": 8, "seg": number}
            | {"passage": f"Etude_{number}", "cluster": cluster, "performer": f"Etude#{performer}"}
            | {"is_score": int(performer == "Score"), "score_label_ambiguous": 0, "identical_midi_with": ""}
            | {"n_raters": 2}
            | {f"{axis}__mean": round(0.2 + 0.02 * i, 6) for i, axis in enumerate(AXES)}
        )
        dedup.append({"segment_id": segment, "n_raters": 2} | {f"{axis}__sd_raters": 0.125 for axis in AXES})
        folds.append({"segment_id": segment, "cv4_cluster": music, "cv4_performer": pianist, "cv4_random": 0})
    for number in ("1", "2"):
        write_midi(folder / "score_midi" / f"Etude_1_8bars_Score_{number}.mid", [60, 62, 64, 65])
        xml = folder / "score_xml" / f"Etude_1_8bars_Score_{number}.musicxml"
        xml.parent.mkdir(exist_ok=True)
        xml.write_text("<score-partwise/>")

    def event(rater: int, answer: float, valid: int = 1, **special: object) -> dict[str, object]:
        return (
            {"segment_id": "Etude_8bars_1_1", "rater": rater, "valid": valid}
            | dict.fromkeys(AXES, answer)
            | special
        )

    spacious = next(axis for axis in AXES if axis.lower() == "musicmaking_flat_spacious")
    ratings = [event(1, 2.0), event(1, 4.0), event(2, 5.0, **{spacious: 0.0}), event(3, 9.0, valid=0)]
    write_csv(folder / "labels.csv", labels)
    write_csv(folder / "labels_dedup.csv", dedup)
    write_csv(folder / "folds.csv", folds)
    write_csv(folder / "ratings_wide.csv", ratings)
    (folder / "ratings_long.csv.gz").write_bytes(gzip.compress(b"segment_id,rater\n", mtime=0))
    (folder / "LICENSE_PercePiano_MIT.txt").write_text("MIT\n")
    return folder


def beep(midi: Path, flac: Path) -> None:
    n_notes = len(symusic.Score(midi).tracks[0].notes)
    soundfile.write(flac, np.full(100 * n_notes, 0.1), 24_000, format="FLAC")


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_labels_are_official_means_and_their_composites(pack, tmp_path):
    report = import_percepiano(pack, tmp_path / "out", render=None)
    assert (report.n_records, report.n_human, report.n_rendered) == (4, 3, 0)
    by_id = {record.segment_id: record for record in read_labels(report.labels_path)}
    record = by_id["Etude_8bars_1_1"]
    assert record.labels["timing_stable_unstable"] == 20.0
    assert record.labels["interpretation_unsatisfactory_convincing"] == 56.0
    assert record.labels["rhythmic_precision"] == 80.0
    # d10 = 40, d9 = 38: mean(40, 100 - 38)
    assert record.labels["dynamics_control"] == 51.0
    assert record.labels["musicality"] == pytest.approx((44 + 46 + 54) / 3, abs=1e-4)
    assert "note_accuracy" not in record.labels
    assert len(record.labels) == 28
    assert record.source == "PercePiano"
    assert record.n_raters == 2


def test_spread_is_between_raters_not_between_answers(pack, tmp_path):
    report = import_percepiano(pack, tmp_path / "out", render=None)
    record = read_labels(report.labels_path)[0]
    assert record.segment_id == "Etude_8bars_1_1"
    assert record.label_sd["timing_stable_unstable"] == 12.5
    # Votes of rater 1 (2 and 4, so 3) and rater 2 (5) on 0 to 100; two votes differ by sd * sqrt(2).
    votes = 100 * np.array([3.0, 5.0]) / 7
    assert record.label_sd["tone_quality"] == pytest.approx(np.std(votes, ddof=1), abs=1e-4)
    assert record.label_sd["rhythmic_precision"] == pytest.approx(np.std(votes, ddof=1), abs=1e-4)
    # dynamics: mean(d10, 100 - d9) is 50 for both raters.
    assert record.label_sd["dynamics_control"] == 0.0
    # Rater 2 did not answer "spacious": a single rating has no standard deviation.
    assert "phrasing" not in record.label_sd
    assert "musicality" not in record.label_sd


def test_ids_folds_and_files(pack, tmp_path):
    report = import_percepiano(pack, tmp_path / "out", render=None)
    by_id = {record.segment_id: record for record in read_labels(report.labels_path, must_exist=True)}
    score = by_id["Etude_8bars_Score_2"]
    assert score.is_score_rendering
    assert score.folds == {"cv4_cluster": 1, "cv4_performer": -1}
    assert (score.work_id, score.piece_id, score.performer_id) == ("Etude", "Etude_1", "Etude#Score")
    assert (score.passage_id, score.cluster_id) == ("Etude_2", "c2")
    assert score.audio_path is None
    assert score.midi_path is not None
    assert score.midi_path.read_bytes() == (pack / "midi/Etude_8bars_Score_2.mid").read_bytes()
    assert score.score_path == tmp_path / "out/score/Etude_1_8bars_Score_2.mid"
    assert (tmp_path / "out/score/Etude_1_8bars_Score_2.musicxml").is_file()
    assert (tmp_path / "out/ratings_long.csv.gz").read_bytes() == (pack / "ratings_long.csv.gz").read_bytes()
    for line in (tmp_path / "out/checksums.sha256").read_text().splitlines():
        digest, name = line.split("  ")
        assert digest == hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest()
    card = (tmp_path / "out/DATASET.md").read_text()
    assert "4 rated excerpts of 1 works: 3 played by people" in card
    assert "1 rating events" in card
    assert hashlib.sha256((pack / "labels.csv").read_bytes()).hexdigest() in card


def test_the_same_source_gives_the_same_bytes(pack, tmp_path):
    import_percepiano(pack, tmp_path / "one", render=beep)
    once = tree(tmp_path / "one")
    import_percepiano(pack, tmp_path / "one", render=beep)
    assert tree(tmp_path / "one") == once
    import_percepiano(pack, tmp_path / "two", render=beep)
    assert tree(tmp_path / "two") == once
    assert str(tmp_path) not in (tmp_path / "one/labels.jsonl").read_text()


def test_rendering_goes_on_where_it_stopped(pack, tmp_path):
    out = tmp_path / "out"
    played: list[str] = []

    def stops_at_third(midi: Path, flac: Path) -> None:
        if len(played) == 2:
            flac.write_bytes(b"half")
            raise InputError(midi, "the power went")
        played.append(midi.name)
        beep(midi, flac)

    with pytest.raises(InputError, match="the power went"):
        import_percepiano(pack, out, render=stops_at_third)
    assert len(list((out / "audio").iterdir())) == 2
    assert not (out / "labels.jsonl").exists()
    seen: list[tuple[int, int]] = []
    report = import_percepiano(pack, out, render=beep, on_progress=lambda done, n: seen.append((done, n)))
    assert (report.n_rendered, report.n_present) == (2, 2)
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    for record in read_labels(report.labels_path, must_exist=True):
        assert record.audio_path is not None
        assert soundfile.info(record.audio_path).frames == 400


def test_a_renderer_that_writes_no_audio_is_found_out(pack, tmp_path):
    with pytest.raises(InputError, match="an invalid audio file"):
        import_percepiano(pack, tmp_path / "out", render=lambda midi, flac: flac.write_text("no"))
    assert list((tmp_path / "out/audio").iterdir()) == []


def test_each_rater_s_own_ratings_are_records_of_their_own(pack, tmp_path):
    import_percepiano(pack, tmp_path / "out", render=None)
    first, second = read_labels(tmp_path / "out/ratings.jsonl")
    assert (first.segment_id, second.segment_id) == ("Etude_8bars_1_1__rater1", "Etude_8bars_1_1__rater2")
    assert (first.source, first.n_raters, first.label_sd) == ("PercePiano rater 1", 1, {})
    # Rater 1 answered 2 and 4; rater 2 answered 5, and the spacious axis not at all.
    assert first.labels["timing_stable_unstable"] == pytest.approx(300 / 7, abs=1e-4)
    assert first.labels["rhythmic_precision"] == pytest.approx(400 / 7, abs=1e-4)
    assert second.labels["timing_stable_unstable"] == pytest.approx(500 / 7, abs=1e-4)
    assert "phrasing" in first.labels
    assert not {"phrasing", "musicality", "musicmaking_flat_spacious"} & set(second.labels)
    assert (first.cluster_id, first.folds) == ("c1", {"cv4_cluster": 0, "cv4_performer": 0})
    assert first.midi_path == tmp_path / "out/midi/Etude_8bars_1_1.mid"


def debiased(pack: Path, value: float = 0.3) -> None:
    rows: list[dict[str, object]] = [
        {"segment_id": s} | {f"{axis}__mean": value for axis in AXES} for s in SEGMENTS
    ]
    write_csv(pack / "labels_rater_debiased.csv", rows)


def test_debiased_means_are_another_file(pack, tmp_path):
    import_percepiano(pack, tmp_path / "raw", render=None)
    debiased(pack)
    report = import_percepiano(pack, tmp_path / "out", render=None, labels="debiased")
    assert report.labels_path == tmp_path / "out/labels_debiased.jsonl"
    record = read_labels(report.labels_path)[0]
    assert record.labels["timing_stable_unstable"] == 30.0
    assert record.labels["rhythmic_precision"] == 70.0
    assert (record.source, record.label_sd, record.n_raters) == ("PercePiano, rater-debiased", {}, 2)
    for name in ("labels.jsonl", "ratings.jsonl"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "raw" / name).read_bytes()


@pytest.mark.parametrize(
    ("value", "drop", "said"),
    [
        (1.3, False, r"__mean of 'Etude_8bars_1_1' is '1\.3'"),
        (0.3, True, r"and labels\.csv differ in segment"),
    ],
)
def test_a_wrong_debiased_table_is_named(pack, tmp_path, value, drop, said):
    debiased(pack, value)
    if drop:
        path = pack / "labels_rater_debiased.csv"
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(InputError, match=rf"labels_rater_debiased\.csv: .*{said}"):
        import_percepiano(pack, tmp_path / "out", render=None, labels="debiased")


def test_debiased_means_that_are_missing_are_named(pack, tmp_path):
    with pytest.raises(InputError, match=r"labels_rater_debiased\.csv: is missing"):
        import_percepiano(pack, tmp_path / "out", render=None, labels="debiased")


def replace_in(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (
            "labels.csv",
            ",0.2,",
            ",1.2,",
            r"labels\.csv: .*__mean of 'Etude_8bars_1_1' is '1\.2' \(allowed: 0 to 1",
        ),
        ("labels.csv", ",0.2,", ",,", r"Timing_Stable_Unstable__mean of 'Etude_8bars_1_1' is ''"),
        (
            "labels.csv",
            "Etude_8bars_2_1",
            "Etude_8bars_1_1",
            r"labels\.csv: has segment 'Etude_8bars_1_1' twice",
        ),
        ("labels.csv", "passage", "passage_", r"has no column 'passage'"),
        ("labels_dedup.csv", "Etude_8bars_2_1", "Etude_8bars_9_1", r"and labels\.csv differ in segment"),
        (
            "labels_dedup.csv",
            "Etude_8bars_2_1,2",
            "Etude_8bars_2_1,3",
            "differ in n_raters of 'Etude_8bars_2_1'",
        ),
        ("folds.csv", "Etude_8bars_2_1,0", "Etude_8bars_2_1,x", r"cv4_cluster of 'Etude_8bars_2_1' is 'x'"),
        ("dimensions.csv", "1,Articulation_Short_Long", "1,Timbre", r"has 'Timbre' at index 1"),
        ("ratings_wide.csv", ",2.0", ",8.0", r"is '8\.0' \(allowed: 0 to 7\)"),
        ("ratings_wide.csv", ",2.0,", ",", r"line 2: does not have 22 cells"),
    ],
)
def test_a_wrong_table_is_named(pack, tmp_path, name, old, new, said):
    replace_in(pack / name, old, new)
    with pytest.raises(InputError, match=said):
        import_percepiano(pack, tmp_path / "out", render=None)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name",
    ["midi/Etude_8bars_2_1.mid", "score_midi/Etude_1_8bars_Score_2.mid", "folds.csv", "ratings_long.csv.gz"],
)
def test_a_missing_file_is_named_before_anything_is_written(pack, tmp_path, name):
    (pack / name).unlink()
    with pytest.raises(InputError, match=Path(name).name):
        import_percepiano(pack, tmp_path / "out", render=None)
    assert not (tmp_path / "out").exists()


def test_raw_ratings_are_never_overwritten(pack, tmp_path):
    out = tmp_path / "out"
    import_percepiano(pack, out, render=None)
    (pack / "ratings_long.csv.gz").write_bytes(gzip.compress(b"other\n", mtime=0))
    before = tree(out)
    with pytest.raises(OutputError, match="never overwritten"):
        import_percepiano(pack, out, render=None)
    assert tree(out) == before


def test_the_source_is_never_written_to(pack):
    before = tree(pack)
    with pytest.raises(OutputError, match="inside the source"):
        import_percepiano(pack, pack / "out", render=None)
    assert tree(pack) == before


@pytest.mark.data
def test_the_real_pack(corpus_dir, tmp_path):
    report = import_percepiano(corpus_dir / "percepiano", tmp_path / "out", render=None)
    assert (report.n_records, report.n_human) == (983, 877)
    records = read_labels(report.labels_path, must_exist=True)
    by_id = {record.segment_id: record for record in records}
    known = by_id["Beethoven_WoO80_thema_8bars_11_1"]
    assert known.labels["timing_stable_unstable"] == pytest.approx(62.8571)
    assert known.labels["rhythmic_precision"] == pytest.approx(37.1429)
    assert known.labels["dynamics_control"] == pytest.approx((37.1429 + 100 - 65.7143) / 2, abs=1e-4)
    assert known.label_sd["timing_stable_unstable"] == pytest.approx(27.848)
    assert known.n_raters == 5
    assert known.folds == {"cv4_cluster": 3, "cv4_performer": 2}
    # A dimension that is one axis must get, from the single answers, the spread that the pack states for it.
    for record in records:
        for dimension, axis in (
            ("rhythmic_precision", "timing_stable_unstable"),
            ("phrasing", "musicmaking_flat_spacious"),
        ):
            assert record.label_sd[dimension] == pytest.approx(record.label_sd[axis], abs=2e-4)
    assert len({record.cluster_id for record in records}) == 37
    assert len({record.work_id for record in records}) == 4
    shutil.rmtree(tmp_path / "out")


def test_the_published_splits_are_kept_where_the_pack_has_them(pack, tmp_path):
    import_percepiano(pack, tmp_path / "without", render=None)
    assert not (tmp_path / "without" / PUBLISHED_FOLDS).exists()
    head, *rows = (pack / "folds.csv").read_text().splitlines()
    rows = [f"{row},{n},test" for n, row in enumerate(rows)]
    columns = "official_performer4fold,composition4fold_procedure_rerun"
    (pack / "folds.csv").write_text("\n".join([f"{head},{columns}", *rows]) + "\n")
    report = import_percepiano(pack, tmp_path / "with", render=None)
    lines = (tmp_path / "with" / PUBLISHED_FOLDS).read_text().splitlines()
    assert lines[0] == "segment_id,performer,passage"
    names = [record.segment_id for record in read_labels(report.labels_path)]
    part_of = {row.split(",")[0]: row.split(",")[-2] for row in rows}
    assert lines[1:] == [f"{name},{part_of[name]},test" for name in names]
    # The label file is the same: runs have recorded its hash.
    assert report.labels_path.read_bytes() == (tmp_path / "without" / "labels.jsonl").read_bytes()

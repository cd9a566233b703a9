from pathlib import Path

import numpy as np
import pytest

from tocco.data.corpora.annotations import read_annotation
from tocco.data.corpora.vienna import import_vienna, note_alignment
from tocco.data.records import read_labels
from tocco.errors import InputError
from tocco.music.midi import load_midi, save_midi
from tocco.music.performance import PedalCurve, Performance
from tocco.music.score import load_score

NAMES = {60: "C,n],4", 62: "D,n],4", 64: "E,n],4", 65: "F,n],4", 67: "G,n],4", 69: "A,n],4", 71: "B,n],4"}
WRITTEN = [60, 62, 64, 65, 67, 69, 71, 69, 67, 65, 64, 62]
TICKS_A_SECOND = 960
PEDALS = (PedalCurve(), PedalCurve(), PedalCurve())


def played(pitch: list[int], onset: np.ndarray) -> Performance:
    ends = onset + 0.25
    return Performance(
        onset, ends, np.array(pitch), np.full(len(pitch), 60), *PEDALS, duration_sec=float(ends[-1])
    )


def match_lines(piece: str, pianist: str, onset: np.ndarray) -> list[str]:
    """Every written note but the last is played; the last key stroke is not written."""
    lines = [
        "info(matchFileVersion,1.0.0).",
        f"info(piece,{piece}).",
        f"info(scoreFileName,{piece}.musicxml).",
        f"info(midiFileName,{piece}_p{pianist}.mid).",
        "info(composer,Anna Nimm).",
        f"info(performer,Pianist {pianist}).",
        "info(midiClockUnits,480).",
        "info(midiClockRate,500000).",
        "scoreprop(keySignature,C,1:1,0,0.0000).",
        "scoreprop(timeSignature,4/4,1:1,0,0.0000).",
    ]
    ticks = np.rint(onset * TICKS_A_SECOND).astype(int)
    for n, pitch in enumerate(WRITTEN):
        bar, beat = divmod(n, 4)
        place = f"{bar + 1}:{beat + 1},0,1/4,{n:.4f},{n + 1:.4f},[v1,staff1]"
        snote = f"snote(n{n + 1},[{NAMES[pitch]},{place})"
        if n < len(WRITTEN) - 1:
            note = f"note(n{n},{pitch},{ticks[n]},{ticks[n] + 240},60,0,0)"
            lines.append(f"{snote}-{note}.")
        else:
            lines.append(f"{snote}-deletion.")
    lines.append(f"insertion-note(n{len(WRITTEN) - 1},71,{ticks[-1]},{ticks[-1] + 240},60,0,0).")
    return lines


@pytest.fixture
def vienna(tmp_path, rng) -> Path:
    """Two pianists play a scale, each leaving out the last note and striking another key."""
    root = tmp_path / "vienna"
    for folder in ("match", "midi", "musicxml"):
        (root / folder).mkdir(parents=True)
    for piece in ("Nimm_op1", "Chopin_op38"):
        (root / "musicxml" / f"{piece}.musicxml").write_text("<score-partwise/>")
        for pianist in ("01", "02"):
            onset = (
                0.5 + 0.4 * np.arange(len(WRITTEN)) + np.round(np.abs(rng.normal(0, 0.05, len(WRITTEN))), 2)
            )
            save_midi(played([*WRITTEN[:-1], 71], onset), root / "midi" / f"{piece}_p{pianist}.mid")
            lines = match_lines(piece, pianist, onset)
            (root / "match" / f"{piece}_p{pianist}.match").write_text("\n".join(lines) + "\n")
    save_midi(played(WRITTEN, 0.5 * np.arange(12.0)), root / "midi" / "Nimm_op1_p23-average.mid")
    return root


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_alignment_names_notes_of_score_and_midi(vienna, tmp_path):
    report = import_vienna(vienna, tmp_path / "out")
    assert (report.n_records, report.n_pieces, report.n_performers, report.n_clusters) == (4, 2, 2, 2)
    records = {r.segment_id: r for r in read_labels(report.manifest_path, must_exist=True)}
    record = records["Nimm_op1_p02"]
    assert (record.performer_id, record.piece_id, record.labels) == ("vienna4x22_02", "Nimm_op1", {})
    assert record.annotation_path is not None
    note = read_annotation(record.annotation_path)
    assert note.composer == "Anna Nimm"
    assert note.alignment is not None
    assert note.alignment.match == tuple((f"n{n + 1}", n) for n in range(11))
    assert note.alignment.deletion == ("n12",)
    assert note.alignment.insertion == (11,)
    assert (note.alignment.n_lost, note.alignment.n_unmarked) == (0, 0)
    assert [(s.subject, s.reason) for s in report.skipped] == [
        ("midi/Nimm_op1_p23-average.mid", "has no match file")
    ]


def test_known_pieces_have_the_names_of_the_other_corpus(vienna, tmp_path):
    records = read_labels(import_vienna(vienna, tmp_path / "out").manifest_path)
    assert {r.cluster_id for r in records} == {"Nimm_op1", "Chopin_Ballades_2"}


def test_a_second_run_gives_the_same_bytes(vienna, tmp_path):
    import_vienna(vienna, tmp_path / "out")
    once = tree(tmp_path / "out")
    import_vienna(vienna, tmp_path / "out")
    assert tree(tmp_path / "out") == once
    assert once["match/Nimm_op1_p01.match"] == (vienna / "match/Nimm_op1_p01.match").read_bytes()
    assert "not stated" in once["CORPUS.md"].decode()


def test_notes_that_differ_are_counted(vienna):
    midi = load_midi(vienna / "midi/Nimm_op1_p01.mid")
    moved = midi.onset_sec.copy()
    moved[3] += 0.05
    other = played(midi.pitch.tolist(), moved)
    found = note_alignment(vienna / "match/Nimm_op1_p01.match", other)
    assert (found.n_lost, found.n_unmarked) == (1, 1)
    assert ("n4", 3) not in found.match
    assert len(found.match) == 10


def test_a_match_file_of_another_take_is_refused(vienna):
    other = played([*WRITTEN[:-1], 71], 0.5 + 0.31 * np.arange(len(WRITTEN)))
    with pytest.raises(InputError, match="notes that are not in its MIDI"):
        note_alignment(vienna / "match/Nimm_op1_p01.match", other)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("match/Nimm_op1_p01.match", b"no match file\n", "is not a match file"),
        ("midi/Nimm_op1_p01.mid", b"no", "is no MIDI file"),
        ("musicxml/Nimm_op1.musicxml", b"no", "does not begin like a score"),
    ],
)
def test_what_cannot_be_used_is_left_out_and_named(vienna, tmp_path, name, content, said):
    (vienna / name).write_bytes(content)
    report = import_vienna(vienna, tmp_path / "out")
    reasons = {item.subject: item.reason for item in report.skipped}
    assert said in reasons["match/Nimm_op1_p01.match"]
    assert report.n_records == (2 if "xml" in name else 3)


def test_a_copied_take_is_kept_once(vienna, tmp_path):
    for folder, suffix in (("midi", ".mid"), ("match", ".match")):
        content = (vienna / folder / f"Nimm_op1_p01{suffix}").read_bytes()
        (vienna / folder / f"Nimm_op1_p02{suffix}").write_bytes(content)
    report = import_vienna(vienna, tmp_path / "out")
    assert report.n_records == 3
    assert "same take as midi/Nimm_op1_p01.mid" in report.skipped[-1].reason


@pytest.mark.data
@pytest.mark.slow
def test_the_real_corpus(corpus_dir, tmp_path):
    report = import_vienna(corpus_dir / "vienna4x22", tmp_path / "out")
    assert (report.n_records, report.n_pieces, report.n_performers, len(report.skipped)) == (88, 4, 22, 24)
    totals = np.zeros(5, dtype=int)
    note_ids = {
        path: set(load_score(path).note_id) for path in sorted((tmp_path / "out/score").glob("*.musicxml"))
    }
    for record in read_labels(report.manifest_path, must_exist=True):
        assert record.annotation_path is not None
        assert record.score_path is not None
        truth = read_annotation(record.annotation_path).alignment
        assert truth is not None
        sizes = [len(truth.match), len(truth.deletion), len(truth.insertion), truth.n_lost, truth.n_unmarked]
        totals += sizes
        assert {name for name, _ in truth.match} | set(truth.deletion) <= note_ids[record.score_path]
    assert totals.tolist() == [43_472, 418, 184, 0, 0]

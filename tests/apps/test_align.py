"""`tocco align` on the bundled example, whose two mistakes are known, and on planted ones."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from tocco.apps.cli.main import app
from tocco.errors import InputError, OutputError, ToccoError
from tocco.inference.alignment_document import AlignmentDocument, read_alignment
from tocco.music.midi import load_midi, save_midi

FOLDER = Path(str(resources.files("tocco"))) / "examples" / "petzold_minuet"
MIDI, SCORE, AUDIO = FOLDER / "minuet.mid", FOLDER / "minuet.musicxml", FOLDER / "minuet.flac"


def tocco(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def refused(kind: type[ToccoError], *arguments: object) -> str:
    with pytest.raises(kind) as caught:
        CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    return str(caught.value)


def planted_mistakes() -> list[dict[str, Any]]:
    """In order of time: the missing note comes first."""
    listed = json.loads((FOLDER / "minuet_mistakes.json").read_text(encoding="utf-8"))["mistakes"]
    return sorted(listed, key=lambda mistake: mistake["time_sec"])


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("aligned")
    return folder, tocco("align", MIDI, SCORE, "-o", folder)


@pytest.fixture(scope="module")
def document(done: tuple[Path, str]) -> AlignmentDocument:
    return read_alignment(done[0] / "minuet.json")


def test_the_summary_names_the_two_planted_mistakes(done: tuple[Path, str]) -> None:
    folder, output = done
    planted = planted_mistakes()
    line = output.splitlines()[0]
    assert line.startswith("minuet.mid: 402 right, 1 wrong, 1 missing, 0 extra, all repeats; ")
    assert [part.split(":")[0] for part in line.split("; ")[1:]] == [f"bar {m['bar']}" for m in planted]
    assert output.splitlines()[1:] == [str(folder / f"minuet.{kind}") for kind in ("json", "match", "png")]


def test_the_document_holds_counts_mistakes_and_tempo(document: AlignmentDocument) -> None:
    planted = planted_mistakes()
    assert document.counts.model_dump() == {
        "right": 402,
        "wrong": 1,
        "missing": 1,
        "extra": 0,
        "ornamental": 0,
        "given_up": 0,
    }
    assert [(m.kind, m.note.bar, m.note.expected_pitch, m.note.played_pitch) for m in document.mistakes] == [
        (m["kind"], m["bar"], m["written_pitch"], m["played_pitch"]) for m in planted
    ]
    assert document.alignment.repeats == "all repeats"
    assert (document.restarts, document.skips) == ((), ())
    assert len(document.match_confidence) == 402
    assert document.confidence > 0.99
    bars = [bar for bar, _, _ in document.tempo]
    assert bars[:33] == [*map(str, range(1, 17)), *map(str, range(1, 17)), "17"]
    assert all(90 < bpm < 160 for _, _, bpm in document.tempo[:10])
    assert document.inputs.audio is None
    assert document.inputs.score.sha256 == hashlib.sha256(SCORE.read_bytes()).hexdigest()


def test_the_same_inputs_give_the_same_bytes_into_the_same_folder(done: tuple[Path, str]) -> None:
    folder, output = done
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert tocco("align", MIDI, SCORE, "-o", folder) == output
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert set(before) == {"minuet.match", "minuet.png", "minuet.json"}
    assert before["minuet.png"].startswith(b"\x89PNG")
    width, height = struct.unpack(">II", before["minuet.png"][16:24])
    assert width == 1560
    assert height > 1000


def test_other_inputs_do_not_take_its_place(done: tuple[Path, str], tmp_path: Path) -> None:
    before = (done[0] / "minuet.json").read_bytes()
    (tmp_path / "minuet.json").write_bytes(before)
    other = tmp_path / "other" / "minuet.mid"
    other.parent.mkdir()
    save_midi(load_midi(MIDI).shifted(1.0), other)
    assert "other inputs" in refused(OutputError, "align", other, SCORE, "-o", tmp_path)
    assert (tmp_path / "minuet.json").read_bytes() == before
    (tmp_path / "minuet.json").write_text("{}")
    assert "is not an alignment" in refused(OutputError, "align", other, SCORE, "-o", tmp_path)
    (tmp_path / "minuet.json").unlink()
    (tmp_path / "minuet.png").write_bytes(b"a picture of mine")
    assert "not from tocco align" in refused(OutputError, "align", other, SCORE, "-o", tmp_path)
    assert (tmp_path / "minuet.png").read_bytes() == b"a picture of mine"
    assert not (tmp_path / "minuet.match").exists()


def test_midi_needs_no_other(tmp_path: Path) -> None:
    assert "is MIDI, and --midi gives another" in refused(
        InputError, "align", MIDI, SCORE, "--midi", MIDI, "-o", tmp_path
    )
    assert "does not exist" in refused(InputError, "align", tmp_path / "no.mid", SCORE, "-o", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_extra_key_and_a_restart_are_distinguished(tmp_path: Path) -> None:
    """Bars 5 to 8 are given up and played again; before that, a key that is not written."""
    clean = load_midi(MIDI)
    begin, stop = 7.0, 12.0
    tried = (clean.onset_sec >= begin) & (clean.onset_sec < stop)
    later = clean.onset_sec >= begin
    shift = stop - begin + 0.8

    def again(column: np.ndarray, by: float) -> np.ndarray:
        return np.concatenate([column[~later], column[tried], column[later] + by])

    played = replace(
        clean,
        onset_sec=np.append(again(clean.onset_sec, shift), 3.05),
        offset_sec=np.append(again(clean.offset_sec, shift), 3.2),
        pitch=np.append(again(clean.pitch, 0), 101),
        velocity=np.append(again(clean.velocity, 0), 60),
        duration_sec=clean.duration_sec + shift,
    )
    order = np.lexsort((played.pitch, played.onset_sec))
    played = replace(
        played,
        **{n: getattr(played, n)[order] for n in ("onset_sec", "offset_sec", "pitch", "velocity")},
    )
    save_midi(played, tmp_path / "again.mid")
    output = tocco("align", tmp_path / "again.mid", SCORE, "-o", tmp_path / "out")
    document = read_alignment(tmp_path / "out" / "again.json")
    (restart,) = document.restarts
    assert restart.start_sec == pytest.approx(begin, abs=0.6)
    assert restart.end_sec == pytest.approx(begin + shift, abs=0.6)
    assert restart.n_notes == int(tried.sum())
    assert document.counts.given_up == restart.n_notes
    (extra,) = [m.note for m in document.mistakes if m.kind == "extra"]
    assert (extra.played, extra.time_sec) == ("F7", pytest.approx(3.05, abs=0.01))
    assert "extra, restarts in bars " in output.splitlines()[0]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.mid", b"", r"empty\.mid: is empty \(allowed: a MIDI file\)\. Next: export the MIDI again"),
        (
            "page.musicxml",
            b"<?xml version='1.0'?><score-partwise/>",
            r"page\.musicxml: is not audio: it looks",
        ),
        (
            "picture.mid",
            b"\x89PNG\r\n\x1a\n" + bytes(40),
            r"picture\.mid: is no MIDI file .* give the MIDI file",
        ),
        ("two words.mid", b"MThd", r"two words\.mid: is a broken MIDI file: the header is cut off"),
    ],
)
def test_a_performance_that_is_none_is_told_what_it_is(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        tocco("align", tmp_path / name, SCORE, "-o", tmp_path / "out")

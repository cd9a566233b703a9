"""The document of an alignment in which everything happens once, with every number worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from alignment_etude import performance_of, score_of
from tocco.errors import InputError
from tocco.inference.alignment_document import (
    AlignedInputs,
    AlignmentDocument,
    alignment_document,
    read_alignment,
    write_alignment,
)
from tocco.inference.evidence import InputFile, Synchrony
from tocco.music.alignment import Alignment
from tocco.music.matching.ornaments import Ornament
from tocco.music.matching.spans import RetriedSpan, RolledChord, SkippedSpan
from tocco.music.performance import Performance

MIDI = InputFile(name="take.mid", sha256="a" * 64, origin="given", duration_sec=12.0)
SCORE = InputFile(name="piece.musicxml", sha256="b" * 64, origin="given")
INPUTS = AlignedInputs(audio=None, midi=MIDI, score=SCORE, synchrony=None)


def taken() -> tuple[Alignment, Performance]:
    """Four bars of quarter notes at half a second each, from 1 s on.

    Beats 2 and 3 are tried and given up; beat 5 is a wrong note, beat 6 missing; a key is added at 9.2 and a
    mordent at 7; bar 4 is skipped but for its last beat.
    """
    score = score_of(np.arange(16.0), 60 + np.arange(16))
    played = [
        # second, pitch, written note (-1 for an added one)
        (1.0, 60, 0),
        (1.5, 61, 1),
        (2.0, 62, -1),
        (2.5, 63, -1),
        (4.0, 62, 2),
        (4.5, 63, 3),
        (5.0, 64, 4),
        (5.5, 77, -1),
        (6.45, 68, -1),
        (6.48, 66, -1),
        (6.5, 67, 7),
        (7.0, 68, 8),
        (7.5, 69, 9),
        (7.6, 100, -1),
        (8.0, 70, 10),
        (8.5, 71, 11),
        (9.0, 75, 15),
    ]
    onset, pitch, written = (np.array(column) for column in zip(*played, strict=True))
    performance = performance_of(onset, pitch)
    matched = np.flatnonzero(written >= 0)
    match = np.column_stack((written[matched], matched))
    anchor_beat = np.array([0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 15], dtype=float)
    anchor_sec = np.array([1.0, 1.5, 4.0, 4.5, 5.0, 6.5, 7.03, 7.5, 8.0, 8.5, 9.0])
    alignment = Alignment(
        score=score,
        match=match,
        deletion=np.array([5, 6]),
        insertion=np.flatnonzero(written < 0),
        substitution=np.array([[5, 7]]),
        anchor_beat=anchor_beat,
        anchor_sec=anchor_sec,
        performance_beat=np.interp(onset, anchor_sec, anchor_beat),
        unplayed=np.array([12, 13, 14]),
        confidence=np.linspace(0.9, 1.0, len(match)),
        overall_confidence=0.875,
        retries=(RetriedSpan(2, 3, 2.0, 4.0, 2.0, 3.0),),
        skips=(SkippedSpan(8.5, 12.0, 14.0),),
        ornaments=(Ornament("mordent", 7, (8, 9)), Ornament("trill", 0, (0,))),
        rolled_chords=(RolledChord(7.0, 8.0, True, 0.12), RolledChord(8.0, 10.0, False, 0.2)),
    )
    return alignment, performance


@pytest.fixture
def document() -> AlignmentDocument:
    alignment, performance = taken()
    return alignment_document(alignment, performance, INPUTS, "0.1.0")


def test_every_note_is_counted_once(document: AlignmentDocument) -> None:
    assert document.counts.model_dump() == {
        "right": 11,
        "wrong": 1,
        "missing": 1,
        "extra": 1,
        "ornamental": 2,
        "given_up": 2,
    }
    assert document.confidence == 0.875
    assert document.match_confidence == pytest.approx(np.linspace(0.9, 1.0, 11))
    assert (document.tocco_version, document.inputs) == ("0.1.0", INPUTS)


def test_mistakes_stand_in_order_of_time(document: AlignmentDocument) -> None:
    found = [
        (m.kind, m.note.expected, m.note.played, m.note.bar, m.note.beat, m.note.time_sec)
        for m in document.mistakes
    ]
    assert found == [
        ("wrong", "F4", "F5", "2", 2.0, 5.5),
        ("missing", "F#4", None, "2", 3.0, 6.0),
        ("extra", None, "E7", "3", pytest.approx(2.2), 7.6),
    ]


def test_restarts_and_skips_name_bars_seconds_and_notes(document: AlignmentDocument) -> None:
    (restart,) = document.restarts
    assert restart.model_dump() == {
        "bars": ("1", "1"),
        "where": "bar 1",
        "start_sec": 2.0,
        "end_sec": 4.0,
        "n_notes": 2,
    }
    (skip,) = document.skips
    assert skip.model_dump() == {"bars": ("4", "4"), "where": "bar 4", "at_sec": 8.5, "n_notes": 3}


def test_a_skip_counts_its_own_notes_alone() -> None:
    alignment, performance = taken()
    skips = (SkippedSpan(8.5, 12.0, 12.0), SkippedSpan(8.6, 13.0, 14.0))
    found = alignment_document(replace(alignment, skips=skips), performance, INPUTS, "0.1.0").skips
    assert [skip.n_notes for skip in found] == [1, 2]


def test_an_ornament_has_its_place_and_its_added_notes(document: AlignmentDocument) -> None:
    """One of written notes alone, as the trill of note 0 here, adds nothing and is not listed."""
    (mordent,) = document.ornaments
    assert mordent.model_dump() == {
        "kind": "mordent",
        "note": "G4",
        "bar": "2",
        "beat": 4.0,
        "time_sec": 6.45,
        "n_notes": 2,
    }


def test_rolled_chords_have_a_direction(document: AlignmentDocument) -> None:
    assert [chord.model_dump() for chord in document.rolled_chords] == [
        {"bar": "3", "beat": 1.0, "time_sec": 7.0, "direction": "up", "spread_sec": 0.12},
        {"bar": "3", "beat": 3.0, "time_sec": 8.0, "direction": "down", "spread_sec": 0.2},
    ]


def test_the_tempo_is_that_of_bars_played_through(document: AlignmentDocument) -> None:
    """Bar 1 is broken by the restart, bar 4 skipped; bar 2 takes 2.03 s: 118.227 a minute."""
    assert document.tempo == (("2", 5.0, 118.2),)


def test_it_is_read_as_it_was_written(document: AlignmentDocument, tmp_path: Path) -> None:
    path = tmp_path / "take.json"
    write_alignment(document, path)
    assert read_alignment(path) == document
    first = path.read_bytes()
    write_alignment(document, path)
    assert path.read_bytes() == first
    assert first.endswith(b"}\n")
    fields = json.loads(first)
    assert (fields["kind"], fields["schema_version"]) == ("alignment", "1.2")


def test_a_file_of_version_1_1_is_read(document: AlignmentDocument, tmp_path: Path) -> None:
    write_alignment(document, tmp_path / "take.json")
    fields = json.loads((tmp_path / "take.json").read_text())
    assert fields["inputs"].pop("transcriber") is None
    (tmp_path / "take.json").write_text(json.dumps(fields | {"schema_version": "1.1"}))
    assert read_alignment(tmp_path / "take.json").inputs == document.inputs


def test_a_file_of_version_1_0_is_read(document: AlignmentDocument, tmp_path: Path) -> None:
    write_alignment(document, tmp_path / "take.json")
    fields = json.loads((tmp_path / "take.json").read_text())
    for new in ("agreement", "part", "flags"):
        del fields["alignment"][new]
    (tmp_path / "take.json").write_text(json.dumps(fields | {"schema_version": "1.0"}))
    found = read_alignment(tmp_path / "take.json")
    assert (found.counts, found.alignment.agreement) == (document.counts, None)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": "assessment"}, "is not the result of an alignment"),
        ({"schema_version": "0.9"}, r"has schema_version '0.9' \(allowed: '1.0', '1.1', '1.2'\)"),
        ({"confidence": 1.5}, "confidence: .*less than or equal to 1"),
        ({"match_confidence": [0.5]}, "match_confidence is not as long as alignment.match"),
        ({"mistakes": []}, "counts has 1 wrong notes, mistakes has not"),
    ],
)
def test_what_is_no_alignment_is_refused_by_name(
    document: AlignmentDocument, tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    path = tmp_path / "take.json"
    write_alignment(document, path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match=says) as refused:
        read_alignment(path)
    assert str(refused.value).startswith(str(path))


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_alignment(tmp_path / "none.json")
    (tmp_path / "torn.json").write_text("{")
    with pytest.raises(InputError, match="an alignment written by tocco"):
        read_alignment(tmp_path / "torn.json")


def test_a_recording_and_its_clock_stand_together() -> None:
    synchrony = Synchrony(offset_sec=0.1, drift_ppm=2.0, residual_sec=0.01)
    assert AlignedInputs(audio=MIDI, midi=MIDI, score=SCORE, synchrony=synchrony).audio == MIDI
    for audio, clock in ((MIDI, None), (None, synchrony)):
        with pytest.raises(ValidationError, match="synchrony stands beside audio with MIDI, and only there"):
            AlignedInputs(audio=audio, midi=MIDI, score=SCORE, synchrony=clock)


def test_a_transcription_has_no_clock_of_its_own() -> None:
    heard = MIDI.model_copy(update={"origin": "derived"})
    found = AlignedInputs(audio=MIDI, midi=heard, transcriber="hearer 3", score=SCORE, synchrony=None)
    assert found.transcriber == "hearer 3"
    for midi, transcriber in ((MIDI, "hearer 3"), (heard, None)):
        with pytest.raises(ValidationError, match="a transcriber stands beside MIDI that is derived"):
            AlignedInputs(audio=MIDI, midi=midi, transcriber=transcriber, score=SCORE, synchrony=None)

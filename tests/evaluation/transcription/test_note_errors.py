"""Planted note errors against those that are found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tocco.evaluation.transcription.note_errors import (
    Mark,
    count_errors,
    is_clearly_heard,
    marks_of,
    unpaired,
)
from tocco.evaluation.transcription.pairs import Pair, PlantedError
from tocco.inference.bundle import example_path
from tocco.music.midi import load_midi, save_midi

EXAMPLE = example_path()


def error(
    kind: str, time_sec: float, pitch: int | None, written: int | None, velocity: int = 80
) -> PlantedError:
    return PlantedError(kind=kind, time_sec=time_sec, pitch=pitch, written_pitch=written, velocity=velocity)


def test_a_wrong_note_makes_two_marks() -> None:
    assert marks_of(error("wrong", 1.0, 61, 60)) == [Mark("played", 1.0, 61), Mark("written", 1.0, 60)]
    assert marks_of(error("missing", 1.0, None, 60)) == [Mark("written", 1.0, 60)]
    assert marks_of(error("extra", 1.0, 61, None)) == [Mark("played", 1.0, 61)]


@pytest.mark.parametrize(("velocity", "heard"), [(30, False), (37, False), (39, True), (80, True)])
def test_what_is_clearly_heard(velocity: int, heard: bool) -> None:
    assert is_clearly_heard(error("extra", 1.0, 61, None, velocity)) == heard


def test_marks_pair_one_to_one_by_key_side_and_time() -> None:
    found = [
        Mark("written", 1.0, 60),
        Mark("written", 1.3, 60),
        Mark("written", 2.0, 60),
        Mark("played", 1.0, 60),
    ]
    planted = [Mark("written", 1.1, 60), Mark("written", 1.2, 60), Mark("written", 2.4, 60)]
    assert unpaired(found, planted) == [found[2], found[3]]
    assert unpaired(planted, found) == [planted[2]]


def test_errors_are_counted(tmp_path: Path) -> None:
    """One wrong and one missing note are planted; the transcription lacks a third note as well."""
    clean = load_midi(EXAMPLE / "minuet.mid")
    pitch = clean.pitch.copy()
    pitch[40] += 1
    planted = replace(clean, pitch=pitch)
    loud = replace(planted, velocity=np.full(len(clean), 100))
    heard = loud.only(np.delete(np.arange(len(clean)), [60, 80]))
    wrong = error("wrong", float(clean.onset_sec[40]), int(pitch[40]), int(clean.pitch[40]))
    missing = error("missing", float(clean.onset_sec[60]), None, int(clean.pitch[60]))
    soft = error("missing", float(clean.onset_sec[80]), None, int(clean.pitch[80]), velocity=20)
    pair = Pair(
        id="take.room",
        source="made up",
        piece_id="minuet",
        chain="room",
        instrument="none",
        score=EXAMPLE / "minuet.musicxml",
        transcriber="known 1",
        planted="wrong_notes",
        errors=(wrong, missing),
        key="k",
    )
    save_midi(clean, pair.clean_midi(tmp_path))
    save_midi(planted.only(np.delete(np.arange(len(clean)), 60)), pair.keys_midi(tmp_path))
    save_midi(heard, pair.heard_midi(tmp_path))
    counts = count_errors(pair, tmp_path)
    assert counts is not None
    assert (counts.planted, counts.found, counts.claimed, counts.notes) == (3, 3, 4, len(clean))
    softly = count_errors(pair.model_copy(update={"errors": (wrong, missing, soft)}), tmp_path)
    assert softly is not None
    assert (softly.planted, softly.found, softly.claimed) == (3, 3, 3)

"""Notes played against notes heard."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tocco.evaluation.transcription.notes import NotesHeard, notes_table, same_notes
from tocco.inference.bundle import example_path
from tocco.music.midi import load_midi


def test_notes_pair_one_to_one_by_key_within_50_ms() -> None:
    played = load_midi(example_path() / "minuet.mid").only(np.arange(20))
    late = replace(played, onset_sec=played.onset_sec + np.where(np.arange(20) == 7, 0.06, 0.04))
    same = same_notes(played, late)
    assert same[:, 0].tolist() == [k for k in range(20) if k != 7]
    assert len(set(same[:, 1].tolist())) == 19
    np.testing.assert_array_equal(played.pitch[same[:, 0]], late.pitch[same[:, 1]])


def test_velocity_is_compared_by_piano_and_recording() -> None:
    played = np.array([40, 60, 80])
    one = NotesHeard("grand", "room", 4, 3, played, 64 + (played - 64) // 2)
    other = NotesHeard("grand", "phone", 3, 4, played, played + 5)
    lines = notes_table([one, other])
    assert "| grand | room | 4 | 0.750 | 1.000 | 0.50 | 1.00 | +2.0 |" in lines
    assert "| grand | phone | 3 | 1.000 | 0.750 | 1.00 | 1.00 | +5.0 |" in lines
    assert any(line.startswith("| all |  | 7 | 0.857 | 0.857 |") for line in lines)

"""Seconds of a score MIDI in beats, through its changes of tempo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import symusic

from tocco.errors import InputError
from tocco.music.score_midi import beat_from_score_sec


def score_midi(path: Path, tempos: list[tuple[int, float]]) -> bytes:
    """480 ticks a beat, one note, these (tick, quarter notes per minute)."""
    score = symusic.Score(480)
    track = symusic.Track()
    track.notes.append(symusic.Note(time=0, duration=480, pitch=60, velocity=64))
    score.tracks.append(track)
    for tick, qpm in tempos:
        score.tempos.append(symusic.Tempo(time=tick, qpm=qpm))
    score.dump_midi(str(path))
    return path.read_bytes()


def test_beats_follow_the_tempo_changes(tmp_path: Path) -> None:
    # Four beats of a second each, four of half a second, then two seconds each.
    content = score_midi(tmp_path / "a.mid", [(0, 60.0), (4 * 480, 120.0), (8 * 480, 30.0)])
    sec = np.array([8.0, 0.0, 2.5, 4.0, 5.0, 6.0])
    found = beat_from_score_sec(content, "a.mid", sec)
    assert found == pytest.approx([9.0, 0.0, 2.5, 4.0, 6.0, 8.0])


def test_without_a_tempo_a_beat_lasts_half_a_second(tmp_path: Path) -> None:
    content = score_midi(tmp_path / "a.mid", [])
    assert beat_from_score_sec(content, "a.mid", np.array([3.0])) == pytest.approx([6.0])
    later = score_midi(tmp_path / "b.mid", [(960, 60.0)])
    assert beat_from_score_sec(later, "b.mid", np.array([0.5, 3.0])) == pytest.approx([1.0, 4.0])


def test_what_is_no_midi_is_refused() -> None:
    with pytest.raises(InputError, match=r"x\.mid: is a broken MIDI file"):
        beat_from_score_sec(b"MThd nothing", "x.mid", np.array([1.0]))

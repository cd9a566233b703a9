"""Trills in the performance: which notes only keep one going, and that it draws nobody through the piece."""

from __future__ import annotations

import numpy as np

from tocco.music.matching.chords import PlayedNotes, WrittenNotes
from tocco.music.matching.matcher import match_notes
from tocco.music.matching.trills import keeps_a_trill_going


def played_at(sec: np.ndarray, pitch: np.ndarray) -> PlayedNotes:
    order = np.lexsort((pitch, sec))
    return PlayedNotes(sec[order], sec[order] + 0.05, pitch[order], np.full(len(sec), 64))


def test_a_trill_above_a_moving_bass_is_one_trill() -> None:
    trill_sec = np.arange(10) * 0.07
    bass_sec = np.array([0.1, 0.3, 0.5])
    pitch = np.concatenate([np.tile([79, 77], 5), [43, 50, 43]])
    played = played_at(np.concatenate([trill_sec, bass_sec]), pitch)
    goes_on = keeps_a_trill_going(played)
    assert played.pitch[goes_on].tolist() == [79, 77, 79, 77, 79, 77]
    assert goes_on[played.pitch < 60].sum() == 0


def test_a_stroke_that_does_not_speak_is_no_end_of_a_trill() -> None:
    strokes = np.delete(np.arange(12), 5)
    whole = np.tile([72, 74], 6)
    goes_on = keeps_a_trill_going(played_at(strokes * 0.08, whole[strokes]))
    assert goes_on.tolist() == [False] * 4 + [True] * 7


def test_slow_neighbours_and_repeated_keys_are_none() -> None:
    slow = played_at(np.arange(8) * 0.25, np.tile([72, 74], 4))
    repeated = played_at(np.arange(8) * 0.08, np.full(8, 72))
    wide = played_at(np.arange(8) * 0.08, np.tile([60, 67], 4))
    for played in (slow, repeated, wide):
        assert not keeps_a_trill_going(played).any()


def test_a_trill_that_is_not_written_leads_nowhere() -> None:
    """The player trills for three seconds on keys that the page holds elsewhere, many times."""
    scale = np.array([60, 62, 64, 65, 67, 69, 71, 72])
    pitch = np.concatenate([np.tile(scale, 4), np.tile([77, 79], 16)])
    beat = np.arange(len(pitch)) / 2.0
    written = WrittenNotes(beat, np.full(len(pitch), 0.5), pitch, np.zeros(len(pitch), dtype=bool))
    halt = 17
    sec = beat * 0.5 + np.where(np.arange(len(pitch)) >= halt, 3.0, 0.0)
    trill_sec = sec[halt - 1] + 0.2 + np.arange(40) * 0.07
    played = played_at(np.concatenate([sec, trill_sec]), np.concatenate([pitch, np.tile([77, 79], 20)]))
    result = match_notes(written, played)
    assert result is not None
    assert (result.retries, result.skips) == ((), ())
    assert len(result.match) == len(written)
    np.testing.assert_allclose(played.onset_sec[result.match[:, 1]], sec)

from dataclasses import replace

import numpy as np
import pytest

from alignment_etude import performance_of
from tocco.errors import InputError
from tocco.inference.music_span import DECAY_SEC, LEAD_SEC, LONGEST_RING_SEC, music_span
from tocco.music.performance import PedalCurve, Performance


def played(pedal: list[tuple[float, float]] | None = None) -> Performance:
    """Five notes from 12 s on; the last one ends at 20 s."""
    notes = performance_of(np.array([12.0, 14.0, 16.0, 18.0, 19.0]), np.array([60, 62, 64, 65, 67]))
    ends = np.array([13.0, 15.0, 17.0, 19.0, 20.0])
    time, value = np.array(pedal or []).reshape(-1, 2).T
    return replace(notes, offset_sec=ends, sustain=PedalCurve(time, value), duration_sec=100.0)


def test_it_runs_from_the_first_struck_note_to_the_end_of_the_last_sound():
    start, end = music_span(played(), 60.0)
    assert (start, end) == (pytest.approx(11.95), pytest.approx(21.0))
    assert (LEAD_SEC, DECAY_SEC, LONGEST_RING_SEC) == (0.05, 1.0, 10.0)


def test_a_pedal_that_is_down_lets_the_last_note_ring():
    assert music_span(played([(19.5, 127.0), (23.0, 0.0)]), 60.0)[1] == pytest.approx(24.0)
    assert music_span(played([(20.5, 127.0), (23.0, 0.0)]), 60.0)[1] == pytest.approx(21.0)
    assert music_span(played([(19.5, 63.0), (23.0, 0.0)]), 60.0)[1] == pytest.approx(21.0)


def test_under_a_pedal_that_stays_down_it_dies_away():
    assert music_span(played([(19.5, 127.0)]), 60.0)[1] == pytest.approx(31.0)
    assert music_span(played([(19.5, 127.0), (50.0, 0.0)]), 60.0)[1] == pytest.approx(31.0)


def test_it_lies_within_the_recording():
    early = played().shifted(-12.02)
    assert music_span(early, 8.3) == (0.0, 8.3)


def test_too_little_music_is_refused():
    with pytest.raises(InputError, match=r"holds 2\.8 s of music \(allowed: 3 s to 3 h\)"):
        music_span(played(), 14.7)

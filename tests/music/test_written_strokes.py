"""Which notes of a reading ask for a stroke, and which only allow one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from alignment_etude import score_of
from tocco.music.written_strokes import WrittenStrokes, printed_readings

SCORE = replace(
    score_of(np.array([0.0, 1.0, 2.0]), np.array([60, 62, 64])),
    hidden_onset_beat=np.array([0.5, 2.0]),
    hidden_pitch=np.array([71, 72]),
)


def test_hidden_notes_stand_among_the_printed_ones_and_are_none_of_the_score() -> None:
    page = WrittenStrokes.of(SCORE)
    assert page.note.tolist() == [0, -1, 1, 2, -1]
    assert page.written.pitch.tolist() == [60, 71, 62, 64, 72]
    assert page.written.onset_beat.tolist() == [0, 0.5, 1, 2, 2]
    assert page.written.is_printed.tolist() == [True, False, True, True, False]


def test_a_reading_is_chosen_by_what_is_printed() -> None:
    (reading,) = printed_readings([WrittenStrokes.of(SCORE)])
    assert reading.written.pitch.tolist() == [60, 62, 64]
    assert reading.printed.tolist() == [0, 1, 2]


def test_hidden_notes_after_a_cadenza_wait_for_it_as_printed_ones_do() -> None:
    n_small = 10
    onset = np.array([0.0, *[1.0] * (n_small + 1), 2.0])
    score = replace(
        score_of(onset, np.arange(60, 60 + len(onset))),
        grace_lead=(0, *range(n_small, 0, -1), 0, 0),
        is_grace=np.array([False, *[True] * n_small, False, False]),
        hidden_onset_beat=np.array([0.5, 1.0, 1.5]),
        hidden_pitch=np.array([30, 31, 32]),
    )
    page = WrittenStrokes.of(score)
    hidden = page.written.onset_beat[~page.written.is_printed]
    room_beat = n_small / 8
    np.testing.assert_allclose(hidden, [0.5, 1.0 + room_beat, 1.5 + room_beat])
    np.testing.assert_allclose(page.course.printed_beat(hidden), [0.5, 1.0, 1.5])

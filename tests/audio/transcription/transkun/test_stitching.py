"""Windows joined: no note is doubled, none is cut."""

from __future__ import annotations

import pytest

from tocco.audio.transcription.transkun.stitching import seam_sec, stitched
from tocco.audio.transcription.transkun.window import Heard, WindowHeard


def note(key: int, onset: float, offset: float, *, begins: bool = True, ends: bool = True) -> Heard:
    return Heard(key, onset, offset, 64, begins, ends, 5.0)


def window(start: float, end: float, *events: Heard) -> WindowHeard:
    return WindowHeard(start, end, tuple(sorted(events, key=lambda e: e.onset_sec)))


def spans(*windows: WindowHeard) -> list[tuple[int, float, float]]:
    return sorted((e.key, e.onset_sec, e.offset_sec) for e in stitched(windows))


def test_a_note_that_both_windows_hear_counts_once() -> None:
    left = window(0.0, 16.0, note(60, 5.0, 6.0), note(62, 14.0, 14.5), note(64, 15.0, 15.4))
    right = window(13.0, 29.0, note(62, 14.003, 14.6), note(64, 15.004, 15.5), note(65, 20.0, 21.0))
    seam = seam_sec(left, right)
    assert 14.003 < seam < 15.0
    assert spans(left, right) == [(60, 5.0, 6.0), (62, 14.0, 14.5), (64, 15.004, 15.5), (65, 20.0, 21.0)]


def test_a_note_across_the_seam_ends_where_the_later_window_hears_it_end() -> None:
    left = window(0.0, 16.0, note(48, 12.0, 16.0, ends=False))
    right = window(13.0, 29.0, note(48, 13.0, 18.5, begins=False))
    assert spans(left, right) == [(48, 12.0, 18.5)]


def test_a_note_may_last_over_several_windows() -> None:
    windows = (
        window(0.0, 16.0, note(-64, 12.0, 16.0, ends=False)),
        window(13.0, 29.0, note(-64, 13.0, 29.0, begins=False, ends=False)),
        window(26.0, 42.0, note(-64, 26.0, 30.0, begins=False)),
    )
    assert spans(*windows) == [(-64, 12.0, 30.0)]


def test_a_note_that_the_later_window_does_not_hear_keeps_its_own_end() -> None:
    left = window(0.0, 16.0, note(50, 13.5, 15.9), note(52, 13.5, 16.0, ends=False))
    assert spans(left, window(13.0, 29.0)) == [(50, 13.5, 15.9), (52, 13.5, 16.0)]


@pytest.mark.parametrize("later_sec", [0.02, -0.02, 0.04, -0.04])
def test_a_strike_that_falls_on_both_sides_of_the_seam_counts_once(later_sec: float) -> None:
    """The windows may differ by some milliseconds about when a note begins."""
    dense = [note(30 + k, 13.75 + 0.03 * k, 13.78 + 0.03 * k) for k in range(51)]
    left = window(0.0, 16.0, *dense)
    right = window(13.0, 29.0, *(e._replace(onset_sec=e.onset_sec + later_sec) for e in dense))
    assert [key for key, _, _ in spans(left, right)] == [event.key for event in dense]


def test_repeated_strikes_of_a_key_near_the_seam_stay_apart() -> None:
    strikes = [note(60, 13.0 + 0.1 * k, 13.08 + 0.1 * k) for k in range(30)]
    assert len(spans(window(0.0, 16.0, *strikes), window(13.0, 29.0, *strikes))) == 30


def test_a_sound_that_began_before_everything_is_no_note() -> None:
    assert spans(window(0.0, 16.0, note(60, 0.0, 2.0, begins=False))) == []
    left = window(0.0, 16.0)
    assert spans(left, window(13.0, 29.0, note(60, 13.0, 15.5, begins=False))) == []


def test_the_seam_keeps_away_from_the_edges() -> None:
    quiet = window(0.0, 16.0), window(13.0, 29.0)
    assert seam_sec(*quiet) == pytest.approx(14.5)
    near_edge = window(0.0, 16.0, note(60, 13.8, 14.0)), window(13.0, 29.0)
    assert seam_sec(*near_edge) == pytest.approx((13.8 + 15.25) / 2)

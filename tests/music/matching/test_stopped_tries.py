"""Short tries given up at a stop, in an etude of two hands."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from matching_etude import BEAT_SEC, etude, join, keep, pairs, perform
from tocco.music.matching import matcher
from tocco.music.matching.chords import PlayedNotes, WrittenNotes
from tocco.music.matching.matcher import match_notes
from tocco.music.matching.path import is_after_stop
from tocco.music.matching.stopped_tries import dispensable, side_by_side
from tocco.music.matching.structure import Retry, Walk

PAUSE_SEC = 0.8


def _notes_from(played: PlayedNotes, beat: float) -> int:
    return int(np.searchsorted(played.onset_sec, 1.0 + beat * BEAT_SEC - 0.01))


def _tried_again(played: PlayedNotes, start_beat: float, end_beat: float) -> tuple[PlayedNotes, int, int]:
    """Broken off before one beat, and begun again from an earlier one; first and last note given up."""
    first, stop = _notes_from(played, start_beat), _notes_from(played, end_beat)
    back_sec = (end_beat - start_beat) * BEAT_SEC
    worse = join(
        keep(played, np.arange(stop)), keep(played, np.arange(first, len(played))), back_sec + PAUSE_SEC
    )
    return worse, first, stop - 1


@pytest.mark.parametrize("length_beat", [1.0, 1.5, 2.0, 3.0, 6.0])
def test_a_short_try_is_given_up_whole(length_beat: float) -> None:
    written = etude()
    played, owner = perform(written)
    worse, first, last = _tried_again(played, 20.0, 20.0 + length_beat)
    found = match_notes(written, worse)
    assert found is not None
    assert [(r.first_note, r.last_note) for r in found.retries] == [(first, last)]
    groups = found.groups.onset_beat
    assert groups[found.retries[0].first_group] == 20.0
    assert groups[found.retries[0].last_group] == 20.0 + length_beat - 0.5
    expected = {(int(page), key if key < first else key + last + 1 - first) for key, page in enumerate(owner)}
    assert {(int(page), int(key)) for page, key in found.match} == expected
    assert np.flatnonzero(found.is_retried).tolist() == list(range(first, last + 1))


def test_a_try_that_ends_on_a_wrong_chord_is_one() -> None:
    written = etude()
    played, _ = perform(written)
    worse, first, last = _tried_again(played, 20.0, 21.5)
    pitch = worse.pitch.copy()
    pitch[last] += 1
    found = match_notes(written, replace(worse, pitch=pitch))
    assert found is not None
    assert [(r.first_note, r.last_note) for r in found.retries] == [(first, last)]


def test_of_three_tries_the_last_counts() -> None:
    written = etude()
    played, _ = perform(written)
    worse, first, last = _tried_again(played, 20.0, 21.0)
    size = last + 1 - first
    again = join(
        keep(worse, np.arange(last + 1 + size)), keep(worse, np.arange(last + 1, len(worse))), 0.5 + PAUSE_SEC
    )
    found = match_notes(written, again)
    assert found is not None
    assert [(r.first_note, r.last_note) for r in found.retries] == [(first, last), (last + 1, last + size)]
    assert len(found.match) == len(written)


def test_a_stop_alone_is_no_restart() -> None:
    written = etude()
    played, _ = perform(written)
    stop = _notes_from(played, 20.0)
    halting = join(keep(played, np.arange(stop)), keep(played, np.arange(stop, len(played))), 1.5)
    found = match_notes(written, halting)
    assert found is not None
    assert found.retries == ()
    assert len(found.match) == len(written)


def test_what_the_page_writes_twice_is_no_restart() -> None:
    page = etude(4)
    shifted = replace(page, onset_beat=page.onset_beat + 16.0)
    names = ("onset_beat", "duration_beat", "pitch", "is_grace")
    twice = WrittenNotes(*(np.concatenate([getattr(page, n), getattr(shifted, n)]) for n in names))
    played, _ = perform(twice)
    stop = _notes_from(played, 16.0)
    halting = join(keep(played, np.arange(stop)), keep(played, np.arange(stop, len(played))), PAUSE_SEC)
    found = match_notes(twice, halting)
    assert found is not None
    assert found.retries == ()
    assert len(found.match) == len(twice)


def test_only_tries_that_cost_the_page_nothing_are_dispensable() -> None:
    tries = (Retry(10, 13, 5, 6), Retry(40, 43, 20, 21))
    stroke_with = np.arange(60)
    none_lost = stroke_with.copy()
    none_lost[10:14] += 4
    assert dispensable(tries, stroke_with, none_lost, 0.2) == tries
    all_lost = none_lost.copy()
    all_lost[40:44] = -1
    assert dispensable(tries, stroke_with, all_lost, 0.2) == tries[:1]
    half_lost = none_lost.copy()
    half_lost[40:42] = -1
    assert dispensable(tries, stroke_with, half_lost, 0.2) == tries[:1]
    assert dispensable(tries, stroke_with, half_lost, 0.5) == tries
    # What is won nearby makes up for what is lost.
    won = all_lost.copy()
    stroke_with[36:40] = -1
    assert dispensable(tries, stroke_with, won, 0.2) == tries


def test_no_try_lies_within_another() -> None:
    inner, outer, apart = Retry(12, 15, 6, 7), Retry(10, 30, 5, 12), Retry(40, 43, 20, 21)
    assert side_by_side((inner, apart), [outer]) == (outer, apart)
    assert side_by_side((apart,), [outer]) == (outer, apart)
    assert side_by_side((outer,), [outer]) == (outer,)


def test_a_stopped_try_within_a_longer_one_is_a_part_of_it() -> None:
    written = etude()
    played, _ = perform(written)
    # Bars 3 to 8 are played, with a stumble of one beat in bar 5, and then all of it again.
    stumbled, _, _ = _tried_again(played, 18.0, 19.0)
    stop = _notes_from(stumbled, 32.0 + 1.0 + PAUSE_SEC / BEAT_SEC)
    again = _notes_from(played, 8.0)
    shift_sec = stumbled.onset_sec[stop - 1] + 1.5 - played.onset_sec[again]
    worse = join(keep(stumbled, np.arange(stop)), keep(played, np.arange(again, len(played))), shift_sec)
    found = match_notes(written, worse)
    assert found is not None
    assert len(found.match) == len(written)
    assert len(found.retries) >= 1
    assert found.is_retried.sum() == len(worse) - len(written)
    for one, other in pairwise(found.retries):
        assert one.last_note < other.first_note


def test_what_the_page_asks_for_is_no_try(monkeypatch: pytest.MonkeyPatch) -> None:
    written = etude()
    played, owner = perform(written)
    wavering = Retry(60, 75, 24, 30)
    found_by_way: list[tuple[Retry, ...]] = []

    def find_retries(walk: Walk) -> tuple[Retry, ...]:
        found_by_way.append((wavering,))
        return found_by_way[-1]

    monkeypatch.setattr(matcher, "find_retries", find_retries)
    found = match_notes(written, played)
    assert found is not None
    assert found_by_way
    assert found.retries == ()
    assert {(int(page), int(key)) for page, key in found.match} == pairs(owner)


def test_a_stop_is_long_for_the_music_around_it() -> None:
    sec = np.concatenate([np.arange(20) * 0.2, 4.4 + np.arange(20) * 0.2])
    played = PlayedNotes(sec, sec + 0.1, 60 + 3 * (np.arange(40) % 7), np.full(40, 64))
    assert np.flatnonzero(is_after_stop(played)).tolist() == [20]

from collections.abc import Sequence

import numpy as np

from matching_etude import BEAT_SEC, etude, join, keep, perform
from tocco.music.matching.chords import group_onsets
from tocco.music.matching.structure import Retry, Walk, find_retries, find_skips, walk_of
from tocco.units import FloatArray, IntArray


def _walk(way: Sequence[int] | IntArray, sec: Sequence[float] | FloatArray) -> Walk:
    """A player in a score of single notes, one a beat, each of its own pitch."""
    places = np.array(way)
    return Walk(
        way=places,
        hit=np.ones(len(places), dtype=bool),
        firm=np.ones(len(places), dtype=bool),
        beat=places.astype(float),
        sec=np.array(sec, dtype=float),
        pitch=40 + places,
    )


def test_playing_on_is_one_pass() -> None:
    assert find_retries(_walk(range(30), np.arange(30) * 0.5)) == ()


def test_going_back_and_on_gives_up_the_first_try() -> None:
    way = [*range(20), *range(12, 30)]
    assert find_retries(_walk(way, np.arange(len(way)) * 0.5)) == (Retry(12, 19, 12, 19),)


def test_a_try_that_stops_short_is_the_one_given_up() -> None:
    way = [*range(20), *range(12, 17), *range(20, 30)]
    sec = [*np.arange(25) * 0.5, *(12.5 + np.arange(10) * 0.5)]
    assert Retry(20, 24, 12, 16) in find_retries(_walk(way, sec))


def test_two_hands_apart_are_no_restart() -> None:
    way = np.arange(30)
    way[[10, 11]] = way[[11, 10]]
    assert find_retries(_walk(way, np.arange(30) * 0.5)) == ()


def test_going_back_without_taking_time_is_no_restart() -> None:
    # The same four places twice, in the time of one: the way wavered, the player went on.
    way = [*range(20), *range(16, 30)]
    sec = [
        *np.arange(16) * 0.5,
        *np.linspace(8.0, 8.8, 4),
        *np.linspace(9.0, 9.9, 4),
        *(10.0 + np.arange(10) * 0.5),
    ]
    assert find_retries(_walk(way, sec)) == ()


def test_a_skip_saves_time_and_a_rest_does_not() -> None:
    written = etude()
    groups = group_onsets(written)
    played, owner = perform(written)
    sec = played.onset_sec
    before, after = np.flatnonzero(sec < 1 + 20 * BEAT_SEC), np.flatnonzero(sec >= 1 + 30 * BEAT_SEC)
    way = groups.group_of[np.concatenate([owner[before], owner[after]])]
    is_counted = np.ones(len(way), dtype=bool)
    for shift_sec, n_skips in ((-10 * BEAT_SEC, 1), (0.0, 0)):
        walk = walk_of(way, groups, join(keep(played, before), keep(played, after), shift_sec))
        skips = find_skips(walk, is_counted, groups)
        assert len(skips) == n_skips
        assert all((skip.first_group, skip.last_group) == (40, 59) for skip in skips)


def test_the_tempo_around_a_place() -> None:
    walk = _walk(range(40), np.arange(40) * 0.4)
    np.testing.assert_allclose(walk.beat_sec_around(20, 21), 0.4)
    assert np.isnan(_walk([5, 5], [0.0, 1.0]).beat_sec_around(0, 1))

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching_etude import BEAT_SEC, etude, join, keep, pairs, perform, transpose
from tocco.music.matching.chords import PlayedNotes, WrittenNotes
from tocco.music.matching.matcher import NoteMatching, match_notes


def _match(written: WrittenNotes, played: PlayedNotes) -> NoteMatching:
    result = match_notes(written, played)
    assert result is not None
    return result


def _found(result: NoteMatching) -> set[tuple[int, int]]:
    return {(int(page), int(key)) for page, key in result.match}


def test_perfect_performance_matches_every_note() -> None:
    written = etude()
    played, owner = perform(written, jitter_sec=0.01)
    result = _match(written, played)
    assert _found(result) == pairs(owner)
    assert result.overall == 1.0
    assert result.retries == ()
    assert result.skips == ()
    assert result.confidence.min() > 0.95


def test_the_clock_is_that_of_the_performance() -> None:
    written = etude()
    played, _ = perform(written)
    beats = np.array([0.0, 3.25, 17.5, 63.0, 66.0])
    np.testing.assert_allclose(
        _match(written, played).tempo_map.sec_at(beats), 1.0 + beats * BEAT_SEC, atol=1e-6
    )


def test_planted_wrong_missing_and_extra_notes_are_told_apart() -> None:
    written = etude()
    played, owner = perform(written, jitter_sec=0.01)
    wrong, missing = 40, 90
    pitch = played.pitch.copy()
    pitch[wrong] = 110
    owner = owner.copy()
    owner[wrong] = -1
    extra = PlayedNotes(np.array([9.13]), np.array([9.2]), np.array([20]), np.array([50]))
    kept = np.flatnonzero(np.arange(len(played)) != missing)
    both = join(keep(replace(played, pitch=pitch), kept), extra, 0.0)
    order = np.argsort(both.onset_sec, kind="stable")
    owner = np.append(owner[kept], -1)[order]
    assert _found(_match(written, keep(both, order))) == pairs(owner)


def test_a_restart_is_a_span_and_its_last_try_counts() -> None:
    written = etude()
    played, owner = perform(written)
    stop, again = 1.0 + 20 * BEAT_SEC, 1.0 + 12 * BEAT_SEC
    before = np.flatnonzero(played.onset_sec < stop)
    after = np.flatnonzero(played.onset_sec >= again)
    twice = join(keep(played, before), keep(played, after), stop - again + 1.0)
    result = _match(written, twice)
    first = int(np.searchsorted(played.onset_sec, again))
    assert [(r.first_note, r.last_note) for r in result.retries] == [(first, len(before) - 1)]
    beats = result.groups.onset_beat
    assert beats[result.retries[0].first_group] == 12.0
    assert beats[result.retries[0].last_group] == 19.5
    truth = np.concatenate([np.where(np.arange(len(before)) < first, owner[before], -1), owner[after]])
    assert _found(result) == pairs(truth)
    assert result.overall == 1.0


def test_two_tries_of_the_same_bars_are_two_spans() -> None:
    written = etude()
    played, _ = perform(written)
    sec = played.onset_sec
    bars = np.flatnonzero((sec >= 1.0 + 12 * BEAT_SEC) & (sec < 1.0 + 20 * BEAT_SEC))
    start = keep(played, np.flatnonzero(sec < 1.0 + 20 * BEAT_SEC))
    twice = join(start, keep(played, bars), 8 * BEAT_SEC + 1.0)
    thrice = join(twice, keep(played, np.flatnonzero(sec >= 1.0 + 12 * BEAT_SEC)), 2 * (8 * BEAT_SEC + 1.0))
    result = _match(written, thrice)
    assert [r.last_note - r.first_note + 1 for r in result.retries] == [len(bars), len(bars)]
    assert len(result.match) == len(written)


def test_skipped_bars_are_a_span_and_not_errors() -> None:
    written = etude()
    played, owner = perform(written)
    sec = played.onset_sec
    before, after = np.flatnonzero(sec < 1.0 + 24 * BEAT_SEC), np.flatnonzero(sec >= 1.0 + 36 * BEAT_SEC)
    result = _match(written, join(keep(played, before), keep(played, after), -12 * BEAT_SEC))
    beats = result.groups.onset_beat
    assert [(beats[s.first_group], beats[s.last_group]) for s in result.skips] == [(24.0, 35.5)]
    assert result.skips[0].before_note == len(before) - 1
    assert _found(result) == pairs(np.concatenate([owner[before], owner[after]]))
    assert result.overall == 1.0


def test_bars_missed_while_time_goes_on_are_missing_notes() -> None:
    written = etude()
    played, _ = perform(written)
    sec = played.onset_sec
    silent = (sec >= 1.0 + 24 * BEAT_SEC) & (sec < 1.0 + 32 * BEAT_SEC)
    result = _match(written, keep(played, np.flatnonzero(~silent)))
    assert result.skips == ()
    assert result.is_performed.all()
    assert len(result.match) == len(written) - int(silent.sum())


def test_an_excerpt_performs_only_its_stretch() -> None:
    written = etude()
    played, _ = perform(written)
    sec = played.onset_sec
    part = np.flatnonzero((sec >= 1.0 + 16 * BEAT_SEC) & (sec < 1.0 + 40 * BEAT_SEC))
    result = _match(written, keep(played, part))
    np.testing.assert_array_equal(
        result.is_performed, (written.onset_beat >= 16.0) & (written.onset_beat < 40.0)
    )
    assert result.overall == 1.0


def test_grace_notes_go_before_a_main_note_of_the_same_key() -> None:
    written = etude(4)
    main = int(np.flatnonzero(written.onset_beat == 8.0)[-1])
    page = WrittenNotes(
        np.insert(written.onset_beat, main, 8.0),
        np.insert(written.duration_beat, main, 0.0),
        np.insert(written.pitch, main, written.pitch[main]),
        np.insert(written.is_grace, main, True),
    )
    played, owner = perform(written)
    due = 1.0 + 8 * BEAT_SEC
    with_grace = join(
        played,
        PlayedNotes(
            np.array([due - 0.09]), np.array([due - 0.02]), page.pitch[main : main + 1], np.array([50])
        ),
        0.0,
    )
    order = np.argsort(with_grace.onset_sec, kind="stable")
    behind = np.append(np.where(owner >= main, owner + 1, owner), main)[order]
    assert _found(_match(page, keep(with_grace, order))) == pairs(behind)


@settings(max_examples=10, deadline=None)
@given(shift=st.integers(-20, 20))
def test_transposing_both_changes_nothing(shift: int) -> None:
    written = etude(6)
    played, _ = perform(written, jitter_sec=0.02)
    plain = _match(written, played)
    moved = _match(transpose(written, shift), replace(played, pitch=played.pitch + shift))
    np.testing.assert_array_equal(plain.match, moved.match)


@settings(max_examples=10, deadline=None)
@given(by_sec=st.floats(-5.0, 5.0))
def test_shifting_time_changes_nothing(by_sec: float) -> None:
    written = etude(6)
    played, _ = perform(written, jitter_sec=0.02)
    moved = replace(played, onset_sec=played.onset_sec + by_sec, offset_sec=played.offset_sec + by_sec)
    plain, later = _match(written, played), _match(written, moved)
    np.testing.assert_array_equal(plain.match, later.match)
    np.testing.assert_allclose(later.tempo_map.sec, plain.tempo_map.sec + by_sec, atol=1e-9)


@pytest.mark.parametrize("stretch", [0.5, 0.8, 1.5, 2.5])
def test_tempo_does_not_matter(stretch: float) -> None:
    written = etude()
    played, owner = perform(written, jitter_sec=0.005)
    slow = replace(played, onset_sec=played.onset_sec * stretch, offset_sec=played.offset_sec * stretch)
    assert _found(_match(written, slow)) == pairs(owner)


def test_another_piece_hardly_agrees() -> None:
    played, _ = perform(etude(seed=8))
    result = match_notes(etude(seed=7), played)
    assert result is None or result.overall < 0.5


def test_a_single_common_note_gives_no_clock() -> None:
    page = WrittenNotes(np.array([0.0]), np.array([1.0]), np.array([60]), np.array([False]))
    played = PlayedNotes(np.array([0.5]), np.array([0.9]), np.array([60]), np.array([64]))
    assert match_notes(page, played) is None

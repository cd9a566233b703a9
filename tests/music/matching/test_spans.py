"""What `align_performance_to_score` says of restarts, skips, ornaments and rolled chords."""

from __future__ import annotations

import numpy as np

from matching_etude import BEAT_SEC, etude, join, keep, perform
from tocco.music.alignment import align_performance_to_score
from tocco.music.matching.chords import PlayedNotes, WrittenNotes
from tocco.music.performance import PedalCurve, Performance
from tocco.music.score import Score


def _score(page: WrittenNotes, n_bars: int = 16) -> Score:
    return Score(
        note_id=tuple(f"n{k}" for k in range(len(page))),
        onset_beat=page.onset_beat,
        duration_beat=page.duration_beat,
        pitch=page.pitch,
        voice=np.ones(len(page), dtype=int),
        staff=np.ones(len(page), dtype=int),
        is_grace=page.is_grace,
        articulation=("",) * len(page),
        velocity=np.zeros(len(page), dtype=int),
        bar=(page.onset_beat // 4).astype(int),
        bar_onset_beat=np.arange(n_bars) * 4.0,
        bar_beats=np.full(n_bars, 4.0),
        bar_name=tuple(str(k + 1) for k in range(n_bars)),
        tempo_bpm=120.0,
        marks=(),
        source="etude.musicxml",
    )


def _take(played: PlayedNotes) -> Performance:
    return Performance(
        onset_sec=played.onset_sec,
        offset_sec=played.offset_sec,
        pitch=played.pitch,
        velocity=played.velocity,
        sustain=PedalCurve(),
        sostenuto=PedalCurve(),
        soft=PedalCurve(),
        duration_sec=float(played.offset_sec.max()),
        source="take.mid",
    )


def _with_restart() -> tuple[Score, Performance]:
    """Stops at beat 20 and goes back to beat 12, after a second."""
    page = etude()
    played, _ = perform(page)
    sec = played.onset_sec
    before = np.flatnonzero(sec < 1 + 20 * BEAT_SEC)
    after = np.flatnonzero(sec >= 1 + 12 * BEAT_SEC)
    return _score(page), _take(join(keep(played, before), keep(played, after), 8 * BEAT_SEC + 1.0))


def test_a_restart_is_told_in_seconds_and_beats() -> None:
    alignment = align_performance_to_score(_with_restart()[1], _with_restart()[0])
    (span,) = alignment.retries
    np.testing.assert_allclose((span.start_sec, span.end_sec), (7.0, 12.0))
    assert (span.start_beat, span.end_beat) == (12.0, 19.5)
    np.testing.assert_array_equal(alignment.insertion, np.arange(span.first_note, span.last_note + 1))
    assert len(alignment.deletion) == 0
    assert len(alignment.substitution) == 0
    assert alignment.overall_confidence == 1.0
    assert len(alignment.confidence) == alignment.n_match


def test_a_segment_takes_its_share_of_a_restart() -> None:
    score, performance = _with_restart()
    alignment = align_performance_to_score(performance, score)
    start_sec, end_sec = 9.0, 14.0
    index = np.flatnonzero((performance.onset_sec >= start_sec) & (performance.onset_sec < end_sec))
    segment = alignment.window(start_sec, end_sec, index)
    (span,) = segment.retries
    np.testing.assert_allclose((span.start_sec, span.end_sec), (0.0, 3.0))
    assert span.first_note == 0
    assert span.last_note == len(segment.insertion) - 1
    assert len(segment.confidence) == segment.n_match
    later = alignment.window(14.0, 20.0, np.flatnonzero(performance.onset_sec >= 14.0))
    assert later.retries == ()


def test_skipped_bars_are_unplayed_and_not_missing() -> None:
    page = etude()
    played, _ = perform(page)
    sec = played.onset_sec
    before, after = np.flatnonzero(sec < 1 + 24 * BEAT_SEC), np.flatnonzero(sec >= 1 + 36 * BEAT_SEC)
    performance = _take(join(keep(played, before), keep(played, after), -12 * BEAT_SEC))
    alignment = align_performance_to_score(performance, _score(page))
    (span,) = alignment.skips
    assert (span.start_beat, span.end_beat) == (24.0, 35.5)
    assert span.at_sec == 1 + 23.5 * BEAT_SEC
    assert len(alignment.deletion) == 0
    np.testing.assert_array_equal(
        alignment.unplayed, np.flatnonzero((page.onset_beat >= 24) & (page.onset_beat < 36))
    )
    kept = np.flatnonzero(performance.onset_sec >= 10.0)
    assert alignment.window(10.0, 40.0, kept).skips[0].at_sec == span.at_sec - 10.0
    assert alignment.window(20.0, 40.0, np.flatnonzero(performance.onset_sec >= 20.0)).skips == ()


def test_a_trill_and_a_rolled_chord_are_recognised() -> None:
    page = etude()
    played, owner = perform(page)
    chord = np.flatnonzero((page.onset_beat[owner] == 30.0) & (page.duration_beat[owner] == 1.0))
    onset = played.onset_sec.copy()
    onset[chord] += np.array([0.0, 0.07, 0.14])
    highest = int(np.flatnonzero(owner == np.flatnonzero(page.onset_beat == 40.0)[-1])[0])
    main_pitch = int(played.pitch[highest])
    trill_sec = onset[highest] + 0.05 * np.arange(1, 5)
    added = PlayedNotes(trill_sec, trill_sec + 0.04, main_pitch + np.array([1, 0, 1, 0]), np.full(4, 60))
    both = join(PlayedNotes(onset, played.offset_sec, played.pitch, played.velocity), added, 0.0)
    both = keep(both, np.argsort(both.onset_sec, kind="stable"))
    alignment = align_performance_to_score(_take(both), _score(page))
    assert alignment.n_match == len(page)
    (ornament,) = alignment.ornaments
    assert (ornament.kind, ornament.written) == ("trill", owner[highest])
    np.testing.assert_array_equal(ornament.played, alignment.insertion)
    assert [chord.onset_beat for chord in alignment.rolled_chords if chord.spread_sec > 0.1] == [30.0]

"""Note features: known answers on the etude, the window rule, and what is missing without a score."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statistics_etude import BEAT_SEC, etude
from tocco.music.midi import notes_within, segment_midi
from tocco.music.note_features import NOTE_FEATURES, note_features
from tocco.music.performance import PedalCurve, Performance

COLUMN = {feature.name: k for k, feature in enumerate(NOTE_FEATURES)}
NEEDS_SCORE = np.array([feature.needs_score for feature in NOTE_FEATURES])


def column(table: np.ndarray, name: str) -> np.ndarray:
    return table[:, COLUMN[name]]


def test_catalogue() -> None:
    assert 20 <= len(NOTE_FEATURES) <= 28
    assert len(COLUMN) == len(NOTE_FEATURES)
    table = note_features(*etude())
    assert table.shape == (64, len(NOTE_FEATURES))
    assert table.dtype == np.float32


class TestKnownAnswers:
    def test_touch(self) -> None:
        performance, alignment = etude()
        table = note_features(performance, alignment)
        upper = performance.pitch >= 72
        np.testing.assert_array_equal(column(table, "velocity"), performance.velocity)
        np.testing.assert_allclose(column(table, "duration_log")[upper], np.log(0.301), atol=1e-5)
        np.testing.assert_allclose(column(table, "sounding_log"), column(table, "duration_log"), atol=1e-5)
        np.testing.assert_allclose(
            column(table, "line_overlap_log")[upper][:-1], np.log(0.301 / 0.6), atol=1e-4
        )
        np.testing.assert_allclose(column(table, "articulation_log")[upper], np.log(0.305 / 0.6), atol=1e-4)
        np.testing.assert_allclose(column(table, "articulation_log")[~upper], np.log(1.205 / 1.2), atol=1e-4)

    def test_chords(self) -> None:
        performance, alignment = etude(melody_lead_sec=0.02)
        table = note_features(performance, alignment)
        upper = performance.pitch >= 72
        chord = column(table, "chord_size") == 3
        assert chord.sum() == 48
        np.testing.assert_allclose(column(table, "chord_spread_ms")[chord], 20.0, atol=1e-3)
        np.testing.assert_allclose(column(table, "onset_in_chord_ms")[~upper], 20.0, atol=1e-3)
        np.testing.assert_allclose(column(table, "chord_asynchrony_ms")[upper & chord], -20.0, atol=1e-3)
        np.testing.assert_allclose(column(table, "velocity_in_chord")[upper & chord], 80 - 200 / 3, atol=1e-4)
        np.testing.assert_array_equal(column(table, "is_top"), upper)
        np.testing.assert_array_equal(
            column(table, "is_bottom"), (performance.pitch == 48) | (upper & ~chord)
        )

    def test_tempo_and_metre(self) -> None:
        performance, alignment = etude()
        table = note_features(performance, alignment)
        beat = alignment.performance_beat
        np.testing.assert_allclose(column(table, "tempo_log"), np.log(100.0), atol=1e-4)
        np.testing.assert_allclose(column(table, "onset_deviation_ms"), 0.0, atol=1e-2)
        np.testing.assert_array_equal(column(table, "metrical_strength"), np.where(beat % 4 == 0, 3.0, 2.0))
        np.testing.assert_allclose(column(table, "bar_position"), (beat % 4) / 4)
        inner = (beat > 0) & (beat < 31)
        np.testing.assert_allclose(column(table, "tempo_change")[inner], 0.0, atol=1e-4)
        assert np.isnan(column(table, "tempo_change")[~inner]).all()
        assert (column(table, "matched") == 1).all()

    def test_a_late_note_and_a_sudden_slowing(self) -> None:
        performance, alignment = etude()
        beat_of_score = alignment.score.onset_beat
        late, same = etude(late_sec=np.where(beat_of_score == 17.0, 0.05, 0.0))
        table = note_features(late, same)
        at = same.performance_beat == 17.0
        deviation = column(table, "onset_deviation_ms")
        assert deviation[at][0] == pytest.approx(50.0, abs=0.1)
        assert np.abs(deviation[~at]).max() < 25.0
        assert column(table, "onset_deviation_beat")[at][0] == pytest.approx(0.05 / BEAT_SEC, abs=1e-3)

        slow, same = etude(sec_of_beat=lambda beat: BEAT_SEC * (beat + np.maximum(beat - 16.0, 0.0)))
        change = column(note_features(slow, same), "tempo_change")
        assert change[same.performance_beat == 16.0][0] == pytest.approx(-np.log(2.0), abs=1e-4)
        assert performance.duration_sec < slow.duration_sec

    def test_pedals(self) -> None:
        performance, _ = etude(pedal=PedalCurve(np.array([0.0, 5.0]), np.array([90.0, 10.0])))
        performance = replace(performance, soft=PedalCurve(np.array([0.0, 7.0]), np.array([40.0, 0.0])))
        table = note_features(performance)
        np.testing.assert_array_equal(
            column(table, "pedal_depth_at_onset"), np.where(performance.onset_sec < 5.0, 90, 10)
        )
        np.testing.assert_array_equal(
            column(table, "pedal_depth_at_offset"), np.where(performance.offset_sec < 5.0, 90, 10)
        )
        np.testing.assert_array_equal(
            column(table, "soft_depth_at_onset"), np.where(performance.onset_sec < 7.0, 40, 0)
        )
        held = np.exp(column(table, "sounding_log")) > np.exp(column(table, "duration_log")) + 1e-3
        early = performance.offset_sec < 5.0
        assert held[early].any()
        assert not held[~early].any()

    def test_what_the_page_suggests_is_taken_out(self) -> None:
        performance, alignment = etude()
        louder = performance.velocity + np.where(alignment.performance_beat == 9.0, 20, 0)
        beyond = column(
            note_features(replace(performance, velocity=louder), alignment), "velocity_beyond_page"
        )
        assert beyond.argmax() == np.flatnonzero(alignment.performance_beat == 9.0)[0]
        plain = column(note_features(performance, alignment), "velocity_beyond_page")
        np.testing.assert_allclose(plain, 0.0, atol=1.5)


class TestMissing:
    def test_without_a_score(self) -> None:
        performance, alignment = etude()
        alone, both = note_features(performance), note_features(performance, alignment)
        assert np.isnan(alone[:, NEEDS_SCORE]).all()
        np.testing.assert_array_equal(alone[:, ~NEEDS_SCORE], both[:, ~NEEDS_SCORE])

    def test_an_extra_note_is_flagged_and_has_no_page(self) -> None:
        performance, alignment = etude()
        extra = int(alignment.match[20, 1])
        partly = replace(alignment, match=np.delete(alignment.match, 20, axis=0), insertion=np.array([extra]))
        row = note_features(performance, partly)[extra]
        assert row[COLUMN["matched"]] == 0.0
        relative = NEEDS_SCORE.copy()
        relative[COLUMN["matched"]] = False
        assert np.isnan(row[relative]).all()
        assert np.isfinite(row[~NEEDS_SCORE]).all()

    def test_grace_notes_are_matched_but_have_no_place_in_the_beat(self) -> None:
        performance, alignment = etude()
        grace = np.arange(64) == 20
        table = note_features(performance, replace(alignment, score=replace(alignment.score, is_grace=grace)))
        row = table[alignment.match[20, 1]]
        assert row[COLUMN["matched"]] == 1.0
        assert row[COLUMN["is_grace"]] == 1.0
        assert np.isnan(row[COLUMN["onset_deviation_ms"]])
        assert np.nansum(column(table, "is_grace")) == 1.0

    def test_window_keeps_the_touch_of_notes_struck_before_it(self) -> None:
        performance, alignment = etude()
        window = segment_midi(performance, np.array([[4.9, 12.1]]))[0]
        part = alignment.window(4.9, 12.1, notes_within(performance, 4.9, 12.1))
        table = note_features(window, part)
        before = window.onset_sec < 0
        assert before.any()
        assert np.isfinite(column(table, "velocity")).all()
        assert np.isfinite(column(table, "duration_log")).all()
        for name in (
            "ioi_log",
            "chord_size",
            "pedal_depth_at_onset",
            "onset_deviation_ms",
            "articulation_log",
        ):
            assert np.isnan(column(table, name)[before]).all()
        assert (column(table, "matched") == 1).all()
        np.testing.assert_allclose(column(table, "tempo_log")[~before], np.log(100.0), atol=1e-3)

    def test_no_notes(self) -> None:
        empty = np.zeros(0)
        up = PedalCurve()
        nothing = Performance(empty, empty, empty.astype(int), empty.astype(int), up, up, up, 0.0)
        assert note_features(nothing).shape == (0, len(NOTE_FEATURES))

    @settings(max_examples=40, deadline=None)
    @given(seed=st.integers(0, 2**31), n_notes=st.integers(1, 14))
    def test_few_notes_never_give_infinity(self, seed: int, n_notes: int) -> None:
        rng = np.random.default_rng(seed)
        _, alignment = etude()
        onset = np.sort(np.round(rng.uniform(-1.0, 3.0, n_notes), 1))
        up = PedalCurve()
        performance = Performance(
            onset,
            onset + rng.uniform(0.01, 1.0, n_notes),
            rng.integers(0, 128, n_notes),
            rng.integers(1, 128, n_notes),
            up,
            up,
            up,
            4.0,
        )
        part = replace(
            alignment,
            match=np.stack([np.arange(n_notes), rng.permutation(n_notes)], axis=1),
            performance_beat=np.zeros(n_notes),
        )
        assert not np.isinf(note_features(performance, part)).any()


@pytest.mark.parametrize("by_sec", [0.25, 77.7])
def test_the_clock_does_not_matter(by_sec: float) -> None:
    late = np.random.default_rng(3).uniform(0, 0.05, 64)
    performance, alignment = etude(late_sec=late)
    here, there = (note_features(p, alignment) for p in (performance, performance.shifted(by_sec)))
    np.testing.assert_allclose(there, here, rtol=1e-5, atol=1e-4)


@pytest.mark.slow
def test_five_thousand_notes_take_less_than_a_second(rng: np.random.Generator) -> None:
    onset = np.sort(rng.uniform(0.0, 400.0, 5_000))
    up = PedalCurve()
    pedal = PedalCurve(np.arange(0.0, 400.0, 0.25), np.tile([127.0, 0.0], 800))
    performance = Performance(
        onset,
        onset + rng.uniform(0.05, 1.0, 5_000),
        rng.integers(30, 95, 5_000),
        rng.integers(20, 110, 5_000),
        pedal,
        up,
        up,
        401.0,
    )
    note_features(performance)
    start = time.process_time()
    note_features(performance)
    assert time.process_time() - start < 1.0

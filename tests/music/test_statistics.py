"""Performance statistics: known answers on an etude, invariances, missing values, and speed."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statistics_etude import BEAT_SEC, N_BEATS, etude
from tocco.music.alignment import Alignment, align_performance_to_score
from tocco.music.midi import load_midi
from tocco.music.performance import PedalCurve, Performance
from tocco.music.score import load_score
from tocco.music.statistics import STATISTICS, performance_statistics

UNITS = {
    "1/beat",
    "1/min",
    "1/s",
    "beats",
    "correlation",
    "count",
    "dB",
    "fraction",
    "log",
    "ms",
    "pedal",
    "ratio",
    "s",
    "semitones",
    "velocity",
}
NEEDS_SCORE = np.array([s.needs_score for s in STATISTICS])
INVARIANT = np.array([s.transposition_invariant for s in STATISTICS])


def bar_pedal(press_lag_sec: float = 0.1, release_lag_sec: float = 0.05) -> PedalCurve:
    """One press a bar, down after its first onset, up after the next bar's; the music starts at 1 s."""
    bar = 1.0 + 4 * BEAT_SEC * np.arange(8)
    time_sec = np.stack([bar + press_lag_sec, bar + 4 * BEAT_SEC + release_lag_sec], axis=1).ravel()
    return PedalCurve(time_sec, np.tile([127.0, 0.0], 8))


def random_playing(rng: np.random.Generator, n_notes: int) -> Performance:
    """Notes as dense as in a ballade, with a pedal that changes twice a second."""
    onset = np.sort(rng.uniform(0.0, n_notes / 12.0, n_notes))
    times = np.arange(0.0, n_notes / 12.0, 0.25)
    up = PedalCurve()
    return Performance(
        onset_sec=onset,
        offset_sec=onset + rng.uniform(0.05, 1.0, n_notes),
        pitch=rng.integers(30, 95, n_notes),
        velocity=rng.integers(20, 110, n_notes),
        sustain=PedalCurve(times, rng.uniform(0, 127, len(times))),
        sostenuto=up,
        soft=up,
        duration_sec=n_notes / 12.0 + 1.0,
    )


class TestCatalogue:
    def test_size_names_and_units(self) -> None:
        names = [s.name for s in STATISTICS]
        assert 200 <= len(names) <= 320
        assert len(set(names)) == len(names)
        assert {s.unit for s in STATISTICS} <= UNITS
        assert all(s.meaning and s.group for s in STATISTICS)

    def test_only_what_the_etude_lacks_is_missing(self) -> None:
        rng = np.random.default_rng(1)
        performance, alignment = etude(late_sec=rng.uniform(0, 0.03, 64), pedal=bar_pedal())
        performance = replace(performance, velocity=performance.velocity + rng.integers(-15, 16, 64))
        measured = performance_statistics(performance, alignment).as_dict()
        lacks = {
            "velocity_tide": "33 chords",
            "insertion_velocity": "extra notes",
            "velocity_follows_stated": "a page with more than one level",
            "offbeat_delay_ms": "onsets between the beats",
            "beat_accent": "onsets between the beats",
            "short_value_articulation": "quavers",
            "run_unevenness": "quavers",
            "run_unevenness_sd": "quavers",
            "run_velocity_unevenness": "quavers",
            "run_lurch_fraction": "quavers",
            "rubato_long_short": "more than one time between written onsets",
        }
        assert {name for name, value in measured.items() if np.isnan(value)} == set(lacks)


@pytest.fixture(scope="module")
def plain() -> dict[str, float]:
    """The etude in strict time, with one pedal a bar."""
    return performance_statistics(*etude(pedal=bar_pedal())).as_dict()


class TestKnownAnswers:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("note_count", 64.0),
            ("span_sec", 32 * BEAT_SEC),
            ("onset_rate", 1 / BEAT_SEC),
            ("chord_size_mean", 2.0),
            ("chord_size_max", 3.0),
            ("chord_fraction", 0.5),
            ("ioi_sec_mean", BEAT_SEC),
            ("ioi_cv", 0.0),
            ("ioi_npvi", 0.0),
            ("chord_spread_ms_mean", 0.0),
            ("velocity_mean", 70.0),
            ("velocity_sd", 10.0),
            ("velocity_range", 20.0),
            ("melody_velocity_mean", 80.0),
            ("bass_velocity_mean", 60.0),
            ("melody_above_rest", 20.0),
            ("melody_legato_mean", 0.5),
            ("melody_overlap_fraction", 0.0),
            ("melody_rise_fraction", 16 / 31),
            ("melody_step_fraction", 1.0),
            ("tempo_bpm", 100.0),
            ("tempo_against_stated", 0.0),
            ("tempo_sd", 0.0),
            ("tempo_slope", 0.0),
            ("deviation_narrow_sd_ms", 0.0),
            ("deviation_wide_p95_ms", 0.0),
            ("hesitation_rate", 0.0),
            ("step_back_fraction", 0.0),
            ("deletion_fraction", 0.0),
            ("insertion_fraction", 0.0),
            ("upper_velocity", 80.0),
            ("upper_above_lower", 20.0),
            ("written_top_above_rest", 20.0),
            ("velocity_against_stated", 6.0),
            ("score_span_beat", 31.0),
            ("score_bar_beat", 4.0),
            ("score_chord_size", 2.0),
            ("score_duration_beat", 1.5),
            ("pedal_press_rate", 8 / (32 * BEAT_SEC)),
            ("pedal_press_lag_sec", 0.1),
            ("pedal_release_lag_sec", 0.05),
            ("pedal_gap_sec", 0.05),
            ("pedal_press_distance_sec", 0.1),
            ("pedal_presses_a_bar", 8 / 7),
            ("pedal_onsets_per_press", 4.0),
            ("pedal_clean_change_fraction", 1.0),
            ("soft_down_fraction", 0.0),
        ],
    )
    def test_plain_etude(self, plain: dict[str, float], name: str, value: float) -> None:
        assert plain[name] == pytest.approx(value, abs=2e-5)

    def test_articulation_against_the_page(self, plain: dict[str, float]) -> None:
        # The 5 ms that keep the logarithm finite are part of the definition.
        assert plain["upper_articulation"] == pytest.approx(np.log((0.3 + 0.005) / 0.6), abs=1e-6)
        assert plain["lower_articulation"] == pytest.approx(np.log((1.2 + 0.005) / 1.2), abs=1e-6)
        assert plain["articulation_short_fraction"] == pytest.approx(0.5)

    def test_time_with_the_pedal_down(self, plain: dict[str, float]) -> None:
        # Eight bars of 2.4 s, of which 0.1 s at the start and 0.05 s at the end of a press are clean;
        # the last release lies beyond the last key.
        down = 8 * (4 * BEAT_SEC - 0.05) - 0.05
        assert plain["pedal_down_fraction"] == pytest.approx(down / (32 * BEAT_SEC), abs=1e-6)
        assert plain["pedal_press_length_sec"] == pytest.approx(down / 8, abs=1e-6)

    def test_melody_lead(self) -> None:
        measured = performance_statistics(*etude(melody_lead_sec=0.02))
        assert measured["melody_lead_ms"] == pytest.approx(20.0, abs=1e-2)
        assert measured["chord_spread_ms_mean"] == pytest.approx(20.0, abs=1e-2)
        assert measured["written_melody_lead_ms"] == pytest.approx(20.0, abs=1e-2)
        # Both notes of the lower staff stand on the median of their chord, the upper one before it.
        on_all_upper = -20.0 * 16 / 32
        assert measured["staff_delay_ms"] == pytest.approx(on_all_upper, abs=1e-2)

    def test_ritardando_and_its_place(self) -> None:
        def slowing(beat: np.ndarray) -> np.ndarray:
            return BEAT_SEC * (beat + 0.1 * np.maximum(beat - 24.0, 0.0) ** 2 / 2.0)

        measured = performance_statistics(*etude(sec_of_beat=slowing))
        assert measured["tempo_slope"] < 0
        assert measured["tempo_arch"] < 0
        assert measured["tempo_final"] == pytest.approx(
            np.mean(np.log(1 / (1 + 0.1 * (np.arange(26, 31) - 23.5))))
            - np.mean(np.log(1 / np.where(np.arange(31) < 24, 1.0, 1 + 0.1 * (np.arange(31) - 23.5)))),
            abs=1e-4,
        )
        assert measured["tempo_sixth_6"] < measured["tempo_sixth_1"]

    def test_hesitation(self) -> None:
        late = np.where(etude()[1].score.onset_beat >= 16.0, 1.2, 0.0)
        measured = performance_statistics(*etude(late_sec=late))
        assert measured["hesitation_rate"] == pytest.approx(1 / 31)
        assert measured["hesitation_longest_beat"] == pytest.approx(2.0, abs=1e-4)

    def test_errors_are_counted_against_what_was_due(self) -> None:
        performance, alignment = etude()
        n = len(performance)
        wrong = Alignment(
            score=alignment.score,
            match=alignment.match[8:],
            deletion=np.arange(4),
            insertion=alignment.match[:2, 1],
            substitution=np.stack([np.arange(2), alignment.match[:2, 1]], axis=1),
            anchor_beat=alignment.anchor_beat,
            anchor_sec=alignment.anchor_sec,
            performance_beat=alignment.performance_beat,
            unplayed=np.arange(4, 8),
        )
        measured = performance_statistics(performance, wrong)
        assert measured["deletion_fraction"] == pytest.approx(4 / (n - 8 + 4))
        assert measured["substitution_fraction"] == pytest.approx(2 / (n - 8 + 4))
        assert measured["insertion_fraction"] == pytest.approx(2 / (n - 8 + 2))


class TestInvariances:
    @pytest.mark.parametrize("by_sec", [0.25, 3.1, 1000.0])
    def test_shift_in_time(self, by_sec: float) -> None:
        late = np.random.default_rng(3).uniform(0, 0.05, 64)
        performance, alignment = etude(late_sec=late, pedal=bar_pedal())
        here = performance_statistics(performance, alignment).values
        there = performance_statistics(performance.shifted(by_sec), alignment).values
        np.testing.assert_allclose(there, here, rtol=1e-9, atol=1e-9)

    @pytest.mark.parametrize("semitones", [1, -5, 12])
    def test_transposition(self, semitones: int) -> None:
        late = np.random.default_rng(4).uniform(0, 0.05, 64)
        performance, alignment = etude(late_sec=late, pedal=bar_pedal())
        moved, same_alignment = etude(late_sec=late, pedal=bar_pedal(), transpose=semitones)
        score = replace(alignment.score, pitch=alignment.score.pitch + semitones)
        here = performance_statistics(performance, alignment)
        there = performance_statistics(moved, replace(same_alignment, score=score))
        np.testing.assert_allclose(there.values[INVARIANT], here.values[INVARIANT], rtol=1e-9, atol=1e-7)
        assert there["pitch_mean"] - here["pitch_mean"] == pytest.approx(semitones)
        assert (there["brightness_mean"] > here["brightness_mean"]) == (semitones > 0)

    def test_slower_playing_changes_the_tempo_alone_among_the_relative_ones(self) -> None:
        late = np.random.default_rng(5).uniform(0, 0.015, 64)
        performance, alignment = etude(late_sec=late)
        half = performance_statistics(performance.shifted(0.0, stretch=2.0), alignment)
        full = performance_statistics(performance, alignment)
        assert half["tempo_log"] - full["tempo_log"] == pytest.approx(-np.log(2.0), abs=1e-5)
        for name in ("tempo_sd", "deviation_wide_sd_beat", "ioi_cv", "melody_legato_mean", "rubato_1_beat"):
            assert half[name] == pytest.approx(full[name], abs=1e-4)
        assert half["deviation_wide_sd_ms"] == pytest.approx(2 * full["deviation_wide_sd_ms"], rel=1e-4)


class TestMonotony:
    def test_more_jitter_never_lowers_the_deviations(self) -> None:
        rng = np.random.default_rng(6)
        # Whole onsets move, so that chords stay together and only time against the beat is unsteady.
        of_beat = rng.normal(size=N_BEATS)
        late = of_beat[etude()[1].score.onset_beat.astype(int)]
        names = [f"deviation_{w}_{m}" for w in ("narrow", "wide") for m in ("sd_ms", "median_ms", "p95_ms")]
        names += ["ioi_cv", "ioi_npvi", "tempo_sd", "tempo_step", "tempo_curvature", "ioi_against_beat_sd"]
        sizes = (0.0, 0.005, 0.01, 0.02, 0.04)
        runs = [performance_statistics(*etude(late_sec=size * late)) for size in sizes]
        for name in names:
            values = np.array([run[name] for run in runs])
            assert (np.diff(values) > 0).all(), name

    def test_longer_keys_raise_legato_and_articulation(self) -> None:
        runs = [performance_statistics(*etude(melody_held=held)) for held in (0.2, 0.5, 0.9, 1.1)]
        for name in ("melody_legato_mean", "upper_articulation", "key_duration_sec_mean", "held_log_mean"):
            assert (np.diff([run[name] for run in runs]) > 0).all(), name

    def test_pedal_blurs(self) -> None:
        dry, wet = performance_statistics(*etude()), performance_statistics(*etude(pedal=bar_pedal()))
        for name in ("ringing_mean", "clash_mean", "sounding_log_mean", "loudness_db_mean"):
            assert wet[name] > dry[name], name
        assert wet["ringing_held"] == pytest.approx(dry["ringing_held"])
        assert dry["ringing_by_pedal"] == 0.0


class TestMissing:
    def test_without_a_score_and_never_zero(self) -> None:
        performance, alignment = etude(pedal=bar_pedal())
        alone = performance_statistics(performance).values
        both = performance_statistics(performance, alignment).values
        assert np.isnan(alone[NEEDS_SCORE]).all()
        np.testing.assert_array_equal(alone[~NEEDS_SCORE], both[~NEEDS_SCORE])

    def test_staves_that_the_score_does_not_name(self) -> None:
        performance, alignment = etude()
        score = replace(alignment.score, staff=np.zeros(64, dtype=int))
        measured = performance_statistics(performance, replace(alignment, score=score))
        hands = (
            "upper_velocity",
            "lower_velocity",
            "upper_above_lower",
            "staff_delay_ms",
            "upper_articulation",
        )
        assert np.isnan([measured[name] for name in hands]).all()
        assert measured["tempo_bpm"] == pytest.approx(100.0, abs=1e-3)

    def test_what_the_score_does_not_state(self) -> None:
        performance, alignment = etude()
        score = replace(alignment.score, tempo_bpm=0.0, velocity=np.zeros(64, dtype=int))
        measured = performance_statistics(performance, replace(alignment, score=score))
        stated = ("score_tempo_bpm", "tempo_against_stated", "score_velocity_mean", "velocity_against_stated")
        assert np.isnan([measured[name] for name in stated]).all()

    def test_no_notes(self) -> None:
        performance, _ = etude()
        nothing = replace(
            performance,
            **{
                name: getattr(performance, name)[:0]
                for name in ("onset_sec", "offset_sec", "pitch", "velocity")
            },
        )
        measured = performance_statistics(nothing).as_dict()
        assert measured.pop("note_count") == 0.0
        assert np.isnan(list(measured.values())).all()

    def test_window_hears_but_does_not_count_what_was_struck_before(self) -> None:
        performance, _ = etude()
        ringing = replace(
            performance,
            onset_sec=np.concatenate([[-0.5], performance.onset_sec]),
            offset_sec=np.concatenate([[1.5], performance.offset_sec]),
            pitch=np.concatenate([[61], performance.pitch]),
            velocity=np.concatenate([[120], performance.velocity]),
        )
        alone, held = performance_statistics(performance), performance_statistics(ringing)
        assert held["note_count"] == alone["note_count"] == 64
        assert held["velocity_max"] == 80
        assert held["ringing_mean"] > alone["ringing_mean"]
        assert held["clash_mean"] > alone["clash_mean"]
        for name in ("span_sec", "onset_rate", "ioi_sec_mean", "chord_size_mean", "melody_legato_mean"):
            assert held[name] == alone[name]

    @settings(max_examples=25, deadline=None)
    @given(seed=st.integers(0, 2**31), n_notes=st.integers(1, 12), n_matched=st.integers(0, 12))
    def test_few_notes_never_give_infinity(self, seed: int, n_notes: int, n_matched: int) -> None:
        rng = np.random.default_rng(seed)
        performance = random_playing(rng, n_notes)
        _, alignment = etude()
        n_matched = min(n_matched, n_notes)
        part = replace(
            alignment,
            match=np.stack([np.arange(n_matched), rng.permutation(n_notes)[:n_matched]], axis=1),
            performance_beat=np.zeros(n_notes),
        )
        values = performance_statistics(performance, part).values
        assert not np.isinf(values).any()
        assert values.shape == (len(STATISTICS),)


@pytest.mark.data
def test_concert_playing(corpus_dir: Path) -> None:
    folder = corpus_dir / "percepiano"
    for midi in sorted((folder / "midi").glob("Schubert_D960_mv2_8bars_*_01.mid"))[:8]:
        performance = load_midi(midi)
        score = load_score(folder / "score_midi" / "Schubert_D960_mv2_8bars_Score_01.mid")
        measured = performance_statistics(performance, align_performance_to_score(performance, score))
        assert np.isfinite(measured.values).mean() > 0.9
        assert 15 < measured["tempo_bpm"] < 120
        assert measured["deletion_fraction"] < 0.2
        assert 0 <= measured["pedal_down_fraction"] <= 1


@pytest.mark.slow
class TestSpeed:
    def test_a_ballade(self, rng: np.random.Generator) -> None:
        performance = random_playing(rng, 5_000)
        performance_statistics(performance)
        start = time.process_time()
        performance_statistics(performance)
        assert time.process_time() - start < 1.0

    def test_a_recital_grows_linearly(self, rng: np.random.Generator) -> None:
        performance = random_playing(rng, 30_000)
        start = time.process_time()
        performance_statistics(performance)
        assert time.process_time() - start < 8.0

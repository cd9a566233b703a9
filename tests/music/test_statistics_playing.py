"""Chords, ringing, clashes, pedal time and the sound model, against plain loops and known physics."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocco.music.performance import PedalCurve, Performance
from tocco.music.statistics.pedal import staircase
from tocco.music.statistics.playing import chords, pedal_crossings, read_playing, sounding_end_sec
from tocco.music.statistics.resonance import clashes, ringing
from tocco.music.statistics.sound import (
    amplitude_from_velocity,
    brightness_above_pitch,
    decay_time_sec,
    roughness_of_pairs,
    sound_curves,
    struck_energy,
)
from tocco.music.statistics.tonality import MAJOR_PROFILE, MINOR_PROFILE, key_fit, measure_tonality

UP = PedalCurve()


def play(
    notes: list[tuple[float, float, int, int]],
    sustain: PedalCurve = UP,
    sostenuto: PedalCurve = UP,
    duration_sec: float | None = None,
) -> Performance:
    """Notes as (onset, offset, pitch, velocity)."""
    ordered = sorted(notes, key=lambda note: (note[0], note[2]))
    onset, offset, pitch, velocity = (np.array(column) for column in zip(*ordered, strict=True))
    end = float(offset.max()) if duration_sec is None else duration_sec
    return Performance(onset, offset, pitch, velocity, sustain, sostenuto, UP, end)


def random_playing(rng: np.random.Generator, n_notes: int = 60) -> Performance:
    onset = np.round(np.sort(rng.uniform(-1.0, 8.0, n_notes)), 2)
    offset = onset + np.round(rng.uniform(0.02, 1.5, n_notes), 2)
    times = np.sort(rng.uniform(-1.0, 9.0, 12))
    sustain = PedalCurve(times, rng.choice([0.0, 40.0, 64.0, 127.0], 12))
    columns = zip(onset, offset, rng.integers(50, 70, n_notes), rng.integers(1, 128, n_notes), strict=True)
    return play(list(columns), sustain, duration_sec=8.5)


class TestSounding:
    def test_pedal_holds_until_it_comes_up(self) -> None:
        pedal = PedalCurve(np.array([0.5, 2.0]), np.array([90.0, 20.0]))
        end = sounding_end_sec(play([(0.0, 1.0, 60, 64), (0.1, 0.4, 64, 64), (1.5, 3.0, 67, 64)], pedal))
        np.testing.assert_allclose(end, [2.0, 0.4, 3.0])

    def test_pedal_that_stays_down_holds_to_the_end(self) -> None:
        pedal = PedalCurve(np.array([0.0]), np.array([127.0]))
        assert sounding_end_sec(play([(0.0, 1.0, 60, 64)], pedal, duration_sec=4.0))[0] == 4.0

    def test_same_key_again_ends_the_earlier_note(self) -> None:
        pedal = PedalCurve(np.array([0.0]), np.array([127.0]))
        end = sounding_end_sec(play([(0.0, 0.5, 60, 64), (1.0, 1.5, 60, 64)], pedal, duration_sec=4.0))
        np.testing.assert_allclose(end, [1.0, 4.0])

    def test_sostenuto_holds_only_what_was_down(self) -> None:
        sostenuto = PedalCurve(np.array([0.5, 3.0]), np.array([127.0, 0.0]))
        notes = [(0.0, 1.0, 60, 64), (0.0, 0.4, 64, 64), (0.8, 1.2, 67, 64)]
        np.testing.assert_allclose(sounding_end_sec(play(notes, sostenuto=sostenuto)), [3.0, 0.4, 1.2])

    def test_a_step_inside_the_pedal_is_no_crossing(self) -> None:
        curve = PedalCurve(np.array([0.0, 1.0, 2.0, 3.0]), np.array([70.0, 127.0, 64.0, 63.0]))
        pressed, released = pedal_crossings(curve)
        assert pressed.tolist() == [0.0]
        assert released.tolist() == [3.0]


class TestChords:
    def test_a_gap_beyond_forty_milliseconds_parts(self) -> None:
        onset = np.array([0.0, 0.03, 0.07, 0.111, 0.5])
        assert chords(onset).tolist() == [0, 0, 0, 1, 2]

    def test_outer_voices_do_not_depend_on_who_comes_first(self) -> None:
        playing = read_playing(play([(0.00, 1.0, 64, 50), (0.01, 1.0, 48, 60), (0.02, 1.0, 72, 70)]))
        assert playing.struck.pitch[playing.top].tolist() == [72]
        assert playing.struck.pitch[playing.bottom].tolist() == [48]

    def test_notes_struck_before_the_window_ring_only(self) -> None:
        playing = read_playing(play([(-1.0, 0.5, 48, 50), (0.2, 1.0, 60, 60), (0.6, 1.0, 62, 60)]))
        assert playing.index.tolist() == [1, 2]
        assert playing.sounding.onset_sec.tolist() == pytest.approx([-1.2, 0.0, 0.4])
        assert len(playing.struck) == 2


class TestRinging:
    @settings(max_examples=30, deadline=None)
    @given(st.integers(0, 2**31), st.sampled_from([(0.0, 0.05), (0.03, 0.08)]))
    def test_counts_are_those_of_a_plain_loop(self, seed: int, reach: tuple[float, float]) -> None:
        playing = read_playing(random_playing(np.random.default_rng(seed)))
        notes, at = playing.sounding, playing.chord_onset_sec
        expected = [
            ((notes.onset_sec < t - reach[0]) & (notes.end_sec > t + reach[1])).sum() for t in at.tolist()
        ]
        found = ringing(notes.onset_sec, notes.end_sec, at, *reach)
        # A note that begins or ends on the very microsecond of the limit may fall on either side.
        assert np.abs(found - expected).max() <= 1
        assert (found == expected).mean() > 0.9

    def test_clashes_are_those_of_a_plain_loop(self, rng: np.random.Generator) -> None:
        playing = read_playing(random_playing(rng, 80))
        notes = playing.sounding
        for chord, t in enumerate(playing.chord_onset_sec):
            old = notes.pitch[(notes.onset_sec < t - 0.03) & (notes.end_sec > t + 0.08)]
            new = playing.struck.pitch[playing.chord_of == chord]
            apart = np.abs(new[:, None] - old) % 12
            expected = np.isin(np.minimum(apart, 12 - apart), (1, 2)).sum()
            assert clashes(notes, notes.end_sec, playing)[chord] == expected


def test_staircase_accounts_for_every_moment() -> None:
    curve = PedalCurve(np.array([-1.0, 0.5, 2.0, 9.0]), np.array([127.0, 64.0, 0.0, 127.0]))
    value, lasts = staircase(curve, 4.0)
    assert value.tolist() == [127.0, 64.0, 0.0]
    np.testing.assert_allclose(lasts, [0.5, 1.5, 2.0])


class TestSound:
    def test_velocity_spans_sixty_decibels(self) -> None:
        amplitude = amplitude_from_velocity(np.array([1.0, 127.0]))
        assert amplitude[1] == pytest.approx(1.0)
        assert 20 * np.log10(amplitude[1] / amplitude[0]) == pytest.approx(60.0)

    def test_a_single_note_decays_at_its_own_rate(self) -> None:
        playing = read_playing(play([(0.0, 3.0, 60, 127)]))
        decay_sec = decay_time_sec(np.array([60.0]))[0]
        level = 10 * np.log10(sound_curves(playing, playing.sounding.end_sec).energy[: int(10 * decay_sec)])
        np.testing.assert_allclose(np.diff(level), -60.0 / decay_sec / 10.0)
        assert level[0] == pytest.approx(0.05 * -60.0 / decay_sec)

    def test_bass_rings_longer_and_force_is_brighter(self) -> None:
        low, high = decay_time_sec(np.array([21.0, 108.0]))
        assert (low, high) == (pytest.approx(15.0), pytest.approx(0.3))
        soft, loud = brightness_above_pitch(np.array([20.0, 120.0]))
        assert 0.0 < soft < loud

    def test_short_notes_are_heard(self) -> None:
        playing = read_playing(play([(0.0, 1.0, 60, 100), (0.41, 0.44, 72, 100)]))
        one = read_playing(play([(0.0, 1.0, 60, 100)]))
        both = sound_curves(playing, playing.sounding.end_sec).energy
        assert (both > sound_curves(one, one.sounding.end_sec).energy * 1.01).sum() == 1

    def test_roughness_orders_the_intervals(self) -> None:
        kernel = roughness_of_pairs()
        np.testing.assert_allclose(kernel, kernel.T)
        semitone, third, fifth, octave = kernel[60, [61, 64, 67, 72]]
        assert semitone > third > fifth > octave >= 0.0
        # The critical band is wider in the bass, where a third is already rough.
        assert kernel[36, 40] > kernel[72, 76]

    def test_struck_energy_is_that_of_a_plain_loop(self, rng: np.random.Generator) -> None:
        playing = read_playing(random_playing(rng))
        notes = playing.sounding
        for k, energy in enumerate(struck_energy(playing)):
            t = 0.05 + k / 10
            on = (notes.onset_sec <= t) & (notes.end_sec > t)
            assert energy == pytest.approx(((notes.velocity[on] / 127) ** 2).sum(), abs=1e-9)


class TestTonality:
    def test_fit_is_a_correlation(self, rng: np.random.Generator) -> None:
        weight = rng.uniform(size=(3, 12))
        fit = key_fit(weight, MAJOR_PROFILE)
        for w in range(3):
            expected = [np.corrcoef(np.roll(MAJOR_PROFILE, tonic), weight[w])[0, 1] for tonic in range(12)]
            np.testing.assert_allclose(fit[w], expected)
        assert np.isnan(key_fit(np.ones((1, 12)), MINOR_PROFILE)).all()

    @pytest.mark.parametrize(("steps", "sign"), [((0, 2, 4, 5, 7, 9, 11), 1), ((0, 2, 3, 5, 7, 8, 10), -1)])
    def test_scales_are_major_and_minor(self, steps: tuple[int, ...], sign: int) -> None:
        # The tonic triad is held longer, as a cadence does.
        notes = [
            (0.25 * k, 0.25 * k + (1.0 if k in (0, 2, 4) else 0.2), 57 + step, 64)
            for k, step in enumerate(steps)
        ]
        found = measure_tonality(read_playing(play(notes)))
        assert np.sign(found["major_above_minor"]) == sign
        assert found["diatonic_fraction"] == pytest.approx(1.0)

    def test_intervals_of_a_triad(self) -> None:
        found = measure_tonality(read_playing(play([(0.0, 1.0, p, 64) for p in (60, 64, 67)])))
        thirds = {f"interval_class_{k}": (1 / 3 if k in (3, 4, 5) else 0.0) for k in range(1, 7)}
        assert {k: v for k, v in found.items() if k in thirds} == pytest.approx(thirds)

"""Transposition, tempo and a transcriber's errors, and all that has to move along with them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from corruption_etude import etude
from hypothesis import given, settings
from hypothesis import strategies as st

from tocco.errors import InputError
from tocco.music.alignment import align_performance_to_score
from tocco.music.corruption.draft import Draft
from tocco.music.performance import PedalCurve, Performance
from tocco.music.symbolic_augmentation import (
    HeardBefore,
    TranscriberNoise,
    scale_tempo,
    transcriber_noise,
    transpose,
)
from tocco.rubrics import TARGETS

ETUDE, ALIGNMENT = etude()
SILENT_NOISE = TranscriberNoise(*[0.0] * 8)


def even(n: int = 4000) -> Performance:
    """Many notes that cannot disturb one another: a chromatic scale over 60 keys, 100 ms apart."""
    onset = 1.0 + 0.1 * np.arange(n)
    press = 1.0 + 2.0 * np.arange(n // 20)
    return Performance(
        onset_sec=onset,
        offset_sec=onset + 0.5,
        pitch=30 + np.arange(n) % 60,
        velocity=40 + (np.arange(n) * 7) % 50,
        sustain=PedalCurve(np.column_stack((press, press + 1.0)).ravel(), np.tile([80.0, 0.0], n // 20)),
        sostenuto=PedalCurve(),
        soft=PedalCurve(),
        duration_sec=float(onset[-1] + 0.5),
    )


EVEN = even()


@given(st.integers(-12, 12))
def test_transposition_moves_keys_and_score_and_nothing_else(semitones) -> None:
    changed = transpose(ETUDE, semitones)
    np.testing.assert_array_equal(changed.performance.pitch, ETUDE.pitch + semitones)
    assert changed.performance.onset_sec is ETUDE.onset_sec
    assert changed.semitones == semitones
    assert changed.time_map.is_identity
    np.testing.assert_array_equal(changed.score(ALIGNMENT.score).pitch, ALIGNMENT.score.pitch + semitones)


@pytest.mark.parametrize(
    ("semitones", "lost"), [(0, set()), (-2, {"timbre_bright_dark", "mood_optimistic_dark"})]
)
def test_transposition_keeps_what_does_not_depend_on_register(semitones, lost) -> None:
    assert set(TARGETS) - transpose(ETUDE, semitones).labels_kept == lost


def test_a_key_off_the_piano_is_refused() -> None:
    low = replace(ETUDE, pitch=ETUDE.pitch - ETUDE.pitch.min() + 22)
    assert transpose(low, -1).performance.pitch.min() == 21
    with pytest.raises(InputError, match="reaches keys 20 to"):
        transpose(low, -2)
    with pytest.raises(InputError, match=r"by 13 semitones.*-12 to 12"):
        transpose(ETUDE, 13)


@given(st.floats(0.5, 2.0))
def test_tempo_scales_every_time(ratio) -> None:
    changed = scale_tempo(ETUDE, ratio)
    played = changed.performance
    np.testing.assert_allclose(played.onset_sec, ETUDE.onset_sec / ratio)
    np.testing.assert_allclose(changed.time_map(ETUDE.offset_sec), played.offset_sec)
    np.testing.assert_allclose(played.sustain.time_sec, ETUDE.sustain.time_sec / ratio)
    assert changed.bounds(2.0, 3.0) == pytest.approx((2.0 / ratio, 3.0 / ratio))
    assert played.duration_sec == pytest.approx(ETUDE.duration_sec / ratio)


def test_tempo_is_refused_for_ratings_of_tempo_and_rhythm() -> None:
    changed = scale_tempo(ETUDE, 1.06)
    with pytest.raises(InputError, match="musicmaking_fast_slow, rhythmic_precision rate"):
        changed.check_keeps(["note_accuracy", "rhythmic_precision", "musicmaking_fast_slow"])
    changed.check_keeps(["note_accuracy", "dynamics_control"])
    assert changed.labels({"rhythmic_precision": 3.0, "tone_quality": 4.0}) == {"tone_quality": 4.0}
    assert scale_tempo(ETUDE, 1.02).labels_kept == set(TARGETS)
    with pytest.raises(InputError, match=r"0.5 to 2"):
        scale_tempo(ETUDE, 2.1)


@pytest.mark.parametrize("change", [lambda p: transpose(p, 3), lambda p: scale_tempo(p, 0.8)])
def test_the_carried_alignment_is_the_one_that_the_aligner_finds(change) -> None:
    changed = change(ETUDE)
    carried = changed.alignment(ALIGNMENT)
    found = align_performance_to_score(changed.performance, changed.score(ALIGNMENT.score))
    np.testing.assert_array_equal(carried.match, found.match)
    np.testing.assert_allclose(carried.anchor_sec, found.anchor_sec, atol=1e-6)
    np.testing.assert_allclose(carried.written_sec, found.written_sec, atol=1e-6)
    np.testing.assert_allclose(carried.performance_beat, found.performance_beat, atol=1e-6)
    np.testing.assert_array_equal(carried.performance_pitch, found.performance_pitch)


def test_no_noise_changes_nothing_but_half_pedal(rng) -> None:
    heard = transcriber_noise(ETUDE, rng, SILENT_NOISE)
    for name in ("onset_sec", "offset_sec", "pitch", "velocity"):
        np.testing.assert_array_equal(getattr(heard.performance, name), getattr(ETUDE, name))
    down = ETUDE.sustain.value == 110.0
    np.testing.assert_allclose(heard.performance.sustain.time_sec[::2], ETUDE.sustain.time_sec[down])
    assert set(heard.performance.sustain.value) == {0.0, 127.0}
    assert heard.labels_kept == set(TARGETS)


@pytest.mark.parametrize(
    ("field", "size", "attribute"),
    [
        ("onset_sd_sec", 0.005, "onset_sec"),
        ("offset_sd_sec", 0.04, "offset_sec"),
        ("velocity_sd", 5.0, "velocity"),
    ],
)
def test_errors_have_the_stated_size(rng, field, size, attribute) -> None:
    heard = transcriber_noise(EVEN, rng, replace(SILENT_NOISE, **{field: size}))
    assert np.all(heard.new_of_old >= 0)
    error = getattr(heard.performance, attribute)[heard.new_of_old] - getattr(EVEN, attribute)
    assert np.std(error) == pytest.approx(size, rel=0.05)
    assert abs(np.mean(error)) < 4 * size / math.sqrt(len(EVEN))
    others = {"onset_sec", "offset_sec", "velocity", "pitch"} - {attribute}
    for other in others:
        np.testing.assert_array_equal(
            getattr(heard.performance, other)[heard.new_of_old], getattr(EVEN, other)
        )


def test_notes_are_missed_and_added_in_the_stated_shares(rng) -> None:
    missed = transcriber_noise(EVEN, rng, replace(SILENT_NOISE, missed_share=0.1))
    gone = missed.new_of_old < 0
    assert gone.mean() == pytest.approx(0.1, abs=0.015)
    assert EVEN.velocity[gone].mean() < EVEN.velocity.mean() - 2.0
    doubled = transcriber_noise(EVEN, rng, replace(SILENT_NOISE, doubled_share=0.1)).performance
    assert len(doubled) - len(EVEN) == pytest.approx(400, abs=60)
    assert np.bincount(doubled.pitch).sum() == len(doubled)
    ghosts = transcriber_noise(EVEN, rng, replace(SILENT_NOISE, ghost_share=0.1))
    added = np.setdiff1d(np.arange(len(ghosts.performance)), ghosts.new_of_old)
    assert len(added) == pytest.approx(400, abs=60)
    for note in added[:20]:
        beneath = EVEN.pitch[EVEN.onset_sec == ghosts.performance.onset_sec[note]]
        assert ghosts.performance.pitch[note] - 12 in beneath


def test_presses_are_missed_and_displaced(rng) -> None:
    noise = replace(SILENT_NOISE, pedal_missed_share=0.3, pedal_sd_sec=0.06)
    heard = transcriber_noise(EVEN, rng, noise).performance.sustain
    presses = heard.time_sec[::2]
    assert len(presses) == pytest.approx(140, abs=25)
    off = presses - np.round((presses - 1.0) / 2.0) * 2.0 - 1.0
    assert np.std(off) == pytest.approx(0.06, rel=0.2)


def test_what_changes_on_one_key_changes_no_error_on_the_others() -> None:
    gone = np.flatnonzero(EVEN.pitch == EVEN.pitch[0])[3:5]
    fewer = Draft.of(EVEN).without(gone)
    without = replace(
        EVEN, **{name: getattr(fewer, name) for name in ("onset_sec", "offset_sec", "pitch", "velocity")}
    )
    first, second = (transcriber_noise(one, np.random.default_rng(5)).performance for one in (EVEN, without))
    for name in ("onset_sec", "offset_sec", "velocity"):
        others = [getattr(one, name)[one.pitch % 12 != EVEN.pitch[0] % 12] for one in (first, second)]
        np.testing.assert_array_equal(*others)
    np.testing.assert_array_equal(first.sustain.time_sec, second.sustain.time_sec)
    other = transcriber_noise(EVEN, np.random.default_rng(6)).performance
    assert not np.array_equal(first.sustain.time_sec, other.sustain.time_sec)


def _heard(performance, before=None, **sizes):
    noise = replace(SILENT_NOISE, **sizes)
    return transcriber_noise(performance, np.random.default_rng(5), noise, before)


def _errors_of(heard, performance, note):
    """Errors of onset, release and level of some notes of a performance as it was heard."""
    place = heard.new_of_old[note]
    return np.stack(
        [
            getattr(heard.performance, name)[place] - getattr(performance, name)[note]
            for name in ("onset_sec", "offset_sec", "velocity")
        ]
    )


def test_a_stroke_that_was_heard_before_has_the_errors_that_it_had() -> None:
    sizes = {"onset_sd_sec": 0.005, "offset_sd_sec": 0.04, "velocity_sd": 3.0}
    first = _heard(EVEN, **sizes)
    old = np.arange(len(EVEN))
    again = _heard(EVEN, HeardBefore(EVEN, old), **sizes)
    np.testing.assert_array_equal(first.performance.onset_sec, again.performance.onset_sec)
    # Each seventh note is gone, and everything comes a second later.
    kept = old[old % 7 != 2]
    fewer = Draft.of(EVEN).without(old[old % 7 == 2])
    later = replace(
        EVEN,
        onset_sec=fewer.onset_sec + 1.0,
        offset_sec=fewer.offset_sec + 1.0,
        pitch=fewer.pitch,
        velocity=fewer.velocity,
        duration_sec=EVEN.duration_sec + 1.0,
    )
    new_of_old = np.full(len(EVEN), -1)
    new_of_old[kept] = np.arange(len(kept))
    second = _heard(later, HeardBefore(EVEN, new_of_old), **sizes)
    expected = _errors_of(first, EVEN, kept)
    np.testing.assert_allclose(_errors_of(second, later, np.arange(len(kept))), expected, atol=1e-9)
    forgot = _errors_of(_heard(later, **sizes), later, np.arange(len(kept)))
    assert not np.allclose(forgot, expected)


def test_a_new_stroke_has_errors_of_its_own() -> None:
    new_of_old = np.full(len(EVEN), -1)
    new_of_old[: len(EVEN) // 2] = np.arange(len(EVEN) // 2)
    first, second = (_heard(EVEN, before, velocity_sd=3.0).performance.velocity
                     for before in (None, HeardBefore(EVEN, new_of_old)))  # fmt: skip
    half = len(EVEN) // 2
    np.testing.assert_array_equal(first[:half], second[:half])
    assert (first[half:] != second[half:]).mean() > 0.5


@pytest.mark.parametrize("moved_sec", [-0.3, 0.0, 0.3])
def test_a_press_that_was_heard_before_has_the_errors_that_it_had(moved_sec: float) -> None:
    old = np.arange(len(EVEN))
    time_sec, value = EVEN.sustain.time_sec, EVEN.sustain.value
    gone = 5  # of the presses, from 0
    keep = np.delete(np.arange(len(time_sec)), [2 * gone, 2 * gone + 1])
    fewer = replace(EVEN, sustain=PedalCurve(time_sec[keep] + moved_sec, value[keep]))
    sizes = {"pedal_missed_share": 0.3, "pedal_sd_sec": 0.02}
    first = _heard(EVEN, **sizes).performance.sustain.time_sec
    second = _heard(fewer, HeardBefore(EVEN, old), **sizes).performance.sustain.time_sec
    from_gone = np.abs(first - time_sec[2 * gone]) < 0.1
    until_gone = np.abs(first - time_sec[2 * gone + 1]) < 0.1
    np.testing.assert_allclose(second, first[~from_gone & ~until_gone] + moved_sec, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), strength=st.floats(0.0, 4.0))
def test_what_is_heard_is_a_valid_performance(seed, strength) -> None:
    base = TranscriberNoise()
    noise = TranscriberNoise(
        *(strength * getattr(base, name) if name != "pedal_missed_share" else 0.5 for name in vars(base))
    )
    played = transcriber_noise(ETUDE, np.random.default_rng(seed), noise).performance
    assert np.array_equal(np.lexsort((played.pitch, played.onset_sec)), np.arange(len(played)))
    assert np.all(played.onset_sec < played.offset_sec)
    assert played.onset_sec.min() >= 0
    assert 1 <= played.velocity.min() <= played.velocity.max() <= 127
    assert np.all(np.diff(played.sustain.time_sec) > 0)
    for pitch in np.unique(played.pitch):
        on, off = (x[played.pitch == pitch] for x in (played.onset_sec, played.offset_sec))
        assert np.all(off[:-1] <= on[1:])


def test_the_alignment_of_what_is_heard_accounts_for_every_note(rng) -> None:
    noise = replace(TranscriberNoise(), missed_share=0.05, doubled_share=0.05)
    heard = transcriber_noise(ETUDE, rng, noise)
    carried = heard.alignment(ALIGNMENT)
    played = np.concatenate((carried.match[:, 1], carried.insertion))
    np.testing.assert_array_equal(np.sort(played), np.arange(len(heard.performance)))
    written = np.concatenate((carried.match[:, 0], carried.deletion, carried.unplayed))
    np.testing.assert_array_equal(np.sort(written), np.arange(len(carried.score)))
    np.testing.assert_array_equal(
        carried.score.pitch[carried.match[:, 0]], heard.performance.pitch[carried.match[:, 1]]
    )
    found = align_performance_to_score(heard.performance, ALIGNMENT.score)
    agreed = set(map(tuple, found.match)) & set(map(tuple, carried.match))
    assert len(agreed) >= 0.97 * len(carried.match)
    assert np.abs(carried.performance_beat - found.performance_beat).max() < 0.5


def test_the_noise_of_a_good_transcriber_keeps_all_ratings_and_a_bad_ones_does_not(rng) -> None:
    assert transcriber_noise(ETUDE, rng).labels_kept == set(TARGETS)
    bad = replace(TranscriberNoise(), missed_share=0.1, onset_sd_sec=0.02)
    lost = set(TARGETS) - transcriber_noise(ETUDE, rng, bad).labels_kept
    assert lost == {"note_accuracy", "rhythmic_precision", "timing_stable_unstable"}


def test_the_amounts_say_how_much_of_the_pedal_is_lost() -> None:
    noise = TranscriberNoise(pedal_missed_share=0.2, pedal_sd_sec=0.1)
    # 31.73 % of a normal distribution lie beyond one standard deviation.
    assert noise.amounts["pedal"] == pytest.approx(0.2 + 0.8 * 0.3173, abs=1e-4)
    assert noise.amounts["timing"] == 5.0


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("missed_share", 0.6, "0 to 0.5"),
        ("velocity_sd", -1.0, "0 or more"),
        ("onset_sd_sec", math.nan, "0 or"),
    ],
)
def test_impossible_noise_is_refused(field, value, allowed) -> None:
    with pytest.raises(InputError, match=f"{field}.*allowed: {allowed}"):
        TranscriberNoise(**{field: value})


def test_one_change_after_another_is_both(rng) -> None:
    first = transcriber_noise(ETUDE, rng)
    second = scale_tempo(transpose(first.performance, 2).performance, 0.9)
    both = first.then(transpose(first.performance, 2)).then(second)
    kept = both.new_of_old >= 0
    np.testing.assert_array_equal(both.performance.pitch[both.new_of_old[kept]], ETUDE.pitch[kept] + 2)
    np.testing.assert_allclose(both.time_map(9.0), 10.0)
    assert both.semitones == 2
    assert both.labels_kept == transpose(ETUDE, 2).labels_kept & scale_tempo(ETUDE, 0.9).labels_kept


def test_the_alignment_of_another_performance_is_refused(rng) -> None:
    with pytest.raises(InputError, match="the performance had 4000"):
        transpose(EVEN, 1).alignment(ALIGNMENT)

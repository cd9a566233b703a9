"""A transcriber's errors: their sizes, what stays the same when it hears again, which ratings hold."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corruption_etude import etude
from tocco.errors import InputError
from tocco.music.alignment import align_performance_to_score
from tocco.music.corruption.draft import Draft
from tocco.music.performance import PedalCurve, Performance
from tocco.music.transcriber_noise import HeardBefore, TranscriberNoise, carried_sec, transcriber_noise
from tocco.rubrics import TARGETS

ETUDE, ALIGNMENT = etude()
SILENT_NOISE = TranscriberNoise.none()


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


def test_no_noise_changes_nothing_but_the_pedals(rng) -> None:
    heard = transcriber_noise(ETUDE, rng, SILENT_NOISE)
    for name in ("onset_sec", "offset_sec", "pitch", "velocity"):
        np.testing.assert_array_equal(getattr(heard.performance, name), getattr(ETUDE, name))
    down = ETUDE.sustain.value == 110.0
    np.testing.assert_allclose(heard.performance.sustain.time_sec[::2], ETUDE.sustain.time_sec[down])
    assert set(heard.performance.sustain.value) == {0.0, 127.0}
    assert heard.valid_labels == set(TARGETS)


@pytest.mark.parametrize(
    ("field", "size", "attribute"),
    [
        ("onset_sd_sec", 0.005, "onset_sec"),
        ("offset_sd_sec", 0.04, "offset_sec"),
        ("velocity_sd", 5.0, "velocity"),
    ],
)
def test_errors_have_the_stated_size(rng, field, size, attribute) -> None:
    also = {"pedalled_offset_sd_sec": size} if field == "offset_sd_sec" else {}
    heard = transcriber_noise(EVEN, rng, replace(SILENT_NOISE, **{field: size}, **also))
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
    doubled = transcriber_noise(EVEN, rng, replace(SILENT_NOISE, doubled_share=0.1)).performance
    assert len(doubled) - len(EVEN) == pytest.approx(400, abs=60)
    assert np.bincount(doubled.pitch).sum() == len(doubled)
    ghosts = transcriber_noise(EVEN, rng, replace(SILENT_NOISE, ghost_share=0.1))
    added = np.setdiff1d(np.arange(len(ghosts.performance)), ghosts.new_of_old)
    assert len(added) == pytest.approx(400, abs=60)
    for note in added[:20]:
        beneath = EVEN.pitch[EVEN.onset_sec == ghosts.performance.onset_sec[note]]
        assert ghosts.performance.pitch[note] - 12 in beneath


def test_nothing_is_heard_of_the_other_pedals(rng) -> None:
    pressed = PedalCurve(np.array([1.0, 3.0]), np.array([127.0, 0.0]))
    heard = transcriber_noise(replace(EVEN, soft=pressed, sostenuto=pressed), rng, SILENT_NOISE).performance
    assert len(heard.soft.time_sec) == len(heard.sostenuto.time_sec) == 0
    assert len(heard.sustain.time_sec) > 100


def test_presses_are_missed_and_displaced(rng) -> None:
    noise = replace(
        SILENT_NOISE, pedal_missed_share=0.3, press_lag_sec=0.1, press_sd_sec=0.06, lift_sd_sec=0.02
    )
    heard = transcriber_noise(EVEN, rng, noise).performance.sustain
    presses, lifts = heard.time_sec[::2], heard.time_sec[1::2]
    assert len(presses) == pytest.approx(140, abs=25)
    late = presses - np.round((presses - 1.0) / 2.0) * 2.0 - 1.0
    assert np.mean(late) == pytest.approx(0.1, abs=0.02)
    assert np.std(late) == pytest.approx(0.06, rel=0.2)
    off = lifts - np.round(lifts / 2.0) * 2.0
    assert np.std(off) == pytest.approx(0.02, rel=0.25)
    assert abs(np.mean(off)) < 0.01


def test_half_of_the_notes_at_the_edge_of_hearing_are_missed(rng) -> None:
    noise = replace(SILENT_NOISE, inaudible_velocity=50.0, inaudible_width=5.0)
    gone = transcriber_noise(EVEN, rng, noise).new_of_old < 0
    for velocity, share in ((40, 0.881), (50, 0.5), (60, 0.119), (75, 0.007)):
        near = np.abs(EVEN.velocity - velocity) <= 1
        assert gone[near].mean() == pytest.approx(share, abs=0.07)


def test_strength_is_heard_flatter_and_the_bass_too_soft(rng) -> None:
    noise = replace(SILENT_NOISE, velocity_slope=0.5)
    heard = transcriber_noise(EVEN, rng, noise)
    np.testing.assert_allclose(
        heard.performance.velocity[heard.new_of_old], 64 + 0.5 * (EVEN.velocity - 64.0), atol=0.51
    )
    noise = replace(SILENT_NOISE, register_share=1.0)
    heard = transcriber_noise(EVEN, rng, noise)
    off = heard.performance.velocity[heard.new_of_old] - EVEN.velocity
    assert set(off[EVEN.pitch == 36]) == {-8}
    assert set(off[EVEN.pitch == 72]) == {12}


def _pedalled(is_down: bool) -> Performance:
    """Notes of 0.5 s, two seconds apart; the pedal, if it is down, carries them 0.4 s on."""
    n = 2000
    onset = 1.0 + 2.0 * np.arange(n)
    step = np.column_stack((onset + 0.1, onset + 0.9)).ravel()
    sustain = PedalCurve(step, np.tile([100.0, 0.0], n)) if is_down else PedalCurve()
    return replace(
        EVEN,
        onset_sec=onset,
        offset_sec=onset + 0.5,
        pitch=np.full(n, 60),
        velocity=np.full(n, 70),
        sustain=sustain,
        duration_sec=2.0 * n + 2.0,
    )


def test_the_pedal_hides_when_a_key_comes_up(rng) -> None:
    noise = replace(SILENT_NOISE, hidden_offset_share=0.4)
    up, down = (
        transcriber_noise(one, rng, noise).performance.offset_sec - one.offset_sec
        for one in (_pedalled(False), _pedalled(True))
    )
    np.testing.assert_allclose(up, 0.0, atol=1e-12)
    hidden = down > 1e-9
    assert hidden.mean() == pytest.approx(0.4, abs=0.04)
    # Anywhere until the damper falls, 0.4 s on.
    assert down.max() < 0.4
    assert down[hidden].mean() == pytest.approx(0.2, abs=0.02)
    assert np.all(down >= -1e-12)


def test_a_sound_that_has_faded_seems_to_end(rng) -> None:
    played = _pedalled(False)
    heard = transcriber_noise(played, rng, replace(SILENT_NOISE, cut_offset_share=0.1)).performance
    early = heard.offset_sec - played.offset_sec
    assert (early < -1e-9).mean() == pytest.approx(0.1, abs=0.03)
    assert early.min() > -0.5


def test_a_press_that_carries_nothing_is_not_heard(rng) -> None:
    played = _pedalled(True)
    np.testing.assert_allclose(carried_sec(played), 0.4)
    short = replace(played, offset_sec=played.onset_sec + 0.05)  # let go before the pedal comes
    np.testing.assert_allclose(carried_sec(short), 0.0)
    noise = replace(SILENT_NOISE, inaudible_carry_sec=0.4, inaudible_carry_width=0.5)
    assert len(transcriber_noise(played, rng, noise).performance.sustain) == pytest.approx(2000, abs=180)
    # 0.01 s against 0.41 s, in units of 0.5 of the logarithm: 1 in 1,700.
    assert len(transcriber_noise(short, rng, noise).performance.sustain) <= 12


def test_what_a_press_carries_ends_with_its_own_lift() -> None:
    two = replace(
        EVEN,
        onset_sec=np.array([0.0, 0.1, 3.0]),
        offset_sec=np.array([0.5, 0.6, 3.2]),
        pitch=np.array([60, 64, 60]),
        velocity=np.full(3, 70),
        sustain=PedalCurve(np.array([0.4, 1.0, 3.1, 9.0]), np.array([127.0, 0.0, 127.0, 0.0])),
        duration_sec=9.5,
    )
    # 0.5 + 0.4 s of two keys; then 5.8 s of one, of which two count.
    np.testing.assert_allclose(carried_sec(two), [0.9, 2.0])
    assert carried_sec(replace(two, sustain=PedalCurve())).tolist() == []


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
    sizes = {"onset_sd_sec": 0.005, "offset_sd_sec": 0.04, "pedalled_offset_sd_sec": 0.04, "velocity_sd": 3.0}
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
    sizes = {"pedal_missed_share": 0.3, "press_sd_sec": 0.02, "lift_sd_sec": 0.02}
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
        **{
            name: strength * size / (4.0 if name.endswith("_share") else 1.0)
            for name, size in vars(base).items()
        }
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


def test_the_noise_of_a_good_transcriber_keeps_all_ratings_but_those_of_touch_and_pedal(rng) -> None:
    touch = {"articulation_quality", "articulation_soft_hard", "articulation_short_long"}
    pedal = {"pedaling_technique", "pedal_sparse_saturated", "pedal_clean_blurred"}
    assert set(TARGETS) - transcriber_noise(ETUDE, rng).valid_labels == touch | pedal
    no_error = {
        "hidden_offset_share": 0.0,
        "cut_offset_share": 0.0,
        "press_lag_sec": 0.0,
        "press_sd_sec": 0.0,
    }
    dry = replace(TranscriberNoise(), inaudible_carry_sec=0.0, **no_error)
    assert transcriber_noise(ETUDE, rng, dry).valid_labels == set(TARGETS)
    bad = replace(dry, missed_share=0.1, onset_sd_sec=0.02)
    lost = set(TARGETS) - transcriber_noise(ETUDE, rng, bad).valid_labels
    assert lost == {"note_accuracy", "rhythmic_precision", "timing_stable_unstable"}


def test_the_errors_that_came_out_decide_which_ratings_hold(rng) -> None:
    """Limits: 8 velocity steps for dynamics, half of the pedal's changes lost or 100 ms away."""

    def lost(**sizes) -> set[str]:
        return set(TARGETS) - transcriber_noise(EVEN, rng, replace(SILENT_NOISE, **sizes)).valid_labels

    assert lost() == set()
    assert lost(velocity_slope=0.8) == set()
    assert "dynamics_control" in lost(velocity_slope=0.2)  # velocities spread by 14 steps
    assert "pedaling_technique" not in lost(press_lag_sec=0.05)
    late = lost(press_lag_sec=0.15, lift_sd_sec=0.1)  # every press, and a third of the lifts
    assert late == {"pedaling_technique", "pedal_sparse_saturated", "pedal_clean_blurred"}
    assert "pedaling_technique" in lost(press_lag_sec=1.5)  # no press comes before its lift
    assert "pedaling_technique" not in lost(pedal_missed_share=0.4)
    assert "pedaling_technique" in lost(pedal_missed_share=0.6)


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

"""Transposition and tempo, and all that has to move along with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corruption_etude import etude
from tocco.errors import InputError
from tocco.evaluation.pseudo_labels.spot_check import excerpt
from tocco.music.alignment import align_performance_to_score
from tocco.music.symbolic_augmentation import scale_tempo, transpose
from tocco.music.transcriber_noise import transcriber_noise
from tocco.rubrics import TARGETS

ETUDE, ALIGNMENT = etude()


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
    assert set(TARGETS) - transpose(ETUDE, semitones).valid_labels == lost


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


@pytest.mark.parametrize("ratio", np.random.default_rng(0).uniform(0.5, 2.0, 100))
def test_a_note_at_the_very_start_stays_there_at_any_tempo(ratio: float) -> None:
    from_zero = ETUDE.shifted(-float(ETUDE.onset_sec[0]))
    assert scale_tempo(from_zero, ratio).performance.onset_sec[0] == 0.0


def test_tempo_is_refused_for_ratings_of_tempo_and_rhythm() -> None:
    changed = scale_tempo(ETUDE, 1.06)
    with pytest.raises(InputError, match="musicmaking_fast_slow, rhythmic_precision rate"):
        changed.check_keeps(["note_accuracy", "rhythmic_precision", "musicmaking_fast_slow"])
    changed.check_keeps(["note_accuracy", "dynamics_control"])
    assert changed.labels({"rhythmic_precision": 3.0, "tone_quality": 4.0}) == {"tone_quality": 4.0}
    assert scale_tempo(ETUDE, 1.02).valid_labels == set(TARGETS)
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


def test_one_change_after_another_is_both(rng) -> None:
    first = transcriber_noise(ETUDE, rng)
    second = scale_tempo(transpose(first.performance, 2).performance, 0.9)
    both = first.then(transpose(first.performance, 2)).then(second)
    kept = both.new_of_old >= 0
    np.testing.assert_array_equal(both.performance.pitch[both.new_of_old[kept]], ETUDE.pitch[kept] + 2)
    np.testing.assert_allclose(both.time_map(9.0), 10.0)
    assert both.semitones == 2
    moved = transpose(ETUDE, 2).valid_labels & scale_tempo(ETUDE, 0.9).valid_labels
    assert both.valid_labels == first.valid_labels & moved
    assert moved < scale_tempo(ETUDE, 1.0).valid_labels


def test_the_alignment_of_another_performance_is_refused(rng) -> None:
    short = excerpt(ETUDE, 0.0, 5.0)
    with pytest.raises(InputError, match=f"the performance had {len(short)}"):
        transpose(short, 1).alignment(ALIGNMENT)

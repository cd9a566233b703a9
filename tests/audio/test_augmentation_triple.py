"""Whatever is done to a recording, its notes, score and spans are still those that are heard."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clicking_piano import (
    DURATION_SEC,
    aligned,
    clicking_performance,
    detected_onsets,
    detected_pitches,
    sounded,
)
from tocco.audio.augmentation import (
    EFFECTS,
    AppliedEffect,
    AugmentationConfig,
    Triple,
    augment_triple,
    repeat_triple,
)
from tocco.errors import InputError
from tocco.music.alignment import align_performance_to_score
from tocco.music.midi import segment_midi
from tocco.rubrics import TARGETS

LABELS = dict.fromkeys(TARGETS, 50.0)
MOVES_TIME = {"time_stretch", "wow_and_flutter"}


@pytest.fixture(scope="module")
def triple() -> Triple:
    performance = clicking_performance()
    bounds = np.array([[0.0, DURATION_SEC], [1.0, 4.5]])
    return Triple(sounded(performance), performance, aligned(performance), LABELS, bounds)


@pytest.fixture(scope="module")
def latency_sec(triple: Triple) -> np.ndarray:
    onset = triple.performance.onset_sec
    return detected_onsets(triple.audio, onset) - onset


def test_the_detector_finds_the_unchanged_notes(triple: Triple, latency_sec: np.ndarray) -> None:
    assert np.abs(latency_sec).max() < 0.001
    pitch = detected_pitches(triple.audio, triple.performance.onset_sec)
    assert np.abs(pitch - triple.performance.pitch).max() < 0.1


def test_the_detector_would_notice_ten_milliseconds(triple: Triple, latency_sec: np.ndarray) -> None:
    onset = triple.performance.onset_sec
    late = np.concatenate((np.zeros(240, np.float32), triple.audio))
    np.testing.assert_allclose(detected_onsets(late, onset) - latency_sec - onset, 0.010, atol=5e-4)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", EFFECTS)
def test_the_notes_are_where_they_are_heard(
    triple: Triple, latency_sec: np.ndarray, name: str, seed: int
) -> None:
    heard = augment_triple(triple, AugmentationConfig.only(name), np.random.default_rng(seed))
    assert [effect.name for effect in heard.applied] == [name]
    notes = heard.triple.performance
    error = np.abs(detected_onsets(heard.triple.audio, notes.onset_sec) - latency_sec - notes.onset_sec)
    assert np.median(error) <= 0.005
    if name == "time_stretch":
        assert error.max() <= 0.010
    pitch = detected_pitches(heard.triple.audio, notes.onset_sec)
    assert np.median(np.abs(pitch - notes.pitch)) < 0.15
    assert np.mean(np.round(pitch) == notes.pitch) >= 0.9
    moved = not np.array_equal(notes.onset_sec, triple.performance.onset_sec)
    assert moved == (name in MOVES_TIME)
    assert (heard.semitones != 0) == (name == "pitch_shift")


@pytest.mark.parametrize("seed", range(3))
def test_chains_of_three_agree_as_well(triple: Triple, latency_sec: np.ndarray, seed: int) -> None:
    config = AugmentationConfig.only("pitch_shift", "time_stretch", "wow_and_flutter")
    heard = augment_triple(triple, config, np.random.default_rng(seed))
    assert len(heard.applied) == 3
    notes = heard.triple.performance
    error = np.abs(detected_onsets(heard.triple.audio, notes.onset_sec) - latency_sec - notes.onset_sec)
    assert np.median(error) <= 0.005
    pitch = detected_pitches(heard.triple.audio, notes.onset_sec)
    assert np.median(np.abs(pitch - notes.pitch)) < 0.2


@pytest.mark.parametrize("name", ["pitch_shift", "time_stretch", "wow_and_flutter"])
def test_an_alignment_made_anew_is_the_one_that_was_moved(triple: Triple, name: str) -> None:
    heard = augment_triple(triple, AugmentationConfig.only(name), np.random.default_rng(3)).triple
    moved = heard.alignment
    assert moved is not None
    again = align_performance_to_score(heard.performance, moved.score)
    np.testing.assert_array_equal(again.match, moved.match)
    np.testing.assert_allclose(again.anchor_sec, moved.anchor_sec, atol=1e-3)
    np.testing.assert_allclose(again.performance_beat, moved.performance_beat, atol=1e-6)
    np.testing.assert_array_equal(moved.performance_onset_sec, heard.performance.onset_sec)
    np.testing.assert_array_equal(moved.performance_pitch, heard.performance.pitch)


def test_spans_pedal_and_end_move_with_the_music(triple: Triple) -> None:
    applied = (AppliedEffect("time_stretch", {"rate": 0.9}, {}),)
    heard = repeat_triple(triple, applied).triple
    assert len(heard.audio) == round(len(triple.audio) / 0.9)
    np.testing.assert_allclose(heard.bounds_sec, triple.bounds_sec / 0.9)
    np.testing.assert_allclose(heard.performance.sustain.time_sec, [1.0 / 0.9, 2.0 / 0.9])
    np.testing.assert_array_equal(heard.performance.sustain.value, [100.0, 0.0])
    assert heard.performance.duration_sec == pytest.approx(DURATION_SEC / 0.9)
    inside = segment_midi(triple.performance, triple.bounds_sec)[1]
    assert len(segment_midi(heard.performance, heard.bounds_sec)[1]) == len(inside)


def test_notes_held_over_an_edge_stay_held_over_it(triple: Triple) -> None:
    cut = segment_midi(triple.performance, np.array([[triple.performance.onset_sec[3] + 0.1, 5.0]]))[0]
    assert cut.onset_sec[0] == pytest.approx(-0.1)
    part = Triple(triple.audio[: round(cut.duration_sec * 24_000)], cut)
    heard = repeat_triple(part, (AppliedEffect("time_stretch", {"rate": 1.1}, {}),)).triple
    assert heard.performance.onset_sec[0] == pytest.approx(-0.1 / 1.1)


def test_labels_that_tempo_touches_are_left_out_and_no_others(triple: Triple) -> None:
    heard = repeat_triple(triple, (AppliedEffect("time_stretch", {"rate": 1.05}, {}),))
    assert {"rhythmic_precision", "musicmaking_fast_slow"} <= heard.labels_left_out
    assert heard.triple.labels["note_accuracy"] == 50.0
    assert set(heard.triple.labels) | heard.labels_left_out == set(LABELS)
    same = repeat_triple(triple, (AppliedEffect("gain_variation", {"gain_db": 3.0}, {}),))
    assert same.triple.labels == LABELS


def test_an_effect_is_refused_for_a_label_that_it_would_touch(triple: Triple) -> None:
    config = AugmentationConfig.only("time_stretch", "gain_variation", on_touched_label="refuse")
    heard = augment_triple(triple, config, np.random.default_rng(0))
    assert heard.refused == ("time_stretch",)
    assert [effect.name for effect in heard.applied] == ["gain_variation"]
    assert heard.triple.labels == LABELS
    unhurt = Triple(triple.audio, triple.performance, labels={"note_accuracy": 90.0})
    assert augment_triple(unhurt, config, np.random.default_rng(0)).refused == ()


def test_notes_never_leave_the_keyboard(triple: Triple) -> None:
    performance = clicking_performance()
    high = Triple(triple.audio, replace(performance, pitch=performance.pitch + 31))
    config = AugmentationConfig.only("pitch_shift")
    steps = {augment_triple(high, config, np.random.default_rng(s)).semitones for s in range(7)}
    assert high.performance.pitch.max() == 108
    assert steps == {-1, -2}
    wide = performance.pitch.copy()
    wide[:2] = 21, 108
    full = Triple(triple.audio, replace(performance, pitch=wide))
    heard = augment_triple(full, config, np.random.default_rng(0))
    assert heard.refused == ("pitch_shift",)
    assert heard.applied == ()
    with pytest.raises(InputError, match="leaves the keyboard"):
        repeat_triple(full, (AppliedEffect("pitch_shift", {"semitones": 1}, {}),))


def test_a_triple_that_does_not_hang_together_is_refused(triple: Triple) -> None:
    part = segment_midi(triple.performance, np.array([[0.0, 2.0]]))[0]
    with pytest.raises(InputError, match="alignment: counts"):
        Triple(triple.audio, part, triple.alignment)
    with pytest.raises(InputError, match="did you mean 'phrasing'"):
        Triple(triple.audio, triple.performance, labels={"phrasng": 1.0})
    with pytest.raises(InputError, match="holds no spans"):
        Triple(triple.audio, triple.performance, bounds_sec=np.array([[2.0, 1.0]]))


def test_the_same_seed_and_the_record_give_the_same_example(triple: Triple) -> None:
    config = AugmentationConfig()
    for seed in range(5):
        one = augment_triple(triple, config, np.random.default_rng(seed))
        other = augment_triple(triple, config, np.random.default_rng(seed))
        again = repeat_triple(triple, one.applied)
        for twin in (other, again):
            assert twin.applied == one.applied
            np.testing.assert_array_equal(twin.triple.audio, one.triple.audio)
            np.testing.assert_array_equal(twin.triple.performance.onset_sec, one.triple.performance.onset_sec)
            assert twin.triple.labels == one.triple.labels
            assert twin.level_change_db == one.level_change_db

import math

import numpy as np
import pytest

from tocco.errors import InputError
from tocco.music.midi import load_midi, segment_midi
from tocco.music.midi_features import RIDGE_FEATURES, extract_midi_features, onset_groups, ridge_features
from tocco.music.performance import PedalCurve, Performance


def performance_of(onset, offset, pitch, velocity, sustain=None, duration_sec=None):
    return Performance(
        onset_sec=np.array(onset, float),
        offset_sec=np.array(offset, float),
        pitch=np.array(pitch),
        velocity=np.array(velocity),
        sustain=sustain or PedalCurve(),
        sostenuto=PedalCurve(),
        soft=PedalCurve(),
        duration_sec=max(offset) if duration_sec is None else duration_sec,
        source="take.mid",
    )


ETUDE = performance_of(
    # two chords, the second spread by 30 ms, and a last single note
    onset=[1.0, 1.0, 2.0, 2.03, 4.0],
    offset=[1.5, 2.5, 3.0, 5.03, 5.0],
    pitch=[48, 72, 50, 74, 60],
    velocity=[40, 80, 50, 90, 60],
    sustain=PedalCurve(np.array([0.5, 1.5, 2.0, 3.0, 4.5]), np.array([127.0, 0.0, 64.0, 63.0, 100.0])),
)


def test_the_ten_numbers_of_a_small_etude():
    features = ridge_features(ETUDE)
    assert tuple(features) == RIDGE_FEATURES
    span = 5.03 - 1.0
    ioi = np.array([1.0, 2.0])
    expected = {
        "onset_rate": 3 / span,
        "vel_mean": 64.0,
        "vel_sd": math.sqrt(np.mean(np.square([24, 16, 14, 26, 4]))),
        "log_dur": math.log(span),
        "ped_frac": (0.5 + 1.0 + 0.53) / span,
        "ped_rate": 2 / span,  # the pedal that was down at the first onset was not pressed in it
        "legato_mel_mean": (1.5 / 1.03 + 3.0 / 1.97) / 2,
        "ioi_cv": ioi.std() / ioi.mean(),
        "pitch_mean": 60.8,
        "chord_mean": 5 / 3,
    }
    assert features == pytest.approx(expected)


def test_events_are_given_beside_the_sums():
    features = extract_midi_features(ETUDE)
    assert features.group.tolist() == [0, 0, 1, 1, 2]
    assert features.velocity.tolist() == [40, 80, 50, 90, 60]
    np.testing.assert_allclose(features.held_sec, [0.5, 1.5, 1.0, 3.0, 1.0])
    assert features.pedal_press_sec.tolist() == [2.0, 4.5]
    assert features.pedal_release_sec.tolist() == [1.5, 3.0]


def test_groups_chain_over_small_gaps():
    assert onset_groups(np.array([0.0, 0.04, 0.08, 0.1201])).tolist() == [0, 0, 0, 1]
    assert onset_groups(np.zeros(0)).tolist() == []


def test_legato_is_clipped_and_one_note_has_none():
    trill = performance_of([0.0, 0.05, 0.1], [9.0, 9.0, 9.0], [60, 62, 64], [64, 64, 64])
    assert ridge_features(trill)["legato_mel_mean"] == 5.0
    single = ridge_features(performance_of([0.0], [2.0], [60], [64]))
    assert (single["legato_mel_mean"], single["ioi_cv"], single["onset_rate"]) == (0.0, 0.0, 0.5)


def test_a_later_clock_changes_nothing():
    moved = ETUDE.shifted(7.0)
    assert ridge_features(moved) == pytest.approx(ridge_features(ETUDE))


def test_notes_carried_into_a_segment_do_not_count():
    (segment,) = segment_midi(ETUDE, np.array([[1.2, 4.5]]))
    features = extract_midi_features(segment)
    assert features.pitch.tolist() == [50, 74, 60]
    (silence,) = segment_midi(ETUDE, np.array([[2.5, 2.6]]))
    with pytest.raises(InputError, match=r"take\.mid: has no note"):
        extract_midi_features(silence)


def reference_features(performance):
    """The study's own reading: pedal on a grid of 10 ms, groups and top notes by loops."""
    onset = performance.onset_sec - performance.onset_sec[0]
    offset = performance.offset_sec - performance.onset_sec[0]
    span = offset.max()
    group = np.zeros(len(onset), int)
    for i in range(1, len(onset)):
        group[i] = group[i - 1] + (onset[i] - onset[i - 1] > 0.04)
    n = group.max() + 1
    top = [np.flatnonzero(group == k)[np.argmax(performance.pitch[group == k])] for k in range(n)]
    ioi = np.diff([onset[group == k].min() for k in range(n)])
    grid = np.arange(0, span, 0.01)
    is_down = performance.sustain.at(grid + performance.onset_sec[0]) >= 64
    legato = (offset - onset)[top][:-1] / np.maximum(np.diff(onset[top]), 0.02)
    return {
        "onset_rate": n / span,
        "ped_frac": is_down.mean(),
        "ped_rate": np.count_nonzero(np.diff(is_down.astype(int)) == 1) / span,
        "legato_mel_mean": np.clip(legato, 0, 5).mean(),
        "ioi_cv": ioi.std() / ioi.mean(),
        "chord_mean": np.bincount(group).mean(),
    }


@pytest.mark.data
def test_research_performances_agree_with_the_study(corpus_dir):
    paths = sorted((corpus_dir / "percepiano" / "midi").glob("*.mid"))[::50]
    assert paths
    for path in paths:
        performance = load_midi(path)
        ours, study = ridge_features(performance), reference_features(performance)
        span = math.exp(ours["log_dur"])
        for name, value in study.items():
            slack = {"ped_frac": 0.02, "ped_rate": 1.1 / span}.get(name, 1e-9)
            assert ours[name] == pytest.approx(value, abs=slack), (path.name, name)

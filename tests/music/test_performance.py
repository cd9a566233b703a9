import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tocco.music.performance import PedalCurve, Performance


def performance_of(onset, offset, duration_sec):
    n = len(onset)
    pedal = PedalCurve(np.array([0.5, 1.0]), np.array([127.0, 0.0]))
    return Performance(
        onset_sec=np.array(onset),
        offset_sec=np.array(offset),
        pitch=np.full(n, 60),
        velocity=np.full(n, 64),
        sustain=pedal,
        sostenuto=PedalCurve(),
        soft=pedal,
        duration_sec=duration_sec,
    )


def test_a_pedal_step_counts_from_its_own_time_on_and_is_up_before_the_first():
    curve = PedalCurve(np.array([1.0, 2.0]), np.array([100.0, 30.0]))
    assert curve.at(np.array([2.5, 0.0, 1.0, 1.99, 2.0])).tolist() == [30.0, 0.0, 100.0, 100.0, 30.0]
    assert PedalCurve().at(np.array([0.0, 1.0])).tolist() == [0.0, 0.0]


def test_a_stretch_of_a_pedal_curve_begins_with_the_position_in_force():
    curve = PedalCurve(np.array([1.0, 2.0, 3.0]), np.array([100.0, 0.0, 30.0]))
    inner = curve.between(1.5, 3.0)
    assert inner.time_sec.tolist() == [1.5, 2.0]
    assert inner.value.tolist() == [100.0, 0.0]
    at_step = curve.between(2.0, 4.0)
    assert at_step.time_sec.tolist() == [3.0]
    assert curve.between(1.0, 1.5).time_sec.tolist() == [1.0]
    assert len(PedalCurve().between(0.0, 9.0)) == 0


def test_struck_inside_tells_notes_carried_in_from_notes_of_the_span():
    performance = performance_of([-0.1, 0.0, 1.9, 2.0], [0.3, 0.2, 2.5, 2.2], 2.0)
    assert performance.struck_inside.tolist() == [False, True, True, False]


@given(st.floats(-20, 20), st.floats(0.5, 2.0))
def test_shifting_moves_every_time_alike(by_sec, stretch):
    performance = performance_of([0.0, 1.0], [0.5, 1.5], 1.5)
    moved = performance.shifted(by_sec, stretch)
    np.testing.assert_allclose(moved.onset_sec, stretch * performance.onset_sec + by_sec)
    np.testing.assert_allclose(moved.offset_sec, stretch * performance.offset_sec + by_sec)
    np.testing.assert_allclose(moved.sustain.time_sec, stretch * performance.sustain.time_sec + by_sec)
    np.testing.assert_allclose(moved.soft.time_sec, stretch * performance.soft.time_sec + by_sec)
    assert moved.sustain.value.tolist() == [127.0, 0.0]
    assert moved.duration_sec == stretch * 1.5 + by_sec


def test_some_notes_alone_keep_pedals_and_clock():
    whole = performance_of([0.0, 1.0, 2.0], [0.5, 1.5, 2.5], 3.0)
    for kept in (np.array([True, False, True]), np.array([0, 2])):
        some = whole.only(kept)
        assert some.onset_sec.tolist() == [0.0, 2.0]
        assert some.offset_sec.tolist() == [0.5, 2.5]
        assert (len(some.pitch), len(some.velocity)) == (2, 2)
        assert some.sustain is whole.sustain
        assert some.duration_sec == 3.0

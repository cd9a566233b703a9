"""What a transcriber can hear: soft notes, keys under the pedal, and when the pedal went down."""

from __future__ import annotations

import numpy as np
import pytest

from tocco.music.performance import PedalCurve
from tocco.music.transcriber_noise import MIDDLE_VELOCITY, REGISTER_VELOCITY
from tocco.pseudo_labels.observed.transcribed import (
    LIFT_MARGIN_SEC,
    OMISSION_SHARE,
    TRANSCRIBER,
    detection_probability,
    is_released_under_pedal,
    omission_probability,
    omission_share,
    played_velocity,
    undetected_share,
    undetected_shares,
    without_press_lag,
)

NOW = np.array([10.0])
KEY = np.array([60])


def reported(struck, pitch=60) -> np.ndarray:
    """As the transcriber of `TranscriberNoise` tells notes that are struck at some velocity."""
    register = np.interp(pitch, *REGISTER_VELOCITY)
    return MIDDLE_VELOCITY + TRANSCRIBER.velocity_slope * (np.asarray(struck) - MIDDLE_VELOCITY) + register


def around(struck, *, sec=10.0, pitch=60) -> float:
    n = len(struck)
    strokes = (np.full(n, sec), np.full(n, pitch), reported(struck, pitch))
    return omission_probability(undetected_shares(NOW, np.array([pitch]), *strokes))[0]


@pytest.mark.parametrize("pitch", [24, 40, 60, 90])
def test_strength_is_read_back_from_what_is_reported(pitch: int) -> None:
    struck = np.array([20.0, 50.0, 90.0])
    np.testing.assert_allclose(played_velocity(reported(struck, pitch), np.full(3, pitch)), struck)


def test_a_note_that_is_missing_among_loud_ones_was_left_out() -> None:
    assert around(np.full(20, 90.0)) > 0.99


@pytest.mark.parametrize("pitch", [36, 60, 96])
def test_a_note_that_is_missing_among_soft_ones_may_have_been_too_soft(pitch: int) -> None:
    """Half of such notes are not heard: one that was left out is one in fifty of those that are missing."""
    expected = OMISSION_SHARE / (OMISSION_SHARE + 0.5)
    assert around(np.full(20, TRANSCRIBER.inaudible_velocity), pitch=pitch) == pytest.approx(expected)


def test_uneven_strength_makes_it_likelier_that_a_note_was_too_soft() -> None:
    even, uneven = (np.tile([60.0 - off, 60.0 + off], 10) for off in (3.0, 30.0))
    assert around(uneven) < 0.2 * around(even)


@pytest.mark.parametrize(("mean", "spread"), [(30.0, 8.0), (50.0, 12.0), (62.0, 17.0), (80.0, 20.0)])
def test_the_share_that_goes_unheard_is_what_sampling_gives(mean: float, spread: float, rng) -> None:
    sampled = 1.0 - detection_probability(rng.normal(mean, spread, 400_000)).mean()
    assert undetected_share(mean, spread) == pytest.approx(sampled, rel=0.02)


def test_the_notes_of_its_own_register_tell_of_a_note() -> None:
    soft, loud = np.full(8, 25.0), np.full(8, 90.0)
    sec = np.full(16, 10.0)
    strokes = reported(np.concatenate([soft, loud]))
    low_soft, low_loud = (
        omission_probability(undetected_shares(NOW, KEY, sec, np.repeat(pitch, 8), strokes))
        for pitch in ([60, 84], [84, 60])
    )
    assert low_soft[0] < 0.1
    assert low_loud[0] > 0.9


def test_nothing_around_tells_nothing() -> None:
    assert around(np.full(20, 20.0), sec=16.0) == 1.0
    assert around(np.full(4, 20.0)) == 1.0
    assert undetected_shares(np.zeros(0), np.zeros(0), NOW, KEY, np.array([50.0])).tolist() == []


def test_where_more_is_absent_than_softness_explains_notes_were_left_out() -> None:
    """The share solves its own equation: the sum of the probabilities over the number of notes."""
    undetected = np.concatenate([np.full(30, 0.02), np.full(5, 0.4)])
    share = omission_share(undetected, 165)
    assert share == pytest.approx(float(np.sum(share / (share + undetected))) / 200, rel=1e-3)
    assert 0.1 < share < 0.2
    assert omission_share(np.full(4, 0.4), 196) == OMISSION_SHARE
    assert omission_share(np.zeros(0), 0) == OMISSION_SHARE


def test_the_chance_of_being_heard_is_half_at_the_edge_and_a_logistic_curve_around_it() -> None:
    edge = TRANSCRIBER.inaudible_velocity + TRANSCRIBER.inaudible_width * np.array([-2.0, 0.0, 2.0])
    np.testing.assert_allclose(detection_probability(edge), [0.1192, 0.5, 0.8808], atol=1e-4)


def test_presses_are_put_back_to_when_they_came_and_lifts_stay() -> None:
    heard = PedalCurve(np.array([1.0, 2.0, 2.05, 3.0]), np.array([127.0, 0.0, 127.0, 0.0]))
    pressed = without_press_lag(heard)
    # The second press came after the lift at 2.0, so not as early as that.
    expected = [1.0 - TRANSCRIBER.press_lag_sec, 2.0, 2.0 + LIFT_MARGIN_SEC, 3.0]
    np.testing.assert_allclose(pressed.time_sec, expected)
    np.testing.assert_array_equal(pressed.value, heard.value)


def test_a_press_hard_on_a_lift_stays_where_it_is() -> None:
    heard = PedalCurve(np.array([1.0, 2.0, 2.01]), np.array([127.0, 0.0, 127.0]))
    np.testing.assert_allclose(
        without_press_lag(heard).time_sec, [1.0 - TRANSCRIBER.press_lag_sec, 2.0, 2.01]
    )


def test_no_pedal_stays_none() -> None:
    assert len(without_press_lag(PedalCurve())) == 0


def test_an_end_under_the_pedal_or_with_its_lift_is_hidden() -> None:
    pedal = PedalCurve(np.array([1.0, 2.0]), np.array([127.0, 0.0]))
    ends = np.array([0.9, 1.0, 1.5, 1.99, 2.0, 2.02, 2.04, 3.0])
    assert is_released_under_pedal(pedal, ends).tolist() == [
        False,
        True,
        True,
        True,
        True,
        True,
        False,
        False,
    ]

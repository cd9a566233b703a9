"""Pedalling: planted lags, blur, holes and dryness come out as they were put in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from origins import transcribed
from rater_etude import BEAT_SEC, N_BARS, UP, pedal_with_the_bass, play, study_score
from tocco.music.performance import PedalCurve
from tocco.pseudo_labels.observed.evidence import NO_PEDAL, NO_SCORE, Evidence
from tocco.pseudo_labels.observed.transcribed import TRANSCRIBER
from tocco.pseudo_labels.raters import pedaling_technique
from tocco.pseudo_labels.raters.pedaling_technique import (
    COMPONENTS,
    measure_pedaling_technique,
    read_pedalling,
)

SCORE = study_score()
DISTANCE = "pedal_distance"


def evidence(sustain: PedalCurve, held: float = 0.5) -> Evidence:
    return Evidence(*play(SCORE, sustain=sustain, held=held))


def values(given: Evidence, span_sec: tuple[float, float] | None = None) -> dict[str, float]:
    return {name: c.value for name, c in measure_pedaling_technique(given, span_sec).components.items()}


def test_no_pedal_data_is_silence_not_a_bad_mark() -> None:
    label = measure_pedaling_technique(evidence(UP))
    assert label.components == {}
    assert label.rating is None
    assert label.missing["pedaling_technique"] == NO_PEDAL
    assert label.confidence == 0.0


def test_legato_pedalling_has_the_lag_it_was_given() -> None:
    got = values(evidence(pedal_with_the_bass(lag_sec=0.09)))
    assert got["change_lag"] == pytest.approx(90.0, abs=1.0)
    assert got["change_offset"] == pytest.approx(50.0, abs=1.0)
    assert got["held_through"] == 0.0
    assert got["support"] == 1.0


def test_a_pedal_held_through_every_other_bass() -> None:
    got = values(evidence(pedal_with_the_bass(every=2)))
    assert got["held_through"] == pytest.approx(0.5, abs=0.02)
    assert got["blur"] > values(evidence(pedal_with_the_bass()))["blur"]


def test_a_late_lift_blurs_the_new_harmony() -> None:
    """Up to 50 ms the old harmony is hardly heard in the new one; at 100 ms it clashes."""
    prompt, late = (values(evidence(pedal_with_the_bass(lag_sec=lag)))["blur"] for lag in (0.05, 0.1))
    assert late > 2.0 * prompt


def test_lifting_early_leaves_holes() -> None:
    early = values(evidence(pedal_with_the_bass(lag_sec=-0.2, down_after_sec=0.25)))
    assert early["change_lag"] == pytest.approx(-200.0, abs=1.0)
    assert early["change_offset"] == pytest.approx(240.0, abs=1.0)
    assert early["holes"] > 0.4
    assert values(evidence(pedal_with_the_bass()))["holes"] == 0.0


def test_a_pedal_off_its_time_is_farther_from_the_music() -> None:
    usual = values(evidence(pedal_with_the_bass(0.04, 0.1)))
    for lag in (0.24, -0.16):
        moved = values(evidence(pedal_with_the_bass(lag, 0.1)))
        assert moved["pedal_distance"] > usual["pedal_distance"] + 0.2
        assert moved["support"] > 0.99 * usual["support"]


def test_one_movement_tells_nothing_of_the_timing() -> None:
    last = 1.0 + BEAT_SEC * (4 * N_BARS - 1) + 0.1
    label = measure_pedaling_technique(evidence(PedalCurve(np.array([last]), np.array([127.0]))))
    assert label.missing["pedal_distance"] == "there are fewer than two pedal events near an onset"


def test_a_pedal_that_stays_down_under_the_bass_is_as_far_from_it_as_any() -> None:
    label = measure_pedaling_technique(evidence(PedalCurve(np.array([1.14]), np.array([127.0]))))
    assert label.components["pedal_distance"].value == 1.0


def test_the_weights_are_shares() -> None:
    assert sum(kind.weight for kind in COMPONENTS) == pytest.approx(1.0)


def test_a_dry_half_has_no_support() -> None:
    at = 1.0 + BEAT_SEC * np.arange(2 * N_BARS)
    time = np.stack([at + 0.06, at + 0.16], axis=1).ravel()
    half = PedalCurve(np.append(time, at[-1] + 0.5), np.append(np.tile([0.0, 127.0], len(at)), 0.0))
    given = evidence(half)
    assert values(given)["support"] == pytest.approx(0.5, abs=0.02)
    assert values(given, (24.0, 34.0))["support"] == 0.0
    assert "blur" not in values(given, (24.0, 34.0))


def test_time_down_and_half_down_are_exact() -> None:
    curve = PedalCurve(np.array([2.0, 4.0, 8.0]), np.array([127.0, 50.0, 0.0]))
    got = values(evidence(curve), (0.0, 10.0))
    assert got["down_share"] == pytest.approx(0.2)
    assert got["half_share"] == pytest.approx(0.4)


def test_causes_say_where() -> None:
    label = measure_pedaling_technique(evidence(pedal_with_the_bass(every=8)))
    assert {c.kind for c in label.causes} <= {"blur", "held through"}
    assert label.causes[0].kind == "blur"
    assert label.causes[0].text.startswith("bar ")
    assert "the pedal sustains" in label.causes[0].text


def test_loudness_does_not_enter() -> None:
    soft = play(SCORE, sustain=pedal_with_the_bass(), velocity=np.full(len(SCORE), 30.0))
    loud = play(SCORE, sustain=pedal_with_the_bass(), velocity=np.full(len(SCORE), 110.0))
    assert values(Evidence(*soft)) == values(Evidence(*loud))


def test_without_a_score_only_the_pedal_against_the_bar_is_missing() -> None:
    performance, alignment = play(SCORE, sustain=pedal_with_the_bass())
    label = measure_pedaling_technique(Evidence(performance))
    assert label.missing == {"pedal_distance": NO_SCORE}
    known = values(Evidence(performance, alignment))
    del known["pedal_distance"]
    assert {name: part.value for name, part in label.components.items()} == known


def test_presses_that_are_heard_late_are_put_back_where_they_came() -> None:
    """A transcriber tells each press 86 ms late, and lifts as they are; from keys that is another pedal."""
    pressed = pedal_with_the_bass(down_after_sec=0.15)
    late = PedalCurve(
        pressed.time_sec + np.where(pressed.value > 0, TRANSCRIBER.press_lag_sec, 0.0), pressed.value
    )
    from_transcription = values(transcribed(evidence(late)))
    assert from_transcription == pytest.approx(values(evidence(pressed)), abs=2e-3)
    assert values(evidence(late))["down_share"] < from_transcription["down_share"] - 0.1


def test_components_enter_the_rating_with_these_weights_and_shapes() -> None:
    """Weight, which way is better, how the value is bent, and what is added before a logarithm."""
    entering = {c.name: (c.weight, c.better, c.shape, c.from_value) for c in COMPONENTS if c.weight > 0.0}
    assert entering == {
        "blur": (0.18, "less", "plain", 1.0),
        "overhang": (0.11, "less", "plain", 1.0),
        "pedal_distance": (0.32, "less", "plain", 1.0),
        "support": (0.36, "more", "plain", 1.0),
        "holes": (0.03, "less", "root", 1.0),
    }
    assert [c.name for c in COMPONENTS if c.weight == 0.0] == [
        "held_through",
        "change_offset",
        "change_lag",
        "down_share",
        "half_share",
    ]


def test_thresholds_are_the_stated_ones() -> None:
    """The tests above take them as they are; here they are held to what their reasons say."""
    assert pedaling_technique.FEWEST == 5
    assert pedaling_technique.FEWEST_CHANGES == 3
    assert pedaling_technique.FEWEST_MOVES == 2
    assert pedaling_technique.CHANCE_DISTANCE == 1.0
    assert pedaling_technique.LIFT_BEFORE_SEC == 0.4
    assert pedaling_technique.LIFT_AFTER_SEC == 0.6
    assert pedaling_technique.LONGEST_OVERHANG_SEC == 1.0
    assert pedaling_technique.HOLE_SEC == 0.06


@pytest.mark.parametrize(("value", "half"), [(15.0, 0.0), (16.0, 0.5), (99.0, 0.5), (100.0, 0.0)])
def test_half_down_is_between_15_and_100(value: float, half: float) -> None:
    curve = PedalCurve(np.array([5.0]), np.array([value]))
    assert values(evidence(curve), (0.0, 10.0))["half_share"] == pytest.approx(half)


@pytest.mark.parametrize(("value", "down"), [(63.0, 0.0), (64.0, 0.5)])
def test_down_is_from_64_on(value: float, down: float) -> None:
    curve = PedalCurve(np.array([5.0]), np.array([value]))
    assert values(evidence(curve), (0.0, 10.0))["down_share"] == pytest.approx(down)


@pytest.mark.parametrize(("lag", "belongs"), [(-0.38, True), (-0.45, False), (0.55, True), (0.65, False)])
def test_a_lift_this_near_belongs_to_its_change(lag: float, belongs: bool) -> None:
    """One bass in four is pedalled, so that no other change is nearer to its lift."""
    slow = Evidence(*play(SCORE, sec_of_beat=lambda beat: 4.0 * beat, held=0.1))
    at = 1.0 + 4.0 * np.arange(4, 60)
    time = np.stack([at - 1.0, at + lag], axis=1).ravel()
    got = values(replace(slow, performance=replace(slow.performance, sustain=steps(time))))
    assert ("change_lag" in got) == belongs
    if belongs:
        assert got["change_lag"] == pytest.approx(1000.0 * lag, abs=1.0)


def steps(time: np.ndarray) -> PedalCurve:
    """Down and up in turn."""
    return PedalCurve(time, np.tile([127.0, 0.0], len(time) // 2))


@pytest.mark.parametrize(("lasts", "overhang"), [(0.4, 0.4), (0.95, 0.95), (2.0, 1.0)])
def test_a_harmony_hangs_over_for_a_second_at_most(lasts: float, overhang: float) -> None:
    slow = Evidence(*play(SCORE, sec_of_beat=lambda beat: 4.0 * beat, held=0.1))
    at = 1.0 + 4.0 * np.arange(4, 60)
    time = np.stack([at - 0.5, at + lasts], axis=1).ravel()
    got = values(replace(slow, performance=replace(slow.performance, sustain=steps(time))))
    assert got["overhang"] == pytest.approx(overhang, abs=1e-3)


def test_three_bass_changes_under_a_pedal_that_stays_are_as_far_off_as_any() -> None:
    """The pedal goes down after the bass of beat 0 and stays: it is held through the three that follow."""
    pedal = PedalCurve(np.array([1.14]), np.array([127.0]))
    three = values(evidence(pedal), (0.9, 1.0 + 3.5 * BEAT_SEC))
    two = measure_pedaling_technique(evidence(pedal), (0.9, 1.0 + 2.5 * BEAT_SEC))
    assert three[DISTANCE] == 1.0
    assert DISTANCE in two.missing


def test_three_lifts_are_enough_for_a_lag() -> None:
    given = evidence(pedal_with_the_bass(lag_sec=0.09))
    begins = 1.0 + 20 * BEAT_SEC - 0.01
    assert values(given, (begins, begins + 2.5 * BEAT_SEC))["change_lag"] == pytest.approx(90.0, abs=1.0)
    few = measure_pedaling_technique(given, (begins, begins + 1.5 * BEAT_SEC))
    assert "change_lag" in few.missing


def test_two_pedal_events_are_enough_for_a_distance() -> None:
    """Down at once after the first bass and up 40 ms after the third: the usual lags."""
    pedal = PedalCurve(np.array([1.06, 1.04 + 2 * BEAT_SEC]), np.array([127.0, 0.0]))
    found = values(evidence(pedal))
    assert DISTANCE in found
    assert found[DISTANCE] < 0.9


def test_three_clashing_notes_are_named_and_two_are_not() -> None:
    given = evidence(pedal_with_the_bass(every=2))
    blur = given.once(read_pedalling).blur
    at_sec = given.playing.chord_onset_sec + given.clock_sec
    n_named = []
    for start in np.arange(1.0, 37.0, 2.0):
        found = measure_pedaling_technique(given, (start, start + 2.0)).causes
        inside = (at_sec >= start) & (at_sec < start + 2.0)
        n_named.append(sum(cause.kind == "blur" for cause in found))
        assert n_named[-1] == (blur[inside] >= 3.0).sum()
    assert sum(n_named) > (blur > 3.0).sum() > 0
    assert (blur == 2.0).any()

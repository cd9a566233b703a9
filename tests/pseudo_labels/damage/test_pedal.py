"""Held pedal: an earlier harmony under the pedal counts, legato pedalling does not."""

from __future__ import annotations

import numpy as np
import pytest

from rater_etude import BEAT_SEC, N_BARS, UP, pedal_with_the_bass, play, study_score
from tocco.music.performance import PedalCurve
from tocco.pseudo_labels.damage.pedal import change_sec, measure_pedal_held, measure_pedal_span
from tocco.pseudo_labels.damage.reading import TOO_FEW_NOTES, Reading
from tocco.pseudo_labels.observed.evidence import Evidence

SCORE = study_score()
HELD = PedalCurve(np.zeros(1), np.full(1, 127.0))


def measured(sustain: PedalCurve) -> tuple[float, float]:
    """Share and span; without a score, which neither needs."""
    evidence = Evidence(play(SCORE, sustain=sustain)[0])
    share, span = measure_pedal_held(evidence), measure_pedal_span(evidence)
    assert isinstance(share, Reading)
    assert isinstance(span, Reading)
    return share.value, span.value


def test_the_harmony_changes_with_the_bass() -> None:
    found = change_sec(Evidence(play(SCORE)[0]).playing)
    assert len(found) > 0.9 * 4 * N_BARS
    np.testing.assert_allclose(found / BEAT_SEC, np.round(found / BEAT_SEC), atol=1e-6)


def test_no_pedal_and_legato_pedalling_hold_nothing() -> None:
    assert measured(UP) == (0.0, 0.0)
    share, span = measured(pedal_with_the_bass())
    assert (share, span) == (pytest.approx(0.0, abs=0.01), pytest.approx(0.0, abs=0.01))


def test_pedal_held_throughout_is_extreme() -> None:
    share, span = measured(HELD)
    assert share > 0.95
    assert span > 8.0


def test_rarer_changes_are_worse() -> None:
    found = [measured(pedal_with_the_bass(every=every)) for every in (1, 2, 4, 16)]
    assert [share for share, _ in found] == sorted(share for share, _ in found)
    assert [span for _, span in found] == sorted(span for _, span in found)


def test_a_change_may_be_late_by_three_tenths() -> None:
    early, late = (measured(pedal_with_the_bass(lag_sec=lag))[0] for lag in (0.25, 0.37))
    assert early == pytest.approx(0.0, abs=0.01)
    assert late == pytest.approx(0.07 / BEAT_SEC, rel=0.1)


def test_a_press_just_before_a_change_is_for_it() -> None:
    """Down from so long before each beat until 200 ms before the next."""

    def pressed_before(sec: float) -> PedalCurve:
        at = 1.0 + BEAT_SEC * np.arange(1, 4 * N_BARS - 1)
        time_sec = np.stack([at - sec, at + 0.4], axis=1).ravel()
        return PedalCurve(time_sec, np.tile([127.0, 0.0], len(at)))

    assert measured(pressed_before(0.08))[0] == pytest.approx(0.0, abs=0.01)
    assert measured(pressed_before(0.12))[0] > 0.1


def test_the_span_is_bounded_for_a_long_take() -> None:
    """Ten seconds at most count at a moment, so that an excerpt and a long take measure nearly alike."""
    long, short = (
        Evidence(play(SCORE, sec_of_beat=lambda beat, sec=sec: sec * beat, sustain=HELD)[0])
        for sec in (4.0, 1.0)
    )
    spans = [measure_pedal_span(one) for one in (long, short)]
    assert all(isinstance(one, Reading) and 8.5 < one.value < 10.0 for one in spans)


def test_the_longest_span_is_its_place() -> None:
    time_sec = np.array([1.0 + 10 * BEAT_SEC, 1.0 + 20 * BEAT_SEC])
    found = measure_pedal_held(Evidence(play(SCORE, sustain=PedalCurve(time_sec, np.array([127.0, 0.0])))[0]))
    assert isinstance(found, Reading)
    ((second, size),) = found.worst(3)
    assert second == pytest.approx(1.0 + 11 * BEAT_SEC + 0.3, abs=0.65)
    assert size == pytest.approx(9 * BEAT_SEC - 0.3, abs=0.65)


def test_too_few_chords() -> None:
    few = Evidence(play(SCORE)[0].only(np.arange(5)))
    assert measure_pedal_held(few) == measure_pedal_span(few) == TOO_FEW_NOTES

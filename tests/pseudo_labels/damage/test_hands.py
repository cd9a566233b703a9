"""Hands apart: the spread of what is written together."""

from __future__ import annotations

import numpy as np
import pytest

from rater_etude import play, study_score
from tocco.pseudo_labels.damage.hands import measure_hands_apart
from tocco.pseudo_labels.damage.reading import Reading
from tocco.pseudo_labels.observed.evidence import NO_SCORE, Evidence
from tocco.units import FloatArray

SCORE = study_score()


def value(late_sec: FloatArray | float) -> float:
    found = measure_hands_apart(Evidence(*play(SCORE, late_sec=late_sec)))
    assert isinstance(found, Reading)
    return found.value


def test_together_is_zero() -> None:
    assert value(0.0) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("apart", [0.03, 0.1, 0.2])
def test_the_lower_hand_late(apart: float) -> None:
    """Two late notes of three: the standard deviation is the root of two ninths of the distance."""
    late = np.where(SCORE.staff == 2, apart, 0.0)
    assert value(late) == pytest.approx(apart * np.sqrt(2.0) / 3.0, rel=0.02)


def test_a_few_spread_chords_do_not_count() -> None:
    few = np.where((SCORE.staff == 2) & (SCORE.onset_beat % 6.0 == 0.0), 0.15, 0.0)
    many = np.where((SCORE.staff == 2) & (SCORE.onset_beat % 3.0 == 0.0), 0.15, 0.0)
    assert value(few) == pytest.approx(0.0, abs=1e-6)
    assert value(many) > 0.05


def test_without_a_score_and_with_few_chords() -> None:
    performance, alignment = play(SCORE)
    assert measure_hands_apart(Evidence(performance)) == NO_SCORE
    note = np.flatnonzero((performance.pitch >= 72) | (performance.onset_sec < 1.0 + 6.5 * 0.6))
    part = Evidence(performance.only(note), alignment.window(0.0, 1e3, note))
    assert measure_hands_apart(part) == "fewer than eight chords are written"

"""The damage of a performance: all measures, reasons for those that are missing, and places with bars."""

from __future__ import annotations

import numpy as np
import pytest

from origins import transcribed
from rater_etude import BEAT_SEC, play, study_score
from tocco.pseudo_labels.damage.catalogue import MEASURES
from tocco.pseudo_labels.damage.measure import measure_damage
from tocco.pseudo_labels.observed.evidence import NO_SCORE, Evidence

SCORE = study_score()
WITHOUT_SCORE = {
    "flat_levels",
    "random_levels",
    "pedal_held",
    "pedal_span",
    "overlap",
    "density",
    "clusters",
}


def test_with_a_score_every_measure_is_there() -> None:
    damage = measure_damage(Evidence(*play(SCORE)))
    assert set(damage.values) == set(MEASURES)
    assert damage.missing == {}
    assert damage.origin == "keys"
    assert all(np.isfinite(value) and value >= 0.0 for value in damage.values.values())


def test_without_a_score_the_others_are_missing_with_the_reason() -> None:
    damage = measure_damage(Evidence(play(SCORE)[0]))
    assert set(damage.values) == WITHOUT_SCORE
    assert {name for name, measure in MEASURES.items() if not measure.needs_score} == WITHOUT_SCORE
    assert damage.missing == dict.fromkeys(set(MEASURES) - WITHOUT_SCORE, NO_SCORE)


def test_measures_that_need_no_score_do_not_change_by_it() -> None:
    performance, alignment = play(SCORE)
    with_score = measure_damage(Evidence(performance, alignment)).values
    without = measure_damage(Evidence(performance)).values
    assert {name: with_score[name] for name in WITHOUT_SCORE} == without


def test_a_stop_has_its_bar_and_second() -> None:
    clock = lambda beat: BEAT_SEC * beat + 2.0 * (beat >= 20.0)  # noqa: E731
    damage = measure_damage(Evidence(*play(SCORE, sec_of_beat=clock)))
    (worst, *_) = damage.places["worst_stop"]
    assert (worst.bar, worst.at_sec) == ("5", pytest.approx(1.0 + 19.5 * BEAT_SEC, abs=0.01))
    assert worst.size == pytest.approx(1.95, abs=0.01)
    assert all(len(places) <= 3 for places in damage.places.values())


def test_places_without_a_score_have_no_bar() -> None:
    damage = measure_damage(Evidence(play(SCORE)[0]))
    assert {place.bar for places in damage.places.values() for place in places} == {""}


def test_the_origin_is_that_of_the_performance() -> None:
    assert measure_damage(transcribed(Evidence(*play(SCORE)))).origin == "transcribed"


def test_an_empty_performance_has_no_measure() -> None:
    damage = measure_damage(Evidence(play(SCORE)[0].only(np.arange(0))))
    assert damage.values == {}
    assert set(damage.missing) == set(MEASURES)


def test_second_zero_does_not_matter() -> None:
    performance, alignment = play(SCORE)
    note = np.arange(len(performance))
    later = Evidence(performance.shifted(-0.75), alignment.window(0.75, 1e4, note))
    first = measure_damage(Evidence(performance, alignment)).values
    assert measure_damage(later).values == pytest.approx(first, abs=1e-6)

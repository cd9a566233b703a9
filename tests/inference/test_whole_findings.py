"""Findings about the whole: worse than in 99 of 100 competent performances, on the side that is worse."""

from __future__ import annotations

import math

import pytest

from competent_example import competent
from tocco.inference.candidates import Heard
from tocco.inference.technique import Measure, Technique
from tocco.inference.whole_findings import how_far, of_measures
from tocco.pseudo_labels.norms.competent import competent_playing
from tocco.pseudo_labels.pseudo_label import ComponentKind
from tocco.pseudo_labels.raters.registry import RATERS

MINUTE = Heard(start_sec=1.0, duration_sec=60.0, origin="keys", agreement=0.9, has_score=True)


def found(dimension: str, heard: Heard = MINUTE, **measures: float):
    values = {name: Measure(value=value, unit="velocity", meaning="m") for name, value in measures.items()}
    return of_measures(dimension, Technique(measures=values, places=(), missing={}), heard, competent())


def test_less_than_the_least_is_named_where_more_is_better() -> None:
    assert found("dynamics_control", level_range=10.2) == []
    (one,) = found("dynamics_control", level_range=9.8)
    assert one.finding.sentence == (
        "Throughout, soft and loud passages are 10 of 127 steps of velocity apart."
    )
    assert one.finding.usual == "In three of five competent performances as long it is 20 to 40."
    assert (one.finding.reference.value, one.finding.reference.usual) == (30.0, (20.0, 40.0))
    assert (one.finding.start_sec, one.finding.end_sec, one.finding.bars) == (1.0, 61.0, None)
    assert one.finding.confidence == pytest.approx(0.9 * 0.99, abs=1e-4)
    # on the logarithm above 2: from 30 to 10 is the outer hundredth, from 30 to 9.8 is here
    assert one.strength == pytest.approx(math.log(100.0 * math.log(32.0 / 11.8) / math.log(32.0 / 12.0)))
    assert found("dynamics_control", level_range=90.0) == []


def test_more_than_the_most_is_named_where_less_is_better_on_the_scale_of_the_measure() -> None:
    assert found("rhythmic_precision", hesitation=8.9) == []
    (one,) = found("rhythmic_precision", hesitation=16.0)
    # by the root: from 1 to 3 is the outer hundredth, from 1 to 4 is here
    assert one.strength == pytest.approx(math.log(100.0 * 3.0 / 2.0))
    assert one.finding.sentence == "Throughout, 16.0 s of every minute are lost in hesitations."


@pytest.mark.parametrize(
    "heard",
    [
        Heard(0.0, 14.9, "keys", 0.9, has_score=True),
        Heard(0.0, 60.0, "transcribed", 0.9, has_score=True),
    ],
)
def test_short_music_and_transcriptions_have_none(heard: Heard) -> None:
    assert found("dynamics_control", heard, level_range=1.0) == []
    shorter = Heard(0.0, 29.9, "keys", 0.9, has_score=True)
    assert len(found("dynamics_control", shorter, level_range=4.0)) == 1
    assert found("dynamics_control", shorter, level_range=9.0) == []  # would be one in half a minute


def test_a_range_of_no_width_names_nothing() -> None:
    usual = competent().usual("dynamics_control", "level_range", 60.0)
    assert usual is not None
    flat = usual.model_copy(update={"least": 30.0})
    kind = ComponentKind("level_range", "velocity", "m", "more", 1.0)
    assert how_far(kind, 5.0, flat) == 0.0


def test_every_rated_measure_that_the_keys_show_but_one_has_a_sentence_with_its_value() -> None:
    for dimension, rater in RATERS.items():
        for kind in rater.scaled:
            usual = competent_playing().usual(dimension, kind.name, 60.0)
            if usual is None or kind.name == "pedal_distance":
                continue
            far = 5.0 * usual.most + 5.0 if kind.better == "less" else usual.least - 20.0
            measure = Measure(value=far, unit=kind.unit, meaning=kind.meaning)
            technique = Technique(measures={kind.name: measure}, places=(), missing={})
            (one,) = of_measures(dimension, technique, MINUTE, competent_playing())
            assert one.finding.sentence.startswith("Throughout, "), kind.name
            assert "{" not in one.finding.sentence
            assert one.finding.measure.value == far

"""Marks of a marking scheme, from ratings."""

from __future__ import annotations

import pytest

from assessment_example import rating
from marking_example import rated
from tocco.inference.assessment import Rating
from tocco.marking.scheme import Band, Criterion, load_scheme
from tocco.marking.scheme_marks import criterion_mark, in_words, scheme_marks
from tocco.rubrics import DIMENSIONS

BANDS = tuple(
    Band(name=name, from_mark=at)
    for name, at in (("below pass", 0), ("pass", 20), ("merit", 24), ("distinction", 27))
)
TONE = Criterion(
    title="Tone",
    meaning="the sound",
    weights={"tone_quality": 0.6, "dynamics_control": 0.4},
    anchors=((0.0, 0.0), (50.0, 20.0), (100.0, 30.0)),
    bands=BANDS,
)


def test_a_criterion_is_the_weighted_mean_mapped_between_its_anchors():
    ratings = {"tone_quality": rating(70.0, 10.0, 0.7), "dynamics_control": rating(60.0, 20.0, 0.7)}
    mark = criterion_mark(TONE, ratings)
    assert mark.mark == 23.2  # .6 x 70 + .4 x 60 = 66; 20 + 16 / 50 x 10
    assert mark.interval_90 == (20.4, 26.0)  # 52 and 80
    assert (mark.highest, mark.band) == (30.0, "between pass and merit")
    assert mark.weights == {"tone_quality": 0.6, "dynamics_control": 0.4}


def test_below_the_first_anchor_another_line_counts():
    ratings = {"tone_quality": rating(20.0, 5.0, 0.7), "dynamics_control": rating(20.0, 5.0, 0.7)}
    mark = criterion_mark(TONE, ratings)
    assert (mark.mark, mark.interval_90, mark.band) == (8.0, (6.0, 10.0), "below pass")


def test_a_missing_dimension_leaves_the_criterion_missing_with_the_reason():
    ratings = {"tone_quality": rating(70.0, 10.0, 0.7), "dynamics_control": Rating.missing("no velocities")}
    mark = criterion_mark(TONE, ratings)
    assert (mark.mark, mark.band, mark.interval_90) == (None, None, None)
    assert mark.reason == "dynamics control is missing: no velocities"
    assert criterion_mark(TONE, {}).reason == (
        "tone quality is missing: it was not asked for; dynamics control is missing: it was not asked for"
    )


@pytest.mark.parametrize(
    ("mark", "interval", "wanted"),
    [
        (25.0, (24.0, 26.9), "merit"),
        (25.0, (23.9, 26.9), "between pass and merit"),
        (25.0, (24.0, 27.0), "between merit and distinction"),
        (25.0, (19.9, 27.0), "between below pass and distinction"),
    ],
)
def test_a_band_is_said_as_surely_as_the_interval_allows(mark, interval, wanted):
    assert in_words(BANDS, mark, interval) == wanted
    assert in_words((), mark, interval) is None


def test_a_mark_is_rounded_before_its_band_is_named():
    """A mark that reads 20.0 passes."""
    ratings = {name: rating(49.9, 0.0, 0.7) for name in TONE.weights}
    mark = criterion_mark(TONE, ratings)
    assert (mark.mark, mark.band) == (20.0, "pass")  # 19.96


def test_a_performance_of_50_throughout_passes_everywhere():
    values = dict.fromkeys(DIMENSIONS, 50.0) | {"note_accuracy": 96.0}
    for name, wanted in (("abrsm", 22.0), ("rcm", 68.0), ("trinity", 15.1)):
        total = scheme_marks(rated(values), load_scheme(name)).total
        assert total.mark == wanted
    # 40 and 60 have 19.5 and 24; notes of 86 and 100 have 16.1 and 30
    assert scheme_marks(rated(values), load_scheme("abrsm")).total.interval_90 == (18.8, 25.2)


def test_without_notes_there_is_no_total():
    found = scheme_marks(
        rated(dict.fromkeys(DIMENSIONS, 60.0) | {"note_accuracy": None}), load_scheme("abrsm")
    )
    assert found.criteria[0].reason == "note accuracy is missing: no score"
    assert (found.total.mark, found.total.reason) == (None, "without Pitch")
    assert found.criteria[1].mark == 24.0


def test_it_says_that_it_is_no_result_of_an_examination():
    found = scheme_marks(rated(dict.fromkeys(DIMENSIONS, 60.0)), load_scheme("trinity"))
    assert found.disclaimer == "This is no examination result, and Trinity College London has no part in it"
    assert found.link == "https://www.trinitycollege.com"
    assert found.sha256 == load_scheme("trinity").sha256

"""How an assessment is put into words."""

from __future__ import annotations

from tocco.inference.assessment import Rating
from tocco.inference.combination import DEDUCTIONS
from tocco.pseudo_labels.raters.registry import RATERS
from tocco.report.wording import account, measure_in_words


def test_a_rating_that_was_put_together_shows_its_parts() -> None:
    combined = Rating(
        value=55.5, source="combined", perception=60.0, deductions={"lost_time": 5.0, "tone_quality": -0.5}
    )
    assert (
        account(combined)
        == "60.0 by the model of listeners, less 5.0 for time lost in stops, plus 0.5 for tone quality "
        "by rule"
    )
    assert account(Rating(value=50.0, source="rule")) == ""


def test_of_many_parts_the_largest_are_named_and_the_rest_summed() -> None:
    parts = {"a": 1.0, "b": -3.0, "c": 0.5, "d": 0.04, "e": 2.0, "f": -0.2}
    combined = Rating(value=55.5, source="combined", perception=60.0, deductions=parts)
    assert account(combined) == (
        "60.0 by the model of listeners, plus 3.0 for b by rule, less 2.0 for e by rule, less 1.0 for a by "
        "rule, less 0.3 for 2 more"
    )


def test_every_measure_has_words() -> None:
    for points in DEDUCTIONS.values():
        for measure in set(points) - set(RATERS):
            assert measure_in_words(measure) != measure.replace("_", " ")
    assert measure_in_words("tone_quality") == "tone quality by rule"
    assert measure_in_words("lost_time") == "time lost in stops"

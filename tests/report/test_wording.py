"""How an assessment is put into words."""

from __future__ import annotations

from typing import Any

import pytest

from assessment_example import example
from tocco.inference.assessment import Assessment, Rating
from tocco.inference.combination import DEDUCTIONS
from tocco.inference.evidence import Music, NoteOutcome, PlayedBars, RecordingReport, ScoreSearch
from tocco.pseudo_labels.raters.registry import RATERS
from tocco.report.page.tables import provenance
from tocco.report.wording import (
    account,
    measure_in_words,
    nothing_stands_out,
    remarks,
    sought_score,
    unheard_notes,
)


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


def test_parts_that_cancel_out_have_no_figure() -> None:
    parts = {"a": 3.0, "b": 2.0, "c": 1.0, "d": 0.5, "e": -0.52}
    combined = Rating(value=54.0, source="combined", perception=60.0, deductions=parts)
    assert account(combined).endswith("less 1.0 for c by rule, 2 more cancel out")


def test_a_transcriber_without_figures_of_its_own_is_named() -> None:
    made = example()
    for name, said in ((None, "whatever transcribed these notes"), ("other 1.0", "this transcriber")):
        inputs = made.inputs.model_copy(update={"transcription_loss": "transkun 2.0.1", "transcriber": name})
        assert remarks(made.model_copy(update={"inputs": inputs}))[-1] == (
            "Ratings are corrected, and intervals widened, for what transkun 2.0.1 misses; it is not known "
            f"what {said} misses"
        )


def test_every_measure_has_words() -> None:
    for points in DEDUCTIONS.values():
        for measure in set(points) - set(RATERS):
            assert measure_in_words(measure) != measure.replace("_", " ")
    assert measure_in_words("tone_quality") == "tone quality by rule"
    assert measure_in_words("lost_time") == "time lost in stops"


def searched(*, score: bool = True, part: PlayedBars | None = None, **found: Any) -> Assessment:
    """The example, if its score had been sought."""
    made = example(score=score)
    search = ScoreSearch(folder="scores", key="k", n_scores=210, **found)
    origin = (
        {}
        if made.inputs.score is None
        else {"score": made.inputs.score.model_copy(update={"origin": "found"})}
    )
    changed: dict[str, Any] = {"inputs": made.inputs.model_copy(update={"score_search": search, **origin})}
    if made.alignment is not None:
        changed["alignment"] = made.alignment.model_copy(update={"part": part})
    return made.model_copy(update=changed)


def test_the_score_that_was_found_is_named_with_its_bars() -> None:
    part = PlayedBars(first="12", last="20", n_bars=40)
    assert (
        sought_score(searched(file="bach/fugue.mxl", part=part)) == "score found: bach/fugue.mxl, bars 12–20"
    )
    assert sought_score(searched(file="fugue.mxl")) == "score found: fugue.mxl, all of it"
    there = part.model_copy(update={"where": "bars 12–20, then 12–14 (repeat)"})
    assert (
        sought_score(searched(file="a.mxl", part=there))
        == "score found: a.mxl, bars 12–20, then 12–14 (repeat)"
    )
    assert dict(provenance(searched(file="a.mxl")))["Score"].startswith("found: etude.musicxml; SHA-256 ")


def test_where_none_was_found_the_reason_is_said() -> None:
    reason = "none of the 210 scores in scores fits"
    assert sought_score(searched(score=False, reason=reason)) == reason
    assert sought_score(example()) == ""


def test_scores_that_fit_as_well_are_a_remark() -> None:
    said = "As well as a.mxl there fits b.mxl, c.mxl; name one with --score"
    assert said in remarks(searched(file="a.mxl", alike=("b.mxl", "c.mxl")))
    assert not any("as well" in line.casefold() for line in remarks(searched(file="a.mxl")))


def test_what_was_cut_off_around_the_music_is_said_once() -> None:
    whole = example()
    recording = RecordingReport(
        warnings=("Only the music from 9.0 s to 20.0 s is assessed; speech before it is left out.",),
        is_cut=True,
        piano=0.9,
        a4_hz=None,
        not_rated={},
    )
    music = Music(start_sec=9.0, end_sec=20.0)
    inputs = whole.inputs.model_copy(update={"recording": recording, "music": music})
    said = remarks(whole.model_copy(update={"inputs": inputs}))
    assert [line for line in said if "music" in line] == [recording.warnings[0]]
    inputs = whole.inputs.model_copy(update={"music": music})
    assert any(
        line.startswith("Not rated: 9 s before")
        for line in remarks(whole.model_copy(update={"inputs": inputs}))
    )


def test_notes_that_were_not_heard_are_named() -> None:
    notes = [
        NoteOutcome(expected=f"C{k}", expected_pitch=60, bar="12", beat=2.5, time_sec=1.0) for k in range(5)
    ]
    assert unheard_notes(notes[:1]).startswith(
        "Not heard, left out or too soft to hear: C0 (bar 12, beat 2.5); it counts"
    )
    assert "C2 (bar 12, beat 2.5) and 2 more; they count neither" in unheard_notes(notes)


@pytest.mark.parametrize(("value", "is_said"), [(24.0, True), (29.9, True), (30.1, False), (36.0, False)])
def test_a_low_rating_is_named_where_nothing_else_is(value: float, is_said: bool) -> None:
    whole = example()
    ratings = {name: Rating(value=60.0, source="model") for name in whole.ratings}
    ratings["rhythmic_precision"] = Rating(value=value, source="model")
    said = nothing_stands_out(whole.model_copy(update={"ratings": ratings}))
    assert ("the lowest rating is rhythmic precision" in said) == is_said
    assert said.startswith("Nothing stands out") != is_said

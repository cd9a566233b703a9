"""Marks on the terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from assessment_example import example
from tocco.inference.assessment import Assessment
from tocco.inference.marks import MarkScale, PersonalMark, PersonalMarks
from tocco.marking.apply import Marking
from tocco.marking.scheme import load_scheme
from tocco.report.marks_wording import personal_rows, personal_scale, personal_weights
from tocco.report.terminal import print_assessment

SCALE = MarkScale(worst=1.0, best=5.0, source="found")


def personal(**changes: object) -> PersonalMarks:
    fields = {
        "name": "anna",
        "sha256": "f" * 64,
        "marks": {
            "phrasing": PersonalMark(
                points=62.5, points_90=(50.0, 80.0), mark=3.5, mark_90=(3.0, 4.2), scale=SCALE
            ),
            "note_accuracy": PersonalMark(points=None, reason="note accuracy not rated: no score"),
        },
        "aggregate": PersonalMark(
            points=55.0, points_90=(40.0, 70.0), mark=3.2, mark_90=(2.6, 3.8), scale=SCALE
        ),
        "weights": {"phrasing": 0.7, "musicality": 0.3},
        "sentences": ("anna: fitted to 20 marks", "Whole performance, not better"),
    }
    return PersonalMarks.model_validate(fields | changes)


def marked(**changes: object) -> Assessment:
    return example().model_copy(update={"personal": personal(**changes)})


def shown(assessment: Assessment, width: int = 110) -> str:
    stream = io.StringIO()
    print_assessment(assessment, Console(file=stream, width=width, highlight=False))
    return stream.getvalue()


def test_the_marks_stand_below_the_ratings_and_name_the_person() -> None:
    text = shown(marked())
    ratings, _, rest = text.partition("As anna would mark it")
    assert "Aggregate " in ratings
    assert rest.startswith(" (1 to 5; beside the ratings, not in their place)")
    rows = [line.split() for line in rest.splitlines()]
    assert ["Phrasing", "74.2", "3.5", "3.0–4.2"] in rows
    assert "missing, note accuracy not rated: no score" in rest
    assert ["Whole", "performance", "74.5", "3.2", "2.6–3.8"] in rows
    assert "Weights of the whole: phrasing 0.70, musicality 0.30" in rest
    assert rest.index("Whole performance, not better.") < rest.index("Where to look")


def test_without_a_calibration_nothing_is_said_of_one() -> None:
    assert "would mark it" not in shown(example())
    assert "examination" not in shown(example())


def test_a_long_scale_has_whole_marks_and_votes_have_points() -> None:
    long = MarkScale(worst=0.0, best=100.0, source="given")
    whole = PersonalMark(points=55.4, points_90=(40.0, 70.0), mark=55.4, mark_90=(40, 70), scale=long)
    (row,) = personal_rows(example(), personal(marks={}, aggregate=whole))
    assert (row.mark, row.interval) == ("55", "40–70")
    voted = PersonalMark(points=55.4, points_90=(40.0, 70.0))
    assert personal_scale(personal(marks={}, aggregate=voted)) == "0 to 100"
    assert personal_rows(example(), personal(marks={}, aggregate=voted))[0].mark == "55"
    assert personal_weights(personal(weights={"phrasing": 0.998, "musicality": 0.002})) == "phrasing 1.00"


def test_a_default_that_stands_is_said() -> None:
    kept = PersonalMark(
        points=74.2, points_90=(60, 88), mark=4.0, mark_90=(3.4, 4.5), scale=SCALE, is_default=True
    )
    (row,) = personal_rows(example(), personal(marks={"phrasing": kept}, aggregate=None))
    assert row.words == "the marks contradict the ratings, so this is the default and its interval"


@pytest.mark.parametrize("width", [60, 80, 140])
def test_a_marking_scheme_says_first_that_it_is_no_result(width: int) -> None:
    text = shown(Marking(scheme=load_scheme("abrsm"))(example()), width)
    part = " ".join(text.partition("ABRSM practical grade, one piece")[2].split())
    assert part.startswith(
        "https://www.abrsm.org This is no examination result, and ABRSM has no part in it."
    )
    assert "a convention of tocco, not a measured equivalence" in part
    for criterion in ("Pitch", "Time", "Tone", "Shape", "Performance", "Piece"):
        assert f"{criterion} " in part
    assert "of 30" in part


def test_a_missing_criterion_says_why() -> None:
    text = shown(Marking(scheme=load_scheme("abrsm"))(example(score=False)), 160)
    assert "missing, note accuracy is missing:" in text
    assert "missing, without Pitch" in text

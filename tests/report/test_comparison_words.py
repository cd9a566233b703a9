"""What a comparison says: nothing that its interval does not support."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from comparison_example import calibration, take
from tocco.inference.assessment import Assessment
from tocco.inference.bundle import Bundle, load_bundle
from tocco.inference.comparison import Comparison, compare
from tocco.report.comparison_table import print_comparison
from tocco.report.comparison_words import (
    OF_INTERVALS,
    OF_NO_DIFFERENCE,
    caution,
    note_sentences,
    sentences,
)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    loaded = load_bundle()
    figures = loaded.calibration.model_copy(update={"differences": calibration()})
    return replace(loaded, sha256="d" * 64, calibration=figures)


def of(bundle: Bundle, **points: float) -> Comparison:
    return compare({"mon": take(), "tue": take(points, stretch=0.3)}, bundle)


def printed(comparison: Comparison, width: int = 80) -> str:
    stream = StringIO()
    print_comparison(comparison, Console(file=stream, width=width, highlight=False))
    return stream.getvalue()


def test_what_is_better_and_worse_is_named_and_the_rest_is_counted(bundle: Bundle) -> None:
    said = sentences(of(bundle, phrasing=20.0, musicality=-15.0).pairs[0])
    assert said[0].startswith(
        "On the whole no difference can be told: tue beside mon is rated 1.1 points higher, "
    )
    assert said[1:] == [
        "tue is better in phrasing, and worse in musicality.",
        "In the other 8 dimensions no difference can be told.",
    ]


def test_a_difference_on_the_whole_is_said_with_its_interval(bundle: Bundle) -> None:
    points = dict.fromkeys(
        ("phrasing", "musicality", "rhythmic_precision", "dynamics_control", "tone_quality"), 20.0
    )
    first = sentences(of(bundle, **points).pairs[0])[0]
    assert first.startswith("On the whole tue is better than mon: rated 14.0 points higher, 90 %: +")


def test_the_terminal_says_what_the_interval_is_of(bundle: Bundle) -> None:
    said = " ".join(printed(of(bundle, phrasing=20.0)).split())
    assert OF_INTERVALS in said
    assert f"≈ {OF_NO_DIFFERENCE}" in said


def test_nothing_is_said_without_a_clear_difference(bundle: Bundle) -> None:
    said = sentences(of(bundle, phrasing=2.0).pairs[0])
    assert said[-1] == "In no single dimension a difference can be told."
    assert len(said) == 2
    assert "rated alike" in sentences(of(bundle).pairs[0])[0]


def test_note_errors_are_counted_and_named(bundle: Bundle) -> None:
    better = take(stretch=0.3).model_dump()
    better["alignment"]["deletion"] = ()
    better["alignment"]["counts"]["deletion"] = 0
    comparison = compare({"mon": take(), "tue": Assessment.model_validate(better)}, bundle)
    assert note_sentences(comparison, comparison.pairs[0]) == [
        "mon: 1 wrong, 1 missing and 1 added note.",
        "tue: 1 wrong, 0 missing and 1 added note.",
        "Right in tue and not in mon: bar 21, beat 2.5: A3 is missing.",
    ]


def test_a_missing_score_and_mixed_notes_are_said(bundle: Bundle) -> None:
    bare = take().model_dump()
    bare["inputs"]["score"] = None
    heard = take(stretch=0.3).model_dump()
    heard["inputs"]["score"] = None
    heard["inputs"]["notes"] = "transcribed"
    pair = {"mon": Assessment.model_validate(bare), "tue": Assessment.model_validate(heard)}
    said = caution(compare(pair, bundle))
    assert said[0].startswith("No score was given: that all takes are of one piece was not checked")
    assert said[1].startswith("The notes of tue were transcribed from sound")
    assert caution(of(bundle)) == []


def test_the_terminal_has_both_ratings_the_difference_and_a_word(bundle: Bundle) -> None:
    text = printed(of(bundle, phrasing=20.0, musicality=-15.0))
    rows = {line.split("  ")[0].strip(): line for line in text.splitlines()}
    assert rows["Phrasing"].split()[1:] == ["74.2", "94.2", "+20.0", "+3", "to", "+20", "▲", "better"]
    assert rows["Musicality"].rstrip().endswith("▼ worse")
    assert rows["Tone quality"].rstrip().endswith("≈")
    assert "A is mon, B is tue" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_of_several_takes_each_is_compared_with_the_first(bundle: Bundle) -> None:
    takes = {"mon": take(), "tue": take({"phrasing": 5.0}, stretch=0.3), "wed": take(stretch=0.2)}
    text = printed(compare(takes, bundle))
    assert "A is mon, B is wed" in text
    assert "Every take compared with mon" in text
    assert [line.split()[0] for line in text.splitlines()[-3:]] == ["mon", "tue", "wed"]

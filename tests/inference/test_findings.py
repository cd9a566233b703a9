"""What to work on first: which, in which order, and in which words."""

from __future__ import annotations

import math

import pytest

from competent_example import competent
from tocco.inference import findings
from tocco.inference.assessment import Moment, Rating
from tocco.inference.candidates import Heard
from tocco.inference.finding import Finding
from tocco.inference.technique import Measure, Place, Technique

MINUTE = Heard(start_sec=0.0, duration_sec=60.0, origin="keys", agreement=0.9, has_score=True)
WEIGHTS = {"note_accuracy": 0.2, "rhythmic_precision": 0.5, "dynamics_control": 0.3}


@pytest.fixture(autouse=True)
def _round_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "competent_playing", competent)


def place(
    kind: str, size: float, at_sec: float, text: str = "bar 3, beat 1: it is so", bar: str = "3"
) -> Place:
    return Place(kind=kind, text=text, start_sec=at_sec, end_sec=at_sec, size=size, bar=bar, beat=1.0)


def technique(*places: Place, **measures: float) -> Technique:
    found = {name: Measure(value=value, unit="x", meaning="y") for name, value in measures.items()}
    return Technique(measures=found, places=places, missing={})


def find(
    measured: dict[str, Technique],
    moments: list[Moment],
    ratings: dict[str, Rating],
    weights: dict[str, float],
    heard: Heard,
) -> tuple[Finding, ...]:
    """With the notes that are among the places."""
    notes = measured["note_accuracy"].places if "note_accuracy" in measured else ()
    return findings.find(measured, moments, ratings, weights, heard, notes)


def late(*sizes: float) -> dict[str, Technique]:
    return {"rhythmic_precision": technique(*(place("late", s, 20.0 * k) for k, s in enumerate(sizes)))}


def test_nothing_stands_out_where_competent_pianists_have_it_too() -> None:
    # ten late notes of 0.1 to 1.0 s in 100 minutes: two of 0.9 s and more are 0.02 a minute
    assert find(late(0.9), [], {}, WEIGHTS, MINUTE) == ()
    (found,) = find(late(0.95), [], {}, WEIGHTS, MINUTE)
    assert found.reference.value == pytest.approx(0.01)


def test_the_longer_the_performance_the_rarer_a_place_has_to_be() -> None:
    def heard(minutes: float) -> Heard:
        return Heard(0.0, 60.0 * minutes, "keys", 0.9, has_score=True)

    assert len(find(late(0.95), [], {}, WEIGHTS, heard(1.9))) == 1
    assert find(late(0.95), [], {}, WEIGHTS, heard(2.1)) == ()


def test_a_finding_says_where_how_much_and_what_is_usual() -> None:
    (found,) = find(late(0.95), [], {}, WEIGHTS, MINUTE)
    assert found == Finding(
        id="rhythmic_precision-late-0.0",
        dimension="rhythmic_precision",
        kind="late",
        bars=("3", "3"),
        beat=1.0,
        start_sec=0.0,
        end_sec=0.0,
        measure=Measure(value=0.95, unit="s", meaning="lateness relative to the local tempo"),
        reference=Measure(value=0.01, unit="count/min", meaning="note as late or more, competent playing"),
        confidence=0.9 * math.exp(-0.01),
        sentence="Bar 3, beat 1: it is so.",
        usual="In competent playing a note as late comes no more than once in 100 minutes.",
    )


def test_at_most_three_and_one_of_a_dimension_at_a_time() -> None:
    found = find(late(1.0, 1.1, 1.2, 1.3, 1.4), [], {}, WEIGHTS, MINUTE)
    assert [one.start_sec for one in found] == [0.0, 20.0, 40.0]
    near = {"rhythmic_precision": technique(*(place("late", 1.0, t) for t in (10.0, 14.9, 15.1)))}
    assert [one.start_sec for one in find(near, [], {}, WEIGHTS, MINUTE)] == [10.0, 15.1]


def slips(*at_sec: float) -> dict[str, Technique]:
    texts = ("bar 3, beat 1: F5 instead of F#5", "bar 4, beat 1: B3 is missing", "bar 9, beat 1: A5 is added")
    kinds = ("wrong", "missing", "extra")
    bars = ("3", "4", "9")
    rows = zip(kinds, at_sec, texts, bars, strict=False)
    return {"note_accuracy": technique(*(place(kind, 1.0, t, text, bar) for kind, t, text, bar in rows))}


def test_a_wrong_note_is_a_finding_however_usual() -> None:
    (found,) = find(slips(5.0), [], {}, WEIGHTS, MINUTE)
    assert found.sentence == "Bar 3, beat 1: F5 instead of F#5."
    assert (
        found.usual == "In competent playing, counted in the same way, 0.2 to 2.0 % of the notes are wrong."
    )
    assert (found.kind, found.confidence, found.measure.value, found.reference.value) == (
        "wrong",
        0.9,
        1,
        0.02,
    )


def test_slips_that_follow_one_another_are_one_finding() -> None:
    several, last = find(slips(5.0, 9.9, 20.0), [], {}, WEIGHTS, MINUTE)
    assert several.sentence == ("Bars 3–4: 2 notes are not as written (F5 instead of F#5; B3 is missing).")
    assert (several.kind, several.bars, several.start_sec, several.end_sec) == (
        "several",
        ("3", "4"),
        5.0,
        9.9,
    )
    assert several.usual.endswith(
        "0.2 to 2.0 % of the notes are wrong, 0.2 to 2.0 % of the notes are missing."
    )
    assert last.kind == "extra"
    assert len(find(slips(5.0, 10.1, 20.0), [], {}, WEIGHTS, MINUTE)) == 3


def test_of_many_slips_the_first_are_named() -> None:
    many = technique(
        *(place("extra", 1.0, float(t), f"bar {t}, beat 1: A{t} is added", f"{t}") for t in range(1, 8))
    )
    (found,) = find({"note_accuracy": many}, [], {}, WEIGHTS, MINUTE)
    assert found.sentence == (
        "Bars 1–7: 7 notes are not as written (A1 is added; A2 is added; A3 is added; A4 is added; 3 more)."
    )


def test_what_takes_most_from_the_aggregate_comes_first() -> None:
    both = late(1.0) | {"note_accuracy": slips(30.0)["note_accuracy"]}
    assert [one.dimension for one in find(both, [], {}, WEIGHTS, MINUTE)] == [
        "rhythmic_precision",
        "note_accuracy",
    ]
    turned = {"note_accuracy": 0.98, "rhythmic_precision": 0.02}
    assert [one.dimension for one in find(both, [], {}, turned, MINUTE)] == [
        "note_accuracy",
        "rhythmic_precision",
    ]


def test_a_dimension_without_a_share_counts_half_of_the_smallest() -> None:
    both = late(1.0) | {"note_accuracy": slips(30.0)["note_accuracy"]}
    # strengths: -log 0.01 = 4.61 and 0.5; note accuracy leads with more than 9.2 times the share
    for share, first in ((0.19, "rhythmic_precision"), (0.24, "note_accuracy")):
        weights = {"note_accuracy": 2.0 * share, "dynamics_control": 0.1 * 0.9}
        order = find(both, [], {}, weights, MINUTE)
        assert order[0].dimension == first, share


def test_a_transcription_shows_no_soft_notes_and_no_levels() -> None:
    heard = Heard(0.0, 60.0, "transcribed", 0.9, has_score=True)
    (found,) = find(slips(5.0, 20.0, 40.0), [], {}, WEIGHTS, heard)
    assert found.kind == "wrong"
    assert found.confidence == pytest.approx(0.9 * 0.71)
    assert found.usual == "So it was heard; about three of ten such notes are errors of the transcriber."
    assert find(late(1.0), [], {}, WEIGHTS, heard) == ()


def test_without_a_score_only_passages_are_named() -> None:
    heard = Heard(0.0, 60.0, "keys", 1.0, has_score=False)
    assert find(late(1.0) | slips(5.0), [], {}, WEIGHTS, heard) == ()
    rated = {"dynamics_control": Rating(value=60.0, source="model")}
    falls = Moment(
        kind="weakest", dimension="dynamics_control", start_sec=10.0, end_sec=30.0, value=48.2,
        difference=-11.8, margin=6.25, bars=("3", "8"), where="bars 3–8",
    )  # fmt: skip
    rises = falls.model_copy(update={"kind": "strongest"})
    (found,) = find({}, [falls, rises], rated, WEIGHTS, heard)
    assert found.sentence == "Bars 3–8: dynamics control falls to 48.2."
    assert found.usual == "The whole is rated 60.0; a difference of up to 6.2 could be chance."
    assert (found.confidence, found.measure.value, found.reference.value) == (0.9, 48.2, 60.0)
    assert (found.kind, found.bars, found.start_sec, found.end_sec) == ("passage", ("3", "8"), 10.0, 30.0)


def test_a_passage_does_not_repeat_the_notes_that_make_it() -> None:
    fall = Moment(
        kind="weakest", dimension="note_accuracy", start_sec=8.0, end_sec=30.0, value=85.2,
        difference=-6.3, margin=5.3, bars=("3", "8"), where="bars 3–8",
    )  # fmt: skip
    rated = {"note_accuracy": Rating(value=91.5, source="rule")}
    assert [one.kind for one in find(slips(9.0), [fall], rated, WEIGHTS, MINUTE)] == ["wrong"]
    assert {one.kind for one in find(slips(40.0), [fall], rated, WEIGHTS, MINUTE)} == {"passage", "wrong"}


def test_places_of_older_files_have_no_size_and_make_no_finding() -> None:
    old = Place(kind="late", text="bar 1, beat 1: late", start_sec=1.0, end_sec=1.0)
    assert find({"rhythmic_precision": technique(old)}, [], {}, WEIGHTS, MINUTE) == ()


def test_a_finding_does_not_end_before_it_begins() -> None:
    (found,) = find(late(1.0), [], {}, WEIGHTS, MINUTE)
    with pytest.raises(ValueError, match="is before start_sec"):
        Finding.model_validate(found.model_dump() | {"end_sec": -1.0})

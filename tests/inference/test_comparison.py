"""Takes of one piece beside each other: order, note errors, bars, and what cannot be compared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from comparison_example import calibration, take
from tocco.errors import MismatchError, UsageError
from tocco.inference.assessment import Assessment
from tocco.inference.bundle import Bundle, load_bundle
from tocco.inference.comparison import MOST_TAKES, common_bars, compare


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    loaded = load_bundle()
    return replace(
        loaded,
        sha256="d" * 64,
        calibration=loaded.calibration.model_copy(update={"differences": calibration()}),
    )


def changed(**changes: object) -> Assessment:
    return Assessment.model_validate(take().model_dump() | changes)


def with_notes(**lists: tuple) -> Assessment:
    made = take(stretch=0.3).model_dump()
    made["alignment"] |= lists
    made["alignment"]["counts"] = {
        kind: len(made["alignment"][kind]) for kind in ("match", "insertion", "deletion", "substitution")
    }
    return Assessment.model_validate(made)


def test_every_take_is_compared_with_every_earlier_one(bundle: Bundle) -> None:
    takes = {"mon": take(), "tue": take({"phrasing": 20.0}, stretch=0.3), "wed": take(stretch=0.3)}
    found = compare(takes, bundle)
    assert [(pair.compared_with, pair.take) for pair in found.pairs] == [
        ("mon", "tue"),
        ("mon", "wed"),
        ("tue", "wed"),
    ]
    assert found.pair("tue", "mon").differences["phrasing"].verdict == "better"
    assert found.pair("wed", "tue").differences["phrasing"].value == -20.0
    with pytest.raises(KeyError):
        found.pair("mon", "tue")


def test_a_pair_can_be_seen_from_the_other_side(bundle: Bundle) -> None:
    pair = compare({"a": take(), "b": with_notes(deletion=())}, bundle).pairs[0]
    back = pair.reversed()
    assert (back.take, back.compared_with) == ("a", "b")
    assert back.new == pair.solved
    assert back.reversed() == pair


def test_note_errors_that_are_gone_and_new_ones_are_named(bundle: Bundle) -> None:
    report = take().alignment
    assert report is not None
    late = report.insertion[0].model_copy(update={"beat": 3.2})
    new = report.deletion[0].model_copy(update={"bar": "30", "time_sec": 60.3})
    other = with_notes(deletion=(), insertion=(late,), substitution=(*report.substitution,))
    pair = compare({"a": take(), "b": other}, bundle).pairs[0]
    assert [note.expected for note in pair.solved] == ["A3"]
    assert pair.new == ()  # an added note a fifth of a beat later is the same one
    pair = compare({"a": other, "b": with_notes(deletion=(new,), insertion=(late,))}, bundle).pairs[0]
    assert [note.bar for note in pair.new] == ["30"]


def test_an_error_in_a_bar_that_the_other_did_not_play_is_neither_gone_nor_new(bundle: Bundle) -> None:
    short = take().model_dump()
    bars = [(name, sec) for name, sec in short["alignment"]["bars"] if int(name) < 20]
    other = with_notes(bars=bars, deletion=())
    assert compare({"a": take(), "b": other}, bundle).pairs[0].solved == ()


def test_bars_are_laid_beside_each_other_each_repeat_for_itself() -> None:
    def of(*names: str) -> Assessment:
        made = take().model_dump()
        made["alignment"]["bars"] = [(name, 2.0 * k) for k, name in enumerate(names)]
        return Assessment.model_validate(made)

    found = common_bars([of("1", "2", "1", "2", "3"), of("1", "2", "3", "4")])
    assert [(bar.bar, bar.passage, bar.start_sec) for bar in found] == [
        ("1", 1, (0.0, 0.0)),
        ("2", 1, (2.0, 2.0)),
        ("1", 2, (4.0, None)),
        ("2", 2, (6.0, None)),
        ("3", 1, (8.0, 4.0)),
        ("4", 1, (None, 6.0)),
    ]


@pytest.mark.parametrize("n", [0, 1, MOST_TAKES + 1])
def test_too_few_and_too_many_are_refused(n: int, bundle: Bundle) -> None:
    with pytest.raises(UsageError, match="2 to 12"):
        compare({str(k): take() for k in range(n)}, bundle)


def test_takes_beside_different_scores_are_refused(bundle: Bundle) -> None:
    made = take().model_dump()
    made["inputs"]["score"]["sha256"] = "9" * 64
    with pytest.raises(MismatchError, match="another score than a"):
        compare({"a": take(), "b": Assessment.model_validate(made)}, bundle)


def test_a_take_without_the_score_of_the_others_is_named(bundle: Bundle) -> None:
    alone = take().model_dump()
    alone["inputs"]["score"] = None
    bare = Assessment.model_validate(alone)
    for takes in ({"a": take(), "b": bare}, {"b": bare, "a": take()}):
        with pytest.raises(MismatchError, match=r"^b: was rated without a score, and a with one"):
            compare(takes, bundle)


def test_a_take_of_another_bundle_is_named(bundle: Bundle) -> None:
    made = take().model_dump()
    made["bundle"]["sha256"] = "e" * 64
    with pytest.raises(MismatchError, match=r"^b: was rated by"):
        compare({"a": take(), "b": Assessment.model_validate(made)}, bundle)

"""Own students are not judged, and marks far off the others are changed by the stated rule, and shown."""

import pytest

from ranking_example import jury
from tocco.errors import UsageError
from tocco.ranking.jury import Jury, Mark, Recusal, Vote
from tocco.ranking.rules import Rules, apply_rules, recusals_without_effect

FOUR = jury({"w": {"a": 80}, "x": {"a": 82}, "y": {"a": 84}, "z": {"a": 98}})


def counts(ruled) -> dict[str, float]:
    return {one.juror: one.value for one in ruled.jury.marks}


def test_without_a_rule_every_mark_counts_as_given():
    ruled = apply_rules(FOUR, Rules())
    assert ruled.jury.marks == FOUR.marks
    assert ruled.changes == ()


def test_a_mark_too_far_off_is_moved_to_the_bound_and_said():
    ruled = apply_rules(FOUR, Rules(correct_beyond=10.0))
    # The others of z have a mean of 82; of the others, 80 is 8 off 88, and the rest nearer.
    assert counts(ruled) == {"w": 80.0, "x": 82.0, "y": 84.0, "z": 92.0}
    (change,) = ruled.changes
    assert (change.mark, change.value) == (Mark("z", "a", 98.0), 92.0)
    assert change.reason == (
        "16.0 above the mean of the other 3 marks (82.0), more than 10: moved to that bound"
    )


def test_the_bound_itself_is_still_within():
    assert apply_rules(FOUR, Rules(correct_beyond=16.0)).changes == ()
    assert len(apply_rules(FOUR, Rules(correct_beyond=15.9)).changes) == 1


def test_a_mark_too_far_off_is_left_out_and_no_longer_moves_the_mean():
    ruled = apply_rules(FOUR, Rules(correct_beyond=2.5, delete_beyond=15.0))
    # After z is gone: w is 3 below 83, y is 3 above 81.
    assert counts(ruled) == {"w": 80.5, "x": 82.0, "y": 83.5}
    assert [(one.mark.juror, one.value) for one in ruled.changes] == [("z", None), ("w", 80.5), ("y", 83.5)]
    assert ruled.given == FOUR.marks


def test_the_order_of_the_jurors_has_no_influence():
    rules = Rules(correct_beyond=3.0)
    one = apply_rules(FOUR, rules)
    other = apply_rules(Jury(tuple(reversed(FOUR.marks))), rules)
    assert counts(one) == counts(other)


def test_of_two_jurors_nobody_is_far_off_the_others():
    two = jury({"x": {"a": 10}, "y": {"a": 90}})
    assert apply_rules(two, Rules(delete_beyond=5.0)).changes == ()


def test_a_mark_is_never_moved_below_zero():
    low = jury({"w": {"a": 0}, "x": {"a": 2}, "y": {"a": 2}, "z": {"a": 2}})
    assert counts(apply_rules(low, Rules(correct_beyond=1.0)))["w"] == 1.0
    assert counts(apply_rules(low, Rules(correct_beyond=1.9)))["w"] == pytest.approx(0.1)


def test_what_recused_jurors_said_does_not_count_and_is_listed():
    given = Jury(
        FOUR.marks,
        (Vote("z", "a", "b"), Vote("z", "b", "c"), Vote("y", "b", "a")),
        frozenset({Recusal("z", "a"), Recusal("y", "c")}),
    )
    ruled = apply_rules(given, Rules(correct_beyond=10.0))
    assert counts(ruled) == {"w": 80.0, "x": 82.0, "y": 84.0}
    assert ruled.recused == (Mark("z", "a", 98.0),)
    assert ruled.recused_votes == (Vote("z", "a", "b"),)
    assert ruled.jury.votes == (Vote("z", "b", "c"), Vote("y", "b", "a"))
    assert ruled.changes == ()
    assert recusals_without_effect(given) == (Recusal("y", "c"),)


def test_deleting_nearer_than_correcting_is_refused():
    with pytest.raises(UsageError, match="--delete-beyond: is 10, and --correct-beyond is 10"):
        Rules(correct_beyond=10.0, delete_beyond=10.0)

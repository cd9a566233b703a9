"""What is left out is not used, and the interval of a gain is the usual one."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from marking_example import HALF, drawn, whole
from tocco.marking.leave_one_out import enough, leave_out_marks, leave_out_votes, mean_gain
from tocco.marking.maps import fit_aggregate, fit_dimension
from tocco.marking.votes import fit_votes
from tocco.rubrics import DIMENSIONS


def predictions(ratings, marks, groups, fit):
    """Of each mark, from the others."""
    seen = {}

    def watched(x, y):
        found = fit(x, y)
        seen[len(seen)] = found
        return found

    leave_out_marks(watched, ratings, ratings - HALF, ratings + HALF, marks, groups)
    of = dict(zip(dict.fromkeys(groups), seen.values(), strict=True))
    return np.array([of[group].predict(row[None, :])[0] for group, row in zip(groups, ratings, strict=True)])


def leaks(ratings, marks, groups, fit) -> bool:
    """Whether the prediction of a group changes when its own marks do."""
    before = predictions(ratings, marks, groups, fit)
    for group in set(groups):
        out = np.array(groups) == group
        changed = np.where(out, 100.0 - marks, marks)
        after = predictions(ratings, changed, groups, fit)
        if not np.array_equal(before[out], after[out]):
            return True
    return False


@pytest.mark.parametrize("per_piece", [1, 3])
def test_a_mark_has_no_part_in_its_own_prediction(rng, per_piece):
    ratings = drawn(12, rng)
    marks = whole(ratings) - 15.0 + rng.normal(0.0, 6.0, size=12)
    groups = [f"piece {k // per_piece}" for k in range(12)]
    fit = partial(fit_aggregate, DIMENSIONS)
    assert not leaks(ratings, marks, groups, fit)
    column = ratings[:, 6:7]
    assert not leaks(column, marks, groups, partial(fit_dimension, "phrasing"))


def test_a_fit_that_sees_the_left_out_mark_is_noticed(rng):
    ratings = drawn(12, rng)
    marks = whole(ratings) + rng.normal(0.0, 6.0, size=12)
    everything: dict[str, np.ndarray] = {}

    def leaking(x, y):
        return fit_aggregate(DIMENSIONS, ratings, everything["marks"])

    def watched(ratings, marks, groups, fit):
        everything["marks"] = marks
        return predictions(ratings, marks, groups, fit)

    groups = [str(k) for k in range(12)]
    before, after = (watched(ratings, m, groups, leaking) for m in (marks, np.r_[100 - marks[0], marks[1:]]))
    assert before[0] != after[0]


def test_errors_are_those_of_refits_by_hand(rng):
    ratings = drawn(6, rng)[:, 6:7]
    marks = ratings[:, 0] + 20.0 + rng.normal(0.0, 5.0, size=6)
    groups = ["a", "a", "b", "b", "c", "c"]
    found = leave_out_marks(
        partial(fit_dimension, "phrasing"), ratings, ratings - HALF, ratings + HALF, marks, groups
    )
    without_a = fit_dimension("phrasing", ratings[2:], marks[2:])
    assert found.personal[:2] == pytest.approx(np.abs(without_a.predict(ratings[:2]) - marks[:2]))
    assert found.default == pytest.approx(np.abs(marks - ratings[:, 0]))
    assert found.constant is not None
    assert found.within is not None
    assert found.constant[:2] == pytest.approx(np.abs(marks[:2] - marks[2:].mean()))
    low, high = without_a.interval(ratings[:2], ratings[:2] - HALF, ratings[:2] + HALF)
    assert found.within[:2].tolist() == ((low <= marks[:2]) & (marks[:2] <= high)).tolist()


def test_the_interval_of_a_gain_is_students_where_nothing_is_shared(rng):
    gains = rng.normal(2.0, 5.0, size=15)
    found = mean_gain(gains, [frozenset({str(k)}) for k in range(15)])
    usual = ttest_1samp(gains, 0.0).confidence_interval(0.9)
    assert (found.value, found.low, found.high) == pytest.approx((gains.mean(), usual.low, usual.high))


def test_marks_of_one_piece_count_as_one(rng):
    of_piece = rng.normal(2.0, 5.0, size=6)
    once = mean_gain(of_piece, [frozenset({str(k)}) for k in range(6)])
    thrice = mean_gain(np.repeat(of_piece, 3), [frozenset({str(k // 3)}) for k in range(18)])
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high))


def test_votes_that_share_a_take_widen_the_interval(rng):
    gains = np.array([1.0, 1.0, 1.0, -1.0, -1.0, 1.0])
    apart = mean_gain(gains, [frozenset({f"{k}a", f"{k}b"}) for k in range(6)])
    shared = mean_gain(gains, [frozenset({f"{k // 3}", f"{k}b"}) for k in range(6)])
    assert shared.high - shared.low > apart.high - apart.low


def test_a_vote_is_predicted_by_votes_that_share_no_take_with_it(rng):
    difference = drawn(4, rng) - drawn(4, rng)
    members = [frozenset(pair) for pair in ("ab", "bc", "cd", "de")]
    seen = []

    def fit(rows):
        seen.append(rows)
        return fit_votes(DIMENSIONS, rows)

    found = leave_out_votes(fit, difference, members)
    assert [len(rows) for rows in seen] == [2, 1, 1, 2]
    assert np.array_equal(seen[0], difference[2:])
    assert np.array_equal(seen[1], difference[3:])
    assert set(found.default) <= {0.0, 0.5, 1.0}
    assert found.constant is None


@pytest.mark.parametrize(
    ("groups", "wanted"), [("aabbc", True), ("aabbb", False), ("abcd", False), ("abcde", True)]
)
def test_fewer_than_5_marks_or_3_groups_show_nothing(groups, wanted):
    assert enough([frozenset({one}) for one in groups]) is wanted

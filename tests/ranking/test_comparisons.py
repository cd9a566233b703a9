"""A juror's comparisons count for what they are worth, whatever the juror's scale."""

from itertools import permutations

import numpy as np
import pytest

from ranking_example import jury
from tocco.ranking.comparisons import Comparisons, groups_compared, jury_comparisons
from tocco.ranking.jury import Jury, Vote

NAMES = ("a", "b", "c", "d")


def test_weights_make_the_variance_of_wins_that_of_independent_comparisons():
    """Over all orders of one juror: the sum over a performance's comparisons of +1 and -1."""
    for n in (3, 4, 5, 6):
        lead = [np.sign(np.subtract.outer(order, order)).sum(axis=1)[0] for order in permutations(range(n))]
        weighted = Comparisons(np.triu(np.ones((n, n)), 1), np.zeros((n, n))).weighted()
        weight = weighted.better[0, 1]
        independent = n - 1  # variance of the sum of as many independent +1 and -1
        # A likelihood that is weighted takes the variance of its score for the weight times that.
        assert weight * np.var(lead) == pytest.approx(independent)
        assert weight == pytest.approx(3.0 / (n + 1.0))


def test_a_single_vote_counts_fully():
    found = jury_comparisons(Jury(votes=(Vote("x", "b", "a"),)), NAMES)
    assert found.better[1, 0] == pytest.approx(1.0)
    assert found.better.sum() == pytest.approx(1.0)


def test_votes_for_a_tie_and_equal_marks_are_ties():
    found = jury_comparisons(Jury(votes=(Vote("x", "a", "b", is_tie=True),)), NAMES)
    assert found.tied[0, 1] == found.tied[1, 0] == pytest.approx(1.0)
    assert found.better.sum() == 0.0
    equal = jury_comparisons(jury({"x": {"a": 7, "b": 7}}), NAMES)
    assert equal.tied[0, 1] == pytest.approx(1.0)
    assert np.all(np.diag(equal.tied) == 0.0)


def test_a_juror_who_is_strict_or_uses_another_scale_says_the_same():
    mild = {"a": 90, "b": 85, "c": 85, "d": 70}
    strict = {name: 4 + (mark - 70) / 10 for name, mark in mild.items()}
    one, two = (jury_comparisons(jury({"x": marks}), NAMES) for marks in (mild, strict))
    np.testing.assert_array_equal(one.better, two.better)
    np.testing.assert_array_equal(one.tied, two.tied)


def test_jurors_add_up_and_marks_of_others_are_left_out():
    both = jury({"x": {"a": 2, "b": 1, "other": 9}, "y": {"a": 2, "b": 1}})
    assert jury_comparisons(both, NAMES).better[0, 1] == pytest.approx(2.0)


def test_groups_that_nobody_compared_are_found():
    apart = jury_comparisons(jury({"x": {"a": 2, "b": 1}, "y": {"c": 2, "d": 1}}), NAMES)
    np.testing.assert_array_equal(groups_compared(apart.compared), [0, 0, 1, 1])
    linked = jury_comparisons(jury({"x": {"a": 2, "b": 1, "c": 3}, "y": {"c": 2, "d": 1}}), NAMES)
    assert groups_compared(linked.compared).max() == 0

"""The ranking as a whole: order, doubt, groups, cuts, run-offs, and what is left out."""

import numpy as np
import pytest

from ranking_example import differences, field, jury
from tocco.errors import InputError, MismatchError, UsageError
from tocco.ranking.comparisons import jury_comparisons
from tocco.ranking.cuts import CutRule
from tocco.ranking.davidson import fit_davidson, strength_posterior
from tocco.ranking.document import Apart
from tocco.ranking.joint import chance_of_being_better, joint_merits, rank_intervals, ranks_of
from tocco.ranking.jury import Jury, Recusal, Vote
from tocco.ranking.measured import readings
from tocco.ranking.rank import Options, groups_of, rank_performances
from tocco.ranking.rules import Rules

RATINGS = {"mid": 60.0, "top": 75.0, "low": 40.0, "near": 73.0, "floor": 39.0}
MARKS = {
    "x": {"top": 90, "near": 88, "mid": 80, "low": 60, "floor": 55},
    "y": {"top": 24, "near": 23, "mid": 22, "low": 15, "floor": 14},
    "z": {"near": 9, "top": 8, "mid": 7, "floor": 6, "low": 5},
    "w": {"top": 50, "near": 45, "mid": 40, "low": 30, "floor": 20},
}


def names(ranking) -> list[str]:
    return [entry.name for entry in ranking.entries]


def test_ratings_alone_give_points_ranks_and_groups():
    ranking = rank_performances(field(RATINGS), None, Options())
    assert names(ranking) == ["top", "near", "mid", "low", "floor"]
    assert [entry.rank for entry in ranking.entries] == [1, 2, 3, 4, 5]
    assert [entry.rank_90 for entry in ranking.entries] == [(1, 2), (1, 2), (3, 3), (4, 5), (4, 5)]
    assert [(one.first, one.last) for one in ranking.groups] == [(1, 2), (4, 5)]
    assert ranking.distinguished == 0.8
    assert ranking.strength_unit == "points"
    assert ranking.entries[0].strength == pytest.approx(75.0 - 57.4)
    low, high = ranking.entries[0].strength_90
    # Errors of a difference of 4 are of 4 / sqrt(2) each; from the mean of five, sqrt(4 / 5) of that.
    assert high - low == pytest.approx(2 * 1.645 * 4.0 / np.sqrt(2.0) * np.sqrt(0.8), rel=0.05)
    assert [(one.one, one.other) for one in ranking.run_offs] == [("low", "floor"), ("top", "near")]
    assert ranking.run_offs[0].chance == pytest.approx(0.599, abs=0.001)  # of 1 / 4 standard deviations
    assert ranking.run_offs[0].difference == 1.0
    assert list(ranking.log_strength) == names(ranking)
    assert ranking.tie_parameter > 0.0


def test_strengths_by_davidson_sum_up_the_expected_outcomes_in_the_same_order():
    ranking = rank_performances(field(RATINGS), None, Options())
    values = list(ranking.log_strength.values())
    assert values == sorted(values, reverse=True)
    assert 0.0 < values[0] - values[1] < 0.3 * (values[1] - values[2])


def test_equal_ratings_share_a_rank():
    ranking = rank_performances(field({"a": 50.0, "b": 60.0, "c": 50.0}), None, Options())
    assert [(one.name, one.rank) for one in ranking.entries] == [("b", 1), ("a", 2), ("c", 2)]


def test_a_jury_alone_ranks_by_its_order_and_leaves_the_ratings_out():
    upside_down = {name: 100.0 - value for name, value in RATINGS.items()}
    ranking = rank_performances(field(upside_down), jury(MARKS), Options(source="jury"))
    assert names(ranking) == ["top", "near", "mid", "low", "floor"]
    assert ranking.strength_unit == "log odds"
    assert ranking.entries[0].rating == 25.0
    assert ranking.entries[0].mean_mark == pytest.approx((90 + 24 + 8 + 50) / 4)
    assert ranking.agreement is not None
    assert ranking.agreement.kendall_w > 0.8
    assert ranking.agreement.of_tocco < -0.8
    assert all(pair.difference is None for pair in ranking.pairs)


def test_ratings_that_contradict_the_jurors_turn_nothing_round_and_those_that_agree_make_it_surer():
    upside_down = field({name: 100.0 - value for name, value in RATINGS.items()})
    alone = rank_performances(upside_down, jury(MARKS), Options(source="jury"))
    against = rank_performances(upside_down, jury(MARKS), Options(source="both"))
    agreeing = rank_performances(field(RATINGS), jury(MARKS), Options(source="both"))
    assert names(agreeing) == names(alone)
    assert names(against) == names(alone)
    assert agreeing.distinguished > alone.distinguished >= against.distinguished
    assert width(agreeing) < width(alone) <= width(against)
    assert against.entries[0].strength < 0.8 * alone.entries[0].strength


def test_ratings_that_know_nothing_change_nothing():
    """Votes that are divided in two would pull the strengths together."""
    alone = rank_performances(field(RATINGS), jury(MARKS), Options(source="jury"))
    both = rank_performances(field(RATINGS, sd=900.0), jury(MARKS), Options(source="both"))
    assert [entry.strength for entry in both.entries] == pytest.approx(
        [entry.strength for entry in alone.entries], abs=0.1
    )
    assert both.distinguished == alone.distinguished


def width(ranking) -> int:
    return sum(entry.rank_90[1] - entry.rank_90[0] for entry in ranking.entries)


def test_votes_alone_are_enough():
    votes = (*(Vote(juror, "a", "b") for juror in "vwxyz"), Vote("z", "b", "c"), Vote("y", "b", "c"))
    ranking = rank_performances(
        field({"a": 1.0, "b": 2.0, "c": 3.0}), Jury(votes=votes), Options(source="jury")
    )
    assert names(ranking) == ["a", "b", "c"]
    assert ranking.agreement is None


def test_coverage_of_ranks_by_a_simulated_jury_and_what_counting_every_pair_would_do():
    rng = np.random.default_rng(17)
    n, held, held_naive = 8, [], []
    performances = [f"p{k}" for k in range(n)]
    for _ in range(60):
        true = rng.normal(0.0, 1.0, n)
        table = {
            f"j{k}": dict(
                zip(
                    performances, 50.0 + rng.uniform(2.0, 9.0) * (true + rng.normal(0.0, 1.2, n)), strict=True
                )
            )
            for k in range(4)
        }
        rank = ranks_of(true[None])[0]
        weighted = jury_comparisons(jury(table), performances)
        naive = np.where(weighted.better > 0.0, weighted.better * (n + 1.0) / 3.0, 0.0)
        for better, hits in ((weighted.better, held), (naive, held_naive)):
            draws = strength_posterior(better, 0.0 * better, rng, 800).draws
            interval = rank_intervals(ranks_of(draws))
            hits.append(((rank >= interval[:, 0]) & (rank <= interval[:, 1])).mean())
    assert 0.90 <= np.mean(held) <= 0.985
    assert np.mean(held_naive) < 0.85


@pytest.mark.parametrize(("related", "lowest"), [(True, 0.90), (False, 0.82)])
def test_coverage_of_jury_and_ratings_together_even_where_the_ratings_are_unrelated(related, lowest):
    rng = np.random.default_rng(31)
    n, spread, error, held, narrower = 8, 6.0, 5.0, [], []
    performances = [f"p{k}" for k in range(n)]
    gain = spread**2 / (spread**2 + error**2)
    for _ in range(10):
        true = rng.normal(0.0, spread, n)
        rating = (true if related else rng.normal(0.0, spread, n)) + rng.normal(0.0, error, n)
        table = {
            f"j{k}": dict(zip(performances, 500.0 + true + rng.normal(0.0, 9.0, n), strict=True))
            for k in range(4)
        }
        comparisons = jury_comparisons(jury(table), performances)
        merits = joint_merits(differences(gain * rating, np.sqrt(2.0 * gain) * error))
        measured = list(readings(merits.mean, merits.covariance))
        rank, widths = ranks_of(true[None])[0], []
        for known in ([None], measured):
            found = strength_posterior(comparisons.better, comparisons.tied, rng, 500, known)
            interval = rank_intervals(ranks_of(found.draws))
            widths.append(np.diff(interval, axis=1).mean())
        held.append(((rank >= interval[:, 0]) & (rank <= interval[:, 1])).mean())
        narrower.append(widths[0] - widths[1])
    assert lowest <= np.mean(held) <= 0.99
    assert (np.mean(narrower) > 0.3) == related


def test_performances_that_hardly_differ_are_hardly_ever_distinguished():
    rng = np.random.default_rng(23)
    n, clear = 8, []
    performances = [f"p{k}" for k in range(n)]
    for _ in range(30):
        table = {f"j{k}": dict(zip(performances, rng.uniform(1, 90, n), strict=True)) for k in range(4)}
        comparisons = jury_comparisons(jury(table), performances)
        chance = chance_of_being_better(
            strength_posterior(comparisons.better, comparisons.tied, rng, 500).draws
        )
        clear.append((chance > 0.95).sum() / (n * (n - 1) / 2))
    assert np.mean(clear) < 0.05
    # With one wide spread taken for granted it would be said more often than that.
    assert fit_davidson(comparisons.better, comparisons.tied, 4.0).value.std() > 0.2


def test_groups_are_the_longest_runs_that_cannot_be_distinguished():
    clear = np.array([[0, 0, 1, 1], [0, 0, 0, 1], [-1, 0, 0, 0], [-1, -1, 0, 0]])
    assert [(one.first, one.last) for one in groups_of(clear)] == [(1, 2), (2, 3), (3, 4)]
    assert groups_of(np.sign(np.subtract.outer(np.arange(3), np.arange(3)))) == ()
    assert [(one.first, one.last) for one in groups_of(np.zeros((3, 3), dtype=int))] == [(1, 3)]


def test_a_number_that_pass_names_those_at_the_edge_and_who_is_heard_again():
    ratings = {"a": 90.0, "b": 70.0, "c": 62.0, "d": 61.5, "e": 40.0}
    ranking = rank_performances(field(ratings), None, Options(cut=CutRule(passing=3)))
    assert {one.name: one.decision for one in ranking.entries} == {
        "a": "yes", "b": "yes", "c": "edge", "d": "edge", "e": "no",
    }  # fmt: skip
    assert (ranking.cut.sure, ranking.cut.edge) == (2, 2)
    assert [(one.one, one.other) for one in ranking.run_offs] == [("c", "d")]
    assert sum(one.pass_chance for one in ranking.entries) == pytest.approx(3.0, abs=0.001)
    with pytest.raises(UsageError, match="--yes-no: is 5, and 5 performances are ranked"):
        rank_performances(field(ratings), None, Options(cut=CutRule(passing=5)))


def test_a_value_to_pass_is_compared_with_the_interval_of_the_rating():
    ranking = rank_performances(field(RATINGS), None, Options(cut=CutRule(at_least=60.0)))
    decisions = {one.name: one.decision for one in ranking.entries}
    assert decisions == {"top": "yes", "near": "yes", "mid": "edge", "low": "no", "floor": "no"}


def test_a_value_to_pass_is_compared_with_the_mean_mark_as_of_other_jurors():
    marks = {
        "x": {"a": 90, "b": 80, "c": 70}, "y": {"a": 92, "b": 76, "c": 70}, "z": {"a": 88, "b": 78, "c": 70},
    }  # fmt: skip
    options = Options(source="jury", cut=CutRule(at_least=77.5))
    ranking = rank_performances(field({"a": 1.0, "b": 2.0, "c": 3.0}), jury(marks), options)
    # Pooled variance (8 + 8 + 0) / 6, t of 6 degrees: 1.94 x 1.63 / sqrt(3) = 1.83 either way.
    assert {one.name: one.decision for one in ranking.entries} == {"a": "yes", "b": "edge", "c": "no"}
    nearer = Options(source="jury", cut=CutRule(at_least=76.1))
    found = rank_performances(field({"a": 1.0, "b": 2.0, "c": 3.0}), jury(marks), nearer)
    assert {one.name: one.decision for one in found.entries}["b"] == "yes"
    just = Options(source="jury", cut=CutRule(at_least=76.25))  # 0.08 above the lower end
    found = rank_performances(field({"a": 1.0, "b": 2.0, "c": 3.0}), jury(marks), just)
    assert {one.name: one.decision for one in found.entries}["b"] == "edge"
    one = jury({"x": {"a": 90, "b": 80}})
    alone = rank_performances(field({"a": 1.0, "b": 2.0}), one, options)
    assert {entry.decision for entry in alone.entries} == {"edge"}  # one juror says nothing of others


def test_changed_marks_and_recusals_are_shown_and_do_not_count():
    given = jury({"a": {"p": 80, "q": 70}, "b": {"p": 82, "q": 71}, "c": {"p": 81, "q": 99}})
    ruled = Jury(given.marks, (Vote("c", "q", "p"),), frozenset({Recusal("c", "p")}))
    ranking = rank_performances(
        field({"p": 50.0, "q": 50.0}), ruled, Options(source="jury", rules=Rules(delete_beyond=15.0))
    )
    assert [(one.juror, one.performance, one.given, one.counts) for one in ranking.changed_marks] == [
        ("c", "p", 81.0, None),
        ("c", "q", 99.0, None),
    ]
    assert "recused" in ranking.changed_marks[0].reason
    assert "28.5 above the mean of the other 2 marks (70.5)" in ranking.changed_marks[1].reason
    assert [(one.juror, one.one, one.other) for one in ranking.left_out_votes] == [("c", "q", "p")]
    assert names(ranking) == ["p", "q"]
    assert ranking.jurors == ("a", "b", "c")
    assert any("more than 15 off" in rule for rule in ranking.rules)


def test_what_is_not_rated_is_listed_apart_unless_the_jury_alone_decides():
    apart = [Apart(name="odd", reason="tocco abstained: no piano")]
    rated = field({"a": 50.0, "b": 60.0}, apart=apart)
    marks = jury({"x": {"a": 5, "b": 6, "odd": 9}, "y": {"a": 5, "b": 6, "odd": 9}})
    for source in ("tocco", "both"):
        ranking = rank_performances(rated, marks, Options(source=source))
        assert names(ranking) == ["b", "a"]
        assert ranking.apart == tuple(apart)
    ranking = rank_performances(rated, marks, Options(source="jury"))
    assert names(ranking) == ["odd", "b", "a"]
    assert ranking.entries[0].unrated == "tocco abstained: no piano"
    assert ranking.apart == ()


def test_a_performance_that_no_juror_compared_is_listed_apart():
    marks = jury({"x": {"a": 5, "b": 6}, "y": {"c": 7}})
    ranking = rank_performances(field({"a": 1.0, "b": 2.0, "c": 3.0}), marks, Options(source="jury"))
    assert names(ranking) == ["b", "a"]
    assert [(one.name, one.reason) for one in ranking.apart] == [("c", "no juror compared it with another")]


def test_groups_that_no_juror_links_are_refused_unless_tocco_links_them():
    marks = jury({"x": {"a": 5, "b": 6}, "y": {"c": 7, "d": 8}})
    rated = field({"a": 40.0, "b": 50.0, "c": 60.0, "d": 70.0})
    with pytest.raises(
        MismatchError, match="2 groups of performances that no juror compared, such as a and c"
    ):
        rank_performances(rated, marks, Options(source="jury"))
    assert names(rank_performances(rated, marks, Options(source="both"))) == ["d", "c", "b", "a"]


def test_one_performance_is_no_ranking():
    apart = [Apart(name="odd", reason="not rated: too short")]
    with pytest.raises(InputError, match="1 performance can be ranked; odd: not rated: too short"):
        rank_performances(field({"a": 50.0}, apart=apart), None, Options())


def test_the_numbers_that_people_see_move_with_every_constant():
    """Spreads, scales and discrepancies that are considered, and the margin of a tie."""
    by_jury = rank_performances(field(RATINGS), jury(MARKS), Options(source="jury"))
    by_both = rank_performances(field(RATINGS), jury(MARKS), Options(source="both"))
    by_ratings = rank_performances(field(RATINGS), None, Options())
    assert [one.strength for one in by_jury.entries[:2]] == pytest.approx([2.443, 1.735], abs=0.001)
    assert [one.strength for one in by_both.entries[:2]] == pytest.approx([3.384, 2.807], abs=0.001)
    assert by_ratings.tie_parameter == pytest.approx(0.455, abs=0.001)
    assert by_ratings.log_strength["top"] == pytest.approx(2.885, abs=0.001)


def test_the_same_inputs_give_the_same_ranking():
    one, two = (rank_performances(field(RATINGS), jury(MARKS), Options(source="both")) for _ in range(2))
    assert one == two

"""The ranking of a field of performances: by tocco's ratings, by a jury, or by both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tocco.ranking.agreement import chance_bound, juror_correlation, kendall_w
from tocco.ranking.cuts import CutRule, at_least_decisions, cut_of, number_decisions
from tocco.ranking.document import (
    Agreement,
    ChangedMark,
    Decision,
    Entry,
    Group,
    LeftOutVote,
    Pair,
    Ranking,
    Source,
    Verdict,
)
from tocco.ranking.joint import LEVEL, rank_intervals, ranks_of
from tocco.ranking.judge import Judged, judge
from tocco.ranking.jury import Jury, mark_table
from tocco.ranking.rated import RatedField
from tocco.ranking.rules import Ruled, Rules, apply_rules
from tocco.units import IntArray


@dataclass(frozen=True)
class Options:
    """How performances are ranked.

    Attributes
    ----------
    by : aggregate, or a dimension
    source : whose judgement counts
    rules : about marks
    cut : who passes; None where nobody asked
    """

    by: str = "aggregate"
    source: Source = "tocco"
    rules: Rules = field(default_factory=Rules)
    cut: CutRule | None = None


def rank_performances(rated: RatedField, jury: Jury | None, options: Options) -> Ranking:
    """Rank performances.

    Parameters
    ----------
    rated
    jury : None where there is none; the source is then "tocco"
    options

    Raises
    ------
    InputError
        Fewer than two performances can be ranked, or the cut leaves nothing to decide.
    MismatchError
        Performances that no juror compared with the others, not even in steps.
    """
    ruled = None if jury is None else apply_rules(jury, options.rules)
    judged, apart = judge(rated, ruled, options.source)
    order = np.argsort(-judged.value, kind="stable")
    ranks = ranks_of(judged.draws)
    pairs = _pairs(judged, order)
    decisions, chances = _decisions(options, rated, ruled, judged, ranks)
    entries = _entries(judged, order, ranks, rated, ruled, decisions, chances)
    return Ranking(
        by=options.by,
        source=options.source,
        strength_unit=judged.unit,
        entries=entries,
        pairs=pairs,
        distinguished=sum(pair.verdict != "undecided" for pair in pairs) / len(pairs),
        groups=groups_of(judged.verdict[np.ix_(order, order)]),
        run_offs=_run_offs(pairs, entries, options.cut),
        apart=apart,
        cut=None if options.cut is None else cut_of(options.cut, list(decisions.values())),
        jurors=() if jury is None else jury.jurors,
        changed_marks=() if ruled is None else _changed(ruled),
        left_out_votes=() if ruled is None else _left_out(ruled),
        agreement=None if ruled is None else _agreement(ruled, rated),
        rules=_rules_in_words(options.rules) if jury is not None else (),
        tie_parameter=judged.tie,
        log_strength={judged.names[k]: float(judged.log_strength[k]) for k in order},
    )


def groups_of(verdict: IntArray) -> tuple[Group, ...]:
    """Runs of places of which no two can be distinguished, none inside another.

    Parameters
    ----------
    verdict : (N, N) in the order of the places; 0 where two cannot be distinguished
    """
    n, found = len(verdict), list[Group]()
    for first in range(n):
        last = first
        while last + 1 < n and not verdict[first : last + 1, last + 1].any():
            last += 1
        if last > first and (not found or last + 1 > found[-1].last):
            found.append(Group(first=first + 1, last=last + 1))
    return tuple(found)


def _pairs(judged: Judged, order: IntArray) -> tuple[Pair, ...]:
    said: dict[int, Verdict] = {1: "better", 0: "undecided", -1: "worse"}
    return tuple(
        Pair(
            one=judged.names[i],
            other=judged.names[j],
            chance=float(judged.chance[i, j]),
            verdict=said[int(judged.verdict[i, j])],
            difference=None if judged.mean is None else float(judged.mean[i, j]),
            sd=None if judged.sd is None else float(judged.sd[i, j]),
        )
        for k, i in enumerate(order)
        for j in order[k + 1 :]
    )


def _run_offs(pairs: Sequence[Pair], entries: Sequence[Entry], cut: CutRule | None) -> tuple[Pair, ...]:
    """Undecided pairs, the closest first; with a number that pass only those that it falls between."""
    found = [pair for pair in pairs if pair.verdict == "undecided"]
    if cut is not None and cut.passing is not None:
        inside = {entry.name for entry in entries[: cut.passing]}
        edge = {entry.name for entry in entries if entry.decision == "edge"}
        found = [
            pair
            for pair in found
            if pair.one in inside and pair.other not in inside and {pair.one, pair.other} <= edge
        ]
    return tuple(sorted(found, key=lambda pair: abs(pair.chance - 0.5)))


def _decisions(
    options: Options, rated: RatedField, ruled: Ruled | None, judged: Judged, ranks: IntArray
) -> tuple[dict[str, Decision], dict[str, float]]:
    """By name: whether each passes, and its chance to be among a number that do."""
    if options.cut is None:
        return {}, {}
    if options.cut.passing is not None:
        return number_decisions(judged.names, ranks, options.cut.passing)
    by_marks = None if options.source == "tocco" else ruled
    return at_least_decisions(options.cut, judged.names, rated, by_marks), {}


def _entries(
    judged: Judged,
    order: IntArray,
    ranks: IntArray,
    rated: RatedField,
    ruled: Ruled | None,
    decisions: dict[str, Decision],
    chances: dict[str, float],
) -> tuple[Entry, ...]:
    interval = rank_intervals(ranks)
    tail = (1.0 - LEVEL) / 2.0
    low, high = np.quantile(judged.draws, (tail, 1.0 - tail), axis=0)
    n = len(judged.names)
    wins = (judged.chance.sum(axis=1) - 0.5) / (n - 1)
    of_rated = {name: k for k, name in enumerate(rated.names)}
    unrated = {one.name: one.reason for one in rated.apart}
    marks = _marks_that_count(ruled)
    entries = []
    for i in order:
        name, value = judged.names[i], float(judged.value[i])
        k, given = of_rated.get(name), marks.get(name, [])
        entries.append(
            Entry(
                name=name,
                rank=1 + int((judged.value > judged.value[i] + 1e-9).sum()),
                rank_90=(int(interval[i, 0]), int(interval[i, 1])),
                strength=value,
                strength_90=(min(float(low[i]), value), max(float(high[i]), value)),
                wins=float(wins[i]),
                rating=None if k is None else float(rated.rating[k]),
                rating_90=None if k is None else (float(rated.low[k]), float(rated.high[k])),
                unrated=unrated.get(name),
                mean_mark=sum(given) / len(given) if given else None,
                n_marks=len(given),
                pass_chance=chances.get(name),
                decision=decisions.get(name),
            )
        )
    return tuple(entries)


def _marks_that_count(ruled: Ruled | None) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for mark in () if ruled is None else ruled.jury.marks:
        found.setdefault(mark.performance, []).append(mark.value)
    return found


def _changed(ruled: Ruled) -> tuple[ChangedMark, ...]:
    recused = [
        ChangedMark(
            juror=one.juror,
            performance=one.performance,
            given=one.value,
            counts=None,
            reason="the juror is recused from this performance: left out",
        )
        for one in ruled.recused
    ]
    return (
        *recused,
        *(
            ChangedMark(
                juror=one.mark.juror,
                performance=one.mark.performance,
                given=one.mark.value,
                counts=one.value,
                reason=one.reason,
            )
            for one in ruled.changes
        ),
    )


def _left_out(ruled: Ruled) -> tuple[LeftOutVote, ...]:
    return tuple(LeftOutVote(juror=one.juror, one=one.better, other=one.worse) for one in ruled.recused_votes)


def _agreement(ruled: Ruled, rated: RatedField) -> Agreement | None:
    names = tuple(dict.fromkeys([one.performance for one in ruled.given]))
    jurors = tuple(dict.fromkeys([one.juror for one in ruled.given]))
    if len(jurors) < 2:
        return None
    mark = mark_table(ruled.given, jurors, names)
    by_all = ~np.isnan(mark).any(axis=0)
    of_rated = dict(zip(rated.names, rated.rating, strict=True))
    rating = np.array([of_rated.get(name, np.nan) for name in names])
    found = juror_correlation(mark, rating)
    return Agreement(
        kendall_w=kendall_w(mark[:, by_all]),
        w_performances=int(by_all.sum()),
        between_jurors=None if found is None else found.between_jurors,
        of_tocco=None if found is None else found.of_ratings,
        n_performances=0 if found is None else found.n_performances,
        by_chance=None if found is None else float(chance_bound(found.n_performances)),
    )


def _rules_in_words(rules: Rules) -> tuple[str, ...]:
    said = ["A juror's marks are compared among themselves only: strict and mild jurors count alike."]
    if rules.delete_beyond is not None:
        said.append(
            f"Marks more than {rules.delete_beyond:g} off the mean of the other jurors' marks are left out."
        )
    if rules.correct_beyond is not None:
        said.append(
            f"Marks more than {rules.correct_beyond:g} off the mean of the other jurors' marks are moved "
            "to that bound."
        )
    return tuple(said)

"""A ranking in words: the same on the terminal and in the HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tocco.ranking.document import Agreement, Entry, Pair, Ranking
from tocco.report.wording import points

AID: Final = (
    "This ranking is an aid and no verdict: it says how sure an order is, and those who heard the "
    "performances decide."
)

_NAMED: Final = 6
_HELD: Final = 0.05
"""Chance below which the 90 % interval of a difference leaves out zero."""

_ON_SMALL_DIFFERENCES: Final = (
    "A pair with over 95 % is among them where its ratings differ by less than raters reliably agree on, so "
    "the interval of a rank may be narrower than such a group."
)


def headline(ranking: Ranking) -> str:
    """How many are ranked by whose judgement."""
    n = len(ranking.entries)
    by = "the weighted mean of its ratings" if ranking.by == "aggregate" else _plain(ranking.by)
    jurors = f"{_count(len(ranking.jurors), 'juror')}" if ranking.jurors else ""
    judged = {
        "tocco": f"by tocco alone, by {by}"
        + (f"; what {jurors} said is shown and does not count" if jurors else ""),
        "jury": f"by {jurors} alone; tocco's ratings are shown and do not count",
        "both": f"by {jurors} and by tocco, by {by}",
    }[ranking.source]
    return f"{n} performances, ranked {judged}."


def apart_in_words(ranking: Ranking) -> str:
    """How many pairs can be distinguished, and what that makes of the first place."""
    n = len(ranking.pairs)
    clear = sum(pair.verdict != "undecided" for pair in ranking.pairs)
    said = f"{clear} of {n} pairs ({100.0 * ranking.distinguished:.0f} %) can be distinguished."
    first = next((group for group in ranking.groups if group.first == 1), None)
    if first is None:
        return f"{said} The first is better than the second."
    if first.last == len(ranking.entries):
        return f"{said} No two of all {first.last} can be separated."
    return f"{said} The first {first.last} cannot be separated."


def groups_in_words(ranking: Ranking) -> list[str]:
    """One sentence a group, by ranks and names."""
    members = [ranking.entries[group.first - 1 : group.last] for group in ranking.groups]
    return [
        f"Ranks {group[0].rank} to {group[-1].rank} cannot be separated: "
        f"{_names([entry.name for entry in group])}."
        for group in members
    ]


def cut_in_words(ranking: Ranking) -> list[str]:
    """Who passes, and of whom that is open."""
    cut = ranking.cut
    if cut is None:
        return []
    by = "mean mark" if ranking.source == "jury" else "rating"
    rule = f"{cut.passing} pass" if cut.passing is not None else f"A {by} of {cut.at_least:g} or more passes"
    said = [f"{rule}: {cut.sure} for sure, {cut.edge} at the edge."]
    edge = [entry.name for entry in ranking.entries if entry.decision == "edge"]
    if edge and cut.passing is not None:
        places = cut.passing - cut.sure
        said.append(f"{_count(places, 'place')} left for {_names(edge, all_of_them=True)}.")
    elif edge:
        said.append(f"It is open for {_names(edge, all_of_them=True)}.")
    return said


def run_offs_in_words(ranking: Ranking) -> str:
    """What the list of run-offs holds."""
    n = len(ranking.run_offs)
    if n == 0:
        return "No pair has to be heard again."
    strict = ranking.source == "tocco" and any(
        one.verdict == "undecided" and not _HELD < one.chance < 1.0 - _HELD for one in ranking.run_offs
    )
    line = ranking.cut is not None and ranking.cut.passing is not None
    across = " across the line between those that pass and the others" if line else ""
    said = f"{_count(n, 'pair')}{across} cannot be distinguished. The closest come first."
    return f"{said} {_ON_SMALL_DIFFERENCES}" if strict else said


def agreement_in_words(ranking: Ranking) -> list[str]:
    """How far the jurors agree with each other, and tocco with them."""
    found = ranking.agreement
    if found is None:
        return []
    said = [_concordance(found, len(ranking.jurors))]
    if found.between_jurors is None or found.by_chance is None:
        return [*said, "Too few performances were marked in common to compare tocco with the jurors."]
    said.append(
        f"One juror against the mean order of the others: rank correlation {found.between_jurors:.2f} on "
        f"average, over at least {found.n_performances} performances."
    )
    if found.of_tocco is None:
        said.append("tocco rated too few of these to be compared with the jurors.")
        return said
    said.append(f"tocco against the same others: {found.of_tocco:.2f}.")
    bound = f"unrelated orders of {found.n_performances} reach {found.by_chance:.2f} once in ten times"
    if found.of_tocco <= found.by_chance:
        said.append(f"That is within what chance does: {bound}, upwards or downwards.")
    elif found.of_tocco < found.between_jurors - 0.1:
        said.append(f"So tocco agrees with the jurors less than they do with each other; {bound}.")
    else:
        much = "no less than" if found.of_tocco >= found.between_jurors else "about as much as"
        said.append(f"So tocco agrees with the jurors {much} they do with each other; {bound}.")
    return said


def method(ranking: Ranking) -> list[str]:
    """How the ranking was made, in plain words."""
    said = {"tocco": [_OF_RATINGS], "jury": [_OF_JURY], "both": [_OF_JURY, _OF_BOTH]}[ranking.source]
    moved = any(one.counts is not None for one in ranking.changed_marks)
    return [*said, *ranking.rules, *([_ON_MOVED] if moved else ()), _ON_RANKS, _ON_PAIRS]


_OF_RATINGS: Final = (
    "Every two performances are compared by the difference of their ratings, with the spread that such "
    "differences have against the mean of many raters. N ratings make N (N - 1) / 2 differences, and these "
    "are not counted as independent: their common spread is worked out first, and ranks are drawn from it. "
    "This spread was measured on listeners of advanced pianists."
)
_OF_JURY: Final = (
    "The marks of each juror are compared in pairs, and votes are pairs already. Davidson's model (Bradley "
    "and Terry's with ties) finds the strengths that explain them. The N - 1 comparisons of one mark are not "
    "independent: among N marks each counts 3 / (N + 1) of one."
)
_OF_BOTH: Final = (
    "tocco's ratings count as one more measurement of the same strengths, with the spread of their "
    "differences. How many points a unit of strength is worth, and how far tocco judges something else than "
    "the jury, is not known: several values are considered, and weighted by how well ratings and jurors fit "
    "together. Ratings that contradict the jurors lose their weight."
)
_ON_MOVED: Final = (
    "Marks that were moved towards the others agree by rule, and not by hearing: intervals are then narrower "
    "than the jurors' agreement supports."
)
_ON_RANKS: Final = (
    "The interval of a rank holds the true rank in about 9 of 10 cases, if the judgements are as far off as "
    "is assumed."
)
_ON_PAIRS: Final = (
    "Two performances are distinguished where the 90 % interval of their difference leaves out zero; ratings "
    "also have to differ by as much as raters agreed on. Each such statement is sure for itself; of many, "
    "some are wrong."
)


def chance_in_words(pair: Pair) -> str:
    """Chance that the first of a pair is better, never certain.

    >>> chance_in_words(Pair(one="a", other="b", chance=0.731, verdict="undecided"))
    '73 %'
    """
    return share_in_words(pair.chance)


def share_in_words(chance: float) -> str:
    """A chance in per cent, never certain.

    >>> share_in_words(0.0), share_in_words(0.5), share_in_words(1.0)
    ('under 1 %', '50 %', 'over 99 %')
    """
    share = 100.0 * chance
    return "over 99 %" if share > 99.0 else "under 1 %" if share < 1.0 else f"{share:.0f} %"


def ranks_in_words(entry: Entry) -> str:
    """Interval of a rank, such as "2 to 5", or "1" where it is one rank."""
    first, last = entry.rank_90
    return str(first) if first == last else f"{first} to {last}"


def strength_in_words(ranking: Ranking, entry: Entry) -> str:
    """Strength with its sign.

    >>> f"{1.25:+.1f}"
    '+1.2'
    """
    decimals = 1 if ranking.strength_unit == "points" else 2
    low, high = entry.strength_90
    return f"{entry.strength:+.{decimals}f} (90 %: {low:+.{decimals}f} to {high:+.{decimals}f})"


def unit_in_words(ranking: Ranking) -> str:
    """What strengths are measured in."""
    if ranking.strength_unit == "points":
        return "points of the expected difference from the mean of all that are ranked"
    return "log odds to win a comparison with the mean of all that are ranked: +1 wins 73 of 100"


def judged_in_words(entry: Entry) -> str:
    """Rating and mean mark, or why there is no rating."""
    parts = [] if entry.rating is None else [f"rated {points(entry.rating)}"]
    if entry.unrated is not None:
        parts.append(entry.unrated)
    if entry.mean_mark is not None:
        parts.append(f"{_count(entry.n_marks, 'mark')}, mean {entry.mean_mark:.2f}")
    return "; ".join(parts)


DECISIONS: Final = {"yes": "passes", "edge": "at the edge", "no": "does not pass"}


def _concordance(found: Agreement, n_jurors: int) -> str:
    if found.kendall_w is None:
        return "No three performances were marked by all jurors, so Kendall's W is not known."
    return (
        f"Agreement of the {n_jurors} jurors: Kendall's W {found.kendall_w:.2f} over {found.w_performances} "
        "performances that all marked (1: one order, 0: none in common; marks before any was corrected)."
    )


def _plain(dimension: str) -> str:
    return dimension.replace("_", " ")


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _names(names: Sequence[str], *, all_of_them: bool = False) -> str:
    if all_of_them or len(names) <= _NAMED:
        return ", ".join(names)
    return f"{', '.join(names[: _NAMED - 1])} and {len(names) - _NAMED + 1} more"

"""Who passes to the next round, and of whom that is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tocco.errors import UsageError
from tocco.ranking.document import Cut, Decision
from tocco.ranking.joint import LEVEL
from tocco.ranking.rated import RatedField
from tocco.ranking.rules import Ruled
from tocco.units import IntArray


@dataclass(frozen=True)
class CutRule:
    """Who passes: the first so many, or all from a value on; exactly one of the two is given.

    Attributes
    ----------
    passing : so many
    at_least : rating, or mean mark
    """

    passing: int | None = None
    at_least: float | None = None

    def __post_init__(self) -> None:
        if (self.passing is None) == (self.at_least is None):
            raise ValueError("a cut has a number that pass, or a value, and not both")


def number_decisions(
    names: Sequence[str], ranks: IntArray, passing: int
) -> tuple[dict[str, Decision], dict[str, float]]:
    """Whether each is among the first so many, and the chance of it.

    Parameters
    ----------
    names : (N,)
    ranks : (K, N) draws
    passing : 1 to N - 1

    Raises
    ------
    UsageError
        All would pass.
    """
    if passing >= len(names):
        raise UsageError(
            "--yes-no",
            f"is {passing}, and {len(names)} performances are ranked",
            allowed=f"1 to {len(names) - 1}",
            next_step="let fewer pass, or leave it out",
        )
    chance = (ranks <= passing).mean(axis=0)
    return (
        {name: _decision(float(one)) for name, one in zip(names, chance, strict=True)},
        {name: float(one) for name, one in zip(names, chance, strict=True)},
    )


def at_least_decisions(
    cut: CutRule, names: Sequence[str], rated: RatedField, ruled: Ruled | None
) -> dict[str, Decision]:
    """Whether the interval of each lies above a value: that of its rating, or that of its mean mark.

    Parameters
    ----------
    cut : with a value
    names
    rated
    ruled : None to decide by tocco's ratings
    """
    assert cut.at_least is not None
    if ruled is None:
        intervals = {
            name: (low, high) for name, low, high in zip(rated.names, rated.low, rated.high, strict=True)
        }
    else:
        intervals = mean_mark_intervals(ruled)
    return {name: _beside(cut.at_least, *intervals.get(name, (-np.inf, np.inf))) for name in names}


def mean_mark_intervals(ruled: Ruled) -> dict[str, tuple[float, float]]:
    """90 % interval of the mean mark of each performance, as of other jurors of that kind.

    The spread of the marks of one performance is taken as the same for all, since three jurors who happen to
    agree are no certainty; t distribution. Without any performance that two jurors marked, nothing is known.
    """
    from scipy.special import stdtrit

    marks: dict[str, list[float]] = {}
    for one in ruled.jury.marks:
        marks.setdefault(one.performance, []).append(one.value)
    freedom = sum(len(values) - 1 for values in marks.values())
    if freedom == 0:
        return {}
    squares = sum(float(((np.array(values) - np.mean(values)) ** 2).sum()) for values in marks.values())
    reach = float(stdtrit(freedom, (1.0 + LEVEL) / 2.0)) * np.sqrt(squares / freedom)
    return {
        name: (
            float(np.mean(values) - reach / np.sqrt(len(values))),
            float(np.mean(values) + reach / np.sqrt(len(values))),
        )
        for name, values in marks.items()
    }


def cut_of(rule: CutRule, decisions: Sequence[Decision]) -> Cut:
    """The cut as it came out."""
    return Cut(
        passing=rule.passing,
        at_least=rule.at_least,
        sure=decisions.count("yes"),
        edge=decisions.count("edge"),
    )


def _decision(chance: float) -> Decision:
    bound = (1.0 + LEVEL) / 2.0
    return "yes" if chance >= bound else "no" if chance <= 1.0 - bound else "edge"


def _beside(value: float, low: float, high: float) -> Decision:
    return "yes" if low >= value else "no" if high < value else "edge"

"""Figures of every experiment, and paired differences to the one that they are compared with.

A part earns its place if the network with it has the greater mean R2 over the dimensions, and the interval of
the paired difference lies above 0. Intervals are of draws of whole clusters of music (`bootstrap`), and say
nothing of what another seed would give.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.evaluation.cross_validation.summary import CONSTANT, METRICS, ClusterScores, default_families
from tocco.metrics import BootstrapInterval, bootstrap_interval, paired_bootstrap_difference
from tocco.units import FloatArray, IntArray

FULL: Final = "full"
"""The experiment that the others are compared with."""

FIGURES: Final = ("pearson_r", "r2", "mae")
"""Rows of every table of figures."""

R2: Final = FIGURES.index("r2")
DRAWS: Final = 2000
LEVEL: Final = 0.95
SEED: Final = 20261122
MULTIMODAL_GAIN, PRETRAINING_GAIN = 0.15, 0.30
"""Expected of the project: audio and notes against the better of the two, pre-training against none; relative
gains in mean R2."""


class Verdict(StrEnum):
    """What the interval of the difference to the full network says."""

    EARNS = "earns its place"
    NOT_SHOWN = "no gain shown"
    COSTS = "costs"
    WOULD_GAIN = "would gain"


@dataclass(frozen=True)
class Experiment:
    """An experiment beside its ratings.

    Attributes
    ----------
    name : of its ratings
    removes, adds : words for the difference to `FULL`; both None for that itself
    inputs : "both", "audio", "midi"
    is_pretrained : whether it starts from other weights than random ones
    members : names of the ratings of each member, for an ensemble
    """

    name: str
    removes: str | None = None
    adds: str | None = None
    inputs: str = "both"
    is_pretrained: bool = False
    members: tuple[str, ...] = ()

    @property
    def change(self) -> str:
        """The difference to `FULL` in words."""
        return f"without {self.removes}" if self.removes else f"with {self.adds}" if self.adds else ""


@dataclass(frozen=True, eq=False)
class Figures:
    """Figures of one system.

    Attributes
    ----------
    value : (3, T) in the order of `FIGURES`; a column a target, and one a family for its mean
    difference : of the same shape, minus those of `FULL`; None for that itself
    """

    value: FloatArray
    difference: BootstrapInterval | None


@dataclass(frozen=True, eq=False)
class Comparison:
    """All systems on the same held-out performances.

    Attributes
    ----------
    targets : (T,) names of the columns: dimensions and descriptors with labels, then "9 dimensions" and so on
    n_labels : (T,) number of labels; of a family, of the performances
    main : column of the mean that verdicts are by
    systems : name -> figures; experiments, members and baselines
    n_performances, n_clusters
    multimodal, pretraining : relative gain in mean R2; None where the experiments for it are missing
    """

    targets: tuple[str, ...]
    n_labels: IntArray
    main: int
    systems: Mapping[str, Figures]
    n_performances: int
    n_clusters: int
    multimodal: Gain | None
    pretraining: Gain | None

    def mean_r2(self, system: str) -> float:
        """Mean R2 over the dimensions."""
        return float(self.systems[system].value[R2, self.main])

    def verdict(self, experiment: Experiment) -> Verdict:
        """Whether what it removes earns its place, or what it adds would gain."""
        low, high = self.interval(experiment.name)
        if experiment.removes is not None:
            return Verdict.EARNS if high < 0 else Verdict.COSTS if low > 0 else Verdict.NOT_SHOWN
        return Verdict.WOULD_GAIN if low > 0 else Verdict.COSTS if high < 0 else Verdict.NOT_SHOWN

    def interval(self, system: str) -> tuple[float, float]:
        """Ends of the interval of the difference in mean R2 to `FULL`."""
        difference = self.systems[system].difference
        if difference is None:
            raise ValueError(f"{system} is what the others are compared with")
        return float(difference.low[R2, self.main]), float(difference.high[R2, self.main])


@dataclass(frozen=True)
class Gain:
    """Relative gain of `FULL` over another experiment in mean R2.

    Attributes
    ----------
    over : name of the other
    value, low, high : 0.1 for 10 %; NaN where the other explains nothing
    """

    over: str
    value: float
    low: float
    high: float


def compare(result: CrossValidationResult, experiments: Sequence[Experiment]) -> Comparison:
    """Compute the figures of every system, and what it differs by from `FULL`.

    Parameters
    ----------
    result
        Held-out performances alone; with ratings of `FULL`, of every experiment and member, and `constant`.
    experiments
    """
    families = default_families(result.names)
    statistics = {name: _statistic(result, rated, families) for name, rated in result.predictions.items()}
    everything = np.arange(len(result))
    systems = {
        name: Figures(
            np.asarray(statistic(everything), dtype=float),
            None
            if name == FULL
            else paired_bootstrap_difference(
                statistic, statistics[FULL], result.clusters, _generator(), DRAWS, LEVEL
            ),
        )
        for name, statistic in statistics.items()
    }
    main = len(result.names) + next((i for i, name in enumerate(families) if "dimensions" in name), 0)
    n_labels = np.count_nonzero(~np.isnan(result.labels), axis=0)

    def gain(others: Sequence[Experiment]) -> Gain | None:
        if not others:
            return None
        best = max(others, key=lambda one: systems[one.name].value[R2, main]).name
        return _gain(best, statistics[FULL], statistics[best], result.clusters, main)

    alone = [one for one in experiments if one.inputs != "both"]
    full = next(one for one in experiments if one.name == FULL)
    return Comparison(
        targets=(*result.names, *(f"mean of {name}" for name in families)),
        n_labels=np.concatenate([n_labels, np.full(len(families), len(result))]),
        main=main,
        systems=systems,
        n_performances=len(result),
        n_clusters=len(np.unique(result.clusters)),
        multimodal=gain(alone) if {one.inputs for one in alone} == {"audio", "midi"} else None,
        pretraining=gain(_unlearned(experiments)) if full.is_pretrained else None,
    )


def _unlearned(experiments: Sequence[Experiment]) -> list[Experiment]:
    return [one for one in experiments if one.inputs == "both" and not one.is_pretrained]


def _generator() -> np.random.Generator:
    """The same draws for every pair, whichever others there are."""
    return np.random.default_rng(SEED)


def _statistic(
    result: CrossValidationResult, rated: FloatArray, families: Mapping[str, np.ndarray]
) -> Callable[[IntArray], FloatArray]:
    """(3, T) figures of a draw of performances."""
    scores = ClusterScores(
        result.labels,
        rated,
        result.predictions[CONSTANT],
        result.clusters,
        result.passages,
        ~result.is_score,
    )
    rows = [METRICS.index(name) for name in FIGURES]

    def statistic(index: IntArray) -> FloatArray:
        table = scores.at(index)[rows]
        means = [table[:, mask].mean(axis=1) for mask in families.values()]
        return np.column_stack([table, *means])

    return statistic


def _gain(
    over: str,
    full: Callable[[IntArray], FloatArray],
    other: Callable[[IntArray], FloatArray],
    clusters: np.ndarray,
    main: int,
) -> Gain:
    def relative(index: IntArray) -> float:
        ours, theirs = full(index)[R2, main], other(index)[R2, main]
        return float(ours / theirs - 1.0) if theirs > 0 else float("nan")

    found = bootstrap_interval(relative, clusters, _generator(), DRAWS, LEVEL)
    return Gain(over, float(found.value), float(found.low), float(found.high))

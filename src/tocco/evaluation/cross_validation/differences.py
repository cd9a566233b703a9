"""How far a difference of two ratings can be trusted: its figures, and their test on other music."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.data.records import LabelRecord
from tocco.evaluation.cross_validation.difference_pairs import (
    Pairs,
    other_music,
    pairs_of,
    same_music,
    variance_of_means,
)
from tocco.evaluation.cross_validation.perception import COMBINED, WITHHELD
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.inference.difference import (
    DifferenceCalibration,
    DifferenceFigures,
    PairFigures,
    Trust,
    stated_difference,
)
from tocco.inference.intervals import DEFAULT_LEVEL
from tocco.inference.transcription_loss import NORMAL_90
from tocco.metrics import BootstrapInterval, bootstrap_interval
from tocco.units import BoolArray, FloatArray, IntArray

CONDITIONS: Final = ("with a score", "without a score")
MUSIC: Final = ("the same passage", "other music")

LEAST_SD_FITTED: Final = 0.1
"""Points: the smallest sd that is looked for."""

MOST_SD_FITTED: Final = 60.0
"""Points: the largest."""

CLEAR: Final = 2.0
"""Standard errors by which raters' means differ where they can tell two performances apart."""

AGREED: Final = 0.9
"""Bar: the share of the differences that raters agree with where one performance is said to be better."""

AGREED_IN_FIT: Final = 0.95
"""The same among the pairs that the threshold is found on. The smallest threshold that meets a share meets it
by chance on some pairs: those found at 0.90 held less than 0.90 in 13 of 18 cases on other music."""

LEAST_PAIRS: Final = 30
GRID: Final = 0.5

_STEPS: Final = 60


@dataclass(frozen=True, eq=False)
class Held:
    """What the figures of other music say of the pairs of a fold.

    Attributes
    ----------
    pairs
    covered : (P, D) whether the difference of the raters' means lies within the interval, widened by the
        chance of these raters
    central : (P, D) the same where the interval is not widened to hold the difference of the ratings
    said : (P, D) 1 where the first is said to be better, -1 where worse, 0 where undecided
    half_width : (P, D) points, half the interval without the raters' chance
    """

    pairs: Pairs
    covered: BoolArray
    central: BoolArray
    said: IntArray
    half_width: FloatArray

    @property
    def is_right(self) -> BoolArray:
        """(P, D) whether the raters' means differ in the direction that is said."""
        return self.said == np.sign(self.pairs.raters)

    @property
    def is_clear(self) -> BoolArray:
        """(P, D) whether the raters' means differ by more than `CLEAR` standard errors."""
        return np.abs(self.pairs.raters) > CLEAR * self.pairs.chance


def all_pairs(
    result: CrossValidationResult,
    records: Sequence[LabelRecord],
    ratings: Sequence[LabelRecord],
    *,
    seed: int,
) -> dict[tuple[str, str], Pairs]:
    """(condition, music) -> pairs.

    Parameters
    ----------
    result : held-out ratings of both conditions
    records : of the same performances
    ratings : of single raters
    seed : of the pairs of other music
    """
    variance = variance_of_means(result, records, ratings)
    chosen = (same_music(result), other_music(result, np.random.default_rng(seed)))
    return {
        (condition, music): pairs_of(result, variance, COMBINED + suffix, pairs)
        for condition, suffix in zip(CONDITIONS, ("", WITHHELD), strict=True)
        for music, pairs in zip(MUSIC, chosen, strict=True)
    }


def calibrate(pairs: dict[tuple[str, str], Pairs], protocol: str) -> DifferenceCalibration:
    """The figures of every dimension, from all pairs."""
    found = {key: fit_figures(of_key) for key, of_key in pairs.items()}
    with_score, without_score = (
        {
            name: PairFigures(
                same_music=found[condition, MUSIC[0]][name], other_music=found[condition, MUSIC[1]][name]
            )
            for name in found[condition, MUSIC[0]]
        }
        for condition in CONDITIONS
    )
    return DifferenceCalibration(protocol=protocol, with_score=with_score, without_score=without_score)


def fit_figures(pairs: Pairs) -> dict[str, DifferenceFigures]:
    """Gain and sd of every dimension.

    The gain is that of a weighted regression through 0, held to 0..1. The sd is the smallest by which
    `DEFAULT_LEVEL` of the raters' differences lie in the central interval, their chance added.
    `least_difference` is found by `agreed_from`.
    """
    found = {}
    for d, name in enumerate(pairs.names):
        rated, raters = pairs.rated[:, d], pairs.raters[:, d]
        power = float(np.sum(pairs.weight * rated**2))
        gain = float(np.clip(np.sum(pairs.weight * rated * raters) / power, 0.0, 1.0)) if power else 0.0
        sd = _sd(np.abs(raters - gain * rated), pairs.chance[:, d], pairs.weight)
        found[name] = DifferenceFigures(
            gain=round(gain, 3),
            sd=round(sd, 3),
            least_difference=agreed_from(rated, raters, pairs.weight),
            n=len(pairs),
        )
    return found


def agreed_from(rated: FloatArray, raters: FloatArray, weight: FloatArray) -> float:
    """Points of difference from which on raters agree with `AGREED_IN_FIT` of the differences.

    Parameters
    ----------
    rated, raters : (P,) differences
    weight : (P,)

    Returns
    -------
    On a grid of `GRID` points. Only sizes that `LEAST_PAIRS` pairs reach are tested; where raters agree with
    none, the largest difference there is: what lies beyond was not tested, and gain and sd alone decide.
    """
    size = np.abs(rated)
    agree = np.sign(rated) == np.sign(raters)
    for least in np.arange(GRID, size.max(), GRID):
        beyond = size >= least
        if beyond.sum() < LEAST_PAIRS:
            break
        if np.sum(weight[beyond] * agree[beyond]) >= AGREED_IN_FIT * weight[beyond].sum():
            return float(least)
    return round(float(size.max()), 1)


def _sd(error: FloatArray, chance: FloatArray, weight: FloatArray) -> float:
    """By bisection: the covered share grows with the sd."""
    low, high = LEAST_SD_FITTED, MOST_SD_FITTED
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        inside = error <= NORMAL_90 * np.hypot(middle, chance)
        covered = float(np.sum(weight * inside) / weight.sum())
        low, high = (low, middle) if covered >= DEFAULT_LEVEL else (middle, high)
    return high


def held_out(pairs: Pairs) -> Held:
    """What the figures of the other folds say of the pairs of each fold."""
    shape = pairs.rated.shape
    covered, central = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    said, half_width = np.zeros(shape, dtype=int), np.zeros(shape)
    for fold in np.unique(pairs.fold):
        test = np.flatnonzero(pairs.fold == fold)
        figures = fit_figures(pairs.only(pairs.fold != fold))
        for d, name in enumerate(pairs.names):
            one = figures[name]
            rated, raters = pairs.rated[test, d], pairs.raters[test, d]
            sd = np.hypot(one.sd, pairs.chance[test, d])
            error = np.abs(raters - one.gain * rated)
            central[test, d] = error <= NORMAL_90 * sd
            reach = np.maximum(NORMAL_90 * sd, np.abs(1.0 - one.gain) * np.abs(rated))
            towards = np.sign(raters - one.gain * rated) == np.sign(rated)
            covered[test, d] = error <= np.where(towards, reach, NORMAL_90 * sd)
            trust = Trust(one.gain, one.sd, one.least_difference)
            verdict = [stated_difference(value, trust) for value in rated.tolist()]
            said[test, d] = [{"better": 1, "worse": -1, "undecided": 0}[v.verdict] for v in verdict]
            half_width[test, d] = [(v.interval_90[1] - v.interval_90[0]) / 2.0 for v in verdict]
    return Held(pairs, covered, central, said, half_width)


@dataclass(frozen=True)
class DifferenceRow:
    """Figures of one dimension on held-out pairs; shares are weighted so that performances count alike.

    Attributes
    ----------
    name
    n : pairs
    covered, central : share of the raters' differences within the interval, and within its central part
    half_width : points, mean
    said : share of pairs of which one is said to be better
    right : of these, the share in which the raters' means differ in that direction
    n_clear : pairs that raters can tell apart
    said_clear, right_clear : the same of these
    """

    name: str
    n: int
    covered: BootstrapInterval
    central: float
    half_width: float
    said: float
    right: BootstrapInterval
    n_clear: int
    said_clear: BootstrapInterval
    right_clear: float


def rows_of(held: Held, *, seed: int, draws: int) -> list[DifferenceRow]:
    """Figures of every dimension, with 95 % intervals over clusters of music."""
    rows = []
    for d, name in enumerate(held.pairs.names):
        said = held.said[:, d] != 0
        clear = held.is_clear[:, d]
        right = held.is_right[:, d]
        rows.append(
            DifferenceRow(
                name=name,
                n=len(held.pairs),
                covered=_interval(held, held.covered[:, d], None, seed, draws),
                central=_share(held.central[:, d], held.pairs.weight),
                half_width=float(np.average(held.half_width[:, d], weights=held.pairs.weight)),
                said=_share(said, held.pairs.weight),
                right=_interval(held, right, said, seed, draws),
                n_clear=int(clear.sum()),
                said_clear=_interval(held, said, clear, seed, draws),
                right_clear=_share(right[clear & said], held.pairs.weight[clear & said]),
            )
        )
    return rows


def _share(what: BoolArray, weight: FloatArray) -> float:
    return float(np.sum(weight * what) / weight.sum()) if len(what) and weight.sum() else float("nan")


def _interval(
    held: Held, what: BoolArray, among: BoolArray | None, seed: int, draws: int
) -> BootstrapInterval:
    weight = held.pairs.weight if among is None else held.pairs.weight * among

    def share(index: IntArray) -> float:
        total = weight[index].sum()
        return float(np.sum(weight[index] * what[index]) / total) if total else float("nan")

    return bootstrap_interval(share, held.pairs.cluster, np.random.default_rng(seed), n=draws)

"""Strengths of performances by ratings, by a jury, or by both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from tocco.errors import InputError, MismatchError
from tocco.ranking.comparisons import Comparisons, groups_compared, jury_comparisons
from tocco.ranking.davidson import fit_davidson, strength_posterior
from tocco.ranking.document import Apart, Source
from tocco.ranking.joint import LEVEL, chance_of_being_better, expected_outcomes, joint_merits
from tocco.ranking.jury import Jury
from tocco.ranking.measured import Measured, readings
from tocco.ranking.rated import FieldDifferences, RatedField
from tocco.ranking.rules import Ruled
from tocco.units import FloatArray, IntArray

TIE_POINTS: Final = 2.0
"""Two performances whose true ratings are closer than that count as tied: a tenth of the step between two
levels of the rating guide."""

SEED: Final = 20_261_130
"""Of the draws: the same inputs give the same ranking."""

_SUMMARY_SPREAD: Final = 4.0
"""Of the prior where Davidson's strengths only sum up expected outcomes."""


@dataclass(frozen=True, eq=False)
class Judged:
    """What is known about N performances, whoever judged them.

    Attributes
    ----------
    names : (N,)
    value : (N,) strengths
    draws : (K, N) of all strengths at once
    chance : (N, N) that the row is really above the column; 0.5 on the diagonal
    verdict : (N, N) 1 where the row is better, -1 where it is worse, 0 where that is open
    unit : of strengths
    log_strength : (N,) by Davidson's model
    tie : tie parameter of it
    mean, sd : (N, N) points, expected differences and their spread; None where jurors count
    """

    names: tuple[str, ...]
    value: FloatArray
    draws: FloatArray
    chance: FloatArray
    verdict: IntArray
    unit: Literal["points", "log odds"]
    log_strength: FloatArray
    tie: float | None
    mean: FloatArray | None = None
    sd: FloatArray | None = None


def judge(rated: RatedField, ruled: Ruled | None, source: Source) -> tuple[Judged, tuple[Apart, ...]]:
    """Strengths of the performances, and those that are not ranked.

    Parameters
    ----------
    rated
    ruled : what counts of a jury; None where only ratings do
    source : whose judgement counts

    Raises
    ------
    InputError
        Fewer than two performances can be ranked.
    MismatchError
        Performances that no juror compared with the others, not even in steps.
    """
    if source == "tocco":
        _assert_enough(rated.names, rated.apart)
        return _by_ratings(rated.names, _known(rated)), rated.apart
    assert ruled is not None
    if source == "both":
        _assert_enough(rated.names, rated.apart)
        return _by_jury(rated.names, ruled.jury, _measured(_known(rated))), rated.apart
    names = (*rated.names, *(one.name for one in rated.apart))
    compared = np.atleast_1d(jury_comparisons(ruled.jury, names).compared.any(axis=1)).tolist()
    ranked = tuple(name for name, one in zip(names, compared, strict=True) if one)
    apart = tuple(
        Apart(name=name, reason="no juror compared it with another") for name in names if name not in ranked
    )
    _assert_enough(ranked, apart)
    return _by_jury(ranked, ruled.jury, None), apart


def _by_jury(names: tuple[str, ...], jury: Jury, measured: Sequence[Measured] | None) -> Judged:
    """Strengths by what jurors said, and by ratings where these are given too."""
    comparisons = jury_comparisons(jury, names)
    if measured is None:
        _assert_linked(comparisons, names)
    rng = np.random.default_rng(SEED)
    found = strength_posterior(comparisons.better, comparisons.tied, rng, measured=measured or (None,))
    chance = chance_of_being_better(found.draws)
    bound = (1.0 + LEVEL) / 2.0
    return Judged(
        names,
        found.value,
        found.draws,
        chance,
        (chance > bound).astype(np.int64) - (chance < 1.0 - bound),
        "log odds",
        found.value,
        found.tie,
    )


def _known(rated: RatedField) -> FieldDifferences:
    if rated.between is None:
        raise ValueError("ratings count, and their differences are not given")
    return rated.between


def _by_ratings(names: tuple[str, ...], between: FieldDifferences) -> Judged:
    pairs = between.pairs
    merits = joint_merits(pairs)
    better, tied = expected_outcomes(pairs, TIE_POINTS)
    summary = fit_davidson(better, tied, _SUMMARY_SPREAD)
    chance = expected_outcomes(pairs, 0.0)[0] + 0.5 * np.eye(len(names))
    return Judged(
        names,
        merits.mean,
        merits.draws(np.random.default_rng(SEED)),
        chance,
        between.verdict,
        "points",
        summary.value,
        summary.tie,
        pairs.mean,
        pairs.sd,
    )


def _measured(between: FieldDifferences) -> list[Measured]:
    """The ratings as measurements of strengths, in every reading that is considered."""
    merits = joint_merits(between.pairs)
    return list(readings(merits.mean, merits.covariance))


def _assert_enough(names: Sequence[str], apart: Sequence[Apart]) -> None:
    if len(names) < 2:
        left = f"; {apart[0].name}: {apart[0].reason}" if apart else ""
        raise InputError(
            "rank",
            f"{len(names)} performance{'s' if len(names) != 1 else ''} can be ranked{left}",
            allowed="two or more",
            next_step="give more performances, or rank them by another dimension",
        )


def _assert_linked(comparisons: Comparisons, names: Sequence[str]) -> None:
    group = groups_compared(comparisons.compared)
    if group.max() == 0:
        return
    first, second = (names[int(np.flatnonzero(group == k)[0])] for k in (0, 1))
    raise MismatchError(
        "marks and votes",
        f"fall into {group.max() + 1} groups of performances that no juror compared, "
        f"such as {first} and {second}",
        allowed="jurors who link all performances, if in steps",
        next_step="rank the groups one by one, or count tocco in with --with both",
    )

"""Pairs of rated performances: what raters say of their difference, and what held-out ratings say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from tocco.data.records import LabelRecord
from tocco.errors import InputError
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.inference.difference import AGGREGATE
from tocco.rubrics import TOCCO10
from tocco.units import BoolArray, FloatArray, IntArray

LEAST_RATERS: Final = 2

PAIRS_A_PERFORMANCE: Final = 20
"""Partners that are drawn for each performance among those of other music."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of performances, each rated by several raters.

    Attributes
    ----------
    names : (D,) dimensions, and the aggregate of those that raters rate
    fold : (P,) that held out both, or the first where they are of two
    cluster : (P,) music of the first
    weight : (P,) so that every performance counts alike, however many partners it has
    rated : (P, D) points by which the held-out ratings differ
    raters : (P, D) points by which the means of the raters differ
    chance : (P, D) standard error of `raters`, from the spread and the number of raters
    """

    names: tuple[str, ...]
    fold: IntArray
    cluster: np.ndarray
    weight: FloatArray
    rated: FloatArray
    raters: FloatArray
    chance: FloatArray

    def only(self, keep: BoolArray | IntArray) -> Pairs:
        """Some of the pairs."""
        return Pairs(
            self.names,
            self.fold[keep],
            self.cluster[keep],
            self.weight[keep],
            self.rated[keep],
            self.raters[keep],
            self.chance[keep],
        )

    def __len__(self) -> int:
        return len(self.fold)


def same_music(result: CrossValidationResult) -> IntArray:
    """(P, 2) pairs of people who played the same passage."""
    human = np.flatnonzero(~result.is_score)
    of_passage = [human[result.passages[human] == passage] for passage in np.unique(result.passages[human])]
    return _stacked(pair for rows in of_passage for pair in combinations(rows.tolist(), 2))


def other_music(result: CrossValidationResult, generator: np.random.Generator) -> IntArray:
    """(P, 2) pairs of people who played music that has no bar in common, drawn at random."""
    human = np.flatnonzero(~result.is_score)
    found = set()
    for row in human.tolist():
        others = human[result.clusters[human] != result.clusters[row]]
        partners = generator.choice(others, min(PAIRS_A_PERFORMANCE, len(others)), replace=False)
        found |= {(min(row, other), max(row, other)) for other in partners.tolist()}
    return _stacked(sorted(found))


def _stacked(pairs: Iterable[tuple[int, int]]) -> IntArray:
    return np.array(list(pairs), dtype=int).reshape(-1, 2)


def pairs_of(result: CrossValidationResult, variance: FloatArray, system: str, pairs: IntArray) -> Pairs:
    """What is known of pairs.

    Parameters
    ----------
    result : held-out ratings
    variance : (N, D + 1) of the mean of the raters of each performance (`variance_of_means`)
    system : whose ratings
    pairs : (P, 2) rows of `result`
    """
    one, other = pairs.T
    shares = aggregate_shares(result.names)
    rated, raters = (
        _with_aggregate(table[one] - table[other], shares)
        for table in (result.predictions[system], result.labels)
    )
    count = np.bincount(pairs.ravel(), minlength=len(result))
    return Pairs(
        names=(*result.names, AGGREGATE),
        fold=result.fold[one],
        cluster=result.clusters[one],
        weight=1.0 / count[one] + 1.0 / count[other],
        rated=rated,
        raters=raters,
        chance=np.sqrt(variance[one] + variance[other]),
    )


def aggregate_shares(names: Sequence[str]) -> FloatArray:
    """(D,) shares of the dimensions that raters rate in their weighted mean."""
    shares = np.array([TOCCO10.weights.get(name, 0.0) for name in names])
    return shares / shares.sum()


def _with_aggregate(difference: FloatArray, shares: FloatArray) -> FloatArray:
    """(P, D + 1) differences, the last that of the weighted mean."""
    return np.column_stack((difference, difference @ shares))


def variance_of_means(
    result: CrossValidationResult, records: Sequence[LabelRecord], ratings: Sequence[LabelRecord]
) -> FloatArray:
    """(N, D + 1) variance of the mean of the raters of each performance, the aggregate last.

    Parameters
    ----------
    result : of N performances
    records : of the same performances
    ratings : one record for each rater and performance; it names the MIDI of the performance

    Raises
    ------
    InputError
        A performance has fewer than two raters who rated every dimension.
    """
    of_midi: dict[str, list[list[float]]] = {}
    for one in ratings:
        if one.midi_path is not None and all(name in one.labels for name in result.names):
            row = [one.labels[name] for name in result.names]
            of_midi.setdefault(one.midi_path.name, []).append(row)
    midi = {record.segment_id: record.midi_path for record in records}
    shares = aggregate_shares(result.names)
    variance = np.zeros((len(result), len(result.names) + 1))
    for row, name in enumerate(result.segment_ids.tolist()):
        path = midi.get(name)
        given = np.array(of_midi.get("" if path is None else path.name, []))
        if len(given) < LEAST_RATERS:
            raise InputError(
                name,
                f"has {len(given)} raters who rated every dimension",
                allowed=f"{LEAST_RATERS} or more",
                next_step="give the ratings of single raters with --ratings",
            )
        variance[row] = _with_aggregate(given, shares).var(axis=0, ddof=1) / len(given)
    return variance

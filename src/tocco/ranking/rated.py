"""What tocco knows about a field of performances: ratings, and the difference of every two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from tocco.errors import BundleError
from tocco.inference.assessment import Aggregate, Assessment, Rating
from tocco.inference.difference import RatingDifference
from tocco.ranking.document import Apart
from tocco.ranking.joint import PairedDifferences
from tocco.rubrics import DIMENSIONS
from tocco.units import FloatArray, IntArray

AGGREGATE: Final = "aggregate"
CHOICES: Final = (AGGREGATE, *DIMENSIONS)
"""What performances can be ranked by."""

DifferencesOf = Callable[[Assessment, Assessment], Mapping[str, RatingDifference]]
"""Differences of the ratings of two performances, by dimension."""


@dataclass(frozen=True, eq=False)
class FieldDifferences:
    """Differences of the ratings of every two performances.

    Attributes
    ----------
    pairs : as they are expected, and their spread
    verdict : (N, N) 1 where the row is better, -1 where it is worse, 0 where that is open
    """

    pairs: PairedDifferences
    verdict: IntArray


@dataclass(frozen=True, eq=False)
class RatedField:
    """Performances that are rated and can be compared with each other.

    Attributes
    ----------
    names : (N,)
    rating : (N,) points
    low, high : (N,) points, of the interval of each rating; the rating itself where it has none
    apart : those that are not rated, with the reason
    between : differences of every two; None where they were not asked for
    """

    names: tuple[str, ...]
    rating: FloatArray
    low: FloatArray
    high: FloatArray
    apart: tuple[Apart, ...]
    between: FieldDifferences | None = None


def rated_field(
    assessments: Mapping[str, Assessment], by: str, differences_of: DifferencesOf | None
) -> RatedField:
    """Compare every two assessments by their aggregate or by one dimension.

    Parameters
    ----------
    assessments : id -> assessment
    by : out of `CHOICES`
    differences_of : the first less the second; None where ratings do not count

    Raises
    ------
    MismatchError
        They were rated by different bundles.
    BundleError
        The bundle does not know how far a difference can be trusted.
    """
    apart = [
        Apart(name=name, reason=reason) for name, one in assessments.items() if (reason := _missing(one, by))
    ]
    names = [name for name in assessments if name not in {one.name for one in apart}]
    if by == AGGREGATE and differences_of is not None:
        others = _of_other_dimensions({name: assessments[name].aggregate for name in names})
        apart += others
        names = [name for name in names if name not in {one.name for one in others}]
    rated = [_rated(assessments[name], by) for name in names]
    intervals = [one.interval_90 or (one.value or 0.0, one.value or 0.0) for one in rated]
    between = None
    if differences_of is not None:
        between = _between([assessments[name] for name in names], by, differences_of)
    return RatedField(
        tuple(names),
        np.array([one.value for one in rated], dtype=float),
        np.array([low for low, _ in intervals], dtype=float),
        np.array([high for _, high in intervals], dtype=float),
        tuple(apart),
        between,
    )


def _rated(assessment: Assessment, by: str) -> Rating | Aggregate:
    return assessment.aggregate if by == AGGREGATE else assessment.ratings[by]


def _missing(assessment: Assessment, by: str) -> str:
    """Why a performance has no rating; empty where it has one."""
    if assessment.abstained:
        return f"tocco abstained: {'; '.join(assessment.abstained_reasons)}"
    if by != AGGREGATE and by not in assessment.ratings:
        return f"{by} is not among its ratings"
    rated = _rated(assessment, by)
    return "" if rated.value is not None else f"not rated: {rated.reason}"


def _of_other_dimensions(aggregates: Mapping[str, Aggregate]) -> list[Apart]:
    """Aggregates that consist of other dimensions than those of most: they cannot be compared."""
    parts = {name: frozenset(part.dimension for part in one.parts) for name, one in aggregates.items()}
    if len(set(parts.values())) < 2:
        return []
    count = Counter(parts.values())
    most = max(count, key=lambda one: (count[one], len(one)))
    said = {
        name: "its aggregate "
        + " and ".join(
            f"{word} {', '.join(sorted(names)).replace('_', ' ')}"
            for word, names in (("is without", most - one), ("has", one - most))
            if names
        )
        + ", unlike that of the others"
        for name, one in parts.items()
        if one != most
    }
    return [Apart(name=name, reason=reason) for name, reason in said.items()]


def _between(assessments: Sequence[Assessment], by: str, differences_of: DifferencesOf) -> FieldDifferences:
    n = len(assessments)
    mean, sd, verdict = np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n), dtype=np.int64)
    for row, column in combinations(range(n), 2):
        found = differences_of(assessments[row], assessments[column]).get(by)
        if found is None:
            bundle = assessments[row].bundle
            raise BundleError(
                f"{bundle.name} {bundle.version}",
                f"does not know how far a difference of {by.replace('_', ' ')} can be trusted",
                next_step="rank by another dimension with --by",
            )
        sign = {"better": 1, "worse": -1, "undecided": 0}[found.verdict]
        mean[row, column], mean[column, row] = found.expected, -found.expected
        sd[row, column] = sd[column, row] = found.sd
        verdict[row, column], verdict[column, row] = sign, -sign
    return FieldDifferences(PairedDifferences(mean, sd), verdict)

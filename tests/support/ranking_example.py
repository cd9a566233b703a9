"""Fields of rated performances and juries, for the tests of everything that ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tocco.ranking.joint import PairedDifferences
from tocco.ranking.jury import Jury, Mark
from tocco.ranking.rated import FieldDifferences, RatedField
from tocco.units import FloatArray

NORMAL_90 = 1.6449


def differences(value: FloatArray, sd: float | FloatArray) -> PairedDifferences:
    """Differences of merits whose errors are independent, each of sd / sqrt(2); or of given spreads."""
    n = len(value)
    spread = np.full((n, n), sd) if np.isscalar(sd) else np.array(sd)
    np.fill_diagonal(spread, 0.0)
    return PairedDifferences(value[:, None] - value[None, :], spread)


def field(ratings: Mapping[str, float], sd: float = 4.0, apart: Sequence = ()) -> RatedField:
    """Performances with these ratings; every difference has the same spread."""
    value = np.array(list(ratings.values()), dtype=float)
    pairs = differences(value, sd)
    sign = np.sign(pairs.mean) * (np.abs(pairs.mean) > NORMAL_90 * pairs.sd)
    return RatedField(
        tuple(ratings),
        value,
        np.maximum(value - 6.0, 0.0),
        np.minimum(value + 6.0, 100.0),
        tuple(apart),
        FieldDifferences(pairs, sign.astype(np.int64)),
    )


def jury(table: Mapping[str, Mapping[str, float]]) -> Jury:
    """Juror -> performance -> mark."""
    return Jury(
        tuple(
            Mark(juror, name, float(value)) for juror, marks in table.items() for name, value in marks.items()
        )
    )

"""Is this like anything the model has heard? If not, it had better say nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import FiniteFloat, model_validator

from tocco.schema import Share, StrictModel, short
from tocco.units import FloatArray

WIDENING = 0.5
"""Ranges reach beyond the training music by half of its own span: other music is still music."""

LIMIT = 0.2
"""With more than a fifth of the measures out of range, the model abstains. Set before any result."""


@dataclass(frozen=True)
class Outside:
    """How far a performance lies outside.

    Attributes
    ----------
    share : 0..1
        Measures out of range, of those that could be taken.
    worst : names of up to three measures, the furthest out first
    """

    share: float
    worst: tuple[str, ...]


class Applicability(StrictModel):
    """The range of every measure in the music that the model has learned from."""

    names: tuple[str, ...]
    """Statistics that are compared; score-free ones, which every performance has."""

    low: tuple[FiniteFloat, ...]
    high: tuple[FiniteFloat, ...]
    """Ends of the ranges, in each statistic's own unit."""

    limit: Share = LIMIT
    """Share of measures out of range above which the model abstains."""

    @model_validator(mode="after")
    def _ranges_are_ranges(self) -> Applicability:
        if not len(self.names) == len(self.low) == len(self.high):
            raise ValueError(
                f"{len(self.names)} names have {len(self.low)} low and {len(self.high)} high ends"
            )
        for name, low, high in zip(self.names, self.low, self.high, strict=True):
            if low > high:
                raise ValueError(f"{short(name)} ranges from {low:g} to {high:g}")
        return self

    def outside(self, statistics: FloatArray) -> Outside:
        """Compare one performance.

        Parameters
        ----------
        statistics : (K, P) in the order of `names`, NaN where missing
            One row a window; a measure counts by its mean over the windows.
        """
        low, high = np.array(self.low), np.array(self.high)
        known = np.isfinite(statistics).any(axis=0)
        value = np.full(len(self.names), np.nan)
        value[known] = np.nanmean(statistics[:, known], axis=0)
        span = np.maximum(high - low, 1e-9)
        distance = np.where(known, np.maximum(low - value, value - high) / span, -1.0)
        out = np.flatnonzero(distance > 0)
        worst = out[np.argsort(-distance[out], kind="stable")][:3]
        return Outside(
            share=float(len(out) / max(1, np.count_nonzero(known))),
            worst=tuple(f"{self.names[i]} {value[i]:.3g} ({low[i]:.3g} to {high[i]:.3g})" for i in worst),
        )


def fit_applicability(names: Sequence[str], statistics: FloatArray) -> Applicability:
    """Learn the ranges from training windows.

    Parameters
    ----------
    names : (P,)
    statistics : (W, P) NaN where missing

    Returns
    -------
    Applicability
        From the 0.5th to the 99.5th percentile, widened; a measure seen in fewer than half of the
        windows is left out.
    """
    kept = [
        p for p in range(len(names)) if np.isfinite(statistics[:, p]).sum() * 2 >= max(1, len(statistics))
    ]
    low, high = np.nanpercentile(statistics[:, kept], [0.5, 99.5], axis=0)
    margin = WIDENING * np.maximum(high - low, 1e-6)
    return Applicability(
        names=tuple(names[p] for p in kept),
        low=tuple((low - margin).tolist()),
        high=tuple((high + margin).tolist()),
    )

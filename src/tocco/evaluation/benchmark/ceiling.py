"""The human ceiling: the highest figures that any system can be expected to reach against mean ratings.

Mean ratings are noisy: other raters would give other means. The share of their variance that other raters
would reproduce, their reliability, is the highest expected R2; its root is the highest expected r.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tocco.data.records import LabelRecord
from tocco.evaluation.cross_validation.reliability import reliability_of_means
from tocco.units import FloatArray


@dataclass(frozen=True, eq=False)
class Ceiling:
    """Reliability of labels, by name.

    Attributes
    ----------
    reliability : (D,) 0..1, NaN where unknown
        Of differences between all performances.
    within_passage : (D,) 0..1, NaN where unknown
        Of differences between human performances of one passage.
    """

    reliability: FloatArray
    within_passage: FloatArray

    @property
    def r(self) -> FloatArray:
        """(D,) highest expected correlation."""
        return np.sqrt(self.reliability)

    @property
    def pairs(self) -> FloatArray:
        """(D,) highest expected accuracy on pairs of all performances."""
        return pair_ceiling(self.reliability)

    @property
    def pairs_within(self) -> FloatArray:
        """(D,) highest expected accuracy on pairs of one passage."""
        return pair_ceiling(self.within_passage)


def pair_ceiling(reliability: npt.ArrayLike) -> FloatArray:
    """How often a perfect system orders two performances as noisy mean ratings do.

    With normal ratings, the true and the observed difference of two performances correlate by the root of the
    reliability; they have the same sign with probability 1/2 + arcsin(root) / pi (Sheppard 1899).

    Parameters
    ----------
    reliability : (...) 0..1

    Returns
    -------
    (...) 0.5..1

    Examples
    --------
    >>> pair_ceiling([0.0, 0.75, 1.0]).round(3).tolist()
    [0.5, 0.833, 1.0]
    """
    return 0.5 + np.arcsin(np.sqrt(np.asarray(reliability, dtype=float))) / math.pi


def ceiling_of(records: Sequence[LabelRecord], names: Sequence[str]) -> Ceiling:
    """Ceiling of labels, from the standard deviation between raters and their number.

    Parameters
    ----------
    records
    names : (D,) dimensions or descriptors
    """
    label = np.array([[record.labels.get(name, np.nan) for name in names] for record in records])
    label_sd = np.array([[record.label_sd.get(name, np.nan) for name in names] for record in records])
    n_raters = np.array([record.n_raters or np.nan for record in records], dtype=float)
    is_human = np.array([not record.is_score_rendering for record in records])
    passage = np.array([record.passage_id or record.piece_id for record in records])
    return Ceiling(
        reliability_of_means(label, label_sd, n_raters),
        reliability_within(label[is_human], label_sd[is_human], n_raters[is_human], passage[is_human]),
    )


def reliability_within(
    label: FloatArray, label_sd: FloatArray, n_raters: FloatArray, groups: npt.NDArray
) -> FloatArray:
    """Reliability of the differences of mean ratings within groups.

    As `reliability_of_means`, with the variance about the mean of each group.

    Parameters
    ----------
    label, label_sd : (N, D) rating points; NaN where missing
    n_raters : (N,) NaN where unknown
    groups : (N,) any label

    Returns
    -------
    (D,) 0..1; NaN where no group has two labels whose error is known

    Examples
    --------
    >>> label = np.array([[40.0], [60.0], [10.0], [30.0]])
    >>> reliability_within(label, np.full((4, 1), 10.0), np.full(4, 2.0), np.array(["a", "a", "b", "b"]))
    array([0.75])
    """
    error = label_sd**2 / n_raters[:, None]
    found = np.full(label.shape[1], np.nan)
    for d in range(label.shape[1]):
        known = np.isfinite(label[:, d]) & np.isfinite(error[:, d])
        _, code, size = np.unique(groups[known], return_inverse=True, return_counts=True)
        freedom = int(known.sum()) - len(size)
        if freedom < 1:
            continue
        value = label[known, d]
        about_mean = value - (np.bincount(code, weights=value) / size)[code]
        variance = float(about_mean @ about_mean) / freedom
        # Groups of one say nothing of differences within groups.
        noise = float(error[known, d][size[code] > 1].mean())
        if variance > 0:
            found[d] = np.clip(1.0 - noise / variance, 0.0, 1.0)
    return found

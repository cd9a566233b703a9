"""Comparisons in pairs, out of what each juror said, weighted by how much they really know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tocco.ranking.jury import Jury, mark_table
from tocco.units import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Comparisons:
    """How often one performance was found better than another.

    Attributes
    ----------
    better : (N, N) >= 0, row better than column
    tied : (N, N) >= 0, symmetric
    """

    better: FloatArray
    tied: FloatArray

    def __add__(self, other: Comparisons) -> Comparisons:
        return Comparisons(self.better + other.better, self.tied + other.tied)

    @property
    def compared(self) -> FloatArray:
        """(N, N) how often two were compared at all."""
        return self.better + self.better.T + self.tied

    def weighted(self) -> Comparisons:
        """The comparisons of one juror, each with the weight of an independent one.

        N marks make N (N - 1) / 2 comparisons, but the error of one mark is in N - 1 of them. Where the
        performances are alike, two comparisons that share one have a correlation of 1/3, and the
        variance of a performance's wins is (N + 1) / 3 times that of independent ones: the variance of a sum
        of ranks (Friedman, *The use of ranks to avoid the assumption of normality*, JASA 32, 1937). So each
        counts 3 / (N + 1). With the number d of comparisons of a performance in place of N - 1 that is
        3 / (d + 2), which serves votes on some of the pairs as well; a single vote counts fully.
        """
        number = self.compared.sum(axis=1)
        weight = 3.0 / ((number[:, None] + number[None, :]) / 2.0 + 2.0)
        return Comparisons(self.better * weight, self.tied * weight)


def jury_comparisons(jury: Jury, performances: Sequence[str]) -> Comparisons:
    """The comparisons of all jurors, those of each weighted.

    A juror's marks are compared among themselves only, so that a strict juror and a mild one say the same
    where they put performances in the same order.

    Parameters
    ----------
    jury : after the rules
    performances : what is ranked; marks and votes on others are left out
    """
    n = len(performances)
    total = Comparisons(np.zeros((n, n)), np.zeros((n, n)))
    for juror in jury.jurors:
        marks = mark_table([one for one in jury.marks if one.juror == juror], [juror], performances)
        total += (_of_marks(marks[0]) + _of_votes(jury, juror, performances)).weighted()
    return total


def groups_compared(compared: FloatArray) -> IntArray:
    """(N,) number of the group of each performance; no comparison links two groups."""
    from scipy.sparse.csgraph import connected_components

    return connected_components(compared > 0.0, directed=False)[1].astype(np.int64)


def _of_marks(mark: FloatArray) -> Comparisons:
    difference = mark[:, None] - mark[None, :]
    tied = (difference == 0.0) & ~np.eye(len(mark), dtype=bool)
    return Comparisons((difference > 0.0).astype(float), tied.astype(float))


def _of_votes(jury: Jury, juror: str, performances: Sequence[str]) -> Comparisons:
    place = {name: k for k, name in enumerate(performances)}
    better, tied = np.zeros((2, len(place), len(place)))
    for one in jury.votes:
        if one.juror != juror or not {one.better, one.worse} <= set(place):
            continue
        row, column = place[one.better], place[one.worse]
        if one.is_tie:
            tied[row, column] += 1.0
            tied[column, row] += 1.0
        else:
            better[row, column] += 1.0
    return Comparisons(better, tied)

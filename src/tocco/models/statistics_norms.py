"""Norms of statistics: what they range over in competent performances, and what the score makes of them.

A statistic becomes the normal score of its rank among excerpts of competent performances, which need no
ratings: the scale is even where good players differ, and an outlier is no more than the rarest of them. What
is left when the expectation from the score alone is taken away (kernel ridge regression, Nystroem centres)
tells how a player differs from others who play such notes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from tocco.errors import BundleError
from tocco.models.predictor import StatisticsTable
from tocco.models.predictor_files import (
    HEADER,
    ArrayKind,
    Header,
    read_arrays,
    read_header,
    refused,
    write_arrays,
    write_header,
)
from tocco.units import FloatArray

N_LEVELS: Final = 400
"""Ranks that a table of norms keeps of each statistic; the extreme normal scores are +- 3.02."""

N_CENTRES: Final = 1500
RESIDUAL_ALPHA: Final = 1.0
MAX_RESIDUAL: Final = 5.0
"""Residuals are clipped to this many standard deviations, to avoid extrapolation."""


@dataclass(frozen=True)
class NormNames:
    """Which measures the norms read.

    Attributes
    ----------
    whole : (P,) statistics of the whole performance
    parts : names of the same statistics of parts of it, one tuple of (P,) a part; may be none
    written : (S,) measures that the score alone determines; may be none
    """

    whole: tuple[str, ...]
    parts: tuple[tuple[str, ...], ...] = ()
    written: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Every name once: the whole, its parts, and what the score alone determines."""
        parts = (name for part in self.parts for name in part)
        return tuple(dict.fromkeys((*self.whole, *parts, *self.written)))

    def performed(self, names: Sequence[str]) -> NormNames:
        """The norms of these statistics alone, without what is written."""
        keep = [p for p, name in enumerate(self.whole) if name in set(names)]
        return NormNames(
            tuple(self.whole[p] for p in keep), tuple(tuple(part[p] for p in keep) for part in self.parts)
        )


@dataclass(frozen=True, eq=False)
class StatisticsNorms:
    """Norms as arrays.

    Attributes
    ----------
    names
    whole : (K, P) values of each statistic by ascending rank in competent performances; NaN where unknown
    written : (K, S) the same of what the score determines
    centres : (C, S) normal scores of what is written, in excerpts that stand for all
    coefficients : (C, P) of the expected normal score
    residual_sd : (P,) standard deviation of what is not expected; 0 where nothing is known
    """

    names: NormNames
    whole: FloatArray
    written: FloatArray
    centres: FloatArray
    coefficients: FloatArray
    residual_sd: FloatArray

    def features(self, table: StatisticsTable) -> FloatArray:
        """Normal scores of the whole, means of those of its parts, residuals, and what is written.

        Parameters
        ----------
        table : with every measure of `names`; NaN where missing

        Returns
        -------
        (N, F); 0, the norm, where a measure is missing
        """
        whole = scores_at(self._whole_steps, table.columns(self.names.whole))
        found = [whole]
        if self.names.parts:
            parts = [scores_at(self._whole_steps, table.columns(part)) for part in self.names.parts]
            found.append(np.mean(parts, axis=0))
        if self.names.written:
            written = scores_at(self._written_steps, table.columns(self.names.written))
            found += [self._residuals(whole, written), written]
        return np.concatenate(found, axis=1)

    @cached_property
    def _whole_steps(self) -> list[ScoreSteps | None]:
        return score_steps(self.whole)

    @cached_property
    def _written_steps(self) -> list[ScoreSteps | None]:
        return score_steps(self.written)

    def _residuals(self, whole: FloatArray, written: FloatArray) -> FloatArray:
        expected = inverse_quadratic(written, self.centres.astype(float)) @ self.coefficients.astype(float)
        sd = np.where(self.residual_sd > 0, self.residual_sd, np.inf)
        return np.clip((whole - expected) / sd, -MAX_RESIDUAL, MAX_RESIDUAL)

    def performed(self, names: Sequence[str]) -> StatisticsNorms:
        """The norms of these statistics alone, for a performance without a score."""
        column = {name: p for p, name in enumerate(self.names.whole)}
        kept = self.names.performed(names)
        keep = [column[name] for name in kept.whole]
        none = np.zeros((0, 0), np.float32)
        return StatisticsNorms(
            kept,
            self.whole[:, keep],
            np.zeros((len(self.whole), 0)),
            none,
            np.zeros((0, len(keep)), np.float32),
            self.residual_sd[keep],
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays by the names in files."""
        return {f"norm_{name}": getattr(self, name) for name in _ARRAYS}

    def settings(self) -> dict[str, object]:
        """The names as JSON values."""
        return {"parts": [list(part) for part in self.names.parts], "written": list(self.names.written)}

    def save(self, folder: Path) -> None:
        """Write the norms to a folder."""
        write_arrays(folder, self.arrays())
        write_header(folder, Header(KIND, (), self.names.whole, self.settings()))

    @classmethod
    def load(cls, folder: Path) -> StatisticsNorms:
        """Read what `save` wrote.

        Raises
        ------
        BundleError
            It is missing, damaged, or of another release's format.
        """
        header = read_header(folder, KIND)
        names = norm_names(folder, header.statistics, header.settings)
        return norms_of_arrays(folder, names, read_arrays(folder, norm_kinds(names)))


KIND: Final = "statistics_norms"
_ARRAYS: Final = ("whole", "written", "centres", "coefficients", "residual_sd")


def norm_names(folder: Path, whole: Sequence[str], settings: Mapping[str, object]) -> NormNames:
    """The names in a header.

    Raises
    ------
    BundleError
        They are missing, or the parts have other statistics than the whole.
    """
    parts, written = settings.get("parts"), settings.get("written")
    if not isinstance(parts, list) or not _is_names(written):
        raise BundleError(folder / HEADER, "does not name the parts and what is written")
    if not all(_is_names(part) and len(part) == len(whole) for part in parts):
        raise BundleError(folder / HEADER, "has a part with other statistics than the whole")
    assert isinstance(written, list)
    return NormNames(tuple(whole), tuple(tuple(part) for part in parts), tuple(written))


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def norm_kinds(names: NormNames) -> dict[str, ArrayKind]:
    """What the arrays of norms have to be."""
    n_whole, n_written = len(names.whole), len(names.written)
    return {
        "norm_whole": ArrayKind("float64", (None, n_whole), finite=False),
        "norm_written": ArrayKind("float64", (None, n_written), finite=False),
        "norm_centres": ArrayKind("float32", (None, n_written)),
        "norm_coefficients": ArrayKind("float32", (None, n_whole)),
        "norm_residual_sd": ArrayKind("float64", (n_whole,)),
    }


def norms_of_arrays(folder: Path, names: NormNames, arrays: dict[str, np.ndarray]) -> StatisticsNorms:
    """The norms, taken out of the arrays of a file.

    Raises
    ------
    BundleError
        The arrays contradict one another.
    """
    found = StatisticsNorms(names, **{name: arrays.pop(f"norm_{name}") for name in _ARRAYS})
    if len(found.centres) != len(found.coefficients):
        raise refused(folder, "norm_centres and norm_coefficients differ in length")
    for name in ("whole", "written"):
        table = getattr(found, name)
        if (np.diff(table, axis=0) < 0).any() or np.isinf(table).any():
            raise refused(folder, f"norm_{name} does not ascend")
    if (found.residual_sd < 0).any():
        raise refused(folder, "norm_residual_sd holds a negative spread")
    return found


def rank_table(reference: FloatArray) -> FloatArray:
    """Values of every column at `N_LEVELS` evenly spaced ranks.

    Parameters
    ----------
    reference : (N, P) NaN where missing

    Returns
    -------
    (K, P) ascending; NaN in a column with fewer than two values
    """
    table = np.full((N_LEVELS, reference.shape[1]), np.nan)
    for p, column in enumerate(reference.T):
        values = np.sort(column[np.isfinite(column)])
        if len(values) > 1:
            level = (np.arange(N_LEVELS) + 0.5) / N_LEVELS
            table[:, p] = values[np.minimum((level * len(values)).astype(int), len(values) - 1)]
    return table


class ScoreSteps(NamedTuple):
    """Values of one column of a table, each once, and the normal score of each."""

    value: FloatArray
    score: FloatArray


def score_steps(table: FloatArray) -> list[ScoreSteps | None]:
    """Steps of every column of a (K, P) table of ranks; None for one that is unknown.

    A score is the quantile of the standard normal distribution at the rank of the value; equal values have
    the middle of their ranks.
    """
    from scipy.special import ndtri

    found: list[ScoreSteps | None] = []
    for column in table.T:
        if not len(column) or np.isnan(column[0]):
            found.append(None)
            continue
        value, first, count = np.unique(column, return_index=True, return_counts=True)
        found.append(ScoreSteps(value, ndtri((first + count / 2.0) / len(column))))
    return found


def scores_at(steps: Sequence[ScoreSteps | None], values: FloatArray) -> FloatArray:
    """Normal scores of values; interpolated between the steps, and beyond the ends those of the ends.

    Parameters
    ----------
    steps : of P columns
    values : (N, P) NaN where missing

    Returns
    -------
    (N, P) 0 where the value is missing, or the column unknown
    """
    scores = np.zeros(values.shape)
    for p, column in enumerate(steps):
        if column is not None:
            scores[:, p] = np.interp(values[:, p], column.value, column.score)
    return np.where(np.isfinite(values), scores, 0.0)


def normal_scores(table: FloatArray, values: FloatArray) -> FloatArray:
    """`scores_at` the steps of a (K, P) table of ranks."""
    return scores_at(score_steps(table), values)


def inverse_quadratic(a: FloatArray, b: FloatArray) -> FloatArray:
    """The kernel 1 / (1 + d2 / 2), d2 being the mean squared difference of the columns.

    Parameters
    ----------
    a : (N, P), b : (M, P)

    Returns
    -------
    (N, M) 0..1
    """
    squared = np.einsum("ij,ij->i", a, a)[:, None] + np.einsum("ij,ij->i", b, b)[None, :] - 2.0 * (a @ b.T)
    return 1.0 / (1.0 + np.maximum(squared, 0.0) / (2.0 * max(a.shape[1], 1)))


def fit_statistics_norms(
    names: NormNames, reference: StatisticsTable, generator: np.random.Generator
) -> StatisticsNorms:
    """Norms of competent performances.

    Parameters
    ----------
    names
    reference : (N, M) measures of excerpts of competent performances, NaN where missing
    generator : of the choice of centres
    """
    whole = rank_table(reference.columns(names.whole))
    written = rank_table(reference.columns(names.written))
    scores = normal_scores(whole, reference.columns(names.whole))
    inputs = normal_scores(written, reference.columns(names.written))
    chosen = np.sort(generator.permutation(len(inputs))[:N_CENTRES])
    centres = inputs[chosen].astype(np.float32)
    kernel = inverse_quadratic(inputs, centres.astype(float))
    own = inverse_quadratic(centres.astype(float), centres.astype(float))
    ridge = kernel.T @ kernel + RESIDUAL_ALPHA * own + 1e-6 * np.eye(len(centres))
    coefficients = np.linalg.solve(ridge, kernel.T @ scores).astype(np.float32)
    residual_sd = (scores - kernel @ coefficients.astype(float)).std(axis=0)
    # Rounding leaves a constant column a spread of about its last digit.
    residual_sd = np.where(residual_sd > 1e-6, residual_sd, 0.0)
    return StatisticsNorms(names, whole, written, centres, coefficients, residual_sd)

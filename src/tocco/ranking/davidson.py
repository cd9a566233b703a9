"""Davidson's model: comparisons in pairs, with ties, explained by one strength each.

With strengths `s` (natural logarithm) and a tie parameter `v`, a comparison of `i` with `j` ends

    i better : j better : tied  =  exp(s_i) : exp(s_j) : v exp((s_i + s_j) / 2)

(R. R. Davidson, *On extending the Bradley-Terry model to accommodate ties in paired comparison experiments*,
JASA 65, 1970). Without ties it is the model of Bradley and Terry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.ranking.measured import Measured
from tocco.units import FloatArray

SPREADS: Final = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Spreads of the strengths that are considered before any comparison is known, all as likely. With 4, the
better of two typical performances wins 99 comparisons in 100; with 0.25, 57."""

N_DRAWS: Final = 4000
"""Draws of all strengths: the share of one rank is then known to 0.8 percentage points."""

_TIE_PRIOR_SD: Final = 2.0
"""Spread of the logarithm of the tie parameter."""

_STEPS: Final = 200
_CLOSE: Final = 1e-10


@dataclass(frozen=True, eq=False)
class Strengths:
    """Strengths that explain comparisons best.

    Attributes
    ----------
    value : (N,) natural logarithm, sums to 0
    covariance : (N, N) of the contrasts among them: the curvature of the likelihood and the prior
    tie : the tie parameter, 0 where nothing was tied
    log_evidence : logarithm of the probability of the comparisons under the prior, up to a constant that
        all priors share (Laplace's approximation)
    """

    value: FloatArray
    covariance: FloatArray
    tie: float
    log_evidence: float


def fit_davidson(
    better: FloatArray, tied: FloatArray, prior_sd: float, measured: Measured | None = None
) -> Strengths:
    """The strengths of the highest posterior density, by Newton's method; the density has one maximum.

    Parameters
    ----------
    better : (N, N) >= 0
        Row better than column: how often, fractions allowed.
    tied : (N, N) >= 0, symmetric
    prior_sd : > 0
        Of the Gaussian prior on each strength; it keeps who was never beaten finite.
    measured : what is known of the strengths beside the comparisons

    Raises
    ------
    ValueError
        The two are of other shapes, or hold negative counts.
    """
    _check(better, tied)
    n = len(better)
    if measured is None:
        measured = Measured(np.zeros(n), np.zeros((n, n)), 0.0)
    model = _Posterior(better, tied, prior_sd, measured)
    free = np.arange(n + model.has_ties)
    at = np.zeros(n + 1)  # the strengths, and the logarithm of the tie parameter
    for _ in range(_STEPS):
        slope, curvature = model.derivatives(at)
        step = np.zeros(n + 1)
        step[free] = np.linalg.solve(curvature[np.ix_(free, free)], slope[free])
        step *= model.step_size(at, step)
        at = at + step
        if np.abs(step).max() < _CLOSE:
            break
    curvature = model.derivatives(at)[1][np.ix_(free, free)]
    covariance = np.linalg.inv(curvature)[:n, :n]
    centre = np.eye(n) - 1.0 / n
    return Strengths(
        value=at[:n] - at[:n].mean(),
        covariance=centre @ covariance @ centre,
        tie=float(np.exp(at[n])) if model.has_ties else 0.0,
        log_evidence=float(
            model.at(at) - n * np.log(prior_sd) - 0.5 * np.linalg.slogdet(curvature)[1] + measured.log_norm
        ),
    )


@dataclass(frozen=True, eq=False)
class StrengthPosterior:
    """What comparisons say about strengths, whatever their spread.

    Attributes
    ----------
    value : (N,) mean; sums to 0
    draws : (K, N)
    tie : tie parameter, mean over the spreads
    """

    value: FloatArray
    draws: FloatArray
    tie: float


def strength_posterior(
    better: FloatArray,
    tied: FloatArray,
    rng: np.random.Generator,
    n_draws: int = N_DRAWS,
    measured: Sequence[Measured | None] = (None,),
) -> StrengthPosterior:
    """Strengths whose spread is not known: each of `SPREADS` counts by how well it explains the comparisons.

    With one spread for all juries, performances that hardly differ would be distinguished too often.

    Parameters
    ----------
    better, tied : as for `fit_davidson`
    rng, n_draws
    measured : what else is known, in each of several readings; these too count by how well they fit
    """
    fits = [fit_davidson(better, tied, spread, known) for known in measured for spread in SPREADS]
    evidence = np.array([fit.log_evidence for fit in fits])
    weight = np.exp(evidence - evidence.max())
    weight /= weight.sum()
    counts = rng.multinomial(n_draws, weight)
    draws = [normal_draws(fit.value, fit.covariance, rng, n) for fit, n in zip(fits, counts, strict=True)]
    value = (weight[:, None] * np.stack([fit.value for fit in fits])).sum(axis=0)
    tie = float(weight @ [fit.tie for fit in fits])
    return StrengthPosterior(value, np.concatenate(draws), tie)


def normal_draws(mean: FloatArray, covariance: FloatArray, rng: np.random.Generator, n: int) -> FloatArray:
    """(n, N) draws of a normal distribution whose covariance may be singular."""
    values, axes = np.linalg.eigh(covariance)
    root = axes * np.sqrt(np.clip(values, 0.0, None))
    return mean + rng.standard_normal((n, len(mean))) @ root.T


def outcome_chances(strengths: FloatArray, tie: float) -> tuple[FloatArray, FloatArray]:
    """Chances that the row is better than the column, and that the two are tied; (N, N) each."""
    half = (strengths[:, None] - strengths[None, :]) / 2.0
    weight = np.logaddexp(half, -half)
    total = np.logaddexp(weight, np.log(tie)) if tie > 0.0 else weight
    return np.exp(half - total), tie * np.exp(-total)


@dataclass(frozen=True, eq=False)
class _Posterior:
    """Density of the strengths and the logarithm of the tie parameter, (N + 1,) in this order."""

    better: FloatArray
    tied: FloatArray
    prior_sd: float
    measured: Measured

    @property
    def has_ties(self) -> bool:
        return bool(self.tied.sum() > 0.0)

    def at(self, point: FloatArray) -> float:
        """Logarithm of the density, up to a constant; each tie is counted once."""
        strengths, log_tie = point[:-1], point[-1]
        half = (strengths[:, None] - strengths[None, :]) / 2.0
        total = np.logaddexp(half, -half)
        if self.has_ties:
            total = np.logaddexp(total, log_tie)
        said = (self.better * (half - total)).sum() - 0.5 * (self.tied * total).sum()
        off = strengths - self.measured.value
        prior = strengths @ strengths / self.prior_sd**2 + off @ self.measured.precision @ off
        of_tie = self.tied.sum() * log_tie - (log_tie / _TIE_PRIOR_SD) ** 2 if self.has_ties else 0.0
        return float(said - 0.5 * prior + 0.5 * of_tie)

    def derivatives(self, point: FloatArray) -> tuple[FloatArray, FloatArray]:
        """First derivatives, and the second ones turned positive."""
        strengths, log_tie, n = point[:-1], point[-1], len(point) - 1
        win, tie = outcome_chances(strengths, float(np.exp(log_tie)) if self.has_ties else 0.0)
        compared = self.better + self.better.T + self.tied
        compared = compared * ~np.eye(n, dtype=bool)
        lead = win - win.T  # expected outcome of the row, from -1 to 1
        known = np.eye(n) / self.prior_sd**2 + self.measured.precision
        slope, curvature = np.zeros(n + 1), np.zeros((n + 1, n + 1))
        slope[:n] = ((self.better - self.better.T) - compared * lead).sum(axis=1) / 2.0
        slope[:n] += self.measured.precision @ self.measured.value - known @ strengths
        slope[n] = (self.tied - compared * tie).sum() / 2.0 - log_tie / _TIE_PRIOR_SD**2
        spread = compared * (win + win.T - lead**2) / 4.0
        curvature[:n, :n] = np.diag(spread.sum(axis=1)) - spread + known
        curvature[:n, n] = curvature[n, :n] = -(compared * lead * tie).sum(axis=1) / 2.0
        curvature[n, n] = (compared * tie * (1.0 - tie)).sum() / 2.0 + 1.0 / _TIE_PRIOR_SD**2
        return slope, curvature

    def step_size(self, point: FloatArray, step: FloatArray) -> float:
        """Share of a step of Newton's method that does not lower the density."""
        size, here = 1.0, self.at(point)
        while size > _CLOSE and self.at(point + size * step) < here:
            size /= 2.0
        return size


def _check(better: FloatArray, tied: FloatArray) -> None:
    if better.ndim != 2 or better.shape[0] != better.shape[1] or tied.shape != better.shape:
        raise ValueError(f"better has shape {better.shape} and tied {tied.shape}, both must be (N, N)")
    if (better < 0.0).any() or (tied < 0.0).any() or not np.array_equal(tied, tied.T):
        raise ValueError("counts must not be negative, and ties are symmetric")

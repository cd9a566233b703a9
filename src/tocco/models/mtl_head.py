"""Multi-task head: from the vector of a segment to a rating and a variance for every dimension."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from tocco.models.standardise import Standardiser

SMALLEST_SD, LARGEST_SD = 0.5, 50.0
"""Rating points, limits of the predicted sd: raters are not consistent within 0.5; 50 is no information."""

_LOWEST = 2.0 * math.log(SMALLEST_SD)
_HIGHEST = 2.0 * math.log(LARGEST_SD)


@dataclass(frozen=True)
class Verdict:
    """Ratings of a batch.

    Attributes
    ----------
    rating : (B, D) 0..100
    log_variance : (B, D) log of squared rating points, between those of 0.5 and 50 points
    """

    rating: Tensor
    log_variance: Tensor


class MultiTaskHead(nn.Module):
    """One trunk for all dimensions, a small branch for each; statistics of the playing join at the entry.

    Trunk 512-256, branches 256-128-1 with a sigmoid x 100. All branches are computed together. The
    variance of a sample is read off the trunk by its own small layer *behind a stop of the gradient*:
    learning how unsure to be never bends a rating (Seitzer et al., On the pitfalls of heteroscedastic
    uncertainty estimation, 2022). The Kendall-Gal variance, one per dimension, is a weight of the loss
    and lives there (`tocco.losses.uncertainty_loss`).

    In parallel, a linear function of the statistics is fitted in closed form before training
    (`fit_linear_initialisation`) and then fixed: with some hundred labels a ridge regression is hard to beat,
    so the network starts as one and learns its residual.

    Parameters
    ----------
    input_size
        Width of the aggregate.
    statistics_size
        Count of performance statistics; 0 for none.
    dimensions
        Names, in the order of the outputs.
    statistics_width
        To which the statistics are condensed.
    dropout
    """

    plain_weight: Tensor

    def __init__(
        self,
        *,
        input_size: int = 512,
        statistics_size: int,
        dimensions: tuple[str, ...],
        statistics_width: int = 128,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if len(set(dimensions)) != len(dimensions) or not dimensions:
            raise ValueError(f"dimensions must be distinct and at least one, not {dimensions}")
        D = len(dimensions)
        self.dimensions = tuple(dimensions)
        self.dropout = dropout
        self.standardiser = Standardiser(statistics_size)
        self.condense = (
            nn.Sequential(
                nn.Dropout(dropout),
                nn.Linear(2 * statistics_size, 2 * statistics_width),
                nn.GELU(),
                nn.Dropout(dropout),
                nn.Linear(2 * statistics_width, statistics_width),
            )
            if statistics_size
            else None
        )
        width = input_size + (statistics_width if statistics_size else 0)
        self.norm = nn.LayerNorm(width)
        self.trunk = nn.Sequential(
            nn.Linear(width, 512), nn.GELU(), nn.Dropout(dropout), nn.Linear(512, 256), nn.GELU()
        )
        self.branch_weight = nn.Parameter(torch.randn(D, 256, 128) / math.sqrt(256))
        self.branch_bias = nn.Parameter(torch.zeros(D, 128))
        # Small, so that the linear initialisation dominates at first, not the random branches.
        self.rating_weight = nn.Parameter(torch.randn(D, 128) * 0.1 / math.sqrt(128))
        self.rating_bias = nn.Parameter(torch.zeros(D))
        self.unsure = nn.Sequential(nn.Linear(256, 64), nn.GELU())
        self.unsure_weight = nn.Parameter(torch.randn(D, 64) * 0.02)
        self.unsure_bias = nn.Parameter(torch.zeros(D))
        self.register_buffer("plain_weight", torch.zeros(D, self.standardiser.output_size))
        self.initialise(torch.full((D,), 50.0), torch.full((D,), 12.0))

    @torch.no_grad()
    def initialise(self, mean: Tensor, sd: Tensor) -> None:
        """Start at the mean and spread of the training labels, to shorten the training.

        Parameters
        ----------
        mean : (D,) 0..100, of the training labels; a dimension without labels takes NaN and stays put
        sd : (D,) rating points
        """
        share = (mean / 100.0).clamp(0.01, 0.99)
        variance = 2.0 * sd.clamp(1.1 * SMALLEST_SD, 0.9 * LARGEST_SD).log()
        for bias, start in (
            (self.rating_bias, share.logit()),
            (self.unsure_bias, ((variance - _LOWEST) / (_HIGHEST - _LOWEST)).logit()),
        ):
            start = start.to(bias)
            bias.copy_(torch.where(start.isnan(), bias, start))

    @torch.no_grad()
    def fit_linear_initialisation(
        self, statistics: Tensor, label: Tensor, weight: Tensor, penalty: float
    ) -> None:
        """Fit the linear function of the statistics by ridge regression, on the log-odds of the labels.

        Call after the standardiser is fitted and `initialise` has set the usual ratings, from which the
        reading departs. Hoerl & Kennard, Ridge regression, Technometrics 12, 1970.

        Parameters
        ----------
        statistics : (N, P) any unit, NaN = missing
        label : (N, D) 0..100, NaN = missing; a dimension without labels keeps a reading of 0
        weight : (N,) > 0, how much each row counts
        penalty : > 0, a row; the ridge parameter is this times the sum of the weights
        """
        x = self.standardiser(statistics).double()
        for d in range(len(self.dimensions)):
            known = ~label[:, d].isnan()
            if not known.any():
                continue
            w = weight[known].double()
            target = (label[known, d].double() / 100.0).clamp(0.01, 0.99).logit() - self.rating_bias[
                d
            ].double()
            rows = x[known]
            normal = rows.T @ (rows * w[:, None])
            normal.diagonal().add_(penalty * w.sum())
            self.plain_weight[d] = torch.linalg.solve(normal, rows.T @ (w * target)).to(self.plain_weight)

    def forward(self, aggregate: Tensor, statistics: Tensor) -> Verdict:
        """Rate.

        Parameters
        ----------
        aggregate : (B, input_size)
        statistics : (B, P) any unit, NaN = missing
        """
        entry, measured = aggregate, self.standardiser(statistics)
        if self.condense is not None:
            entry = torch.cat((aggregate, self.condense(measured)), dim=-1)
        trunk = self.trunk(self.norm(entry))
        dropped = functional.dropout(trunk, self.dropout, self.training)
        branches = functional.gelu(
            torch.einsum("bh,dhc->bdc", dropped, self.branch_weight) + self.branch_bias
        )
        branches = functional.dropout(branches, self.dropout, self.training)
        rating = torch.einsum("bdc,dc->bd", branches, self.rating_weight) + self.rating_bias
        rating = rating + measured @ self.plain_weight.T
        unsure = self.unsure(trunk.detach()) @ self.unsure_weight.T + self.unsure_bias
        log_variance = _LOWEST + (_HIGHEST - _LOWEST) * unsure.sigmoid()
        return Verdict(100.0 * rating.sigmoid(), log_variance)

"""Standardisation of measured inputs, with flags for missing values."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_CLIP_SD = 5.0


class Standardiser(nn.Module):
    """Each quantity in standard deviations from its mean, with a flag for missing values.

    A missing value (NaN) is 0, the mean, with its flag at 1, so that the following layers can distinguish
    it from an average one. Values are clipped at 5 standard deviations, so that outliers, such as an
    inter-onset interval at a page turn, do not dominate.

    Parameters
    ----------
    n
        Count of quantities.
    """

    mean: Tensor
    sd: Tensor
    unseen: Tensor

    def __init__(self, n: int) -> None:
        super().__init__()
        self.n = n
        self.register_buffer("mean", torch.zeros(n))
        self.register_buffer("sd", torch.ones(n))
        # Kept as a number, since weights are averaged over training as numbers.
        self.register_buffer("unseen", torch.zeros(n))

    @property
    def output_size(self) -> int:
        """Width of the result: a value and a flag for each quantity."""
        return 2 * self.n

    @torch.no_grad()
    def fit(self, values: Tensor) -> None:
        """Compute mean and spread, from training data only.

        A constant quantity has a spread of 0, and is then always 0; one without any value is treated as
        missing from then on.

        Parameters
        ----------
        values : (..., n) any unit, NaN = missing
        """
        if values.shape[-1] != self.n:
            raise ValueError(f"{values.shape[-1]} quantities given to a standardiser of {self.n}")
        rows = values.detach().reshape(-1, self.n).double()
        if torch.isinf(rows).any():
            raise ValueError(
                f"infinite values in columns {torch.isinf(rows).any(0).nonzero()[:, 0].tolist()}"
            )
        known = ~torch.isnan(rows)
        count = known.sum(0)
        mean = rows.nan_to_num(nan=0.0).sum(0) / count.clamp(min=1)
        squares = torch.where(known, (rows - mean).square(), 0.0).sum(0)
        sd = (squares / count.clamp(min=1)).sqrt()
        constant = sd <= 1e-6 * mean.abs().clamp(min=1e-6)
        self.mean.copy_(mean)
        self.sd.copy_(torch.where(constant, 0.0, sd))
        self.unseen.copy_(count == 0)

    def forward(self, values: Tensor) -> Tensor:
        """Standardised values, then flags.

        Parameters
        ----------
        values : (..., n) any unit, NaN = missing

        Returns
        -------
        (..., 2n)
            The first n within +-5 and 0 where missing; the last n are 1 where missing, else 0.
        """
        missing = torch.isnan(values) | (self.unseen > 0.5)
        silent = missing | (self.sd == 0)
        scaled = ((values - self.mean) / torch.where(self.sd == 0, 1.0, self.sd)).clamp(-_CLIP_SD, _CLIP_SD)
        return torch.cat((scaled.masked_fill(silent, 0.0), missing.to(scaled.dtype)), dim=-1)

"""Training losses: uncertainty-weighted squared errors, and a likelihood for the predicted variance."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tocco.losses.rating_losses import RATING_LOSSES, USUAL_LABEL_VARIANCE, squared_error


@dataclass(frozen=True)
class WeightedLoss:
    """The loss of a batch and its parts.

    Attributes
    ----------
    total : ()
    squared_error : (D,) squared rating points; NaN for a dimension without a label in the batch
    sigma : (D,) rating points, the learned spread of each dimension
    n_labels : (D,) count
    """

    total: Tensor
    squared_error: Tensor
    sigma: Tensor
    n_labels: Tensor


def label_weight(label_sd: Tensor, n_raters: Tensor, residual_sd: float = 10.0) -> Tensor:
    """Weight of a label: lower where few raters disagreed.

    The mean of n raters with standard deviation s has the error variance s^2 / n, in addition to the
    residual variance of the model; the weight is the inverse of the sum, scaled to 1 for a label without
    error (weighted least squares, Aitken 1936).

    Parameters
    ----------
    label_sd : (...) rating points; NaN = unknown
    n_raters : (...) count; NaN or 0 = unknown
    residual_sd : rating points, > 0
        Residual standard deviation of the model for labels without error.

    Returns
    -------
    (...) 0..1; 1 where either is unknown

    Examples
    --------
    >>> label_weight(torch.tensor([20.0, 20.0]), torch.tensor([4.0, float("nan")]))
    tensor([0.5000, 1.0000])
    """
    known = torch.isfinite(label_sd) & torch.isfinite(n_raters) & (n_raters > 0)
    error = label_sd.square() / n_raters
    floor = residual_sd**2
    return torch.where(known, floor / (floor + error.masked_fill(~known, 0.0)), 1.0)


class UncertaintyWeightedLoss(nn.Module):
    """Squared errors on all dimensions, each weighted by a learned variance.

    `sum_d 0.5 exp(-s_d) L_d + 0.5 s_d` with `s_d` the log-variance of dimension d and `L_d` its mean
    squared error on 0 to 100 (Kendall, Gal and Cipolla, Multi-task learning using uncertainty, 2018).
    The variances start at those of the labels: from a variance of 1, squared errors of some hundred
    points would make the first steps too large. Missing labels are ignored; a dimension without labels in
    the batch has no loss.

    Parameters
    ----------
    dimensions
        Names, in the order of the columns.
    rating_loss
        Loss of a dimension in the place of the squared error; one of `RATING_LOSSES`.
    learned
        False: all dimensions keep the variance `USUAL_LABEL_VARIANCE`, and so the same weight.
    """

    def __init__(
        self, dimensions: tuple[str, ...], *, rating_loss: str = "mse", learned: bool = True
    ) -> None:
        super().__init__()
        self.dimensions = tuple(dimensions)
        self.rating_loss = RATING_LOSSES[rating_loss]
        start = torch.full((len(self.dimensions),), USUAL_LABEL_VARIANCE).log()
        self.log_variance = nn.Parameter(start, requires_grad=learned)

    @torch.no_grad()
    def initialise(self, label_sd: Tensor) -> None:
        """Start at the standard deviation of the training labels.

        Parameters
        ----------
        label_sd : (D,) rating points, over the segments; NaN where a dimension has no labels
            Spreads below one point count as one. Without effect where the variances are not learned.
        """
        if not self.log_variance.requires_grad:
            return
        start = 2.0 * label_sd.to(self.log_variance).clamp(min=1.0).log()
        self.log_variance.copy_(torch.where(start.isnan(), self.log_variance, start))

    def forward(
        self, rating: Tensor, label: Tensor, mask: Tensor | None = None, weight: Tensor | None = None
    ) -> WeightedLoss:
        """Loss of a batch.

        Parameters
        ----------
        rating : (B, D) 0..100
        label : (B, D) 0..100, NaN = missing
        mask : (B, D) True = use the label, all if None
        weight : (B, D) >= 0, 1 if None
            See `label_weight`.
        """
        used = known_labels(label, mask)
        share = used.to(rating.dtype) if weight is None else torch.where(used, weight, 0.0)
        known = label.masked_fill(~used, 0.0)
        present = share.sum(0) > 0
        error = self.rating_loss(rating, known, share)
        s = self.log_variance
        single = torch.where(present, 0.5 * torch.exp(-s) * error + 0.5 * s, 0.0)
        return WeightedLoss(
            total=single.sum(),
            squared_error=squared_error(rating.detach(), known, share).masked_fill(~present, float("nan")),
            sigma=(0.5 * s.detach()).exp(),
            n_labels=used.sum(0),
        )


def known_labels(label: Tensor, mask: Tensor | None = None) -> Tensor:
    """(B, D) True where there is a label that the mask, if any, includes."""
    known = ~torch.isnan(label)
    return known if mask is None else known & mask


def heteroscedastic_nll(
    rating: Tensor, log_variance: Tensor, label: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Gaussian negative log-likelihood of the errors under the predicted variance.

    Without its constant, and with the rating held fixed. Trained jointly, the likelihood would compensate
    large errors by a large variance instead of correcting them (Seitzer et al., On the pitfalls of
    heteroscedastic uncertainty estimation, 2022); so it trains the variance alone.

    Parameters
    ----------
    rating : (B, D) 0..100
    log_variance : (B, D) log of squared rating points
    label : (B, D) 0..100, NaN = missing
    mask : (B, D) True = use the label, all if None

    Returns
    -------
    () nats per label; 0 for a batch without labels
    """
    used = known_labels(label, mask)
    squares = (rating.detach() - label.masked_fill(~used, 0.0)).square()
    single = 0.5 * (log_variance + squares * torch.exp(-log_variance))
    return single.masked_fill(~used, 0.0).sum() / used.sum().clamp(min=1)

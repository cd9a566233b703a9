"""Losses of ratings on 0 to 100: squared error, ordinal regression, and order within a batch.

All are in squared rating points or on their scale, so that weights of dimensions and learning rates carry
over from one to another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

USUAL_LABEL_VARIANCE = 144.0
"""Squared rating points: labels have a standard deviation of about 12 points on most dimensions."""

LEVELS: Final = tuple(range(5, 100, 5))
"""Ratings that ordinal regression asks about: is the label above?"""

_LEVEL_SPREAD = 0.25
_ORDER_POINTS = 10.0


def squared_error(rating: Tensor, label: Tensor, share: Tensor) -> Tensor:
    """Weighted mean of squared errors.

    Parameters
    ----------
    rating, label : (B, D) 0..100
    share : (B, D) >= 0, weight of each label; 0 = missing

    Returns
    -------
    (D,) squared rating points; 0 for a dimension without labels
    """
    return _mean((rating - label).square(), share)


def ordinal(rating: Tensor, label: Tensor, share: Tensor) -> Tensor:
    """Ordinal regression: for each of `LEVELS`, the cross-entropy of "the label is above".

    The answers share one predictor and differ by a threshold alone, so they never contradict each other
    (CORAL: Cao, Mirjalili and Raschka, Rank consistent ordinal regression for neural networks, 2020).
    The thresholds are the log-odds of the levels, not learned: the rating is then the level at which the
    probability of "above" is one half.

    Parameters and result as for `squared_error`; the cross-entropy in nats times `USUAL_LABEL_VARIANCE`.
    """
    level = torch.tensor(LEVELS, dtype=rating.dtype, device=rating.device)
    # In single precision: half precision cannot hold ratings near the ends apart from them.
    odds = torch.logit(rating.float() / 100.0, eps=1e-4)[..., None] - torch.logit(level.float() / 100.0)
    # A label on a level is half above it, or every such label would be read half a step too low.
    half = torch.tensor(0.5, device=rating.device)
    above = torch.heaviside(label[..., None].float() - level.float(), half)
    single = functional.binary_cross_entropy_with_logits(odds / _LEVEL_SPREAD, above, reduction="none")
    return USUAL_LABEL_VARIANCE * _mean(single.mean(-1), share)


def order(rating: Tensor, label: Tensor, share: Tensor) -> Tensor:
    """Squared error, and for each pair of the batch the cross-entropy of which of the two is rated higher.

    The probability is a logistic function of the difference of the ratings (RankNet: Burges et al., Learning
    to rank using gradient descent, 2005). The order alone would leave the level open.

    Parameters and result as for `squared_error`; the cross-entropy in nats times `USUAL_LABEL_VARIANCE`.
    """
    difference = (rating[:, None] - rating[None]) / _ORDER_POINTS
    higher = label[:, None] > label[None]
    pairs = higher * share[:, None] * share[None]
    single = functional.softplus(-difference).flatten(0, 1)
    ordered = _mean(single, pairs.flatten(0, 1))
    return squared_error(rating, label, share) + USUAL_LABEL_VARIANCE * ordered


def _mean(single: Tensor, weight: Tensor) -> Tensor:
    total = weight.sum(0)
    return (single * weight).sum(0) / total.masked_fill(total <= 0, 1.0)


RATING_LOSSES: Final[Mapping[str, Callable[[Tensor, Tensor, Tensor], Tensor]]] = {
    "mse": squared_error,
    "coral": ordinal,
    "ranking": order,
}
"""Losses by their names in `training.rating_loss`."""

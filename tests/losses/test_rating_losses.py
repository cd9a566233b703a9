import math

import pytest
import torch

from tocco.losses.rating_losses import LEVELS, RATING_LOSSES, USUAL_LABEL_VARIANCE
from tocco.losses.uncertainty_loss import UncertaintyWeightedLoss

NAMES = sorted(RATING_LOSSES)


def minimised(name: str, label: torch.Tensor) -> torch.Tensor:
    """Ratings that the loss leads to."""
    logit = torch.zeros_like(label, requires_grad=True)
    optimizer = torch.optim.Adam([logit], lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        RATING_LOSSES[name](100.0 * logit.sigmoid(), label, torch.ones_like(label)).sum().backward()
        optimizer.step()
    return 100.0 * logit.detach().sigmoid()


@pytest.mark.parametrize(("name", "tolerance"), [("mse", 0.5), ("coral", 2.6), ("ranking", 4.0)])
def test_every_loss_leads_to_the_labels(name: str, tolerance: float) -> None:
    label = torch.tensor([[20.0, 62.0], [45.0, 38.0], [71.0, 88.0]])
    rating = minimised(name, label)
    assert (rating - label).abs().max() < tolerance
    assert torch.equal(rating.argsort(0), label.argsort(0))


@pytest.mark.parametrize("name", NAMES)
def test_missing_labels_do_not_count(name: str) -> None:
    rating, label = torch.rand(4, 2) * 100, torch.rand(4, 2) * 100
    share = torch.ones(4, 2)
    share[2:, 0] = 0.0
    share[:, 1] = 0.0
    first = RATING_LOSSES[name](rating, label, share)
    second = RATING_LOSSES[name](rating[:2], label[:2], share[:2])
    torch.testing.assert_close(first, second)
    assert first[1] == 0.0


def test_ordinal_regression_is_the_mean_cross_entropy_over_the_levels() -> None:
    """Against the definition, at a rating of 40 and a label of 52."""
    expected = 0.0
    for level in LEVELS:
        odds = (math.log(0.4 / 0.6) - math.log(level / (100 - level))) / 0.25
        p = 1 / (1 + math.exp(-odds))
        expected -= math.log(p if level < 52 else 1 - p)
    got = RATING_LOSSES["coral"](torch.tensor([[40.0]]), torch.tensor([[52.0]]), torch.ones(1, 1))
    assert got.item() == pytest.approx(USUAL_LABEL_VARIANCE * expected / len(LEVELS), rel=1e-4)


def test_the_order_of_a_pair_counts_once() -> None:
    rating, label = torch.tensor([[30.0], [50.0]]), torch.tensor([[60.0], [40.0]])
    got = RATING_LOSSES["ranking"](rating, label, torch.ones(2, 1))
    assert got.item() == pytest.approx((900 + 100) / 2 + USUAL_LABEL_VARIANCE * math.log(1 + math.exp(2)))


def test_equal_labels_have_no_order() -> None:
    rating, label = torch.tensor([[30.0], [50.0]]), torch.full((2, 1), 40.0)
    assert RATING_LOSSES["ranking"](rating, label, torch.ones(2, 1)).item() == pytest.approx(100.0)


def test_extreme_ratings_have_a_finite_loss() -> None:
    rating = torch.tensor([[0.0], [100.0]], requires_grad=True)
    loss = RATING_LOSSES["coral"](rating, torch.tensor([[100.0], [0.0]]), torch.ones(2, 1))
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(rating.grad).all()


def test_equal_weights_stay_equal() -> None:
    loss = UncertaintyWeightedLoss(("a", "b"), learned=False)
    loss.initialise(torch.tensor([3.0, 30.0]))
    rating, label = torch.tensor([[10.0, 20.0]]), torch.tensor([[20.0, 30.0]])
    result = loss(rating, label)
    assert result.sigma.tolist() == [12.0, 12.0]
    assert not list(filter(lambda p: p.requires_grad, loss.parameters()))
    expected = 2 * (0.5 * 100 / USUAL_LABEL_VARIANCE + 0.5 * math.log(USUAL_LABEL_VARIANCE))
    assert result.total.item() == pytest.approx(expected)


def test_what_is_logged_is_the_squared_error_whatever_the_loss() -> None:
    rating, label = torch.tensor([[10.0]]), torch.tensor([[20.0]])
    assert UncertaintyWeightedLoss(("a",), rating_loss="coral")(rating, label).squared_error.item() == 100.0

import math

import pytest
import torch

from tocco.losses.uncertainty_loss import (
    UncertaintyWeightedLoss,
    heteroscedastic_nll,
    known_labels,
    label_weight,
)

NAN = float("nan")


def test_known_answer():
    loss = UncertaintyWeightedLoss(("a", "b"))
    loss.initialise(torch.tensor([10.0, 5.0]))
    rating = torch.tensor([[50.0, 40.0], [60.0, 40.0]])
    label = torch.tensor([[40.0, 43.0], [40.0, NAN]])
    out = loss(rating, label)
    # a: (10^2 + 20^2) / 2 = 250 over variance 100; b: 3^2 = 9 over variance 25
    expected = 0.5 * (250 / 100 + math.log(100) + 9 / 25 + math.log(25))
    assert out.total.item() == pytest.approx(expected, rel=1e-6)
    assert out.squared_error.tolist() == [250.0, 9.0]
    assert out.sigma.tolist() == pytest.approx([10.0, 5.0])
    assert out.n_labels.tolist() == [2, 1]


def test_missing_labels_have_no_pull():
    loss = UncertaintyWeightedLoss(("a", "b", "c"))
    rating = torch.full((2, 3), 50.0, requires_grad=True)
    label = torch.tensor([[40.0, NAN, 70.0], [NAN, NAN, 20.0]])
    mask = torch.tensor([[True, True, False], [True, True, False]])
    out = loss(rating, label, mask)
    out.total.backward()
    assert rating.grad is not None
    assert (rating.grad != 0).tolist() == [[True, False, False], [False, False, False]]
    assert torch.isfinite(rating.grad).all()
    assert (loss.log_variance.grad != 0).tolist() == [True, False, False]
    assert torch.isnan(out.squared_error).tolist() == [False, True, True]


def test_a_batch_without_labels_is_zero_and_can_be_stepped():
    loss = UncertaintyWeightedLoss(("a",))
    rating = torch.full((3, 1), 50.0, requires_grad=True)
    out = loss(rating, torch.full((3, 1), NAN))
    out.total.backward()
    assert out.total.item() == 0.0
    assert rating.grad is not None
    assert not rating.grad.any()


def test_the_learned_spread_is_the_root_mean_squared_error():
    loss = UncertaintyWeightedLoss(("a", "b"))
    rating, label = torch.full((40, 2), 50.0), 50.0 + torch.randn(40, 2) * torch.tensor([3.0, 15.0])
    optimiser = torch.optim.Adam(loss.parameters(), lr=0.1)
    for _ in range(300):
        optimiser.zero_grad()
        loss(rating, label).total.backward()
        optimiser.step()
    rmse = (rating - label).square().mean(0).sqrt()
    torch.testing.assert_close(loss(rating, label).sigma, rmse, rtol=0.01, atol=0)


def test_begins_stable_on_the_scale_of_ratings():
    loss = UncertaintyWeightedLoss(("a",))
    rating = torch.tensor([[50.0]], requires_grad=True)
    loss(rating, torch.tensor([[62.0]])).total.backward()
    assert rating.grad is not None
    assert rating.grad.abs().item() == pytest.approx(12 / 144)
    assert loss.log_variance.grad is not None
    assert loss.log_variance.grad.abs().item() < 1e-6


def test_initialise_keeps_dimensions_without_labels_and_tiny_spreads_off_zero():
    loss = UncertaintyWeightedLoss(("a", "b"))
    loss.initialise(torch.tensor([NAN, 0.0]))
    assert loss.log_variance.exp().tolist() == pytest.approx([144.0, 1.0])


def test_weights_are_a_weighted_mean():
    loss = UncertaintyWeightedLoss(("a",))
    rating, label = torch.zeros(2, 1), torch.tensor([[10.0], [20.0]])
    out = loss(rating, label, weight=torch.tensor([[3.0], [1.0]]))
    assert out.squared_error.item() == pytest.approx((3 * 100 + 400) / 4)
    half = loss(rating, label, weight=torch.tensor([[0.5], [0.5]]))
    assert half.total.item() == pytest.approx(loss(rating, label).total.item())


def test_a_zero_weight_is_a_missing_label():
    out = UncertaintyWeightedLoss(("a",))(torch.zeros(1, 1), torch.ones(1, 1), weight=torch.zeros(1, 1))
    assert out.total.item() == 0.0
    assert torch.isnan(out.squared_error).all()


def test_label_weight_known_answers():
    sd, raters = torch.tensor([0.0, 10.0, 20.0, NAN, 5.0]), torch.tensor([3.0, 1.0, 16.0, 4.0, 0.0])
    assert label_weight(sd, raters).tolist() == pytest.approx([1.0, 0.5, 0.8, 1.0, 1.0])


def test_known_labels():
    label, mask = torch.tensor([1.0, NAN, 2.0]), torch.tensor([True, True, False])
    assert known_labels(label).tolist() == [True, False, True]
    assert known_labels(label, mask).tolist() == [True, False, False]


def test_nll_equals_torch():
    rating, label, log_variance = torch.rand(6, 2) * 100, torch.rand(6, 2) * 100, torch.randn(6, 2) + 4
    expected = torch.nn.functional.gaussian_nll_loss(rating, label, log_variance.exp())
    torch.testing.assert_close(heteroscedastic_nll(rating, log_variance, label), expected)
    label[0, 0] = NAN
    rest = torch.nn.functional.gaussian_nll_loss(
        rating.flatten()[1:], label.flatten()[1:], log_variance.exp().flatten()[1:]
    )
    torch.testing.assert_close(heteroscedastic_nll(rating, log_variance, label), rest)


def test_nll_moves_the_spread_and_never_the_rating():
    rating = torch.tensor([[50.0, 50.0]], requires_grad=True)
    log_variance = torch.full((1, 2), math.log(100.0), requires_grad=True)
    heteroscedastic_nll(rating, log_variance, torch.tensor([[90.0, 51.0]])).backward()
    assert rating.grad is None
    assert log_variance.grad is not None
    assert log_variance.grad[0, 0] < 0 < log_variance.grad[0, 1]


def test_nll_without_labels_is_zero():
    value = heteroscedastic_nll(torch.zeros(2, 1), torch.zeros(2, 1), torch.full((2, 1), NAN))
    assert value.item() == 0.0

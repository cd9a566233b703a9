import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from torch.nn import functional

from tocco.models.mtl_head import MultiTaskHead

NAMES = ("phrasing", "musicality", "tone_quality")


def _head(**changes) -> MultiTaskHead:
    values = {"input_size": 16, "statistics_size": 4, "dimensions": NAMES, "dropout": 0.3}
    return MultiTaskHead(**(values | changes)).eval()


def test_stated_sizes():
    head = MultiTaskHead(statistics_size=200, dimensions=NAMES)
    assert head.trunk[0].in_features == 512 + 128
    assert [layer.out_features for layer in (head.trunk[0], head.trunk[3])] == [512, 256]
    assert head.branch_weight.shape == (3, 256, 128)
    assert head.rating_weight.shape == (3, 128)


def test_batched_branches_equal_separate_ones():
    head, aggregate, statistics = _head(), torch.randn(5, 16), torch.randn(5, 4)
    verdict = head(aggregate, statistics)
    assert head.condense is not None
    trunk = head.trunk(head.norm(torch.cat((aggregate, head.condense(head.standardiser(statistics))), -1)))
    for d in range(3):
        hidden = functional.gelu(functional.linear(trunk, head.branch_weight[d].T, head.branch_bias[d]))
        rating = 100 * torch.sigmoid(
            functional.linear(hidden, head.rating_weight[d : d + 1], head.rating_bias[d : d + 1])
        )
        torch.testing.assert_close(verdict.rating[:, d], rating[:, 0], atol=1e-4, rtol=0)


def test_begins_at_the_training_labels():
    head = _head()
    head.initialise(torch.tensor([30.0, 80.0, float("nan")]), torch.tensor([5.0, 20.0, float("nan")]))
    with torch.no_grad():
        head.rating_weight.zero_()
        head.unsure_weight.zero_()
    verdict = head(torch.randn(2, 16), torch.randn(2, 4))
    torch.testing.assert_close(verdict.rating, torch.tensor([[30.0, 80.0, 50.0]] * 2))
    expected = torch.tensor([[5.0, 20.0, 12.0]] * 2)
    torch.testing.assert_close((0.5 * verdict.log_variance).exp(), expected)


def test_ratings_and_spread_stay_in_their_ranges():
    verdict = _head()(torch.randn(50, 16) * 1e4, torch.randn(50, 4) * 1e6)
    assert ((verdict.rating >= 0) & (verdict.rating <= 100)).all()
    assert verdict.log_variance.min() >= 2 * math.log(0.5) - 1e-5
    assert verdict.log_variance.max() <= 2 * math.log(50.0) + 1e-5


def test_missing_statistics_are_heard_as_missing():
    head, aggregate = _head(), torch.randn(1, 16)
    missing = head(aggregate, torch.full((1, 4), float("nan"))).rating
    usual = head(aggregate, torch.zeros(1, 4)).rating
    assert torch.isfinite(missing).all()
    assert (missing - usual).abs().max() > 1e-3


def test_without_statistics():
    head = _head(statistics_size=0)
    assert head.condense is None
    assert head(torch.randn(2, 16), torch.zeros(2, 0)).rating.shape == (2, 3)


def test_learning_the_spread_never_touches_the_ratings():
    head = _head()
    head(torch.randn(3, 16), torch.randn(3, 4)).log_variance.sum().backward()
    touched = {
        name.split(".")[0] for name, p in head.named_parameters() if p.grad is not None and p.grad.any()
    }
    assert touched == {"unsure", "unsure_weight", "unsure_bias"}


@pytest.mark.parametrize("names", [(), ("phrasing", "phrasing")])
def test_names_have_to_be_distinct(names: tuple[str, ...]):
    with pytest.raises(ValueError, match="dimensions must be distinct"):
        _head(dimensions=names)


def test_the_plain_reading_is_the_ridge_regression_of_the_log_odds() -> None:
    generator = torch.Generator().manual_seed(3)
    head = MultiTaskHead(input_size=8, statistics_size=3, dimensions=("a", "b", "c"), statistics_width=4)
    statistics = torch.randn(60, 3, generator=generator) * torch.tensor([1.0, 5.0, 0.1])
    label = torch.rand(60, 3, generator=generator) * 60 + 20
    label[:10, 1], label[:, 2] = float("nan"), float("nan")
    weight = torch.rand(60, generator=generator) + 0.5
    head.standardiser.fit(statistics)
    head.initialise(torch.tensor([50.0, 45.0, float("nan")]), torch.tensor([10.0, 10.0, 10.0]))
    head.fit_plain_reading(statistics, label, weight, penalty=0.5)
    for d, usual in ((0, 50.0), (1, 45.0)):
        known = ~label[:, d].isnan()
        rows = head.standardiser(statistics[known]).numpy()
        share = label[known, d].numpy() / 100
        target = np.log(share / (1 - share)) - np.log(usual / (100 - usual))
        w = weight[known].numpy()
        ridge = Ridge(alpha=0.5 * w.sum(), fit_intercept=False).fit(rows, target, sample_weight=w)
        np.testing.assert_allclose(head.plain_weight[d].numpy(), ridge.coef_, atol=1e-5)
    assert head.plain_weight[2].abs().max() == 0


def test_the_head_begins_near_its_plain_reading() -> None:
    torch.manual_seed(0)
    head = MultiTaskHead(input_size=8, statistics_size=2, dimensions=("a",), statistics_width=4).eval()
    statistics = torch.linspace(-2, 2, 41)[:, None].repeat(1, 2)
    label = 50 + 10 * statistics[:, :1]
    head.standardiser.fit(statistics)
    head.fit_plain_reading(statistics, label, torch.ones(41), penalty=1e-3)
    rating = head(torch.zeros(41, 8), statistics).rating
    assert (rating - label).abs().mean() < 3.0

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from torch.nn import functional

from tocco.models.mtl_head import LARGEST_SD, SMALLEST_SD, MultiTaskHead

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
    head.fit_linear_initialisation(statistics, label, weight, penalty=0.5)
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
    head.fit_linear_initialisation(statistics, label, torch.ones(41), penalty=1e-3)
    rating = head(torch.zeros(41, 8), statistics).rating
    assert (rating - label).abs().mean() < 3.0


def test_defaults_and_beginnings_are_the_stated_ones() -> None:
    head = MultiTaskHead(statistics_size=200, dimensions=NAMES)
    assert (SMALLEST_SD, LARGEST_SD) == (0.5, 50.0)
    assert head.dropout == 0.1
    assert head.condense is not None
    assert [layer.p for layer in head.condense if isinstance(layer, torch.nn.Dropout)] == [0.1, 0.1]
    assert [tuple(layer.weight.shape) for layer in head.condense if hasattr(layer, "weight")] == [
        (256, 400),
        (128, 256),
    ]
    assert head.trunk[2].p == 0.1
    assert head.unsure[0].weight.shape == (64, 256)
    # Signals keep their size through the branches, ratings begin with a tenth of it.
    assert head.branch_weight.std().item() == pytest.approx(1 / 16, rel=0.03)
    assert head.rating_weight.std().item() == pytest.approx(0.1 / math.sqrt(128), rel=0.12)
    assert head.unsure_weight.std().item() == pytest.approx(0.02, rel=0.15)
    assert not head.branch_bias.any()
    assert head.plain_weight.shape == (3, 400)
    assert not head.plain_weight.any()
    torch.testing.assert_close(100 * head.rating_bias.sigmoid(), torch.full((3,), 50.0))


def test_beginnings_at_the_ends_of_the_scale_stay_finite() -> None:
    head = _head()
    head.initialise(torch.tensor([0.0, 100.0, 1.0]), torch.tensor([0.1, 99.0, 12.0]))
    torch.testing.assert_close(100 * head.rating_bias.sigmoid(), torch.tensor([1.0, 99.0, 1.0]))
    with torch.no_grad():
        head.unsure_weight.zero_()
    sd = (0.5 * head(torch.zeros(1, 16), torch.zeros(1, 4)).log_variance).exp()
    torch.testing.assert_close(sd[0], torch.tensor([0.55, 45.0, 12.0]), rtol=1e-4, atol=0)


def test_the_spread_lies_between_its_limits_on_the_scale_of_its_logarithm() -> None:
    head = _head()
    with torch.no_grad():
        head.unsure_weight.zero_()
        head.unsure_bias.copy_(torch.tensor([0.0, math.log(3.0), -math.log(3.0)]))
    log_variance = head(torch.zeros(1, 16), torch.zeros(1, 4)).log_variance[0]
    low, high = 2 * math.log(0.5), 2 * math.log(50.0)
    expected = [low + share * (high - low) for share in (0.5, 0.75, 0.25)]
    assert log_variance.tolist() == pytest.approx(expected, rel=1e-5)


def test_labels_at_the_ends_of_the_scale_count_as_1_and_99() -> None:
    head = _head(statistics_size=1)
    statistics = torch.tensor([[-1.0], [1.0]])
    head.standardiser.fit(statistics)
    label = torch.tensor([[0.0, 1.0, 50.0], [100.0, 99.0, 50.0]])
    head.fit_linear_initialisation(statistics, label, torch.ones(2), penalty=0.25)
    # One statistic of -1 and 1: sum of x y over n (1 + penalty), the log-odds of 1 in 100 being -+ 4.595.
    expected = math.log(99.0) / 1.25
    assert head.plain_weight[:, 0].tolist() == pytest.approx([expected, expected, 0.0], rel=1e-5)


def test_one_label_is_enough_for_a_reading() -> None:
    head = _head(statistics_size=1)
    head.standardiser.fit(torch.tensor([[-1.0], [1.0]]))
    label = torch.tensor([[80.0, float("nan"), float("nan")], [float("nan")] * 3])
    head.fit_linear_initialisation(torch.tensor([[-1.0], [1.0]]), label, torch.ones(2), penalty=1.0)
    assert head.plain_weight[0, 0].item() == pytest.approx(-math.log(4.0) / 2)
    assert not head.plain_weight[1:].any()


def test_dropout_acts_on_trunk_and_branches_in_training_only() -> None:
    head = _head(dropout=0.5)
    aggregate, statistics = torch.randn(2, 16), torch.randn(2, 4)
    assert torch.equal(head(aggregate, statistics).rating, head(aggregate, statistics).rating)
    head.train()
    with torch.no_grad():
        head.norm.weight.zero_()  # the trunk then sees its biases alone, and no dropout before it counts
        head.trunk[2].p = 0.0
        head.rating_weight.fill_(1.0)
        once, again = head(aggregate, statistics), head(aggregate, statistics)
    assert not torch.equal(once.rating, again.rating)
    torch.testing.assert_close(once.log_variance, again.log_variance)

import pytest
import torch

from tocco.models.aggregation import Frames, HierarchicalAggregator, mean_and_sd, pool_frames


def _frames(n_frames: int = 9, width: int = 12, lengths: tuple[int, ...] = (9, 5)) -> Frames:
    B, T, H = len(lengths), n_frames, width
    mask = torch.arange(T) < torch.tensor(lengths)[:, None]
    features = torch.randn(B, T, H) * mask[..., None]
    return Frames(features, mask, (torch.arange(T) * 0.1).expand(B, -1))


def _aggregator(**changes) -> HierarchicalAggregator:
    values = {"input_size": 12, "hidden_size": 8, "layers": 2, "heads": 4, "pool_frames": 2}
    return HierarchicalAggregator(**(values | changes)).eval()


def test_pooling_known_answer():
    features = torch.tensor([[1.0], [3.0], [5.0], [7.0], [9.0]])[None]
    mask = torch.tensor([[True, True, True, False, False]])
    pooled = pool_frames(Frames(features, mask, torch.tensor([[0.0, 0.1, 0.2, 0.3, 0.4]])), 2)
    assert pooled.features[0, :, 0].tolist() == [2.0, 5.0, 0.0]
    assert pooled.mask.tolist() == [[True, True, False]]
    torch.testing.assert_close(pooled.time_sec, torch.tensor([[0.05, 0.2, 0.0]]))


def test_pooling_by_one_is_nothing_and_by_none_is_refused():
    frames = _frames()
    assert pool_frames(frames, 1) is frames
    with pytest.raises(ValueError, match="0 frames cannot be pooled"):
        pool_frames(frames, 0)


def test_mean_and_sd_equal_numpy_on_the_real_frames():
    frames = _frames()
    out = mean_and_sd(frames.features, frames.mask)
    real = frames.features[1, :5].numpy()
    torch.testing.assert_close(out[1, :12], torch.tensor(real.mean(0)))
    torch.testing.assert_close(out[1, 12:], torch.tensor((real.var(0) + 1e-4) ** 0.5))


def test_stated_sizes():
    frames = _frames(30, 1024, (30, 20))
    summed = HierarchicalAggregator().eval()(frames.features, frames.mask, frames.time_sec)
    assert summed.vector.shape == (2, 512)
    assert summed.attention.shape == (2, 4, 15)


def test_attention_is_a_distribution_over_the_real_moments():
    frames = _frames()
    summed = _aggregator()(frames.features, frames.mask, frames.time_sec)
    torch.testing.assert_close(summed.attention.sum(-1), torch.ones(2, 4))
    assert not summed.attention[1, :, 3:].any()
    assert (summed.attention[1, :, :3] > 0).all()
    torch.testing.assert_close(summed.time_sec[0], torch.tensor([0.05, 0.25, 0.45, 0.65, 0.8]))
    assert torch.isnan(summed.time_sec[1]).tolist() == [False, False, False, True, True]


def test_begins_close_to_mean_and_sd():
    frames, aggregator = _frames(), _aggregator()
    summed = aggregator(frames.features, frames.mask, frames.time_sec)
    even = 1.0 / frames.mask[:, ::2].sum(1).float()
    assert (summed.attention[0] - even[0]).abs().max() < 0.2 * even[0]
    pooled = pool_frames(frames, 2)
    overview = aggregator.overview(mean_and_sd(pooled.features, pooled.mask))
    assert torch.linalg.norm(summed.vector - overview) < 0.15 * torch.linalg.norm(overview)


def test_padding_changes_nothing():
    frames, aggregator = _frames(), _aggregator()
    summed = aggregator(frames.features, frames.mask, frames.time_sec)
    alone = aggregator(frames.features[1:, :5], frames.mask[1:, :5], frames.time_sec[1:, :5])
    torch.testing.assert_close(summed.vector[1:], alone.vector, atol=1e-6, rtol=0)
    torch.testing.assert_close(summed.attention[1:, :, :3], alone.attention, atol=1e-6, rtol=0)


def test_order_of_the_moments_counts():
    frames, aggregator = _frames(), _aggregator()
    there = aggregator(frames.features[:1], frames.mask[:1], frames.time_sec[:1]).vector
    back = aggregator(frames.features[:1].flip(1), frames.mask[:1], frames.time_sec[:1]).vector
    assert (there - back).abs().max() > 1e-4


def test_one_moment_has_a_finite_slope():
    aggregator = _aggregator(layers=1)
    features = torch.zeros(1, 1, 12, requires_grad=True)
    aggregator(features, torch.ones(1, 1, dtype=torch.bool), torch.zeros(1, 1)).vector.sum().backward()
    assert features.grad is not None
    assert torch.isfinite(features.grad).all()


def test_sizes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match="hidden_size 9 cannot be split into 4 heads"):
        _aggregator(hidden_size=9)


def test_a_short_last_run_is_pooled_from_what_it_has():
    features = torch.arange(7.0)[None, :, None]
    pooled = pool_frames(Frames(features, torch.ones(1, 7, dtype=torch.bool), features[..., 0]), 3)
    assert pooled.features[0, :, 0].tolist() == [1.0, 4.0, 6.0]
    assert pooled.time_sec.tolist() == [[1.0, 4.0, 6.0]]


def test_defaults_and_beginnings_are_the_stated_ones():
    aggregator = HierarchicalAggregator()
    assert (aggregator.output_size, aggregator.pool_frames, aggregator.heads) == (512, 2, 4)
    assert aggregator.overview.weight.shape == (512, 2 * 1024)
    lstm = aggregator.lstm
    assert (lstm.input_size, lstm.hidden_size, lstm.num_layers, lstm.bidirectional) == (1024, 256, 2, True)
    assert (aggregator.dropout.p, lstm.dropout) == (0.1, 0.1)
    assert _aggregator(layers=1, dropout=0.3).lstm.dropout == 0.0
    assert aggregator.gate.tolist() == pytest.approx([0.1] * 512)
    assert aggregator.query.shape == (4, 128)
    assert aggregator.query.std().item() == pytest.approx(0.02, rel=0.1)


def test_the_gate_lets_in_what_attention_weighs():
    frames, aggregator = _frames(), _aggregator()
    with torch.no_grad():
        shut, wide = (aggregator.gate.fill_(value).clone() for value in (0.0, 1.0))
        vectors = []
        for gate in (shut, wide):
            aggregator.gate.copy_(gate)
            vectors.append(aggregator(frames.features, frames.mask, frames.time_sec).vector)
        pooled = pool_frames(frames, 2)
        overview = aggregator.overview(mean_and_sd(pooled.features, pooled.mask))
        torch.testing.assert_close(vectors[0], overview)
        read = aggregator._read(pooled)[1, :3]
        keys = torch.tanh(aggregator.key(read)).unflatten(-1, (4, -1))
        weights = torch.einsum("thc,hc->ht", keys, aggregator.query).softmax(-1)
        weighed = torch.cat([weights[h] @ read[:, 4 * h : 4 * h + 4] for h in range(4)])
        torch.testing.assert_close(vectors[1][1], overview[1] + aggregator.out(weighed))

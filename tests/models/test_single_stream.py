"""Networks of one stream, and plain parts in the place of attention."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tocco.models.aggregation import MeanSdAggregator
from tocco.models.single_stream import NoAudio, NoNotes, PlainFusion

VARIANTS = (
    {"inputs": "audio", "n_statistics": 0},
    {"inputs": "midi"},
    {"fusion": "concatenation"},
    {"aggregation": "mean_sd"},
    {"n_statistics": 0},
    {"random_audio_encoder": True},
)


@pytest.mark.parametrize("changes", VARIANTS, ids=lambda c: "-".join(map(str, c.values())))
def test_every_trainable_parameter_learns(make_network, make_batch, changes):
    network, batch = make_network(dropout=0.0, **changes).train(), make_batch(n_notes=(12, 20, 8))
    out = network(batch)
    assert out.rating.shape == (3, 3)
    torch.testing.assert_close(out.attention.sum(-1), torch.ones(out.attention.shape[:2]))
    (out.rating.sum() + out.log_variance.sum()).backward()
    trained = {name: p for name, p in network.named_parameters() if p.requires_grad}
    assert [name for name, p in trained.items() if p.grad is None or not p.grad.any()] == []


@torch.no_grad()
def test_a_network_of_audio_reads_no_notes(make_network, make_batch):
    network, batch = make_network(inputs="audio", n_statistics=0), make_batch()
    other = make_batch(n_notes=(3, 9, 20), seed=5)
    notes = {n: getattr(other, n) for n in ("midi_tokens", "note_features", "note_time_sec", "midi_mask")}
    changed = network(replace(batch, **notes, statistics=other.statistics))
    assert torch.equal(changed.rating, network(batch).rating)
    louder = network(replace(batch, waveform=batch.waveform * 0.1))
    assert not torch.equal(louder.rating, network(batch).rating)


@torch.no_grad()
def test_a_network_of_notes_hears_no_audio(make_network, make_batch):
    network, batch = make_network(inputs="midi"), make_batch()
    silent = replace(batch, waveform=batch.waveform * 0.0, level_db=batch.level_db - 20.0)
    assert torch.equal(network(silent).rating, network(batch).rating)
    later = replace(batch, note_time_sec=batch.note_time_sec + 0.3)
    assert not torch.equal(network(later).rating, network(batch).rating)


@torch.no_grad()
def test_a_network_without_statistics_reads_none(make_network, make_batch):
    network, batch = make_network(n_statistics=0), make_batch()
    network.fit_standardisers(batch.note_features, batch.statistics, batch.level_db)
    other = replace(batch, statistics=batch.statistics + 3.0)
    assert torch.equal(network(other).rating, network(batch).rating)


def test_a_random_encoder_is_not_trained(make_network):
    network = make_network(random_audio_encoder=True)
    assert not any(p.requires_grad for p in network.audio_encoder.parameters())
    assert all(p.requires_grad for p in network.midi_encoder.parameters())


def test_a_random_mert_has_the_shape_and_not_the_weights_of_its_checkpoint(make_network, checkpoint):
    trained = make_network(audio_encoder="mert", mert={"checkpoint": checkpoint}).audio_encoder
    random = make_network(
        audio_encoder="mert", mert={"checkpoint": checkpoint, "trainable": "all"}, random_audio_encoder=True
    ).audio_encoder
    first, second = trained.state_dict(), random.state_dict()
    assert {k: v.shape for k, v in first.items()} == {k: v.shape for k, v in second.items()}
    name = "backbone.encoder.layers.0.attention.q_proj.weight"
    assert not torch.equal(first[name], second[name])
    assert not any(p.requires_grad for p in random.parameters())


@torch.no_grad()
def test_notes_are_laid_where_they_sound():
    """A frame near a note has the note's value; one that is seconds away has less of it."""
    fusion = PlainFusion(audio_size=1, midi_size=2, output_size=2, inputs="midi", heads=1)
    fusion.no_note.zero_()
    seen = {}
    fusion.joined_norm.register_forward_pre_hook(lambda _, given: seen.update(x=given[0]))
    frames = torch.tensor([[0.0, 1.0, 8.0]])
    note = torch.tensor([[[1.0, 1.5]]])
    true = torch.ones(1, 1, dtype=torch.bool)
    fusion(
        torch.zeros(1, 3, 1),
        torch.ones(1, 1, 2),
        audio_mask=torch.ones(1, 3, dtype=torch.bool),
        midi_mask=true,
        frame_sec=frames,
        note_sec=note,
    )
    weights = seen["x"][0, :, 0]
    assert weights[1] > 0.5
    assert weights[1] > weights[0] > weights[2]


def test_heads_have_to_divide_the_notes():
    with pytest.raises(ValueError, match="midi_size 10 cannot be split into 4 heads"):
        PlainFusion(audio_size=3, midi_size=10, output_size=2, heads=4)


@torch.no_grad()
def test_frames_without_audio_have_the_times_of_the_recording():
    frames = NoAudio()(torch.randn(2, 24_000), torch.tensor([24_000, 12_000]))
    assert frames.features.shape == (2, 40, 1)
    assert not frames.features.any()
    assert frames.mask.sum(1).tolist() == [40, 20]
    assert float(frames.time_sec[0]) == pytest.approx(0.0125)
    assert float(frames.time_sec[39]) == pytest.approx(0.9875)


def test_absent_notes_say_nothing():
    empty = NoNotes(5)
    features = empty(torch.zeros(2, 3, 8), torch.randn(2, 3, 5), torch.ones(2, 3, dtype=torch.bool))
    assert features.shape == (2, 3, 1)
    assert not features.any()


@torch.no_grad()
def test_plain_pooling_does_not_see_order_or_padding():
    pooling = MeanSdAggregator(input_size=3, output_size=4, pool_frames=1).eval()
    features, mask = torch.randn(1, 6, 3), torch.tensor([[True] * 4 + [False] * 2])
    time_sec = torch.arange(6.0)[None]
    first = pooling(features * mask[..., None], mask, time_sec)
    turned = features.clone()
    turned[:, :4] = features[:, :4].flip(1)
    second = pooling(turned * mask[..., None], mask, time_sec)
    torch.testing.assert_close(first.vector, second.vector)
    assert first.attention.tolist() == [[[0.25] * 4 + [0.0] * 2]]
    assert first.time_sec.isnan().tolist() == [[False] * 4 + [True] * 2]


@pytest.mark.parametrize("part", ["inputs", "fusion", "aggregation"])
def test_unknown_parts_are_refused(make_network, part):
    with pytest.raises(ValueError, match=f"{part} is 'other'; .* are allowed"):
        make_network(**{part: "other"})

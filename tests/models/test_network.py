"""What the whole network promises."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tocco.losses.uncertainty_loss import UncertaintyWeightedLoss, heteroscedastic_nll
from tocco.models.network import PerformanceBatch, PerformanceOutput, build_network


def _item(batch: PerformanceBatch, i: int) -> PerformanceBatch:
    """One item as if it had never been in a batch."""
    S, L = int(batch.waveform_samples[i]), int(batch.midi_mask[i].sum())
    rows = {f.name: getattr(batch, f.name)[i : i + 1] for f in fields(batch)}
    for name in ("midi_tokens", "note_features", "note_time_sec", "midi_mask"):
        rows[name] = rows[name][:, :L]
    return PerformanceBatch(**rows | {"waveform": rows["waveform"][:, :S]})


def _difference(a: PerformanceOutput, b: PerformanceOutput) -> float:
    rating = (a.rating - b.rating).abs().max() / 100
    return float(torch.maximum(rating, (a.log_variance - b.log_variance).abs().max()))


def test_output_shapes_and_ranges(make_network, make_batch):
    network, batch = make_network(), make_batch()
    out = network(batch)
    assert len(batch) == 3
    assert out.rating.shape == out.log_variance.shape == (3, 3)
    assert ((out.rating > 0) & (out.rating < 100)).all()
    assert out.attention.shape[:2] == (3, 4)
    assert out.attention_time_sec.shape == (3, out.attention.shape[2])
    torch.testing.assert_close(out.attention.sum(-1), torch.ones(3, 4))
    assert torch.equal(
        torch.isnan(out.attention_time_sec)[:, None].expand_as(out.attention), out.attention == 0
    )
    assert network.dimensions == ("phrasing", "musicality", "tone_quality")


def test_attention_times_are_on_the_shared_clock(make_network, make_batch):
    network, batch = make_network(), make_batch()
    there = network(batch).attention_time_sec
    later = network(replace(batch, audio_start_sec=batch.audio_start_sec + 100.0)).attention_time_sec
    torch.testing.assert_close(later, there + 100.0, equal_nan=True)
    assert 0.0 < float(there[0, 0]) < 0.2
    assert 1.8 < float(there[0].nan_to_num().max()) < 2.0


def test_gradients_reach_every_parameter(make_network, make_batch):
    network, batch = make_network(dropout=0.0).train(), make_batch(n_notes=(12, 20, 8))
    out = network(batch)
    label = torch.rand(3, 3) * 100
    loss = UncertaintyWeightedLoss(network.dimensions)
    (loss(out.rating, label).total + heteroscedastic_nll(out.rating, out.log_variance, label)).backward()
    named = dict(network.named_parameters(prefix="network")) | dict(loss.named_parameters(prefix="loss"))
    assert [name for name, p in named.items() if p.grad is None or not p.grad.any()] == []
    assert all(torch.isfinite(p.grad).all() for p in named.values())


@torch.no_grad()
def test_the_batch_an_item_travels_in_does_not_change_its_result(make_network, make_batch):
    network, batch = make_network(), make_batch(audio_sec=(2.0, 1.3, 1.7, 0.4), n_notes=(12, 20, 0, 3))
    together = network(batch)
    for i in range(4):
        alone = network(_item(batch, i))
        here = PerformanceOutput(*(getattr(together, f.name)[i : i + 1] for f in fields(together)))
        assert _difference(alone, here) < 1e-5
        T = alone.attention.shape[2]
        torch.testing.assert_close(here.attention[..., :T], alone.attention, atol=1e-5, rtol=0)
        torch.testing.assert_close(here.attention_time_sec[:, :T], alone.attention_time_sec)


@torch.no_grad()
def test_padding_never_counts_and_real_values_always_do(make_network, make_batch):
    network, batch = make_network(), make_batch()
    out = network(batch)
    rubbish_notes = ~batch.midi_mask
    changed = replace(
        batch,
        waveform=batch.waveform
        + torch.where(torch.arange(48_000) < batch.waveform_samples[:, None], 0.0, 0.9),
        midi_tokens=torch.where(rubbish_notes[..., None], 1, batch.midi_tokens),
        note_features=batch.note_features.masked_fill(rubbish_notes[..., None], 1e4),
        note_time_sec=batch.note_time_sec.masked_fill(rubbish_notes[..., None], float("nan")),
    )
    assert _difference(network(changed), out) < 1e-6
    closed = replace(batch, midi_mask=batch.midi_mask & (torch.arange(20) != 4))
    difference = (network(closed).rating - out.rating).abs().amax(-1)
    assert (difference[:2] > 1e-4).all()
    assert difference[2] < 1e-5


@torch.no_grad()
@pytest.mark.parametrize(
    "change",
    [
        lambda b: replace(b, level_db=b.level_db - 12.0),
        lambda b: replace(b, level_db=torch.full((3,), float("nan"))),
        lambda b: replace(b, waveform=b.waveform * 0.3),
        lambda b: replace(b, statistics=b.statistics + 1.0),
        lambda b: replace(b, note_features=b.note_features + 1.0),
        lambda b: replace(b, note_time_sec=b.note_time_sec + 2.0),
    ],
)
def test_every_input_is_heard(make_network, make_batch, change):
    network, batch = make_network(), make_batch()
    network.fit_standardisers(batch.note_features, batch.statistics, batch.level_db)
    assert (network(change(batch)).rating[0] - network(batch).rating[0]).abs().max() > 1e-3


@torch.no_grad()
def test_moving_both_streams_changes_nothing(make_network, make_batch):
    network, batch = make_network(), make_batch()
    out = network(batch)
    for by_sec in (2.0, 3_600.0):
        both = replace(
            batch, note_time_sec=batch.note_time_sec + by_sec, audio_start_sec=batch.audio_start_sec + by_sec
        )
        assert _difference(network(both), out) < 1e-4
    audio_moved = replace(batch, audio_start_sec=batch.audio_start_sec + 2.0)
    midi_moved = replace(batch, note_time_sec=batch.note_time_sec - 2.0)
    assert _difference(network(audio_moved), network(midi_moved)) < 1e-5


def test_standardisers_learn_from_real_values(make_network, make_batch):
    network, batch = make_network(), make_batch()
    network.fit_standardisers(batch.note_features[batch.midi_mask], batch.statistics, batch.level_db)
    torch.testing.assert_close(network.level_standardiser.mean, batch.level_db.nanmean()[None])
    torch.testing.assert_close(network.head.standardiser.mean, batch.statistics.nanmean(0))
    torch.testing.assert_close(
        network.midi_encoder.standardiser.mean, batch.note_features[batch.midi_mask].nanmean(0)
    )


def test_parameters_are_split_once_into_backbone_and_head(make_network):
    network = make_network()
    backbone, head = list(network.backbone_parameters()), list(network.head_parameters())
    assert (
        len({id(p) for p in backbone + head}) == len(backbone) + len(head) == len(list(network.parameters()))
    )
    assert {id(p) for p in network.midi_encoder.parameters()} <= {id(p) for p in backbone}


def test_round_trip_through_safetensors(tmp_path: Path, make_network, make_batch):
    network, batch = make_network(), make_batch()
    network.fit_standardisers(batch.note_features, batch.statistics, batch.level_db)
    save_file(network.state_dict(), tmp_path / "model.safetensors")
    torch.manual_seed(99)
    other = make_network()
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1.0)
    other.load_state_dict(load_file(tmp_path / "model.safetensors"), strict=True)
    assert torch.equal(other(batch).rating, network(batch).rating)


def test_batch_moves_as_a_whole(make_batch):
    moved = make_batch().to("meta")
    assert {getattr(moved, f.name).device.type for f in fields(moved)} == {"meta"}


def test_runs_in_bfloat16(make_network, make_batch):
    network, batch = make_network(), make_batch()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        rounded = network(batch).rating
    assert (rounded - network(batch).rating).abs().max() < 2.0


def test_a_small_network_overfits_eight_segments(make_network, make_batch):
    network = make_network(dropout=0.0).train()
    batch = make_batch(
        audio_sec=(0.5, 0.4, 0.45, 0.5, 0.35, 0.3, 0.5, 0.45), n_notes=(8, 9, 5, 7, 6, 3, 10, 8)
    )
    batch = replace(batch, statistics=torch.full_like(batch.statistics, float("nan")))
    label = 20 + 60 * torch.rand(8, 3)
    label[2, 1] = float("nan")
    network.head.initialise(label.nanmean(0), torch.full((3,), 15.0))
    loss = UncertaintyWeightedLoss(network.dimensions)
    optimiser = torch.optim.AdamW([*network.parameters(), *loss.parameters()], lr=2e-3, weight_decay=0.0)
    for _ in range(60):
        optimiser.zero_grad()
        loss(network(batch).rating, label).total.backward()
        optimiser.step()
    with torch.no_grad():
        error = (network.eval()(batch).rating - label).abs().nanmean()
    assert error < 1.0


def test_defaults_are_the_stated_ones():
    network = build_network(
        dimensions=("phrasing",),
        octuple_vocabulary=(4, 8, 16, 128, 32, 32, 3, 20),
        n_note_features=2,
        n_statistics=3,
    )
    audio, midi, fusion = network.audio_encoder, network.midi_encoder, network.fusion
    assert (audio.output_size, len(audio.blocks), audio.log_mel.filters.shape[1]) == (256, 6, 80)
    assert {block.skip_rate for block in audio.blocks} == {0.1}
    assert (midi.output_size, len(midi.blocks), midi.blocks[0].heads) == (256, 6, 8)
    assert (fusion.output_size, fusion.heads, network.audio_pool_frames) == (1024, 8, 4)
    aggregator = network.aggregator
    assert (aggregator.lstm.num_layers, aggregator.lstm.hidden_size) == (2, 256)
    assert (aggregator.heads, aggregator.pool_frames) == (4, 2)
    assert network.head.condense[-1].out_features == 128
    assert network.head.trunk[0].in_features == 512 + 128
    dropped = [part.p for part in network.modules() if isinstance(part, torch.nn.Dropout)]
    assert set(dropped) == {0.1}
    assert network.head.dropout == midi.blocks[0].dropout == 0.1
    # 9.4 frames a second are fused, and pairs of them weighed.
    assert audio.clock.rate_hz / network.audio_pool_frames == pytest.approx(9.375)


def test_settings_reach_their_parts(make_network):
    network = make_network(
        lstm_layers=3, aggregator_heads=2, pool_frames=5, dropout=0.25, audio_pool_frames=7, fusion_heads=2
    )
    assert network.aggregator.lstm.num_layers == 3
    assert (network.aggregator.heads, network.aggregator.pool_frames) == (2, 5)
    assert (network.audio_pool_frames, network.fusion.heads) == (7, 2)
    assert network.fusion.frames_ask_notes.dropout.p == network.aggregator.dropout.p == 0.25
    assert network.head.dropout == network.midi_encoder.blocks[0].dropout == 0.25


@torch.no_grad()
def test_level_enters_in_units_of_15_db_around_30_below_full_scale(make_network, make_batch):
    network, batch = make_network(), make_batch()
    network.fit_standardisers(batch.note_features, batch.statistics, batch.level_db)
    frames = network.listen(batch)
    heard = network.audio_encoder(batch.waveform, batch.waveform_samples)
    clock, n = network.audio_encoder.clock, heard.mask.shape[1]
    windows = batch.waveform.unfold(1, clock.window_samples, clock.hop_samples)[:, :n]
    level_db = 10 * torch.log10(windows.square().mean(-1).clamp(min=1e-8))
    # Of -30 dB, -16.5 dB and unknown: mean -23.25, standard deviation 6.75.
    usual = torch.tensor([[-1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    entry = torch.cat(((level_db[..., None] + 30.0) / 15.0, usual[:, None].expand(-1, n, -1)), dim=-1)
    features = (heard.features + network.level(entry)) * heard.mask[..., None]
    for item in range(3):
        torch.testing.assert_close(frames.features[item, 0], features[item, :3].mean(0), atol=1e-4, rtol=0)
    assert frames.time_sec[0, 0].item() == pytest.approx(heard.time_sec[1].item(), abs=1e-6)
    assert frames.features.shape[1] == -(-n // 3)


def test_only_what_may_learn_is_handed_to_the_optimiser(make_network):
    network = make_network()
    network.audio_encoder.requires_grad_(False)
    network.head.requires_grad_(False)
    backbone = {id(p) for p in network.backbone_parameters()}
    assert backbone == {id(p) for p in network.midi_encoder.parameters()}
    rest = {id(p) for p in network.head_parameters()}
    parts = (network.fusion, network.aggregator, network.level)
    assert rest == {id(p) for part in parts for p in part.parameters()}


@torch.no_grad()
def test_times_are_taken_from_the_start_of_the_audio(make_network, make_batch):
    """The same seconds between sound and notes are the same seconds, wherever the recording begins."""
    network, batch = make_network(), make_batch()
    later = replace(
        batch,
        audio_start_sec=torch.tensor([0.0, 4.0, 0.0]),
        note_time_sec=batch.note_time_sec + torch.tensor([0.0, 4.0, 0.0])[:, None, None],
    )
    assert _difference(network(later), network(batch)) < 1e-5
    wrong = replace(batch, audio_start_sec=torch.tensor([0.0, 4.0, 0.0]))
    assert (network(wrong).rating[1] - network(batch).rating[1]).abs().max() > 1e-4


def test_the_encoder_is_one_of_two(make_network, checkpoint: Path):
    assert make_network(audio_encoder="mert", mert={"checkpoint": checkpoint}).audio_encoder.output_size == 24
    with pytest.raises(ValueError, match="audio_encoder is 'mert', but `mert` does not say which"):
        make_network(audio_encoder="mert")
    with pytest.raises(ValueError, match="arguments for MERT were given, but audio_encoder is 'compact'"):
        make_network(mert={"checkpoint": checkpoint})

"""MERT from a tiny checkpoint in the hub's layout, against a HuBERT written out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from mert_example import CONV, GROUPS, KERNEL, N_LAYERS, STRIDES, H, Tensors, mert_tensors
from tocco.models.mert import MERTEncoder, convolution_clock, standardised


def _hidden_states(t: Tensors, waveform: torch.Tensor) -> list[torch.Tensor]:
    """HuBERT-base (Hsu et al., 2021) in plain torch, with the old weight norm."""

    def linear(name: str, x: torch.Tensor) -> torch.Tensor:
        return functional.linear(x, t[f"{name}.weight"], t[f"{name}.bias"])

    def norm(name: str, x: torch.Tensor) -> torch.Tensor:
        return functional.layer_norm(x, (x.shape[-1],), t[f"{name}.weight"], t[f"{name}.bias"])

    x = waveform[:, None]
    for i, stride in enumerate(STRIDES):
        x = functional.conv1d(x, t[f"feature_extractor.conv_layers.{i}.conv.weight"], stride=stride)
        if i == 0:
            name = "feature_extractor.conv_layers.0.layer_norm"
            x = functional.group_norm(x, CONV, t[f"{name}.weight"], t[f"{name}.bias"])
        x = functional.gelu(x)
    x = linear("feature_projection.projection", norm("feature_projection.layer_norm", x.transpose(1, 2)))
    place = functional.conv1d(
        x.transpose(1, 2),
        _position_weight(t),
        t["encoder.pos_conv_embed.conv.bias"],
        padding=KERNEL // 2,
        groups=GROUPS,
    )[..., :-1]
    x = norm("encoder.layer_norm", x + functional.gelu(place).transpose(1, 2))
    states = [x]
    for i in range(N_LAYERS):
        layer = f"encoder.layers.{i}"
        q, k, v = (
            linear(f"{layer}.attention.{name}_proj", x).unflatten(-1, (4, -1)).transpose(1, 2)
            for name in "qkv"
        )
        heard = ((q @ k.transpose(-1, -2) / (H / 4) ** 0.5).softmax(-1) @ v).transpose(1, 2).flatten(2)
        x = norm(f"{layer}.layer_norm", x + linear(f"{layer}.attention.out_proj", heard))
        step = functional.gelu(linear(f"{layer}.feed_forward.intermediate_dense", x))
        x = norm(f"{layer}.final_layer_norm", x + linear(f"{layer}.feed_forward.output_dense", step))
        states.append(x)
    return states


def _position_weight(t: Tensors) -> torch.Tensor:
    g, v = (t[f"encoder.pos_conv_embed.conv.weight_{half}"] for half in "gv")
    return g * v / v.square().sum((0, 1), keepdim=True).sqrt()


def _encode(ear: MERTEncoder, waveform: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return ear(waveform, torch.full((len(waveform),), waveform.shape[1])).features


@pytest.mark.parametrize("layer", [0, 1, 3])
def test_every_layer_equals_a_network_written_out_by_hand(checkpoint: Path, layer: int):
    sound = torch.randn(2, 6_000) * 0.1
    expected = _hidden_states(mert_tensors(), standardised(sound))[layer]
    torch.testing.assert_close(
        _encode(MERTEncoder(checkpoint, layers=layer), sound), expected, atol=2e-5, rtol=0
    )


def test_mix_is_a_weighted_mean_of_all_layers(checkpoint: Path):
    ear, sound = MERTEncoder(checkpoint), torch.randn(1, 4_000)
    states = torch.stack(_hidden_states(mert_tensors(), standardised(sound)))
    torch.testing.assert_close(_encode(ear, sound), states.mean(0), atol=2e-5, rtol=0)
    assert ear.mix is not None
    with torch.no_grad():
        ear.mix[2] = 50.0
    torch.testing.assert_close(_encode(ear, sound), states[2], atol=2e-5, rtol=0)


def test_clock_is_merts_own(checkpoint: Path):
    clock = MERTEncoder(checkpoint).clock
    assert (clock.hop_samples, clock.window_samples, clock.rate_hz) == (320, 400, 75.0)
    assert clock.n_frames(240_000) == 749
    assert convolution_clock([4], [3]) == type(clock)(3, 4)


def test_items_of_different_length_are_heard_as_if_alone(checkpoint: Path):
    ear, samples = MERTEncoder(checkpoint), torch.tensor([5_000, 8_000, 5_000, 6_500])
    sound = torch.randn(4, 8_000)
    with torch.no_grad():
        heard = ear(sound, samples)
    assert heard.mask.sum(1).tolist() == [ear.clock.n_frames(int(s)) for s in samples]
    for i, n in enumerate(heard.mask.sum(1).tolist()):
        alone = _encode(ear, sound[i : i + 1, : int(samples[i])])[0]
        torch.testing.assert_close(heard.features[i, :n], alone, atol=1e-5, rtol=0)
        assert not heard.features[i, n:].any()
    np.testing.assert_allclose(heard.time_sec.numpy(), ear.clock.centre_sec(heard.mask.shape[1]), rtol=1e-6)


def test_level_is_taken_out(checkpoint: Path):
    sound = torch.randn(1, 4_000) * 0.1
    ear = MERTEncoder(checkpoint)
    torch.testing.assert_close(_encode(ear, sound), _encode(ear, 5 * sound + 0.2), atol=1e-3, rtol=0)


def test_frozen_stays_in_evaluation_and_without_gradients(checkpoint: Path):
    ear = MERTEncoder(checkpoint, trainable="none").train()
    assert ear.training
    assert not any(module.training for module in ear.backbone.modules())
    sound, samples = torch.randn(1, 4_000), torch.tensor([4_000])
    assert torch.equal(ear(sound, samples).features, ear(sound, samples).features)
    ear(sound, samples).features.sum().backward()
    assert [name for name, p in ear.named_parameters() if p.grad is not None] == ["mix"]


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize(("trainable", "layers"), [("all", "mix"), ("all", 2), (1, "mix"), (2, 3)])
def test_gradients_reach_what_is_trained_and_nothing_else(
    checkpoint: Path, trainable: str | int, layers: str | int, checkpointing: bool
):
    ear = MERTEncoder(
        checkpoint, trainable=trainable, layers=layers, gradient_checkpointing=checkpointing
    ).train()
    features = ear(torch.randn(2, 4_000), torch.tensor([4_000, 4_000])).features
    (features * torch.randn_like(features)).sum().backward()
    reached = {name for name, p in ear.named_parameters() if p.grad is not None and p.grad.any()}
    assert reached == {name for name, p in ear.named_parameters() if p.requires_grad}
    top = (
        {f"backbone.encoder.layers.{i}." for i in range(N_LAYERS)[-trainable:]}
        if trainable != "all"
        else None
    )
    if top is not None:
        assert {name[: len("backbone.encoder.layers.0.")] for name in reached - {"mix"}} == top
    assert ear.backbone.encoder.layers[-1].training
    assert ear.backbone.encoder.layers[0].training == (trainable == "all")


def test_gradient_checkpointing_changes_no_gradient(checkpoint: Path):
    grads = []
    for checkpointing in (False, True):
        ear = MERTEncoder(checkpoint, trainable="all", gradient_checkpointing=checkpointing).train()
        for module in ear.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
            if hasattr(module, "dropout") and isinstance(module.dropout, float):
                module.dropout = 0.0
        torch.manual_seed(0)
        ear(torch.randn(1, 4_000), torch.tensor([4_000])).features.square().sum().backward()
        grads.append(ear.backbone.feature_projection.projection.weight.grad)
    torch.testing.assert_close(grads[0], grads[1])


def test_architecture_alone_waits_for_the_weights_of_a_bundle(checkpoint: Path):
    ear = MERTEncoder(checkpoint, layers=2)
    bare = MERTEncoder(ear.architecture, layers=2)
    bare.load_state_dict(ear.state_dict(), strict=True)
    sound = torch.randn(1, 4_000)
    assert torch.equal(_encode(bare, sound), _encode(ear, sound))


def test_stable_layer_norm_variant_takes_inner_layers_as_they_are(checkpoint: Path):
    architecture = MERTEncoder(checkpoint).architecture
    stable = architecture | {"do_stable_layer_norm": True, "feat_extract_norm": "layer", "conv_bias": True}
    whole, inner = MERTEncoder(stable), MERTEncoder(stable, layers=1)
    inner.backbone.load_state_dict(whole.backbone.state_dict(), strict=False)
    sound = torch.randn(1, 4_000)
    with torch.no_grad():
        states = whole.backbone(standardised(sound), output_hidden_states=True).hidden_states
    torch.testing.assert_close(_encode(inner, sound), states[1])


def test_network_with_mert(checkpoint: Path, make_network, make_batch):
    network = make_network(audio_encoder="mert", mert={"checkpoint": checkpoint}, audio_pool_frames=8)
    assert network.audio_encoder.output_size == H
    assert torch.isfinite(network(make_batch()).rating).all()


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"layers": 4}, "layers is 4; 'mix' or 0 to 3"),
        ({"trainable": "some"}, "trainable is 'some'"),
        ({"trainable": 4}, "trainable is 4; 1 to 3"),
        ({"trainable": 2, "layers": 1}, "trainable is 2; 1 to 1"),
    ],
)
def test_mistaken_choices_are_named(checkpoint: Path, values: dict, problem: str):
    with pytest.raises(ValueError, match=problem):
        MERTEncoder(checkpoint, **values)


def test_build_network_names_contradictions(checkpoint: Path, make_network):
    with pytest.raises(ValueError, match="which checkpoint"):
        make_network(audio_encoder="mert")
    with pytest.raises(ValueError, match="audio_encoder is 'compact'"):
        make_network(mert={"checkpoint": checkpoint})
    with pytest.raises(ValueError, match="audio_encoder is 'cnn'; compact, mert are allowed"):
        make_network(audio_encoder="cnn")

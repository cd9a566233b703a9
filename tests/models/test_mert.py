"""MERT from a tiny checkpoint in the hub's layout, against a HuBERT written out by hand."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional
from torch.nn.utils import weight_norm

from tocco.errors import InputError, MissingPartError
from tocco.models.mert import MERTEncoder, convolution_clock, standardised
from tocco.models.mert_checkpoint import PINS, Pin, find_checkpoint

H, N_LAYERS, FFN, GROUPS, KERNEL, CONV = 24, 3, 40, 4, 16, 8
KERNELS, STRIDES = [10, 3, 3, 3, 3, 2, 2], [5, 2, 2, 2, 2, 2, 2]
CONFIG = {
    "architectures": ["MERTModel"],
    "auto_map": {"AutoModel": "modeling_MERT.MERTModel"},
    "attention_relax": -1.0,
    "deepnorm": False,
    "feature_extractor_cqt": False,
    "hidden_size": H,
    "num_hidden_layers": N_LAYERS,
    "num_attention_heads": 4,
    "intermediate_size": FFN,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-5,
    "conv_dim": [CONV] * 7,
    "conv_stride": STRIDES,
    "conv_kernel": KERNELS,
    "conv_bias": False,
    "num_conv_pos_embeddings": KERNEL,
    "num_conv_pos_embedding_groups": GROUPS,
    "feat_extract_norm": "group",
    "feat_extract_activation": "gelu",
    "feat_proj_layer_norm": True,
    "do_stable_layer_norm": False,
}
Tensors = dict[str, torch.Tensor]


def _tensors() -> Tensors:
    """The 211-tensor layout of the hub's MERT-v1-95M, at a small size."""
    g = torch.Generator().manual_seed(3)

    def draw(*shape: int, scale: float = 0.15, centre: float = 0.0) -> torch.Tensor:
        return centre + scale * torch.randn(*shape, generator=g)

    def pair(name: str, out: int, into: int | None) -> Tensors:
        weight = draw(out, centre=1.0) if into is None else draw(out, into)
        return {f"{name}.weight": weight, f"{name}.bias": draw(out)}

    t: Tensors = {"masked_spec_embed": draw(H)}
    for i, kernel in enumerate(KERNELS):
        t[f"feature_extractor.conv_layers.{i}.conv.weight"] = draw(
            CONV, 1 if i == 0 else CONV, kernel, scale=0.4
        )
    t |= pair("feature_extractor.conv_layers.0.layer_norm", CONV, None)
    t |= pair("feature_projection.layer_norm", CONV, None) | pair("feature_projection.projection", H, CONV)
    t["encoder.pos_conv_embed.conv.bias"] = draw(H)
    t["encoder.pos_conv_embed.conv.weight_g"] = draw(1, 1, KERNEL, scale=0.3, centre=1.0)
    t["encoder.pos_conv_embed.conv.weight_v"] = draw(H, H // GROUPS, KERNEL)
    t |= pair("encoder.layer_norm", H, None)
    for i in range(N_LAYERS):
        layer = f"encoder.layers.{i}"
        for name in ("k_proj", "v_proj", "q_proj", "out_proj"):
            t |= pair(f"{layer}.attention.{name}", H, H)
        t |= pair(f"{layer}.layer_norm", H, None) | pair(f"{layer}.final_layer_norm", H, None)
        t |= pair(f"{layer}.feed_forward.intermediate_dense", FFN, H)
        t |= pair(f"{layer}.feed_forward.output_dense", H, FFN)
    return t


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


def _write(folder: Path, tensors: Tensors, **config: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | config))
    torch.save(tensors, folder / "pytorch_model.bin")
    return folder


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return _write(tmp_path / "mert", _tensors())


def _encode(ear: MERTEncoder, waveform: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return ear(waveform, torch.full((len(waveform),), waveform.shape[1])).features


@pytest.mark.parametrize("layer", [0, 1, 3])
def test_every_layer_equals_a_network_written_out_by_hand(checkpoint: Path, layer: int):
    sound = torch.randn(2, 6_000) * 0.1
    expected = _hidden_states(_tensors(), standardised(sound))[layer]
    torch.testing.assert_close(
        _encode(MERTEncoder(checkpoint, layers=layer), sound), expected, atol=2e-5, rtol=0
    )


def test_checkpoint_loads_bit_exactly(checkpoint: Path):
    ear, t = MERTEncoder(checkpoint), _tensors()
    loaded = ear.backbone.state_dict()
    assert len(loaded) == len(t)
    for name, tensor in t.items():
        new = name.replace("conv.weight_g", "conv.parametrizations.weight.original0")
        new = new.replace("conv.weight_v", "conv.parametrizations.weight.original1")
        assert torch.equal(loaded[new], tensor), name


def test_positional_convolution_equals_the_old_weight_norm_bit_for_bit(checkpoint: Path):
    t, prefix = _tensors(), "encoder.pos_conv_embed.conv."
    conv = torch.nn.Conv1d(H, H, KERNEL, padding=KERNEL // 2, groups=GROUPS)
    with pytest.warns(FutureWarning, match="weight_norm"):
        conv = weight_norm(conv, name="weight", dim=2)
    conv.load_state_dict({k.removeprefix(prefix): v for k, v in t.items() if k.startswith(prefix)})
    x = torch.randn(1, H, 50)
    ours = MERTEncoder(checkpoint).backbone.encoder.pos_conv_embed.conv
    assert torch.equal(ours(x), conv(x))


def test_safetensors_load_alike(tmp_path: Path, checkpoint: Path):
    (tmp_path / "safe").mkdir()
    save_file(_tensors(), tmp_path / "safe" / "model.safetensors")
    (tmp_path / "safe" / "config.json").write_text(json.dumps(CONFIG))
    sound = torch.randn(1, 4_000)
    assert torch.equal(
        _encode(MERTEncoder(tmp_path / "safe"), sound), _encode(MERTEncoder(checkpoint), sound)
    )


def test_mix_is_a_weighted_mean_of_all_layers(checkpoint: Path):
    ear, sound = MERTEncoder(checkpoint), torch.randn(1, 4_000)
    states = torch.stack(_hidden_states(_tensors(), standardised(sound)))
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


def _without(name: str) -> Tensors:
    return {k: v for k, v in _tensors().items() if not k.endswith(name)}


@pytest.mark.parametrize(
    ("tensors", "named"),
    [
        (_without("weight_g"), "original0"),
        (_without("layers.2.final_layer_norm.bias"), "layers.2.final_layer_norm.bias"),
        (_tensors() | {"final_proj.weight": torch.zeros(2)}, "final_proj.weight"),
        (_tensors() | {"masked_spec_embed": torch.zeros(H + 1)}, "masked_spec_embed"),
    ],
)
def test_wrong_tensors_are_refused_by_name(tmp_path: Path, tensors: Tensors, named: str):
    folder = _write(tmp_path / "bad", tensors)
    with pytest.raises(InputError, match=named) as caught:
        MERTEncoder(folder)
    assert caught.value.subject == str(folder / "pytorch_model.bin")


def test_hash_is_checked(checkpoint: Path):
    right = hashlib.sha256((checkpoint / "pytorch_model.bin").read_bytes()).hexdigest()
    MERTEncoder(checkpoint, sha256=right)
    with pytest.raises(InputError, match=f"has SHA-256 {right} .allowed: {'0' * 64}"):
        MERTEncoder(checkpoint, sha256="0" * 64)


@pytest.mark.parametrize("name", ["feature_extractor_cqt", "deepnorm"])
def test_other_variants_are_refused(tmp_path: Path, name: str):
    with pytest.raises(InputError, match=f"has {name} on"):
        MERTEncoder(_write(tmp_path / "bad", _tensors(), **{name: True}))


class _Bomb:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def test_weights_never_run_code(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": _Bomb()}, checkpoint / "pytorch_model.bin")
    with pytest.raises(InputError, match="not a file of plain tensors"):
        MERTEncoder(checkpoint)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("content", [b"", b"no tensors", b"PK\x03\x04"])
def test_broken_weights_are_refused(checkpoint: Path, content: bytes):
    (checkpoint / "pytorch_model.bin").write_bytes(content)
    with pytest.raises(InputError, match="not a file of plain tensors"):
        MERTEncoder(checkpoint)


@pytest.mark.parametrize(
    ("content", "problem"), [("{", "is not JSON"), ("[]", "HuBERT-like"), ("{}", "HuBERT-like")]
)
def test_broken_config_is_refused(checkpoint: Path, content: str, problem: str):
    (checkpoint / "config.json").write_text(content)
    with pytest.raises(InputError, match=problem):
        MERTEncoder(checkpoint)


@pytest.mark.parametrize("name", ["config.json", "pytorch_model.bin"])
def test_missing_files_are_named(checkpoint: Path, name: str):
    (checkpoint / name).unlink()
    with pytest.raises(MissingPartError, match="copy") as caught:
        MERTEncoder(checkpoint)
    assert caught.value.subject == str(checkpoint / name)


def test_missing_folder_says_how_to_get_it(tmp_path: Path):
    with pytest.raises(MissingPartError, match=r"download m-a-p/MERT-v1-95M"):
        MERTEncoder(tmp_path / "nowhere")


def test_unknown_hub_id_needs_a_pin():
    with pytest.raises(InputError, match="give `revision` and `sha256`"):
        MERTEncoder("m-a-p/MERT-v1-330M")


def test_hub_id_is_fetched_at_its_pinned_revision(checkpoint: Path, monkeypatch: pytest.MonkeyPatch):
    calls = []

    def snapshot(repo_id: str, **kwargs: object) -> str:
        calls.append((repo_id, kwargs["revision"], kwargs["allow_patterns"]))
        return str(checkpoint)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    folder, sha256 = find_checkpoint("m-a-p/MERT-v1-95M", None, None)
    pin = PINS["m-a-p/MERT-v1-95M"]
    assert folder == checkpoint
    assert sha256 == pin.sha256
    patterns = ["config.json", "model.safetensors", "pytorch_model.bin"]
    assert calls == [("m-a-p/MERT-v1-95M", pin.revision, patterns)]
    with pytest.raises(InputError, match=pin.sha256):
        MERTEncoder("m-a-p/MERT-v1-95M")
    assert find_checkpoint("someone/else", "abc", "def") == (checkpoint, "def")
    assert calls[-1][:2] == ("someone/else", Pin("abc", "def").revision)


def test_hub_out_of_reach_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch):
    from huggingface_hub.errors import LocalEntryNotFoundError

    def snapshot(*_: object, **__: object) -> str:
        raise LocalEntryNotFoundError("no connection")

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    with pytest.raises(MissingPartError, match=r"cannot be fetched .* put config.json and pytorch_model.bin"):
        MERTEncoder("m-a-p/MERT-v1-95M")


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
    with pytest.raises(ValueError, match="'compact' or 'mert' is allowed"):
        make_network(audio_encoder="cnn")

"""A checkpoint loads whole, unchanged and without running code, or is refused by what is wrong with it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch.nn.utils import weight_norm

from mert_example import CONFIG, GROUPS, KERNEL, H, Tensors, mert_tensors, write_checkpoint
from tocco.errors import InputError, MissingPartError
from tocco.models.mert import MERTEncoder
from tocco.models.mert_checkpoint import PINS, Pin, find_checkpoint


def _encode(encoder: MERTEncoder, waveform: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return encoder(waveform, torch.full((len(waveform),), waveform.shape[1])).features


def test_checkpoint_loads_bit_exactly(checkpoint: Path):
    ear, t = MERTEncoder(checkpoint), mert_tensors()
    loaded = ear.backbone.state_dict()
    assert len(loaded) == len(t)
    for name, tensor in t.items():
        new = name.replace("conv.weight_g", "conv.parametrizations.weight.original0")
        new = new.replace("conv.weight_v", "conv.parametrizations.weight.original1")
        assert torch.equal(loaded[new], tensor), name


def test_positional_convolution_equals_the_old_weight_norm_bit_for_bit(checkpoint: Path):
    t, prefix = mert_tensors(), "encoder.pos_conv_embed.conv."
    conv = torch.nn.Conv1d(H, H, KERNEL, padding=KERNEL // 2, groups=GROUPS)
    with pytest.warns(FutureWarning, match="weight_norm"):
        conv = weight_norm(conv, name="weight", dim=2)
    conv.load_state_dict({k.removeprefix(prefix): v for k, v in t.items() if k.startswith(prefix)})
    x = torch.randn(1, H, 50)
    ours = MERTEncoder(checkpoint).backbone.encoder.pos_conv_embed.conv
    assert torch.equal(ours(x), conv(x))


def test_safetensors_load_alike(tmp_path: Path, checkpoint: Path):
    (tmp_path / "safe").mkdir()
    save_file(mert_tensors(), tmp_path / "safe" / "model.safetensors")
    (tmp_path / "safe" / "config.json").write_text(json.dumps(CONFIG))
    sound = torch.randn(1, 4_000)
    assert torch.equal(
        _encode(MERTEncoder(tmp_path / "safe"), sound), _encode(MERTEncoder(checkpoint), sound)
    )


def _without(name: str) -> Tensors:
    return {k: v for k, v in mert_tensors().items() if not k.endswith(name)}


@pytest.mark.parametrize(
    ("tensors", "named"),
    [
        (_without("weight_g"), "original0"),
        (_without("layers.2.final_layer_norm.bias"), "layers.2.final_layer_norm.bias"),
        (mert_tensors() | {"final_proj.weight": torch.zeros(2)}, "final_proj.weight"),
        (mert_tensors() | {"masked_spec_embed": torch.zeros(H + 1)}, "masked_spec_embed"),
    ],
)
def test_wrong_tensors_are_refused_by_name(tmp_path: Path, tensors: Tensors, named: str):
    folder = write_checkpoint(tmp_path / "bad", tensors)
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
        MERTEncoder(write_checkpoint(tmp_path / "bad", mert_tensors(), **{name: True}))


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


def test_training_changes_nothing_but_dropout(checkpoint: Path):
    """No layers are passed over and no frames masked, as in MERT's own pre-training."""
    encoder, sound = MERTEncoder(checkpoint, trainable="all").eval(), torch.randn(2, 8_000)
    before = _encode(encoder, sound)
    encoder.train()
    for module in encoder.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if isinstance(getattr(module, "dropout", None), float):
            module.dropout = 0.0
    torch.testing.assert_close(_encode(encoder, sound), before)

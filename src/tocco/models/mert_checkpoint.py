"""Finding, checking and reading a MERT checkpoint, without running any code that came with it.

MERT (Li et al., 2024) without its constant-Q input is HuBERT to the letter, so its tensors go into the
`HubertModel` of transformers, every one of them, or the load fails. A hub id is pinned to a revision
and to the SHA-256 of its weights.
"""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from tocco.errors import InputError, MissingPartError

if TYPE_CHECKING:
    from transformers import HubertModel

CONFIG_FILE = "config.json"
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")

_ARCHITECTURE_FIELDS = (
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "hidden_act",
    "layer_norm_eps",
    "initializer_range",
    "conv_dim",
    "conv_stride",
    "conv_kernel",
    "conv_bias",
    "num_conv_pos_embeddings",
    "num_conv_pos_embedding_groups",
    "feat_extract_norm",
    "feat_extract_activation",
    "feat_proj_layer_norm",
    "do_stable_layer_norm",
)
_POSITION = "encoder.pos_conv_embed.conv"
_RENAMED = {
    # torch renamed the two halves of a weight norm; a loader that is not strict would start them anew
    f"{_POSITION}.weight_g": f"{_POSITION}.parametrizations.weight.original0",
    f"{_POSITION}.weight_v": f"{_POSITION}.parametrizations.weight.original1",
}


@dataclass(frozen=True)
class Pin:
    """What a hub id stood for when it was checked.

    Attributes
    ----------
    revision : commit of the hub's repository
    sha256 : of its weight file
    """

    revision: str
    sha256: str


PINS: Mapping[str, Pin] = MappingProxyType(
    {
        "m-a-p/MERT-v1-95M": Pin(
            revision="12af15fef9d0ac838c3f475bfbbf26d2060dd4f5",
            sha256="a2b8b747f72c06e0595aeae41ae5473f4364938c6b39b2c58be38c48e6bd3fcd",
        )
    }
)


def find_checkpoint(source: str | Path, revision: str | None, sha256: str | None) -> tuple[Path, str | None]:
    """Folder of a checkpoint, and the hash its weights must have.

    Parameters
    ----------
    source
        A folder, or a hub id ("owner/name").
    revision, sha256
        Both are needed for a hub id that is not in `PINS`; for a folder, only the hash counts.
    """
    folder = Path(source)
    if folder.is_dir():
        return folder, sha256
    hub_id = str(source)
    if hub_id.count("/") != 1 or folder.is_absolute() or hub_id.startswith("."):
        raise MissingPartError(
            hub_id,
            "is not a folder with a MERT checkpoint",
            allowed=f"a folder with {CONFIG_FILE} and {WEIGHT_FILES[1]}, or one of {', '.join(PINS)}",
            next_step=f"download {next(iter(PINS))} into that folder",
        )
    pin = Pin(revision, sha256) if revision and sha256 else PINS.get(hub_id)
    if pin is None:
        raise InputError(
            hub_id,
            "is not a pinned checkpoint",
            allowed=", ".join(PINS),
            next_step="give `revision` and `sha256` of the weights that you trust",
        )
    return _download(hub_id, pin.revision), pin.sha256


def _download(hub_id: str, revision: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
    except ImportError as error:
        raise MissingPartError("MERT", "needs transformers", next_step="pip install 'tocco[mert]'") from error
    try:
        folder = snapshot_download(
            hub_id, revision=revision, allow_patterns=[CONFIG_FILE, *WEIGHT_FILES], max_workers=1
        )
    except (OSError, ValueError, HfHubHTTPError, OfflineModeIsEnabled) as error:
        raise MissingPartError(
            hub_id,
            f"cannot be fetched from the hub ({type(error).__name__})",
            next_step=f"put {CONFIG_FILE} and {WEIGHT_FILES[1]} of revision {revision[:12]} into a folder "
            "and give that folder",
        ) from error
    return Path(folder)


def read_architecture(folder: Path) -> dict[str, Any]:
    """The shape of the network from its `config.json`; everything else in there is ignored."""
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise MissingPartError(
            path, "is missing", next_step=f"copy {CONFIG_FILE} of the checkpoint into the folder"
        )
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(path, "is not JSON", next_step="fetch the file again") from error
    if not isinstance(config, dict) or "hidden_size" not in config:
        raise InputError(path, "does not describe a HuBERT-like network", next_step="fetch the file again")
    for name in ("feature_extractor_cqt", "deepnorm"):
        if config.get(name):
            raise InputError(
                path,
                f"has {name} on, which HuBERT does not know",
                allowed="variants without constant-Q input and DeepNorm",
                next_step=f"use {next(iter(PINS))}",
            )
    return {name: config[name] for name in _ARCHITECTURE_FIELDS if name in config}


def read_weights(folder: Path, sha256: str | None) -> tuple[Path, dict[str, Tensor]]:
    """The weight file and its tensors, under the names that transformers uses.

    Parameters
    ----------
    folder
    sha256
        What the file must hash to; not checked if None.
    """
    path = next((folder / name for name in WEIGHT_FILES if (folder / name).is_file()), None)
    if path is None:
        raise MissingPartError(
            folder / WEIGHT_FILES[1],
            "is missing",
            next_step=f"copy {WEIGHT_FILES[1]} of the checkpoint into the folder",
        )
    if sha256 is not None:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            raise InputError(
                path, f"has SHA-256 {found}", allowed=sha256, next_step="fetch the pinned revision again"
            )
    return path, {_RENAMED.get(name, name): tensor for name, tensor in _tensors(path).items()}


def _tensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise InputError(path, "is not a file of plain tensors", next_step="fetch the file again") from error


def hubert(architecture: Mapping[str, Any]) -> HubertModel:
    """An untrained network of a given shape, without the parts that only pre-training uses."""
    try:
        from transformers import HubertConfig, HubertModel
    except ImportError as error:
        raise MissingPartError("MERT", "needs transformers", next_step="pip install 'tocco[mert]'") from error
    config = HubertConfig(
        **dict(architecture),
        conv_pos_batch_norm=False,
        apply_spec_augment=False,
        layerdrop=0.0,
        mask_time_prob=0.05,  # above 0 only so that masked_spec_embed has its place
    )
    return HubertModel(config)


def load_hubert(folder: Path, architecture: Mapping[str, Any], sha256: str | None) -> HubertModel:
    """The network with every tensor of the checkpoint in place, and no other."""
    path, tensors = read_weights(folder, sha256)
    model = hubert(architecture)
    try:
        model.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        detail = " ".join(str(error).split())[:300]
        raise InputError(
            path,
            f"does not fit {CONFIG_FILE}: {detail}",
            next_step="fetch both files from the same revision",
        ) from error
    gain, direction = (tensors[name] for name in _RENAMED.values())
    expected = direction * (gain / direction.norm(dim=(0, 1), keepdim=True))
    if not torch.allclose(cast(Tensor, model.encoder.pos_conv_embed.conv.weight), expected, atol=1e-6):
        raise InputError(path, "lost its positional convolution in loading", next_step="report this release")
    return model

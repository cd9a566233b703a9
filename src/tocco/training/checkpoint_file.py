"""What a checkpoint holds, read without running code and without the library that trains."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch

from tocco.errors import InputError
from tocco.models.network import PerformanceNetwork, build_network

DESCRIPTION: Final = "tocco"
"""Key of a checkpoint: format, arguments of `build_network`, trained dimensions, settings of the module."""

FORMAT: Final = 1
BEST_FOLDER: Final = "checkpoints"
"""Of the best checkpoints, in the folder of a part."""


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint, on the processor.

    Only tensors and plain values are unpickled.

    Raises
    ------
    InputError
        It is missing, damaged, holds anything else, or is no checkpoint of this release.
    """
    if not path.is_file():
        raise InputError(path, "no such checkpoint", next_step="name a .ckpt file of a run")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            path, "holds more than tensors and plain values, so that it is not loaded", next_step=_TRAIN
        ) from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(path, "is no checkpoint, or a damaged one", next_step=_TRAIN) from error
    _assert_ours(content, path)
    return content


def _assert_ours(content: Any, path: Path) -> None:
    described = content.get(DESCRIPTION) if isinstance(content, Mapping) else None
    if not isinstance(described, Mapping) or not isinstance(content.get("state_dict"), Mapping):
        raise InputError(
            path, "is no checkpoint of tocco, or one that an earlier release wrote", next_step=_TRAIN
        )
    if described.get("format") != FORMAT:
        raise InputError(
            path, f"has checkpoint format {described.get('format')!r}", allowed=str(FORMAT), next_step=_TRAIN
        )


_TRAIN: Final = "give a checkpoint that `tocco train` of this release wrote"


def network_state(checkpoint: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """The averaged weights of the network in a checkpoint."""
    prefix = "network."
    state = checkpoint["state_dict"]
    return {name.removeprefix(prefix): state[name] for name in state if name.startswith(prefix)}


def network_of(checkpoint: Mapping[str, Any]) -> PerformanceNetwork:
    """The network of a checkpoint with its averaged weights, in evaluation mode."""
    network = build_network(**checkpoint[DESCRIPTION]["network"])
    network.load_state_dict(network_state(checkpoint))
    return network.eval()

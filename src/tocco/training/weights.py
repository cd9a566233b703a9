"""Averaged weights of a trained part, read for inference."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file

from tocco.errors import InputError
from tocco.models.network import PerformanceNetwork


def load_weights(network: PerformanceNetwork, path: Path) -> PerformanceNetwork:
    """Load averaged weights for inference."""
    if not path.is_file():
        raise InputError(path, "no such file", next_step="train this part of the run first")
    network.load_state_dict(load_file(path), strict=True)
    return network.eval().requires_grad_(False)

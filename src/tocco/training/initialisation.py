"""Weights of another stage as the start of this one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from tocco.errors import MismatchError
from tocco.models.network import PerformanceNetwork
from tocco.training.checkpoints import DESCRIPTION, network_state, read_checkpoint

PER_DIMENSION: Final = tuple(
    f"head.{name}"
    for name in (
        *("branch_weight", "branch_bias", "rating_weight", "rating_bias"),
        *("unsure_weight", "unsure_bias", "plain_weight"),
    )
)
"""Parameters of the network with one row per dimension."""


@dataclass(frozen=True)
class Start:
    """What a network took from a checkpoint.

    Attributes
    ----------
    learned : dimensions whose heads were taken
    anew : dimensions with labels whose heads the checkpoint has not, or has not learned
    """

    path: Path
    learned: tuple[str, ...]
    anew: tuple[str, ...]

    def __str__(self) -> str:
        if not self.anew:
            return f"{self.path}: all weights taken"
        names = ", ".join(self.anew)
        return f"{self.path}: weights taken; heads that it has not learned start anew: {names}"


@torch.no_grad()
def start_from(
    network: PerformanceNetwork, path: Path, labelled: Sequence[str], *, kept: tuple[str, ...] = ()
) -> Start:
    """Load the weights of a checkpoint into a network that may rate other dimensions.

    The scales of the inputs are part of the weights.

    Parameters
    ----------
    network
    path
        Checkpoint of any stage with the same architecture.
    labelled
        Dimensions that this stage has labels for.
    kept
        Beginnings of the names of weights that stay those of `network`.

    Raises
    ------
    InputError
        The checkpoint is missing, damaged, or not of this release.
    MismatchError
        Its network has another architecture; the message names the first weight that differs.
    """
    checkpoint = read_checkpoint(path)
    described = checkpoint[DESCRIPTION]
    theirs = tuple(described["network"]["dimensions"])
    learned = tuple(name for name in network.dimensions if name in described["labelled"])
    rows = [network.dimensions.index(name) for name in learned]
    source = [theirs.index(name) for name in learned]
    here, given = network.state_dict(), network_state(checkpoint)
    for name in sorted(here.keys() | given.keys()):
        if name.startswith(kept):
            continue
        _assert_fits(path, name, here.get(name), given.get(name))
        if name in PER_DIMENSION:
            here[name][rows] = given[name][source].to(here[name])
        else:
            here[name].copy_(given[name])
    anew = tuple(name for name in network.dimensions if name in labelled and name not in learned)
    return Start(path, learned, anew)


def _assert_fits(path: Path, name: str, here: Tensor | None, given: Tensor | None) -> None:
    skipped = 1 if name in PER_DIMENSION else 0
    shapes = [None if one is None else tuple(one.shape[skipped:]) for one in (given, here)]
    if shapes[0] != shapes[1]:
        words = ["no such weights" if shape is None else f"the shape {shape}" for shape in shapes]
        raise MismatchError(
            path,
            f"is of another architecture: {name} has {words[0]}, this network {words[1]}",
            next_step="use the same model block in both configs",
        )

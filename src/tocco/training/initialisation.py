"""Weights of another stage as the start of this one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from tocco.errors import MismatchError
from tocco.models.network import PerformanceNetwork
from tocco.training.checkpoint_file import DESCRIPTION, network_state, read_checkpoint
from tocco.training.config import PARTS, ExperimentConfig

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
    new_parts : parts of the network that start anew
    """

    path: Path
    learned: tuple[str, ...]
    anew: tuple[str, ...]
    new_parts: tuple[str, ...] = ()

    def __str__(self) -> str:
        news = []
        if self.new_parts:
            news.append(f"parts that start anew: {', '.join(self.new_parts)}")
        if self.anew and "head" not in self.new_parts:
            news.append(f"heads that it has not learned start anew: {', '.join(self.anew)}")
        return f"{self.path}: {'; '.join(['weights taken', *news]) if news else 'all weights taken'}"


def new_parts_of(config: ExperimentConfig) -> tuple[str, ...]:
    """Parts that start anew in an experiment: those that it names, and an audio encoder that stays random."""
    random = ("audio_encoder",) if config.model.random_audio_encoder else ()
    return tuple(part for part in PARTS if part in (*config.training.new_parts, *random))


@torch.no_grad()
def start_from(
    network: PerformanceNetwork, path: Path, labelled: Sequence[str], *, new_parts: Collection[str] = ()
) -> Start:
    """Load the weights of a checkpoint into a network that may rate other dimensions.

    The scales of the inputs are part of the weights.

    Parameters
    ----------
    network
    path
        Checkpoint of any stage. Its parts have the same architecture, but for `new_parts`.
    labelled
        Dimensions that this stage has labels for.
    new_parts
        Parts of the network, as in `PARTS`, that stay as they are: nothing of them is taken.

    Raises
    ------
    InputError
        The checkpoint is missing, damaged, or not of this release.
    MismatchError
        A part has another architecture and is not named; the message names the first weight that differs.
    """
    checkpoint = read_checkpoint(path)
    described = checkpoint[DESCRIPTION]
    theirs = tuple(described["network"]["dimensions"])
    learned: tuple[str, ...] = ()
    if "head" not in new_parts:
        learned = tuple(name for name in network.dimensions if name in described["labelled"])
    rows = [network.dimensions.index(name) for name in learned]
    source = [theirs.index(name) for name in learned]
    here, given = network.state_dict(), network_state(checkpoint)
    for name in sorted(here.keys() | given.keys()):
        if part_of(name) in new_parts:
            continue
        _assert_fits(path, name, here.get(name), given.get(name))
        if name in PER_DIMENSION:
            here[name][rows] = given[name][source].to(here[name])
        else:
            here[name].copy_(given[name])
    anew = tuple(name for name in network.dimensions if name in labelled and name not in learned)
    return Start(path, learned, anew, tuple(part for part in PARTS if part in new_parts))


def part_of(name: str) -> str:
    """The part of the network that a weight belongs to.

    >>> part_of("level_standardiser.mean"), part_of("head.trunk.0.weight")
    ('level', 'head')
    """
    part = name.partition(".")[0]
    return "level" if part == "level_standardiser" else part


def _assert_fits(path: Path, name: str, here: Tensor | None, given: Tensor | None) -> None:
    skipped = 1 if name in PER_DIMENSION else 0
    shapes = [None if one is None else tuple(one.shape[skipped:]) for one in (given, here)]
    if shapes[0] != shapes[1]:
        words = ["no such weights" if shape is None else f"the shape {shape}" for shape in shapes]
        raise MismatchError(
            path,
            f"is of another architecture: {name} has {words[0]}, this network {words[1]}",
            next_step=f"use the same model block in both configs, or training.new_parts=[{part_of(name)}]",
        )

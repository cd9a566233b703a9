"""Ensembles: an experiment from several seeds (Lakshminarayanan et al., Deep ensembles, 2017)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tocco.training.config import ExperimentConfig

MEMBER: Final = "member"
"""Folders of the members of an ensemble, in that of its run: member0, member1, ..."""


def members(config: ExperimentConfig, run: Path) -> list[tuple[ExperimentConfig, Path]]:
    """Settings and folder of the run of each member; the run itself where there is one.

    Seeds count up from that of the experiment.
    """
    n = config.training.members
    if n == 1:
        return [(config, run)]
    return [(_with_seed(config, config.training.seed + k), run / f"{MEMBER}{k}") for k in range(n)]


def member_folders(run: Path) -> list[Path]:
    """Folders of the runs that are evaluated together: those of the members, or the run itself."""
    return sorted(run.glob(f"{MEMBER}[0-9]*")) or [run]


def _with_seed(config: ExperimentConfig, seed: int) -> ExperimentConfig:
    training = config.training.model_copy(update={"seed": seed, "members": 1})
    return config.model_copy(update={"training": training})

"""Settings of `tocco train`: what file, options and defaults say together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import typer

from tocco.errors import InputError
from tocco.training.config import ExperimentConfig
from tocco.training.config_file import as_yaml, assignments, read_config

RUNS: Final = Path("runs")
"""Folder of the runs whose folder is not given."""


def resolved(path: Path, *, set_: Sequence[str], settings: Sequence[str]) -> ExperimentConfig:
    """The experiment of a file with the settings that were given; stderr has a line for an earlier file.

    Parameters
    ----------
    path
    set_, settings : "KEY=VALUE", as options and as arguments
        The arguments win where both set a key.
    """
    read = read_config(path, assignments(set_, "--set") | assignments(settings, "KEY=VALUE"))
    for note in read.notes:
        typer.echo(note, err=True)
    return read.config


def show(config: ExperimentConfig) -> None:
    """Print the resolved settings as YAML."""
    typer.echo(as_yaml(config), nl=False)


def labels_of(config: ExperimentConfig, given: Path | None, path: Path) -> Path:
    """The label file that was given, or that of the experiment.

    Raises
    ------
    InputError
        Neither names one, or the experiment names one that does not exist.
    """
    if given is not None:
        return given
    if config.data.train_path is None:
        raise InputError(path, "has no data.train_path", next_step="set it, or give --labels FILE")
    labels = Path(config.data.train_path)
    if not labels.is_file():
        raise InputError(
            labels,
            "no such label file",
            next_step=f"make it as the first lines of {path} say, or give --labels FILE",
        )
    return labels


def run_of(config: ExperimentConfig) -> Path:
    """The folder of the run of an experiment where none is given."""
    return RUNS / config.name

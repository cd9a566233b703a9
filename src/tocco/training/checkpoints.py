"""Checkpoints: written whole or not at all, read without running code, and exact to go on from.

A checkpoint of this release is Lightning's, with averaged weights in `state_dict` and, under `tocco`, what
the network is built from. It is written under a temporary name and renamed: a half-written one never counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import lightning.pytorch as pl
import torch
from lightning.fabric.plugins.io import TorchCheckpointIO
from lightning.pytorch.callbacks import Checkpoint, ModelCheckpoint

from tocco.files import replacing
from tocco.models.network import PerformanceNetwork
from tocco.training.checkpoint_file import read_checkpoint
from tocco.training.config import CheckpointConfig
from tocco.training.interruption import StoppedError, StopRequest


class WholeFiles(TorchCheckpointIO):
    """Checkpoint files that are renamed when they are complete, and loaded without running code."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write a checkpoint in one step."""
        with replacing(Path(path)) as temporary:
            torch.save(checkpoint, temporary)

    def load_checkpoint(
        self, path: Any, map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read a checkpoint of this release; see `read_checkpoint`."""
        return read_checkpoint(Path(path))


def portable_arguments(arguments: Mapping[str, Any], network: PerformanceNetwork) -> dict[str, Any]:
    """Arguments of `build_network` as plain values; MERT by its architecture, so that no hub is needed."""
    plain = dict(arguments)
    if plain.get("mert") is not None:
        plain["mert"] = {**plain["mert"], "checkpoint": network.audio_encoder.architecture}
    return plain


@contextmanager
def worker_loss_as_stop(request: StopRequest, path: Path) -> Iterator[None]:
    """End as after a signal where the signal ended the processes that load the examples, too."""
    try:
        yield
    except RuntimeError as error:
        if not request.number or "DataLoader worker" not in str(error):
            raise
        step = read_checkpoint(path)["global_step"] if path.is_file() else 0
        raise StoppedError(path.parent, request.number, step) from error


class BestCheckpoints(ModelCheckpoint):
    """The best checkpoints, whose bookkeeping survives a move of the run's folder."""

    def state_dict(self) -> dict[str, Any]:
        """State with file names in place of paths."""
        state = super().state_dict()
        state["best_k_models"] = {Path(p).name: score for p, score in state["best_k_models"].items()}
        for key in _PATHS:
            state[key] = Path(state[key]).name if state[key] else ""
        return {**state, "dirpath": ""}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore, with the paths in the present folder."""
        folder = Path(str(self.dirpath))

        def here(name: str) -> str:
            return str(folder / name) if name else ""

        placed = {key: here(state_dict[key]) for key in _PATHS}
        models = {here(name): score for name, score in state_dict["best_k_models"].items()}
        super().load_state_dict({**state_dict, **placed, "best_k_models": models, "dirpath": self.dirpath})
        self.current_score = state_dict["current_score"]


def best_checkpoint(trainer: pl.Trainer) -> Path | None:
    """The best checkpoint by validation; None if none was kept."""
    for callback in trainer.checkpoint_callbacks:
        if isinstance(callback, BestCheckpoints) and callback.best_model_path:
            return Path(callback.best_model_path)
    return None


_PATHS: Final = ("best_model_path", "kth_best_model_path", "last_model_path")


class LastCheckpoint(Checkpoint):
    """Writes `last.ckpt`, from which a run goes on exactly; ends the run after a signal.

    It is written at the end of epochs, between steps where the settings say so, and after a signal; never
    between batches whose gradients are being accumulated, nor between the last batch and the validation.

    Parameters
    ----------
    path
        The checkpoint.
    settings
    request
        Signals that were received.
    """

    def __init__(self, path: Path, settings: CheckpointConfig, request: StopRequest) -> None:
        self._path = path
        self._settings = settings
        self._request = request

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Receive signals in place of Lightning, which would end between two steps."""
        self._request.listen()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save after an optimiser step, where it is due or a signal was received."""
        if trainer.is_last_batch or (batch_idx + 1) % trainer.accumulate_grad_batches:
            return
        stopped = self._signal(trainer)
        every = self._settings.every_steps
        if stopped or (every and trainer.global_step % every == 0):
            self._save(trainer, stopped)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save after an epoch, behind its validation."""
        stopped = self._signal(trainer)
        is_last = trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs
        if stopped or is_last or self._settings.every_epoch:
            self._save(trainer, stopped)

    def _signal(self, trainer: pl.Trainer) -> int:
        """Number of a signal that any process received; 0 for none."""
        if trainer.world_size == 1:
            return self._request.number
        numbers = trainer.strategy.reduce(torch.tensor(float(self._request.number)), reduce_op="max")
        return int(numbers)

    def _save(self, trainer: pl.Trainer, stopped: int) -> None:
        trainer.save_checkpoint(self._path)
        if stopped:
            raise StoppedError(self._path.parent, stopped, trainer.global_step)

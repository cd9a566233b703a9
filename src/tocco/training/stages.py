"""Training: from a config and prepared records to weights in a folder.

The folder of a run has one sub-folder per fold (`fold0`, ...) or `full`, each with:

- `config.yaml`: the resolved settings
- `split.json`: protocol, fold, segment ids of both parts, hashes of split and labels, revision
- `last.ckpt`: state of the run, for `--resume`
- `checkpoints/`: with a held-out part, the best checkpoints by validation
- `best.ckpt`, `test.json`: of a partition, the best checkpoint and its figures on the test part
- `model.safetensors`: the averaged weights, read by evaluation and export
- `metrics.csv`, `curves.png`: losses and, with a held-out part, metrics per dimension, for each epoch
- `tensorboard/`: event files
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from torch.utils.data import DataLoader

from tocco.data.prepared import PreparedRecord
from tocco.files import write_bytes
from tocco.models.network_predictor import write_weights
from tocco.training.checkpoint_file import read_checkpoint
from tocco.training.checkpoints import best_checkpoint, worker_loss_as_stop
from tocco.training.config import ExperimentConfig
from tocco.training.dataloaders import part_loaders
from tocco.training.distributed import Processes
from tocco.training.epoch_log import PICTURE, draw_curves, read_epochs
from tocco.training.interruption import stop_requests
from tocco.training.launchers import Launcher, run_here
from tocco.training.lightning_module import PerformanceEvaluationModel
from tocco.training.module_of_config import build_module
from tocco.training.run_folder import (
    BEST,
    CHECKPOINT,
    TEST_FILE,
    WEIGHTS_FILE,
    Split,
    describe,
    open_part,
)
from tocco.training.trainer import build_trainer, check_precision, quiet_lightning


def train_stage(
    config: ExperimentConfig,
    records: Sequence[PreparedRecord],
    split: Split,
    run_dir: Path,
    *,
    validate: bool,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = False,
    start: Path | None = None,
    launcher: Launcher = run_here,
    say: Callable[[str], None] | None = None,
) -> Path:
    """Train on the training records of a split.

    Parameters
    ----------
    validate
        Compute metrics on the held-out part after every epoch, for choosing settings on an inner split or
        the best epoch of a partition.
        The folds of the final result are trained without, for the number of epochs of the config.
    resume
        Continue from `last.ckpt`, or from the beginning if the part was ended before its first checkpoint;
        an error if there is neither, or one of something else.
    overwrite
        Replace an existing part of the run, which otherwise is an error.
    start
        Checkpoint of another stage, whose weights this one starts from; see `start_from`.
    launcher
        The processes that train together.
    say
        Receives a line about what was taken from `start`.

    Returns
    -------
    Path
        The weights: of the best epoch for a partition, else of the last.

    Raises
    ------
    StoppedError
        A signal ended the training; the part can be resumed.
    InputError, MismatchError, OutputError, UsageError
        As in `assert_may_train`, `start_from` and `build_trainer`.
    """
    check_precision(config.training.precision)
    folder = open_part(run_dir, describe(config, records, split, start), resume=resume, overwrite=overwrite)
    weights = folder / WEIGHTS_FILE
    if not weights.is_file():  # else it is resumed after its end
        part = Part(config, tuple(records), split, folder, validate, progress, start, say)
        launcher(part.fit)
    return weights


@dataclass(frozen=True)
class Part:
    """A part of a run that is trained, in one process or several; see `train_stage`."""

    config: ExperimentConfig
    records: tuple[PreparedRecord, ...]
    split: Split
    folder: Path
    validate: bool
    progress: bool
    start: Path | None
    say: Callable[[str], None] | None

    def fit(self, processes: Processes) -> None:
        """Train from `last.ckpt` if there is one; the first process writes the files."""
        config, last = self.config, self.folder / CHECKPOINT
        with stop_requests() as request, quiet_lightning():
            trainer = build_trainer(
                config,
                self.folder,
                request,
                validate=self.validate,
                progress=self.progress,
                processes=processes,
            )
            pl.seed_everything(config.training.seed, workers=True, verbose=False)
            if config.training.threads:
                torch.set_num_threads(config.training.threads)
            training = [self.records[i] for i in self.split.train]
            module = build_module(config, training, self.start, self.say if processes.rank == 0 else None)
            loaders = part_loaders(
                config, self.records, self.split, validate=self.validate, processes=processes
            )
            with worker_loss_as_stop(request, last):
                trainer.fit(
                    module,
                    loaders.train,
                    loaders.held_out,
                    ckpt_path=str(last) if last.is_file() else None,
                    weights_only=True,
                )
            if processes.rank == 0:
                _finish(module, trainer, loaders.test, self.folder, self.split)


def _finish(
    module: PerformanceEvaluationModel,
    trainer: pl.Trainer,
    test: DataLoader[Any] | None,
    folder: Path,
    split: Split,
) -> None:
    """Write curves, test figures and, last, the weights.

    The averaged weights are read from the checkpoint: a run that was ended between its last epoch and this
    point trains no further epoch, and would keep those of the last step.
    """
    chosen = (split.keeps_best and best_checkpoint(trainer)) or folder / CHECKPOINT
    module.load_state_dict(read_checkpoint(chosen)["state_dict"])
    draw_curves(read_epochs(folder), folder / PICTURE)
    if test is not None:
        figures = evaluate_part(module, test)
        write_bytes(folder / TEST_FILE, (json.dumps(figures, indent=1) + "\n").encode())
    if split.keeps_best:
        shutil.copyfile(chosen, folder / BEST)
    write_weights(folder / WEIGHTS_FILE, module.network)


def evaluate_part(module: PerformanceEvaluationModel, loader: DataLoader[Any]) -> dict[str, float]:
    """Loss and metrics of the records of a loader: "test_loss", "test_r", "test_r2/phrasing", ..."""
    with quiet_lightning():
        trainer = pl.Trainer(
            accelerator="auto",
            devices=1,
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            enable_checkpointing=False,
        )
        (figures,) = trainer.test(module, loader, verbose=False)
    return {name: float(value) for name, value in figures.items()}

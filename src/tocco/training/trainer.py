"""The Lightning Trainer of a stage: device, precision, callbacks and loggers from its settings."""

from __future__ import annotations

import importlib.util
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import EarlyStopping, EMAWeightAveraging, LearningRateMonitor
from lightning.pytorch.loggers import Logger

from tocco.errors import MissingPartError, UsageError
from tocco.training.checkpoint_file import BEST_FOLDER
from tocco.training.checkpoints import BestCheckpoints, LastCheckpoint, WholeFiles
from tocco.training.config import ExperimentConfig, LoggingConfig
from tocco.training.distributed import ONE_PROCESS, Processes
from tocco.training.epoch_log import EpochLog
from tocco.training.interruption import StopRequest
from tocco.training.run_folder import CHECKPOINT

TENSORBOARD_FOLDER: Final = "tensorboard"
_CPU_PRECISIONS: Final = ("32-true", "bf16-mixed")


def build_trainer(
    config: ExperimentConfig,
    folder: Path,
    request: StopRequest,
    *,
    validate: bool,
    progress: bool = False,
    processes: Processes = ONE_PROCESS,
) -> pl.Trainer:
    """Trainer of a part of a run.

    Parameters
    ----------
    config
    folder
        Folder of the part: checkpoints, `metrics.csv` and event files.
    request
        Signals that end the run.
    validate
        Whether there is a held-out part: else no best checkpoint and no early stopping.
    progress
        Show a progress bar.
    processes
        That train together.

    Raises
    ------
    UsageError
        The device does not have the precision.
    MissingPartError
        A logger is not installed.
    """
    settings = config.training
    check_precision(settings.precision)
    loggers = build_loggers(config.logging, folder, config.name) if processes.rank == 0 else []
    return pl.Trainer(
        **processes.trainer_arguments(),
        deterministic="warn",
        max_epochs=settings.max_epochs,
        precision=settings.precision,
        accumulate_grad_batches=settings.accumulate_grad_batches,
        gradient_clip_val=settings.gradient_clip,
        logger=loggers or False,
        log_every_n_steps=config.logging.log_every_n_steps,
        plugins=[WholeFiles(), *processes.plugins()],
        num_sanity_val_steps=0,
        enable_progress_bar=progress and processes.rank == 0,
        enable_model_summary=False,
        use_distributed_sampler=False,
        callbacks=[
            # Buffers are constants. A mean of equal values drifts by rounding, and those that no checkpoint
            # has (mel filters) would differ after a resume.
            EMAWeightAveraging(decay=settings.average_decay, use_buffers=False),
            EpochLog(folder),
            *_monitors(config, folder, validate=validate, has_logger=bool(loggers)),
            LastCheckpoint(folder / CHECKPOINT, config.callbacks.checkpoint, request),
        ],
    )


def check_precision(precision: str) -> None:
    """Refuse a precision that the device does not have.

    Raises
    ------
    UsageError
        Without a GPU, there is no 16-bit float; an older GPU has no bfloat16.
    """
    if torch.cuda.is_available():
        if precision == "bf16-mixed" and not torch.cuda.is_bf16_supported(including_emulation=False):
            raise _no_precision(precision, "this GPU has no bfloat16", "32-true, 16-mixed")
    elif precision not in _CPU_PRECISIONS and not torch.backends.mps.is_available():
        raise _no_precision(precision, "this machine has no GPU", ", ".join(_CPU_PRECISIONS))


def _no_precision(precision: str, why: str, allowed: str) -> UsageError:
    return UsageError(
        "training.precision", f"is {precision}, and {why}", allowed=allowed, next_step="training.precision=32"
    )


def build_loggers(settings: LoggingConfig, folder: Path, name: str) -> list[Logger]:
    """TensorBoard by default, Weights & Biases and MLflow where they are asked for; all write to `folder`.

    Raises
    ------
    MissingPartError
        One is asked for and not installed.
    """
    check_loggers(settings)
    loggers: list[Logger] = []
    if settings.tensorboard:
        from lightning.pytorch.loggers import TensorBoardLogger

        loggers.append(TensorBoardLogger(folder, name="", version=TENSORBOARD_FOLDER))
    if settings.wandb_project is not None:
        loggers.append(_wandb(settings, folder, name))
    if settings.mlflow:
        from lightning.pytorch.loggers import MLFlowLogger

        store = f"sqlite:///{(folder / 'mlflow.db').absolute()}"
        loggers.append(MLFlowLogger(name, folder.name, tracking_uri=store))
    return loggers


def check_loggers(settings: LoggingConfig) -> None:
    """Refuse loggers that are not installed.

    Raises
    ------
    MissingPartError
        The message says how to install it, and how to train without it.
    """
    asked = {
        "tensorboard": (settings.tensorboard, "logging.tensorboard=false"),
        "wandb": (settings.wandb_project is not None, "logging.wandb_project=null"),
        "mlflow": (settings.mlflow, "logging.mlflow=false"),
    }
    for package, (is_asked, without) in asked.items():
        if is_asked and importlib.util.find_spec(package) is None:
            raise MissingPartError(
                f"logging.{package}",
                f"{package} is not installed",
                next_step=f"pip install {package}, or {without}",
            )


def _wandb(settings: LoggingConfig, folder: Path, name: str) -> Logger:
    from lightning.pytorch.loggers import WandbLogger

    return WandbLogger(
        name=f"{name}-{folder.name}",
        save_dir=folder,
        project=settings.wandb_project,
        mode=settings.wandb_mode,
    )


def _monitors(
    config: ExperimentConfig, folder: Path, *, validate: bool, has_logger: bool
) -> list[pl.Callback]:
    """Callbacks that look at logged figures."""
    kept, early = config.callbacks.checkpoint, config.callbacks.early_stopping
    callbacks: list[pl.Callback] = []
    if config.callbacks.lr_monitor and has_logger:
        callbacks.append(LearningRateMonitor(logging_interval="step"))
    if validate and early is not None:
        callbacks.append(ResumedEarlyStopping(early.monitor, mode=early.mode, patience=early.patience))
    if validate and kept.save_top_k:
        callbacks.append(
            BestCheckpoints(
                folder / BEST_FOLDER,
                filename="{epoch:03d}-{" + kept.monitor + ":.4f}",
                monitor=kept.monitor,
                mode=kept.mode,
                save_top_k=kept.save_top_k,
                save_on_train_epoch_end=False,
                enable_version_counter=False,
            )
        )
    return callbacks


class ResumedEarlyStopping(EarlyStopping):
    """Early stopping that a resumed run remembers: one that had stopped trains no further epoch."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """End at once if the run had stopped."""
        if self.stopped_epoch:
            trainer.should_stop = True


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Suppress Lightning's messages about hardware and loggers, and irrelevant warnings."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        for message, category in _IRRELEVANT.items():
            warnings.filterwarnings("ignore", message=message, category=category)
        try:
            yield
        finally:
            logger.setLevel(level)


_IRRELEVANT: Final[dict[str, Any]] = {
    # Items are read from memory-mapped arrays; worker processes would only copy them.
    ".*does not have many workers.*": Warning,
    # The folds of the final result are trained without validation.
    ".*have no `val_dataloader`.*": Warning,
    # A run that is resumed writes into its own folder.
    ".*exists and is not empty.*": Warning,
    # Fifty batches between two logged rows are right for large runs and harmless for small ones.
    ".*smaller than the logging interval.*": Warning,
    # Every process validates the whole held-out part, so that its figures are the same in all.
    ".*sync_dist=True.*": Warning,
    # Lightning 2.6 uses an interface that torch 2.13 has deprecated.
    ".*LeafSpec.*": FutureWarning,
}

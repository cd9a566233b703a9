"""Training: from a config and prepared records to weights in a folder.

The folder of a run has one sub-folder per fold (`fold0`, ...) or `full`, each with:

- `config.yaml`: the resolved settings
- `split.json`: protocol, fold, segment ids of both parts, hashes of split and labels, revision
- `last.ckpt`: checkpoint of Lightning, for `--resume`
- `model.safetensors`: the averaged weights, read by evaluation and export
- `metrics.csv`, `curves.png`: losses and, with a held-out part, metrics per dimension, for each epoch
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint
from safetensors.torch import load_file

from tocco.data.dataset import LEVEL_JITTER_DB, PerformanceDataset
from tocco.data.loaders import TrainingLoader, evaluation_loader
from tocco.data.prepared import PreparedRecord
from tocco.errors import InputError
from tocco.models.network import PerformanceNetwork, build_network
from tocco.models.network_predictor import write_weights
from tocco.music.note_features import NOTE_FEATURES
from tocco.music.octuple import OCTUPLE_VOCABULARY
from tocco.music.statistics import STATISTICS
from tocco.training.config import ExperimentConfig
from tocco.training.epoch_log import PICTURE, EpochLog, draw_curves, read_epochs
from tocco.training.lightning_module import PerformanceEvaluationModel
from tocco.training.masked_notes.start import start_midi_encoder
from tocco.training.model_config import COMPACT
from tocco.training.outputs import columns_of
from tocco.training.run_folder import CHECKPOINT, WEIGHTS_FILE, Split, describe, open_part

_WORDED_ANEW: Final = {
    "audio_encoder",
    "mert_trainable",
    "gradient_checkpointing",
    "midi_encoder",
    "mtl_dimensions",
}
"""Settings of the model that are no arguments of `build_network`, or are worded otherwise there."""


def network_arguments(config: ExperimentConfig) -> dict[str, Any]:
    """Arguments of `build_network` in an experiment."""
    model = config.model
    is_mert = model.audio_encoder != COMPACT
    mert = {
        "checkpoint": model.audio_encoder,
        "trainable": model.mert_trainable,
        "gradient_checkpointing": model.gradient_checkpointing,
    }
    return {
        **model.model_dump(exclude=_WORDED_ANEW),
        "audio_encoder": "mert" if is_mert else COMPACT,
        "mert": mert if is_mert else None,
        "octuple_vocabulary": tuple(OCTUPLE_VOCABULARY.values()),
        "n_note_features": len(NOTE_FEATURES),
        "n_statistics": len(STATISTICS) if config.data.statistics else 0,
        "dimensions": model.dimensions,
    }


def network_from_config(config: ExperimentConfig) -> PerformanceNetwork:
    """The untrained network of an experiment."""
    return build_network(**network_arguments(config))


def load_weights(network: PerformanceNetwork, path: Path) -> PerformanceNetwork:
    """Load averaged weights for inference."""
    if not path.is_file():
        raise InputError(path, "no such file", next_step="train this part of the run first")
    network.load_state_dict(load_file(path), strict=True)
    return network.eval().requires_grad_(False)


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
) -> Path:
    """Train on the training records of a split.

    Parameters
    ----------
    validate
        Compute metrics on the held-out part after every epoch, for choosing settings on an inner split.
        The folds of the final result are trained without, for the number of epochs of the config.
    resume
        Continue from `last.ckpt`; an error if there is none, or one of something else.
    overwrite
        Replace an existing part of the run, which otherwise is an error.

    Returns
    -------
    Path
        The weights.
    """
    folder = open_part(run_dir, describe(config, records, split), resume=resume, overwrite=overwrite)
    weights = folder / WEIGHTS_FILE
    if weights.is_file():
        return weights  # resumed after its end
    pl.seed_everything(config.training.seed, workers=True, verbose=False)
    if config.training.threads:
        torch.set_num_threads(config.training.threads)
    training = [records[i] for i in split.train]
    module = build_module(config, training)
    held_out = [records[i] for i in split.held_out] if validate else []
    train_loader = TrainingLoader(
        PerformanceDataset(
            training,
            training=True,
            use_score=config.data.score_features,
            score_dropout=config.data.score_dropout,
            seed=config.training.seed,
            augmentation=config.data.augmentation,
        ),
        batch_size=config.data.batch_size,
        seed=config.training.seed,
        workers=config.data.workers,
    )
    held_out_loader = (
        evaluation_loader(
            PerformanceDataset(held_out, training=False, use_score=config.data.score_features),
            batch_size=config.data.batch_size,
            workers=config.data.workers,
        )
        if held_out
        else None
    )
    with _quiet_lightning():
        trainer = _trainer(config, folder, progress=progress)
        trainer.fit(
            module,
            train_loader,
            held_out_loader,
            ckpt_path=str(folder / CHECKPOINT) if resume else None,
            weights_only=True,
        )
    write_weights(weights, module.network)
    draw_curves(read_epochs(folder), folder / PICTURE)
    return weights


def build_module(config: ExperimentConfig, training: Sequence[PreparedRecord]) -> PerformanceEvaluationModel:
    """Network and losses, with scales from the training records only."""
    network = network_from_config(config)
    use_score = config.data.score_features
    outputs = columns_of(network.dimensions)
    labels = np.stack([record.label[outputs] for record in training])
    if not np.isfinite(labels).any():
        raise InputError(
            "labels",
            f"have no rating of {', '.join(network.dimensions)}",
            next_step="set model.mtl_dimensions to what they rate",
        )
    mean, sd = label_moments(labels)
    symbolic = [
        inputs
        for record in training
        for window in record.windows
        for inputs in [(use_score and window.with_score) or window.without_score]
    ]
    level_db = np.array([window.level_db for record in training for window in record.windows])
    network.fit_standardisers(
        note_features=torch.from_numpy(np.concatenate([s.note_features for s in symbolic])),
        statistics=torch.from_numpy(np.stack([s.statistics for s in symbolic])),
        level_db=torch.from_numpy(np.add.outer(level_db, np.linspace(*LEVEL_JITTER_DB, 9)).ravel()).float(),
    )
    start_midi_encoder(network, config.model)
    network.head.initialise(torch.from_numpy(mean).float(), torch.from_numpy(sd).float())
    settings = config.training
    if config.data.statistics:
        fit_linear_initialisation(network, training, settings.ridge_penalty, use_score=use_score)
    return PerformanceEvaluationModel(
        network,
        label_sd=sd.tolist(),
        backbone_lr=settings.optimizer.backbone_lr,
        heads_lr=settings.optimizer.heads_lr,
        min_lr=settings.scheduler.min_lr,
        weight_decay=settings.optimizer.weight_decay,
        warmup_steps=settings.scheduler.warmup_steps,
        variance_weight=settings.variance_weight,
        scheduler=settings.scheduler.name,
        loss=settings.loss,
        rating_loss=settings.rating_loss,
    )


def fit_linear_initialisation(
    network: PerformanceNetwork,
    training: Sequence[PreparedRecord],
    penalty: float,
    *,
    use_score: bool = True,
) -> None:
    """Initialise the head as a ridge regression on the statistics, with the score and without.

    Every record has the same weight, whatever its number of windows.
    """
    statistics, labels, weights = [], [], []
    outputs = columns_of(network.dimensions)
    for record in training:
        rows = [w.with_score for w in record.windows if use_score and w.with_score is not None]
        rows += [w.without_score for w in record.windows]
        statistics += [row.statistics for row in rows]
        labels += [record.label[outputs]] * len(rows)
        weights += [1.0 / len(rows)] * len(rows)
    network.head.fit_linear_initialisation(
        torch.from_numpy(np.stack(statistics)),
        torch.from_numpy(np.stack(labels)).float(),
        torch.tensor(weights),
        penalty,
    )


def label_moments(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of every target's labels; 50 and 25 for a target without labels.

    Parameters
    ----------
    labels : (R, D) rating points; NaN where missing
    """
    mean, sd = np.full(labels.shape[1], 50.0), np.full(labels.shape[1], 25.0)
    for d in range(labels.shape[1]):
        known = labels[np.isfinite(labels[:, d]), d]
        if len(known) > 1:
            mean[d], sd[d] = known.mean(), max(known.std(), 1.0)
    return mean, sd


def _trainer(config: ExperimentConfig, folder: Path, *, progress: bool) -> pl.Trainer:
    settings = config.training
    return pl.Trainer(
        accelerator="auto",
        devices=1,
        deterministic="warn",
        max_epochs=settings.max_epochs,
        precision=settings.precision,
        accumulate_grad_batches=settings.accumulate_grad_batches,
        gradient_clip_val=settings.gradient_clip,
        logger=False,
        num_sanity_val_steps=0,
        enable_progress_bar=progress,
        enable_model_summary=False,
        callbacks=[
            *_checkpoints(folder, config.callbacks.checkpoint.every_steps),
            EMAWeightAveraging(decay=settings.average_decay),
            EpochLog(folder),
        ],
    )


def _checkpoints(folder: Path, steps: int) -> list[ModelCheckpoint]:
    """Writers of `last.ckpt`: at the end of an epoch and, if configured, between."""
    common: dict[str, Any] = {"filename": "last", "save_top_k": 1, "monitor": None}
    every_epoch = ModelCheckpoint(folder, **common, enable_version_counter=False)
    if not steps:
        return [every_epoch]
    return [
        every_epoch,
        ModelCheckpoint(folder, **common, enable_version_counter=False, every_n_train_steps=steps),
    ]


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Suppress Lightning's messages about hardware and loggers, and irrelevant warnings."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # Items are read from memory-mapped arrays; worker processes would only copy them.
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        # The folds of the final result are trained without validation.
        warnings.filterwarnings("ignore", message=".*have no `val_dataloader`.*")
        # A run that is resumed writes into its own folder.
        warnings.filterwarnings("ignore", message=".*exists and is not empty.*")
        # A run's folder may be moved as a whole; it has one checkpoint, whatever its path was.
        warnings.filterwarnings("ignore", message="The dirpath has changed.*")
        # Ten batches between two logged rows are right for large runs and harmless for small ones.
        warnings.filterwarnings("ignore", message=".*smaller than the logging interval.*")
        # Lightning 2.6 uses an interface that torch 2.13 has deprecated.
        warnings.filterwarnings("ignore", message=".*LeafSpec.*", category=FutureWarning)
        try:
            yield
        finally:
            logger.setLevel(level)

"""Settings of an experiment: a validated YAML file.

Unknown keys are refused with the nearest valid name, so that a misspelt setting is never
ignored. The resolved config is stored with every checkpoint and bundle.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, PositiveFloat, PositiveInt, ValidationError

from tocco.data.example_augmentation import ExampleAugmentation
from tocco.data.loaders import WorkerConfig
from tocco.data.record_arrays import MissingMidi
from tocco.errors import InputError
from tocco.schema import StrictModel, one_line


class DataConfig(StrictModel):
    """Training data.

    Attributes
    ----------
    protocol : cross-validation protocol of the label file
    window_sec, overlap : seconds; fraction of a window
        Long excerpts are cut into overlapping windows, in training as in assessment.
    score_dropout : probability
        Share of training windows without their score, so that the model can also rate
        performances without one.
    missing_midi : "refuse" or "derive"
        How to treat a record without MIDI: as an error, or transcribe its audio.
    transcriber : command for that, with {audio} and {midi}; null for the built-in transcriber
    """

    protocol: Literal["cv4_cluster", "cv4_performer", "leave_one_work_out"] = "cv4_cluster"
    window_sec: float = Field(20.0, gt=1.0, le=60.0)
    overlap: float = Field(0.5, ge=0.0, lt=1.0)
    score_dropout: float = Field(0.3, ge=0.0, le=1.0)
    batch_size: PositiveInt = 8
    missing_midi: MissingMidi = "refuse"
    transcriber: str | None = None


class ModelConfig(StrictModel):
    """Architecture of the network.

    Attributes
    ----------
    audio_encoder : "compact", trained from random weights, or "mert", loaded from `mert_checkpoint`
    audio_width, audio_depth, audio_mels : channels, blocks and mel bands of the compact encoder
    audio_pool_frames : number of audio frames averaged into one before the fusion
    midi_layers, midi_size, midi_heads : transformer over the notes
    fusion_size : total width of audio and note features
    pool_frames : number of frames averaged before the BiLSTM
    mert_checkpoint : hub id or folder; only for "mert"
    mert_trainable : "none", "all", or the number of top layers that are trained
    statistics_width : width of the branch for the performance statistics
    """

    audio_encoder: Literal["compact", "mert"] = "compact"
    audio_width: PositiveInt = 256
    audio_depth: PositiveInt = 6
    audio_mels: PositiveInt = 80
    audio_pool_frames: PositiveInt = 4
    midi_layers: PositiveInt = 6
    midi_size: PositiveInt = 256
    midi_heads: PositiveInt = 8
    fusion_size: PositiveInt = 1024
    fusion_heads: PositiveInt = 8
    lstm_layers: PositiveInt = 2
    lstm_hidden: PositiveInt = 256
    aggregator_heads: PositiveInt = 4
    pool_frames: PositiveInt = 2
    statistics_width: PositiveInt = 128
    dropout: float = Field(0.1, ge=0.0, lt=1.0)
    mert_checkpoint: str | None = None
    mert_trainable: Literal["none", "all"] | PositiveInt = "none"
    gradient_checkpointing: bool = False


class TrainingConfig(StrictModel):
    """Optimisation.

    Attributes
    ----------
    backbone_lr, heads_lr, min_lr : AdamW learning rates; backbone = the two encoders
    warmup_steps : optimiser steps of linear warm-up, then cosine to `min_lr` at the last step
    ridge_penalty : of the linear initialisation of the head, per record
    variance_weight : weight of the per-sample variance loss relative to the rating loss
    average_decay : decay of the exponential moving average of the weights
    checkpoint_every_steps : optimiser steps between two checkpoints within an epoch
        0 for checkpoints at the end of each epoch only.
    """

    seed: int = 20261122
    max_epochs: PositiveInt = 20
    backbone_lr: PositiveFloat = 1e-4
    heads_lr: PositiveFloat = 3e-4
    min_lr: float = Field(1e-6, ge=0.0)
    weight_decay: float = Field(0.01, ge=0.0)
    warmup_steps: int = Field(500, ge=0)
    gradient_clip: PositiveFloat = 1.0
    accumulate_grad_batches: PositiveInt = 1
    ridge_penalty: PositiveFloat = 1.5
    variance_weight: float = Field(0.1, ge=0.0)
    average_decay: float = Field(0.99, ge=0.0, lt=1.0)
    checkpoint_every_steps: int = Field(0, ge=0)
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    threads: int = Field(0, ge=0)


class ExperimentConfig(StrictModel):
    """A whole experiment: `tocco train --config FILE`."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    data: DataConfig = DataConfig()  # type: ignore[call-arg]
    loading: WorkerConfig = WorkerConfig()
    augmentation: ExampleAugmentation = ExampleAugmentation()
    model: ModelConfig = ModelConfig()  # type: ignore[call-arg]
    training: TrainingConfig = TrainingConfig()  # type: ignore[call-arg]


def load_config(path: Path, overrides: Mapping[str, str] | None = None) -> ExperimentConfig:
    """Read an experiment's settings.

    Parameters
    ----------
    path
        YAML file.
    overrides
        "block.key" -> value as YAML text, on top of the file.

    Raises
    ------
    InputError
        File missing, invalid YAML, an unknown key (with the nearest valid one), or a value out of range.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(path, error.strerror or "cannot be read", next_step="name a YAML file") from error
    try:
        values = yaml.safe_load(text)
        for key, value in (overrides or {}).items():
            _set(values, key, yaml.safe_load(value))
    except yaml.YAMLError as error:
        problem = str(error).splitlines()[0]
        raise InputError(path, f"is not YAML: {problem}", next_step="correct the line") from error
    if not isinstance(values, dict):
        raise InputError(
            path, "has no settings", allowed="blocks name, data, loading, augmentation, model, training"
        )
    return parse_config(values, str(path))


def parse_config(values: Mapping[str, Any], subject: str) -> ExperimentConfig:
    """Validate settings; `subject` names them in messages."""
    try:
        return ExperimentConfig.model_validate(values)
    except ValidationError as error:
        raise InputError(subject, one_line(error), next_step="correct the setting") from error


def _set(values: dict[str, Any], key: str, value: object) -> None:
    block = values
    *parents, last = key.split(".")
    for parent in parents:
        block = block.setdefault(parent, {})
    block[last] = value

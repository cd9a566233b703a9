"""Settings of an experiment, checked: data, model, training, callbacks, logging.

Unknown keys are refused with the nearest valid name, so that a misspelt setting is never ignored.
`tocco.training.config_file` reads them from YAML. The resolved settings are stored with every run and bundle.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, model_validator

from tocco.data.example_augmentation import ExampleAugmentation
from tocco.data.loaders import WorkerConfig
from tocco.data.partition import Grouping
from tocco.data.record_arrays import MissingMidi
from tocco.data.window_cqt import CqtMode
from tocco.schema import StrictModel
from tocco.training.model_config import CUSTOM, ModelConfig, Share

Part = Literal["audio_encoder", "level", "midi_encoder", "fusion", "aggregator", "head"]
"""A part of the network; `level` reads the level of the recording beside the audio encoder."""

PARTS: Final[tuple[Part, ...]] = get_args(Part)

_PRECISIONS = {16: "16-mixed", 32: "32-true", "16": "16-mixed", "bf16": "bf16-mixed", "32": "32-true"}

Precision = Annotated[
    Literal["32-true", "bf16-mixed", "16-mixed"],
    BeforeValidator(lambda given: _PRECISIONS.get(given, given) if isinstance(given, int | str) else given),
]


class DataConfig(StrictModel):
    """Training data.

    Attributes
    ----------
    train_path : label file (JSONL), relative to the current folder; `--labels` takes its place
    val_split, test_split : shares of the records for validation and test
        A partition without common music. Without `val_split`, the folds of `protocol` are used instead.
    split_by : what no two parts of that partition have in common
    protocol : cross-validation protocol
    window_sec, overlap : seconds; fraction of a window
        Long excerpts are cut into overlapping windows, in training as in assessment.
    score_dropout : probability
        Share of training windows without their score, so that the model can also rate
        performances without one.
    records_per_epoch : training records that an epoch draws, others in each; null for all
    score_features : whether scores are inputs at all
    statistics : whether the performance statistics are inputs
    missing_midi : "refuse" or "derive"
        How to treat a record without MIDI: as an error, or transcribe its audio.
    transcriber : command for that, with {audio} and {midi}; null for the built-in transcriber
    cqt : "none", "compute" or "cache"
        Whether each example has a constant-Q transform, which no network here reads; see `window_cqt`.
    num_workers, prefetch, persistent_workers, pin_memory : see `WorkerConfig`
    augmentation : see `ExampleAugmentation`
    """

    train_path: str | None = None
    val_split: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    test_split: Share = 0.15
    split_by: Grouping = "cluster"
    protocol: Literal["cv4_cluster", "cv4_performer", "leave_one_work_out"] = "cv4_cluster"
    window_sec: float = Field(20.0, gt=1.0, le=60.0)
    overlap: Share = 0.5
    score_dropout: float = Field(0.3, ge=0.0, le=1.0)
    records_per_epoch: PositiveInt | None = None
    score_features: bool = True
    statistics: bool = True
    batch_size: PositiveInt = 8
    missing_midi: MissingMidi = "refuse"
    transcriber: str | None = None
    cqt: CqtMode = "none"
    num_workers: int = Field(0, ge=0, le=64)
    prefetch: int = Field(2, ge=1, le=64)
    persistent_workers: bool = True
    pin_memory: bool = True
    augmentation: ExampleAugmentation = ExampleAugmentation()

    @model_validator(mode="after")
    def _check_shares(self) -> DataConfig:
        if self.val_split is not None and self.val_split + self.test_split >= 1.0:
            given = f"{self.val_split:g} and {self.test_split:g}"
            raise ValueError(f"val_split and test_split are {given}: nothing is left to train on")
        return self

    @property
    def shares(self) -> tuple[float, float, float] | None:
        """Shares of training, validation and test; None where the folds of `protocol` are used."""
        if self.val_split is None:
            return None
        return (round(1.0 - self.val_split - self.test_split, 6), self.val_split, self.test_split)

    @property
    def workers(self) -> WorkerConfig:
        """Worker processes of the loaders."""
        return WorkerConfig(
            workers=self.num_workers,
            prefetch=self.prefetch,
            persistent_workers=self.persistent_workers,
            pin_memory=self.pin_memory,
        )


class OptimizerConfig(StrictModel):
    """Optimiser.

    Attributes
    ----------
    backbone_lr, heads_lr : peak learning rates; backbone is the two encoders, heads is everything else
    weight_decay : of weight matrices; norms, biases and the loss's own variances have none
    """

    name: Literal["AdamW"] = "AdamW"
    backbone_lr: PositiveFloat = 1e-4
    heads_lr: PositiveFloat = 3e-4
    weight_decay: float = Field(0.01, ge=0.0)


class SchedulerConfig(StrictModel):
    """Learning rate over time.

    Attributes
    ----------
    name : "cosine" to `min_lr` at the last step, or "constant"
    warmup_steps : optimiser steps of linear warm-up, at most a tenth of all
    """

    name: Literal["cosine", "constant"] = "cosine"
    warmup_steps: int = Field(500, ge=0)
    min_lr: float = Field(1e-6, ge=0.0)


class TrainingConfig(StrictModel):
    """Optimisation.

    Attributes
    ----------
    checkpoint : weights that the stage starts from; `--checkpoint` takes its place
        A `.ckpt` of a run, or the `.safetensors` of a pre-trained MIDI encoder.
    new_parts : parts of the network that start anew where the others start from a checkpoint
    members : number of networks that are trained alike from different seeds, and whose ratings are averaged
    loss : weights of the dimensions, learned from their uncertainty or equal
    rating_loss : squared error, ordinal regression, or squared error and order within the batch
    ridge_penalty : of the linear initialisation of the head, per record
    variance_weight : weight of the per-sample variance loss relative to the rating loss
    average_decay : decay of the exponential moving average of the weights
    precision : 16 and 32 are read as "16-mixed" and "32-true"
    threads : of the processor; 0 for all
    """

    seed: int = 20261122
    members: int = Field(1, ge=1, le=100)
    max_epochs: PositiveInt = 20
    precision: Precision = "32-true"
    optimizer: OptimizerConfig = OptimizerConfig()  # type: ignore[call-arg]
    scheduler: SchedulerConfig = SchedulerConfig()  # type: ignore[call-arg]
    gradient_clip: PositiveFloat = 1.0
    accumulate_grad_batches: PositiveInt = 1
    checkpoint: str | None = None
    new_parts: tuple[Part, ...] = ()
    loss: Literal["uncertainty", "equal"] = "uncertainty"
    rating_loss: Literal["mse", "coral", "ranking"] = "mse"
    ridge_penalty: PositiveFloat = 1.5
    variance_weight: float = Field(0.1, ge=0.0)
    average_decay: Share = 0.99
    threads: int = Field(0, ge=0)


class CheckpointConfig(StrictModel):
    """What is kept of a run, beside the last state.

    Attributes
    ----------
    monitor, mode : quantity of the validation, and whether less or more of it is better
        Without validation, only the last state is kept.
    save_top_k : number of best checkpoints
    every_epoch : whether the last state is written after every epoch
    every_steps : optimiser steps between two checkpoints within an epoch; 0 for none
    """

    monitor: str = "val_loss"
    mode: Literal["min", "max"] = "min"
    save_top_k: int = Field(3, ge=0)
    every_epoch: bool = True
    every_steps: int = Field(0, ge=0)


class EarlyStoppingConfig(StrictModel):
    """When training ends before its last epoch: `patience` epochs without improvement of `monitor`."""

    monitor: str = "val_loss"
    mode: Literal["min", "max"] = "min"
    patience: PositiveInt = 5


class CallbacksConfig(StrictModel):
    """What happens during training.

    Attributes
    ----------
    early_stopping : null for none; it needs validation
    lr_monitor : whether learning rates are logged
    """

    checkpoint: CheckpointConfig = CheckpointConfig()  # type: ignore[call-arg]
    early_stopping: EarlyStoppingConfig | None = None
    lr_monitor: bool = True


class LoggingConfig(StrictModel):
    """Where figures go, beside `metrics.csv`.

    Attributes
    ----------
    tensorboard : whether an event file is written to the folder of the run
    wandb_project : project of Weights & Biases; null for none
    wandb_mode : "offline" writes to the folder of the run and sends nothing
    mlflow : whether the run is written to a local MLflow store
    """

    log_every_n_steps: PositiveInt = 50
    tensorboard: bool = True
    wandb_project: str | None = None
    wandb_mode: Literal["offline", "online", "disabled"] = "offline"
    mlflow: bool = False


class MaskingConfig(StrictModel):
    """Masked pre-training of the MIDI encoder, for `stage: masked_notes`.

    Attributes
    ----------
    mask_share : share of the struck notes of a window that are hidden
    spans : notes in a run; every window is prepared once for each, and epochs take turns
    pieces : text file of the piece ids that are trained on, one a line; null for all that are not held out
    held_out_pieces : text file of the piece ids that the stage is measured on, which win over `pieces`
        Null to draw them: `data.test_split` of all pieces.
    whole_sources : sources of which every piece is trained on, unless it is held out or left out
    left_out_pieces : piece ids that are not read at all: music that is rated elsewhere
    performances_per_piece : at most so many of one piece
    """

    mask_share: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.15
    spans: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (1, 1, 4)
    pieces: str | None = None
    held_out_pieces: str | None = None
    whole_sources: tuple[str, ...] = ()
    left_out_pieces: tuple[str, ...] = ()
    performances_per_piece: PositiveInt = 12


class AblationConfig(StrictModel):
    """What an ablation changes against the experiment that it extends, in words for tables.

    Attributes
    ----------
    removes : what the other has and this one has not: it earns its place if this one is worse
    adds : what this one has and the other has not: it would earn a place if this one is better
    """

    removes: str | None = None
    adds: str | None = None

    @model_validator(mode="after")
    def _check_one(self) -> AblationConfig:
        if (self.removes is None) == (self.adds is None):
            raise ValueError("give one of removes and adds")
        return self


class ExperimentConfig(StrictModel):
    """A whole experiment: `tocco train --config FILE`.

    Attributes
    ----------
    name : of the run; the name of the file where it is not given
    stage : "ratings" trains the network on labels, "masked_notes" pre-trains its MIDI encoder without any
    ablation : what `tocco ablate` calls the difference to the experiment that this one extends
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    stage: Literal["ratings", "masked_notes"] = "ratings"
    data: DataConfig = DataConfig()  # type: ignore[call-arg]
    model: ModelConfig = ModelConfig()  # type: ignore[call-arg]
    training: TrainingConfig = TrainingConfig()  # type: ignore[call-arg]
    masking: MaskingConfig = MaskingConfig()
    callbacks: CallbacksConfig = CallbacksConfig()  # type: ignore[call-arg]
    logging: LoggingConfig = LoggingConfig()  # type: ignore[call-arg]
    ablation: AblationConfig | None = None

    @model_validator(mode="after")
    def _check_inputs(self) -> ExperimentConfig:
        if self.stage == "masked_notes" and self.model.inputs == "audio":
            raise ValueError("model.inputs is 'audio', but stage 'masked_notes' trains the MIDI encoder")
        if self.model.inputs == "audio" and self.model.midi_encoder != CUSTOM:
            raise ValueError("model.inputs is 'audio', but model.midi_encoder names weights")
        if self.model.inputs == "audio" and self.data.statistics:
            raise ValueError(
                "model.inputs is 'audio', but the statistics are of notes; set data.statistics: false"
            )
        return self


def blocks() -> tuple[str, ...]:
    """Keys at the top of a file of settings."""
    return tuple(ExperimentConfig.model_fields)

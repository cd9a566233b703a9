from pathlib import Path

import pytest
from pydantic import ValidationError

from tocco.rubrics import DIMENSIONS, TARGETS
from tocco.training.config import DataConfig, ExperimentConfig, TrainingConfig
from tocco.training.config_file import load_config
from tocco.training.model_config import ModelConfig

CONFIGS = Path(__file__).parents[2] / "configs"

SEED = """
data:
  train_path: data/maestro_pseudo_labels.jsonl
  val_split: 0.15
  batch_size: 8
  num_workers: 4
  augmentation:
    enabled: true
    pitch_shift: 0.3
    time_stretch: 0.3
    noise: 0.2
model:
  audio_encoder: m-a-p/MERT-v1-95M
  midi_encoder: custom
  fusion_heads: 8
  lstm_layers: 2
  lstm_hidden: 256
  mtl_dimensions: 6
  gradient_checkpointing: true
training:
  max_epochs: 20
  precision: 16
  optimizer:
    name: AdamW
    backbone_lr: 1e-5
    heads_lr: 1e-4
    weight_decay: 0.01
  scheduler:
    name: cosine
    warmup_steps: 500
    min_lr: 1e-6
  gradient_clip: 1.0
  accumulate_grad_batches: 4
callbacks:
  checkpoint:
    monitor: val_loss
    mode: min
    save_top_k: 3
  early_stopping:
    monitor: val_loss
    patience: 5
logging:
  log_every_n_steps: 50
  wandb_project: piano-eval-mvp
"""


def test_the_keys_and_values_of_the_task_list_are_read_as_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "pseudo_pretrain.yaml"
    path.write_text(SEED)
    config = load_config(path)
    assert config.name == "pseudo_pretrain"
    assert config.training.precision == "16-mixed"
    assert config.training.optimizer.backbone_lr == 1e-5
    assert config.training.scheduler.min_lr == 1e-6
    assert config.data.augmentation.audio.pitch_shift.probability == 0.3
    assert config.data.augmentation.audio.add_noise.probability == 0.2
    assert config.model.dimensions == DIMENSIONS[:6]
    assert config.logging.wandb_mode == "offline"
    assert config.callbacks.early_stopping is not None
    assert config.callbacks.early_stopping.patience == 5


def test_the_shipped_stages_have_those_values(tmp_path: Path) -> None:
    path = tmp_path / "pseudo_pretrain.yaml"
    path.write_text(SEED)
    shipped = load_config(CONFIGS / "pseudo_pretrain.yaml")
    assert shipped == load_config(path, {"logging.wandb_project": "null", "model.mert_trainable": "all"})
    fine = load_config(CONFIGS / "expert_finetune.yaml")
    assert fine.data.train_path == "data/annotations/expert_labels.jsonl"
    assert (fine.model.mtl_dimensions, fine.training.max_epochs) == (10, 50)
    assert fine.training.optimizer.backbone_lr == 5e-6
    assert fine.callbacks.early_stopping is not None
    assert fine.callbacks.early_stopping.patience == 10
    assert load_config(CONFIGS / "midi_pretrain.yaml").stage == "masked_notes"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (10, TARGETS),
        (6, DIMENSIONS[:6]),
        (["phrasing", "tone_quality"], ("tone_quality", "phrasing")),
    ],
)
def test_mtl_dimensions_name_the_outputs(given: object, expected: tuple[str, ...]) -> None:
    assert ModelConfig.model_validate({"mtl_dimensions": given}).dimensions == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (7, "is 7; 6, 10 or a list of names is allowed"),
        (["phrasng"], "'phrasng' is unknown, did you mean 'phrasing'"),
        (["phrasing", "phrasing"], "names one twice"),
        ([], "is empty"),
        ({}, "6, 10 or a list of names"),
    ],
)
def test_other_mtl_dimensions_are_refused(given: object, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ModelConfig.model_validate({"mtl_dimensions": given})


@pytest.mark.parametrize(
    ("given", "expected"),
    [(16, "16-mixed"), (32, "32-true"), ("bf16", "bf16-mixed"), ("bf16-mixed", "bf16-mixed")],
)
def test_precision_is_a_number_of_bits_or_the_name_of_a_mode(given: object, expected: str) -> None:
    assert TrainingConfig.model_validate({"precision": given}).precision == expected


def test_another_precision_is_refused() -> None:
    with pytest.raises(ValidationError, match="'16-mixed'"):
        TrainingConfig.model_validate({"precision": 8})


def test_an_encoder_is_compact_or_a_checkpoint() -> None:
    assert ModelConfig.model_validate({"audio_encoder": "./mert"}).audio_encoder == "./mert"
    with pytest.raises(ValidationError, match="'compcat' is neither 'compact' nor a hub id or a folder"):
        ModelConfig.model_validate({"audio_encoder": "compcat"})


def test_the_parts_of_a_partition_leave_something_to_train_on() -> None:
    assert DataConfig.model_validate({}).shares is None
    assert DataConfig.model_validate({"val_split": 0.15}).shares == (0.7, 0.15, 0.15)
    with pytest.raises(ValidationError, match=r"are 0\.5 and 0\.5: nothing is left"):
        DataConfig.model_validate({"val_split": 0.5, "test_split": 0.5})


def test_masked_pre_training_needs_notes() -> None:
    with pytest.raises(ValidationError, match="trains the MIDI encoder"):
        ExperimentConfig.model_validate({"name": "a", "stage": "masked_notes", "model": {"inputs": "audio"}})

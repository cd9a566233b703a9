from pathlib import Path

import pytest

from tocco.errors import InputError
from tocco.inference.bundle import CONFIG, bundled_path
from tocco.training.config_file import load_config, read_config
from tocco.training.config_migration import merged, migrated, set_key

CONFIGS = Path(__file__).parents[2] / "configs"

EARLIER = """
name: percepiano
data: {protocol: cv4_cluster, window_sec: 20.0, score_dropout: 0.3}
loading: {workers: 3, prefetch: 4, persistent_workers: false, pin_memory: false}
augmentation:
  enabled: true
  audio: {pitch_shift: {probability: 0.4}}
model: {audio_encoder: compact, audio_width: 128, mert_checkpoint: null, mert_trainable: none}
training:
  max_epochs: 6
  backbone_lr: 3.0e-4
  heads_lr: 5.0e-4
  min_lr: 2.0e-6
  weight_decay: 0.05
  warmup_steps: 400
  checkpoint_every_steps: 7
  ridge_penalty: 1.2
"""


def test_a_file_of_an_earlier_release_is_read_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(EARLIER)
    read = read_config(path)
    config = read.config
    assert len(read.notes) == 1
    assert "read in the shape of an earlier release" in read.notes[0]
    assert "training.backbone_lr" in read.notes[0]
    workers = config.data.workers
    assert (workers.workers, workers.prefetch) == (3, 4)
    assert not workers.persistent_workers
    assert not workers.pin_memory
    assert config.data.augmentation.audio.pitch_shift.probability == 0.4
    optimizer, scheduler = config.training.optimizer, config.training.scheduler
    assert (optimizer.backbone_lr, optimizer.heads_lr, optimizer.weight_decay) == (3e-4, 5e-4, 0.05)
    assert (scheduler.min_lr, scheduler.warmup_steps) == (2e-6, 400)
    assert config.callbacks.checkpoint.every_steps == 7
    assert (config.training.ridge_penalty, config.training.max_epochs) == (1.2, 6)
    assert (config.model.audio_encoder, config.model.audio_width) == ("compact", 128)


def test_the_checkpoint_of_mert_has_become_the_encoder(tmp_path: Path) -> None:
    path = tmp_path / "mert.yaml"
    path.write_text("model: {audio_encoder: mert, mert_checkpoint: m-a-p/MERT-v1-95M}")
    assert load_config(path).model.audio_encoder == "m-a-p/MERT-v1-95M"


def test_a_checkpoint_beside_another_encoder_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "compact.yaml"
    path.write_text("model: {mert_checkpoint: m-a-p/MERT-v1-95M}")
    with pytest.raises(InputError, match="'mert_checkpoint' is unknown"):
        load_config(path)


def test_earlier_keys_on_the_command_line_win_over_the_file() -> None:
    config = load_config(
        CONFIGS / "percepiano.yaml",
        {
            "training.backbone_lr": "1e-6",
            "model.audio_encoder": "mert",
            "model.mert_checkpoint": "m-a-p/MERT-v1-95M",
        },
    )
    assert config.training.optimizer.backbone_lr == 1e-6
    assert config.training.optimizer.heads_lr == 5e-4
    assert config.model.audio_encoder == "m-a-p/MERT-v1-95M"


def test_the_settings_of_a_bundle_are_read_from_it() -> None:
    """The network that ships was trained by the config that ships."""
    bundled = load_config(bundled_path() / CONFIG)
    assert bundled == load_config(CONFIGS / "percepiano.yaml")


def test_present_settings_stay_as_they_are() -> None:
    values = {"data": {"num_workers": 2}, "training": {"optimizer": {"heads_lr": 1e-3}}}
    assert migrated(values) == (values, ())


def test_what_is_read_is_not_changed() -> None:
    values = {"training": {"heads_lr": 1e-3}, "loading": {"workers": 1}}
    migrated(values)
    assert values == {"training": {"heads_lr": 1e-3}, "loading": {"workers": 1}}


def test_settings_are_merged_block_by_block() -> None:
    assert merged({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"c": 4}, "d": None}) == {
        "a": {"b": 1, "c": 4},
        "d": None,
    }


def test_a_dotted_key_takes_the_place_of_what_is_no_block() -> None:
    values: dict[str, object] = {"a": None}
    set_key(values, "a.b", 1)
    assert values == {"a": {"b": 1}}

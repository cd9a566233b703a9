from pathlib import Path

import pytest
import yaml

from tocco.errors import InputError, UsageError
from tocco.training.config_file import as_yaml, assignments, load_config, read_config

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))


def write(folder: Path, text: str, name: str = "experiment.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_every_shipped_config_is_valid_and_says_its_command(path: Path) -> None:
    read = read_config(path)
    assert read.config.name == path.stem
    assert read.notes == ()
    assert path.read_text().startswith("# ")
    assert f"--config {path.relative_to(ROOT)}" in path.read_text()


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_what_is_resolved_can_be_read_again(path: Path, tmp_path: Path) -> None:
    config = load_config(path)
    assert load_config(write(tmp_path, as_yaml(config))) == config


def test_a_misspelt_key_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    path = write(tmp_path, "name: a\ntraining:\n  max_epoch: 3\n")
    with pytest.raises(InputError, match=r"training: 'max_epoch' is unknown, did you mean 'max_epochs'"):
        load_config(path)


def test_a_value_out_of_range_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "name: a\ndata:\n  overlap: 1.5\n")
    with pytest.raises(InputError, match=r"data\.overlap: Input should be less than 1 \(got 1\.5\)"):
        load_config(path)


def test_overrides_win_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "name: a\ntraining:\n  max_epochs: 3\n")
    config = load_config(
        path, {"training.max_epochs": "7", "model.midi_size": "64", "training.optimizer.heads_lr": "1e-3"}
    )
    assert (config.training.max_epochs, config.model.midi_size) == (7, 64)
    assert config.training.optimizer.heads_lr == 1e-3


def test_an_override_takes_the_place_of_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, "callbacks:\n  early_stopping: null\n")
    early = load_config(path, {"callbacks.early_stopping.patience": "2"}).callbacks.early_stopping
    assert early is not None
    assert early.patience == 2


def test_a_misspelt_override_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    path = write(tmp_path, "name: a\n")
    with pytest.raises(InputError, match=r"'trainin' is unknown, did you mean 'training'"):
        load_config(path, {"trainin.max_epochs": "7"})


def test_overrides_are_assignments() -> None:
    assert assignments(["training.max_epochs=5", "name=a=b"], "--set") == {
        "training.max_epochs": "5",
        "name": "a=b",
    }
    for wrong in ("max_epochs", "=5", "a..b=1", "a b=1"):
        with pytest.raises(UsageError, match="KEY=VALUE"):
            assignments([wrong], "--set")


def test_a_file_extends_another_block_by_block(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    write(tmp_path / "base", "name: lowest\ndata: {batch_size: 2, num_workers: 1}\n", "lowest.yaml")
    write(tmp_path / "base", "extends: lowest.yaml\ndata: {batch_size: 3}\n", "middle.yaml")
    path = write(tmp_path, "extends: base/middle.yaml\nmodel: {dropout: 0.4}\n", "Top level.yaml")
    config = load_config(path, {"data.overlap": "0.25"})
    assert (config.data.batch_size, config.data.num_workers, config.data.overlap) == (3, 1, 0.25)
    assert (config.name, config.model.dropout) == ("top_level", 0.4)


def test_a_circle_of_files_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "extends: b.yaml\n", "a.yaml")
    path = write(tmp_path, "extends: a.yaml\n", "b.yaml")
    with pytest.raises(InputError, match=r"b\.yaml: extends itself, by way of a\.yaml"):
        load_config(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [("extends: absent.yaml", r"absent\.yaml: No such file"), ("extends: [a]", "one YAML")],
)
def test_what_cannot_be_extended_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_config(write(tmp_path, text))


@pytest.mark.parametrize("text", ["", "- a list", "name: [unclosed"])
def test_a_file_without_settings_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError):
        load_config(write(tmp_path, text))


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        load_config(tmp_path / "absent.yaml")


def test_resolved_settings_are_plain_yaml(tmp_path: Path) -> None:
    text = as_yaml(load_config(write(tmp_path, "data: {augmentation: {pitch_shift: 0.4}}")))
    values = yaml.safe_load(text)
    assert values["data"]["augmentation"]["audio"]["pitch_shift"]["probability"] == 0.4
    assert list(values)[:3] == ["name", "stage", "data"]

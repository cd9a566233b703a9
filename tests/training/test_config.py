from pathlib import Path

import pytest

from tocco.errors import InputError
from tocco.training.config import load_config

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


def write(folder: Path, text: str) -> Path:
    path = folder / "experiment.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_every_shipped_config_is_valid_and_says_its_command(path: Path) -> None:
    assert load_config(path).name == path.stem
    assert path.read_text().startswith("# ")
    assert f"--config configs/{path.name}" in path.read_text()


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
    config = load_config(path, {"training.max_epochs": "7", "model.midi_size": "64"})
    assert (config.training.max_epochs, config.model.midi_size) == (7, 64)


@pytest.mark.parametrize("text", ["", "- a list", "name: [unclosed"])
def test_a_file_without_settings_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError):
        load_config(write(tmp_path, text))


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        load_config(tmp_path / "absent.yaml")

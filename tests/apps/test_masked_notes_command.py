"""`tocco train` for the stage `masked_notes`, from labels to an encoder that a network starts from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file
from typer.testing import CliRunner

from tocco.apps.cli.main import app
from tocco.errors import InputError, OutputError, UsageError
from tocco.training.config_file import load_config
from tocco.training.masked_notes.start import start_midi_encoder
from tocco.training.module_of_config import network_from_config

ROOT = Path(__file__).parents[2]


def _train(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["train", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("configs") / "masked_tiny.yaml"
    settings = {
        "extends": str(ROOT / "configs/tiny.yaml"),
        "stage": "masked_notes",
        "data": {"val_split": 0.3, "test_split": 0.3},
        "masking": {"spans": [1, 2]},
        "training": {"max_epochs": 2},
    }
    path.write_text(yaml.safe_dump(settings))
    return path


@pytest.fixture(scope="module")
def run(config: Path, tiny_labels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "masked"
    _train("--config", config, "--labels", tiny_labels, "-o", run, "--jobs", 1)
    return run


def test_the_run_has_weights_curves_and_held_out_figures(run: Path) -> None:
    split = json.loads((run / "split.json").read_text())
    assert [len(split["pieces"][name]) for name in ("training", "validation", "held_out")] == [3, 1, 2]
    figures = json.loads((run / "held_out.json").read_text())
    assert set(figures) == {"unigram", "previous note", "pre-trained encoder"}
    report = (run / "report.md").read_text()
    assert f"| pre-trained encoder | {figures['pre-trained encoder']['pitch'][0]:.3f} |" in report
    assert (run / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert len((run / "metrics.csv").read_text().splitlines()) == 3


def test_a_network_starts_from_the_weights(run: Path) -> None:
    weights = run / "midi_pretrain_best.safetensors"
    config = load_config(ROOT / "configs/tiny.yaml", {"model.midi_encoder": str(weights)})
    network = network_from_config(config)
    start_midi_encoder(network, config.model)
    saved = load_file(weights)
    assert all(torch.equal(value, saved[name]) for name, value in network.midi_encoder.state_dict().items())


def test_weights_have_a_suffix_and_need_notes() -> None:
    with pytest.raises(InputError, match=r"neither 'custom' nor a \.safetensors file"):
        load_config(ROOT / "configs/tiny.yaml", {"model.midi_encoder": "weights.ckpt"})
    with pytest.raises(InputError, match=r"model\.midi_encoder names weights"):
        load_config(
            ROOT / "configs/tiny.yaml", {"model.midi_encoder": "w.safetensors", "model.inputs": "audio"}
        )


def test_a_finished_run_is_kept(run: Path, config: Path, tiny_labels: Path) -> None:
    before = (run / "midi_pretrain_best.safetensors").read_bytes()
    common = ("--config", config, "--labels", tiny_labels, "-o", run, "--jobs", 1)
    with pytest.raises(OutputError, match="has a pre-training"):
        _train(*common)
    with pytest.raises(UsageError, match="are for ratings"):
        _train(*common, "--fold", "all")
    _train(*common, "--resume")
    assert (run / "midi_pretrain_best.safetensors").read_bytes() == before


def test_ratings_take_one_label_file(tiny_labels: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="names 2 files"):
        _train(
            *("--config", ROOT / "configs/tiny.yaml", "-o", tmp_path / "run"),
            *("--labels", tiny_labels, "--labels", tiny_labels),
        )

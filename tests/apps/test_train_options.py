"""`tocco train`: settings, label file and folder from the command line and from the experiment."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from tocco.apps.cli.main import app
from tocco.errors import InputError, UsageError
from tocco.training.config_file import load_config

ROOT = Path(__file__).parents[2]
TINY = ROOT / "configs" / "tiny.yaml"


def tocco(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_resolved_settings_are_printed_and_can_be_read_again(tmp_path: Path) -> None:
    printed = tocco(
        "train", "--config", ROOT / "configs/expert_finetune.yaml", "--print-config",
        "--set", "training.max_epochs=2", "--set", "model.dropout=0.3", "training.max_epochs=3",
    )  # fmt: skip
    values = yaml.safe_load(printed)
    assert values["training"]["max_epochs"] == 3
    assert values["model"]["dropout"] == 0.3
    assert "extends" not in values
    path = tmp_path / "resolved.yaml"
    path.write_text(printed)
    assert load_config(path).training.optimizer.backbone_lr == 5e-6


def test_a_file_of_an_earlier_release_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "earlier.yaml"
    path.write_text("training: {heads_lr: 0.001}\n")
    result = CliRunner().invoke(app, ["train", "--config", str(path), "--print-config"])
    assert "read in the shape of an earlier release (training.heads_lr)" in result.stderr
    assert yaml.safe_load(result.stdout)["training"]["optimizer"]["heads_lr"] == 0.001


def test_a_misspelt_setting_names_the_nearest_one() -> None:
    with pytest.raises(InputError, match=r"'max_epoch' is unknown, did you mean 'max_epochs'"):
        tocco("train", "--config", TINY, "--print-config", "training.max_epoch=3")
    with pytest.raises(UsageError, match=r"KEY=VALUE: is 'max_epochs' \(allowed: KEY=VALUE"):
        tocco("train", "--config", TINY, "--print-config", "max_epochs")


def test_without_a_label_file_the_next_step_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"has no data\.train_path\. Next: set it, or give --labels FILE"):
        tocco("train", "--config", TINY)
    with pytest.raises(InputError, match=r"no such label file\. Next: make it as the first lines of .*"):
        tocco("train", "--config", ROOT / "configs/pseudo_pretrain.yaml")


def test_the_experiment_names_its_labels_and_its_run(
    tmp_path: Path, tiny_labels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ensemble of two, trained on the labels of the experiment in the folder of its name."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.yaml"
    path.write_text(f"extends: {TINY}\ndata:\n  train_path: {tiny_labels}\n")
    settings = ("training.max_epochs=1", "training.members=2")
    printed = tocco("train", "--config", path, "--fold", "0", "--jobs", 1, *settings)
    weights = [Path(f"runs/mine/member{k}/fold0/model.safetensors") for k in range(2)]
    assert all(f"{one}: trained on" in printed for one in weights)
    assert weights[0].read_bytes() != weights[1].read_bytes()
    kept = load_config(Path("runs/mine/member1/fold0/config.yaml"))
    assert (kept.name, kept.training.max_epochs, kept.training.members) == ("mine", 1, 1)
    assert kept.training.seed == load_config(TINY).training.seed + 1
    with pytest.raises(InputError, match="is an ensemble, and a bundle has one network"):
        tocco("export", "runs/mine", "--evaluation", ".", "-o", "bundle", "--labels", tiny_labels)


def test_the_script_takes_the_options_of_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        sys, "argv", ["train.py", "--config", str(TINY), "--print-config", "data.batch_size=3"]
    )
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "train.py"), run_name="__main__")
    assert ended.value.code == 0
    assert yaml.safe_load(capsys.readouterr().out)["data"]["batch_size"] == 3

"""The folder of a run: nothing in it is lost or mixed up."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tocco.apps.cli.main import app
from tocco.apps.commands.run_parts import not_trained
from tocco.data.prepared import PreparedRecord, prepare_records
from tocco.data.records import read_labels
from tocco.errors import InputError, MismatchError, OutputError, ToccoError, UsageError
from tocco.training.config import ExperimentConfig
from tocco.training.config_file import load_config
from tocco.training.run_folder import (
    CHECKPOINT,
    WEIGHTS_FILE,
    Split,
    describe,
    labels_hash,
    open_part,
    read_description,
)

TINY = Path(__file__).parents[2] / "configs" / "tiny.yaml"
FOLD0 = Split("fold0", "cv4_cluster", (0, 2), (1, 3))


@pytest.fixture(scope="module")
def config() -> ExperimentConfig:
    return load_config(TINY)


@pytest.fixture(scope="module")
def records(tiny_labels: Path, tmp_path_factory: pytest.TempPathFactory) -> list[PreparedRecord]:
    cache = tmp_path_factory.mktemp("prepared")
    return prepare_records(read_labels(tiny_labels)[:4], window_sec=6.0, overlap=0.5, cache_dir=cache)


def opened(run: Path, description, *, resume: bool = False, overwrite: bool = False) -> Path:
    return open_part(run, description, resume=resume, overwrite=overwrite)


def trained(folder: Path) -> Path:
    """As a training would leave it."""
    (folder / CHECKPOINT).write_bytes(b"state")
    (folder / WEIGHTS_FILE).write_bytes(b"weights")
    return folder


def test_a_trained_part_is_replaced_only_when_that_is_asked_for(config, records, tmp_path: Path) -> None:
    description = describe(config, records, FOLD0)
    folder = trained(opened(tmp_path, description))
    with pytest.raises(OutputError, match=r"fold0: has a trained part.*--resume.*--overwrite") as refused:
        opened(tmp_path, description)
    assert refused.value.exit_code == 7
    assert (folder / WEIGHTS_FILE).read_bytes() == b"weights"
    assert opened(tmp_path, description, resume=True) == folder
    assert (folder / WEIGHTS_FILE).read_bytes() == b"weights"
    opened(tmp_path, description, overwrite=True)
    assert sorted(path.name for path in folder.iterdir()) == ["config.yaml", "split.json"]


def test_a_part_that_never_came_to_a_checkpoint_is_begun_again(config, records, tmp_path: Path) -> None:
    description = describe(config, records, FOLD0)
    (opened(tmp_path, description) / "metrics.csv").write_text("epoch\n")
    folder = opened(tmp_path, description)
    assert not (folder / "metrics.csv").exists()
    opened(tmp_path, description, resume=True)
    (folder / "split.json").unlink()
    with pytest.raises(InputError, match=r"last\.ckpt: no such checkpoint"):
        opened(tmp_path, description, resume=True)


def test_what_a_part_was_trained_on_is_written_down(config, records, tmp_path: Path) -> None:
    description = describe(config, records, FOLD0)
    found = read_description(opened(tmp_path, description))
    assert found == description
    assert found.split["train"] == ["take00", "take02"]
    assert found.split["held_out"] == ["take01", "take03"]
    assert found.split["labels_sha256"] == labels_hash(records)
    assert found.config["training"]["max_epochs"] == 3


def test_labels_are_distinguished_by_their_values(records) -> None:
    other = [*records]
    changed = records[2].label.copy()
    changed[np.flatnonzero(np.isfinite(changed))[0]] += 1.0
    other[2] = PreparedRecord(**{**vars(records[2]), "label": changed})
    assert labels_hash(other) != labels_hash(records)
    assert labels_hash(records[::-1]) == labels_hash(records)


def changed_setting(config: ExperimentConfig) -> ExperimentConfig:
    return config.model_copy(update={"training": config.training.model_copy(update={"max_epochs": 5})})


def test_another_run_is_not_resumed(config, records, tmp_path: Path) -> None:
    folder = trained(opened(tmp_path, describe(config, records, FOLD0)))
    with pytest.raises(MismatchError, match=r"other settings \(training\.max_epochs 3, now 5\)"):
        opened(tmp_path, describe(changed_setting(config), records, FOLD0), resume=True)
    fewer = describe(config, records, Split("fold0", "cv4_cluster", (0,), (1, 3)))
    with pytest.raises(MismatchError, match="was trained on other records"):
        opened(tmp_path, fewer, resume=True)
    content = json.loads((folder / "split.json").read_text())
    for key, problem in {"labels_sha256": "on other labels", "revision": "by another revision"}.items():
        (folder / "split.json").write_text(json.dumps(content | {key: "other"}))
        with pytest.raises(MismatchError, match=problem) as refused:
            opened(tmp_path, describe(config, records, FOLD0), resume=True)
        assert "\n" not in str(refused.value)
    (folder / "split.json").write_text("{")
    with pytest.raises(MismatchError, match="describe it"):
        opened(tmp_path, describe(config, records, FOLD0), resume=True)


def test_the_parts_of_a_run_are_of_one_experiment(config, records, tmp_path: Path) -> None:
    trained(opened(tmp_path, describe(config, records, FOLD0)))
    fold1, inner = (Split(name, "cv4_cluster", (1, 3), (0, 2)) for name in ("fold1", "fold1-inner"))
    opened(tmp_path, describe(config, records, fold1))
    with pytest.raises(MismatchError, match=r"fold0: of the same run has other settings \(training\.max_ep"):
        opened(tmp_path, describe(changed_setting(config), records, fold1))
    with pytest.raises(MismatchError, match="of the same run was trained on other labels"):
        opened(tmp_path, describe(config, records[:3], Split("full", "cv4_cluster", (0, 1, 2), ())))
    opened(tmp_path, describe(changed_setting(config), records, inner))  # inner parts try settings out
    opened(tmp_path, describe(config, records, fold1))


def invoke(*arguments: object) -> None:
    CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


def test_commands_before_their_turn_name_the_one_to_run(config, tiny_labels: Path, tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "out"
    train = f"tocco train --config CONFIG --labels {tiny_labels} -o {run} --fold"
    with pytest.raises(InputError) as refused:
        invoke("evaluate", run, "--labels", tiny_labels, "-o", out)
    assert str(refused.value) == f"{run}/fold0: is not trained yet. Next: {train} all."
    with pytest.raises(InputError) as refused:
        invoke("export", run, "--evaluation", out, "--labels", tiny_labels, "-o", tmp_path / "bundle")
    assert str(refused.value) == f"{run}/full: is not trained yet. Next: {train} none."
    records = prepare_records(read_labels(tiny_labels)[:4], window_sec=6.0, overlap=0.5, cache_dir=None)
    for name in ("fold0", "full"):
        trained(opened(run, describe(config, records, Split(name, "cv4_cluster", (0, 1, 2, 3), ()))))
    train = train.replace("CONFIG", str(run / "fold0/config.yaml"))
    with pytest.raises(InputError) as refused:
        invoke("evaluate", run, "--labels", tiny_labels, "-o", out)
    assert str(refused.value) == f"{run}/fold1: is not trained yet. Next: {train} 1."
    with pytest.raises(InputError) as refused:
        invoke("export", run, "--evaluation", out, "--labels", tiny_labels, "-o", tmp_path / "bundle")
    evaluate = f"tocco evaluate {run} --labels {tiny_labels} -o {out}"
    assert (
        str(refused.value) == f"{out}: has no calibration.json: the run is not evaluated. Next: {evaluate}."
    )
    assert not (tmp_path / "bundle").exists()


def test_a_fold_that_was_broken_off_is_to_be_resumed(tmp_path: Path) -> None:
    (tmp_path / "fold2").mkdir()
    (tmp_path / "fold2" / CHECKPOINT).touch()
    error: ToccoError = not_trained(tmp_path, "fold2", Path("labels.jsonl"))
    assert (
        error.next_step
        == f"tocco train --config CONFIG --labels labels.jsonl -o {tmp_path} --fold 2 --resume"
    )


def test_resume_and_overwrite_contradict_each_other(tiny_labels: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--resume: continues what --overwrite would replace"):
        invoke("train", "--config", TINY, "--labels", tiny_labels, "-o", tmp_path, "--resume", "--overwrite")

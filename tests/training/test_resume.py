"""A run that is ended anywhere and resumed leaves the same bits as one that is not."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from tocco.data.prepared import PreparedRecord
from tocco.training.checkpoints import BestCheckpoints, LastCheckpoint
from tocco.training.config import ExperimentConfig
from tocco.training.epoch_log import EpochLog
from tocco.training.interruption import StoppedError
from tocco.training.lightning_module import PerformanceEvaluationModel
from tocco.training.module_of_config import network_from_config
from tocco.training.run_folder import Split
from tocco.training.stages import train_stage


class PowerCutError(Exception):
    """The end of a run that was not asked."""


def assert_same(first: Any, second: Any, where: str = "") -> None:
    if isinstance(first, torch.Tensor):
        assert torch.equal(first, second), where
    elif isinstance(first, dict):
        assert first.keys() == second.keys(), where
        for key in first:
            assert_same(first[key], second[key], f"{where}/{key}")
    elif isinstance(first, list | tuple):
        assert len(first) == len(second), where
        for index, pair in enumerate(zip(first, second, strict=True)):
            assert_same(*pair, f"{where}/{index}")
    else:
        assert first == second, where


def assert_same_part(whole: Path, resumed: Path) -> None:
    """All that is kept: weights, state, best checkpoints, log, figures of the test part."""
    names = {str(path.relative_to(whole)) for path in whole.rglob("*.ckpt")}
    assert names == {str(path.relative_to(resumed)) for path in resumed.rglob("*.ckpt")}
    for name in names:
        pair = [torch.load(folder / name, weights_only=True) for folder in (whole, resumed)]
        assert_same(*pair, name)
    for name in ("model.safetensors", "metrics.csv", "test.json", "split.json", "config.yaml"):
        assert (whole / name).read_bytes() == (resumed / name).read_bytes(), name


@pytest.mark.parametrize(("step", "number"), [(1, signal.SIGTERM), (3, signal.SIGINT), (4, signal.SIGTERM)])
def test_a_run_that_is_told_to_stop_keeps_its_place_and_goes_on(
    hard: ExperimentConfig,
    records: list[PreparedRecord],
    split: Split,
    whole: Path,
    tmp_path: Path,
    step: int,
    number: signal.Signals,
) -> None:
    """Four steps of two batches an epoch: a signal within a step, or during the last one of an epoch."""
    original = PerformanceEvaluationModel.on_train_batch_start

    def signalled(self: PerformanceEvaluationModel, batch: object, batch_index: int) -> None:
        original(self, batch, batch_index)
        if self.global_step == step - 1 and batch_index % 2 == 0:
            os.kill(os.getpid(), number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PerformanceEvaluationModel, "on_train_batch_start", signalled)
        with pytest.raises(StoppedError, match=rf"{number.name} after step {step}\b") as stopped:
            train_stage(hard, records, split, tmp_path, validate=True)
    assert stopped.value.exit_code == 128 + number
    kept = torch.load(tmp_path / "split" / "last.ckpt", weights_only=True)
    assert kept["global_step"] == step
    train_stage(hard, records, split, tmp_path, validate=True, resume=True)
    assert_same_part(whole, tmp_path / "split")


@pytest.mark.parametrize(
    ("cls", "hook", "call"),
    [
        # Before the weights are written.
        pytest.param(LastCheckpoint, "_save", 8, marks=pytest.mark.slow),
        # A row is written that the checkpoint does not have.
        pytest.param(EpochLog, "on_train_epoch_end", 1, marks=pytest.mark.slow),
        (BestCheckpoints, "on_validation_end", 2),  # a best checkpoint is written that nothing remembers
    ],
)
def test_a_run_that_is_cut_off_goes_on_from_its_last_checkpoint(
    hard: ExperimentConfig,
    records: list[PreparedRecord],
    split: Split,
    whole: Path,
    tmp_path: Path,
    cls: type[Any],
    hook: str,
    call: int,
) -> None:
    original, calls = getattr(cls, hook), []

    def cut(self: object, *arguments: Any, **named: Any) -> None:
        original(self, *arguments, **named)
        calls.append(1)
        if len(calls) == call:
            raise PowerCutError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cls, hook, cut)
        with pytest.raises(PowerCutError):
            train_stage(hard, records, split, tmp_path, validate=True)
    assert not (tmp_path / "split" / "model.safetensors").exists()
    (tmp_path / "split" / ".last-0badcafe.ckpt").write_bytes(b"half")
    train_stage(hard, records, split, tmp_path, validate=True, resume=True)
    assert_same_part(whole, tmp_path / "split")


def test_a_run_that_had_stopped_early_trains_no_further_epoch(
    hard: ExperimentConfig, records: list[PreparedRecord], split: Split, tmp_path: Path
) -> None:
    """A learning rate of nearly nothing: the loss does not get better, and patience ends at once."""
    early = hard.callbacks.early_stopping
    assert early is not None
    config = hard.model_copy(
        update={
            "callbacks": hard.callbacks.model_copy(
                update={"early_stopping": early.model_copy(update={"patience": 1, "mode": "min"})}
            ),
            "training": hard.training.model_copy(update={"max_epochs": 6}),
        }
    )
    train_stage(config, records, split, tmp_path, validate=True)
    rows = (tmp_path / "split" / "metrics.csv").read_text()
    assert 2 <= rows.count("\n") - 1 < 6
    (tmp_path / "split" / "model.safetensors").unlink()
    train_stage(config, records, split, tmp_path, validate=True, resume=True)
    assert (tmp_path / "split" / "metrics.csv").read_text() == rows


def test_constants_of_the_network_do_not_drift_with_the_average_of_the_weights(
    hard: ExperimentConfig, records: list[PreparedRecord], split: Split, tmp_path: Path
) -> None:
    """The mel filters are in no checkpoint: a resumed run has those of a new network."""
    fresh = dict(network_from_config(hard).named_buffers())
    persistent = network_from_config(hard).state_dict()
    constants = [name for name in fresh if name not in persistent]
    assert any("filters" in name for name in constants)
    original, seen = PerformanceEvaluationModel.validation_step, []

    def looked_at(self: PerformanceEvaluationModel, batch: Any, batch_index: int) -> None:
        here = dict(self.network.named_buffers())
        seen.append(all(torch.equal(here[name], fresh[name]) for name in constants))
        original(self, batch, batch_index)

    config = hard.model_copy(update={"training": hard.training.model_copy(update={"average_decay": 0.3})})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PerformanceEvaluationModel, "validation_step", looked_at)
        train_stage(config, records, split, tmp_path, validate=True)
    assert len(seen) > 2
    assert all(seen)

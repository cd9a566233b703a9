"""Device, precision and loggers: what is asked for, or one line."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tocco.errors import MissingPartError, UsageError
from tocco.training.checkpoints import BestCheckpoints, LastCheckpoint
from tocco.training.config import ExperimentConfig, LoggingConfig
from tocco.training.interruption import StopRequest
from tocco.training.trainer import ResumedEarlyStopping, build_loggers, build_trainer, check_precision


def test_half_precision_is_refused_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(
        UsageError, match=r"16-mixed, and this machine has no GPU \(allowed: 32-true, bf16-mix"
    ):
        check_precision("16-mixed")
    check_precision("32-true")
    check_precision("bf16-mixed")


def test_bfloat16_is_refused_on_a_gpu_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    with pytest.raises(UsageError, match="this GPU has no bfloat16"):
        check_precision("bf16-mixed")
    check_precision("16-mixed")


@pytest.mark.parametrize(
    ("settings", "package"), [({"wandb_project": "x"}, "wandb"), ({"mlflow": True}, "mlflow")]
)
def test_a_logger_that_is_not_installed_is_one_line(
    settings: dict[str, object], package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else found(name))
    with pytest.raises(MissingPartError, match=rf"{package} is not installed\. Next: pip install {package}"):
        build_loggers(LoggingConfig(**settings), tmp_path, "x")  # type: ignore[arg-type]


def test_event_files_are_in_the_folder_of_the_part_by_default(whole: Path, hard: ExperimentConfig) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(whole / "tensorboard")).Reload()
    tags = events.Tags()["scalars"]
    assert {"train_loss", "val_loss", "val_r2/phrasing"} <= set(tags)
    assert len(events.Scalars("val_loss")) == hard.training.max_epochs
    without = LoggingConfig(tensorboard=False)  # type: ignore[call-arg]
    assert build_loggers(without, whole, "x") == []


def test_what_needs_validation_is_left_out_without_it(hard: ExperimentConfig, tmp_path: Path) -> None:
    def kinds(*, validate: bool) -> set[type]:
        trainer = build_trainer(hard, tmp_path, StopRequest(), validate=validate)
        return {type(callback) for callback in trainer.callbacks}

    monitors = {BestCheckpoints, ResumedEarlyStopping}
    assert monitors <= kinds(validate=True)
    assert not monitors & kinds(validate=False)
    trainer = build_trainer(hard, tmp_path, StopRequest(), validate=True)
    assert type(trainer.callbacks[-1]) is LastCheckpoint, "its state has to include that of the others"
    assert trainer.gradient_clip_val == hard.training.gradient_clip
    assert trainer.accumulate_grad_batches == 2

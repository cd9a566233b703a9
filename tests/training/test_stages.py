import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tocco.data.prepared import PreparedRecord, prepare_records
from tocco.data.records import read_labels
from tocco.errors import InputError
from tocco.rubrics import TARGETS
from tocco.training.config import ExperimentConfig
from tocco.training.config_file import load_config
from tocco.training.epoch_log import read_epochs
from tocco.training.held_out import held_out_metrics
from tocco.training.lightning_module import PerformanceEvaluationModel, warmup_cosine
from tocco.training.module_of_config import (
    build_module,
    fit_linear_initialisation,
    label_moments,
    network_from_config,
)
from tocco.training.run_folder import Split
from tocco.training.stages import train_stage
from tocco.training.weights import load_weights

TINY = Path(__file__).parents[2] / "configs" / "tiny.yaml"
SPLIT = Split("fold0", "cv4_cluster", tuple(range(0, 20, 2)), tuple(range(1, 20, 2)))


@pytest.fixture(scope="module")
def config() -> ExperimentConfig:
    return load_config(TINY)


@pytest.fixture(scope="module")
def prepared(tiny_labels: Path, tmp_path_factory: pytest.TempPathFactory) -> list[PreparedRecord]:
    cache = tmp_path_factory.mktemp("prepared")
    return prepare_records(read_labels(tiny_labels), window_sec=6.0, overlap=0.5, cache_dir=cache)


@pytest.fixture(scope="module")
def run(
    config: ExperimentConfig, prepared: list[PreparedRecord], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("run")
    train_stage(config, prepared, SPLIT, folder, validate=True)
    return folder


def test_a_run_leaves_its_settings_split_and_weights(run: Path, config: ExperimentConfig) -> None:
    folder = run / "fold0"
    split = json.loads((folder / "split.json").read_text())
    assert split["train"] == [f"take{n:02d}" for n in SPLIT.train]
    assert split["held_out"] == [f"take{n:02d}" for n in SPLIT.held_out]
    assert load_config(folder / "config.yaml") == config
    network = load_weights(network_from_config(config), folder / "model.safetensors")
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())


def test_validation_metrics_are_logged_every_epoch(run: Path, config: ExperimentConfig) -> None:
    rows = [row for row in read_epochs(run / "fold0") if "val_mae" in row]
    assert [row["epoch"] for row in rows] == list(range(config.training.max_epochs))
    assert all(0 < row["val_mae"] < 60 for row in rows)


def test_the_same_seed_gives_the_same_weights(
    run: Path, config: ExperimentConfig, prepared: list[PreparedRecord], tmp_path: Path
) -> None:
    again = train_stage(config, prepared, SPLIT, tmp_path, validate=False)
    first, second = load_file(run / "fold0" / "model.safetensors"), load_file(again)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_resumed_run_ends_where_an_uninterrupted_one_does(
    run: Path, config: ExperimentConfig, prepared: list[PreparedRecord], tmp_path: Path
) -> None:
    def interrupt(module: object) -> None:
        if getattr(module, "current_epoch", 0) == 2:
            raise StopError

    original = PerformanceEvaluationModel.on_train_epoch_start

    def interrupted(self: PerformanceEvaluationModel) -> None:
        interrupt(self)
        original(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PerformanceEvaluationModel, "on_train_epoch_start", interrupted)
        with pytest.raises(StopError):
            train_stage(config, prepared, SPLIT, tmp_path, validate=False)
    weights = train_stage(config, prepared, SPLIT, tmp_path, validate=False, resume=True)
    first, second = load_file(run / "fold0" / "model.safetensors"), load_file(weights)
    for name in first:
        torch.testing.assert_close(first[name], second[name], msg=name)


class StopError(Exception):
    """The power cut."""


@pytest.mark.parametrize(
    ("workers", "stop_at"),
    [pytest.param(0, 4, marks=pytest.mark.slow), pytest.param(0, 3, marks=pytest.mark.slow), (1, 5)],
)
def test_a_run_cut_off_within_an_epoch_ends_with_the_same_bits(
    prepared: list[PreparedRecord], tmp_path: Path, workers: int, stop_at: int
) -> None:
    """Three batches an epoch, with dropout: cut off after the fourth step, or at the end of an epoch."""
    values = {
        "training.max_epochs": "2",
        "callbacks.checkpoint.every_steps": "1",
        "model.dropout": "0.2",
        "data.num_workers": str(workers),
    }
    config = load_config(TINY, values)
    whole = train_stage(config, prepared, SPLIT, tmp_path / "whole", validate=False)
    original = PerformanceEvaluationModel.on_train_batch_start

    def cut_off(self: PerformanceEvaluationModel, batch: object, batch_index: int) -> None:
        original(self, batch, batch_index)
        if self.global_step == stop_at:
            raise StopError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PerformanceEvaluationModel, "on_train_batch_start", cut_off)
        with pytest.raises(StopError):
            train_stage(config, prepared, SPLIT, tmp_path / "cut", validate=False)
    kept = torch.load(tmp_path / "cut" / "fold0" / "last.ckpt", weights_only=True)
    assert kept["global_step"] == stop_at
    resumed = train_stage(config, prepared, SPLIT, tmp_path / "cut", validate=False, resume=True)
    first, second = load_file(whole), load_file(resumed)
    assert [name for name in first if not torch.equal(first[name], second[name])] == []


def test_a_checkpoint_of_an_earlier_release_is_an_error(
    run: Path, config: ExperimentConfig, prepared: list[PreparedRecord], tmp_path: Path
) -> None:
    shutil.copytree(run / "fold0", tmp_path / "fold0", ignore=shutil.ignore_patterns("model.safetensors"))
    kept = torch.load(run / "fold0" / "last.ckpt", weights_only=True)
    del kept["tocco"]
    torch.save(kept, tmp_path / "fold0" / "last.ckpt")
    with pytest.raises(InputError, match="an earlier release wrote"):
        train_stage(config, prepared, SPLIT, tmp_path, validate=False, resume=True)


def test_resuming_what_was_never_started_is_an_error(
    config: ExperimentConfig, prepared: list[PreparedRecord], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"last\.ckpt: no such checkpoint"):
        train_stage(config, prepared, SPLIT, tmp_path, validate=False, resume=True)


def test_weights_that_were_not_trained_are_an_error(config: ExperimentConfig, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="train this part of the run first"):
        load_weights(network_from_config(config), tmp_path / "model.safetensors")


def test_scales_come_from_the_training_records_alone(
    config: ExperimentConfig, prepared: list[PreparedRecord]
) -> None:
    module = build_module(config, prepared[:6])
    rows = [w.with_score.statistics for r in prepared[:6] for w in r.windows if w.with_score is not None]
    known = np.isfinite(rows).any(axis=0)
    with np.errstate(invalid="ignore"):
        mean = np.nanmean(np.array(rows)[:, known], axis=0)
    np.testing.assert_allclose(
        module.network.head.standardiser.mean.numpy()[known], mean, rtol=1e-3, atol=1e-4
    )


def test_every_parameter_is_in_one_group_and_norms_are_not_decayed(
    config: ExperimentConfig, prepared: list[PreparedRecord]
) -> None:
    module = build_module(config, prepared[:6])
    groups = module.parameter_groups()
    grouped = [p for group in groups for p in group["params"]]
    assert len(grouped) == len({id(p) for p in grouped}) == len(list(module.parameters()))
    optimizer = config.training.optimizer
    lr = {id(p): group["lr"] for group in groups for p in group["params"]}
    decay = {id(p): group["weight_decay"] for group in groups for p in group["params"]}
    for name, p in module.named_parameters():
        backbone = name.startswith(("network.audio_encoder", "network.midi_encoder"))
        assert lr[id(p)] == (optimizer.backbone_lr if backbone else optimizer.heads_lr)
        assert decay[id(p)] == 0.0 or p.ndim > 1
    assert decay[id(module.loss.log_variance)] == 0.0


def test_label_moments_stand_in_the_middle_where_there_are_no_labels() -> None:
    labels = np.array([[40.0, np.nan], [60.0, np.nan]])
    mean, sd = label_moments(labels)
    assert mean.tolist() == [50.0, 50.0]
    assert sd.tolist() == [10.0, 25.0]


def test_one_label_is_no_spread_and_a_spread_is_a_point_at_least() -> None:
    labels = np.array([[40.0, 50.1, 30.0], [np.nan, 50.2, 34.0]])
    mean, sd = label_moments(labels)
    assert mean.tolist() == pytest.approx([50.0, 50.15, 32.0])
    assert sd.tolist() == pytest.approx([25.0, 1.0, 2.0])


def test_every_record_counts_the_same_however_many_windows_it_has() -> None:
    """Rows are the windows with the score and then without; those of a record weigh 1 together."""

    def window(number: float, *, scored: bool = True) -> Any:
        rows = [SimpleNamespace(statistics=np.array([number + part, 0.0])) for part in (0.0, 0.5)]
        return SimpleNamespace(with_score=rows[0] if scored else None, without_score=rows[1])

    long = SimpleNamespace(windows=[window(n) for n in (1.0, 2.0, 3.0)], label=np.array([40.0, np.nan]))
    short = SimpleNamespace(windows=[window(9.0, scored=False)], label=np.array([80.0, 20.0]))
    given: dict[str, Any] = {}

    def fit(statistics: torch.Tensor, label: torch.Tensor, weight: torch.Tensor, penalty: float) -> None:
        given.update(statistics=statistics, label=label, weight=weight, penalty=penalty)

    network: Any = SimpleNamespace(
        dimensions=TARGETS[:2], head=SimpleNamespace(fit_linear_initialisation=fit)
    )
    training: Any = [long, short]
    label = np.stack([one.label for one in training])
    fit_linear_initialisation(network, training, label, 0.3)
    assert given["statistics"][:, 0].tolist() == [1.0, 2.0, 3.0, 1.5, 2.5, 3.5, 9.5]
    assert given["weight"].tolist() == pytest.approx([1 / 6] * 6 + [1.0])
    assert given["label"][:, 0].tolist() == [40.0] * 6 + [80.0]
    assert given["label"].dtype == torch.float32
    assert given["penalty"] == 0.3


def test_warm_up_is_counted_in_steps_and_never_longer_than_a_tenth() -> None:
    factors = [warmup_cosine(s, steps=40, warmup_steps=500, floor=0.0) for s in range(41)]
    assert factors[3] == 1.0
    assert max(factors) == 1.0
    assert factors[-1] == pytest.approx(0.0, abs=1e-9)
    assert factors[3:] == sorted(factors[3:], reverse=True)


def test_held_out_metrics_skip_dimensions_without_labels() -> None:
    label = np.full((4, len(TARGETS)), np.nan)
    label[:, 2] = [10.0, 20.0, 30.0, 40.0]
    rating = np.full_like(label, 25.0)
    rating[:, 2] = [12.0, 22.0, 32.0, 42.0]
    figures = held_out_metrics(label, rating)
    assert figures["r"] == pytest.approx(1.0)
    assert figures["mae"] == pytest.approx(2.0)
    assert figures["r2"] == pytest.approx(1 - 16 / 500)

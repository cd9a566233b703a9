"""Every ablation changes what it says, and trains: on the tiny corpus, in a tiny size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from tocco.data.batching import network_batch
from tocco.data.dataset import PerformanceDataset
from tocco.data.loaders import TrainingLoader
from tocco.data.prepared import PreparedRecord, prepare_records
from tocco.data.records import read_labels
from tocco.errors import InputError
from tocco.rubrics import DIMENSIONS
from tocco.training.config import ExperimentConfig
from tocco.training.config_file import load_config
from tocco.training.module_of_config import build_module
from tocco.training.run_folder import Split
from tocco.training.stages import train_stage

CONFIGS = Path(__file__).parents[2] / "configs"
ABLATIONS = sorted(path for path in (CONFIGS / "ablations").glob("*.yaml"))
CHANGED = {
    "audio_only": {"model.inputs", "data.statistics", "training.new_parts"},
    "midi_only": {"model.inputs", "training.new_parts"},
    "no_pretraining": {"training.checkpoint"},
    "random_audio_encoder": {"model.random_audio_encoder"},
    "equal_weights": {"training.loss"},
    "no_augmentation": {"data.augmentation.enabled"},
    "no_score_features": {"data.score_features"},
    "no_statistics": {"data.statistics"},
    "mean_sd_pooling": {"model.aggregation", "training.new_parts"},
    "concatenation": {"model.fusion", "training.new_parts"},
    "coral": {"training.rating_loss"},
    "ranking": {"training.rating_loss"},
    "ensemble": {"training.members"},
}


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return found


def tiny(path: Path, **more: str) -> ExperimentConfig:
    """The settings of a file in the size of configs/tiny.yaml."""
    size = flat(yaml.safe_load((CONFIGS / "tiny.yaml").read_text()))
    overrides = {key: str(value) for key, value in size.items() if key.startswith(("model.", "data."))}
    return load_config(path, {**overrides, **more})


@pytest.fixture(scope="module")
def prepared(tiny_labels: Path, tmp_path_factory: pytest.TempPathFactory) -> list[PreparedRecord]:
    cache = tmp_path_factory.mktemp("prepared")
    return prepare_records(read_labels(tiny_labels)[:8], window_sec=6.0, overlap=0.5, cache_dir=cache)


def test_every_ablation_is_known_and_changes_what_it_says() -> None:
    full = flat(load_config(CONFIGS / "ablations" / "full.yaml").model_dump())
    found = {}
    for path in ABLATIONS:
        config = load_config(path)
        values = flat(config.model_copy(update={"ablation": None}).model_dump())
        found[path.stem] = {key for key in values if values[key] != full[key]} - {"name"}
        assert (config.ablation is None) == (path.stem == "full")
    assert found == {"full": set(), **CHANGED}


@pytest.mark.parametrize("path", ABLATIONS, ids=lambda p: p.stem)
def test_a_step_of_every_ablation_trains_all_that_it_should(
    path: Path, prepared: list[PreparedRecord]
) -> None:
    config = tiny(path)
    torch.manual_seed(1)
    module = build_module(config, prepared)
    dataset = PerformanceDataset(
        prepared,
        training=True,
        use_score=config.data.score_features,
        augmentation=config.data.augmentation,
    )
    batch = next(iter(TrainingLoader(dataset, batch_size=8, seed=1)))
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    optimizer = torch.optim.AdamW(module.parameter_groups())
    total, single = module._losses(module.network(network_batch(batch)), batch)
    total.backward()
    optimizer.step()
    assert torch.isfinite(total)
    assert torch.isfinite(single.squared_error).any()
    unmoved = {name for name, p in module.named_parameters() if torch.equal(p, before[name])}
    frozen = {name for name, p in module.named_parameters() if not p.requires_grad}
    assert frozen <= unmoved
    parts = {name.rpartition(".")[0] for name in unmoved - frozen}
    assert not {"network.join", "network.aggregator.overview", "network.head.trunk.0"} & parts
    assert bool(frozen) == (path.stem in {"midi_only", "random_audio_encoder", "equal_weights"})


def test_without_scores_no_example_has_one(prepared: list[PreparedRecord]) -> None:
    """Nor do the scales of the inputs know any: what only a score gives is never seen."""
    with_score = build_module(tiny(CONFIGS / "ablations" / "full.yaml"), prepared)
    without = build_module(tiny(CONFIGS / "ablations" / "no_score_features.yaml"), prepared)
    seen = [int((m.network.head.standardiser.unseen == 0).sum()) for m in (with_score, without)]
    assert seen[0] > seen[1] > 100


def test_six_outputs_learn_from_their_own_labels(prepared: list[PreparedRecord], tmp_path: Path) -> None:
    rated = [d for d in DIMENSIONS[:6] if any(np.isfinite(r.label[DIMENSIONS.index(d)]) for r in prepared)]
    assert rated == ["dynamics_control"]
    config = tiny(
        CONFIGS / "tiny.yaml",
        **{"model.mtl_dimensions": "6", "training.max_epochs": "1", "training.scheduler.name": "constant"},
    )
    split = Split("full", "cv4_cluster", tuple(range(8)), (0, 1, 2))
    weights = load_file(train_stage(config, prepared, split, tmp_path, validate=True))
    assert weights["head.rating_bias"].shape == (6,)
    module = build_module(config, prepared)
    label = np.array([r.label[DIMENSIONS.index("dynamics_control")] for r in prepared])
    expected = 0.01 * np.nanmean(label)
    bias = module.network.head.rating_bias.detach().sigmoid()
    assert float(bias[DIMENSIONS.index("dynamics_control")]) == pytest.approx(expected, abs=1e-5)


def test_labels_of_other_dimensions_are_an_error(prepared: list[PreparedRecord]) -> None:
    config = tiny(CONFIGS / "tiny.yaml", **{"model.mtl_dimensions": "[tone_quality]"})
    with pytest.raises(InputError, match="have no rating of tone_quality"):
        build_module(config, prepared)

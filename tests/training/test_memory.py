"""The estimate of GPU memory: exact where it counts, and below 14 GB for MERT-95M."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocco.training.config import ExperimentConfig
from tocco.training.config_file import load_config
from tocco.training.memory import GB, LIBRARIES_GB, MemoryEstimate, memory_of, memory_table
from tocco.training.module_of_config import network_from_config

CONFIGS = Path(__file__).parents[2] / "configs"


def test_weights_and_their_companions_are_counted(hard: ExperimentConfig) -> None:
    n = sum(p.numel() for p in network_from_config(hard).parameters())
    found = memory_of(hard)
    assert (found.n_parameters, found.n_trained) == (n, n)
    assert (found.weights, found.gradients, found.optimizer, found.average) == (4 * n, 4 * n, 8 * n, 4 * n)
    assert found.half_weights == 0
    half = memory_of(
        hard.model_copy(update={"training": hard.training.model_copy(update={"precision": "16-mixed"})})
    )
    assert half.half_weights == 2 * n
    assert half.activations < found.activations


def test_activations_grow_with_the_batch_and_the_window(hard: ExperimentConfig) -> None:
    def activations(**changes: float) -> int:
        return memory_of(hard.model_copy(update={"data": hard.data.model_copy(update=changes)})).activations

    one = activations()
    assert activations(batch_size=4) == 4 * one
    # A waveform of six seconds is kept, and features of its frames beside it.
    assert one > 6 * 24_000 * 4
    assert 1.2 < activations(window_sec=12.0) / one < 2.0


def test_the_table_adds_up() -> None:
    estimate = MemoryEstimate(10_000_000, 4_000_000, *(int(k * GB) for k in (1, 2, 3, 4, 5, 6)))
    assert estimate.total_gb == pytest.approx(21.0 + LIBRARIES_GB, abs=1e-6)
    lines = memory_table(estimate).splitlines()
    assert lines[0] == "10.0 million parameters, 4.0 million trained"
    assert lines[-1].split() == ["expected,", "not", "measured", "22.00", "GB"]
    assert [float(line.split()[-2]) for line in lines[1:7]] == [1, 2, 3, 4, 5, 6]


@pytest.mark.slow
@pytest.mark.parametrize("trainable", ["none", "all"])
def test_mert_95m_is_expected_to_fit_a_card_of_16_gb(trainable: str) -> None:
    config = load_config(CONFIGS / "pseudo_pretrain.yaml", {"model.mert_trainable": trainable})
    found = memory_of(config)
    assert 105e6 < found.n_parameters < 115e6
    assert 2.0 < found.total_gb < 14.0
    if trainable == "all":
        without = config.model.model_copy(update={"gradient_checkpointing": False})
        assert memory_of(config.model_copy(update={"model": without})).activations > 2 * found.activations

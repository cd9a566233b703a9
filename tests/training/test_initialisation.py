"""Starting from another stage: weights and scales are taken, heads that were not learned start anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tocco.data.prepared import PreparedRecord
from tocco.errors import InputError, MismatchError
from tocco.training.checkpoints import network_state, read_checkpoint
from tocco.training.config import ExperimentConfig
from tocco.training.initialisation import PER_DIMENSION, start_from
from tocco.training.module_of_config import build_module, network_from_config

LEARNED = ("dynamics_control", "phrasing", "timbre_soft_loud")


def rating(config: ExperimentConfig, *names: str) -> ExperimentConfig:
    return config.model_copy(update={"model": config.model.model_copy(update={"mtl_dimensions": names})})


def test_all_weights_are_taken_but_heads_that_were_not_learned(hard: ExperimentConfig, whole: Path) -> None:
    torch.manual_seed(5)
    network = network_from_config(rating(hard, "phrasing", "pedaling_technique"))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    taken = start_from(network, whole / "best.ckpt", ["phrasing", "pedaling_technique"])
    assert (taken.learned, taken.anew) == (("phrasing",), ("pedaling_technique",))
    given, theirs = network_state(read_checkpoint(whole / "best.ckpt")), hard.model.dimensions
    here, new = network.dimensions.index("phrasing"), network.dimensions.index("pedaling_technique")
    for name, value in network.state_dict().items():
        if name in PER_DIMENSION:
            assert torch.equal(value[here], given[name][theirs.index("phrasing")]), name
            assert torch.equal(value[new], before[name][new]), name
        else:
            assert torch.equal(value, given[name]), name
    line = (
        f"{whole / 'best.ckpt'}: weights taken; heads that it has not learned start anew: pedaling_technique"
    )
    assert str(taken) == line


def test_a_random_audio_encoder_stays_random(
    hard: ExperimentConfig, records: list[PreparedRecord], whole: Path
) -> None:
    random = hard.model_copy(update={"model": hard.model.model_copy(update={"random_audio_encoder": True})})
    network = build_module(random, records[:6], whole / "best.ckpt").network
    given = network_state(read_checkpoint(whole / "best.ckpt"))
    differing = {name for name, value in network.state_dict().items() if not torch.equal(value, given[name])}
    assert any(name.startswith("audio_encoder.") for name in differing)
    assert {name for name in differing if not name.startswith(("audio_encoder.", "head."))} == set()


def test_a_stage_that_has_learned_all_says_so(hard: ExperimentConfig, whole: Path) -> None:
    taken = start_from(network_from_config(rating(hard, *LEARNED)), whole / "best.ckpt", LEARNED)
    assert str(taken).endswith("best.ckpt: all weights taken")


def test_scales_stay_those_of_the_weights_and_new_heads_read_their_own_labels(
    hard: ExperimentConfig, records: list[PreparedRecord], whole: Path
) -> None:
    given = network_state(read_checkpoint(whole / "best.ckpt"))
    others = records[14:20]
    for record in others:
        assert np.isfinite(record.label).sum() == 3
    lines: list[str] = []
    module = build_module(
        rating(hard, "phrasing", "timbre_soft_loud"), others, whole / "best.ckpt", lines.append
    )
    head = module.network.head
    assert torch.equal(head.standardiser.mean, given["head.standardiser.mean"])
    row = hard.model.dimensions.index("phrasing")
    assert torch.equal(head.plain_weight[head.dimensions.index("phrasing")], given["head.plain_weight"][row])
    assert module.labelled == ("phrasing", "timbre_soft_loud")
    assert lines == [f"{whole / 'best.ckpt'}: all weights taken"]


def test_a_head_without_labels_before_starts_at_the_mean_of_its_labels(
    hard: ExperimentConfig, records: list[PreparedRecord], whole: Path, tmp_path: Path
) -> None:
    content = read_checkpoint(whole / "best.ckpt")
    content["tocco"]["labelled"] = ["phrasing"]
    torch.save(content, tmp_path / "other.ckpt")
    module = build_module(rating(hard, "phrasing", "dynamics_control"), records[:8], tmp_path / "other.ckpt")
    head = module.network.head
    new = head.dimensions.index("dynamics_control")
    mean = np.mean([record.record.labels["dynamics_control"] for record in records[:8]])
    assert 100 * head.rating_bias[new].sigmoid().item() == pytest.approx(mean, abs=1e-3)
    assert head.plain_weight[new].abs().sum() > 0
    assert module.labelled == ("phrasing", "dynamics_control")


def test_another_architecture_is_refused(hard: ExperimentConfig, whole: Path) -> None:
    wider = hard.model_copy(update={"model": hard.model.model_copy(update={"fusion_size": 64})})
    with pytest.raises(MismatchError, match=r"another architecture: aggregator\..* has the shape .*, this"):
        start_from(network_from_config(wider), whole / "best.ckpt", LEARNED)
    alone = hard.model_copy(update={"model": hard.model.model_copy(update={"inputs": "midi"})})
    with pytest.raises(MismatchError, match="this network no such weights"):
        start_from(network_from_config(alone), whole / "best.ckpt", LEARNED)


def test_a_missing_checkpoint_is_refused(hard: ExperimentConfig, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such checkpoint"):
        start_from(network_from_config(hard), tmp_path / "none.ckpt", LEARNED)

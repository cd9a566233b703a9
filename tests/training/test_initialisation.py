"""Starting from another stage: weights and scales are taken, heads that were not learned start anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from tocco.data.prepared import PreparedRecord
from tocco.errors import InputError, MismatchError
from tocco.training.checkpoint_file import network_state, read_checkpoint
from tocco.training.config import ExperimentConfig
from tocco.training.config_file import load_config
from tocco.training.initialisation import PER_DIMENSION, new_parts_of, part_of, start_from
from tocco.training.module_of_config import build_module, network_from_config

CONFIGS = Path(__file__).parents[2] / "configs"
LEARNED = ("dynamics_control", "phrasing", "timbre_soft_loud")


def tiny(path: Path, **more: str) -> ExperimentConfig:
    """The settings of a file in the size of the checkpoint."""
    size = yaml.safe_load((CONFIGS / "tiny.yaml").read_text())["model"]
    return load_config(path, {**{f"model.{key}": str(value) for key, value in size.items()}, **more})


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


ABLATIONS = sorted((CONFIGS / "ablations").glob("*.yaml"))
SAID = {
    "audio_only": "parts that start anew: midi_encoder, fusion, head",
    "midi_only": "parts that start anew: audio_encoder, level, fusion, head",
    "random_audio_encoder": "parts that start anew: audio_encoder, head",
    "concatenation": "parts that start anew: fusion, head",
    "mean_sd_pooling": "parts that start anew: aggregator, head",
}


@pytest.mark.parametrize("path", ABLATIONS, ids=lambda path: path.stem)
def test_every_ablation_starts_from_the_weights_of_the_full_network(
    path: Path, records: list[PreparedRecord], whole: Path
) -> None:
    """All but the parts that its settings name, which are said in the line."""
    config = tiny(path)
    lines: list[str] = []
    network = build_module(config, records[:6], whole / "best.ckpt", lines.append).network
    said = SAID.get(path.stem, "parts that start anew: head")
    assert lines == [f"{whole / 'best.ckpt'}: weights taken; {said}"]
    given = network_state(read_checkpoint(whole / "best.ckpt"))
    new = set(said.partition(": ")[2].split(", "))
    checked = 0
    for name, value in network.state_dict().items():
        if part_of(name) not in new:
            assert torch.equal(value, given[name]), name
            checked += 1
    assert checked > 20


@pytest.mark.parametrize("name", sorted((SAID.keys() | {"no_statistics"}) - {"random_audio_encoder"}))
def test_a_changed_part_that_is_not_named_is_refused(name: str, whole: Path) -> None:
    (path,) = (one for one in ABLATIONS if one.stem == name)
    config = tiny(path, **{"training.new_parts": "[]"})
    with pytest.raises(MismatchError, match=r"another architecture: .*training\.new_parts=\["):
        start_from(network_from_config(config), whole / "best.ckpt", LEARNED, new_parts=new_parts_of(config))


def test_a_new_part_has_scales_of_its_own_records(records: list[PreparedRecord], whole: Path) -> None:
    """A head that starts anew reads statistics in the scales of this stage, and starts as a ridge on them."""
    (path,) = (one for one in ABLATIONS if one.stem == "full")
    config = tiny(path, **{"training.new_parts": "[head]"})
    head = build_module(config, records[:6], whole / "best.ckpt").network.head
    alone = build_module(config, records[:6]).network.head
    for name in ("standardiser.mean", "plain_weight", "rating_bias"):
        assert torch.equal(head.state_dict()[name], alone.state_dict()[name]), name
    given = network_state(read_checkpoint(whole / "best.ckpt"))["head.standardiser.mean"]
    assert not torch.equal(head.standardiser.mean, given)


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

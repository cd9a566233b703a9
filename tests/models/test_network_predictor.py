"""The network as a predictor: the same ratings, kept in a folder with what it was built from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tocco.errors import BundleError
from tocco.models.network import PerformanceBatch, build_network
from tocco.models.network_predictor import NetworkPredictor, read_network, write_weights
from tocco.models.predictor import PredictorInput
from tocco.models.predictor_files import ARRAYS, HEADER

ARGUMENTS: dict[str, Any] = {
    "dimensions": ["phrasing", "musicality"],
    "octuple_vocabulary": [4, 8, 16, 128, 32, 32, 3, 20],
    "n_note_features": 5,
    "n_statistics": 7,
    "audio_width": 32,
    "audio_depth": 1,
    "audio_mels": 32,
    "midi_layers": 1,
    "midi_size": 32,
    "midi_heads": 4,
    "fusion_size": 48,
    "fusion_heads": 4,
    "lstm_hidden": 16,
    "statistics_width": 16,
}


@pytest.fixture
def predictor() -> NetworkPredictor:
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in ARGUMENTS.items()}
    return NetworkPredictor(build_network(**given).eval(), ARGUMENTS)


def test_it_says_what_the_network_says(
    predictor: NetworkPredictor, make_batch: Callable[..., PerformanceBatch]
) -> None:
    batch = make_batch()
    said = predictor.predict(PredictorInput(batch))
    with torch.inference_mode():
        output = predictor.network(batch)
    assert np.array_equal(said.rating, output.rating.numpy().astype(float))
    np.testing.assert_allclose(said.sd, np.exp(output.log_variance.numpy() / 2.0), rtol=1e-6)
    assert said.sd.dtype == said.rating.dtype == np.float64
    assert (predictor.names, predictor.statistics) == (("phrasing", "musicality"), ())


def test_it_is_saved_to_the_last_bit_and_read_for_rating(predictor: NetworkPredictor, tmp_path: Path) -> None:
    predictor.save(tmp_path)
    again = NetworkPredictor.load(tmp_path)
    assert again.arguments == ARGUMENTS
    assert not again.network.training
    assert not any(p.requires_grad for p in again.network.parameters())
    state = predictor.network.state_dict()
    for name, tensor in again.network.state_dict().items():
        assert torch.equal(tensor, state[name]), name


def test_half_precision_weights_are_read_as_single(predictor: NetworkPredictor, tmp_path: Path) -> None:
    write_weights(tmp_path / "half.safetensors", predictor.network.half())
    network = read_network(tmp_path / "config.yaml", ARGUMENTS, tmp_path / "half.safetensors")
    assert {p.dtype for p in network.parameters()} == {torch.float32}


def test_without_its_arguments_it_cannot_be_saved(predictor: NetworkPredictor, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not know the arguments"):
        NetworkPredictor(predictor.network).save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_other_targets_than_the_networks_are_refused(predictor: NetworkPredictor, tmp_path: Path) -> None:
    predictor.save(tmp_path)
    header = json.loads((tmp_path / HEADER).read_text())
    (tmp_path / HEADER).write_text(json.dumps(header | {"names": ["phrasing"]}))
    with pytest.raises(BundleError, match="names other targets than its network rates"):
        NetworkPredictor.load(tmp_path)


def test_arguments_and_weights_that_do_not_fit_are_refused(
    predictor: NetworkPredictor, tmp_path: Path
) -> None:
    predictor.save(tmp_path)
    weights, described = tmp_path / ARRAYS, tmp_path / "config.yaml"
    for change in ({"deep": 1}, {"audio_encoder": "other"}):
        with pytest.raises(BundleError, match=r"config\.yaml: .*describes no network of this release"):
            read_network(described, ARGUMENTS | change, weights)
    with pytest.raises(BundleError, match=r"does not fit config\.yaml: ") as refused:
        read_network(described, ARGUMENTS | {"audio_width": 16}, weights)
    assert "\n" not in str(refused.value)
    with pytest.raises(BundleError, match="cannot be read"):
        read_network(described, ARGUMENTS, tmp_path / "none")
    weights.write_bytes(b"none")
    with pytest.raises(BundleError, match=r"does not fit config\.yaml"):
        read_network(described, ARGUMENTS, weights)


def test_a_missing_and_a_superfluous_tensor_are_named(predictor: NetworkPredictor, tmp_path: Path) -> None:
    predictor.save(tmp_path)
    weights = load_file(tmp_path / ARRAYS)
    name = sorted(weights)[3]
    save_file({k: v for k, v in weights.items() if k != name}, tmp_path / ARRAYS)
    with pytest.raises(BundleError, match=re.escape(name)):
        NetworkPredictor.load(tmp_path)
    save_file(weights | {"unheard.of": torch.zeros(2)}, tmp_path / ARRAYS)
    with pytest.raises(BundleError, match=r"unheard\.of"):
        NetworkPredictor.load(tmp_path)

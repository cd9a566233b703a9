"""Predictors in folders: whatever is in them is read, or refused in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from tocco.errors import BundleError
from tocco.models import registry
from tocco.models.blend import Blend
from tocco.models.network import PerformanceBatch, PerformanceNetwork, build_network
from tocco.models.network_predictor import NetworkPredictor
from tocco.models.predictor import Prediction, Predictor, PredictorInput, StatisticsTable, rating_by_name
from tocco.models.predictor_files import HEADER, Header, read_header, write_header
from tocco.models.registry import load_predictor
from tocco.models.statistics_models import RidgeStatistics, StatisticsScale


@dataclass(frozen=True)
class Always:
    """Says one number of each target: the whole of a new predictor."""

    names: tuple[str, ...]
    value: float
    spread: float = 4.0
    statistics: tuple[str, ...] = ()

    kind: ClassVar[str] = "always"

    def predict(self, rows: PredictorInput) -> Prediction:
        shape = (len(rows), len(self.names))
        return Prediction(np.full(shape, self.value), np.full(shape, self.spread))

    def save(self, folder: Path) -> None:
        write_header(folder, Header(self.kind, self.names, settings={"value": self.value}))

    @classmethod
    def load(cls, folder: Path) -> Always:
        header = read_header(folder, cls.kind)
        return cls(header.names, header.settings["value"])


def linear(names: tuple[str, ...], slope: float) -> RidgeStatistics:
    scale = StatisticsScale(np.zeros(1), np.ones(1))
    n = len(names)
    return RidgeStatistics(names, ("a",), scale, np.full((n, 1), slope), np.full(n, 50.0), np.full(n, 8.0))


def rows(*values: float) -> PredictorInput:
    return PredictorInput(statistics=StatisticsTable(("a",), np.array(values)[:, None]))


def test_a_kind_of_predictor_is_one_line_in_the_registry(tmp_path: Path, monkeypatch) -> None:
    Always(("phrasing",), 61.0).save(tmp_path)
    known = ", ".join(registry.KINDS)
    with pytest.raises(BundleError, match=rf"of the kind 'always' \(allowed: {known}\)"):
        load_predictor(tmp_path)
    monkeypatch.setattr(registry, "KINDS", {**registry.KINDS, Always.kind: Always})
    assert load_predictor(tmp_path) == Always(("phrasing",), 61.0)


def test_a_blend_weighs_those_that_know_a_target(tmp_path: Path) -> None:
    blend = Blend((linear(("phrasing", "musicality"), 1.0), linear(("phrasing",), -2.0)), (3.0, 1.0))
    said = blend.predict(rows(0.0, 4.0))
    assert blend.names == ("phrasing", "musicality")
    assert blend.statistics == ("a",)
    assert said.rating.tolist() == [[50.0, 50.0], [0.75 * 54 + 0.25 * 42, 54.0]]
    assert said.sd.tolist() == [[8.0, 8.0], [8.0, 8.0]]
    wide = Blend((Always(("phrasing",), 20.0, 2.0), Always(("phrasing",), 60.0, 10.0)), (1.0, 3.0))
    assert wide.predict(rows(0.0)).rating.tolist() == [[50.0]]
    assert wide.predict(rows(0.0)).sd.tolist() == [[8.0]]
    blend.save(tmp_path)
    again = load_predictor(tmp_path)
    assert isinstance(again, Blend)
    assert again.weights == (3.0, 1.0)
    assert np.array_equal(again.predict(rows(0.0, 4.0)).rating, said.rating)


def test_a_blend_of_blends_is_a_blend(tmp_path: Path) -> None:
    inner = Blend((linear(("phrasing",), 1.0), linear(("phrasing",), 3.0)), (1.0, 1.0))
    Blend((inner, linear(("phrasing",), 0.0)), (1.0, 1.0)).save(tmp_path)
    assert load_predictor(tmp_path).predict(rows(5.0)).rating.tolist() == [[55.0]]


@pytest.mark.parametrize("weights", [(1.0,), (1.0, 0.0), (1.0, float("nan")), (1.0, -1.0)])
def test_weights_are_positive_and_one_for_each(weights: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Blend((Always(("phrasing",), 1.0), Always(("phrasing",), 2.0)), weights)


def test_the_network_is_a_predictor(
    make_network: Callable[..., PerformanceNetwork], make_batch: Callable[..., PerformanceBatch]
) -> None:
    network, batch = make_network(), make_batch()
    said = NetworkPredictor(network).predict(PredictorInput(batch))
    with torch.inference_mode():
        output = network(batch)
    assert np.array_equal(said.rating, output.rating.numpy().astype(float))
    assert said.sd == pytest.approx(output.log_variance.double().exp().sqrt().numpy())
    with pytest.raises(ValueError, match="listens to windows"):
        NetworkPredictor(network).predict(PredictorInput())
    with pytest.raises(ValueError, match="does not know the arguments"):
        NetworkPredictor(network).save(Path("nowhere"))


def test_a_kept_network_says_the_same_to_the_last_bit(make_batch, tmp_path: Path) -> None:
    arguments = {
        "dimensions": ["phrasing", "musicality"],
        "octuple_vocabulary": [4, 8, 16, 128, 32, 32, 3, 20],
        "n_note_features": 5,
        "n_statistics": 7,
        **{"audio_width": 32, "audio_depth": 1, "audio_mels": 32, "midi_layers": 1, "midi_size": 32},
        **{"midi_heads": 4, "fusion_size": 48, "fusion_heads": 4, "lstm_hidden": 16, "statistics_width": 16},
    }
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in arguments.items()}
    network = build_network(**given).eval()  # type: ignore[arg-type]
    NetworkPredictor(network, arguments).save(tmp_path)
    again = load_predictor(tmp_path)
    rows = PredictorInput(make_batch())
    before, after = NetworkPredictor(network).predict(rows), again.predict(rows)
    assert again.names == ("phrasing", "musicality")
    assert np.array_equal(before.rating, after.rating)
    assert np.array_equal(before.sd, after.sd)
    (tmp_path / HEADER).write_text((tmp_path / HEADER).read_text().replace('"audio_depth": 1', '"deep": 1'))
    with pytest.raises(BundleError, match="describes no network of this release"):
        load_predictor(tmp_path)


def test_ratings_are_put_in_the_order_that_is_asked_for() -> None:
    predictor: Predictor = Always(("phrasing", "musicality"), 3.0)
    prediction = Prediction(np.array([[1.0, 2.0]]), np.ones((1, 2)))
    found = rating_by_name(predictor, prediction, ("musicality", "tone_quality", "phrasing"))
    assert np.array_equal(found, [[2.0, np.nan, 1.0]], equal_nan=True)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"format": 2}, r"has the format 2 \(allowed: 1\)"),
        ({"format": None}, "has the format None"),
        ({"extra": 1}, "has the keys .*extra"),
        ({"kind": 7}, "'kind' has to be a string"),
        ({"settings": []}, "'settings' an object"),
        ({"names": "phrasing"}, "'names' has to be a list"),
        ({"names": ["a", "a"]}, "'names' names one thing twice"),
        ({"statistics": [1]}, "'statistics' has to be a list of strings"),
    ],
)
def test_headers_are_strict(change: dict[str, object], problem: str, tmp_path: Path) -> None:
    linear(("phrasing",), 1.0).save(tmp_path)
    header = json.loads((tmp_path / HEADER).read_text())
    (tmp_path / HEADER).write_text(json.dumps(header | change))
    with pytest.raises(BundleError, match=problem) as caught:
        load_predictor(tmp_path)
    assert caught.value.exit_code == 6
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1]", b"[" * 100_000, b"{}"])
def test_a_header_that_is_none_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot be read"):
        load_predictor(tmp_path)
    (tmp_path / HEADER).write_bytes(content)
    with pytest.raises(BundleError, match=r"is not JSON|does not say its format"):
        load_predictor(tmp_path)


def test_damaged_arrays_are_refused(tmp_path: Path) -> None:
    linear(("phrasing",), 1.0).save(tmp_path)
    arrays = tmp_path / "predictor.safetensors"
    whole = arrays.read_bytes()
    arrays.write_bytes(whole[:-3])
    with pytest.raises(BundleError, match="is not a whole safetensors file"):
        load_predictor(tmp_path)
    arrays.write_bytes(whole.replace(b"intercept", b"intersect"))
    with pytest.raises(BundleError, match=r"holds .*intersect.*allowed: .*intercept"):
        load_predictor(tmp_path)
    arrays.unlink()
    with pytest.raises(BundleError, match="cannot be read"):
        load_predictor(tmp_path)


@pytest.mark.parametrize("weights", [None, [], "ab", [1.0, True], [1.0, 0], [1.0, "x"], [1.0, float("inf")]])
def test_weights_of_a_kept_blend_are_checked(weights: object, tmp_path: Path) -> None:
    Blend((linear(("phrasing",), 1.0), linear(("phrasing",), 2.0)), (1.0, 1.0)).save(tmp_path)
    header = json.loads((tmp_path / HEADER).read_text())
    (tmp_path / HEADER).write_text(json.dumps(header | {"settings": {"weights": weights}}))
    with pytest.raises(BundleError, match="weight"):
        load_predictor(tmp_path)

"""Bundles whose parts agree with their checksums and yet hold what no model can hold."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from network_alone import write_network_alone
from tocco.errors import BundleError
from tocco.inference.bundle import (
    CALIBRATION,
    CHECKSUMS,
    CONFIG,
    PARTS,
    WEIGHTS,
    BundleCalibration,
    load_bundle,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_network_alone(tmp_path / "bundle")


def refusal(folder: Path) -> str:
    """What loading says, once the checksums are those of the changed files."""
    sums = {part: hashlib.sha256((folder / part).read_bytes()).hexdigest() for part in PARTS}
    (folder / CHECKSUMS).write_text("".join(f"{digest}  {part}\n" for part, digest in sums.items()))
    with pytest.raises(BundleError) as caught:
        load_bundle(folder)
    assert caught.value.exit_code == 6
    text = str(caught.value)
    assert "\n" not in text
    assert "Error" not in text
    return text


def change_yaml(path: Path, where: tuple[str, ...], value: object) -> None:
    content = yaml.safe_load(path.read_text())
    inner = content
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = value
    path.write_text(yaml.safe_dump(content))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_weights_that_are_no_numbers_are_refused(folder: Path, value: float) -> None:
    weights = load_file(folder / WEIGHTS)
    name = sorted(weights)[40]
    weights[name].view(-1)[-1] = value
    save_file(weights, folder / WEIGHTS)
    assert f"'{name}' holds NaN or infinite weights" in refusal(folder)


def test_weights_of_another_network_are_named_with_their_shapes(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    name = "level.weight"
    shape = tuple(weights[name].shape)
    save_file(weights | {name: torch.zeros(3, 5)}, folder / WEIGHTS)
    assert f"does not fit config.yaml: '{name}' has the shape (3, 5) (allowed: the shape {shape})" in refusal(
        folder
    )
    save_file({k: v for k, v in weights.items() if k != name}, folder / WEIGHTS)
    assert f"'{name}' has no tensor (allowed: the shape {shape})" in refusal(folder)
    save_file(weights | {"zz": torch.zeros(1)}, folder / WEIGHTS)
    assert "'zz' has the shape (1) (allowed: no tensor)" in refusal(folder)
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:1000])
    assert "it is no safetensors file" in refusal(folder)


@pytest.mark.parametrize(
    ("where", "value", "words"),
    [
        (("intervals", "dimensions", "phrasing", "scale"), math.nan, "intervals.dimensions.phrasing.scale"),
        (("intervals", "dimensions", "phrasing", "scale"), math.inf, "intervals.dimensions.phrasing.scale"),
        (("intervals", "dimensions", "phrasing", "coverage"), math.nan, "dimensions.phrasing.coverage"),
        (("intervals", "level"), math.nan, "intervals.level"),
        (("applicability", "limit"), math.nan, "applicability.limit"),
        (("applicability", "low"), [0.0], "names have 1 low"),
        (("applicability", "names"), ["grace"], "1 names have"),
    ],
)
def test_a_calibration_that_says_no_numbers_is_refused(
    folder: Path, where: tuple[str, ...], value: object, words: str
) -> None:
    change_yaml(folder / CALIBRATION, where, value)
    text = refusal(folder)
    assert text.startswith(f"{folder / CALIBRATION}: ")
    assert words in text


@pytest.mark.parametrize("end", ["low", "high"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_range_has_finite_ends(folder: Path, end: str, value: float) -> None:
    ends = json.loads((folder / CALIBRATION).read_text())["applicability"][end]
    change_yaml(folder / CALIBRATION, ("applicability", end), [*ends[:-1], value])
    assert f"applicability.{end}.{len(ends) - 1}: Input should be a finite number" in refusal(folder)


def test_a_range_has_its_low_end_below_the_high(folder: Path) -> None:
    content = json.loads((folder / CALIBRATION).read_text())
    found = content["applicability"]
    found["low"][0], found["high"][0] = 2.0, 1.0
    (folder / CALIBRATION).write_text(json.dumps(content))
    assert f"'{found['names'][0]}' ranges from 2 to 1" in refusal(folder)
    found["high"][0] = 2.0
    assert BundleCalibration.model_validate(content).applicability.low[0] == 2.0


@pytest.mark.parametrize(
    ("where", "value", "words"),
    [
        (("window_sec",), math.nan, "window_sec"),
        (("window_sec",), math.inf, "window_sec"),
        (("window_sec",), 0.0, "window_sec"),
        (("overlap",), 1.0, "overlap"),
        (("overlap",), math.nan, "overlap"),
        (("rated",), ["charm"], "rated names 'charm', which the model lacks"),
        (("network", "midi_size"), 10**9, "'midi_size' is 1000000000 (allowed: 0 to 65536)"),
        (("network", "lstm_layers"), 10**6, "'lstm_layers' is 1000000 (allowed: 0 to 64)"),
        (("network", "lstm_hidden"), math.nan, "'lstm_hidden' is nan (allowed: 0 to 65536)"),
        (("network", "fusion_size"), 65_536, "does not fit config.yaml: "),
        (("network", "midi_heads"), 0, "network: describes no network of this release"),
        (("network", "midi_heads"), 7, "network: describes no network of this release"),
        (("network", "audio_encoder"), "ears", "network: describes no network of this release"),
        (("network", "charm"), 1, "network: describes no network of this release"),
    ],
)
def test_settings_that_no_network_can_have_are_refused(
    folder: Path, where: tuple[str, ...], value: object, words: str
) -> None:
    change_yaml(folder / CONFIG, where, value)
    assert words in refusal(folder)


@pytest.mark.parametrize(
    "text", ["[" * 5000, "a: 2024-99-99", "a: " + "9" * 5000, "a: \xff", "{[1]: 2}", "'"]
)
def test_settings_that_cannot_be_parsed_are_refused(folder: Path, text: str) -> None:
    (folder / CONFIG).write_bytes(text.encode("latin-1"))
    assert "cannot be parsed" in refusal(folder)

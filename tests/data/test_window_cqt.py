"""Constant-Q transforms: the same cached or computed, and always of the sound that is in the example."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.numpy import load_file, save_file

from tocco.audio import features
from tocco.audio.augmentation import AugmentationConfig
from tocco.audio.features import compute_cqt
from tocco.data import window_cqt
from tocco.data.dataset import PerformanceDataset
from tocco.data.example_augmentation import ExampleAugmentation
from tocco.data.prepared import PreparedRecord, prepare_records
from tocco.data.records import LabelRecord, read_labels
from tocco.data.window_cqt import FOLDER, CqtMode, cached_path
from tocco.training.config_file import load_config
from tocco.training.dataloaders import create_dataloaders, part_loaders
from tocco.training.run_folder import Split

TINY = Path(__file__).parents[2] / "configs" / "tiny.yaml"


def prepare(records: list[LabelRecord], folder: Path | None) -> list[PreparedRecord]:
    return prepare_records(records, window_sec=4.0, overlap=0.5, cache_dir=folder)


@pytest.fixture
def prepared(tiny_labels: Path, tmp_path: Path) -> list[PreparedRecord]:
    return prepare(read_labels(tiny_labels)[:3], tmp_path)


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Length of every sound whose transform was computed for the cache."""
    lengths: list[int] = []

    def counted(audio: np.ndarray) -> np.ndarray:
        lengths.append(len(audio))
        return compute_cqt(audio)

    monkeypatch.setattr(features, "compute_cqt", counted)
    return lengths


def examples(prepared: list[PreparedRecord], mode: CqtMode) -> list[torch.Tensor]:
    dataset = PerformanceDataset(prepared, training=False, cqt=mode)
    return [dataset[i]["cqt"] for i in range(len(dataset))]  # type: ignore[typeddict-item]


def test_no_example_has_one_by_default(prepared: list[PreparedRecord]) -> None:
    assert "cqt" not in PerformanceDataset(prepared, training=False)[0]
    assert "cqt" not in PerformanceDataset(prepared, training=True)[0]
    assert load_config(TINY).data.cqt == "none"


def test_cached_is_computed_to_the_bit_and_only_once(
    prepared: list[PreparedRecord], tmp_path: Path, computed: list[int]
) -> None:
    expected = examples(prepared, "compute")
    assert not (tmp_path / FOLDER).exists()
    n = len(computed)
    assert n == len(expected) == sum(len(record.windows) for record in prepared)
    for _ in range(2):
        for ours, theirs in zip(examples(prepared, "cache"), expected, strict=True):
            assert torch.equal(ours, theirs)
    assert len(computed) == 2 * n
    assert len(list((tmp_path / FOLDER).iterdir())) == 3


def test_it_is_read_from_the_file(prepared: list[PreparedRecord]) -> None:
    examples(prepared, "cache")
    window = prepared[1].windows[2]
    path = cached_path(window)
    assert path is not None
    arrays = load_file(path)
    arrays["2"] = arrays["2"] + 1.0
    save_file(arrays, path)
    np.testing.assert_array_equal(window_cqt.window_cqt(window), arrays["2"])
    assert not np.array_equal(window_cqt.window_cqt(window, "compute"), arrays["2"])


def test_in_training_it_is_that_of_the_drawn_window(prepared: list[PreparedRecord]) -> None:
    examples(prepared, "cache")
    dataset = PerformanceDataset(prepared, training=True, seed=4, cqt="cache")
    drawn = [dataset[i] for i in range(3)]
    assert len({example["metadata"]["window"] for example in drawn}) > 1
    for example in drawn:
        expected = compute_cqt(example["waveform"].numpy())
        np.testing.assert_array_equal(example["cqt"].numpy(), expected)  # type: ignore[typeddict-item]


def test_augmentation_has_the_transform_of_the_augmented_sound(
    prepared: list[PreparedRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where no effect was drawn; the cache is neither read nor written."""
    before = examples(prepared, "cache")

    def refused(*arguments: object) -> np.ndarray:
        raise AssertionError("the cache was read")

    monkeypatch.setattr("tocco.data.dataset.window_cqt", refused)
    strong = ExampleAugmentation(enabled=True, audio=AugmentationConfig.only("add_noise", most_effects=1))
    none = ExampleAugmentation(enabled=True, audio=AugmentationConfig.only("add_noise", most_effects=0))
    for augmentation in (strong, none):
        dataset = PerformanceDataset(prepared, training=True, seed=4, augmentation=augmentation, cqt="cache")
        for i in range(3):
            example = dataset[i]
            found = example["cqt"].numpy()  # type: ignore[typeddict-item]
            np.testing.assert_array_equal(found, compute_cqt(example["waveform"].numpy()))
            if augmentation is strong:
                assert "add_noise" in example["metadata"]["effects"]
                assert not any(np.array_equal(found, one.numpy()) for one in before)


def test_another_recording_and_other_code_have_another_file(
    tiny_labels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = read_labels(tiny_labels)[0]
    (first,) = prepare([record], tmp_path)
    sound, rate = soundfile.read(str(record.audio_path))
    other = tmp_path / "other.flac"
    soundfile.write(other, 0.5 * sound + 0.01 * np.sin(np.arange(len(sound))), rate)
    (second,) = prepare([record.model_copy(update={"audio_path": other})], tmp_path)
    paths = {cached_path(one.windows[0]) for one in (first, second)}
    monkeypatch.setattr(window_cqt, "version", lambda name: "0")
    paths.add(cached_path(first.windows[0]))
    assert len(paths) == 3
    assert cached_path(first.windows[0]) == cached_path(first.windows[1])
    monkeypatch.undo()
    one, two = (window_cqt.window_cqt(each.windows[0]) for each in (first, second))
    assert not np.allclose(one, two, rtol=0.1)


def test_a_file_that_was_cut_short_is_written_again(prepared: list[PreparedRecord]) -> None:
    expected = examples(prepared[:1], "cache")
    path = cached_path(prepared[0].windows[0])
    assert path is not None
    path.write_bytes(path.read_bytes()[:-100])
    for ours, theirs in zip(examples(prepared[:1], "cache"), expected, strict=True):
        assert torch.equal(ours, theirs)


def test_without_a_cache_folder_it_is_computed(tiny_labels: Path, prepared: list[PreparedRecord]) -> None:
    fresh = prepare(read_labels(tiny_labels)[:1], None)
    assert cached_path(fresh[0].windows[0]) is None
    for ours, theirs in zip(examples(fresh, "cache"), examples(prepared[:1], "compute"), strict=True):
        assert torch.equal(ours, theirs)


def test_the_setting_reaches_every_loader(
    tiny_labels: Path, prepared: list[PreparedRecord], tmp_path: Path
) -> None:
    settings = {"data.cqt": "cache", "data.window_sec": "4.0", "data.batch_size": "2"}
    config = load_config(TINY, settings)
    by_labels = create_dataloaders(config, tiny_labels, cache_dir=tmp_path)
    by_part = part_loaders(config, prepared, Split("split", "by hand", (0,), (1,), (2,)), validate=True)
    for loader in (by_labels.train, by_labels.validation, by_labels.test, *by_part):
        assert loader is not None
        batch = next(iter(loader))
        assert batch["cqt"].shape[:2] == (len(batch["labels"]), 168)
        expected = compute_cqt(batch["waveform"][0].numpy())
        np.testing.assert_array_equal(batch["cqt"][0].numpy(), expected)

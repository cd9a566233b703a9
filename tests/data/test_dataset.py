from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tocco.audio.augmentation import AugmentationConfig
from tocco.data import splits
from tocco.data.batching import Example, collate_examples, network_batch
from tocco.data.dataset import DataLoaders, PerformanceDataset, create_dataloaders
from tocco.data.example_augmentation import ExampleAugmentation
from tocco.data.loaders import EpochItem, TrainingLoader, WorkerConfig
from tocco.data.prepared import PreparedRecord, prepare_records, prepared_folds
from tocco.data.records import read_labels, write_labels
from tocco.data.splits import checked_folds, fingerprints
from tocco.errors import InputError, MissingPartError
from tocco.music.note_features import NOTE_FEATURES
from tocco.music.performance import Performance
from tocco.music.statistics import STATISTICS
from tocco.rubrics import TARGETS
from transcribing import copying_command


@pytest.fixture(scope="session")
def prepared(tiny_labels: Path, tmp_path_factory: pytest.TempPathFactory) -> list[PreparedRecord]:
    cache = tmp_path_factory.mktemp("prepared")
    return prepare_records(read_labels(tiny_labels), window_sec=6.0, overlap=0.5, cache_dir=cache)


def test_a_record_is_cut_into_windows_of_all_its_parts(prepared: list[PreparedRecord]) -> None:
    first = prepared[0]
    assert first.bounds_sec[0].tolist() == [0.0, 6.0]
    assert len(first.windows) == len(first.bounds_sec) == 3
    window = first.windows[0]
    assert len(window.waveform) == 6 * 24_000
    assert window.with_score is not None
    struck = window.without_score.n_struck
    assert struck == 22  # onsets 0.5, 0.75, ... below 6 s
    assert window.with_score.midi_tokens.shape == (struck, 8)
    assert np.abs(window.waveform).max() == pytest.approx(32767 * 10 ** (-3 / 20), rel=0.01)


def test_what_needs_the_score_is_missing_without_it(prepared: list[PreparedRecord]) -> None:
    window = prepared[0].windows[0]
    needs = np.array([s.needs_score for s in STATISTICS])
    assert np.isnan(window.without_score.statistics[needs]).all()
    assert window.with_score is not None
    assert np.isfinite(window.with_score.statistics[needs]).mean() > 0.5
    needs = np.array([f.needs_score for f in NOTE_FEATURES])
    assert np.isnan(window.without_score.note_features[:, needs]).all()
    assert np.isfinite(window.with_score.note_features[:, needs]).mean() > 0.8


def test_labels_stand_in_the_order_of_the_targets_and_missing_ones_are_nan(
    prepared: list[PreparedRecord],
) -> None:
    label = dict(zip(TARGETS, prepared[3].label, strict=True))
    assert label["dynamics_control"] == 29.0
    assert np.isnan(label["musicality"])
    assert np.isfinite(prepared[3].label).sum() == 3


def test_a_second_preparation_reads_the_kept_files(tiny_labels: Path, tmp_path: Path) -> None:
    records = read_labels(tiny_labels)[:2]
    arguments = {"window_sec": 6.0, "overlap": 0.5, "cache_dir": tmp_path}
    prepare_records(records, **arguments)
    before = {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    prepare_records(records, **arguments)
    assert {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()} == before
    prepare_records(records, **{**arguments, "window_sec": 4.0})
    assert len(list(tmp_path.iterdir())) == 2 * len(before)


def test_a_kept_file_that_was_cut_short_is_made_again_in_the_middle_of_training(
    tiny_labels: Path, tmp_path: Path
) -> None:
    (record,) = prepare_records(read_labels(tiny_labels)[:1], window_sec=6.0, overlap=0.5, cache_dir=tmp_path)
    before = record.windows[1].inputs(use_score=True)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-1000])
    after = record.windows[1].inputs(use_score=True)
    np.testing.assert_array_equal(before.waveform, after.waveform)
    np.testing.assert_array_equal(before.symbolic.note_features, after.symbolic.note_features)


def test_examples_are_the_same_kept_or_made_anew(tiny_labels: Path, prepared: list[PreparedRecord]) -> None:
    fresh = prepare_records(read_labels(tiny_labels)[:2], window_sec=6.0, overlap=0.5, cache_dir=None)
    ours, theirs = (PerformanceDataset(given, training=False) for given in (fresh, prepared[:2]))
    assert len(ours) == len(theirs) == 6
    for k in range(6):
        assert_same_example(ours[k], theirs[k])


def test_a_record_without_sound_or_keys_is_an_error_that_names_it(tiny_labels: Path, tmp_path: Path) -> None:
    record = read_labels(tiny_labels)[0]
    settings = {"window_sec": 6.0, "overlap": 0.5, "cache_dir": tmp_path}
    with pytest.raises(InputError, match="take00: has no audio_path"):
        prepare_records([record.model_copy(update={"audio_path": None})], **settings)
    silent = [record.model_copy(update={"midi_path": None})]
    with pytest.raises(InputError, match=r"take00: has no midi_path.*missing_midi: derive"):
        prepare_records(silent, **settings)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("any_instrument")
def test_a_recording_alone_is_transcribed_where_that_is_asked(tiny_labels: Path, tmp_path: Path) -> None:
    record = read_labels(tiny_labels)[0]
    command = copying_command(tmp_path, Path(str(record.midi_path)))
    settings = {"window_sec": 6.0, "overlap": 0.5, "cache_dir": tmp_path / "prepared"}
    alone = record.model_copy(update={"midi_path": None})
    (found,) = prepare_records([alone], **settings, missing_midi="derive", transcriber=command)
    (known,) = prepare_records([record], **settings)
    assert found.record.midi_path == tmp_path / "prepared" / "transcribed" / "take00.mid"
    assert found.record.origin == "transcribed"
    assert found.fingerprint.tolist() == known.fingerprint.tolist()
    _, performance, _ = found.windows[0].triple()
    assert performance.origin == "transcribed"
    with pytest.raises(MissingPartError, match="cannot be run"):
        prepare_records([alone], **settings, missing_midi="derive", transcriber="none {audio} {midi}")


def assert_same_example(ours: Example, theirs: Example) -> None:
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        if isinstance(value, torch.Tensor):
            torch.testing.assert_close(value, theirs[name], rtol=0, atol=0, equal_nan=True)
        else:
            assert value == theirs[name]


def test_an_example_holds_all_that_is_named(prepared: list[PreparedRecord]) -> None:
    example = PerformanceDataset(prepared, training=False, cqt="compute")[4]
    notes = len(example["midi_tokens"])
    assert example["waveform"].shape == example["audio_mask"].shape == (6 * 24_000,)
    assert example["note_features"].shape == (notes, len(NOTE_FEATURES))
    assert example["note_times"].shape == (notes, 2)
    assert example["midi_mask"].all()
    assert example["statistics"].shape == (len(STATISTICS),)
    assert example["labels"].shape == example["label_sd"].shape == (len(TARGETS),)
    assert int(example["label_mask"].sum()) == 3
    assert torch.isnan(example["labels"][~example["label_mask"]]).all()
    assert "cqt" in example
    assert example["cqt"].shape == (168, 1 + 6 * 24_000 // 512)
    assert example["metadata"] == {
        "segment_id": "take01",
        "piece_id": "piece1",
        "performer_id": "pianist1",
        "record_index": 1,
        "window": 1,
        "start_sec": 3.0,
        "end_sec": 9.0,
        "with_score": True,
        "effects": (),
    }


def test_training_draws_anew_each_epoch_and_repeats_with_the_seed(prepared: list[PreparedRecord]) -> None:
    def levels(epoch: int) -> list[float]:
        dataset = PerformanceDataset(prepared, training=True, score_dropout=0.5, seed=3)
        return [float(dataset[EpochItem(epoch, i)]["level_db"]) for i in range(len(dataset))]

    assert levels(0) == levels(0)
    assert levels(0) != levels(1)


def test_the_score_is_hidden_as_often_as_asked(prepared: list[PreparedRecord]) -> None:
    dataset = PerformanceDataset(prepared, training=True, score_dropout=0.25, seed=1)
    relative = torch.tensor([s.needs_score for s in STATISTICS])
    hidden = []
    for epoch in range(40):
        for i in range(len(dataset)):
            drawn = dataset[EpochItem(epoch, i)]
            hidden.append(bool(torch.isnan(drawn["statistics"][relative]).all()))
            assert drawn["metadata"]["with_score"] != hidden[-1]
    assert np.mean(hidden) == pytest.approx(0.25, abs=0.06)


def test_evaluation_shows_every_window_once_at_its_own_level(prepared: list[PreparedRecord]) -> None:
    dataset = PerformanceDataset(prepared, training=False)
    assert len(dataset) == sum(len(record.windows) for record in prepared)
    assert float(dataset[0]["level_db"]) == pytest.approx(prepared[0].windows[0].level_db)


def test_augmentation_touches_training_alone_and_masks_what_it_touches(
    prepared: list[PreparedRecord],
) -> None:
    strong = ExampleAugmentation(
        enabled=True,
        transcriber_probability=1.0,
        audio=AugmentationConfig.only("time_stretch", "clip", most_effects=2),
    )
    plain, changed = (
        PerformanceDataset(prepared, training=True, seed=2, augmentation=a) for a in (None, strong)
    )
    masked = 0
    for i in range(len(plain)):
        before, after = plain[i], changed[i]
        assert after["metadata"]["effects"][-1] == "transcriber_noise"
        assert "time_stretch" in after["metadata"]["effects"]
        assert before["metadata"]["start_sec"] == after["metadata"]["start_sec"]
        kept = after["label_mask"]
        assert not (kept & ~before["label_mask"]).any()
        torch.testing.assert_close(after["labels"][kept], before["labels"][kept], rtol=0, atol=0)
        assert torch.isnan(after["labels"][~kept]).all()
        assert torch.isnan(after["label_sd"][~kept]).all()
        masked += int(before["label_mask"].sum() - kept.sum())
        assert len(after["waveform"]) != len(before["waveform"])
        assert float(after["waveform"].abs().max()) == pytest.approx(float(before["waveform"].abs().max()))
    assert masked > 0
    held_out = [PerformanceDataset(prepared, training=False, augmentation=a)[0] for a in (None, strong)]
    assert_same_example(*held_out)


def test_augmentation_that_is_not_enabled_changes_nothing(prepared: list[PreparedRecord]) -> None:
    plain, off = (
        PerformanceDataset(prepared, training=True, seed=2, score_dropout=0.3, augmentation=a)
        for a in (None, ExampleAugmentation())
    )
    for i in range(len(plain)):
        assert_same_example(plain[i], off[i])


@pytest.fixture(scope="module")
def loaders(tiny_labels: Path, tmp_path_factory: pytest.TempPathFactory) -> DataLoaders:
    return create_dataloaders(
        tiny_labels,
        cache_dir=tmp_path_factory.mktemp("kept"),
        window_sec=6.0,
        batch_size=4,
        seed=1,
        by="piece",
        shares=(0.5, 0.25, 0.25),
    )


def test_a_label_file_becomes_three_loaders_without_a_leak(loaders: DataLoaders) -> None:
    seen = []
    for loader in (loaders.train, loaders.validation, loaders.test):
        pieces = {about["piece_id"] for batch in loader for about in batch["metadata"]}
        assert pieces
        seen.append(pieces)
    assert len(set.union(*seen)) == sum(map(len, seen)) == 6
    assert len(loaders.partition.sha256) == 64


def test_a_batch_is_padded_and_its_masks_say_where(loaders: DataLoaders) -> None:
    for batch in loaders.train:
        rows, notes = batch["midi_mask"].shape
        assert batch["waveform"].shape[0] == batch["midi_tokens"].shape[0] == len(batch["metadata"]) == rows
        assert batch["midi_tokens"][~batch["midi_mask"]].abs().sum() == 0
        assert torch.isnan(batch["note_features"][~batch["midi_mask"]]).all()
        assert (batch["waveform"][~batch["audio_mask"]] == 0).all()
        assert int(batch["label_mask"].sum()) == 3 * rows
        inputs = network_batch(batch)
        assert inputs.waveform_samples.tolist() == batch["audio_mask"].sum(1).tolist()
        assert inputs.midi_tokens.shape == (rows, notes, 8)


def test_pictures_are_padded_with_silence(prepared: list[PreparedRecord]) -> None:
    dataset = PerformanceDataset(prepared[:1], training=False, cqt="compute")
    first, second = dataset[0], dataset[1]
    assert "cqt" in first
    assert "cqt" in second
    second["cqt"] = second["cqt"][:, :100]
    batch = collate_examples([first, second])
    assert "cqt" in batch
    torch.testing.assert_close(batch["cqt"][0], first["cqt"], rtol=0, atol=0)
    torch.testing.assert_close(batch["cqt"][1, :, :100], second["cqt"], rtol=0, atol=0)
    assert (batch["cqt"][1, :, 100:] == 0).all()


def test_workers_change_nothing(prepared: list[PreparedRecord]) -> None:
    augmentation = ExampleAugmentation(enabled=True)
    dataset = PerformanceDataset(
        prepared[:6], training=True, seed=5, score_dropout=0.3, augmentation=augmentation
    )
    alone, helped = (
        TrainingLoader(dataset, batch_size=2, seed=5, workers=WorkerConfig(workers=n)) for n in (0, 2)
    )
    for epoch in (0, 1):
        alone.set_epoch(epoch)
        helped.set_epoch(epoch)
        for ours, theirs in zip(alone, helped, strict=True):
            assert_same_example(ours, theirs)  # type: ignore[arg-type]


def test_a_label_file_that_names_no_midi_is_refused(tiny_labels: Path, tmp_path: Path) -> None:
    records = list(read_labels(tiny_labels))
    records[7] = records[7].model_copy(update={"midi_path": None})
    write_labels(records, tmp_path / "labels.jsonl")
    with pytest.raises(InputError, match="take07: has no midi_path"):
        PerformanceDataset.from_labels(tmp_path / "labels.jsonl", training=True)


def test_the_folds_of_prepared_records_read_no_midi_again(
    prepared: list[PreparedRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [each.record for each in prepared]
    known = fingerprints(records)
    for each in prepared:
        np.testing.assert_array_equal(each.fingerprint, known[each.record.segment_id])
        assert len(each.fingerprint) > 0
    expected = checked_folds(records, "cv4_cluster")

    def unreadable(path: Path) -> Performance:
        raise AssertionError(f"{path} was read again")

    monkeypatch.setattr(splits, "load_midi", unreadable)
    for ours, theirs in zip(prepared_folds(prepared, "cv4_cluster"), expected, strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])
    train, test = expected[0]
    leaking = list(prepared)
    leaking[test[0]] = replace(prepared[test[0]], fingerprint=prepared[train[0]].fingerprint)
    with pytest.raises(InputError, match="share 100 % of their note runs"):
        prepared_folds(leaking, "cv4_cluster")

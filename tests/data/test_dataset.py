from pathlib import Path

import numpy as np
import pytest
import torch

from tocco.data.dataset import (
    BucketSampler,
    PerformanceDataset,
    PreparedRecord,
    create_dataloaders,
    prepare_records,
)
from tocco.data.records import read_labels
from tocco.errors import InputError
from tocco.music.note_features import NOTE_FEATURES
from tocco.music.statistics import STATISTICS
from tocco.rubrics import TARGETS


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


def test_a_record_without_audio_is_an_error_that_names_it(tiny_labels: Path, tmp_path: Path) -> None:
    record = read_labels(tiny_labels)[0].model_copy(update={"audio_path": None})
    with pytest.raises(InputError, match="take00: has no audio_path"):
        prepare_records([record], window_sec=6.0, overlap=0.5, cache_dir=tmp_path)


def test_training_draws_anew_each_epoch_and_repeats_with_the_seed(prepared: list[PreparedRecord]) -> None:
    def levels(epoch: int) -> list[float]:
        dataset = PerformanceDataset(prepared, training=True, score_dropout=0.5, seed=3)
        dataset.epoch = epoch
        return [dataset[i].window.level_db for i in range(len(dataset))]

    assert levels(0) == levels(0)
    assert levels(0) != levels(1)


def test_the_score_is_hidden_as_often_as_asked(prepared: list[PreparedRecord]) -> None:
    dataset = PerformanceDataset(prepared, training=True, score_dropout=0.25, seed=1)
    relative = [s.needs_score for s in STATISTICS]
    hidden = []
    for epoch in range(40):
        dataset.epoch = epoch
        drawn = [dataset[i].window.symbolic.statistics[relative] for i in range(len(dataset))]
        hidden += [np.isnan(statistics).all() for statistics in drawn]
    assert np.mean(hidden) == pytest.approx(0.25, abs=0.06)


def test_evaluation_shows_every_window_once_at_its_own_level(prepared: list[PreparedRecord]) -> None:
    dataset = PerformanceDataset(prepared, training=False)
    assert len(dataset) == sum(len(record.windows) for record in prepared)
    assert dataset[0].window.level_db == prepared[0].windows[0].level_db


def test_batches_hold_every_item_once_in_an_order_of_the_epoch(prepared: list[PreparedRecord]) -> None:
    dataset = PerformanceDataset(prepared, training=True)
    sampler = BucketSampler(dataset, batch_size=5, seed=0)
    orders = []
    for epoch in (0, 1):
        sampler.set_epoch(epoch)
        batches = list(sampler)
        assert len(batches) == len(sampler) == 4
        assert sorted(i for batch in batches for i in batch) == list(range(20))
        orders.append(batches)
    assert orders[0] != orders[1]


def test_a_batch_is_padded_and_its_masks_say_where(prepared: list[PreparedRecord]) -> None:
    loader, none = create_dataloaders(PerformanceDataset(prepared, training=True), None, batch_size=4, seed=0)
    assert none is None
    batch = next(iter(loader))
    assert batch.inputs.waveform.shape[0] == batch.inputs.midi_tokens.shape[0] == 4
    assert batch.inputs.midi_tokens[~batch.inputs.midi_mask].abs().sum() == 0
    assert torch.isnan(batch.inputs.note_features[~batch.inputs.midi_mask]).all()
    assert (batch.inputs.waveform_samples <= batch.inputs.waveform.shape[1]).all()
    assert torch.isfinite(batch.label).sum() == 4 * 3

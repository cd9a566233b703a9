"""Loaders of an experiment: three parts without common music, and a share of the batches a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocco.data.prepared import PreparedRecord
from tocco.errors import UsageError
from tocco.training.config import ExperimentConfig
from tocco.training.dataloaders import create_dataloaders, part_loaders
from tocco.training.distributed import Processes
from tocco.training.run_folder import Split


def test_the_parts_are_as_the_config_says_and_share_no_music(
    hard: ExperimentConfig, tiny_labels: Path, tmp_path: Path
) -> None:
    config = hard.model_copy(
        update={"data": hard.data.model_copy(update={"val_split": 0.2, "test_split": 0.2})}
    )
    loaders = create_dataloaders(config, tiny_labels, cache_dir=tmp_path)
    parts = loaders.partition
    pieces = [
        {
            example["metadata"]["piece_id"]
            for example in (loader.dataset[i] for i in range(len(loader.dataset)))
        }
        for loader in (loaders.train, loaders.validation, loaders.test)
    ]
    assert sum(map(len, pieces)) == len(set.union(*pieces))
    assert len(parts.train) + len(parts.validation) + len(parts.test) == 20
    assert 2 <= len(parts.validation) <= 6
    assert (parts.seed, parts.grouped_by) == (config.training.seed, "cluster")
    assert len(next(iter(loaders.train))["labels"]) == config.data.batch_size


def test_a_config_without_a_label_file_says_where_to_name_one(hard: ExperimentConfig) -> None:
    with pytest.raises(UsageError, match=r"data\.train_path: is empty\. Next: name a label file"):
        create_dataloaders(hard)


def test_processes_share_the_batches_of_one(
    hard: ExperimentConfig, records: list[PreparedRecord], split: Split
) -> None:
    def batches(processes: Processes) -> list[str]:
        loaders = part_loaders(hard, records, split, validate=False, processes=processes)
        assert loaders.held_out is None
        assert len(loaders.train) == 8 // processes.count
        return [batch["metadata"][0]["segment_id"] for batch in loaders.train]

    every = batches(Processes())
    assert sorted(every) == [f"take{n:02d}" for n in range(8)]
    assert batches(Processes(2, 0)) == every[0::2]
    assert batches(Processes(2, 1)) == every[1::2]
    assert batches(Processes(3, 2)) == every[2:6:3]

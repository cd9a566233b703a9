"""What the tests of training share: prepared records, and one run with training, validation and test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tocco.data.prepared import PreparedRecord, prepare_records
from tocco.data.records import read_labels
from tocco.training import run_folder
from tocco.training.config import ExperimentConfig
from tocco.training.config_file import load_config
from tocco.training.run_folder import PARTITION, Split
from tocco.training.stages import train_stage

TINY = Path(__file__).parents[2] / "configs" / "tiny.yaml"


@pytest.fixture(autouse=True, scope="package")
def _one_revision() -> Iterator[None]:
    """A commit while the tests run makes no other revision."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_folder, "revision", lambda: "0.0 tests")
        yield


@pytest.fixture(scope="package")
def records(tiny_labels: Path, tmp_path_factory: pytest.TempPathFactory) -> list[PreparedRecord]:
    cache = tmp_path_factory.mktemp("prepared")
    return prepare_records(read_labels(tiny_labels), window_sec=6.0, overlap=0.5, cache_dir=cache)


@pytest.fixture(scope="package")
def split() -> Split:
    return Split(PARTITION, "by hand", tuple(range(8)), (8, 9, 10), (11, 12, 13))


@pytest.fixture(scope="package")
def hard() -> ExperimentConfig:
    """All that makes a run hard to continue: dropout, augmentation, accumulation, early stopping."""
    return load_config(
        TINY,
        {
            "data.batch_size": "1",
            "data.augmentation.enabled": "true",
            "model.dropout": "0.2",
            "training.max_epochs": "2",
            "training.accumulate_grad_batches": "2",
            "callbacks.checkpoint.every_steps": "1",
            "callbacks.early_stopping": "{monitor: val_loss, patience: 9}",
        },
    )


@pytest.fixture(scope="package")
def whole(
    hard: ExperimentConfig,
    records: list[PreparedRecord],
    split: Split,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Folder of the part of an uninterrupted run."""
    return train_stage(hard, records, split, tmp_path_factory.mktemp("whole"), validate=True).parent

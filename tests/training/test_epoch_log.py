"""The log of a run: one row an epoch, kept when it is resumed, and drawn."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from tocco.data.prepared import PreparedRecord, prepare_records
from tocco.data.records import read_labels
from tocco.training.config_file import load_config
from tocco.training.epoch_log import EpochLog, draw_curves, read_epochs, write_epochs
from tocco.training.held_out import metrics_by_dimension
from tocco.training.run_folder import Split
from tocco.training.stages import train_stage

TINY = Path(__file__).parents[2] / "configs" / "tiny.yaml"
SPLIT = Split("fold0", "cv4_cluster", tuple(range(0, 20, 2)), tuple(range(1, 20, 2)))


@pytest.fixture(scope="module")
def prepared(tiny_labels: Path, tmp_path_factory: pytest.TempPathFactory) -> list[PreparedRecord]:
    cache = tmp_path_factory.mktemp("prepared")
    return prepare_records(read_labels(tiny_labels), window_sec=6.0, overlap=0.5, cache_dir=cache)


def test_a_run_keeps_its_losses_its_figures_by_dimension_and_its_curves(prepared, tmp_path: Path) -> None:
    weights = train_stage(load_config(TINY), prepared, SPLIT, tmp_path, validate=True)
    with (weights.parent / "metrics.csv").open(newline="") as stream:
        header, *table = csv.reader(stream)
    assert header[:7] == ["epoch", "step", "train_loss", "val_loss", "val_r", "val_r2", "val_mae"]
    assert {"val_r2/phrasing", "val_r/phrasing", "val_mae/dynamics_control", "sigma/phrasing"} <= set(header)
    assert [row[:2] for row in table] == [["0", "3"], ["1", "6"], ["2", "9"]]
    rows = read_epochs(weights.parent)
    dimensions = [name for name in rows[0] if name.startswith("val_r2/")]
    assert len(dimensions) == 3
    for row in rows:
        assert row["val_r2"] == pytest.approx(np.mean([row[name] for name in dimensions]), abs=1e-5)
        assert np.isfinite([row["train_loss"], row["val_loss"]]).all()
    assert (weights.parent / "curves.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_resumed_run_keeps_the_epochs_before_and_a_finished_one_is_left_as_it_is(
    prepared, tmp_path: Path
) -> None:
    config = load_config(TINY)
    original = EpochLog.on_train_epoch_end

    def power_cut(self: EpochLog, trainer, pl_module) -> None:
        original(self, trainer, pl_module)
        if trainer.current_epoch == 1:
            raise PowerCutError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EpochLog, "on_train_epoch_end", power_cut)
        with pytest.raises(PowerCutError):
            train_stage(config, prepared, SPLIT, tmp_path, validate=False)
    before = read_epochs(tmp_path / "fold0")
    assert [row["epoch"] for row in before] == [0.0, 1.0]
    weights = train_stage(config, prepared, SPLIT, tmp_path, validate=False, resume=True)
    after = read_epochs(tmp_path / "fold0")
    assert [row["epoch"] for row in after] == [0.0, 1.0, 2.0]
    assert after[0] == before[0]
    content = weights.read_bytes()
    assert train_stage(config, prepared, SPLIT, tmp_path, validate=False, resume=True) == weights
    assert weights.read_bytes() == content
    assert read_epochs(tmp_path / "fold0") == after


class PowerCutError(Exception):
    """The end of a run that was not asked."""


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    rows = [{"epoch": 0.0, "step": 4.0, "zeta": 0.1, "train_loss": 1.5}, {"epoch": 1.0, "step": 8.0}]
    write_epochs(rows, tmp_path)
    assert (tmp_path / "metrics.csv").read_text() == "epoch,step,train_loss,zeta\n0,4,1.5,0.1\n1,8,,\n"
    assert read_epochs(tmp_path) == rows
    assert read_epochs(tmp_path / "nowhere") == []


def test_curves_of_a_blind_run_have_one_panel(tmp_path: Path) -> None:
    from matplotlib.image import imread

    blind = [{"epoch": 0.0, "train_loss": 2.0}, {"epoch": 1.0, "train_loss": 1.0}]
    draw_curves(blind, tmp_path / "blind.png")
    draw_curves([row | {"val_r2": 0.1, "val_r2/phrasing": 0.1} for row in blind], tmp_path / "seen.png")
    assert imread(tmp_path / "blind.png").shape[:2] == (480, 720)
    assert imread(tmp_path / "seen.png").shape[:2] == (480, 1320)


def test_figures_are_given_for_dimensions_with_more_than_two_labels() -> None:
    label = np.array([[10.0, 1.0], [20.0, 2.0], [30.0, np.nan], [40.0, np.nan]])
    figures = metrics_by_dimension(("phrasing", "musicality"), label, label + 2.0)
    assert figures == pytest.approx({"r/phrasing": 1.0, "r2/phrasing": 1 - 16 / 500, "mae/phrasing": 2.0})

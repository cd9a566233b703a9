"""Log of the metrics of each epoch: a table and curves.

`metrics.csv` has one row per epoch: `epoch`, `train_loss` and, with a held-out part, `val_loss`, the means
`val_r`, `val_r2`, `val_mae` and the same of each dimension, `val_r2/phrasing`; of each dimension with labels
the squared error in training, `train_mse/phrasing`, and the learned spread, `sigma/phrasing`; on a GPU
`gpu_gb`, the largest memory that torch has held. A resumed run continues the table from its first new epoch.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import lightning.pytorch as pl
import torch

from tocco.errors import InputError
from tocco.files import replacing, write_bytes
from tocco.training.lightning_module import PerformanceEvaluationModel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TABLE, PICTURE = "metrics.csv", "curves.png"

_FIRST: Final = ("epoch", "step", "train_loss", "val_loss", "val_r", "val_r2", "val_mae")
_DIMENSION_R2: Final = "val_r2/"


class EpochLog(pl.Callback):
    """Writes `metrics.csv` after every epoch.

    Parameters
    ----------
    folder
        Folder of the part of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: list[dict[str, float]] = []

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Read the epochs before the one that a resumed run continues with."""
        earlier = read_epochs(self._folder) if trainer.global_step > 0 else []
        self._rows = [row for row in earlier if row["epoch"] < trainer.current_epoch]

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Add the epoch's row; a loss that is no number ends the training."""
        assert isinstance(pl_module, PerformanceEvaluationModel)
        means = pl_module.epoch_means() | _gpu_memory(pl_module.device)
        pl_module.log_dict(means)
        measured = {k: float(v) for k, v in trainer.callback_metrics.items() if k.startswith("val_")}
        position = {"epoch": float(trainer.current_epoch), "step": float(trainer.global_step)}
        self._rows.append(position | means | measured)
        if trainer.is_global_zero:
            write_epochs(self._rows, self._folder)
        if not math.isfinite(means["train_loss"]):
            raise InputError(
                self._folder,
                f"has the training loss {means['train_loss']} in epoch {trainer.current_epoch}",
                next_step="train again with lower learning rates",
            )


def _gpu_memory(device: torch.device) -> dict[str, float]:
    if device.type != "cuda":
        return {}
    return {"gpu_gb": torch.cuda.max_memory_allocated(device) / 2**30}


def write_epochs(rows: Sequence[dict[str, float]], folder: Path) -> None:
    """Write `metrics.csv`: the losses first, then other columns by name."""
    named = {name for row in rows for name in row}
    columns = [name for name in _FIRST if name in named] + sorted(named.difference(_FIRST))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    whole = ("epoch", "step")
    writer.writerows({k: int(v) if k in whole else v for k, v in row.items()} for row in rows)
    write_bytes(folder / TABLE, text.getvalue().encode())


def read_epochs(folder: Path) -> list[dict[str, float]]:
    """The logged metrics of a part, one mapping per epoch; empty if there is no log."""
    path = folder / TABLE
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(stream)]


def draw_curves(rows: Sequence[dict[str, float]], path: Path) -> None:
    """Losses over the epochs and, where there is a held-out part, its R2 by dimension."""
    from matplotlib.figure import Figure

    dimensions = sorted({name for row in rows for name in row if name.startswith(_DIMENSION_R2)})
    figure = Figure(figsize=(11.0 if dimensions else 6.0, 4.0), layout="constrained")
    axes = figure.subplots(1, 2 if dimensions else 1, squeeze=False)[0]
    for name, label in (("train_loss", "training"), ("val_loss", "held out")):
        _line(axes[0], rows, name, label)
    axes[0].set(title="Loss", xlabel="epoch", ylabel="loss")
    axes[0].legend(frameon=False)
    if dimensions:
        for name in dimensions:
            _line(axes[1], rows, name, name.removeprefix(_DIMENSION_R2))
        _line(axes[1], rows, "val_r2", "mean", width=2.5)
        axes[1].axhline(0.0, color="0.7", linewidth=0.8)
        axes[1].set(title="Held out", xlabel="epoch", ylabel="R²")
        axes[1].legend(frameon=False, fontsize="x-small", ncols=2)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120, format="png")


def _line(axes: Axes, rows: Sequence[dict[str, float]], name: str, label: str, width: float = 1.2) -> None:
    points = [(row["epoch"], row[name]) for row in rows if name in row]
    if points:
        axes.plot(*zip(*points, strict=True), marker="o", markersize=3, linewidth=width, label=label)

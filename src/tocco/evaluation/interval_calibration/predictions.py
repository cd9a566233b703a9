"""The table of held-out predictions that calibration methods are compared on."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from tocco.csv_table import Row, read_table
from tocco.errors import InputError
from tocco.files import write_bytes
from tocco.metrics import RATING_RANGE
from tocco.units import BoolArray, FloatArray

NEEDED: Final = ("segment", "dimension", "label", "mean", "sd", "cluster", "work", "fold")
OPTIONAL: Final = ("split", "input")
_NEXT: Final = "correct this line"


@dataclass(frozen=True, eq=False)
class Predictions:
    """Held-out predictions, one row a performance and dimension.

    Attributes
    ----------
    segment, dimension : (K,) str
    label, mean : (K,) rating 0..100
    sd : (K,) rating points, > 0
    cluster : (K,) str, what calibration and test may not share: music, or the pianist
    work : (K,) str
    fold : (K,) str, that the model had not learned from; each cluster in one fold of a split
    split : (K,) str, protocol of the folds; "" where there is one
    input : (K,) str, what the model was given; "" where it is one kind
    """

    segment: npt.NDArray[np.str_]
    dimension: npt.NDArray[np.str_]
    label: FloatArray
    mean: FloatArray
    sd: FloatArray
    cluster: npt.NDArray[np.str_]
    work: npt.NDArray[np.str_]
    fold: npt.NDArray[np.str_]
    split: npt.NDArray[np.str_]
    input: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.label)

    def where(self, keep: BoolArray | npt.NDArray[np.integer]) -> Predictions:
        """Some of the rows."""
        return Predictions(*(getattr(self, field.name)[keep] for field in fields(self)))

    def save(self, path: Path) -> None:
        """Write the CSV, whole or not at all; figures with four decimals."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*NEEDED, *OPTIONAL])
        columns = [getattr(self, name) for name in (*NEEDED, *OPTIONAL)]
        for row in zip(*columns, strict=True):
            writer.writerow([f"{cell:.4f}" if isinstance(cell, float) else cell for cell in row])
        write_bytes(path, text.getvalue().encode())


def read_predictions(path: Path) -> Predictions:
    """Read a CSV with the columns `NEEDED`; those of `OPTIONAL` may be there too.

    A row without a label is left out.

    Raises
    ------
    InputError
        A column or a value is missing or impossible, a row is there twice, a cluster is in two folds, or a
        split has one fold only; with file and line.
    """
    table = read_table(path)
    table.require(NEEDED, OPTIONAL)
    rows = [row for row in table.rows if row.cells["label"]]
    if not rows:
        raise InputError(path, "has no label", allowed="a rating in the column label", next_step="add labels")
    texts = {
        name: np.array([row.cells.get(name, "") for row in rows])
        for name in ("segment", "dimension", "cluster", "work", "fold", *OPTIONAL)
    }
    for row in rows:
        for name in ("segment", "dimension", "cluster", "work", "fold"):
            row.filled(name)
    label, mean = (
        np.array([_number(row, name, *RATING_RANGE) for row in rows]) for name in ("label", "mean")
    )
    sd = np.array([_number(row, "sd", 0.0, math.inf) for row in rows])
    found = Predictions(label=label, mean=mean, sd=sd, **texts)
    _check_rows(path, found)
    _check_folds(path, found)
    return found


def _number(row: Row, column: str, low: float, high: float) -> float:
    text = row.filled(column)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    allowed = "a number above 0" if column == "sd" else f"{low:g} to {high:g}"
    inside = 0.0 < value < math.inf if column == "sd" else low <= value <= high
    if not inside:
        raise InputError(row.subject, f"{column} is {text}", allowed=allowed, next_step=_NEXT)
    return value


def _check_rows(path: Path, found: Predictions) -> None:
    seen: set[tuple[str, ...]] = set()
    for key in zip(*(getattr(found, n).tolist() for n in ("segment", "dimension", *OPTIONAL)), strict=True):
        if key in seen:
            raise InputError(
                path,
                f"has {key[1]} of {key[0]} twice",
                allowed="one row for each segment, dimension, split and input",
                next_step="remove one of them",
            )
        seen.add(key)
    if len(found) >= 10 and found.label.max() <= 1.0:
        raise InputError(path, "has no label above 1", allowed="0 to 100", next_step="multiply them by 100")


def _check_folds(path: Path, found: Predictions) -> None:
    for split in np.unique(found.split):
        here = found.where(found.split == split)
        name = f" of split {split}" if split else ""
        if len(np.unique(here.fold)) < 2:
            raise InputError(
                path,
                f"has one fold{name}",
                allowed="two folds or more: intervals are calibrated on the others",
                next_step="hold out each part once, and write all of them",
            )
        fold_of: dict[str, str] = {}
        for cluster, fold in zip(here.cluster.tolist(), here.fold.tolist(), strict=True):
            if fold_of.setdefault(cluster, fold) != fold:
                raise InputError(
                    path,
                    f"has cluster {cluster}{name} in folds {fold_of[cluster]} and {fold}",
                    allowed="one fold for a cluster: calibration and test would share its music",
                    next_step="number the folds by cluster",
                )

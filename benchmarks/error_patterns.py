"""Where predictions err: by level, by passage, and averaged over a piece.

    tocco benchmark percepiano ... (docs/benchmark.md) writes or takes PREDICTIONS.csv
    python benchmarks/error_patterns.py PREDICTIONS.csv --labels LABELS -o results/error_patterns/percepiano

An error is prediction minus mean rating, in points. Means over the targets that have labels and predictions.
Written are `levels.csv` (fifths by mean rating and by prediction, each target), `passages.csv` and
`pieces.csv` (figures of all excerpts of one player's piece averaged, and of the excerpts themselves).
By the mean rating, even a perfect system errs towards the middle, since the mean of a few raters errs itself;
by the prediction it does not.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tocco.data.records import LabelRecord, read_labels
from tocco.errors import InputError
from tocco.evaluation.benchmark.predictions import read_predictions
from tocco.files import sha256_of, writable_folder, write_bytes
from tocco.metrics.aggregate import group_means
from tocco.rubrics import DIMENSIONS
from tocco.units import FloatArray

FIFTHS = 5


@dataclass(frozen=True, eq=False)
class Held:
    """Labels beside predictions, for the excerpts that have both.

    Attributes
    ----------
    names : (D,) dimensions with labels
    labels, predicted : (N, D) points
    records : (N,)
    """

    names: tuple[str, ...]
    labels: FloatArray
    predicted: FloatArray
    records: tuple[LabelRecord, ...]


def held(records: Sequence[LabelRecord], path: Path, protocol: str) -> Held:
    """Put predictions beside the labels.

    Raises
    ------
    InputError
        No excerpt has both, or a prediction lacks a dimension.
    """
    of = read_predictions(path).for_protocol(protocol)
    there = tuple(record for record in records if record.segment_id in of)
    names = tuple(name for name in DIMENSIONS if any(name in record.labels for record in there))
    if not names:
        raise InputError(path, "has no prediction of a labelled excerpt", next_step="give their labels")
    lacking = [r.segment_id for r in there if not set(names) <= set(of[r.segment_id].rating)]
    if lacking:
        raise InputError(path, f"lacks a dimension of {lacking[0]}", allowed=", ".join(names))
    labels = np.array([[record.labels.get(name, np.nan) for name in names] for record in there])
    predicted = np.array([[of[record.segment_id].rating[name] for name in names] for record in there])
    return Held(names, labels, predicted, there)


def fifths(values: FloatArray) -> list[FloatArray]:
    """Indices of the lowest fifth to the highest; ties stay in the order of the file."""
    return np.array_split(np.argsort(values, kind="stable"), FIFTHS)


def levels(data: Held) -> list[list[object]]:
    """A row for each target, ordering and fifth."""
    rows: list[list[object]] = []
    for d, name in enumerate(data.names):
        there = np.isfinite(data.labels[:, d])
        label, predicted = data.labels[there, d], data.predicted[there, d]
        for by, values in (("rating", label), ("prediction", predicted)):
            for number, index in enumerate(fifths(values), start=1):
                error = predicted[index] - label[index]
                figures = (label[index].mean(), predicted[index].mean(), error.mean(), np.abs(error).mean())
                rows.append([name, by, number, len(index), *map(_cell, figures)])
    return rows


def passages(data: Held) -> list[list[object]]:
    """A row for each passage: mean error and mean absolute error over excerpts and targets."""
    error = data.predicted - data.labels
    place = np.array([record.passage_id or record.piece_id for record in data.records])
    work = {record.passage_id or record.piece_id: record.work_id or "" for record in data.records}
    rows: list[list[object]] = []
    for name in np.unique(place):
        part = error[place == name]
        figures = (np.nanmean(part), np.nanmean(np.abs(part)))
        rows.append([name, work[str(name)], len(part), *map(_cell, figures)])
    return rows


def pieces(data: Held) -> list[list[object]]:
    """Figures of excerpts, and of the means over all excerpts of one player's piece."""
    human = np.array([not record.is_score_rendering for record in data.records])
    take = np.array([f"{record.performer_id}\n{record.piece_id}" for record in data.records])[human]
    label, predicted = data.labels[human], data.predicted[human]
    rows: list[list[object]] = []
    for unit, a, b in (
        ("excerpt", label, predicted),
        ("piece", group_means(label, take)[1], group_means(predicted, take)[1]),
    ):
        for d, name in enumerate(data.names):
            x, y = a[:, d], b[:, d]
            r2 = 1.0 - np.mean((y - x) ** 2) / np.var(x)
            figures = (np.corrcoef(x, y)[0, 1], r2, np.abs(y - x).mean(), np.std(x))
            rows.append([unit, name, len(x), *map(_cell, figures)])
    return rows


def _cell(value: float) -> str:
    return f"{value:.4f}"


def _write(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_bytes(path, text.getvalue().encode())


def main() -> None:
    """Read labels and predictions; write the three tables and what they rest on."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("predictions", type=Path)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--protocol", default="clusters")
    parser.add_argument("--system", required=True, help="name of the system that predicted")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    data = held(read_labels(options.labels), options.predictions, options.protocol)
    writable_folder(options.output)
    _write(
        options.output / "levels.csv",
        ("target", "by", "fifth", "n", "rating", "prediction", "error", "absolute_error"),
        levels(data),
    )
    _write(
        options.output / "passages.csv",
        ("passage", "work", "n", "error", "absolute_error"),
        passages(data),
    )
    _write(
        options.output / "pieces.csv",
        ("unit", "target", "n", "pearson_r", "r2", "mae", "rating_sd"),
        pieces(data),
    )
    about = {
        "system": options.system,
        "protocol": options.protocol,
        "excerpts": len(data.records),
        "labels": sha256_of(options.labels),
        "predictions": sha256_of(options.predictions),
    }
    _write(options.output / "about.csv", ("name", "value"), list(about.items()))
    print(f"{options.output}: {len(data.records)} excerpts, {len(data.names)} targets")


if __name__ == "__main__":
    main()

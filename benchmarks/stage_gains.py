"""What the earlier stages of training gain for the ratings of experts, against starting from random weights.

    tocco train --config configs/percepiano.yaml --labels LABELS -o runs/scratch --fold all
    tocco train --config configs/percepiano.yaml --labels LABELS -o runs/staged --fold all \
        --checkpoint checkpoints/compact_pretrain_best.ckpt
    tocco evaluate runs/scratch --labels LABELS -o runs/scratch/evaluation
    tocco evaluate runs/staged --labels LABELS -o runs/staged/evaluation
    python benchmarks/stage_gains.py --scratch runs/scratch/evaluation --staged runs/staged/evaluation \
        -o results/training/stages

Both runs rate every excerpt by the fold that held its music out. A gain is shown where the 95 % interval of
the paired difference, over clusters of music, lies above 0: written down before looking.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tocco import metrics
from tocco.evaluation.cross_validation.protocols import NETWORK
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.files import write_bytes
from tocco.units import FloatArray, IntArray

DRAWS = 2000


@dataclass(frozen=True)
class Gain:
    """Figures of one dimension, or of the mean over all."""

    name: str
    scratch: float
    staged: float
    difference: float
    low: float
    high: float


def r2(labels: FloatArray, estimate: FloatArray) -> FloatArray:
    """(D,) coefficient of determination of every column."""
    return np.array([metrics.r2(ref, est) for ref, est in zip(labels.T, estimate.T, strict=True)])


def mean_r(labels: FloatArray, estimate: FloatArray) -> FloatArray:
    """(D,) Pearson correlation of every column."""
    return np.array([metrics.pearson_r(ref, est) for ref, est in zip(labels.T, estimate.T, strict=True)])


def gains(
    scratch: CrossValidationResult,
    staged: CrossValidationResult,
    measure: Callable[[FloatArray, FloatArray], FloatArray],
) -> list[Gain]:
    """The measure of both runs and their paired difference: of the mean over all columns, then of each."""
    if not np.array_equal(scratch.segment_ids, staged.segment_ids) or scratch.names != staged.names:
        raise SystemExit("the two evaluations are not of the same excerpts and dimensions")
    rated = np.isfinite(scratch.labels).any(axis=0)
    rows = (scratch.fold >= 0) & np.isfinite(scratch.labels[:, rated]).all(axis=1)
    labels = scratch.labels[rows][:, rated]
    tables = [run.predictions[NETWORK][rows][:, rated] for run in (staged, scratch)]

    def figure(table: FloatArray) -> Callable[[IntArray], FloatArray]:
        def of(index: IntArray) -> FloatArray:
            each = measure(labels[index], table[index])
            return np.concatenate([[each.mean()], each])

        return of

    first, second = map(figure, tables)
    found = metrics.paired_bootstrap_difference(
        first, second, scratch.clusters[rows], np.random.default_rng(0), n=DRAWS
    )
    every = np.arange(len(labels))
    names = ["mean", *(name for name, known in zip(scratch.names, rated, strict=True) if known)]
    columns = (second(every), first(every), found.value, found.low, found.high)
    return [Gain(name, *(float(column[i]) for column in columns)) for i, name in enumerate(names)]


def table(title: str, rows: list[Gain]) -> list[str]:
    """Markdown table of the gains in one measure."""
    lines = [
        f"| {title} | random weights | after the stage | difference | 95 % interval |",
        "|---|--:|--:|--:|--:|",
    ]
    return lines + [
        f"| {row.name} | {row.scratch:.3f} | {row.staged:.3f} | {row.difference:+.3f}"
        f" | {row.low:+.3f} to {row.high:+.3f} |"
        for row in rows
    ]


def verdict(row: Gain) -> str:
    """What the mean's interval shows, in a sentence."""
    if row.low > 0.0:
        return f"The stage gains {row.difference:.3f} of mean R2, interval {row.low:+.3f} to {row.high:+.3f}."
    if row.high < 0.0:
        return (
            f"The stage costs {-row.difference:.3f} of mean R2, interval {row.low:+.3f} to {row.high:+.3f}."
        )
    return (
        "No gain is shown: the difference in mean R2 is"
        f" {row.difference:+.3f}, interval {row.low:+.3f} to {row.high:+.3f}."
    )


def main() -> None:
    """Compare and write `gains.md` and `gains.json`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scratch", type=Path, required=True, help="folder that tocco evaluate wrote")
    parser.add_argument("--staged", type=Path, required=True, help="folder that tocco evaluate wrote")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    scratch, staged = (
        CrossValidationResult.load(folder / "predictions") for folder in (arguments.scratch, arguments.staged)
    )
    found = {"R2": gains(scratch, staged, r2), "Pearson r": gains(scratch, staged, mean_r)}
    count = int((scratch.fold >= 0).sum())
    clusters = len(np.unique(scratch.clusters[scratch.fold >= 0]))
    text = [
        "# Ratings of experts: from random weights, and from the stage before",
        "",
        verdict(found["R2"][0]),
        "",
        f"{count} excerpts, {clusters} clusters of music, each rated by the fold that held its music out;"
        f" intervals from {DRAWS} draws of clusters, paired.",
        "",
        *table("R2", found["R2"]),
        "",
        *table("Pearson r", found["Pearson r"]),
    ]
    write_bytes(arguments.output / "gains.md", ("\n".join(text) + "\n").encode())
    rows = {measure: [vars(row) for row in each] for measure, each in found.items()}
    write_bytes(arguments.output / "gains.json", (json.dumps(rows, indent=1) + "\n").encode())
    print("\n".join(text))


if __name__ == "__main__":
    main()

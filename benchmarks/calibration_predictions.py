"""Make the table of held-out predictions that `tocco benchmark calibration` reads.

    python benchmarks/calibration_predictions.py kernel LABELS -o predictions.csv
    python benchmarks/calibration_predictions.py saved RUN/predictions LABELS --system tocco -o CSV

`kernel` learns: a Gaussian process (the kernel ridge regression of `tocco benchmark trees`, with posterior
sd) on the statistics of whole excerpts, under three protocols, with the score and without. `saved` reads what
`tocco evaluate` or `tocco benchmark statistics` wrote, for a system that has an sd.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import cast, get_args

import numpy as np
import numpy.typing as npt

from tocco.data.records import LabelRecord, read_labels
from tocco.data.splits import Protocol, checked_folds
from tocco.errors import InputError
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.evaluation.cross_validation.shallow_models import measure_excerpts
from tocco.evaluation.interval_calibration.predictions import Predictions
from tocco.files import replacing
from tocco.metrics import RATING_RANGE
from tocco.models.statistics_models import KERNEL_ALPHA, fit_statistics_scale, gaussian_kernel, kernel_gamma
from tocco.music.statistics import STATISTICS
from tocco.rubrics import TARGETS
from tocco.units import FloatArray, IntArray

LEAST_SD = 0.01
"""Rating points; no sd is written as 0."""


def gaussian_process(
    train: FloatArray, labels: FloatArray, test: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Mean and sd of a new label.

    The prior of a standardised label is a Gaussian process of variance s2 with noise of `KERNEL_ALPHA` s2; s2
    is that of highest likelihood, y' (K + alpha I)^-1 y / N (Rasmussen & Williams, 2006, eq. 2.25, 2.26).

    Parameters
    ----------
    train, test : (N, P), (M, P) statistics, NaN where missing
    labels : (N,) rating, NaN where missing

    Returns
    -------
    mean, sd : (M,) rating points
    """
    there = np.isfinite(labels)
    scale = fit_statistics_scale(train[there])
    z, z_test = scale.standardised(train[there]), scale.standardised(test)
    gamma = kernel_gamma(z.shape[1])
    covariance = gaussian_kernel(z, z, gamma) + KERNEL_ALPHA * np.eye(len(z))
    with_test = gaussian_kernel(z_test, z, gamma)
    centre = labels[there].mean()
    y = labels[there] - centre
    dual = np.linalg.solve(covariance, y)
    s2 = float(y @ dual) / len(y)
    known = np.sum(with_test * np.linalg.solve(covariance, with_test.T).T, axis=1)
    return centre + with_test @ dual, np.sqrt(s2 * (1.0 + KERNEL_ALPHA - known))


def kernel_table(
    records: Sequence[LabelRecord], statistics: FloatArray, protocols: Sequence[Protocol]
) -> Predictions:
    """Held-out means and sds of every protocol, with the score and without."""
    labels = np.array([[record.labels.get(name, np.nan) for name in TARGETS] for record in records])
    score_free = [p for p, statistic in enumerate(STATISTICS) if not statistic.needs_score]
    inputs = {"with score": statistics, "no score": statistics[:, score_free]}
    parts = []
    for protocol in protocols:
        folds = checked_folds(records, protocol)
        for kind, table in inputs.items():
            mean, sd = np.full((2, *labels.shape), np.nan)
            fold = np.full(len(records), -1)
            for k, (train, test) in enumerate(folds):
                fold[test] = k
                for d in np.flatnonzero(np.isfinite(labels[train]).any(axis=0)):
                    found = gaussian_process(table[train], labels[train, d], table[test])
                    mean[test, d], sd[test, d] = found
            parts.append(_rows(records, TARGETS, labels, mean, sd, fold, protocol, kind))
    return joined(parts)


def saved_table(
    records: Sequence[LabelRecord], path: Path, systems: Sequence[str], protocol: str
) -> Predictions:
    """Held-out means and sds of systems that are saved; each is an input of its own."""
    saved = CrossValidationResult.load(path)
    by_id = {record.segment_id: record for record in records}
    missing = [name for name in saved.segment_ids.tolist() if name not in by_id]
    if missing:
        raise InputError(
            path, f"has {missing[0]}, which the labels lack", next_step="give the labels it is of"
        )
    own = [by_id[name] for name in saved.segment_ids.tolist()]
    parts = []
    for system in systems:
        if system not in saved.sd:
            raise InputError(
                path, f"has no sd of {system!r}", allowed=", ".join(saved.sd), next_step="name one of these"
            )
        tables = saved.labels, saved.predictions[system], saved.sd[system]
        parts.append(_rows(own, saved.names, *tables, saved.fold, protocol, system))
    return joined(parts)


def _rows(
    records: Sequence[LabelRecord],
    names: Sequence[str],
    labels: FloatArray,
    mean: FloatArray,
    sd: FloatArray,
    fold: IntArray,
    protocol: str,
    kind: str,
) -> Predictions:
    """One row for each label that was held out."""
    n, d = np.nonzero(np.isfinite(labels) & (fold >= 0)[:, None])

    def of(values: list[str]) -> npt.NDArray[np.str_]:
        return np.array(values)[n]

    unit = {"cv4_performer": "performer_id", "leave_one_work_out": "work_id"}.get(protocol, "cluster_id")
    return Predictions(
        segment=of([record.segment_id for record in records]),
        dimension=np.array(names)[d],
        label=labels[n, d],
        mean=np.clip(mean[n, d], *RATING_RANGE),
        sd=np.maximum(sd[n, d], LEAST_SD),
        cluster=of([str(getattr(record, unit) or record.piece_id) for record in records]),
        work=of([record.work_id or record.piece_id for record in records]),
        fold=fold[n].astype(str),
        split=np.full(len(n), protocol),
        input=np.full(len(n), kind),
    )


def joined(parts: Sequence[Predictions]) -> Predictions:
    """Rows of several tables in one."""
    return Predictions(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])}
    )


def measured_statistics(records: Sequence[LabelRecord], cache: Path, jobs: int) -> FloatArray:
    """(R, P) statistics of the records, read from `cache` where it has them."""
    ids = np.array([record.segment_id for record in records])
    if cache.exists():
        with np.load(cache, allow_pickle=False) as kept:
            if np.array_equal(kept["segment_ids"], ids):
                return kept["statistics"]
    found = measure_excerpts(records, jobs=jobs).statistics
    with replacing(cache) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, segment_ids=ids, statistics=found)
    return found


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    kernel = commands.add_parser("kernel")
    kernel.add_argument("labels", type=Path)
    kernel.add_argument("--protocol", action="append", choices=get_args(Protocol))
    kernel.add_argument("--jobs", type=int, default=1)
    saved = commands.add_parser("saved")
    saved.add_argument("predictions", type=Path)
    saved.add_argument("labels", type=Path)
    saved.add_argument("--system", action="append", required=True)
    saved.add_argument("--protocol", default="cv4_cluster")
    for command in (kernel, saved):
        command.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    records = read_labels(given.labels)
    if given.command == "kernel":
        protocols = cast(Sequence[Protocol], given.protocol or get_args(Protocol))
        cache = given.output.with_suffix(".statistics.npz")
        table = kernel_table(records, measured_statistics(records, cache, given.jobs), protocols)
    else:
        table = saved_table(records, given.predictions, given.system, given.protocol)
    table.save(given.output)
    print(f"{given.output}: {len(table)} predictions")


if __name__ == "__main__":
    main()

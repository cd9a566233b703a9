"""Tables of an evaluation: every prediction, and every metric of every system."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from tocco.evaluation.cross_validation.all_baselines import CONSTANT
from tocco.evaluation.cross_validation.protocols import NETWORK
from tocco.evaluation.held_out.evaluation import Evaluation
from tocco.metrics import (
    INTERVAL_LEVELS,
    RANGE_MARGINS,
    RATING_RANGE,
    Score,
    attempt,
    calibration_error,
    coverage,
    evaluate,
    evaluate_distribution,
    gaussian_crps,
    group_means,
    interval_width,
    mean_squared_z,
    normal_interval,
    overall_mae,
    quantile_calibration_error,
    range_accuracy_of_raters,
    reliability_weighted_r,
)
from tocco.rubrics import DESCRIPTORS, TOCCO10
from tocco.units import BoolArray, FloatArray

PREDICTIONS_HEADER: Final = (
    *("segment", "dimension", "label", "mean", "sd", "low_90", "high_90", "raters_sd", "n_raters"),
    *("cluster", "passage", "work", "performer", "fold"),
)
METRICS_HEADER: Final = ("system", "dimension", "n", "metric", "value", "low_95", "high_95", "reason")

RATERS: Final = "one rater"
"""Name of the ceiling in the table: what one rater reaches against the others."""

Row = tuple[str, ...]


def predictions_csv(found: Evaluation) -> str:
    """One row a segment and dimension that has a label: rating, calibrated sd and interval of the network."""
    result, intervals = found.result, found.intervals
    mean = result.predictions[NETWORK]
    rows: list[Row] = []
    for n, prepared in enumerate(found.records):
        record = prepared.record
        for d, name in enumerate(result.names):
            if np.isnan(result.labels[n, d]):
                continue
            points = (result.labels[n, d], mean[n, d], intervals.sigma[n, d])
            ends = (intervals.low[n, d], intervals.high[n, d])
            rows.append(
                (
                    record.segment_id,
                    name,
                    *(f"{value:.4f}" for value in (*points, *ends)),
                    f"{record.label_sd[name]:.4f}" if name in record.label_sd else "",
                    str(record.n_raters or ""),
                    record.cluster_id or "",
                    record.passage_id or "",
                    record.work_id or "",
                    record.performer_id or "",
                    str(result.fold[n]),
                )
            )
    return as_csv(PREDICTIONS_HEADER, rows)


def as_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with a header."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue()


def scores_of_systems(found: Evaluation) -> dict[str, dict[str, dict[str, Score]]]:
    """System -> dimension -> metric -> figure, or the reason why there is none."""
    result = found.result
    works = np.array([one.record.work_id or one.record.piece_id for one in found.records])
    return {
        system: evaluate(
            result.labels,
            table,
            result.names,
            groups=result.passages,
            works=works,
            constant=result.predictions[CONSTANT],
            ratings=found.raters,
        )
        for system, table in result.predictions.items()
    }


def calibration_scores(found: Evaluation, generator: np.random.Generator) -> dict[str, dict[str, Score]]:
    """Dimension -> metric of the network's calibrated predictions.

    "all" pools the dimensions and has every metric with its null; a single dimension has those that few
    labels can bear.
    """
    labels, sigma = found.result.labels, found.intervals.sigma
    mean = found.result.predictions[NETWORK]
    pooled = evaluate_distribution(labels.ravel(), mean.ravel(), sigma.ravel(), generator)
    own = {
        name: _of_dimension(labels[:, d], mean[:, d], sigma[:, d])
        for d, name in enumerate(found.result.names)
    }
    return {"all": pooled} | own


def _of_dimension(labels: FloatArray, mean: FloatArray, sigma: FloatArray) -> dict[str, Score]:
    scores: dict[str, Score] = {"n": float(np.isfinite(labels).sum())}
    for level in INTERVAL_LEVELS:
        ends = normal_interval(mean, sigma, level, RATING_RANGE)
        scores[f"coverage_{100 * level:.0f}"] = attempt(coverage, labels, *ends)
        scores[f"width_{100 * level:.0f}"] = attempt(interval_width, labels, *ends)
    for metric in (calibration_error, quantile_calibration_error, mean_squared_z, gaussian_crps):
        scores[metric.__name__] = attempt(metric, labels, mean, sigma)
    return scores


def families_of(names: Sequence[str]) -> dict[str, BoolArray]:
    """Groups of targets whose means are reported, with their number; those without members are left out."""
    of = {one.name: one.family for one in TOCCO10.dimensions}
    masks = {
        f"{family} dimensions": np.array([of.get(name) == family for name in names])
        for family in ("technical", "interpretive")
    }
    masks |= {"dimensions": np.isin(names, TOCCO10.names), "descriptors": np.isin(names, DESCRIPTORS)}
    return {f"{mask.sum()} {family}": mask for family, mask in masks.items() if mask.any()}


def aggregate_scores(
    found: Evaluation, scores: Mapping[str, Mapping[str, Mapping[str, Score]]]
) -> dict[str, dict[str, Score]]:
    """System -> figures over all dimensions: reliability-weighted r, MAE of all labels, also by piece."""
    result = found.result
    known = {name: found.reliability[name] for name in result.names if name in found.reliability}
    pieces = np.array([one.record.piece_id for one in found.records])
    _, label_of_piece = group_means(result.labels, pieces)
    figures: dict[str, dict[str, Score]] = {}
    for system, table in result.predictions.items():
        own: dict[str, Score] = {"overall_mae": attempt(overall_mae, result.labels, table)}
        if len(known) == len(result.names):
            own["reliability_weighted_r"] = attempt(reliability_weighted_r, scores[system], known)
        _, of_piece = group_means(np.where(np.isnan(result.labels), np.nan, table), pieces)
        by_piece = evaluate(label_of_piece, of_piece, result.names)
        own["overall_mae_by_piece"] = attempt(overall_mae, label_of_piece, of_piece)
        if len(known) == len(result.names):
            own["reliability_weighted_r_by_piece"] = attempt(reliability_weighted_r, by_piece, known)
        figures[system] = own
    return figures


def ceiling_scores(found: Evaluation) -> dict[str, dict[str, Score]]:
    """Dimension -> metric of the raters themselves, where single ratings are known."""
    if found.raters is None:
        return {}
    return {
        name: {
            f"range_accuracy_{alpha:g}": attempt(range_accuracy_of_raters, found.raters[:, d], alpha)
            for alpha in RANGE_MARGINS
        }
        for d, name in enumerate(found.result.names)
    }


def cell(value: Score) -> tuple[str, str]:
    """A figure with six decimals and no reason, or no figure and the reason."""
    return (f"{value:.6f}", "") if isinstance(value, float) else ("", str(value))


def column_mean(values: FloatArray) -> float:
    """Mean of what is there; NaN of nothing."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")

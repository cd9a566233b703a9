"""Metrics of a held-out part: the mean rating of a record's windows against its label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from tocco import metrics


def merged_by_record(
    index: np.ndarray, label: np.ndarray, rating: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Label and mean rating of every record.

    Parameters
    ----------
    index : (N,) of the record of each window
    label, rating : (N, D) rating points

    Returns
    -------
    label, rating : (R, D), records in the order of their index
    """
    records, first = np.unique(index, return_index=True)
    return label[first], np.stack([rating[index == record].mean(axis=0) for record in records])


def held_out_metrics(label: np.ndarray, rating: np.ndarray) -> dict[str, float]:
    """Mean r, R2 and MAE over the targets that have labels.

    Parameters
    ----------
    label, rating : (R, D) rating points; NaN where a label is missing

    Returns
    -------
    "r", "r2", "mae" -> figure; empty if no target has more than two labels
    """
    figures = metrics_by_dimension([str(d) for d in range(label.shape[1])], label, rating)
    if not figures:
        return {}
    return {
        kind: float(np.mean([value for name, value in figures.items() if name.startswith(f"{kind}/")]))
        for kind in _FIGURES
    }


def metrics_by_dimension(names: Sequence[str], label: np.ndarray, rating: np.ndarray) -> dict[str, float]:
    """r, R2 and MAE of every target that has more than two labels.

    Parameters
    ----------
    names : (D,)
    label, rating : (R, D) rating points; NaN where a label is missing

    Returns
    -------
    "r/NAME", "r2/NAME", "mae/NAME" -> figure
    """
    figures = {}
    for d, name in enumerate(names):
        known = np.isfinite(label[:, d])
        if known.sum() > 2:
            for kind, figure in _FIGURES.items():
                figures[f"{kind}/{name}"] = metrics.value_or_nan(figure, label[known, d], rating[known, d])
    return figures


_FIGURES: Final = {"r": metrics.pearson_r, "r2": metrics.r2, "mae": metrics.mae}

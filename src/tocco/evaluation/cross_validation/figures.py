"""Figures of a cross-validation: scatter plots, comparison of systems, reliability diagram."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from tocco.evaluation.cross_validation.calibration import ReliabilityDiagram
from tocco.units import BoolArray, FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HUMAN, _SCORE = "#1f5a8c", "#d9822b"
_PANEL_IN = 2.1
_MARKERS = "osD^vPX*"


def scatter_figure(
    names: tuple[str, ...],
    labels: FloatArray,
    est: FloatArray,
    is_score: BoolArray,
    captions: Mapping[str, str],
) -> Figure:
    """Predicted against actual rating, one panel per target; score renderings in orange.

    Parameters
    ----------
    names : (D,)
    labels, est : (N, D) rating, NaN where missing
    is_score : (N,)
    captions : name -> caption
    """
    from matplotlib.figure import Figure

    columns = min(5, len(names))
    rows = math.ceil(len(names) / columns)
    figure = Figure(figsize=(columns * _PANEL_IN, rows * (_PANEL_IN + 0.35)), layout="constrained")
    for d, name in enumerate(names):
        axes = figure.add_subplot(rows, columns, d + 1)
        for who, colour in ((~is_score, _HUMAN), (is_score, _SCORE)):
            axes.scatter(labels[who, d], est[who, d], s=4, c=colour, alpha=0.45, linewidths=0)
        axes.plot([0, 100], [0, 100], color="0.5", linewidth=0.7)
        axes.set(xlim=(0, 100), ylim=(0, 100), xticks=(0, 50, 100), yticks=(0, 50, 100), aspect="equal")
        axes.tick_params(labelsize=6)
        axes.set_title(f"{name}\n{captions[name]}", fontsize=5.5)
    figure.supxlabel("rating of the listeners", fontsize=8)
    figure.supylabel("predicted", fontsize=8)
    return figure


def comparison_figure(names: tuple[str, ...], r2: Mapping[str, FloatArray], main: str) -> Figure:
    """R2 of every system for every target.

    Parameters
    ----------
    names : (D,)
    r2 : system -> (D,)
    main
        The system with filled markers.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 1.2 + 0.24 * len(names)), layout="constrained")
    axes = figure.add_subplot()
    row = np.arange(len(names))[::-1]
    for i, (system, values) in enumerate(r2.items()):
        face = _HUMAN if system == main else "none"
        axes.scatter(
            values,
            row,
            s=26,
            marker=_MARKERS[i % len(_MARKERS)],
            facecolor=face,
            edgecolor=f"C{i}",
            label=system,
        )
    axes.axvline(0.0, color="0.5", linewidth=0.7)
    axes.set_yticks(row, names, fontsize=7)
    axes.set_xlabel("R2 (0: no better than the mean rating)", fontsize=8)
    axes.grid(axis="y", linewidth=0.3)
    axes.legend(fontsize=7, loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3, frameon=False)
    return figure


def reliability_figure(diagrams: Mapping[str, ReliabilityDiagram]) -> Figure:
    """Observed against nominal coverage.

    Parameters
    ----------
    diagrams : legend -> diagram
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2, 4.2), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="0.5", linewidth=0.7)
    for i, (legend, diagram) in enumerate(diagrams.items()):
        axes.plot(
            diagram.level, diagram.observed, marker=_MARKERS[i], markersize=3, linewidth=1, label=legend
        )
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.set_xlabel("nominal coverage of the interval", fontsize=8)
    axes.set_ylabel("observed coverage", fontsize=8)
    axes.legend(fontsize=7, loc="upper left", frameon=False)
    return figure

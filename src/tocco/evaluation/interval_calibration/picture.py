"""Reliability diagrams of calibration methods, with what a perfect model would show by chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tocco.evaluation.interval_calibration.compare import NULL_DRAWS, shared_within
from tocco.evaluation.interval_calibration.methods import Method
from tocco.evaluation.interval_calibration.parts import parts_of
from tocco.evaluation.interval_calibration.predictions import Predictions
from tocco.metrics import CALIBRATION_LEVELS, band_of, calibration_band, perfect_curves
from tocco.units import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARKERS: Final = "osD^vPX*<"
_PANEL_IN: Final = 3.6


@dataclass(frozen=True, eq=False)
class Diagram:
    """Curves of one part.

    Attributes
    ----------
    title
    observed : method -> (K,) 0..1, coverage at `CALIBRATION_LEVELS`, all dimensions pooled
    independent : low and high, (K,) of a perfect model whose errors are all independent
    clustered : the same for one dimension, with errors as correlated within clusters as here (the median
        dimension): as far as all dimensions err together, the pooled curve of a perfect model lies in it
    shared : 0..1, that correlation
    """

    title: str
    observed: Mapping[str, FloatArray]
    independent: tuple[FloatArray, FloatArray]
    clustered: tuple[FloatArray, FloatArray]
    shared: float


def diagrams(
    predictions: Predictions, methods: Sequence[Method], generator: np.random.Generator
) -> list[Diagram]:
    """One diagram for each split and input."""
    found = []
    for part in parts_of(predictions):
        rows, observed = part.rows, {}
        for method in filter(part.allows, methods):
            ends = [part.intervals(method, level) for level in CALIBRATION_LEVELS]
            observed[method.name] = np.array(
                [np.mean((low <= rows.label) & (rows.label <= high)) for low, high in ends]
            )
        of_dimension = list(part.by_dimension().values())
        z = (rows.label - rows.mean) / rows.sd
        shared = float(np.median([shared_within(z[own], rows.cluster[own]) for own in of_dimension]))
        largest = max(of_dimension, key=len)
        central, _ = perfect_curves(rows.cluster[largest], shared, generator, draws=NULL_DRAWS)
        found.append(
            Diagram(
                title=", ".join(name for name in (part.split, part.input) if name),
                observed=observed,
                independent=calibration_band(len(rows), generator),
                clustered=band_of(central),
                shared=shared,
            )
        )
    return found


def reliability_figure(found: Sequence[Diagram]) -> Figure:
    """A panel for each diagram: observed less nominal coverage over nominal coverage."""
    from matplotlib.figure import Figure

    columns = min(2, len(found))
    rows = -(-len(found) // columns)
    figure = Figure(figsize=(columns * _PANEL_IN + 0.4, rows * 2.9 + 0.9), layout="constrained")
    level = 100 * np.array(CALIBRATION_LEVELS)
    panels = np.ravel(figure.subplots(rows, columns, sharex=True, sharey=True))
    for axes, diagram in zip(panels, found, strict=False):
        for ends, colour, label in (
            (diagram.clustered, "0.87", "perfect model, one dimension, clustered errors (95 %)"),
            (diagram.independent, "0.65", "perfect model, independent errors (95 %)"),
        ):
            axes.fill_between(
                level, *(100 * end - level for end in ends), color=colour, linewidth=0, label=label
            )
        axes.axhline(0.0, color="0.4", linewidth=0.7)
        for i, (name, observed) in enumerate(diagram.observed.items()):
            axes.plot(
                level,
                100 * observed - level,
                marker=_MARKERS[i % len(_MARKERS)],
                markersize=3,
                linewidth=1,
                label=name,
            )
        axes.set_title(diagram.title, fontsize=8)
        axes.tick_params(labelsize=7)
        axes.set_xlim(0, 100)
    for axes in panels[len(found) :]:
        axes.set_axis_off()
    figure.supxlabel("nominal coverage, %", fontsize=8)
    figure.supylabel("observed less nominal coverage, points", fontsize=8)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2, fontsize=7, frameon=False)
    return figure

"""Files of a set of ablations: table of figures, page, picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from tocco.evaluation.ablations.comparison import FIGURES, FULL, Comparison, Experiment, Verdict, compare
from tocco.evaluation.ablations.page import page
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.evaluation.png import save_png
from tocco.files import writable_folder, write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TABLE, PAGE, PICTURE = "ablations.csv", "ablations.md", "ablations.png"

_SHORT: Final = {"pearson_r": "r", "r2": "r2", "mae": "mae"}
COLUMNS: Final = (
    *("ablation", "target", "n", *_SHORT.values()),
    *(f"{figure}_{end}" for figure in _SHORT.values() for end in ("difference", "low", "high")),
)
"""Of `ablations.csv`: differences to the full network, with the ends of their 95 % intervals."""

_COLOURS: Final = {Verdict.EARNS: "#1f5a8c", Verdict.WOULD_GAIN: "#1f5a8c", Verdict.COSTS: "#d9822b"}
_GREY: Final = "0.55"


def write_ablations(
    result: CrossValidationResult,
    experiments: Sequence[Experiment],
    folder: Path,
    provenance: Mapping[str, str],
    untrained: Sequence[str] = (),
) -> Comparison:
    """Compare the experiments; write the table, the page and the picture.

    Parameters
    ----------
    result : ratings of held-out performances
    experiments : `FULL` and one ablation or more
    folder : created if missing
    provenance : name -> value, printed in this order
    untrained : names of experiments that are not trained yet
    """
    found = compare(result, experiments)
    writable_folder(folder)
    write_bytes(folder / TABLE, _csv(found).encode())
    save_png(picture(found, experiments), folder / PICTURE)
    write_bytes(folder / PAGE, page(found, experiments, provenance, untrained, PICTURE).encode())
    return found


def _csv(found: Comparison) -> str:
    """A row for each system and target, and for the mean of each family."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for name, figures in found.systems.items():
        for t, target in enumerate(found.targets):
            values = [_cell(value) for value in figures.value[:, t]]
            ends = [""] * (3 * len(FIGURES))
            if figures.difference is not None:
                parts = (figures.difference.value, figures.difference.low, figures.difference.high)
                ends = [_cell(part[f, t]) for f in range(len(FIGURES)) for part in parts]
            writer.writerow([name, target, found.n_labels[t], *values, *ends])
    return text.getvalue()


def _cell(value: float) -> str:
    return f"{value:.4f}" if np.isfinite(value) else ""


def picture(found: Comparison, experiments: Sequence[Experiment]) -> Figure:
    """Difference in mean R2 to the full network, with its interval; the largest loss on top."""
    from matplotlib.figure import Figure

    changed = [one for one in experiments if one.name != FULL]
    order = sorted(changed, key=lambda one: found.mean_r2(one.name), reverse=True)
    figure = Figure(figsize=(7.0, 1.2 + 0.32 * len(order)), layout="constrained")
    axes = figure.add_subplot()
    for row, one in enumerate(order):
        difference = found.mean_r2(one.name) - found.mean_r2(FULL)
        colour = _COLOURS.get(found.verdict(one), _GREY)
        axes.plot(found.interval(one.name), (row, row), color=colour, linewidth=1.6)
        axes.plot(difference, row, marker="o", markersize=5, color=colour)
    axes.axvline(0.0, color="0.3", linewidth=0.8)
    axes.set_yticks(range(len(order)), [one.change for one in order], fontsize=8)
    axes.set_xlabel(
        f"{found.targets[found.main]}: R2 minus that of the full network ({found.mean_r2(FULL):.3f}),"
        " 95 % interval",
        fontsize=8,
    )
    axes.tick_params(axis="x", labelsize=8)
    axes.grid(axis="x", linewidth=0.3)
    return figure

"""The figure of a run: change of the target and of the overall quality by damage and severity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from tocco.evaluation.validity.damage_figures import OVERALL, KindFigures, Pair, pairs_of
from tocco.evaluation.validity.kinds import DAMAGES
from tocco.evaluation.validity.rows import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TARGET, _OVERALL, _GREY = "#1f5a8c", "#d9822b", "#8a939c"
_COLUMNS: Final = 7
_RANGE: Final = (-65.0, 15.0)
_MODALITY: Final = "keys_score"


def damage_picture(rows: Sequence[Row], before: Sequence[KindFigures] | None) -> Figure:
    """Median change over the steps of every damage, notes of the keys with the score.

    Crosses at the last step are those of an earlier run.
    """
    from matplotlib.figure import Figure

    pairs = [pair for pair in pairs_of(rows) if pair.row.modality == _MODALITY]
    names = [name for name in DAMAGES if any(pair.row.kind == name for pair in pairs)]
    earlier = {one.kind: one for one in before or () if one.modality == _MODALITY}
    n_rows = max(1, -(-len(names) // _COLUMNS))
    figure = Figure(figsize=(1.7 * _COLUMNS, 1.55 * n_rows + 0.5))
    figure.subplots_adjust(0.05, 0.1, 0.99, 0.92, wspace=0.3, hspace=0.6)
    for place, name in enumerate(names):
        axes = figure.add_subplot(n_rows, _COLUMNS, place + 1)
        _panel(axes, name, [pair for pair in pairs if pair.row.kind == name], earlier.get(name))
    crosses = "; crosses: the earlier run" if earlier else ""
    figure.supxlabel(f"step of five; blue: target dimension, orange: overall quality{crosses}", fontsize=7)
    figure.supylabel("median change of the rating, points", fontsize=7)
    return figure


def _panel(axes: Axes, name: str, pairs: Sequence[Pair], before: KindFigures | None) -> None:
    steps = sorted({pair.row.step for pair in pairs})
    target = DAMAGES[name].target
    for dimension, colour in ((target, _TARGET), (OVERALL, _OVERALL)):
        change = [0.0] + [_median([p.change(dimension) for p in pairs if p.row.step == s]) for s in steps]
        axes.plot([0, *steps], change, color=colour, marker="o", markersize=2.5, linewidth=1.4)
    if before is not None:
        for value, colour in ((before.target_change, _TARGET), (before.overall_change, _OVERALL)):
            if value is not None:
                axes.plot([max(steps)], [value], color=colour, marker="x", markersize=4, linestyle="none")
    axes.axhline(0.0, color=_GREY, linewidth=0.5)
    axes.set_ylim(*_RANGE)
    axes.set_xticks([0, 1, 3, 5])
    axes.tick_params(labelsize=5)
    axes.set_title(f"{name}\n{target}, {DAMAGES[name].group.replace('_', ' ')}", fontsize=5.5)


def _median(values: Sequence[float]) -> float:
    known = np.array(values)[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")

"""Figures of the validation, one per claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from tocco.evaluation.pseudo_labels.claims import (
    LEAST_PRECISION,
    LEAST_RECALL,
    MONOTONE_RHO,
    MOST_DENSITY_R,
    TECHNICAL_DIMENSIONS,
    Agreement,
    Difficulty,
    LadderResult,
)
from tocco.music.corruption import CORRUPTIONS
from tocco.units import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TARGET, _OTHER, _GREY = "#1f5a8c", "#d9822b", "#8a939c"


def _new(width: float, height: float, layout: Literal["constrained"] | None = "constrained") -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout=layout)


def ladder_figure(kinds: Sequence[LadderResult]) -> Figure:
    """Mean change of every dimension over the ladder of each corruption; the target in bold."""
    columns = 6
    rows = -(-len(kinds) // columns)
    # Placed explicitly: the constrained layout takes many seconds with so many panels.
    figure = _new(2.0 * columns, 1.8 * rows, layout=None)
    figure.subplots_adjust(0.05, 0.08, 0.99, 0.93, wspace=0.25, hspace=0.65)
    for index, one in enumerate(kinds):
        axes = figure.add_subplot(rows, columns, index + 1)
        severity = np.array([0.0, *CORRUPTIONS[one.kind].ladder])
        for d, name in enumerate(TECHNICAL_DIMENSIONS):
            change = np.array([0.0, *one.change[:, d]])
            is_target = name == one.target
            axes.plot(
                severity,
                change,
                color=_TARGET if is_target else _OTHER,
                linewidth=1.8 if is_target else 0.7,
                marker="o" if is_target else None,
                markersize=2.5,
            )
        axes.axhline(0.0, color=_GREY, linewidth=0.5)
        sign = "" if one.is_monotone else "  MISSED"
        axes.set_title(
            f"{one.kind}\n{one.target}\nrho {one.rho:.2f} / {one.rho_pooled:.2f}{sign}", fontsize=6
        )
        axes.set_ylim(-65.0, 12.0)
        axes.tick_params(labelsize=5)
    figure.supxlabel("severity, in the kind's own unit; rho: mean of the excerpts / of the means", fontsize=7)
    figure.supylabel("change of rating; blue the target, orange the others", fontsize=7)
    return figure


def matrix_figure(matrix: FloatArray, ratio: FloatArray) -> Figure:
    """Size of the change of each dimension (column) by the corruptions of each (row).

    Parameters
    ----------
    matrix : (6, 6) points
    ratio : (6,) the largest other change in each row as a share of the target's
    """
    figure = _new(7.2, 5.2)
    axes = figure.add_subplot()
    picture = axes.imshow(matrix, cmap="Blues", vmin=0.0)
    top = float(np.nanmax(matrix))
    for row in range(len(TECHNICAL_DIMENSIONS)):
        for index in range(len(TECHNICAL_DIMENSIONS)):
            value = matrix[row, index]
            text = f"{value:.1f}" if np.isfinite(value) else "-"
            colour = "white" if np.isfinite(value) and value > 0.6 * top else "black"
            axes.text(index, row, text, ha="center", va="center", color=colour, fontsize=9)
    names = [name.replace("_", "\n") for name in TECHNICAL_DIMENSIONS]
    axes.set_xticks(range(len(names)), names, fontsize=7)
    axes.set_yticks(
        range(len(names)),
        [f"{name}\n({share:.2f})" for name, share in zip(TECHNICAL_DIMENSIONS, ratio, strict=True)],
        fontsize=7,
    )
    axes.set_xlabel("mean size of the change of this rating, points", fontsize=8)
    axes.set_ylabel("corruptions of this dimension (largest other change / own)", fontsize=8)
    figure.colorbar(picture, shrink=0.8)
    return figure


def detection_figure(table: Mapping[str, tuple[float, float, int]]) -> Figure:
    """Precision and recall of planted note errors."""
    figure = _new(6.0, 0.8 + 0.4 * len(table))
    axes = figure.add_subplot()
    row = np.arange(len(table))[::-1]
    for index, (what, threshold) in enumerate((("precision", LEAST_PRECISION), ("recall", LEAST_RECALL))):
        colour = (_TARGET, _OTHER)[index]
        values = [found[index] for found in table.values()]
        axes.scatter(values, row, color=colour, label=f"{what}, threshold {threshold:g}")
        axes.axvline(threshold, color=colour, linewidth=0.8)
    axes.set_yticks(row, [f"{kind} ({n})" for kind, (_, _, n) in table.items()], fontsize=7)
    axes.legend(fontsize=7, frameon=False, loc="lower left")
    axes.set_xlabel("share of the marks", fontsize=8)
    return figure


def difficulty_figure(alone: Sequence[Difficulty], peers: Sequence[Difficulty]) -> Figure:
    """Variance between players and between pieces, with and without comparison with peers; note density."""
    figure = _new(8.5, 1.1 + 0.5 * len(alone))
    row = np.arange(len(alone))[::-1]
    left, right = figure.subplots(1, 2, sharey=True)
    bars = (
        ([one.within for one in alone], _TARGET, "between players of a piece"),
        ([one.between for one in alone], _GREY, "between pieces, rated alone"),
        ([one.piece_means for one in peers], _OTHER, "means of pieces, compared with peers"),
    )
    for index, (values, colour, label) in enumerate(bars):
        left.barh(row + 0.25 * (1 - index), values, 0.23, color=colour, label=label)
    left.set_yticks(row, [one.dimension for one in alone], fontsize=7)
    left.set_xlabel("variance, points squared", fontsize=8)
    left.legend(fontsize=6, frameon=False)
    for found, colour, label in ((alone, _GREY, "alone"), (peers, _OTHER, "compared")):
        right.scatter([one.density_r for one in found], row, color=colour, label=f"segments, {label}")
        right.scatter(
            [one.density_r_takes for one in found],
            row,
            facecolor="none",
            edgecolor=colour,
            label=f"takes, {label}",
        )
    for edge in (-MOST_DENSITY_R, MOST_DENSITY_R):
        right.axvline(edge, color=_GREY, linewidth=0.8)
    right.set_xlim(-0.6, 0.6)
    right.set_xlabel("r with notes a second", fontsize=8)
    right.legend(fontsize=6, frameon=False)
    return figure


def agreement_figure(found: Sequence[Agreement]) -> Figure:
    """Rank correlation with listeners."""
    figure = _new(6.0, 0.9 + 0.42 * len(found))
    axes = figure.add_subplot()
    row = np.arange(len(found))[::-1]
    axes.barh(row + 0.19, [one.rho for one in found], 0.36, color=_TARGET, label="all excerpts")
    axes.barh(row - 0.19, [one.rho_within for one in found], 0.36, color=_OTHER, label="within a passage")
    axes.axvline(0.0, color=_GREY, linewidth=0.8)
    axes.set_yticks(row, [f"{one.dimension}\n{one.counterpart}, n {one.n}" for one in found], fontsize=6)
    axes.set_xlabel("Spearman with the listeners' mean", fontsize=8)
    axes.legend(fontsize=6, frameon=False)
    return figure


def robustness_figure(keys: Sequence[LadderResult], transcribed: Sequence[LadderResult]) -> Figure:
    """Spearman of each ladder on recorded MIDI and on transcriptions."""
    figure = _new(6.5, 0.9 + 0.24 * len(transcribed))
    axes = figure.add_subplot()
    own: Final = {one.kind: one.rho for one in keys}
    row = np.arange(len(transcribed))[::-1]
    axes.scatter(
        [own.get(one.kind, np.nan) for one in transcribed], row, color=_TARGET, s=16, label="recorded MIDI"
    )
    axes.scatter([one.rho for one in transcribed], row, color=_OTHER, s=16, label="transcribed")
    axes.axvline(MONOTONE_RHO, color=_GREY, linewidth=0.8)
    axes.set_yticks(row, [one.kind for one in transcribed], fontsize=7)
    axes.set_xlabel("Spearman between severity and the target's rating, mean over excerpts", fontsize=8)
    axes.legend(fontsize=7, frameon=False)
    return figure

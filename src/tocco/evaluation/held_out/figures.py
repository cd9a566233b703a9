"""Figures of an evaluation: reliability with its null band, and every dimension beside its ceiling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tocco.metrics import CALIBRATION_LEVELS, calibration_band, coverage_curve
from tocco.music.performance import PEDAL_DOWN, PedalCurve, Performance
from tocco.units import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_OWN, _OTHER, _CEILING, _PEDAL = "#1f5a8c", "#c0642b", "#22262b", "#d9822b"


def reliability_figure(
    labels: FloatArray,
    mean: FloatArray,
    sd: Mapping[str, FloatArray],
    generator: np.random.Generator,
) -> Figure:
    """Observed against nominal coverage, all dimensions pooled, with the band of a perfect model.

    The band is that of as many independent labels as there are excerpts: labels of one excerpt depend on each
    other.

    Parameters
    ----------
    labels, mean : (N, D) rating, NaN in `labels` where missing
    sd : legend -> (N, D) rating points
    generator
        Of the band.
    """
    from matplotlib.figure import Figure

    n = int(np.isfinite(labels).any(axis=1).sum())
    low, high = calibration_band(n, generator)
    figure = Figure(figsize=(4.4, 4.6), layout="constrained")
    axes = figure.add_subplot()
    axes.fill_between(CALIBRATION_LEVELS, low, high, color="0.88", linewidth=0, label=_band_legend(n))
    axes.plot([0, 1], [0, 1], color="0.5", linewidth=0.7)
    for (legend, table), marker in zip(sd.items(), "os^D", strict=False):
        observed = coverage_curve(labels.ravel(), mean.ravel(), table.ravel())
        axes.plot(CALIBRATION_LEVELS, observed, marker=marker, markersize=3, linewidth=1, label=legend)
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.set_xlabel("nominal coverage of the interval", fontsize=8)
    axes.set_ylabel("observed coverage", fontsize=8)
    axes.legend(fontsize=7, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
    return figure


def _band_legend(n: int) -> str:
    return f"95 of 100 perfect models, {n} independent labels"


def ceiling_figure(
    names: Sequence[str],
    own: FloatArray,
    others: Mapping[str, FloatArray],
    ceiling: FloatArray,
) -> Figure:
    """Correlation of every dimension as a bar, with baselines as marks and the highest honest r as a line.

    Parameters
    ----------
    names : (D,)
    own : (D,) r of the network, NaN where undefined
    others : baseline -> (D,) r
    ceiling : (D,) root of the reliability of the mean rating, NaN where unknown
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 1.3 + 0.27 * len(names)), layout="constrained")
    axes = figure.add_subplot()
    row = np.arange(len(names))[::-1]
    axes.barh(row, own, height=0.62, color=_OWN, label="network")
    for (name, values), marker in zip(others.items(), "os^DvX", strict=False):
        axes.scatter(
            values, row, s=16, marker=marker, facecolor="white", edgecolor=_OTHER, label=name, zorder=3
        )
    axes.vlines(ceiling, row - 0.42, row + 0.42, color=_CEILING, linewidth=1.6, label="highest honest r")
    axes.axvline(0.0, color="0.5", linewidth=0.7)
    axes.set_yticks(row, names, fontsize=7)
    known = [values[np.isfinite(values)] for values in (own, *others.values())]
    axes.set_xlim(min(-0.05, *(float(v.min()) - 0.03 for v in known if len(v))), 1.0)
    axes.set_ylim(-0.7, len(names) - 0.3)
    axes.set_xlabel("correlation with the mean rating", fontsize=8)
    axes.tick_params(axis="x", labelsize=7)
    axes.legend(fontsize=7, loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=4, frameon=False)
    return figure


def roll_figure(
    performance: Performance, bars: Sequence[tuple[str, float]], end_sec: float, heading: str
) -> Figure:
    """Played notes over time, darker where they are louder, with the pedal below and the bars above.

    Parameters
    ----------
    performance : on the clock of the axis
    bars : (printed number, second of its bar line)
    end_sec : end of the axis, which begins at 0
    heading
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 2.9))
    axes = figure.add_axes((0.05, 0.14, 0.93, 0.70))
    pitch = performance.pitch
    floor = float(pitch.min(initial=60)) - 4.0
    down = pedal_spans(performance.sustain, end_sec)
    _boxes(
        axes, performance.onset_sec, performance.offset_sec, pitch.astype(float), 0.85, _shades(performance)
    )
    _boxes(axes, down[:, 0], down[:, 1], np.full(len(down), floor), 1.4, _PEDAL)
    axes.set_ylim(floor - 2.0, float(pitch.max(initial=60)) + 3.0)
    octaves = [key for key in range(24, 109, 12) if floor <= key <= pitch.max(initial=60) + 2]
    axes.set_yticks([floor, *octaves], ["pedal", *(f"C{key // 12 - 1}" for key in octaves)], fontsize=7)
    for key in octaves:
        axes.axhline(key, color="0.92", linewidth=0.6, zorder=0)
    _draw_bars(axes, bars)
    axes.set_xlim(0.0, end_sec)
    axes.set_xlabel("seconds", fontsize=7)
    axes.tick_params(labelsize=7, length=0)
    axes.set_title(heading, fontsize=8, loc="left")
    return figure


def _boxes(
    axes: Axes, start: FloatArray, end: FloatArray, middle: FloatArray, height: float, colour: Any
) -> None:
    """Horizontal bars, as one artist: hundreds of single ones take a second to draw."""
    from matplotlib.collections import PolyCollection

    low, high = middle - height / 2, middle + height / 2
    corners = np.stack([(start, low), (end, low), (end, high), (start, high)], axis=1)
    axes.add_collection(PolyCollection(list(corners.transpose(2, 1, 0)), facecolors=colour, linewidths=0))


def _shades(performance: Performance) -> FloatArray:
    """(N, 4) a colour for every note, the more opaque the louder."""
    opacity = np.clip((performance.velocity - 5.0) / 70.0, 0.3, 1.0)
    return np.column_stack([np.tile([0.12, 0.35, 0.55], (len(opacity), 1)), opacity])


def pedal_spans(pedal: PedalCurve, end_sec: float) -> FloatArray:
    """(P, 2) seconds from which to which the pedal is down."""
    down = np.concatenate([[False], pedal.value >= PEDAL_DOWN, [False]]).astype(int)
    change = np.diff(down)
    times = np.append(pedal.time_sec, end_sec)
    return np.column_stack([times[np.flatnonzero(change == 1)], times[np.flatnonzero(change == -1)]])


def _draw_bars(axes: Axes, bars: Sequence[tuple[str, float]]) -> None:
    if not bars:
        return
    step = next(step for step in (1, 2, 4, 8, 16) if len(bars) / step <= 16 or step == 16)
    above = axes.secondary_xaxis("top")
    above.set_xticks([second for _, second in bars[::step]], [name for name, _ in bars[::step]], fontsize=7)
    above.tick_params(length=0)
    for _, second in bars:
        axes.axvline(second, color="0.9", linewidth=0.6, zorder=0)

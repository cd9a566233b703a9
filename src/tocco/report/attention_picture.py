"""The network's attention as pictures: a heat map of heads over time, and its curve beside the rating."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tocco.files import replacing
from tocco.inference.assessment import Assessment, Curve
from tocco.inference.attention import Attention
from tocco.report.attention_wording import attention_limits, attention_meaning, attention_range
from tocco.report.curve_picture import drawable, end_of_axis, time_step
from tocco.report.strokes import curve_strokes, value_strokes
from tocco.report.wording import clock, first_curve, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DPI: Final = 150
_WIDTH_IN: Final = 12.0
_LEFT, _RIGHT = 0.10, 0.985
_TOP_IN: Final = 0.75
_FOOT_IN: Final = 1.2
_CHARACTERS: Final = 165
_MOST_BARS: Final = 24
_INK, _GREY, _PALE = "#22262b", "#6b737c", "#dfe3e8"
_ATTENTION, _RATING = "#84418f", "#1f6296"
_MOMENT: Final = {"weakest": "#e08a1e", "strongest": "#1f9e77"}


@dataclass(frozen=True, eq=False)
class AttentionOverTime:
    """What a heat map of attention is drawn from.

    Attributes
    ----------
    name : of the performance, for the heading
    curve : whose points the attention has
    attention
    bars : (printed number, second of its bar line); empty without a score
    end_sec : end of the axis of time
    """

    name: str
    curve: Curve
    attention: Attention
    bars: Sequence[tuple[str, float]]
    end_sec: float


def draw_attention_map(assessment: Assessment, path: Path) -> None:
    """Draw the attention of every head and of their mean: rows are heads, columns points of the curve.

    Parameters
    ----------
    assessment : with attention
    path
        The PNG to write, whole or not at all. The same assessment gives the same bytes.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    draw_heat_map(_shown(assessment), path)


def draw_heat_map(shown: AttentionOverTime, path: Path) -> None:
    """`draw_attention_map` of a performance that is no assessment."""
    attention = shown.attention
    rows = [*attention.heads, attention.curve]
    figure = _figure(_TOP_IN + 0.34 * len(rows) + _FOOT_IN)
    axes = _axes(figure, shown, _TOP_IN, 0.34 * len(rows))
    most = attention_range(attention)
    shares = np.log2(np.clip([[np.nan if v is None else v for v in row] for row in rows], 1.0 / most, most))
    edges, cells = _columns(shown.curve, shares)
    image = axes.pcolormesh(
        edges, np.arange(len(rows) + 1), cells, cmap="PuOr_r", vmin=-np.log2(most), vmax=np.log2(most)
    )
    axes.set_ylim(len(rows), 0)
    labels = [f"head {k + 1}" for k in range(len(attention.heads))] + ["mean"]
    axes.set_yticks(np.arange(len(rows)) + 0.5, labels)
    scale = figure.colorbar(image, ax=[], cax=_scale_axes(figure), orientation="horizontal")
    scale.set_ticks([-np.log2(most), 0.0, np.log2(most)], labels=[f"{v:g} ×" for v in (1 / most, 1.0, most)])
    scale.ax.tick_params(labelsize=8, length=0, colors=_GREY)
    scale.outline.set_visible(False)  # pyright: ignore[reportCallIssue]
    _finish(figure, shown, "Attention of the network, by head", path)


def draw_attention_curve(assessment: Assessment, path: Path) -> None:
    """Draw the attention over time above the rating over time, which says what is weak.

    Parameters
    ----------
    assessment : with attention
    path
        As of `draw_attention_map`.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    shown = _shown(assessment)
    attention = shown.attention
    figure = _figure(_TOP_IN + 1.1 + 0.25 + 1.5 + _FOOT_IN)
    upper = _axes(figure, shown, _TOP_IN, 1.1, is_last=False)
    most = attention_range(attention)
    upper.set_yscale("log", base=2)
    upper.set_ylim(1.0 / most, most)
    upper.set_yticks([1.0 / most, 1.0, most], [f"{v:g} ×" for v in (1.0 / most, 1.0, most)])
    upper.axhline(1.0, color=_PALE, linewidth=0.8, zorder=0)
    upper.set_ylabel("attention", fontsize=9, color=_INK)
    for time, value in value_strokes(assessment.curve, attention.curve):
        upper.plot(time, np.clip(value, 1.0 / most, most), color=_ATTENTION, linewidth=1.6)
    lower = _axes(figure, shown, _TOP_IN + 1.35, 1.5)
    _draw_rating(lower, assessment)
    _finish(figure, shown, "Attention of the network over time, and the rating", path)


def _draw_rating(axes: Axes, assessment: Assessment) -> None:
    """The curve of one dimension with its band, and its passages that differ from the whole."""
    name = first_curve(assessment)
    axes.set_ylim(0, 100)
    axes.set_yticks([0, 50, 100])
    axes.set_ylabel(title(name).lower().replace(" ", "\n"), fontsize=9, color=_INK)
    for moment in assessment.moments:
        if moment.dimension == name:
            colour = _MOMENT[moment.kind]
            axes.axvspan(moment.start_sec, moment.end_sec, color=colour, alpha=0.22, linewidth=0)
    for time, value, low, high in curve_strokes(assessment.curve, name):
        if low is not None and high is not None:
            axes.fill_between(time, low, high, color=_RATING, alpha=0.15, linewidth=0)
        axes.plot(time, value, color=_RATING, linewidth=1.6)


def _shown(assessment: Assessment) -> AttentionOverTime:
    if assessment.attention is None:
        raise ValueError("this assessment holds no attention")
    inputs, report = assessment.inputs, assessment.alignment
    heard = inputs.audio if inputs.audio.origin == "given" else inputs.midi
    return AttentionOverTime(
        name=heard.name,
        curve=assessment.curve,
        attention=assessment.attention,
        bars=() if report is None else report.bars,
        end_sec=end_of_axis(assessment),
    )


def _columns(curve: Curve, shares: Any) -> tuple[Any, Any]:
    """(C + 1,) edges in seconds and (rows, C) cells: an empty cell where the music rests."""
    start, end = np.array(curve.start_sec), np.array(curve.end_sec)
    after = np.flatnonzero(start[1:] - end[:-1] > 0.5 * np.median(end - start)) + 1
    edges = np.append(np.insert(start, after, end[after - 1]), end[-1])
    return edges, np.insert(shares, after, np.nan, axis=1)


def _figure(height_in: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH_IN, height_in), dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _axes(
    figure: Figure, shown: AttentionOverTime, top_in: float, height_in: float, *, is_last: bool = True
) -> Axes:
    """A panel on the axis of time, with the numbers of the bars above the first one."""
    whole_in = figure.get_figheight()
    bottom = 1.0 - (top_in + height_in) / whole_in
    axes = figure.add_axes((_LEFT, bottom, _RIGHT - _LEFT, height_in / whole_in))
    end_sec = shown.end_sec
    axes.set_xlim(0.0, end_sec)
    seconds = np.arange(0.0, end_sec + 1e-6, time_step(end_sec))
    axes.set_xticks(seconds, [clock(second) for second in seconds] if is_last else [])
    axes.tick_params(labelsize=8, length=0, colors=_GREY)
    for side, spine in axes.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(_PALE)
    if top_in == _TOP_IN:
        _number_bars(axes, shown.bars)
    return axes


def _number_bars(axes: Axes, bars: Sequence[tuple[str, float]]) -> None:
    step = next(n for n in (1, 2, 4, 8, 16, 32, 64, 128, 10**6) if len(bars) / n <= _MOST_BARS)
    if not bars:
        return
    above = axes.secondary_xaxis("top")
    above.set_xticks([sec for _, sec in bars[::step]], [drawable(name) for name, _ in bars[::step]])
    above.tick_params(length=0, labelsize=8, colors=_GREY, pad=1)
    above.spines["top"].set_visible(False)


def _scale_axes(figure: Figure) -> Axes:
    whole_in = figure.get_figheight()
    return figure.add_axes((_RIGHT - 0.2, 1.0 - 0.24 / whole_in, 0.2, 0.12 / whole_in))


def _finish(figure: Figure, shown: AttentionOverTime, heading: str, path: Path) -> None:
    """Heading above, what it means and what not below; then write."""
    whole_in = figure.get_figheight()
    text: dict[str, Any] = {"ha": "left", "parse_math": False}
    name = drawable(shown.name[:60])
    figure.text(0.02, 1.0 - 0.3 / whole_in, f"{heading}: {name}", fontsize=12, color=_INK, **text)
    said = [attention_meaning(shown, shown.attention), attention_limits(shown.attention)]
    lines = [line for sentence in said for line in wrap(sentence, _CHARACTERS)]
    for k, line in enumerate(lines):
        figure.text(0.02, (0.66 - 0.19 * k) / whole_in, line, fontsize=9, color=_INK, **text)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})

"""The rating curve as a picture: one system of staves a dimension, read from left to right like a score."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tocco.files import replacing
from tocco.inference.assessment import Assessment, Curve, Moment
from tocco.inference.evidence import NoteOutcome
from tocco.music.places import bars_in_words
from tocco.report.strokes import curve_strokes
from tocco.report.wording import clock, in_words, interval_in_words, mistake, points, remarks, title
from tocco.rubrics import Dimension

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DPI: Final = 150
_WIDTH_IN: Final = 12.0
_LEFT_IN: Final = 2.75
_RIGHT_IN: Final = 0.35
_HEADER_IN: Final = 1.15
_ROW_IN: Final = 0.70
_GAP_IN: Final = 0.13
_FAMILY_GAP_IN: Final = 0.20
_NOTES_IN: Final = 0.80
_FOOTER_IN: Final = 0.95
_LINE_IN: Final = 0.22

_INK: Final = "#22262b"
_GREY: Final = "#6b737c"
_PALE: Final = "#dfe3e8"
# Distinguished by people with any of the common colour deficiencies (Okabe and Ito 2008, darkened for print).
_FAMILY_COLOUR: Final = {"technical": "#1f6296", "interpretive": "#84418f"}
_MOMENT_COLOUR: Final = {"weakest": "#e08a1e", "strongest": "#1f9e77"}
_MOMENT_INK: Final = {"weakest": "#8a4f05", "strongest": "#0d5c44"}
_NOTE_LANES: Final = (
    ("substitution", "wrong", "x", "#c0392b"),
    ("deletion", "missing", "o", "#b9770e"),
    ("insertion", "extra", "+", "#2471a3"),
)
_MANY_NOTES: Final = 40
_SMALLEST_RANGE: Final = 40.0


def draw_curve(assessment: Assessment, path: Path) -> None:
    """Draw how the ratings run through the performance, and where notes went wrong.

    Parameters
    ----------
    assessment
    path
        The PNG to write, whole or not at all. The same assessment gives the same bytes.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    with warnings.catch_warnings():
        # A title in a script that the font lacks shows boxes; the ratings are no worse for it.
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        _draw(assessment, path)


def _draw(assessment: Assessment, path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH_IN, _height_in(assessment)), dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    _Page(figure, assessment).draw()
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})


def _rows(assessment: Assessment) -> list[Dimension]:
    """Dimensions that are drawn as a curve."""
    drawn = {name for name, values in assessment.curve.value.items() if any(v is not None for v in values)}
    by_note = _drawn_by_note(assessment)
    return [one for one in assessment.dimensions if one.name in drawn and one not in by_note]


def _drawn_by_note(assessment: Assessment) -> list[Dimension]:
    """Dimensions that are drawn as the notes themselves: these need an alignment."""
    if assessment.alignment is None:
        return []
    return [one for one in assessment.dimensions if one.shown_as == "notes"]


def _height_in(assessment: Assessment) -> float:
    rows = _rows(assessment)
    families = {one.family for one in rows}
    height = _HEADER_IN + len(rows) * (_ROW_IN + _GAP_IN) + _FOOTER_IN + len(families) * _FAMILY_GAP_IN
    height += len(_drawn_by_note(assessment)) * (_NOTES_IN + _GAP_IN + _FAMILY_GAP_IN)
    return height + len(remarks(assessment)) * _LINE_IN


class _Page:
    """One picture in the making: a pen that moves down the page, in inches from the top."""

    def __init__(self, figure: Figure, assessment: Assessment) -> None:
        self.figure = figure
        self.assessment = assessment
        self.width_in, self.height_in = figure.get_size_inches()
        self.top_in = 0.0
        self.end_sec = end_of_axis(assessment)
        self.staves: list[Axes] = []

    def draw(self) -> None:
        self._header()
        rows = _rows(self.assessment)
        low, high = _value_range(self.assessment.curve, [one.name for one in rows])
        family = None
        for one in rows:
            if one.family != family:
                family = one.family
                self._family(family, sum(row.family == family for row in rows))
            self._stave(one, low, high)
        for one in _drawn_by_note(self.assessment):
            self._notes(one)
        self._time_axis()
        for line in map(_shortened, remarks(self.assessment)):
            self.top_in += _LINE_IN
            self._text(0.35, self.top_in, line, size=9, colour=_INK, va="center")
        self._footer()

    def _text(self, x_in: float, y_in: float, text: str, *, size: float, colour: str, **more: Any) -> None:
        self.figure.text(
            x_in / self.width_in,
            1.0 - y_in / self.height_in,
            drawable(text),
            fontsize=size,
            color=colour,
            parse_math=False,
            **more,
        )

    def _axes(self, height_in: float) -> Axes:
        bottom = 1.0 - (self.top_in + height_in) / self.height_in
        width = (self.width_in - _LEFT_IN - _RIGHT_IN) / self.width_in
        axes = self.figure.add_axes((_LEFT_IN / self.width_in, bottom, width, height_in / self.height_in))
        axes.set_xlim(0.0, self.end_sec)
        axes.xaxis.set_visible(False)  # ticks that nobody sees would take a third of the time
        axes.tick_params(
            axis="x", length=0, labelbottom=False, labeltop=False, colors=_GREY, labelcolor=_GREY, labelsize=8
        )
        axes.tick_params(axis="y", length=0, colors=_GREY, labelcolor=_GREY, labelsize=7)
        for side, spine in axes.spines.items():
            spine.set_visible(side in {"left", "bottom"})
            spine.set_color(_PALE)
        alignment = self.assessment.alignment
        for position, (_, second) in enumerate(alignment.bars if alignment is not None else ()):
            if position % self._bar_step() == 0:
                axes.axvline(second, color=_PALE, linewidth=0.6, zorder=0)
        self.staves.append(axes)
        return axes

    def _sec_per_in(self) -> float:
        return self.end_sec / (self.width_in - _LEFT_IN - _RIGHT_IN)

    def _bar_step(self) -> int:
        """How many bars from one numbered bar line to the next."""
        n_bars = len(self.assessment.alignment.bars) if self.assessment.alignment is not None else 0
        return next(step for step in (1, 2, 4, 8, 16, 32, 64, 128, 10**6) if n_bars / step <= 24)

    def _header(self) -> None:
        inputs, total = self.assessment.inputs, self.assessment.aggregate
        heard = inputs.audio if inputs.audio.origin == "given" else inputs.midi
        name = heard.name if len(heard.name) <= 60 else f"{heard.name[:36]}…{heard.name[-23:]}"
        self._text(0.35, 0.42, name, size=16, colour=_INK, weight="bold", va="center")
        what = f"Ratings over time, 0 to 100 · {clock(self.end_sec)}"
        if inputs.score is not None:
            what += f" · score: {inputs.score.name[:50]}"
        self._text(0.35, 0.74, what, size=9.5, colour=_GREY, va="center")
        right_in = self.width_in - _RIGHT_IN
        if total.value is None:
            self._text(right_in, 0.42, "no overall mark", size=12, colour=_GREY, ha="right", va="center")
        else:
            self._text(
                right_in,
                0.42,
                points(total.value),
                size=22,
                colour=_INK,
                weight="bold",
                ha="right",
                va="center",
            )
            label = "weighted mean"
            if total.interval_90 is not None:
                label += f"   ({interval_in_words(total)})"
            self._text(right_in, 0.74, label, size=9.5, colour=_GREY, ha="right", va="center")
        self.top_in = _HEADER_IN

    def _family(self, family: str, n_rows: int) -> None:
        self.top_in += _FAMILY_GAP_IN
        height_in = n_rows * (_ROW_IN + _GAP_IN) - _GAP_IN
        colour = _FAMILY_COLOUR[family]
        self._text(
            0.22,
            self.top_in + height_in / 2,
            family.upper(),
            size=7.5,
            colour=colour,
            rotation=90,
            ha="center",
            va="center",
            weight="bold",
        )
        self._rule(0.38, height_in, colour)

    def _rule(self, x_in: float, height_in: float, colour: str) -> None:
        from matplotlib.lines import Line2D

        x = x_in / self.width_in
        top = 1.0 - self.top_in / self.height_in
        self.figure.add_artist(
            Line2D((x, x), (top - height_in / self.height_in, top), color=colour, linewidth=2.0)
        )

    def _label(self, name: str, height_in: float) -> None:
        middle = self.top_in + height_in / 2
        rating = self.assessment.ratings[name]
        self._text(0.5, middle - 0.09, title(name), size=10, colour=_INK, weight="bold", va="center")
        self._text(0.5, middle + 0.12, in_words(rating), size=8.5, colour=_GREY, va="center")

    def _stave(self, dimension: Dimension, low: float, high: float) -> None:
        name = dimension.name
        axes = self._axes(_ROW_IN)
        axes.set_ylim(low, high)
        ticks = [tick for tick in range(0, 101, 20 if high - low > 30 else 10) if low < tick < high]
        axes.set_yticks(ticks)
        for tick in ticks:
            axes.axhline(tick, color=_PALE, linewidth=0.6, zorder=0)
        colour = _FAMILY_COLOUR[dimension.family]
        self._moments(axes, name)
        for time, value, below, above in curve_strokes(self.assessment.curve, name):
            if below is not None and above is not None:
                axes.fill_between(time, below, above, color=colour, alpha=0.15, linewidth=0, zorder=2)
            thin = len(time) > 600
            axes.plot(
                time, value, color=colour, linewidth=0.9 if thin else 1.8, solid_capstyle="round", zorder=3
            )
        self._label(name, _ROW_IN)
        self.top_in += _ROW_IN + _GAP_IN

    def _moments(self, axes: Axes, name: str, *, with_bars: bool = True) -> None:
        for moment in self.assessment.moments:
            if moment.dimension == name:
                self._moment(axes, moment, with_bars=with_bars)

    def _moment(self, axes: Axes, moment: Moment, *, with_bars: bool) -> None:
        """Shade a span; name its bars on the side where the curve is not."""
        low, high = axes.get_ylim()
        colour = _MOMENT_COLOUR[moment.kind]
        near, far = (low, high) if moment.kind == "weakest" else (high, low)
        # In a long performance a span of seconds would be thinner than a hair.
        middle = (moment.start_sec + moment.end_sec) / 2
        half = max(moment.end_sec - moment.start_sec, 0.06 * self._sec_per_in()) / 2
        span = (max(middle - half, 0.0), min(middle + half, self.end_sec))
        axes.axvspan(*span, color=colour, alpha=0.22, linewidth=0, zorder=1)
        axes.plot(
            span, (near, near), color=colour, linewidth=3.0, solid_capstyle="butt", clip_on=False, zorder=4
        )
        if moment.bars is None or not with_bars:
            return
        text = moment.where or bars_in_words(*moment.bars)
        if 0.062 * len(text) * self._sec_per_in() > span[1] - span[0]:
            return
        axes.annotate(
            drawable(text),
            (sum(span) / 2, far),
            xytext=(0, -2 if moment.kind == "weakest" else 2),
            textcoords="offset points",
            ha="center",
            va="top" if moment.kind == "weakest" else "bottom",
            fontsize=7,
            color=_MOMENT_INK[moment.kind],
            parse_math=False,
            zorder=5,
        )

    def _notes(self, dimension: Dimension) -> None:
        alignment = self.assessment.alignment
        self.top_in += _FAMILY_GAP_IN
        axes = self._axes(_NOTES_IN)
        axes.set_ylim(-0.6, len(_NOTE_LANES) - 0.4)
        axes.set_yticks(range(len(_NOTE_LANES)))
        labels = []
        for lane, (kind, word, marker, colour) in enumerate(reversed(_NOTE_LANES)):
            notes: tuple[NoteOutcome, ...] = getattr(alignment, kind)
            labels.append(f"{len(notes)} {word}")
            axes.axhline(lane, color=_PALE, linewidth=0.6, zorder=0)
            axes.plot(
                [note.time_sec for note in notes],
                [lane] * len(notes),
                linestyle="none",
                marker=marker if len(notes) <= _MANY_NOTES else "|",
                markersize=6,
                markeredgewidth=1.6 if len(notes) <= _MANY_NOTES else 0.8,
                markerfacecolor="none",
                color=colour,
                clip_on=False,
                zorder=3,
            )
            self._name_notes(axes, lane, notes, colour)
        axes.set_yticklabels(labels, fontsize=8)
        self._moments(axes, dimension.name, with_bars=False)  # every mistake names its own bar
        self._rule(0.38, _NOTES_IN, _INK)
        self._label(dimension.name, _NOTES_IN)
        self.top_in += _NOTES_IN + _GAP_IN

    def _name_notes(self, axes: Axes, lane: int, notes: Sequence[NoteOutcome], colour: str) -> None:
        """Write bar and pitch beside a mark, where the next mark leaves the room for it."""
        if not notes:
            return
        sec_per_in = self._sec_per_in()
        in_time = sorted(notes, key=lambda note: note.time_sec)
        nexts = [note.time_sec for note in in_time[1:]] + [self.end_sec + 0.2 * sec_per_in]
        free_from = -math.inf
        for note, next_sec in zip(in_time, nexts, strict=True):
            text = mistake(note)
            start, width = note.time_sec + 0.09 * sec_per_in, (0.064 * len(text) + 0.1) * sec_per_in
            to_the_left = start + width > self.end_sec and note.time_sec - width > free_from
            if not to_the_left and start + width > next_sec:
                free_from = note.time_sec
                continue
            x = note.time_sec - 0.09 * sec_per_in if to_the_left else start
            axes.text(
                x,
                lane,
                drawable(text),
                fontsize=7.5,
                color=colour,
                va="center_baseline",
                ha="right" if to_the_left else "left",
                parse_math=False,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
                zorder=2,
            )
            free_from = note.time_sec if to_the_left else start + width

    def _time_axis(self) -> None:
        if not self.staves:
            return
        bottom, top = self.staves[-1], self.staves[0]
        step = time_step(self.end_sec)
        seconds = np.arange(0.0, self.end_sec + 1e-6, step)
        bottom.xaxis.set_visible(True)
        bottom.set_xticks(seconds, [clock(second) for second in seconds])
        bottom.tick_params(axis="x", labelbottom=True, length=3)
        axis_in = self.top_in - _GAP_IN + 0.135
        self._text(_LEFT_IN - 0.3, axis_in, "time, min:s", size=8, colour=_GREY, ha="right", va="center")
        self.top_in += 0.30
        alignment = self.assessment.alignment
        if alignment is None or not alignment.bars:
            return
        numbered = alignment.bars[:: self._bar_step()]
        bars = top.secondary_xaxis("top")
        bars.set_xticks([second for _, second in numbered], [drawable(name) for name, _ in numbered])
        bars.tick_params(axis="x", length=0, labelsize=8, colors=_GREY, pad=2)
        bars.spines["top"].set_visible(False)
        header_in = _HEADER_IN + _FAMILY_GAP_IN - 0.09
        self._text(_LEFT_IN - 0.12, header_in, "bar", size=8, colour=_GREY, ha="right", va="center")

    def _footer(self) -> None:
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        handles: list[Any] = []
        if _rows(self.assessment):
            handles.append(Line2D((), (), color=_GREY, linewidth=1.8, label="rating"))
        if self.assessment.curve.low_90:
            handles.append(Patch(color=_GREY, alpha=0.25, linewidth=0, label="90 % interval"))
        kinds = {moment.kind for moment in self.assessment.moments}
        handles += [
            Patch(color=colour, alpha=0.55, linewidth=0, label=f"{kind} passage")
            for kind, colour in _MOMENT_COLOUR.items()
            if kind in kinds
        ]
        baseline = 0.26 / self.height_in
        if handles:
            self.figure.legend(
                handles=handles,
                loc="center left",
                bbox_to_anchor=((_LEFT_IN - 0.1) / self.width_in, baseline),
                ncols=len(handles),
                frameon=False,
                fontsize=8.5,
                labelcolor=_INK,
                handlelength=1.6,
            )
        bundle = self.assessment.bundle
        self._text(
            self.width_in - _RIGHT_IN,
            self.height_in - 0.26,
            f"{bundle.name} {bundle.version} · tocco {self.assessment.tocco_version}",
            size=8,
            colour=_GREY,
            ha="right",
            va="center",
        )


def end_of_axis(assessment: Assessment) -> float:
    """End of the time axis: the end of the music, or of the curve where the length is not known."""
    lengths = [f.duration_sec for f in (assessment.inputs.audio, assessment.inputs.midi) if f.duration_sec]
    return max([*lengths[:1], *assessment.curve.end_sec, 1.0])


def _value_range(curve: Curve, rows: Sequence[str]) -> tuple[float, float]:
    """One range for all staves, so that they can be compared: tens around all that is drawn."""
    drawn = [
        value
        for name in rows
        for column in (curve.value[name], curve.low_90.get(name, ()), curve.high_90.get(name, ()))
        for value in column
        if value is not None
    ]
    if not drawn:
        return 0.0, 100.0
    low, high = 10.0 * math.floor(min(drawn) / 10.0), 10.0 * math.ceil(max(drawn) / 10.0)
    # A narrow range would make a mountain of every ripple.
    while high - low < _SMALLEST_RANGE:
        low, high = max(low - 10.0, 0.0), min(high + 10.0, 100.0)
    return low, high


def _shortened(line: str) -> str:
    return line if len(line) <= 130 else line[:129] + "…"


def time_step(duration_sec: float) -> float:
    """Distance between labels of the time axis, for at most a dozen of them."""
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)
    return float(next((step for step in steps if duration_sec / step <= 12), 7200))


def drawable(text: str) -> str:
    """The text with a box for every character that the font has not (a file's name may have any)."""
    from matplotlib import font_manager

    font = font_manager.get_font(font_manager.findfont("DejaVu Sans"))
    return "".join(c if c.isprintable() and font.get_char_index(ord(c)) else "\u25a1" for c in text)

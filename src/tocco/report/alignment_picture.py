"""The alignment as a picture: a piano roll on the grid of the bars, laid out in systems like a score.

The written notes stand where the score puts them; what was played otherwise is in colour, and named once more
in the lane above. Below each system the tempo runs over the same bars.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tocco.files import replacing
from tocco.inference.alignment_document import AlignmentDocument, Mistake
from tocco.music.alignment import Alignment
from tocco.music.alignment_findings import SortedNotes, played_bars, sort_notes, tempo_curve
from tocco.music.performance import Performance
from tocco.report.wording import clock
from tocco.units import FloatArray, IntArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DPI: Final = 130
_WIDTH_IN: Final = 12.0
_LEFT_IN: Final = 0.75
_RIGHT_IN: Final = 0.35
_HEADER_IN: Final = 1.45
_NUMBERS_IN: Final = 0.20
_LANE_IN: Final = 0.24
_SEMITONE_IN: Final = 0.042
_TEMPO_IN: Final = 0.55
_CLOCK_IN: Final = 0.20
_BETWEEN_IN: Final = 0.32
_FOOTER_IN: Final = 0.25

_ONSET_IN: Final = 0.13
"""Room for one onset, so that single keys can be distinguished."""

_BEAT_IN: Final = (0.24, 0.70)
"""Least and greatest width of a quarter note."""
_MAX_SYSTEMS: Final = 48

_INK: Final = "#22262b"
_GREY: Final = "#6b737c"
_PALE: Final = "#dfe3e8"
_STAFF_LINE: Final = "#e9ecef"
_TEMPO: Final = "#4a5a6a"
# Distinguished by people with any of the common colour deficiencies; the marks differ in shape as well.
_UPPER: Final = "#5f7488"
_LOWER: Final = "#9aabba"
_MISTAKE_COLOUR: Final = {"wrong": "#c0392b", "missing": "#b9770e", "extra": "#2471a3"}
_HAIR_BEAT: Final = 1e-3
"""What is played so little before a bar line, as small notes that lead to it are, belongs behind it."""

_MISTAKE_MARK: Final = {"wrong": "x", "missing": "o", "extra": "+"}
_ORNAMENT: Final = "#1f9e77"
_RESTART: Final = "#84418f"
_SKIP: Final = "#8a8f96"
_STAFF_PITCHES: Final = (43, 47, 50, 53, 57, 64, 67, 71, 74, 77)
"""The ten lines of the two staves, G2 to A3 and E4 to F5."""


def draw_alignment(
    alignment: Alignment, performance: Performance, document: AlignmentDocument, path: Path
) -> None:
    """Draw what was played against what is written.

    Parameters
    ----------
    alignment
    performance : the one that was aligned
    document : of the same alignment; its words and counts are the picture's
    path
        The PNG to write, whole or not at all. The same alignment gives the same bytes.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    systems = _systems(alignment)
    pitches = _pitch_range(alignment, performance)
    height_in = _HEADER_IN + len(systems) * (_system_in(pitches) + _BETWEEN_IN) + _FOOTER_IN
    figure = Figure(figsize=(_WIDTH_IN, height_in), dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    _Page(figure, alignment, performance, document, pitches).draw(systems)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})


@dataclass(frozen=True)
class _System:
    """One row of bars: from `first` to `last`, both inclusive; `beats` wide when full."""

    first: int
    last: int
    beats: float


def _systems(alignment: Alignment) -> list[_System]:
    """Bars in rows of about equal length, as many to a row as single onsets stay apart."""
    first, last = played_bars(alignment)
    score = alignment.score
    start, length = score.bar_onset_beat[first : last + 1], score.bar_beats[first : last + 1]
    total = float(start[-1] + length[-1] - start[0])
    inside = (score.onset_beat >= start[0]) & (score.onset_beat < start[0] + total)
    per_beat = len(np.unique(np.round(score.onset_beat[inside], 6))) / total
    beat_in = min(max(per_beat * _ONSET_IN, _BEAT_IN[0]), _BEAT_IN[1])
    width_beats = max((_WIDTH_IN - _LEFT_IN - _RIGHT_IN) / beat_in, total / _MAX_SYSTEMS, float(length.max()))
    # Rows of equal length look better than full ones and a short last one.
    target = total / math.ceil(total / width_beats)
    rows: list[list[int]] = [[first]]
    for bar in range(first + 1, last + 1):
        begin = score.bar_onset_beat[rows[-1][0]]
        middle = float(score.bar_onset_beat[bar] + score.bar_beats[bar] / 2 - begin)
        if middle > target:
            rows.append([])
        rows[-1].append(bar)
    ends = [(row[0], row[-1]) for row in rows]
    widths = [float(score.bar_onset_beat[b] + score.bar_beats[b] - score.bar_onset_beat[a]) for a, b in ends]
    return [_System(a, b, max(widths)) for a, b in ends]


def _pitch_range(alignment: Alignment, performance: Performance) -> tuple[int, int]:
    """Lowest and highest key that is written or played, with a little air; two octaves at the least."""
    low = int(min(alignment.score.pitch.min(), performance.pitch.min())) - 2
    high = int(max(alignment.score.pitch.max(), performance.pitch.max())) + 2
    spare = max(24 - (high - low), 0)
    return low - spare // 2, high + (spare + 1) // 2


def _roll_in(pitches: tuple[int, int]) -> float:
    return (pitches[1] - pitches[0]) * _SEMITONE_IN


def _system_in(pitches: tuple[int, int]) -> float:
    return _NUMBERS_IN + _LANE_IN + _roll_in(pitches) + _TEMPO_IN + _CLOCK_IN


class _Page:
    """One picture in the making: a pen that moves down the page, in inches from the top."""

    def __init__(
        self,
        figure: Figure,
        alignment: Alignment,
        performance: Performance,
        document: AlignmentDocument,
        pitches: tuple[int, int],
    ) -> None:
        self.figure = figure
        self.alignment = alignment
        self.performance = performance
        self.document = document
        self.notes = sort_notes(alignment)
        self.pitches = pitches
        self.boxes = _Boxes.of(alignment, performance, self.notes)
        self.tempo = tempo_curve(alignment)
        self.width_in, self.height_in = figure.get_size_inches()
        self.top_in = 0.0

    def draw(self, systems: Sequence[_System]) -> None:
        self._header()
        bpm_range = _bpm_range(self.tempo)
        for system in systems:
            self._system(system, bpm_range)

    def _text(self, x_in: float, y_in: float, text: str, *, size: float, colour: str, **more: Any) -> None:
        self.figure.text(
            x_in / self.width_in,
            1.0 - y_in / self.height_in,
            _drawable(text),
            fontsize=size,
            color=colour,
            parse_math=False,
            **more,
        )

    def _header(self) -> None:
        document = self.document
        heard = document.inputs.audio or document.inputs.midi
        name = heard.name if len(heard.name) <= 60 else f"{heard.name[:36]}…{heard.name[-23:]}"
        self._text(_LEFT_IN, 0.42, name, size=16, colour=_INK, weight="bold", va="center")
        what = f"Played against the score {document.inputs.score.name[:50]}"
        if document.alignment.repeats != "as written":
            what += f" · {document.alignment.repeats} taken".replace("no repeats taken", "without repeats")
        self._text(_LEFT_IN, 0.74, what, size=9.5, colour=_GREY, va="center")
        counts = document.counts
        right_in = self.width_in - _RIGHT_IN
        mistakes = counts.wrong + counts.missing + counts.extra
        head = "no mistakes" if mistakes == 0 else f"{mistakes} mistake" + "s" * (mistakes > 1)
        self._text(right_in, 0.42, head, size=14, colour=_INK, weight="bold", ha="right", va="center")
        of_all = counts.right + counts.wrong + counts.missing
        right = f"{counts.right} of {of_all} notes as written"
        self._text(right_in, 0.74, right, size=9.5, colour=_GREY, ha="right", va="center")
        self._legend()
        self.top_in = _HEADER_IN

    def _legend(self) -> None:
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        counts = self.document.counts
        handles: list[Any] = [
            Patch(color=_UPPER, linewidth=0, label="as written, upper staff"),
            Patch(color=_LOWER, linewidth=0, label="lower staff"),
        ]
        for kind, colour in _MISTAKE_COLOUR.items():
            handles.append(
                Line2D(
                    (), (), linestyle="none", marker=_MISTAKE_MARK[kind], color=colour, markersize=6,
                    markeredgewidth=1.6, markerfacecolor="none", label=f"{getattr(counts, kind)} {kind}",
                )
            )  # fmt: skip
        if counts.ornamental:
            handles.append(Patch(color=_ORNAMENT, linewidth=0, label="ornament"))
        if self.document.restarts:
            handles.append(Patch(color=_RESTART, alpha=0.22, linewidth=0, label="played again"))
        if self.document.skips:
            handles.append(
                Patch(facecolor="white", edgecolor=_SKIP, hatch="////", linewidth=0, label="skipped")
            )
        self.figure.legend(
            handles=handles,
            loc="center left",
            bbox_to_anchor=((_LEFT_IN - 0.08) / self.width_in, 1.0 - 1.08 / self.height_in),
            ncols=len(handles),
            frameon=False,
            fontsize=8.5,
            labelcolor=_INK,
            handlelength=1.3,
            columnspacing=1.5,
            borderpad=0.0,
        )

    def _axes(self, system: _System, height_in: float) -> Axes:
        start = float(self.alignment.score.bar_onset_beat[system.first])
        end = self._end_beat(system)
        full_in = self.width_in - _LEFT_IN - _RIGHT_IN
        width_in = full_in * (end - start) / system.beats
        bottom = 1.0 - (self.top_in + height_in) / self.height_in
        axes = self.figure.add_axes(
            (_LEFT_IN / self.width_in, bottom, width_in / self.width_in, height_in / self.height_in)
        )
        axes.set_xlim(start, end)
        axes.tick_params(
            axis="both", length=0, labelbottom=False, colors=_GREY, labelcolor=_GREY, labelsize=7
        )
        for spine in axes.spines.values():
            spine.set_visible(False)
        self.top_in += height_in
        return axes

    def _end_beat(self, system: _System) -> float:
        score = self.alignment.score
        return float(score.bar_onset_beat[system.last] + score.bar_beats[system.last])

    def _system(self, system: _System, bpm_range: tuple[float, float]) -> None:
        self.top_in += _NUMBERS_IN
        lane = self._axes(system, _LANE_IN)
        roll = self._axes(system, _roll_in(self.pitches))
        tempo = self._axes(system, _TEMPO_IN)
        lane.set_ylim(0.0, 1.0)
        lane.set_yticks([])
        self._bar_lines(system, (lane, roll, tempo))
        self._bar_numbers(system, lane)
        self._spans(system, roll, lane)
        self._roll(system, roll)
        self._marks(system, lane)
        self._tempo_curve(tempo, bpm_range)
        self._clock(system, tempo)
        self.top_in += _CLOCK_IN + _BETWEEN_IN

    def _beat_in(self, system: _System) -> float:
        return (self.width_in - _LEFT_IN - _RIGHT_IN) / system.beats

    def _bar_lines(self, system: _System, axes: Sequence[Axes]) -> None:
        edges = [*self.alignment.score.bar_onset_beat[system.first : system.last + 1], self._end_beat(system)]
        for axis in axes:
            for edge in edges:
                axis.axvline(edge, color=_PALE, linewidth=0.8, zorder=0, clip_on=False)

    def _bar_numbers(self, system: _System, lane: Axes) -> None:
        score, beat_in = self.alignment.score, self._beat_in(system)
        self._text(
            _LEFT_IN - 0.12,
            self.top_in - _TEMPO_IN - _roll_in(self.pitches) - _LANE_IN - 0.08,
            "bar",
            size=7.5,
            colour=_GREY,
            ha="right",
            va="center",
        )
        free_from = -math.inf
        for bar in range(system.first, system.last + 1):
            beat, name = float(score.bar_onset_beat[bar]), score.bar_name[bar]
            if beat < free_from:
                continue
            lane.annotate(
                _drawable(name), (beat, 1.0), xytext=(0, 3), textcoords="offset points", ha="center",
                fontsize=8, color=_INK, parse_math=False, annotation_clip=False,
            )  # fmt: skip
            free_from = beat + (0.075 * len(name) + 0.16) / beat_in

    def _spans(self, system: _System, roll: Axes, lane: Axes) -> None:
        start, end = roll.get_xlim()
        beat_in = self._beat_in(system)
        least = 0.06 / beat_in
        for retry in self.alignment.retries:
            left, right = retry.start_beat, max(retry.end_beat, retry.start_beat + least)
            if left < end and right > start:
                for axis in (roll, lane):
                    axis.axvspan(
                        max(left, start), min(right, end), color=_RESTART, alpha=0.14, linewidth=0, zorder=1
                    )
        for skip in self.alignment.skips:
            left, right = skip.start_beat, max(skip.end_beat, skip.start_beat + least)
            if left < end and right > start:
                roll.axvspan(
                    max(left, start), min(right, end), facecolor="none", edgecolor=_SKIP, hatch="////",
                    linewidth=0, alpha=0.55, zorder=1,
                )  # fmt: skip

    def _roll(self, system: _System, axes: Axes) -> None:
        from matplotlib.collections import PolyCollection

        axes.set_ylim(self.pitches[0], self.pitches[1])
        staff = [pitch for pitch in _STAFF_PITCHES if self.pitches[0] < pitch < self.pitches[1]]
        for pitch in staff:
            axes.axhline(pitch, color=_STAFF_LINE, linewidth=0.7, zorder=0)
        named = [pitch for pitch in range(24, 109, 12) if self.pitches[0] < pitch < self.pitches[1]]
        axes.set_yticks(named, [f"C{pitch // 12 - 1}" for pitch in named])
        start, end = axes.get_xlim()
        gap = min(0.015 / self._beat_in(system), 0.05)
        for layer in self.boxes.layers:
            near = (layer.start < end) & (layer.end > start)
            corners = [
                ((a, p - 0.5), (b, p - 0.5), (b, p + 0.5), (a, p + 0.5))
                for a, b, p in zip(
                    np.maximum(layer.start[near], start),
                    np.minimum(np.maximum(layer.end[near] - gap, layer.start[near] + 2 * gap), end),
                    layer.pitch[near],
                    strict=True,
                )
            ]
            axes.add_collection(
                PolyCollection(
                    corners,
                    facecolors=layer.fill,
                    edgecolors=layer.edge,
                    linewidths=layer.line,
                    zorder=layer.order,
                )
            )
        for beat, written, struck in self.boxes.wrong:
            if start <= beat < end:
                axes.plot(
                    (beat, beat), (written, struck), color=_MISTAKE_COLOUR["wrong"], linewidth=0.9, zorder=5
                )

    def _marks(self, system: _System, lane: Axes) -> None:
        start, end = lane.get_xlim()
        here = [(beat, found) for beat, found in self._placed_mistakes() if start <= beat < end]
        beat_in = self._beat_in(system)
        for kind, colour in _MISTAKE_COLOUR.items():
            beats = [beat for beat, found in here if found.kind == kind]
            lane.plot(
                beats, [0.5] * len(beats), linestyle="none", marker=_MISTAKE_MARK[kind], markersize=5.5,
                markeredgewidth=1.5, markerfacecolor="none", color=colour, clip_on=False, zorder=4,
            )  # fmt: skip
        nexts = [*(beat for beat, _ in here), end + 0.3 / beat_in][1:]
        for (beat, found), following in zip(here, nexts, strict=True):
            text = _keys(found)
            left = beat + 0.07 / beat_in
            if left + (0.058 * len(text) + 0.08) / beat_in > following:
                continue
            lane.text(
                left, 0.5, _drawable(text), fontsize=7, color=_MISTAKE_COLOUR[found.kind],
                va="center_baseline", parse_math=False, zorder=5,
            )  # fmt: skip

    def _placed_mistakes(self) -> list[tuple[float, Mistake]]:
        alignment = self.alignment
        sec = np.array([mistake.note.time_sec for mistake in self.document.mistakes])
        placed = zip((alignment.beat_at(sec) + _HAIR_BEAT).tolist(), self.document.mistakes, strict=True)
        return sorted(placed, key=lambda item: item[0])

    def _tempo_curve(self, axes: Axes, bpm_range: tuple[float, float]) -> None:
        low, high = bpm_range
        axes.set_ylim(low, high)
        ticks = _bpm_ticks(low, high)
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        for tick in ticks:
            axes.axhline(tick, color=_STAFF_LINE, linewidth=0.7, zorder=0)
        for beat, bpm in self.tempo:
            level = np.clip(bpm, low, high)
            axes.fill_between(beat, low, level, color=_TEMPO, alpha=0.10, linewidth=0, zorder=1)
            axes.plot(beat, level, color=_TEMPO, linewidth=1.3, solid_capstyle="round", zorder=3)
        middle_in = self.top_in - _TEMPO_IN / 2
        self._text(
            0.24, middle_in, "tempo, ♩/min", size=6.5, colour=_GREY, rotation=90, ha="center", va="center"
        )

    def _clock(self, system: _System, axes: Axes) -> None:
        score, beat_in = self.alignment.score, self._beat_in(system)
        free_from = -math.inf
        for bar in range(system.first, system.last + 1):
            beat = float(score.bar_onset_beat[bar])
            if beat < free_from:
                continue
            axes.annotate(
                clock(max(float(self.alignment.sec_at(beat)), 0.0)), (beat, 0.0),
                xycoords=("data", "axes fraction"), xytext=(0, -3), textcoords="offset points",
                ha="center", va="top", fontsize=7, color=_GREY, annotation_clip=False,
            )  # fmt: skip
            free_from = beat + 1.3 / beat_in


@dataclass(frozen=True, eq=False)
class _Layer:
    """Notes that are drawn alike: from `start` to `end` in beats, on `pitch`."""

    start: FloatArray
    end: FloatArray
    pitch: IntArray
    fill: str
    edge: str
    line: float
    order: int


@dataclass(frozen=True)
class _Boxes:
    """What the roll shows; `wrong` joins written and struck key: (beat, written, struck)."""

    layers: tuple[_Layer, ...]
    wrong: tuple[tuple[float, int, int], ...]

    @classmethod
    def of(cls, alignment: Alignment, performance: Performance, notes: SortedNotes) -> _Boxes:
        score = alignment.score
        written, struck = notes.wrong[:, 0], notes.wrong[:, 1]
        right = notes.right[:, 0]
        lower = score.staff[right] >= 2
        skipped = [
            alignment.unplayed[
                (score.onset_beat[alignment.unplayed] >= skip.start_beat)
                & (score.onset_beat[alignment.unplayed] <= skip.end_beat)
            ]
            for skip in alignment.skips
        ]
        passed = np.concatenate([np.zeros(0, dtype=np.int64), *skipped])

        def page(index: IntArray, fill: str, edge: str, line: float, order: int) -> _Layer:
            start = score.onset_beat[index]
            end = start + np.maximum(score.duration_beat[index], np.where(score.is_grace[index], 0.125, 0.0))
            return _Layer(start, end, score.pitch[index], fill, edge, line, order)

        def keys(index: IntArray, start: FloatArray, end: FloatArray, colour: str) -> _Layer:
            return _Layer(start, end, performance.pitch[index], colour, colour, 0.6, 4)

        def added(index: IntArray, colour: str) -> _Layer:
            start = alignment.performance_beat[index]
            end = alignment.beat_at(performance.offset_sec[index])
            return keys(index, start, np.clip(end, start + 0.06, start + 1.0), colour)

        wrong_start = score.onset_beat[written]
        wrong_end = wrong_start + np.maximum(score.duration_beat[written], 0.125)
        layers = (
            page(passed, "none", _SKIP, 0.5, 2),
            page(right[~lower], _UPPER, "none", 0.0, 3),
            page(right[lower], _LOWER, "none", 0.0, 2),
            page(notes.missing, "#fdf3e1", _MISTAKE_COLOUR["missing"], 1.2, 4),
            page(written, "none", _MISTAKE_COLOUR["wrong"], 0.9, 4),
            keys(struck, wrong_start, wrong_end, _MISTAKE_COLOUR["wrong"]),
            added(notes.extra, _MISTAKE_COLOUR["extra"]),
            added(notes.ornamental, _ORNAMENT),
        )
        joined = zip(
            wrong_start.tolist(),
            score.pitch[written].tolist(),
            performance.pitch[struck].tolist(),
            strict=True,
        )
        return cls(layers, tuple(joined))


def _keys(found: Mistake) -> str:
    """Names of the keys of a mistake."""
    note = found.note
    return (
        f"{note.played} for {note.expected}" if found.kind == "wrong" else str(note.played or note.expected)
    )


def _bpm_range(strokes: Sequence[tuple[FloatArray, FloatArray]]) -> tuple[float, float]:
    """One range for all systems; single stops and rushes of a hair's width may leave it."""
    if not strokes:
        return 0.0, 100.0
    bpm = np.concatenate([bpm for _, bpm in strokes])
    low, high = np.quantile(bpm, [0.01, 0.99])
    # A narrow range would make a mountain of every ripple.
    spare = max(0.5 * float(np.median(bpm)) - (high - low), 0.0) / 2 + 0.08 * (high - low)
    return max(float(low - spare), 0.0), float(high + spare)


def _bpm_ticks(low: float, high: float) -> list[float]:
    step = next(step for step in (5, 10, 20, 25, 50, 100, 200, 500, 1e9) if (high - low) / step <= 4)
    first = math.ceil((low + 0.05 * (high - low)) / step)
    ticks = [step * k for k in range(first, first + 6)]
    return [tick for tick in ticks if tick <= high - 0.05 * (high - low)]


def _drawable(text: str) -> str:
    """The text with a box for every character that the font has not (a file's name may have any)."""
    from matplotlib import font_manager

    font = font_manager.get_font(font_manager.findfont("DejaVu Sans"))
    return "".join(c if c.isprintable() and font.get_char_index(ord(c)) else "\u25a1" for c in text)

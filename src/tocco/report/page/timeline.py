"""The performance over time, in lanes that share one axis: from the sound to the attention of the network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from markupsafe import Markup

from tocco.inference.assessment import Assessment
from tocco.music.performance import PEDAL_DOWN, PedalCurve
from tocco.report.page.attention import attention_lane
from tocco.report.page.material import PEAK_SEC, Material, Notes
from tocco.report.page.roll import description, roll_lane
from tocco.report.page.svg import (
    band_path,
    element,
    joined,
    line_path,
    number,
    picture,
    rect_path,
    step_path,
)
from tocco.report.page.written import Sign
from tocco.report.strokes import curve_strokes
from tocco.report.wording import clock, first_curve, title
from tocco.units import FloatArray

MOST_PIXELS: Final = 16_000
"""Browsers draw wider pictures slowly."""

PIXELS_PER_SEC: Final = (8.0, 30.0)
"""Least and greatest scale: at the least one, semiquavers of an allegro lie a pixel apart."""

_AXIS_PX: Final = 34.0
_WAVE_PX: Final = 56.0
_CURVE_PX: Final = 120.0
_TEMPO_PX: Final = 76.0
_LEVEL_PX: Final = 76.0
_PEDAL_PX: Final = 34.0
_LABEL_PX: Final = 46.0
"""Room that the number of a bar takes."""

_BAR_STEPS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 10**6)
_LEAST_HAIRPIN_PX: Final = 12.0
_HAIRPIN_WORDS: Final = {"crescendo": "cresc.", "diminuendo": "dim."}

_LEVEL_WINDOW: Final = 9
"""Onsets of the moving median that draws the contour of loudness."""


@dataclass(frozen=True)
class Lane:
    """One row of the timeline.

    Attributes
    ----------
    name, label
    text : what it shows, in words; empty where these stand beside the lanes
    height_px
    svg
    marks : (pixels from the top, text) of its vertical axis
    """

    name: str
    label: str
    text: str
    height_px: float
    svg: Markup
    marks: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True)
class Axis:
    """Time from left to right.

    Attributes
    ----------
    duration_sec
    px_per_sec
    """

    duration_sec: float
    px_per_sec: float

    @property
    def width_px(self) -> float:
        """Of all lanes."""
        return math.ceil(self.duration_sec * self.px_per_sec)

    def x(self, sec: FloatArray | float) -> FloatArray:
        """Pixels from the left."""
        return np.asarray(sec, dtype=float) * self.px_per_sec


def time_axis(duration_sec: float) -> Axis:
    """As wide as can be read, and no wider than can be drawn quickly."""
    scale = min(max(MOST_PIXELS / max(duration_sec, 1.0), PIXELS_PER_SEC[0]), PIXELS_PER_SEC[1])
    return Axis(max(duration_sec, 1.0), scale)


def lanes(assessment: Assessment, material: Material, axis: Axis) -> list[Lane]:
    """Every lane that there is something to show in, from top to bottom."""
    found = [_axis_lane(assessment, axis)]
    if material.sound is not None:
        found.append(_wave_lane(material.sound.peak, axis))
    if any(v is not None for values in assessment.curve.value.values() for v in values):
        found.append(_curve_lane(assessment, axis))
    if material.notes is not None:
        svg, height, marks = roll_lane(assessment, material.notes, material.written, axis)
        text = description(assessment, material.notes, with_written=material.written is not None)
        found.append(Lane("roll", "Notes", text, height, svg, marks))
    if assessment.tempo:
        found.append(_tempo_lane(assessment, axis))
    if material.notes is not None:
        signs = () if material.written is None else material.written.signs
        found.append(_level_lane(material.notes, signs, axis))
        if len(material.notes.sustain):
            found.append(_pedal_lane(material.notes, axis))
    if assessment.attention is not None:
        svg, height, marks = attention_lane(assessment, assessment.attention, axis)
        found.append(Lane("attention", "Attention", "", height, svg, marks))
    return found


def waveform(peak: FloatArray, width: float, height: float, n_strokes: int) -> Markup:
    """The outline of a sound, as one path.

    Parameters
    ----------
    peak : (P,) 0..1
    width, height : pixels
    n_strokes : at most; what lies between is drawn by its largest peak
    """
    step = max(1, math.ceil(len(peak) / max(n_strokes, 1)))
    padded = np.concatenate([peak, np.zeros(-len(peak) % step)])
    shown = padded.reshape(-1, step).max(axis=1) / max(float(peak.max(initial=0.0)), 1e-9)
    x = (np.arange(len(shown)) + 0.5) * width * step / max(len(peak), 1)
    half = np.maximum(shown, 0.01) * height / 2.0
    return element("path", class_="wave", d=band_path(x, height / 2.0 + half, height / 2.0 - half))


def _axis_lane(assessment: Assessment, axis: Axis) -> Lane:
    parts = []
    bars = () if assessment.alignment is None else assessment.alignment.bars
    every = next(n for n in _BAR_STEPS if len(bars) / n * _LABEL_PX <= axis.width_px)
    for name, sec in bars[::every]:
        parts.append(element("text", name, x=float(axis.x(sec)) + 2.0, y=12.0, class_="bar"))
    step = next(s for s in (1, 2, 5, 10, 15, 30, 60, 120, 300) if s * axis.px_per_sec >= _LABEL_PX)
    for sec in np.arange(0.0, axis.duration_sec, step):
        x = float(axis.x(sec))
        parts.append(element("path", class_="tick", d=f"M{number(x)} 18v4"))
        parts.append(element("text", clock(sec), x=x + 2.0, y=31.0, class_="clock"))
    text = "Numbers of the bars, and minutes and seconds."
    svg = _svg("axis", "Bars and time", text, _AXIS_PX, axis, parts)
    return Lane("axis", "Bar, time", text, _AXIS_PX, svg)


def _wave_lane(peak: FloatArray, axis: Axis) -> Lane:
    width = float(axis.x(len(peak) * PEAK_SEC))
    path = waveform(peak, width, _WAVE_PX, round(width / 1.5))
    text = "Loudness of the recording over time, as the height of its waveform."
    return Lane("wave", "Sound", text, _WAVE_PX, _svg("wave", "Waveform", text, _WAVE_PX, axis, [path]))


def _curve_lane(assessment: Assessment, axis: Axis) -> Lane:
    """One group a dimension; the script shows the one that is chosen."""

    def y(value: FloatArray) -> FloatArray:
        return _CURVE_PX * (1.0 - np.asarray(value) / 100.0)

    parts = [
        element("path", class_="grid", d=f"M0 {number(float(y(np.array(v))))}H{axis.width_px}")
        for v in (25, 50, 75)
    ]
    chosen = first_curve(assessment)
    for name in assessment.curve.value:
        drawn = []
        for moment in assessment.moments:
            if moment.dimension == name:
                x, width = axis.x(moment.start_sec), axis.x(moment.end_sec - moment.start_sec)
                drawn.append(
                    element("path", class_=moment.kind, d=rect_path(float(x), 0.0, float(width), _CURVE_PX))
                )
        for time, value, low, high in curve_strokes(assessment.curve, name):
            if low is not None and high is not None:
                drawn.append(element("path", class_="band", d=band_path(axis.x(time), y(low), y(high))))
            drawn.append(element("path", class_="line", d=line_path(axis.x(time), y(value))))
        shown = "curve" if name == chosen else "curve off"
        parts.append(element("g", *drawn, class_=shown, data_dimension=name))
    text = (
        "The rating over time from 0 to 100, with its 90 % band. "
        "Shaded spans are weaker or stronger than the whole by more than chance."
    )
    svg = _svg("curve", "Rating over time", text, _CURVE_PX, axis, parts)
    marks = tuple((float(y(np.array(v))), f"{v}") for v in (25, 50, 75))
    return Lane("curve", "Rating", text, _CURVE_PX, svg, marks)


def _tempo_lane(assessment: Assessment, axis: Axis) -> Lane:
    sec = np.array([start for _, start, _ in assessment.tempo])
    bpm = np.array([tempo for _, _, tempo in assessment.tempo])
    low, high = _range(np.log2(bpm), least=0.5)

    def y(value: FloatArray) -> FloatArray:
        return (_TEMPO_PX - 6.0) * (high - np.log2(value)) / (high - low) + 3.0

    middle = float(np.median(bpm))
    parts = [element("path", class_="grid", d=f"M0 {number(float(y(np.array(middle))))}H{axis.width_px}")]
    length = np.diff(
        sec, append=sec[-1] + float(np.median(np.diff(sec))) if len(sec) > 1 else axis.duration_sec
    )
    broken = np.flatnonzero(length[:-1] > 3.0 * np.median(length)) + 1 if len(sec) > 1 else []
    for run in np.split(np.arange(len(sec)), broken):
        end = float(axis.x(sec[run[-1]] + min(length[run[-1]], np.median(length))))
        parts.append(element("path", class_="line", d=step_path(axis.x(sec[run]), y(bpm[run]), end)))
    text = (
        f"Quarter notes a minute in every bar that was played through, from {bpm.min():.0f} to "
        f"{bpm.max():.0f}, median {middle:.0f}. The height is logarithmic."
    )
    svg = _svg("tempo", "Tempo by bar", text, _TEMPO_PX, axis, parts)
    marks = ((float(y(np.array(middle))), f"♩ = {middle:.0f}"),)
    return Lane("tempo", "Tempo", text, _TEMPO_PX, svg, marks)


def _level_lane(notes: Notes, signs: Sequence[Sign], axis: Axis) -> Lane:
    def y(velocity: FloatArray) -> FloatArray:
        return _LEVEL_PX * (1.0 - np.asarray(velocity, dtype=float) / 128.0)

    order = np.argsort(notes.onset_sec, kind="stable")
    onset, velocity = notes.onset_sec[order], notes.velocity[order].astype(float)
    first = np.flatnonzero(np.diff(onset, prepend=-1.0) > 0.03)
    loudest = np.maximum.reduceat(velocity, first) if len(first) else velocity
    dots = "".join(f"M{number(a)} {number(b)}h0" for a, b in zip(axis.x(onset), y(velocity), strict=True))
    parts = [
        element("path", class_="grid", d=f"M0 {number(float(y(np.array(v))))}H{axis.width_px}")
        for v in (32, 64, 96)
    ]
    parts.append(element("path", class_="dots", d=dots))
    if len(first):
        parts.append(element("path", class_="line", d=line_path(axis.x(onset[first]), y(_median(loudest)))))
    parts += [_sign(sign, axis) for sign in signs]
    text = (
        "How fast each key was struck, and so how loud: MIDI velocity from 1 to 127, a dot for each note, "
        "and the median of nine successive onsets as a line."
    )
    if signs:
        text += f" Above it the {len(signs)} dynamic signs of the score."
    svg = _svg("level", "Dynamics", text, _LEVEL_PX, axis, parts)
    return Lane(
        "level",
        "Dynamics",
        text,
        _LEVEL_PX,
        svg,
        tuple((float(y(np.array(v))), f"{v}") for v in (32, 64, 96)),
    )


def _sign(sign: Sign, axis: Axis) -> Markup:
    """A dynamic sign as it is printed: letters, or a hairpin."""
    start, end = float(axis.x(sign.start_sec)), float(axis.x(sign.end_sec))
    if sign.kind == "dynamics" or end - start < _LEAST_HAIRPIN_PX:
        return element("text", sign.text or _HAIRPIN_WORDS.get(sign.kind, ""), x=start, y=11.0, class_="sign")
    wide, narrow = (end, start) if sign.kind == "crescendo" else (start, end)
    d = f"M{number(wide)} 3L{number(narrow)} 7.5L{number(wide)} 12"
    return element("path", element("title", sign.kind), class_="hairpin", d=d)


def _median(values: FloatArray) -> FloatArray:
    """Moving median over `_LEVEL_WINDOW` values, the ends held."""
    half = _LEVEL_WINDOW // 2
    padded = np.pad(values, half, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, _LEVEL_WINDOW), axis=1)


def _pedal_lane(notes: Notes, axis: Axis) -> Lane:
    height = _PEDAL_PX - 4.0
    pedal = notes.sustain
    parts = [element("path", class_="pedal", d=pedal_outline(pedal, axis, height))]
    seconds = np.diff(np.append(pedal.time_sec, axis.duration_sec))
    down = float(seconds[pedal.value >= PEDAL_DOWN].sum()) / axis.duration_sec
    text = f"How far the sustain pedal is down; it is down for {100.0 * down:.0f} % of the time."
    return Lane(
        "pedal", "Pedal", text, _PEDAL_PX, _svg("pedal", "Sustain pedal", text, _PEDAL_PX, axis, parts)
    )


def pedal_outline(pedal: PedalCurve, axis: Axis, height: float) -> str:
    """The `d` of the area under the position of a pedal that moves, at most one step a pixel."""
    column = np.round(axis.x(pedal.time_sec)).astype(int)
    last = np.flatnonzero(np.diff(column, append=column[-1] + 1) > 0)
    x, value = axis.x(pedal.time_sec[last]), pedal.value[last]
    changed = np.flatnonzero(np.diff(value, prepend=-1.0) != 0)
    x, value = x[changed], value[changed]
    outline = step_path(np.append(0.0, x), np.append(height, height * (1.0 - value / 127.0)), axis.width_px)
    return f"{outline}V{number(height)}H0z"


def _range(values: FloatArray, least: float) -> tuple[float, float]:
    """Ends of an axis around values, `least` wide or more."""
    low, high = float(values.min()), float(values.max())
    spare = max(least - (high - low), 0.1 * (high - low)) / 2.0
    return low - spare, high + spare


def _svg(name: str, heading: str, text: str, height: float, axis: Axis, parts: list[Markup]) -> Markup:
    return picture(
        name,
        heading,
        text,
        joined(parts),
        width=axis.width_px,
        height=height,
        viewBox=f"0 0 {axis.width_px} {number(height)}",
        class_=f"lane {name}",
    )


def dimension_choices(assessment: Assessment) -> list[tuple[str, str]]:
    """Name and title of every dimension that has a curve."""
    return [(name, title(name)) for name in assessment.curve.value]

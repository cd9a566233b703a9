"""The piano roll: notes on the grid of the bars, and what is not as written by colour and by shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from markupsafe import Markup

from tocco.inference.assessment import Assessment
from tocco.inference.evidence import NoteOutcome
from tocco.music.names import key_name
from tocco.report.page.material import STATUSES, Notes
from tocco.report.page.svg import element, joined, number, picture, rect_path
from tocco.report.page.written import Written
from tocco.report.wording import mistake

if TYPE_CHECKING:
    from tocco.report.page.timeline import Axis

KEY_PX: Final = 5.0
_LEAST_KEYS: Final = 30
_AIR_KEYS: Final = 3
_MARK_PX: Final = 5.5
_LEAST_NOTE_PX: Final = 1.5

Height = Callable[[float], float]
"""Key -> pixels from the top."""

_LOUDNESS: Final = (43, 86)
"""Velocities between which a note counts as neither soft nor loud: three shades."""

MISTAKES: Final = (("wrong", "substitution"), ("missing", "deletion"), ("extra", "insertion"))


def roll_lane(
    assessment: Assessment, notes: Notes, written: Written | None, axis: Axis
) -> tuple[Markup, float, tuple[tuple[float, str], ...]]:
    """The roll, its height in pixels, and the marks of its vertical axis (the Cs)."""
    low, high = key_range(assessment, notes, written)
    height = KEY_PX * (high - low + 1)

    def y(pitch: float) -> float:
        return KEY_PX * (high - pitch)

    octaves = [pitch for pitch in range(low, high + 1) if pitch % 12 == 0]
    parts = [
        element("path", class_="grid", d=f"M0 {number(y(pitch) + KEY_PX)}H{axis.width_px}")
        for pitch in octaves
    ]
    report = assessment.alignment
    if report is not None:
        bars = "".join(f"M{number(float(axis.x(sec)))} 0V{number(height)}" for _, sec in report.bars)
        parts.append(element("path", class_="barline", d=bars))
    if written is not None:
        parts.append(_written_path(written, axis, y))
    parts += note_paths(notes, axis, y)
    if report is not None:
        for kind, field in MISTAKES:
            parts += [_mark(kind, note, axis, y) for note in getattr(report, field)]
    svg = picture(
        "roll",
        "Piano roll",
        description(assessment, notes, with_written=written is not None),
        joined(parts),
        width=axis.width_px,
        height=height,
        viewBox=f"0 0 {axis.width_px} {number(height)}",
        class_="lane roll",
        data_low=low,
        data_high=high,
    )
    return svg, height, tuple((y(pitch) + KEY_PX / 2, key_name(pitch)) for pitch in octaves)


def description(assessment: Assessment, notes: Notes, *, with_written: bool = False) -> str:
    """What the roll shows, in words."""
    text = f"{len(notes.pitch)} played notes, darker where they are louder."
    if with_written:
        text += " Outlines are the written notes at the tempo of their bar."
    if assessment.alignment is None:
        return text
    counts = assessment.alignment.counts
    return (
        f"{text} {counts['substitution']} wrong notes have a cross, and a ring where the written note is; "
        f"{counts['deletion']} missing notes are rings; {counts['insertion']} added notes, ornaments among "
        "them, have a plus."
    )


def key_range(assessment: Assessment, notes: Notes, written: Written | None) -> tuple[int, int]:
    """Lowest and highest key that is played, written or missing, with air around."""
    pitches = [int(pitch) for pitch in notes.pitch]
    if written is not None:
        pitches += [int(pitch) for pitch in written.pitch]
    if assessment.alignment is not None:
        pitches += [
            note.expected_pitch for note in assessment.alignment.deletion if note.expected_pitch is not None
        ]
    return keys_around(pitches)


def keys_around(pitches: Sequence[int]) -> tuple[int, int]:
    """Lowest and highest key of a roll that has these notes: with air around, and never very few keys.

    >>> keys_around([60, 64])
    (47, 77)
    """
    low, high = min(pitches, default=60) - _AIR_KEYS, max(pitches, default=72) + _AIR_KEYS
    spare = max(_LEAST_KEYS - (high - low), 0)
    return max(low - spare // 2, 0), min(high + (spare + 1) // 2, 127)


def _written_path(written: Written, axis: Axis, y: Height) -> Markup:
    """Outlines of the written notes, evenly within each bar."""
    x, end = axis.x(written.start_sec), axis.x(written.end_sec)
    outline = "".join(
        rect_path(float(a), y(float(pitch)) - 0.5, max(float(b - a) - 0.5, _LEAST_NOTE_PX), KEY_PX)
        for a, b, pitch in zip(x, end, written.pitch, strict=True)
    )
    return element("path", class_="written", d=outline)


def note_paths(notes: Notes, axis: Axis, y: Height) -> list[Markup]:
    """One path for each status and shade."""
    shade = np.digitize(notes.velocity, _LOUDNESS)
    x, end = axis.x(notes.onset_sec), axis.x(notes.offset_sec)
    paths = []
    for k, status in enumerate(STATUSES):
        for loudness in range(len(_LOUDNESS) + 1):
            of = np.flatnonzero((notes.status == k) & (shade == loudness))
            if len(of):
                outline = "".join(
                    rect_path(
                        float(x[n]),
                        y(float(notes.pitch[n])),
                        max(float(end[n] - x[n]) - 0.5, _LEAST_NOTE_PX),
                        KEY_PX - 0.8,
                    )
                    for n in of
                )
                paths.append(element("path", class_=f"note {status} shade{loudness}", d=outline))
    return paths


def _mark(kind: str, note: NoteOutcome, axis: Axis, y: Height) -> Markup:
    """The sign of one note that is not as written; its title says which."""
    x, shapes = float(axis.x(note.time_sec)), []
    if note.expected_pitch is not None:
        shapes.append(
            element("circle", cx=x + _MARK_PX, cy=y(note.expected_pitch) + KEY_PX / 2, r=_MARK_PX - 1.0)
        )
    if note.played_pitch is not None:
        cx, cy, r = x + 1.0, y(note.played_pitch) + KEY_PX / 2, _MARK_PX
        cross = f"M{number(cx - r)} {number(cy - r)}l{2 * r:g} {2 * r:g}m0 {-2 * r:g}l{-2 * r:g} {2 * r:g}"
        plus = f"M{number(cx - r)} {number(cy)}h{2 * r:g}M{number(cx)} {number(cy - r)}v{2 * r:g}"
        shapes.append(element("path", d=cross if kind == "wrong" else plus))
    return element("g", element("title", f"{kind}, {mistake(note)}"), *shapes, class_=f"mark {kind}")

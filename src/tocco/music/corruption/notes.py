"""Wrong, missing, extra and doubled notes.

Each kind ranks all notes at random and takes the first so many; a note is accepted or passed over on
the strength of the clean performance and of higher-ranked edits alone. With one generator state, the
edits of a lower severity are therefore among those of a higher one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from tocco.errors import InputError
from tocco.music.corruption.context import Context, planned_count
from tocco.music.corruption.draft import Draft, RowEdit
from tocco.music.statistics.tonality import (
    MAJOR_PROFILE,
    MAJOR_SCALE,
    MINOR_PROFILE,
    MINOR_SCALE,
    key_fit,
)
from tocco.units import HIGHEST_PIANO_KEY, LOWEST_PIANO_KEY, BoolArray, FloatArray, IntArray

KEY_WINDOW_SEC: Final = 8.0
"""The local key is that of the notes within four seconds on either side."""
DIATONIC_WEIGHT: Final = 4.0
"""A slip to a key of the scale is four times as likely as one to a key outside: hands know the key."""
FREE_SEC: Final = 0.06
"""A key is free for a slip if nobody holds it from 60 ms before to 60 ms after; an action needs as long."""

_STEPS: Final = np.array([-2, -1, 1, 2])
_BRUSH_LENGTH_SEC: Final = (0.05, 0.15)
_BRUSH_LATE_SEC: Final = (-0.010, 0.030)
_BRUSH_LEVEL: Final = (0.35, 0.65)
_RESTRIKE_SEC: Final = (0.07, 0.16)
_RESTRIKE_LEVEL: Final = (0.6, 0.9)
_KEY_UP_SEC: Final = 0.02
_MIN_DOUBLED_SEC: Final = 0.16
"""Shorter notes have no time for a second strike: 70 ms to it, and 60 ms held."""


class _Keyboard:
    """Which keys are down when: the clean performance and what was added to it."""

    def __init__(self, onset_sec: FloatArray, offset_sec: FloatArray, pitch: IntArray) -> None:
        self._onset: dict[int, FloatArray] = {}
        self._offset: dict[int, FloatArray] = {}
        for key in np.unique(pitch).tolist():
            self._onset[key] = onset_sec[pitch == key]
            self._offset[key] = offset_sec[pitch == key]

    def is_free(self, pitch: int, start_sec: float, end_sec: float) -> bool:
        if pitch not in self._onset:
            return True
        meets = (self._onset[pitch] < end_sec + FREE_SEC) & (self._offset[pitch] > start_sec - FREE_SEC)
        return not meets.any()

    def press(self, pitch: int, start_sec: float, end_sec: float) -> None:
        none = np.zeros(0)
        self._onset[pitch] = np.append(self._onset.get(pitch, none), start_sec)
        self._offset[pitch] = np.append(self._offset.get(pitch, none), end_sec)


def wrong_notes(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Keys missed by one or two semitones, mostly within the local key; a share of all notes."""
    played = context.performance
    rank = rng.permutation(len(played))
    choice = _ranked_steps(context, rng)
    keyboard = _Keyboard(played.onset_sec, played.offset_sec, played.pitch)
    count = planned_count(severity, len(played))
    pitch, edits = played.pitch.copy(), []
    for note in rank.tolist():
        if len(edits) == count:
            break
        start, end = float(played.onset_sec[note]), float(played.offset_sec[note])
        slip = _first_free(keyboard, int(played.pitch[note]), choice[note], start, end)
        if slip is not None:
            keyboard.press(slip, start, end)
            pitch[note] = slip
            edits.append(RowEdit("wrong", note, note))
    _check_enough(context, edits, count, "have a free neighbour key")
    return replace(Draft.of(played), pitch=pitch, edits=tuple(edits))


def missing_notes(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Notes that did not speak; a share of all notes."""
    played = context.performance
    rank = rng.permutation(len(played))
    gone = rank[: planned_count(severity, len(played))]
    if len(gone) == len(played):
        raise InputError(played.source or "performance", f"has {len(played)} notes, and all would be missing")
    edits = tuple(RowEdit("missing", int(note), -1) for note in gone)
    return replace(Draft.of(played).without(gone), edits=edits)


def extra_notes(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Neighbour keys brushed along with a note: short, soft, within 30 ms; a share of all notes."""
    played, n = context.performance, len(context.performance)
    rank = rng.permutation(n)
    choice = _ranked_steps(context, rng)
    late = rng.uniform(*_BRUSH_LATE_SEC, n)
    length = rng.uniform(*_BRUSH_LENGTH_SEC, n)
    level = rng.uniform(*_BRUSH_LEVEL, n)
    keyboard = _Keyboard(played.onset_sec, played.offset_sec, played.pitch)
    count = planned_count(severity, n)
    added, edits = [], []
    for note in rank.tolist():
        if len(edits) == count:
            break
        onset = float(played.onset_sec[note])
        start = max(onset + float(late[note]), min(onset, 0.0))
        end = start + float(length[note])
        slip = _first_free(keyboard, int(played.pitch[note]), choice[note], start, end)
        if slip is not None:
            keyboard.press(slip, start, end)
            edits.append(RowEdit("extra", note, n + len(edits)))
            added.append((start, end, slip, max(1, round(float(level[note] * played.velocity[note])))))
    _check_enough(context, edits, count, "have a free neighbour key")
    return replace(Draft.of(played).with_notes(*_columns(added)), edits=tuple(edits))


def doubled_notes(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Keys struck a second time by mistake, 70 to 160 ms after the first; a share of all notes."""
    played, n = context.performance, len(context.performance)
    rank = rng.permutation(n)
    within, level = rng.uniform(0.0, 1.0, n), rng.uniform(*_RESTRIKE_LEVEL, n)
    count = planned_count(severity, n)
    held_sec = played.offset_sec - played.onset_sec
    hosts = [note for note in rank.tolist() if held_sec[note] >= _MIN_DOUBLED_SEC][:count]
    _check_enough(context, hosts, count, f"are held for {_MIN_DOUBLED_SEC * 1000:.0f} ms")
    offset, added = played.offset_sec.copy(), []
    for note in hosts:
        first, last = _RESTRIKE_SEC[0], min(_RESTRIKE_SEC[1], float(held_sec[note]) - FREE_SEC)
        again = float(played.onset_sec[note]) + first + float(within[note]) * (last - first)
        offset[note] = again - _KEY_UP_SEC
        velocity = max(1, round(float(level[note] * played.velocity[note])))
        added.append((again, float(played.offset_sec[note]), int(played.pitch[note]), velocity))
    edits = tuple(RowEdit("doubled", note, n + k) for k, note in enumerate(hosts))
    return replace(replace(Draft.of(played), offset_sec=offset).with_notes(*_columns(added)), edits=edits)


def local_scale(context: Context) -> BoolArray:
    """(N, 12) which pitch classes belong to the key that is heard around each note.

    The key is that of the best Krumhansl and Kessler (1982) profile; where pitch classes are equally
    weighted there is no key, and all belong.
    """
    played = context.performance
    held = played.offset_sec - played.onset_sec
    weight = np.zeros((len(played) + 1, 12))
    weight[np.arange(1, len(played) + 1), played.pitch % 12] = held
    total = np.cumsum(weight, axis=0)
    first = np.searchsorted(played.onset_sec, played.onset_sec - KEY_WINDOW_SEC / 2, side="left")
    last = np.searchsorted(played.onset_sec, played.onset_sec + KEY_WINDOW_SEC / 2, side="right")
    heard = total[last] - total[first]
    major, minor = key_fit(heard, MAJOR_PROFILE), key_fit(heard, MINOR_PROFILE)
    keyless = np.isnan(major).any(axis=1, keepdims=True)
    major, minor = np.nan_to_num(major), np.nan_to_num(minor)
    is_major = major.max(axis=1) >= minor.max(axis=1)
    tonic = np.where(is_major, major.argmax(axis=1), minor.argmax(axis=1))
    degrees = np.where(is_major.reshape(-1, 1), MAJOR_SCALE, MINOR_SCALE)
    belongs = np.zeros((len(played), 12), dtype=bool)
    np.put_along_axis(belongs, (tonic[:, None] + degrees) % 12, True, axis=1)
    return belongs | keyless


def _ranked_steps(context: Context, rng: np.random.Generator) -> IntArray:
    """(N, 4) steps to neighbour keys, the likeliest first: a weighted order without replacement.

    Exponential variates over weights, sorted, draw in proportion to the weights (Efraimidis and
    Spirakis 2006).
    """
    pitch_class = (context.performance.pitch[:, None] + _STEPS) % 12
    diatonic = np.take_along_axis(local_scale(context), pitch_class, axis=1)
    waits = rng.exponential(1.0, pitch_class.shape) / np.where(diatonic, DIATONIC_WEIGHT, 1.0)
    return _STEPS[np.argsort(waits, axis=1)]


def _first_free(
    keyboard: _Keyboard, pitch: int, steps: IntArray, start_sec: float, end_sec: float
) -> int | None:
    """The first neighbour on the piano that nobody holds meanwhile."""
    for step in steps.tolist():
        slip = pitch + step
        on_piano = LOWEST_PIANO_KEY <= slip <= HIGHEST_PIANO_KEY
        if on_piano and keyboard.is_free(slip, start_sec, end_sec):
            return slip
    return None


def _columns(rows: list[tuple[float, float, int, int]]) -> tuple[FloatArray, FloatArray, IntArray, IntArray]:
    onset, offset, pitch, velocity = zip(*rows, strict=True)
    return np.array(onset), np.array(offset), np.array(pitch), np.array(velocity)


def _check_enough(context: Context, found: list, count: int, property_: str) -> None:
    if len(found) < count:
        raise InputError(
            context.performance.source or "performance",
            f"has only {len(found)} notes that {property_}; {count} are asked for",
            next_step="choose a lower severity",
        )

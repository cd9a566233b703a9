"""Late, early, missing and drowned pedal: the sustaining pedal alone. Notes and the other pedals stay."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from tocco.errors import InputError
from tocco.music.corruption.context import Context, planned_count
from tocco.music.corruption.draft import Draft, pedal_of_steps
from tocco.music.corruption.pedal_lag import USUAL_LAG_SEC, measure_pedal_lag
from tocco.music.corruption.record import SpanEdit, SpanEditKind
from tocco.music.performance import PEDAL_DOWN
from tocco.music.statistics.playing import pedal_crossings
from tocco.units import FloatArray, IntArray

LONGEST_SPACING_SEC: Final = 1.2
"""Half a second late is late however slow the changes are."""

LEAST_DOWN_SHARE: Final = 0.5
"""A change can be late or early where the pedal joins one harmony to the next. A pedal that is up for most
of the time colours single notes and chords: nothing rings across its lifts that could run into the next
harmony or be cut off from it, and a touch that comes too late to catch its notes is a missing one."""

LEAST_MISSED_SHARE: Final = 0.2
"""A pedal that is down for less of the time is touched here and there, for single notes: whether one such
touch is there is the player's choice, and none is missed."""

FEWEST_PRESSES: Final = 8
"""With fewer, neighbouring severities leave out the same presses or lifts."""


def late_pedal(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Every change of the pedal too late, by a share of the way to the next change."""
    del rng  # every corruption has one signature, and this one leaves nothing to chance
    return _shifted(context, severity)


def early_pedal(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Every change of the pedal too early, by a share of the way back to the last change."""
    del rng  # as above
    return _shifted(context, -severity)


def missing_pedal(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Presses left out: a share of them, but one.

    Without any pedal nobody could distinguish an unused pedal from a file without pedal data.
    """
    pressed, released = _presses(context)
    _refuse_few(context, len(pressed))
    _refuse_rare(context, pressed, released, LEAST_MISSED_SHARE)
    chosen = _chosen(rng, len(pressed), severity, most=len(pressed) - 1)
    time, value = context.performance.sustain.time_sec, context.performance.sustain.value.copy()
    for press in chosen:
        value[
            _gesture(time, context.performance.sustain.value, float(pressed[press]), float(released[press]))
        ] = 0.0
    spans = _spans(context, "pedal_missing", pressed[chosen], released[chosen])
    return replace(Draft.of(context.performance), sustain=pedal_of_steps(time, value), spans=tuple(spans))


def drowned_pedal(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Lifts left out, so that the pedal stays down from one press into the next: a share of the lifts."""
    pressed, released = _presses(context)
    lifted, taken = released[:-1], pressed[1:]
    _refuse_few(context, len(pressed))
    chosen = _chosen(rng, len(lifted), severity)
    time, value = context.performance.sustain.time_sec, context.performance.sustain.value.copy()
    for lift in chosen:
        depth = value[(time >= pressed[lift]) & (time < lifted[lift])].max()
        value[(time >= lifted[lift]) & (time < taken[lift])] = depth
    spans = _spans(context, "pedal_held", lifted[chosen], taken[chosen])
    return replace(Draft.of(context.performance), sustain=pedal_of_steps(time, value), spans=tuple(spans))


def _presses(context: Context) -> tuple[FloatArray, FloatArray]:
    """When the pedal goes down through the middle, and when up; a last press lasts to the end."""
    played = context.performance
    if not np.any(played.sustain.value >= PEDAL_DOWN):
        raise InputError(
            played.source or "performance",
            "has no sustaining pedal",
            next_step="choose another corruption for this piece",
        )
    pressed, released = pedal_crossings(played.sustain)
    if len(released) < len(pressed):
        released = np.append(released, np.inf)
    return pressed, released


def _gesture(time_sec: FloatArray, value: FloatArray, pressed_sec: float, released_sec: float) -> slice:
    """The steps of one press, with the way down to it and the way up from it through half pedal."""
    first = int(np.searchsorted(time_sec, pressed_sec))
    last = min(int(np.searchsorted(time_sec, released_sec)), len(time_sec) - 1)
    while first > 0 and value[first - 1] < value[first]:
        first -= 1
    while last + 1 < len(time_sec) and value[last + 1] < value[last]:
        last += 1
    return slice(first, last + 1)


def _chosen(rng: np.random.Generator, total: int, share: float, most: int | None = None) -> IntArray:
    """The first so many of a random ranking, in order of time."""
    count = planned_count(share, total)
    return np.sort(rng.permutation(total)[: count if most is None else min(count, most)])


def _shifted(context: Context, by_share: float) -> Draft:
    """Move every press and lift by a share of the way to the next one of its kind, at most 1.2 s.

    What is late depends on how fast the pedal is changed: a tenth of a second is a quarter of a harmony
    that lasts for a quaver, and hardly heard in a slow movement, and pianists themselves place the pedal
    with the tempo (Repp 1996, "Pedal timing and tempo in expressive piano performance"). Half way is as
    late as a change can be: later, it would be early for the next harmony.

    A pedal that is usually late would only come nearer to the music if it were moved ahead by a little.
    So the way is counted from where the pedal is as far from the usual lag as this player's, on the
    side to which it is moved: a share of 0 would mirror the lag, or keep it, and one of a half leads
    half way to the next change. What is moved is the whole gesture, so that the pedal is up about as long
    as before.
    """
    pressed, released = _presses(context)
    played = context.performance
    _refuse_rare(context, pressed, released, LEAST_DOWN_SHARE)
    late_sec = measure_pedal_lag(context, released).lag_sec - USUAL_LAG_SEC
    crossing = np.sort(np.concatenate((pressed, released[np.isfinite(released)])))
    spacing = np.minimum(crossing[2:] - crossing[:-2], LONGEST_SPACING_SEC)
    free = np.full(min(2, len(crossing)), LONGEST_SPACING_SEC)
    way = np.concatenate((spacing, free) if by_share > 0 else (free, spacing))
    own_sec = abs(late_sec)
    if 2.0 * own_sec >= np.median(way):
        raise InputError(
            played.source or "performance",
            f"pedals {own_sec:.2f} s off by habit, half way from change to change",
            allowed="nearer to its own change than to the next",
            next_step="choose another corruption for this piece",
        )
    beyond_sec = own_sec + abs(by_share) * np.maximum(way - 2.0 * own_sec, 0.0)
    moved = crossing - late_sec + np.sign(by_share) * beyond_sec

    def clock(sec: FloatArray) -> FloatArray:
        """Between two crossings the movement runs straight from one to the other."""
        change = np.interp(sec, crossing, moved - crossing)
        return np.maximum(sec + change, np.minimum(sec, 0.0))

    spans = []
    for span in _spans(context, "pedal_moved", pressed, released):
        start, end = clock(np.array([span.start_sec, span.end_sec])).tolist()
        spans.append(replace(span, start_sec=start, end_sec=end))
    sustain = pedal_of_steps(clock(played.sustain.time_sec), played.sustain.value)
    return replace(Draft.of(played), sustain=sustain, spans=tuple(spans))


def _refuse_rare(context: Context, pressed: FloatArray, released: FloatArray, share: float) -> None:
    """Refuse a pedal that is down for less than a share of the time from the first onset to the last."""
    played = context.performance
    first_sec, last_sec = float(context.group_sec[0]), float(context.group_sec[-1])
    down_sec = float((released.clip(first_sec, last_sec) - pressed.clip(first_sec, last_sec)).sum())
    whole_sec = last_sec - first_sec
    if down_sec <= share * whole_sec:
        raise InputError(
            played.source or "performance",
            f"holds the sustaining pedal for {down_sec:.0f} of {whole_sec:.0f} s",
            allowed=f"down for more than {100 * share:.0f} % of the time",
            next_step="choose another corruption for this piece",
        )


def _refuse_few(context: Context, n_presses: int) -> None:
    """Refuse a pedal of which no share can be left out."""
    if n_presses < FEWEST_PRESSES:
        raise InputError(
            context.performance.source or "performance",
            f"presses the sustaining pedal {n_presses} times",
            allowed=f"at least {FEWEST_PRESSES} times",
            next_step="choose another corruption for this piece",
        )


def _spans(
    context: Context, kind: SpanEditKind, start_sec: FloatArray, end_sec: FloatArray
) -> list[SpanEdit]:
    ends = np.minimum(end_sec, context.performance.duration_sec)
    return [
        SpanEdit(kind, start, end, start, end, context.bar_name(start), context.bar_name(end))
        for start, end in zip(start_sec.tolist(), ends.tolist(), strict=True)
    ]

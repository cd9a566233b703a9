"""Jitter, drag and uneven runs: right notes, wrong moments.

Keys keep their lengths and velocities, and the pedal goes with the chord that it belongs to. With one
generator state the displacements of two severities are proportional.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np

from tocco.errors import InputError
from tocco.music.corruption.context import Context
from tocco.music.corruption.draft import Draft, RowEdit, strikes_apart
from tocco.music.corruption.record import SpanEdit
from tocco.music.time_map import TimeMap
from tocco.units import FloatArray, IntArray

CHORD_SHARE: Final = 0.8
"""Of the variance of jitter, what a whole chord shares; the rest is between its fingers."""
JITTER_LIMIT: Final = 2.5
"""Largest displacement in standard deviations: beyond, it would be heard as a mistake of another kind."""
PHRASE_SEC: Final = 5.0
"""Drag and rush come in stretches of about five seconds: 2, 4, 8, 16 ... beats where there is a score."""
FEWEST_TO_LEAN: Final = 4
"""Onsets that a phrase needs to tell whether it drags or rushes."""
RUN_MAX_IOI_SEC: Final = 0.35
RUN_MIN_NOTES: Final = 6
RUN_MAX_RATIO: Final = 1.4
"""Neighbouring notes of a run are this evenly spaced at least, in the clean performance."""

_CURVE_POINTS: Final = 16
_UNEVEN_LIMIT: Final = 1.5


def timing_jitter(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Onsets scattered at random; ms, standard deviation."""
    by_group = _limited_normal(rng, context.n_groups)
    by_note = _limited_normal(rng, len(context.performance))
    sd_sec = severity / 1000.0
    group_shift = sd_sec * np.sqrt(CHORD_SHARE) * by_group
    note_shift = sd_sec * np.sqrt(1.0 - CHORD_SHARE) * by_note
    return _displaced(context, group_shift, note_shift)


def uneven_runs(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Runs of fast even notes made to limp; standard deviation as a share of their spacing.

    Weak fingers come late again and again, so that every other note leans the same way. A run that
    limps a little limps more, on the same notes: the other way it would be evened out.
    """
    scatter = np.clip(rng.normal(0.0, 1.0, context.n_groups), -_UNEVEN_LIMIT, _UNEVEN_LIMIT)
    every_other = np.where(np.arange(context.n_groups) % 2 == 0, 1.0, -1.0)
    runs = find_runs(context.group_sec)
    if not runs:
        raise InputError(
            context.performance.source or "performance",
            f"has no run of {RUN_MIN_NOTES} even notes closer than {RUN_MAX_IOI_SEC * 1000:.0f} ms",
            next_step="choose another corruption for this piece",
        )
    shift = np.zeros(context.n_groups)
    ioi = np.diff(context.group_sec)
    spans = []
    for first, last in runs:
        inner = slice(first + 1, last)
        # Twice the distance of each note from the middle between its neighbours.
        own = ioi[first : last - 1] - ioi[first + 1 : last]
        side = 1.0 if float(own @ every_other[inner]) >= 0.0 else -1.0
        weight = 0.6 * scatter[inner] + 0.8 * side * every_other[inner]
        shift[inner] = severity * weight * ioi[first : last - 1]
        start, end = float(context.group_sec[first]), float(context.group_sec[last])
        names = context.bar_name(start), context.bar_name(end)
        spans.append(SpanEdit("uneven_run", start, end, start, end, *names))
    # Neighbours may lean towards each other; at least a quarter of the spacing stays between them.
    moved = context.group_sec + shift
    for group in np.flatnonzero(shift).tolist():
        floor = moved[group - 1] + ioi[group - 1] / 4
        ceiling = context.group_sec[group + 1] - ioi[group] / 4 if shift[group + 1] == 0 else np.inf
        moved[group] = min(max(moved[group], floor), ceiling)
    draft = _displaced(context, moved - context.group_sec, np.zeros(len(context.performance)))
    return replace(draft, spans=tuple(spans))


def drag(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Phrases that sag or run away and then snap back; change of the beat's length at their end, a share.

    Within a phrase of length L the displacement after x seconds is s x^2 / 2L, so that the beat grows
    (or shrinks) evenly by the share s up to the end; the next phrase begins in the old tempo. A phrase
    that drags a little drags more, and one that runs runs away: the other way it would be steadied.
    Phrases are about five seconds long in any tempo, 2, 4, 8, 16 ... beats where there is a score. Without
    one each goes its way at random.
    """
    bounds = _phrases(context)
    drawn = np.where(rng.uniform(size=len(bounds) - 1) < 0.6, 1.0, -1.0)
    leaning = _leaning(context, bounds)
    direction = np.where(leaning != 0.0, leaning, drawn)
    old, new, at_sec = [bounds[:1]], [bounds[:1]], float(bounds[0])
    for start, end, sign in zip(bounds[:-1], bounds[1:], direction, strict=True):
        x = np.linspace(0.0, end - start, _CURVE_POINTS + 1)[1:]
        moved = at_sec + x + sign * severity * x**2 / (2 * (end - start))
        old.append(start + x)
        new.append(moved)
        at_sec = float(moved[-1])
    clock = TimeMap(np.concatenate(old), np.concatenate(new))
    played = context.performance
    spans = tuple(
        SpanEdit(
            "dragged" if sign > 0 else "rushed",
            float(clock(start)),
            float(clock(end)),
            float(start),
            float(end),
            context.bar_name(start),
            context.bar_name(end),
        )
        for start, end, sign in zip(bounds[:-1], bounds[1:], direction, strict=True)
    )
    return replace(
        Draft.of(played).on_clock(clock),
        onset_sec=clock(played.onset_sec),
        offset_sec=clock(played.offset_sec),
        spans=spans,
        time_map=clock,
    )


def find_runs(group_sec: FloatArray) -> list[tuple[int, int]]:
    """Stretches of fast, evenly spaced chords or notes.

    Parameters
    ----------
    group_sec : (G,) seconds, ascending

    Returns
    -------
    First and last group of each, both inclusive; at least six groups.
    """
    ioi = np.diff(group_sec)
    if len(ioi) < 2:
        return []
    ratio = ioi[1:] / ioi[:-1]
    fast = ioi <= RUN_MAX_IOI_SEC
    joined = fast[1:] & fast[:-1] & (ratio <= RUN_MAX_RATIO) & (ratio >= 1 / RUN_MAX_RATIO)
    edge = np.diff(np.concatenate(([0], joined.astype(int), [0])))
    starts, ends = np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)
    # A stretch of k joined pairs of intervals has k + 1 intervals and k + 2 groups.
    return [(int(a), int(b) + 1) for a, b in zip(starts, ends, strict=True) if b - a + 2 >= RUN_MIN_NOTES]


def _limited_normal(rng: np.random.Generator, n: int) -> FloatArray:
    return np.clip(rng.normal(0.0, 1.0, n), -JITTER_LIMIT, JITTER_LIMIT)


def _displaced(context: Context, group_shift: FloatArray, note_shift: FloatArray) -> Draft:
    """Move groups and notes, the pedal with the groups."""
    played = context.performance
    wanted = played.onset_sec + group_shift[context.group_of] + note_shift
    # Nothing begins before the recording does.
    onset = np.maximum(wanted, np.minimum(played.onset_sec, 0.0))
    onset = strikes_apart(onset, played.onset_sec, played.pitch)
    moved_group = np.maximum(context.group_sec + group_shift, np.minimum(context.group_sec, 0.0))
    warp = TimeMap(context.group_sec, np.maximum.accumulate(moved_group))
    return replace(
        Draft.of(played).on_clock(warp),
        onset_sec=onset,
        offset_sec=onset + (played.offset_sec - played.onset_sec),
        edits=_moved_edits(played.onset_sec, onset),
    )


def _moved_edits(old_sec: FloatArray, new_sec: FloatArray) -> tuple[RowEdit, ...]:
    moved: IntArray = np.flatnonzero(old_sec != new_sec)
    return tuple(RowEdit("moved", note, note) for note in moved.tolist())


def _phrases(context: Context) -> FloatArray:
    """(P + 1,) bounds of phrases: as many beats as last about five seconds, or five seconds."""
    first, last = float(context.group_sec[0]), float(context.performance.offset_sec.max())
    if context.alignment is not None and context.group_beat is not None:
        start, end = float(context.group_beat[0]), float(context.group_beat.max())
        beat_sec = float(np.ptp(context.group_sec)) / max(end - start, 1.0)
        length = 2.0 ** max(round(np.log2(PHRASE_SEC / beat_sec)), 0)
        inner = context.alignment.sec_at(np.arange(start + length, end, length))
    else:
        inner = np.arange(first + PHRASE_SEC, last, PHRASE_SEC)
    inner = inner[(inner > first + 1.0) & (inner < last - 1.0)]
    return np.concatenate(([first], inner, [last]))


def _leaning(context: Context, bounds: FloatArray) -> FloatArray:
    """(P,) 1 where the beat of a phrase grows longer on the whole, -1 shorter, 0 where no score tells.

    The sign of the square term of the parabola through the phrase's onsets, seconds against beats.
    """
    leaning = np.zeros(len(bounds) - 1)
    if context.group_beat is None:
        return leaning
    for phrase, (start, end) in enumerate(pairwise(bounds)):
        inside = (context.group_sec >= start) & (context.group_sec <= end)
        beat, sec = context.group_beat[inside], context.group_sec[inside]
        if len(np.unique(beat)) >= FEWEST_TO_LEAN:
            leaning[phrase] = np.sign(np.polyfit(beat - beat.mean(), sec - sec.mean(), 2)[0])
    return leaning

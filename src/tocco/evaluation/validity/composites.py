"""Damage of several kinds at once, or of a kind that no corruption makes: all of it is kept out of training.

A composite takes an excerpt and a dose, in the unit stated by its function, and gives the damaged excerpt
with the way of every note. From one state of the generator a smaller dose is a smaller damage of the same
sort.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np

from tocco.errors import InputError
from tocco.music.alignment import Alignment
from tocco.music.corruption import corrupt
from tocco.music.corruption.context import Context, read_context
from tocco.music.corruption.draft import MIN_STRIKE_SEC, Draft, finish, pedal_of_steps
from tocco.music.performance import PEDAL_DOWN, PedalCurve, Performance
from tocco.music.statistics.playing import pedal_crossings
from tocco.units import HIGHEST_PIANO_KEY, LOWEST_PIANO_KEY, BoolArray, FloatArray, IntArray

MESS_WRONG_SHARE: Final = 0.25
MESS_STOPS_A_MINUTE: Final = 10.0
"""What a mess has at its full dose, beside velocities that are wholly random."""
RANDOM_VELOCITY: Final = (20, 110)
STOP_SEC: Final = (1.0, 3.0)
CLUSTERS_A_SEC: Final = 8.0
CLUSTER_KEYS: Final = (4, 6)
CLUSTER_VELOCITY: Final = (70, 120)
CLUSTER_HELD_SEC: Final = (0.08, 0.2)
SPLIT_PITCH: Final = 60
"""Where nothing says which hand plays a note, the left plays what lies below middle C."""
NEEDS_PEDAL_SHARE: Final = 0.5
"""Music needs the pedal if its pianist holds it for at least so much of the time."""


@dataclass(frozen=True, eq=False)
class Damaged:
    """A damaged excerpt.

    Attributes
    ----------
    performance
    new_of_old : (N,) index into it of each undamaged note, -1 where it is gone
    """

    performance: Performance
    new_of_old: IntArray


def damaged_by(
    name: str,
    performance: Performance,
    dose: float,
    rng: np.random.Generator,
    alignment: Alignment | None = None,
) -> Damaged:
    """An excerpt damaged by one of `COMPOSITE_MAKERS`.

    Raises
    ------
    InputError
        The excerpt has nothing that could be damaged so.
    """
    return COMPOSITE_MAKERS[name](read_context(performance, alignment), dose, rng)


def mess(context: Context, dose: float, rng: np.random.Generator) -> Damaged:
    """Wrong notes (the dose is their share), random loudness and random stops in proportion."""
    weight = dose / MESS_WRONG_SHARE
    wrong = wrong_notes(context, dose, rng)
    loud = random_velocities(read_context(wrong.performance, None), weight, rng)
    stopped = stops(read_context(loud.performance, None), weight * MESS_STOPS_A_MINUTE, rng)
    place = _through(_through(wrong.new_of_old, loud.new_of_old), stopped.new_of_old)
    return Damaged(stopped.performance, place)


def sustain_held(context: Context, dose: float, rng: np.random.Generator) -> Damaged:
    """The sustaining pedal down from the beginning, for a share of the time."""
    del rng  # nothing is left to chance
    played = context.performance
    end_sec = dose * played.duration_sec
    rest = _pedal_after(played.sustain, end_sec)
    curve = pedal_of_steps(np.concatenate(([0.0], rest.time_sec)), np.concatenate(([127.0], rest.value)))
    return _finished(context, replace(Draft.of(played), sustain=curve))


def no_pedal(context: Context, dose: float, rng: np.random.Generator) -> Damaged:
    """No sustaining pedal from the beginning, for a share of the time, in music that needs it."""
    del rng  # as above
    played = context.performance
    share = _down_share(played)
    if share < NEEDS_PEDAL_SHARE:
        raise InputError(
            played.source or "performance",
            f"holds the sustaining pedal for {share:.0%} of the time",
            allowed=f"at least {NEEDS_PEDAL_SHARE:.0%}",
        )
    curve = PedalCurve() if dose >= 1.0 else _pedal_after(played.sustain, dose * played.duration_sec)
    return _finished(context, replace(Draft.of(played), sustain=curve))


def random_velocities(context: Context, dose: float, rng: np.random.Generator) -> Damaged:
    """Velocities drawn at random; the dose is their share in a mixture with the played ones."""
    played = context.performance
    drawn = rng.uniform(*RANDOM_VELOCITY, len(played))
    mixed = (1.0 - dose) * played.velocity + dose * drawn
    velocity = np.clip(np.round(mixed), 1, 127).astype(played.velocity.dtype)
    return _finished(context, replace(Draft.of(played), velocity=velocity))


def jitter(context: Context, dose: float, rng: np.random.Generator) -> Damaged:
    """Onsets scattered by a standard deviation in ms."""
    made = corrupt(context.performance, "timing_jitter", dose, rng, alignment=context.alignment)
    return Damaged(made.performance, made.new_of_old)


def stops(context: Context, dose: float, rng: np.random.Generator) -> Damaged:
    """Stops of one to three seconds before a chord, keys released; so many a minute, at least one."""
    played = context.performance
    rank = 1 + rng.permutation(max(context.n_groups - 1, 0))
    pause_sec = rng.uniform(*STOP_SEC, len(rank))
    n = min(len(rank), max(1, round(dose * context.minutes)))
    order = np.argsort(rank[:n])
    at_sec, put_in = context.group_sec[rank[:n][order]], np.cumsum(pause_sec[:n][order])

    def later(time_sec: FloatArray) -> FloatArray:
        """The clock with the stops: a moment of the music that a stop precedes comes later."""
        n_before = np.searchsorted(at_sec, time_sec, side="right")
        return time_sec + np.concatenate(([0.0], put_in))[n_before]

    shift = later(played.onset_sec) - played.onset_sec
    draft = replace(
        Draft.of(played),
        onset_sec=played.onset_sec + shift,
        offset_sec=played.offset_sec + shift,
        sustain=PedalCurve(later(played.sustain.time_sec), played.sustain.value),
        soft=PedalCurve(later(played.soft.time_sec), played.soft.value),
        sostenuto=PedalCurve(later(played.sostenuto.time_sec), played.sostenuto.value),
    )
    return _finished(context, draft)


def hand_semitone_off(context: Context, dose: float, rng: np.random.Generator) -> Damaged:
    """The left hand a semitone too high from the beginning, for a share of the time."""
    del rng  # as above
    played = context.performance
    off = left_hand(context) & (played.onset_sec < dose * played.duration_sec)
    return _finished(context, replace(Draft.of(played), pitch=played.pitch + off.astype(played.pitch.dtype)))


def bars_shuffled(context: Context, dose: float, rng: np.random.Generator) -> Damaged:
    """A share of the bars played in a random order, none of them in its own place."""
    played = context.performance
    bar_of, first = np.unique(context.group_bar, return_index=True)
    if len(bar_of) < 3:
        raise InputError(played.source or "performance", f"has {len(bar_of)} bars", allowed="3 or more")
    start = np.concatenate(([0.0], context.group_sec[first[1:]], [played.duration_sec]))
    chosen = np.sort(rng.permutation(len(bar_of))[: max(2, round(dose * len(bar_of)))])
    order = np.arange(len(bar_of))
    order[chosen] = _moved_round(chosen, rng)
    length = np.diff(start)
    new_start = np.empty(len(order))
    new_start[order] = np.concatenate(([0.0], np.cumsum(length[order])[:-1]))
    bar = np.searchsorted(bar_of, context.group_bar)[context.group_of]
    shift = (new_start - start[:-1])[bar]
    draft = replace(
        Draft.of(played),
        onset_sec=played.onset_sec + shift,
        offset_sec=played.offset_sec + shift,
        sustain=_rearranged(played.sustain, start, new_start, order),
        soft=_rearranged(played.soft, start, new_start, order),
        sostenuto=_rearranged(played.sostenuto, start, new_start, order),
    )
    return _finished(context, draft)


def hands_apart(context: Context, dose: float, rng: np.random.Generator) -> Damaged:
    """The left hand late by so many ms."""
    del rng  # as above
    played = context.performance
    shift = left_hand(context) * dose / 1000.0
    draft = replace(
        Draft.of(played), onset_sec=played.onset_sec + shift, offset_sec=played.offset_sec + shift
    )
    return _finished(context, draft)


def legatissimo(context: Context, dose: float, rng: np.random.Generator) -> Damaged:
    """Every key held until so many further chords or notes have been struck."""
    del rng  # as above
    played = context.performance
    group = np.minimum(context.group_of + round(dose), context.n_groups - 1)
    offset = np.maximum(played.offset_sec, context.group_sec[group] + MIN_STRIKE_SEC)
    return _finished(context, replace(Draft.of(played), offset_sec=offset))


def mashing(context: Context, dose: float, rng: np.random.Generator) -> Damaged:
    """Clusters of neighbouring keys in place of the music from the beginning, for a share of the time."""
    played = context.performance
    end_sec = dose * played.duration_sec
    onset, offset, pitch, velocity = clusters(played.duration_sec, rng)
    inside = onset < end_sec
    draft = Draft.of(played).without(np.flatnonzero(played.onset_sec < end_sec))
    return _finished(
        context, draft.with_notes(onset[inside], offset[inside], pitch[inside], velocity[inside])
    )


def wrong_notes(context: Context, dose: float, rng: np.random.Generator) -> Damaged:
    """Neighbour keys for a share of the notes."""
    made = corrupt(context.performance, "wrong_notes", dose, rng, alignment=context.alignment)
    return Damaged(made.performance, made.new_of_old)


COMPOSITE_MAKERS: Final[Mapping[str, Callable[[Context, float, np.random.Generator], Damaged]]] = (
    MappingProxyType(
        {
            "mess": mess,
            "sustain_held": sustain_held,
            "no_pedal": no_pedal,
            "random_velocities": random_velocities,
            "jitter": jitter,
            "stops": stops,
            "hand_semitone_off": hand_semitone_off,
            "bars_shuffled": bars_shuffled,
            "hands_apart": hands_apart,
            "legatissimo": legatissimo,
            "mashing": mashing,
            "wrong_notes_40": wrong_notes,
        }
    )
)
"""What makes each composite of `kinds.COMPOSITES`."""


def clusters(
    duration_sec: float, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, IntArray, IntArray]:
    """Clusters of neighbouring keys, eight a second: onset and offset in seconds, pitch, velocity."""
    n = max(1, round(duration_sec * CLUSTERS_A_SEC))
    start = np.sort(rng.uniform(0.0, duration_sec, n))
    size = rng.integers(*CLUSTER_KEYS, n, endpoint=True)
    lowest = rng.integers(LOWEST_PIANO_KEY, HIGHEST_PIANO_KEY - CLUSTER_KEYS[1], n)
    held = rng.uniform(*CLUSTER_HELD_SEC, n)
    velocity = rng.integers(*CLUSTER_VELOCITY, n, endpoint=True)
    cluster = np.repeat(np.arange(n), size)
    place = np.arange(len(cluster)) - np.repeat(np.cumsum(size) - size, size)
    return start[cluster], (start + held)[cluster], (lowest[cluster] + place), velocity[cluster]


def left_hand(context: Context) -> BoolArray:
    """(N,) whether the left hand plays each note: staff 2 of the score, else below middle C.

    Raises
    ------
    InputError
        One hand plays alone.
    """
    played, alignment = context.performance, context.alignment
    left = played.pitch < SPLIT_PITCH
    if alignment is not None and (alignment.score.staff == 2).any():
        left = left.copy()
        left[alignment.match[:, 1]] = alignment.score.staff[alignment.match[:, 0]] == 2
    if left.all() or not left.any():
        raise InputError(played.source or "performance", "has notes of one hand alone", allowed="two hands")
    return left


def _through(first: IntArray, then: IntArray) -> IntArray:
    """Where each note is after two damages, -1 where one of them took it away."""
    return np.where(first >= 0, then[first], -1)


def _finished(context: Context, draft: Draft) -> Damaged:
    performance, new_of_old, _ = finish(context, _without_double_strikes(draft))
    return Damaged(performance, new_of_old)


def _without_double_strikes(draft: Draft) -> Draft:
    """The draft without strikes of a key that follow another one sooner than an action can repeat.

    Only what the damage brought so near is taken away: the draft of a played excerpt has none at equal times.
    """
    order = np.lexsort((draft.onset_sec, draft.pitch))
    again = np.diff(draft.pitch[order]) == 0
    near = np.diff(draft.onset_sec[order]) < MIN_STRIKE_SEC / 3.0
    return draft.without(order[1:][again & near])


def _pedal_after(curve: PedalCurve, start_sec: float) -> PedalCurve:
    """A pedal from a time on: its position there, then its steps."""
    later = curve.time_sec > start_sec
    position = curve.at(np.array([start_sec]))
    return PedalCurve(
        np.concatenate(([start_sec], curve.time_sec[later])), np.concatenate((position, curve.value[later]))
    )


def _down_share(played: Performance) -> float:
    """Share of the time for which the sustaining pedal is down."""
    if not np.any(played.sustain.value >= PEDAL_DOWN):
        return 0.0
    pressed, released = pedal_crossings(played.sustain)
    released = np.append(released, np.inf) if len(released) < len(pressed) else released
    end = played.duration_sec
    return float((released.clip(0.0, end) - pressed.clip(0.0, end)).sum() / end)


def _moved_round(chosen: IntArray, rng: np.random.Generator) -> IntArray:
    """The chosen ones in a random cycle: none stays in its place."""
    cycle = rng.permutation(len(chosen))
    moved = np.empty_like(chosen)
    moved[cycle] = chosen[np.roll(cycle, 1)]
    return moved


def _rearranged(curve: PedalCurve, start: FloatArray, new_start: FloatArray, order: IntArray) -> PedalCurve:
    """A pedal whose bars are played in another order."""
    time, value = [], []
    for bar in order.tolist():
        inside = (curve.time_sec > start[bar]) & (curve.time_sec < start[bar + 1])
        at_start = start[bar : bar + 1]
        time += [np.concatenate((at_start, curve.time_sec[inside])) - start[bar] + new_start[bar]]
        value += [np.concatenate((curve.at(at_start), curve.value[inside]))]
    return pedal_of_steps(np.concatenate(time), np.concatenate(value))

"""A performance as a transcriber would report it: the noise that was measured of a real one.

A transcriber's noise is not playing at all: the ratings stay true. They are left out only where the noise
hides what they are about, because a model cannot learn a rating from evidence that is gone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np

from tocco.errors import InputError
from tocco.music.augmented import Augmented
from tocco.music.corruption.context import read_context
from tocco.music.corruption.draft import Draft, finish, pedal_of_steps, strikes_apart
from tocco.music.label_rules import valid_labels
from tocco.music.performance import PEDAL_DOWN, PedalCurve, Performance
from tocco.music.statistics.playing import pedal_crossings, sounding_end_sec
from tocco.music.time_map import TimeMap
from tocco.units import HIGHEST_PIANO_KEY, BoolArray, FloatArray, IntArray

_MIN_HELD_SEC: Final = 0.01
_DOUBLED_HOST_SEC: Final = 0.2
_GHOST_SEMITONES: Final = 12
_GHOST_LEVEL: Final = 0.5
_PEDAL_FLOOR: Final = 127.0
_NARROWEST: Final = 1e-6
_FAR_SEC: Final = 0.1
_LEAST_CARRY_SEC: Final = 0.01
_LONGEST_HIDDEN_SEC: Final = 2.0
"""By then a sound has faded below the next ones."""
MIDDLE_VELOCITY: Final = 64.0
REGISTER_VELOCITY: Final = ((24, 36, 48, 60, 72, 84, 96), (2.3, -8.1, 1.2, 5.5, 12.3, 10.2, 14.7))
"""Keys, and by how many steps a note of velocity 64 is heard louder than it was struck."""
_SAME_PRESS_SEC: Final = 0.75
"""A press that comes earlier or later by less may be one that was heard before."""


@dataclass(frozen=True)
class TranscriberNoise:
    """How far a transcription lies from what the keys and the pedal did.

    The sizes are those of a real transcriber, transkun 2.0 (Yan and Duan 2024), on 20 rendered excerpts
    of a minute (`benchmarks/transcriber_errors.py`, results/transcription/errors.txt). It hears when a
    sound begins and when it ends to the hundredth of a second, and what cannot be heard it does not
    report: soft notes, presses of the pedal that carry little, and which of key and pedal ended a sound. Of
    the soft and the sostenuto pedal nothing is left.

    Attributes
    ----------
    onset_sd_sec : seconds
    offset_sd_sec : seconds, of the releases with the pedal up
    pedalled_offset_sd_sec : seconds, of those with it down, where they are heard at all
    hidden_offset_share : 0..1 of those, heard anywhere between the release and the fall of the damper
    cut_offset_share : 0..1 of the releases, heard anywhere between the onset and the release: the sound has
        faded
    velocity_sd : velocity steps
    velocity_slope : heard by played; 1 for a transcriber that hears strength as it is
    register_share : 0 or more
        How much of its unevenness over the keyboard is heard: 1 for all of it, the bass up to 20 steps too
        soft against the treble.
    inaudible_velocity, inaudible_width : velocity steps
        Of notes as loud as this half are missed; 0 for none. The logistic curve around it.
    missed_share, doubled_share, ghost_share : 0..0.5 of the notes
        Missed however loud; heard twice; and a ghost an octave above, where the second partial sounds.
    inaudible_carry_sec, inaudible_carry_width
        Of presses of the pedal that carry so much sound beyond the keys half are missed; 0 for none. Seconds,
        summed over the notes; the logistic curve around it in their logarithm.
    press_lag_sec : seconds by which presses are heard late: not before a key is let go
    press_sd_sec, lift_sd_sec : seconds
    pedal_missed_share : 0..1 of the presses, whatever they carry
        A transcribed pedal is up or down, never half.
    """

    onset_sd_sec: float = 0.003
    offset_sd_sec: float = 0.010
    pedalled_offset_sd_sec: float = 0.026
    hidden_offset_share: float = 0.4
    cut_offset_share: float = 0.04
    velocity_sd: float = 4.25
    velocity_slope: float = 0.69
    register_share: float = 1.0
    inaudible_velocity: float = 15.5
    inaudible_width: float = 7.6
    missed_share: float = 0.001
    doubled_share: float = 0.0005
    ghost_share: float = 0.0005
    inaudible_carry_sec: float = 0.7
    inaudible_carry_width: float = 0.76
    press_lag_sec: float = 0.086
    press_sd_sec: float = 0.057
    lift_sd_sec: float = 0.010
    pedal_missed_share: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value, name = getattr(self, field.name), field.name
            whole = name in ("pedal_missed_share", "hidden_offset_share", "cut_offset_share")
            bounded = name.endswith("_share") and name != "register_share"
            most = (1.0 if whole else 0.5) if bounded else math.inf
            if not (math.isfinite(value) and 0.0 <= value <= most):
                allowed = "0 or more" if math.isinf(most) else f"0 to {most:g}"
                raise InputError(name, f"is {value:g}", allowed=allowed)

    @classmethod
    def none(cls) -> TranscriberNoise:
        """Of a transcriber that hears everything as it is, but half pedal and the other pedals."""
        return cls(**{field.name: float(field.name == "velocity_slope") for field in fields(cls)})


@dataclass(frozen=True, eq=False)
class HeardBefore:
    """A performance that the transcriber heard before, and of which the one that it hears now is a form.

    Attributes
    ----------
    performance : the earlier one
    new_of_old : (M,) index into the present one of each of its notes, -1 where it is gone
    """

    performance: Performance
    new_of_old: IntArray


def transcriber_noise(
    performance: Performance,
    rng: np.random.Generator,
    noise: TranscriberNoise | None = None,
    before: HeardBefore | None = None,
) -> Augmented:
    """The performance as a transcriber would report it.

    A transcriber that hears nearly the same again errs in the same places: from the same state of `rng` each
    stroke and press that was heard before has the errors that it had then, and only what is new has its own.

    Parameters
    ----------
    performance
    rng
    noise : that of a good transcriber if not given
    before : what it heard before, from the same state of `rng`

    Raises
    ------
    InputError
        The performance has no notes.
    """
    noise = TranscriberNoise() if noise is None else noise
    context = read_context(performance, None)
    draws = _stroke_draws(performance, int(rng.integers(2**63)), before)
    notes = _heard_notes(Draft.of(performance), performance, draws, noise)
    missed = _missed(performance, draws, noise)
    pedal = _heard_pedal(performance, _press_draws(performance, int(rng.integers(2**63)), before), noise)
    draft = _with_false_notes(notes, draws, noise).without(np.flatnonzero(missed))
    draft = replace(draft, sustain=pedal.curve(), soft=PedalCurve(), sostenuto=PedalCurve())
    heard, new_of_old, _ = finish(context, draft)
    amounts = {
        "timing": 1000.0 * noise.onset_sd_sec,
        "release": 1000.0 * float(np.std(notes.offset_sec - performance.offset_sec)),
        "velocity": float(np.std(notes.velocity.astype(float) - performance.velocity)),
        "notes": float(missed.mean()) + noise.doubled_share + noise.ghost_share,
        "pedal": pedal.lost_share,
    }
    return Augmented(
        performance=replace(heard, origin="transcribed"),
        time_map=TimeMap.identity(),
        semitones=0,
        valid_labels=valid_labels(amounts),
        new_of_old=new_of_old,
    )


@dataclass(frozen=True, eq=False)
class _StrokeDraws:
    """(N,) independent draws for each note: three from the standard normal, the others uniform in 0..1."""

    onset: FloatArray
    offset: FloatArray
    velocity: FloatArray
    doubled: FloatArray
    split: FloatArray
    ghost: FloatArray
    missed: FloatArray
    end: FloatArray
    end_at: FloatArray


def _stroke_draws(performance: Performance, seed: int, before: HeardBefore | None) -> _StrokeDraws:
    """Draws for each note; those of a note that was heard before are its own of then."""
    if before is None:
        return _StrokeDraws(*_draws_by_key(performance.pitch, seed, is_new=False).T)
    draws = _draws_by_key(performance.pitch, seed, is_new=True)
    kept = before.new_of_old >= 0
    draws[before.new_of_old[kept]] = _draws_by_key(before.performance.pitch, seed, is_new=False)[kept]
    return _StrokeDraws(*draws.T)


def _draws_by_key(pitch: IntArray, seed: int, *, is_new: bool) -> FloatArray:
    """(N, 9) draws that belong to the strokes of a key in their order, whatever the other keys do."""
    draws = np.zeros((len(pitch), 9))
    for key in np.unique(pitch):
        strokes = np.flatnonzero(pitch == key)
        normal, uniform = (np.random.default_rng([seed, int(key), 2 * is_new + part]) for part in (0, 1))
        draws[strokes, :3] = normal.normal(size=(len(strokes), 3))
        draws[strokes, 3:] = uniform.uniform(size=(len(strokes), 6))
    return draws


def _press_draws(performance: Performance, seed: int, before: HeardBefore | None) -> FloatArray:
    """(P, 3) of each press: uniform in 0..1, and two from the standard normal."""
    from scipy.optimize import linear_sum_assignment

    pressed, _ = pedal_crossings(performance.sustain)
    if before is None:
        return _draws_in_order(len(pressed), seed, is_new=False)
    draws = _draws_in_order(len(pressed), seed, is_new=True)
    then, _ = pedal_crossings(before.performance.sustain)
    kept = np.flatnonzero(before.new_of_old >= 0)
    if len(kept) and len(then):
        old_sec = before.performance.onset_sec[kept]
        moved_sec = performance.onset_sec[before.new_of_old[kept]] - old_sec
        then = then + np.interp(then, old_sec, moved_sec)
    apart_sec = np.abs(then[:, None] - pressed)
    # Rather more pairs than nearer ones.
    cost = np.where(apart_sec < _SAME_PRESS_SEC, apart_sec, _SAME_PRESS_SEC * (1 + apart_sec.size))
    old, new = linear_sum_assignment(cost)
    same = apart_sec[old, new] < _SAME_PRESS_SEC
    draws[new[same]] = _draws_in_order(len(then), seed, is_new=False)[old[same]]
    return draws


def _draws_in_order(n: int, seed: int, *, is_new: bool) -> FloatArray:
    """(n, 3) for the presses of a performance."""
    uniform, normal = (np.random.default_rng([seed, 2 * is_new + part]) for part in (0, 1))
    return np.column_stack((uniform.uniform(size=n), normal.normal(size=(n, 2))))


def _heard_notes(
    draft: Draft, performance: Performance, draws: _StrokeDraws, noise: TranscriberNoise
) -> Draft:
    """Onsets, releases and velocities with errors."""
    onset = draft.onset_sec + noise.onset_sd_sec * draws.onset
    onset = np.maximum(onset, np.minimum(draft.onset_sec, 0.0))
    onset = strikes_apart(onset, draft.onset_sec, draft.pitch)
    shortest = np.minimum(_MIN_HELD_SEC, draft.offset_sec - draft.onset_sec)
    offset = np.maximum(_heard_offsets(performance, draws, noise), onset + shortest)
    register = noise.register_share * np.interp(draft.pitch, *REGISTER_VELOCITY)
    level = MIDDLE_VELOCITY + noise.velocity_slope * (draft.velocity - MIDDLE_VELOCITY) + register
    velocity = np.clip(np.rint(level + noise.velocity_sd * draws.velocity), 1, 127)
    return replace(draft, onset_sec=onset, offset_sec=offset, velocity=velocity.astype(draft.velocity.dtype))


def _heard_offsets(performance: Performance, draws: _StrokeDraws, noise: TranscriberNoise) -> FloatArray:
    """(N,) seconds: the release, or anywhere until the damper falls, or anywhere since the onset."""
    onset, offset = performance.onset_sec, performance.offset_sec
    is_pedalled = performance.sustain.at(offset) >= PEDAL_DOWN
    size = np.where(is_pedalled, noise.pedalled_offset_sd_sec, noise.offset_sd_sec)
    ends = np.minimum(sounding_end_sec(performance), offset + _LONGEST_HIDDEN_SEC)
    heard = offset + size * draws.offset
    cut = draws.end > 1.0 - noise.cut_offset_share
    hidden = is_pedalled & (draws.end < noise.hidden_offset_share) & ~cut
    heard = np.where(hidden, offset + draws.end_at * (ends - offset), heard)
    return np.where(cut, onset + draws.end_at * (offset - onset), heard)


def _with_false_notes(draft: Draft, draws: _StrokeDraws, noise: TranscriberNoise) -> Draft:
    """Second onsets in the middle of long notes, and ghosts an octave up where that key is free."""
    onset, offset, pitch, velocity = draft.onset_sec, draft.offset_sec, draft.pitch, draft.velocity
    doubled = draws.doubled < noise.doubled_share
    doubled &= offset - onset >= _DOUBLED_HOST_SEC
    split = onset + (0.3 + 0.4 * draws.split) * (offset - onset)
    ghost = draws.ghost < noise.ghost_share
    ghost &= pitch + _GHOST_SEMITONES <= HIGHEST_PIANO_KEY
    for note in np.flatnonzero(ghost):
        above = pitch == pitch[note] + _GHOST_SEMITONES
        ghost[note] = not np.any((onset[above] < offset[note]) & (offset[above] > onset[note]))
    softer = np.maximum(1, np.rint(_GHOST_LEVEL * velocity)).astype(velocity.dtype)
    return replace(draft, offset_sec=np.where(doubled, split, offset)).with_notes(
        np.concatenate((split[doubled], onset[ghost])),
        np.concatenate((offset[doubled], offset[ghost])),
        np.concatenate((pitch[doubled], pitch[ghost] + _GHOST_SEMITONES)),
        np.concatenate((velocity[doubled], softer[ghost])),
    )


def _missed(performance: Performance, draws: _StrokeDraws, noise: TranscriberNoise) -> BoolArray:
    """(N,) notes that are not heard: soft ones, and a few of any strength.

    The first note is always heard, so that something is.
    """
    from scipy.special import expit

    missed = draws.missed < noise.missed_share
    if noise.inaudible_velocity > 0.0:
        over = (performance.velocity - noise.inaudible_velocity) / max(noise.inaudible_width, _NARROWEST)
        missed = draws.missed < noise.missed_share + (1.0 - noise.missed_share) * expit(-over)
    missed[0] = False
    return missed


def carried_sec(performance: Performance) -> FloatArray:
    """How much sound each press of the pedal carries beyond the keys.

    Returns
    -------
    (P,) seconds, >= 0
        Over all keys let go while it is down, from the release to the fall of the damper, at most 2 s each.
    """
    pressed, lifted = pedal_crossings(performance.sustain)
    offset = performance.offset_sec
    rings_on = np.minimum(sounding_end_sec(performance) - offset, _LONGEST_HIDDEN_SEC)
    press = np.searchsorted(pressed, offset, side="right") - 1
    until = np.append(lifted, np.inf)[np.maximum(press, 0)] if len(pressed) else offset
    inside = (press >= 0) & (offset < until)
    carried = np.bincount(press[inside], weights=rings_on[inside], minlength=len(pressed))
    return carried.astype(float)


def _unheard_presses(performance: Performance, draws: FloatArray, noise: TranscriberNoise) -> BoolArray:
    """(P,) presses that are not heard: those that carry little, and some of any kind."""
    from scipy.special import expit

    chance = np.full(len(draws), noise.pedal_missed_share)
    if noise.inaudible_carry_sec > 0.0:
        over = np.log(carried_sec(performance) + _LEAST_CARRY_SEC)
        over -= math.log(noise.inaudible_carry_sec + _LEAST_CARRY_SEC)
        chance += (1.0 - chance) * expit(-over / max(noise.inaudible_carry_width, _NARROWEST))
    return draws[:, 0] < chance


@dataclass(frozen=True, eq=False)
class _HeardPedal:
    """Presses as they are heard: (P,) seconds, and whether each is heard at all."""

    pressed_sec: FloatArray
    lifted_sec: FloatArray
    down_sec: FloatArray
    up_sec: FloatArray
    is_heard: BoolArray

    @property
    def lost_share(self) -> float:
        """Share of all presses and lifts that are lost, or heard more than 100 ms away; 0 without any."""
        own = np.concatenate((self.pressed_sec, self.lifted_sec))
        heard = np.concatenate((self.down_sec, self.up_sec))
        there = np.isfinite(own)
        with np.errstate(invalid="ignore"):
            lost = ~np.tile(self.is_heard, 2) | (np.abs(heard - own) > _FAR_SEC)
        return float(lost[there].mean()) if there.any() else 0.0

    def curve(self) -> PedalCurve:
        """The pedal up or down; presses that run into one another are one."""
        start, end = np.maximum(self.down_sec[self.is_heard], 0.0), self.up_sec[self.is_heard]
        if len(start) == 0:
            return PedalCurve()
        order = np.argsort(start, kind="stable")
        start, reached = start[order], np.maximum.accumulate(end[order])
        is_new = np.concatenate(([True], start[1:] > reached[:-1]))
        first = np.flatnonzero(is_new)
        last = np.append(first[1:] - 1, len(start) - 1)
        time = np.column_stack((start[first], reached[last])).ravel()
        value = np.tile([_PEDAL_FLOOR, 0.0], len(first))
        finite = np.isfinite(time)
        return pedal_of_steps(time[finite], value[finite])


def _heard_pedal(performance: Performance, draws: FloatArray, noise: TranscriberNoise) -> _HeardPedal:
    """Some presses missed, presses late, all changes displaced; (P, 3) draws."""
    pressed, released = pedal_crossings(performance.sustain)
    lifted = np.append(released, np.inf)[: len(pressed)]
    down = pressed + noise.press_lag_sec + noise.press_sd_sec * draws[:, 1]
    up = lifted + noise.lift_sd_sec * draws[:, 2]
    return _HeardPedal(pressed, lifted, down, up, ~_unheard_presses(performance, draws, noise) & (up > down))

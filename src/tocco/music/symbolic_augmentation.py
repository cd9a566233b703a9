"""A performance seen through a transcriber, in another key, or at another tempo.

An augmentation changes what a model is shown, not how well it was played. Each returns, beside the
performance, how times, keys and note indices moved and which ratings still hold (`label_rules`), so
that score, alignment, segment bounds and labels can go along.

Rules for labels. Transposition and a change of tempo are other playing: beyond what listeners notice,
the ratings that depend on register, tempo and evenness are left out. A transcriber's noise is not
playing at all: the ratings stay true. They are left out only where the noise hides what they are about,
because a model cannot learn a rating from evidence that is gone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from tocco.errors import InputError
from tocco.music.augmented import Augmented, moved_along
from tocco.music.corruption.context import read_context
from tocco.music.corruption.draft import Draft, finish, pedal_of_steps, strikes_apart
from tocco.music.label_rules import labels_kept, tempo_amount
from tocco.music.performance import PedalCurve, Performance
from tocco.music.statistics.playing import pedal_crossings
from tocco.music.time_map import TimeMap
from tocco.units import HIGHEST_PIANO_KEY, LOWEST_PIANO_KEY, BoolArray, FloatArray, IntArray

__all__ = ["Augmented", "HeardBefore", "TranscriberNoise", "scale_tempo", "transcriber_noise", "transpose"]

MAX_SEMITONES: Final = 12
TEMPO_RATIO_RANGE: Final = (0.5, 2.0)

_MIN_HELD_SEC: Final = 0.01
_DOUBLED_HOST_SEC: Final = 0.2
_GHOST_SEMITONES: Final = 12
_GHOST_LEVEL: Final = 0.5
_PEDAL_FLOOR: Final = 127.0
_SAME_PRESS_SEC: Final = 0.75
"""A press that comes earlier or later by less may be one that was heard before."""


@dataclass(frozen=True)
class TranscriberNoise:
    """How far a transcription lies from what the keys did.

    Attributes
    ----------
    onset_sd_sec : seconds
        5 ms, measured on transcribed notes.
    offset_sd_sec : seconds
        40 ms: the pedal hides when a key comes up.
    velocity_sd : velocity steps
        5, which among velocities that vary by 15 gives the correlation of .95 that was measured.
    missed_share, doubled_share, ghost_share : 0..0.5 of the notes
        Together they give the onset F1 of .985 that was measured. Soft notes are missed first; a ghost
        is an octave above a note, where its second partial sounds.
    pedal_sd_sec : seconds, of each press and release
    pedal_missed_share : 0..1 of the presses
        A transcribed pedal is up or down, never half, and follows the true one poorly.
    """

    onset_sd_sec: float = 0.005
    offset_sd_sec: float = 0.040
    velocity_sd: float = 5.0
    missed_share: float = 0.015
    doubled_share: float = 0.0075
    ghost_share: float = 0.0075
    pedal_sd_sec: float = 0.06
    pedal_missed_share: float = 0.3

    def __post_init__(self) -> None:
        for field in fields(self):
            value, name = getattr(self, field.name), field.name
            most = {"pedal_missed_share": 1.0}.get(name, 0.5 if name.endswith("_share") else math.inf)
            if not (math.isfinite(value) and 0.0 <= value <= most):
                allowed = "0 or more" if math.isinf(most) else f"0 to {most:g}"
                raise InputError(name, f"is {value:g}", allowed=allowed)

    @property
    def amounts(self) -> dict[str, float]:
        """The noise in the units of `label_rules`."""
        kept = 1.0 - self.pedal_missed_share
        spread = self.pedal_sd_sec * math.sqrt(2.0)
        far = math.erfc(0.1 / spread) if spread > 0 else 0.0  # share of a normal beyond 100 ms
        return {
            "timing": 1000.0 * self.onset_sd_sec,
            "release": 1000.0 * self.offset_sd_sec,
            "velocity": self.velocity_sd,
            "notes": self.missed_share + self.doubled_share + self.ghost_share,
            "pedal": self.pedal_missed_share + kept * far,
        }


def transpose(performance: Performance, semitones: int) -> Augmented:
    """The performance in another key.

    Parameters
    ----------
    performance
    semitones : -12..12, up or down

    Raises
    ------
    InputError
        The step is too large, or a key would leave the piano (21 to 108).
    """
    if semitones != int(semitones) or abs(semitones) > MAX_SEMITONES:
        raise InputError(
            "transposition",
            f"by {semitones:g} semitones",
            allowed=f"whole steps, -{MAX_SEMITONES} to {MAX_SEMITONES}",
        )
    pitch = performance.pitch + int(semitones)
    if len(pitch) and not LOWEST_PIANO_KEY <= pitch.min() <= pitch.max() <= HIGHEST_PIANO_KEY:
        raise InputError(
            performance.source or "performance",
            f"transposed by {semitones} semitones reaches keys {pitch.min()} to {pitch.max()}",
            allowed=f"{LOWEST_PIANO_KEY} to {HIGHEST_PIANO_KEY}",
            next_step="choose a smaller step",
        )
    kept = labels_kept({"pitch": abs(semitones)})
    return moved_along(performance, TimeMap.identity(), int(semitones), kept)


def scale_tempo(performance: Performance, ratio: float) -> Augmented:
    """The performance faster or slower throughout, keys and pedals alike.

    Parameters
    ----------
    performance
    ratio : 0.5..2, new tempo over old

    Raises
    ------
    InputError
        The ratio is out of range.
    """
    low, high = TEMPO_RATIO_RANGE
    if not low <= ratio <= high:
        raise InputError("tempo ratio", f"is {ratio:g}", allowed=f"{low:g} to {high:g}")
    kept = labels_kept({"tempo": tempo_amount(ratio)})
    return moved_along(performance, TimeMap.linear(1.0 / ratio), 0, kept)


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
    Which notes are missed depends on how soft they are among all, too.

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
    draft = _heard_notes(Draft.of(performance), draws, noise)
    draft = _with_false_notes(draft, draws, noise)
    missed = _missed(performance, draws, noise.missed_share)
    draft = draft.without(np.flatnonzero(missed))
    press_draws = _press_draws(performance, int(rng.integers(2**63)), before)
    draft = replace(draft, sustain=_heard_pedal(performance.sustain, press_draws, noise))
    heard, new_of_old, _ = finish(context, draft)
    return Augmented(
        performance=heard,
        time_map=TimeMap.identity(),
        semitones=0,
        labels_kept=labels_kept(noise.amounts),
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


def _stroke_draws(performance: Performance, seed: int, before: HeardBefore | None) -> _StrokeDraws:
    """Draws for each note; those of a note that was heard before are its own of then."""
    if before is None:
        return _StrokeDraws(*_draws_by_key(performance.pitch, seed, is_new=False).T)
    draws = _draws_by_key(performance.pitch, seed, is_new=True)
    kept = before.new_of_old >= 0
    draws[before.new_of_old[kept]] = _draws_by_key(before.performance.pitch, seed, is_new=False)[kept]
    return _StrokeDraws(*draws.T)


def _draws_by_key(pitch: IntArray, seed: int, *, is_new: bool) -> FloatArray:
    """(N, 7) draws that belong to the strokes of a key in their order, whatever the other keys do."""
    draws = np.zeros((len(pitch), 7))
    for key in np.unique(pitch):
        strokes = np.flatnonzero(pitch == key)
        normal, uniform = (np.random.default_rng([seed, int(key), 2 * is_new + part]) for part in (0, 1))
        draws[strokes, :3] = normal.normal(size=(len(strokes), 3))
        draws[strokes, 3:] = uniform.uniform(size=(len(strokes), 4))
    return draws


def _press_draws(performance: Performance, seed: int, before: HeardBefore | None) -> FloatArray:
    """(P, 3) of each press: uniform in 0..1, and two from the standard normal."""
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


def _heard_notes(draft: Draft, draws: _StrokeDraws, noise: TranscriberNoise) -> Draft:
    """Onsets, releases and velocities with errors."""
    onset = draft.onset_sec + noise.onset_sd_sec * draws.onset
    onset = np.maximum(onset, np.minimum(draft.onset_sec, 0.0))
    onset = strikes_apart(onset, draft.onset_sec, draft.pitch)
    shortest = np.minimum(_MIN_HELD_SEC, draft.offset_sec - draft.onset_sec)
    offset = np.maximum(draft.offset_sec + noise.offset_sd_sec * draws.offset, onset + shortest)
    velocity = np.rint(draft.velocity + noise.velocity_sd * draws.velocity)
    velocity = np.clip(velocity, 1, 127).astype(draft.velocity.dtype)
    return replace(draft, onset_sec=onset, offset_sec=offset, velocity=velocity)


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


def _missed(performance: Performance, draws: _StrokeDraws, share: float) -> BoolArray:
    """(N,) notes that are not heard: chances fall with velocity, `share` of all on average.

    The first note is always heard, so that something is.
    """
    chance = 1.0 / performance.velocity
    missed = draws.missed < np.minimum(share * chance / chance.mean(), 1.0)
    missed[0] = False
    return missed


def _heard_pedal(curve: PedalCurve, draws: FloatArray, noise: TranscriberNoise) -> PedalCurve:
    """The pedal up or down, some presses missed, all changes displaced; (P, 3) draws."""
    pressed, released = pedal_crossings(curve)
    n = len(pressed)
    missed = draws[:, 0] < noise.pedal_missed_share
    down_error, up_error = noise.pedal_sd_sec * draws[:, 1:].T
    down = pressed + down_error
    up = np.append(released, np.inf)[:n] + up_error
    heard = ~missed & (up > down)
    start, end = np.maximum(down[heard], 0.0), up[heard]
    if len(start) == 0:
        return PedalCurve()
    # Presses that run into one another are one.
    order = np.argsort(start, kind="stable")
    start, reached = start[order], np.maximum.accumulate(end[order])
    is_new = np.concatenate(([True], start[1:] > reached[:-1]))
    first = np.flatnonzero(is_new)
    last = np.append(first[1:] - 1, len(start) - 1)
    time = np.column_stack((start[first], reached[last])).ravel()
    value = np.tile([_PEDAL_FLOOR, 0.0], len(first))
    finite = np.isfinite(time)
    return pedal_of_steps(time[finite], value[finite])

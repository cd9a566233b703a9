"""Competent performances, heavily damaged in one respect: the upper end of the anchors of damage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal

import numpy as np

from tocco.music.alignment import Alignment
from tocco.music.corruption import corrupt
from tocco.music.corruption.draft import released_in_time
from tocco.music.performance import PedalCurve, Performance
from tocco.music.statistics.playing import chords
from tocco.units import BoolArray, FloatArray, IntArray

Make = Callable[[Performance, Alignment, np.random.Generator], Performance]

VELOCITIES: Final = (20, 111)
"""Random velocities are drawn from this range, evenly."""

HELD_DOWN: Final = 127.0
HANDS_APART_SEC: Final = 0.2
LEGATISSIMO_SEC: Final = 0.3
"""Every key is held this long beyond the onset of the next chord but one."""

LOW_PITCH: Final = 60
"""Keys below belong to the lower hand where the score does not say."""

MASHED_A_SECOND: Final = 10.0
MASHED_KEYS: Final = 4
MASHED_RANGE: Final = (30, 90)
MASHED_VELOCITY: Final = 80
SLOWED: Final = 2.0
CLIPPED: Final = 0.7
_LONGEST_MASHED_SEC: Final = 0.15


@dataclass(frozen=True)
class HeavyDamage:
    """One heavy damage.

    Attributes
    ----------
    name
    measures : names of those that have to rise
    alignment : that of the damaged performance
        "kept": every note keeps its index, onset and pitch, and the alignment of the clean one stays true;
        "found" anew; "none": nothing of the score is left.
    make : the damaged performance, from a clean one, its alignment and a generator
    """

    name: str
    measures: tuple[str, ...]
    alignment: Literal["kept", "found", "none"]
    make: Make


def corrupted(kind: str, severity: float) -> Make:
    """One of `tocco.music.corruption` at a severity."""

    def make(performance: Performance, alignment: Alignment, rng: np.random.Generator) -> Performance:
        return corrupt(performance, kind, severity, rng, alignment=alignment).performance

    return make


def sustain_held(performance: Performance, alignment: Alignment, rng: np.random.Generator) -> Performance:
    """The sustaining pedal stays down from beginning to end."""
    start = min(0.0, float(performance.onset_sec.min()))
    return replace(performance, sustain=PedalCurve(np.array([start]), np.array([HELD_DOWN])))


def no_pedal(performance: Performance, alignment: Alignment, rng: np.random.Generator) -> Performance:
    """No sustaining pedal at all."""
    return replace(performance, sustain=PedalCurve())


def dry_play(performance: Performance, alignment: Alignment, rng: np.random.Generator) -> Performance:
    """No pedal, and every key let go early."""
    clipped = corrupt(performance, "clipped_articulation", CLIPPED, rng, alignment=alignment)
    return no_pedal(clipped.performance, alignment, rng)


def random_velocities(
    performance: Performance, alignment: Alignment, rng: np.random.Generator
) -> Performance:
    """Every velocity at random."""
    return replace(performance, velocity=rng.integers(*VELOCITIES, size=len(performance)))


def hand_a_semitone_off(
    performance: Performance, alignment: Alignment, rng: np.random.Generator
) -> Performance:
    """The lower hand plays a semitone too high."""
    lower = lower_hand(performance, alignment)
    pitch = np.where(lower, performance.pitch + 1, performance.pitch)
    return _arranged(performance, performance.onset_sec, performance.offset_sec, pitch, performance.velocity)


def hands_apart(performance: Performance, alignment: Alignment, rng: np.random.Generator) -> Performance:
    """The lower hand plays 200 ms late."""
    late = np.where(lower_hand(performance, alignment), HANDS_APART_SEC, 0.0)
    onset, offset = performance.onset_sec + late, performance.offset_sec + late
    return _arranged(performance, onset, offset, performance.pitch, performance.velocity)


def legatissimo(performance: Performance, alignment: Alignment, rng: np.random.Generator) -> Performance:
    """Every key is held into the next chord but one."""
    group = chords(performance.onset_sec)
    start = performance.onset_sec[np.searchsorted(group, np.arange(group[-1] + 1))]
    later = np.append(start[2:], [start[-1]] * 2)[group] if len(start) > 1 else start[group]
    offset = np.maximum(performance.offset_sec, later + LEGATISSIMO_SEC)
    offset = released_in_time(performance.onset_sec, offset, performance.pitch)
    return replace(
        performance, offset_sec=offset, duration_sec=max(performance.duration_sec, float(offset.max()))
    )


def mashing(performance: Performance, alignment: Alignment, rng: np.random.Generator) -> Performance:
    """Clusters of adjacent keys, ten a second, instead of the music."""
    n = max(int(performance.duration_sec * MASHED_A_SECOND), 1)
    lowest = rng.integers(*MASHED_RANGE, size=n)
    onset = np.repeat(np.arange(n) / MASHED_A_SECOND, MASHED_KEYS) + rng.uniform(0.0, 0.02, n * MASHED_KEYS)
    pitch = (lowest[:, None] + np.arange(MASHED_KEYS)).ravel()
    velocity = np.full(len(onset), MASHED_VELOCITY)
    return _arranged(performance, onset, onset + _LONGEST_MASHED_SEC, pitch, velocity)


def half_tempo(performance: Performance, alignment: Alignment, rng: np.random.Generator) -> Performance:
    """The same at half the tempo."""
    return performance.shifted(0.0, SLOWED)


def lower_hand(performance: Performance, alignment: Alignment) -> BoolArray:
    """(N,) which notes the lower hand plays: by the staff of the written note, else by pitch."""
    lower = performance.pitch < LOW_PITCH
    staff = alignment.score.staff[alignment.match[:, 0]]
    known = staff > 0
    lower[alignment.match[known, 1]] = staff[known] == 2
    return lower


def _arranged(
    performance: Performance,
    onset_sec: FloatArray,
    offset_sec: FloatArray,
    pitch: IntArray,
    velocity: IntArray,
) -> Performance:
    """Notes in order of onset and pitch, no key struck while it is down."""
    order = np.lexsort((pitch, onset_sec))
    onset, pitch = onset_sec[order], pitch[order]
    apart = np.concatenate(([True], (np.diff(onset) > 1e-9) | (np.diff(pitch) != 0)))
    order, onset, pitch = order[apart], onset[apart], pitch[apart]
    offset = released_in_time(onset, offset_sec[order], pitch)
    return replace(
        performance,
        onset_sec=onset,
        offset_sec=offset,
        pitch=pitch,
        velocity=velocity[order],
        duration_sec=max(performance.duration_sec, float(offset.max())),
    )


_ALL: Final = (
    HeavyDamage("hesitations", ("lost_time", "worst_stop"), "found", corrupted("hesitations", 12.0)),
    HeavyDamage("wrong_notes", ("note_errors",), "found", corrupted("wrong_notes", 0.25)),
    HeavyDamage("restarts", ("note_errors", "worst_stop"), "found", corrupted("restarts", 9.0)),
    HeavyDamage("timing_jitter", ("unsteadiness", "hands_apart"), "found", corrupted("timing_jitter", 80.0)),
    HeavyDamage("hands_apart", ("hands_apart",), "found", hands_apart),
    HeavyDamage("half_tempo", ("slowness",), "found", half_tempo),
    HeavyDamage("flattened_dynamics", ("flat_levels",), "kept", corrupted("flattened_dynamics", 0.8)),
    HeavyDamage("random_velocities", ("random_levels",), "kept", random_velocities),
    HeavyDamage(
        "drowned_pedal", ("smear_sec", "pedal_held", "pedal_span"), "kept", corrupted("drowned_pedal", 0.5)
    ),
    HeavyDamage("dry_play", ("dry",), "kept", dry_play),
    HeavyDamage("legatissimo", ("overlap",), "kept", legatissimo),
    HeavyDamage("mashing", ("density", "clusters"), "none", mashing),
)

HEAVY_DAMAGES: Final[Mapping[str, HeavyDamage]] = MappingProxyType({one.name: one for one in _ALL})
"""The damages that anchors are fitted to, by name."""

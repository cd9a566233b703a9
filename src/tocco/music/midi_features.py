"""A performance summed up in a few basic numbers that need no score."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from tocco.errors import InputError
from tocco.music.performance import PEDAL_DOWN, PedalCurve, Performance
from tocco.units import BoolArray, FloatArray, IntArray

ONSET_GROUP_GAP_SEC: Final = 0.04
"""Notes that follow each other within this time are one onset group: a chord, or one arpeggio."""

_MIN_IOI_SEC = 0.02
_MAX_LEGATO = 5.0


@dataclass(frozen=True, eq=False)
class MidiFeatures:
    """What a performance is made of, in basic numbers; nothing here needs a score.

    Notes are those struck inside the performance (`Performance.struck_inside`), in its order. Times
    are on its clock; rates and fractions are taken from the first onset to the last offset.

    Attributes
    ----------
    onset_sec, held_sec : (N,) seconds
        When each key went down, and for how long.
    pitch : (N,) 0..127
    velocity : (N,) 1..127
    group : (N,) index 0..C-1
        Onset group of each note; a new one begins after a gap of more than 40 ms.
    pedal_press_sec, pedal_release_sec : (P,), (R,) seconds
        Sustain pedal through its middle (64), down and up, from the first onset to the last offset.
    onset_rate : onset groups a second
    vel_mean, vel_sd : 1..127
    log_dur : natural logarithm of the seconds from the first onset to the last offset
    ped_frac : 0..1, share of that time with the sustain pedal at 64 or more
    ped_rate : pedal presses a second
    legato_mel_mean : 0..5
        Mean of held time over inter-onset interval along the top notes of the onset groups; each
        is clipped to 5, and the interval is taken as 20 ms at least. 1 is legato, less is detached.
    ioi_cv : >= 0, standard deviation over mean of the intervals between onset groups
    pitch_mean : 0..127
    chord_mean : mean notes in an onset group, >= 1
    """

    onset_sec: FloatArray
    held_sec: FloatArray
    pitch: IntArray
    velocity: IntArray
    group: IntArray
    pedal_press_sec: FloatArray
    pedal_release_sec: FloatArray
    onset_rate: float
    vel_mean: float
    vel_sd: float
    log_dur: float
    ped_frac: float
    ped_rate: float
    legato_mel_mean: float
    ioi_cv: float
    pitch_mean: float
    chord_mean: float


RIDGE_FEATURES: Final = tuple(f.name for f in fields(MidiFeatures) if f.type == "float")
"""The ten numbers of the ridge baseline, in order."""


def onset_groups(onset_sec: FloatArray, gap_sec: float = ONSET_GROUP_GAP_SEC) -> IntArray:
    """Group of each note: a new one begins where the last onset is more than the gap away.

    >>> onset_groups(np.array([0.0, 0.03, 0.06, 0.5])).tolist()
    [0, 0, 0, 1]
    """
    return np.concatenate(([0], np.cumsum(np.diff(onset_sec) > gap_sec)))[: len(onset_sec)]


def extract_midi_features(performance: Performance) -> MidiFeatures:
    """Basic numbers of a performance: onsets, velocities, pedal events, and ten sums of them.

    Raises
    ------
    InputError
        No note is struck inside the performance.
    """
    inside = performance.struck_inside
    if not np.any(inside):
        raise InputError(performance.source or "performance", "has no note that is struck inside it")
    onset, offset = performance.onset_sec[inside], performance.offset_sec[inside]
    pitch, velocity = performance.pitch[inside], performance.velocity[inside]
    start_sec, end_sec = float(onset[0]), float(offset.max())
    span_sec = end_sec - start_sec
    group = onset_groups(onset)
    size = np.bincount(group)
    ioi = np.diff(onset[np.searchsorted(group, np.arange(len(size)))])
    press, release, down_sec = _pedal_events(performance.sustain, start_sec, end_sec)
    return MidiFeatures(
        onset_sec=onset,
        held_sec=offset - onset,
        pitch=pitch,
        velocity=velocity,
        group=group,
        pedal_press_sec=press,
        pedal_release_sec=release,
        onset_rate=len(size) / span_sec,
        vel_mean=float(velocity.mean()),
        vel_sd=float(velocity.std()),
        log_dur=float(np.log(span_sec)),
        ped_frac=down_sec / span_sec,
        ped_rate=len(press) / span_sec,
        legato_mel_mean=_melody_legato(onset, offset, _top_notes(group, pitch)),
        ioi_cv=float(ioi.std() / ioi.mean()) if len(ioi) else 0.0,
        pitch_mean=float(pitch.mean()),
        chord_mean=float(size.mean()),
    )


def ridge_features(performance: Performance) -> dict[str, float]:
    """The ten numbers of the ridge baseline by name, in the order of `RIDGE_FEATURES`."""
    features = extract_midi_features(performance)
    return {name: getattr(features, name) for name in RIDGE_FEATURES}


def _top_notes(group: IntArray, pitch: IntArray) -> IntArray:
    """Index of the highest note of every group; of two alike the first."""
    order = np.lexsort((np.arange(len(group)), -pitch, group))
    return order[np.searchsorted(group[order], np.arange(group[-1] + 1))]


def _melody_legato(onset: FloatArray, offset: FloatArray, top: IntArray) -> float:
    if len(top) < 2:
        return 0.0
    ratio = (offset - onset)[top][:-1] / np.maximum(np.diff(onset[top]), _MIN_IOI_SEC)
    return float(np.clip(ratio, 0.0, _MAX_LEGATO).mean())


def _pedal_events(
    sustain: PedalCurve, start_sec: float, end_sec: float
) -> tuple[FloatArray, FloatArray, float]:
    """Presses and releases within a span, and the seconds in it with the pedal down."""
    cut = sustain.between(start_sec, end_sec)
    is_down: BoolArray = cut.value >= PEDAL_DOWN
    was_down = np.concatenate(([False], is_down[:-1]))
    is_carried = cut.time_sec <= start_sec
    press = cut.time_sec[is_down & ~was_down & ~is_carried]
    release = cut.time_sec[~is_down & was_down]
    length = np.diff(cut.time_sec, append=end_sec)
    return press, release, float(length[is_down].sum())

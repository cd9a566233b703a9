"""Pedalling: separation of harmonies, sustaining of the sound, and pedal timing.

Only the sustain pedal (controller 64) is rated. A file without any pedal event is not rated: it does not show
whether the player did not use the pedal or the instrument has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.music.performance import PEDAL_DOWN
from tocco.music.statistics.dynamics import LOW_VOICE_PITCH
from tocco.music.statistics.playing import Playing, pedal_crossings
from tocco.music.statistics.resonance import clashes, ringing
from tocco.music.statistics.summaries import MISSING, fraction, mean, median
from tocco.pseudo_labels.observed.evidence import NO_PEDAL, Evidence, Findings, Span
from tocco.pseudo_labels.observed.transcribed import without_press_lag
from tocco.pseudo_labels.places import place
from tocco.pseudo_labels.pseudo_label import Cause, ComponentKind, PseudoLabel
from tocco.pseudo_labels.raters.pedal_timing import USUAL_LIFT_SEC, read_pedal_timing
from tocco.pseudo_labels.raters.without_note_errors import WithoutNoteErrors, read_without_note_errors
from tocco.units import BoolArray, FloatArray, IntArray

PEDALING_TECHNIQUE: Final = "pedaling_technique"

COMPONENTS: Final = (
    ComponentKind(
        "blur",
        "count",
        "pedalled onsets: dissonances (notes a step apart, any octave) sustained by the pedal alone, mean",
        "less",
        0.18,
        needs="pedal",
    ),
    ComponentKind(
        "overhang",
        "s",
        "bass changes with the pedal down: time until it is lifted, at most 1 s, mean",
        "less",
        0.11,
        needs="pedal",
    ),
    ComponentKind(
        "pedal_distance",
        "ratio",
        "lifts and presses: distance from the onsets where they are expected, relative to chance, mean",
        "less",
        0.32,
    ),
    ComponentKind(
        "support",
        "fraction",
        "onsets whose sound is sustained by the pedal at some time",
        "more",
        0.36,
        needs="pedal",
    ),
    ComponentKind(
        "holes",
        "fraction",
        "onsets preceded by silence although the pedal was down since the previous onset",
        "less",
        0.03,
        needs="pedal",
        shape="root",
    ),
    ComponentKind(
        "held_through",
        "fraction",
        "bass changes during which the pedal stays down",
        "reported",
        needs="pedal",
    ),
    ComponentKind(
        "change_offset",
        "ms",
        "deviation of the lift from the usual 40 ms after a bass change, median",
        "reported",
        needs="pedal",
    ),
    ComponentKind("change_lag", "ms", "pedal lift after a bass change, median", "reported", needs="pedal"),
    ComponentKind("down_share", "fraction", "time with the pedal down", "reported", needs="pedal"),
    ComponentKind(
        "half_share", "fraction", "time with the pedal between 15 and 100 of 127", "reported", needs="pedal"
    ),
)

FEWEST: Final = 5
FEWEST_CHANGES: Final = 3
FEWEST_MOVES: Final = 2
"""Lifts and presses; a single pedal event is not informative."""

CHANCE_DISTANCE: Final = 1.0
"""Distance of random pedalling."""

LIFT_BEFORE_SEC: Final = 0.4
LIFT_AFTER_SEC: Final = 0.6
"""A lift this near to a bass change is assigned to it."""

LONGEST_OVERHANG_SEC: Final = 1.0
"""By then the previous harmony has decayed below the new one, or is held on purpose."""

HOLE_SEC: Final = 0.06
"""Shorter silences are detached articulation, not a gap."""

_CAUSE_CLASHES = 3.0
_DESCRIPTIONS = {
    "blur": "the pedal sustains {size:.0f} dissonant notes",
    "held through": "the pedal is not changed with the bass",
    "hole": "the sound stops before this beat",
}


@dataclass(frozen=True, eq=False)
class Pedalling:
    """Pedalling at each chord, on the time axis of `playing`.

    Attributes
    ----------
    blur : (C,) dissonances sustained by the pedal alone
    is_supported : (C,) the pedal is down at some time before the next chord
    is_carried : (C,) the pedal was down at some time since the previous chord
    is_hole : (C,) nothing sounds just before the chord
    change : (B,) index of the chords that change the bass
    is_held : (B,) the pedal is down throughout the change
    lag_sec : (B,) from the change to the assigned lift; NaN where there is none
    overhang_sec : (B,) from the change to the next lift, at most 1 s; NaN where the pedal is up
    """

    blur: FloatArray
    is_supported: BoolArray
    is_carried: BoolArray
    is_hole: BoolArray
    change: IntArray
    is_held: BoolArray
    lag_sec: FloatArray
    overhang_sec: FloatArray


def read_pedalling(evidence: Evidence) -> Pedalling:
    """Measure the pedalling at every chord of a whole performance."""
    playing = evidence.playing
    at, sounding = playing.chord_onset_sec, playing.sounding
    by_pedal = clashes(sounding, sounding.end_sec, playing) - clashes(sounding, sounding.offset_sec, playing)
    until = np.append(at[1:], playing.span_sec if len(at) else 0.0)
    supported = _down_between(playing, at, until)
    rings = ringing(sounding.onset_sec, sounding.end_sec, at - HOLE_SEC, 0.0, 0.0)
    rings += ringing(sounding.onset_sec, sounding.end_sec, at - 0.005, 0.0, 0.0)
    change = bass_changes(playing)
    held, lag = _changes(playing, at[change])
    return Pedalling(
        blur=np.maximum(by_pedal, 0.0),
        is_supported=supported,
        is_carried=np.concatenate([[False], supported[:-1]]) if len(at) else supported,
        is_hole=rings == 0,
        change=change,
        is_held=held,
        lag_sec=lag,
        overhang_sec=_overhang_sec(playing, at[change]),
    )


def _down_between(playing: Playing, start_sec: FloatArray, end_sec: FloatArray) -> BoolArray:
    """Whether the pedal is down at some time in each interval."""
    pressed, _ = pedal_crossings(playing.sustain)
    presses = np.searchsorted(pressed, end_sec, side="left") - np.searchsorted(
        pressed, start_sec, side="left"
    )
    return (presses > 0) | (playing.sustain.at(start_sec) >= PEDAL_DOWN)


def bass_changes(playing: Playing) -> IntArray:
    """(B,) index of the chords with a bass note of another pitch class than the previous bass note."""
    pitch = playing.struck.pitch[playing.bottom].astype(int)
    low = np.flatnonzero(pitch < LOW_VOICE_PITCH)
    return low[1:][np.diff(pitch[low] % 12) != 0]


def _changes(playing: Playing, at_sec: FloatArray) -> tuple[BoolArray, FloatArray]:
    """For each bass change: whether the pedal stays down, and the lag of the nearest lift."""
    _, lifted = pedal_crossings(playing.sustain)
    before = np.append(-np.inf, at_sec[:-1])
    after = np.append(at_sec[1:], np.inf)
    # A lift is assigned to the nearer of two changes.
    first = np.maximum(at_sec - LIFT_BEFORE_SEC, (before + at_sec) / 2.0)
    last = np.minimum(at_sec + LIFT_AFTER_SEC, (after + at_sec) / 2.0)
    low, high = np.searchsorted(lifted, first), np.searchsorted(lifted, last)
    down = playing.sustain.at(at_sec - 0.01) >= PEDAL_DOWN
    held = down & (high == low)
    lag = np.full(len(at_sec), MISSING)
    for k in np.flatnonzero(high > low):
        offsets = lifted[low[k] : high[k]] - at_sec[k]
        lag[k] = offsets[np.argmin(np.abs(offsets))]
    return held, lag


def _overhang_sec(playing: Playing, at_sec: FloatArray) -> FloatArray:
    """(B,) seconds for which the previous harmony is sustained after a change; NaN with the pedal up."""
    _, lifted = pedal_crossings(playing.sustain)
    until = np.append(lifted, np.inf)[np.searchsorted(lifted, at_sec, side="right")] - at_sec
    down = playing.sustain.at(at_sec) >= PEDAL_DOWN
    return np.where(down, np.minimum(until, LONGEST_OVERHANG_SEC), MISSING)


def measure_pedaling_technique(evidence: Evidence, span_sec: Span | None = None) -> PseudoLabel:
    """Measure the pedalling of a span, unscaled, on the performance without note errors."""
    findings = Findings(PEDALING_TECHNIQUE, COMPONENTS)
    if len(evidence.performance.sustain) == 0:
        findings.without(NO_PEDAL)
        return findings.label(evidence, 0)
    corrected = evidence.once(read_without_note_errors)
    evidence = corrected.evidence
    pedalling, inside = evidence.once(read_pedalling), evidence.chords_within(span_sec)
    few = "fewer than five onsets in this span"
    enough = inside.sum() >= FEWEST
    pedalled = inside & pedalling.is_supported
    blur = mean(pedalling.blur[pedalled]) if pedalled.sum() >= FEWEST else MISSING
    findings.measured("blur", blur, "fewer than five onsets are pedalled")
    findings.measured("support", fraction(pedalling.is_supported[inside]) if enough else MISSING, few)
    carried = inside & pedalling.is_carried
    holes = fraction(pedalling.is_hole[carried]) if carried.sum() >= FEWEST else MISSING
    findings.measured("holes", holes, "fewer than five onsets follow on pedalled ones")
    changes = inside[pedalling.change]
    few_changes = "there are too few bass changes"
    overhang = pedalling.overhang_sec[changes & np.isfinite(pedalling.overhang_sec)]
    over = mean(overhang) if len(overhang) >= FEWEST_CHANGES else MISSING
    findings.measured("overhang", over, "the pedal is down at too few bass changes")
    held = pedalling.is_held[changes]
    findings.measured("held_through", fraction(held) if len(held) >= FEWEST_CHANGES else MISSING, few_changes)
    lag = pedalling.lag_sec[changes & np.isfinite(pedalling.lag_sec)]
    several = len(lag) >= FEWEST_CHANGES
    no_lifts = "the pedal is lifted at too few bass changes"
    off = median(np.abs(lag - USUAL_LIFT_SEC)) if several else MISSING
    findings.measured("change_offset", 1000.0 * off, no_lifts)
    findings.measured("change_lag", 1000.0 * median(lag) if several else MISSING, no_lifts)
    _measure_timing(findings, evidence, span_sec, int(held.sum()))
    _measure_depth(findings, evidence, span_sec)
    findings.caused(_causes(corrected, pedalling, inside))
    return findings.label(evidence, int(inside.sum()))


def _measure_timing(findings: Findings, evidence: Evidence, span_sec: Span | None, n_held: int) -> None:
    """Measure the distance of pedal events from the onsets where they are expected.

    Pedalling with fewer than two events during three bass changes is rated like chance.
    """
    timing = evidence.once(read_pedal_timing)
    if timing is None:
        findings.measured("pedal_distance", MISSING, evidence.why_unwritten())
        return
    events = evidence.covers(timing.event_sec + evidence.clock_sec, span_sec) & np.isfinite(timing.distance)
    distance = CHANCE_DISTANCE if n_held >= FEWEST_CHANGES else MISSING
    if events.sum() >= FEWEST_MOVES:
        distance = mean(timing.distance[events])
    findings.measured("pedal_distance", distance, "there are fewer than two pedal events near an onset")


def _measure_depth(findings: Findings, evidence: Evidence, span_sec: Span | None) -> None:
    """Measure the share of time with the pedal down, and with it half down."""
    start, end = span_sec if span_sec is not None else (0.0, evidence.performance.duration_sec)
    if not end > start:
        findings.measured("down_share", MISSING, "the span is empty")
        findings.measured("half_share", MISSING, "the span is empty")
        return
    sustain = evidence.performance.sustain
    curve = (without_press_lag(sustain) if evidence.is_transcribed else sustain).between(start, end)
    edge = np.concatenate([[start], curve.time_sec, [end]])
    value, lasts = np.concatenate([[0.0], curve.value]), np.diff(edge)
    findings.measured("down_share", float(lasts[value >= PEDAL_DOWN].sum() / (end - start)), "")
    findings.measured("half_share", float(lasts[(value > 15) & (value < 100)].sum() / (end - start)), "")


def _causes(corrected: WithoutNoteErrors, pedalling: Pedalling, inside: BoolArray) -> list[Cause]:
    """Chords that are dissonant with sustained notes, bass changes without pedal change, and gaps."""
    blurred = np.flatnonzero((pedalling.blur >= _CAUSE_CLASHES) & inside)
    held = pedalling.change[pedalling.is_held & inside[pedalling.change]]
    holes = np.flatnonzero(pedalling.is_hole & pedalling.is_carried & inside)
    found = [(int(c), "blur", float(pedalling.blur[c])) for c in blurred]
    found += [(int(c), "held through", 1.0) for c in held]
    found += [(int(c), "hole", 1.0) for c in holes]
    return [_cause(corrected, chord, kind, size) for chord, kind, size in found]


def _cause(corrected: WithoutNoteErrors, chord: int, kind: str, size: float) -> Cause:
    evidence = corrected.evidence
    members = evidence.playing.index[evidence.playing.chord_of == chord]
    at_sec = float(evidence.playing.chord_onset_sec[chord]) + evidence.clock_sec
    beat = None if evidence.alignment is None else float(evidence.alignment.performance_beat[members[0]])
    text = f"{place(evidence.alignment, beat, at_sec)}: {_DESCRIPTIONS[kind].format(size=size)}"
    return Cause(at_sec, at_sec, kind, text, tuple(int(n) for n in corrected.note[members]), (), size)

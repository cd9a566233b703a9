"""Articulation: key-down duration relative to the norm, its consistency, and the clarity of attacks.

Only keys are considered; the pedal is another dimension. Durations are log ratios of key-down to written
duration, whose ratio is one plus the key overlap ratio (Repp 1995; Bresin and Battel 2000), at the local
tempo, a median over five onsets, so that a single displaced key changes it little. They are compared with
what competent pianists do in the same context (`norms.touch`): shorter than their median is dry, longer than
their 80th percentile is heavy. A key held into a note a step away blurs a line regardless of the pedal; a
finger that stays on a chord note does not, and counts only by its duration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.music.alignment import Alignment
from tocco.music.names import key_name
from tocco.music.note_features import line_overlap_log
from tocco.music.statistics.score_articulation import articulation_log
from tocco.music.statistics.summaries import MISSING, mean, median
from tocco.music.statistics.written import SAME_BEAT, Written
from tocco.pseudo_labels.norms.touch import TouchNorm, read_touch_norm
from tocco.pseudo_labels.observed.evidence import HIDDEN_TOUCH, NO_AUDIO, Evidence, Findings, Span
from tocco.pseudo_labels.observed.onset_spectra import read_onset_spectra
from tocco.pseudo_labels.observed.transcribed import LEAST_OBSERVED_SHARE, is_released_under_pedal
from tocco.pseudo_labels.places import place
from tocco.pseudo_labels.pseudo_label import Cause, ComponentKind, PseudoLabel
from tocco.pseudo_labels.raters.rhythmic_precision import read_timing
from tocco.units import BoolArray, FloatArray, IntArray

ARTICULATION_QUALITY: Final = "articulation_quality"

COMPONENTS: Final = (
    ComponentKind(
        "cut_short",
        "log",
        "key-down time below the usual duration of such a note, mean",
        "less",
        0.43,
    ),
    ComponentKind(
        "held_over",
        "log",
        "key-down time beyond the 80th percentile of competent pianists for such a note, mean",
        "less",
        0.18,
    ),
    ComponentKind(
        "step_overlap",
        "ratio",
        "key held into a later note a step away, relative to its own written duration, mean",
        "less",
        0.16,
    ),
    ComponentKind(
        "inconsistency",
        "log",
        "key-down to written duration, change between successive notes of one line and note value, median",
        "less",
        0.1,
        shape="log",
        from_value=0.15,
    ),
    ComponentKind(
        "staccato_contrast",
        "log",
        "staccato notes shorter than the others, relative to their written duration",
        "more",
        0.08,
    ),
    ComponentKind(
        "attack_clarity", "dB", "rise of spectral flux at the onsets, median", "more", 0.05, needs="audio"
    ),
    ComponentKind(
        "overlap",
        "log",
        "key-down duration to inter-onset interval of the line, median",
        "reported",
        needs="midi",
    ),
)
"""`inconsistency` starts at 15 %: smaller changes of duration are barely audible, so that uniformly short
notes gain little by their uniformity."""

FEWEST: Final = 8
FEWEST_SIGNS: Final = 3

STEP_SEMITONES: Final = (-2, -1, 1, 2)

LONGEST_LOG: Final = 1.5
"""Beyond 4.5 times the usual duration a key is simply held, and further length adds no penalty."""
LONGEST_OVERLAP: Final = 2.0
"""The same for the overlap with a step: twice the note's own duration."""
SHORTEST_WRITTEN_SEC: Final = 0.05

_CAUSE_LOG = 0.7
"""Half or double the usual duration."""


@dataclass(frozen=True, eq=False)
class Touch:
    """Articulation of each matched note.

    Attributes
    ----------
    held_log : (K,) log ratio of key-down to written duration
    norm : expected articulation of each note
    step_overlap : (K,) ratio of the time held into the next note a step away to the written duration
    is_free : (K,) False for keys held during a hesitation, and for keys repeated too soon
    is_observed : (K,) False where a transcription does not show the key release
    change_at, change_log : (R,) index into the matched notes, change of `held_log` from the note before
        Neighbours in one line with the same note value and sign.
    """

    held_log: FloatArray
    norm: TouchNorm
    step_overlap: FloatArray
    is_free: BoolArray
    is_observed: BoolArray
    change_at: IntArray
    change_log: FloatArray


def read_touch(evidence: Evidence) -> Touch | None:
    """Measure the articulation of every matched note of a whole performance.

    Returns
    -------
    None without a score, and where a transcription hides the releases of more than a third of the notes.
    """
    written, alignment = evidence.written, evidence.alignment
    if written is None or alignment is None:
        return None
    struck = evidence.playing.struck
    length_sec = (struck.offset_sec - struck.onset_sec)[written.played]
    held = articulation_log(written, length_sec)
    norm = read_touch_norm(written, alignment.score)
    before, at, change = _changes(written, alignment, held, norm.is_short)
    is_free = free_to_hold(evidence, written)
    is_observed = ~hidden_releases(evidence, written, norm)
    if is_observed.mean() < LEAST_OBSERVED_SHARE:
        return None
    usable = (is_free & is_observed)[at] & is_observed[before]
    overlap = step_overlap(written, length_sec, alignment.score.pitch[written.note])
    return Touch(held, norm, overlap, is_free, is_observed, at[usable], change[usable])


def free_to_hold(evidence: Evidence, written: Written) -> BoolArray:
    """(K,) which keys the player was free to hold for any duration."""
    return ~(_held_in_a_wait(evidence, written) | _struck_again(evidence, written))


def hidden_releases(evidence: Evidence, written: Written, norm: TouchNorm) -> BoolArray:
    """(K,) notes whose key release a transcription does not show, because the pedal sustains them.

    Such a release is transcribed late rather than early: a note transcribed as short was short, while a long
    one may have been sustained by the pedal alone. In recorded MIDI none is hidden. A note also counts as
    hidden if it would have ended under the pedal at its usual duration; otherwise only those released before
    the pedal was pressed would remain, a biased selection.
    """
    if not evidence.is_transcribed:
        return np.zeros(len(written.note), dtype=bool)
    playing = evidence.playing
    onset, offset = (time[written.played] for time in (playing.struck.onset_sec, playing.struck.offset_sec))
    due = written.duration_beat * written.local_beat_sec[written.onset_of]
    usual = onset + np.exp(norm.usual_log) * due
    return is_released_under_pedal(playing.sustain, offset) | is_released_under_pedal(playing.sustain, usual)


def step_overlap(written: Written, length_sec: FloatArray, pitch: IntArray) -> FloatArray:
    """Overlap of each key with a later written note a semitone or a tone away.

    The next note counts from its due time at the local tempo; whether it comes on time is a matter of
    rhythm.

    Parameters
    ----------
    written
    length_sec : (K,) seconds that each matched key is down
    pitch : (K,) of the matched notes, as written

    Returns
    -------
    (K,) ratio to the written duration, 0..2
    """
    n = len(pitch)
    order = np.lexsort((written.beat, pitch))
    # One ascending key for pitch and beat: all beats of a pitch precede those of the next pitch.
    lasts = float(np.ptp(written.beat)) + float(written.duration_beat.max()) + 1.0
    beat = written.beat - written.beat.min()
    row = (pitch * lasts + beat)[order]
    following = np.full(n, np.inf)
    for step in STEP_SEMITONES:
        at = np.searchsorted(row, (pitch + step) * lasts + beat + written.duration_beat - SAME_BEAT)
        found = order[np.minimum(at, n - 1)]
        is_there = (at < n) & (pitch[found] == pitch + step)
        following = np.minimum(following, np.where(is_there, beat[found], np.inf))
    beat_sec = written.local_beat_sec[written.onset_of]
    into = np.maximum(length_sec - (following - beat) * beat_sec, 0.0)
    due = np.maximum(written.duration_beat * beat_sec, SHORTEST_WRITTEN_SEC)
    return np.minimum(into / due, LONGEST_OVERLAP)


def _held_in_a_wait(evidence: Evidence, written: Written) -> BoolArray:
    """(K,) keys held while the player hesitates, restarts or skips, which is no articulation."""
    timing = evidence.once(read_timing)
    if timing is None:
        return np.zeros(len(written.note), dtype=bool)
    stops = np.concatenate([[0], np.cumsum((timing.lost_sec > 0.0) | ~np.isfinite(timing.ioi_sec))])
    offset = evidence.playing.struck.offset_sec[written.played]
    rising = np.maximum.accumulate(written.onset_sec)
    last = np.clip(np.searchsorted(rising, offset - 0.05, side="left"), written.onset_of, len(stops) - 1)
    return stops[last] > stops[written.onset_of]


def _struck_again(evidence: Evidence, written: Written) -> BoolArray:
    """(K,) keys that had to be released early because they are repeated before their written end."""
    struck = evidence.playing.struck
    order = np.lexsort((struck.onset_sec, struck.pitch))
    following = np.full(len(struck), np.inf)
    same = struck.pitch[order][1:] == struck.pitch[order][:-1]
    following[order[:-1][same]] = struck.onset_sec[order[1:][same]]
    due = written.duration_beat * written.local_beat_sec[written.onset_of]
    return following[written.played] < struck.onset_sec[written.played] + 0.9 * due


def _changes(
    written: Written, alignment: Alignment, held: FloatArray, is_short: BoolArray
) -> tuple[IntArray, IntArray, FloatArray]:
    """Successive notes of a voice with equal value and sign: two indices, and the change of log ratio."""
    voice = alignment.score.voice[written.note] + 1000 * written.staff
    order = np.lexsort((-alignment.score.pitch[written.note], written.onset_of, voice))
    # The highest note of a voice's chord represents the line.
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(written.onset_of[order]) != 0) | (np.diff(voice[order]) != 0)
    line = order[first]
    alike = np.diff(voice[line]) == 0
    alike &= np.abs(np.diff(written.duration_beat[line])) < 0.01
    alike &= is_short[line][1:] == is_short[line][:-1]
    follows = written.beat[line][:-1] + written.duration_beat[line][:-1]
    alike &= np.abs(written.beat[line][1:] - follows) < 0.05
    return line[:-1][alike], line[1:][alike], np.diff(held[line])[alike]


def measure_articulation_quality(evidence: Evidence, span_sec: Span | None = None) -> PseudoLabel:
    """Measure durations, their consistency and the clarity of attacks of a span, unscaled."""
    findings = Findings(ARTICULATION_QUALITY, COMPONENTS)
    touch, written = evidence.once(read_touch), evidence.written
    if touch is not None and is_hidden(touch, evidence.matched_within(span_sec)):
        touch = None
    inside = evidence.struck_within(span_sec)
    few = f"fewer than {FEWEST} notes in this span"
    if touch is None and written is not None:
        findings.without(HIDDEN_TOUCH, "score", "midi")
    else:
        overlap = line_overlap_log(evidence.playing)[inside] if inside.any() else np.zeros(0)
        overlap = overlap[np.isfinite(overlap)]
        findings.measured("overlap", median(overlap) if len(overlap) >= FEWEST else MISSING, few)
    _measure_attack(findings, evidence, span_sec)
    if touch is None or written is None:
        if written is None:
            findings.without(evidence.why_unwritten(), "score")
        return findings.label(evidence, int(inside.sum()))
    inside_free = evidence.matched_within(span_sec) & touch.is_free
    held, over = touch.held_log[inside_free], inside_free & touch.is_observed
    lengths = {
        "cut_short": np.maximum(touch.norm.usual_log[inside_free] - held, 0.0),
        "held_over": np.clip(touch.held_log[over] - touch.norm.long_log[over], 0.0, LONGEST_LOG),
        "step_overlap": touch.step_overlap[over],
    }
    for name, value in lengths.items():
        findings.measured(name, mean(value) if len(value) >= FEWEST else MISSING, few)
    change = np.abs(touch.change_log[inside_free[touch.change_at]])
    steady = median(change) if len(change) >= FEWEST else MISSING
    findings.measured("inconsistency", steady, "fewer than eight successive notes share note value and sign")
    short, lasts = touch.norm.is_short[over], touch.held_log[over]
    signs = min(int(short.sum()), int((~short).sum())) >= FEWEST_SIGNS
    contrast = median(lasts[~short]) - median(lasts[short]) if signs else MISSING
    findings.measured(
        "staccato_contrast", contrast, "fewer than three notes with, or without, a staccato sign"
    )
    findings.caused(_causes(evidence, written, touch, inside_free))
    return findings.label(evidence, int(inside_free.sum()))


def is_hidden(touch: Touch, inside: BoolArray) -> bool:
    """Whether too many releases of the selected matched notes, (K,), are hidden for a rating."""
    return bool(inside.any()) and float(touch.is_observed[inside].mean()) < LEAST_OBSERVED_SHARE


def _measure_attack(findings: Findings, evidence: Evidence, span_sec: Span | None) -> None:
    spectra = evidence.once(read_onset_spectra)
    if spectra is None:
        findings.without(NO_AUDIO, "audio")
        return
    rise = spectra.rise_db[evidence.groups_within(span_sec)]
    rise = rise[np.isfinite(rise)]
    findings.measured(
        "attack_clarity", median(rise) if len(rise) >= FEWEST else MISSING, "fewer than eight onsets"
    )


def _causes(evidence: Evidence, written: Written, touch: Touch, inside: BoolArray) -> list[Cause]:
    """Notes held for less than half, or more than double, of the usual duration."""
    found = []
    off = touch.held_log - touch.norm.usual_log
    known = np.where(off > 0.0, touch.is_observed, True)
    for k in np.flatnonzero(inside & known & (np.abs(off) > _CAUSE_LOG)):
        note = int(evidence.playing.index[written.played[k]])
        start, end = float(evidence.performance.onset_sec[note]), float(evidence.performance.offset_sec[note])
        where = place(evidence.alignment, float(written.beat[k]), start)
        name = key_name(int(evidence.performance.pitch[note]))
        share, usual = 100.0 * np.exp([touch.held_log[k], touch.norm.usual_log[k]])
        kind = "held longer than usual" if off[k] > 0 else "cut short"
        text = f"{where}: {name} is {kind} ({share:.0f} % of its written duration, {usual:.0f} % is usual)"
        found.append(Cause(start, end, kind, text, (note,), (int(written.note[k]),), abs(float(off[k]))))
    return found

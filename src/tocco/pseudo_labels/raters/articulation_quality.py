"""Articulation: how long the keys are held against what such notes ask for, how alike, how clear they speak.

Keys alone are looked at: the pedal is another dimension. Lengths are logarithms of key-down time over
written time, which is one plus the key overlap ratio (Repp 1995; Bresin and Battel 2000), at the tempo
around each note, a median over five onsets, so that a single displaced key changes it little. They are
held against what competent players do with such a note (`touch_norm`): shorter than that is dry, and
longer than four in five of them is heavy. Keys that stay down under a note a step away smear a line
whatever the pedal does; a finger left on a chord note does not, and counts only for its length.
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
from tocco.pseudo_labels.observed.transcribed import LEAST_HEARD_SHARE, is_let_go_under
from tocco.pseudo_labels.places import place
from tocco.pseudo_labels.pseudo_label import Cause, ComponentKind, PseudoLabel
from tocco.pseudo_labels.raters.rhythmic_precision import read_timing
from tocco.units import BoolArray, FloatArray, IntArray

ARTICULATION_QUALITY: Final = "articulation_quality"

COMPONENTS: Final = (
    ComponentKind(
        "cut_short",
        "log",
        "key-down time short of what is usual for such a note, mean",
        "less",
        0.43,
    ),
    ComponentKind(
        "held_over",
        "log",
        "key-down time beyond what four in five players give such a note, mean",
        "less",
        0.18,
    ),
    ComponentKind(
        "step_overlap",
        "ratio",
        "key held into a later note a step away, against its own written length, mean",
        "less",
        0.16,
    ),
    ComponentKind(
        "inconsistency",
        "log",
        "key-down against written time, change from note to note of one line and value, median",
        "less",
        0.1,
        shape="log",
        from_value=0.15,
    ),
    ComponentKind(
        "staccato_contrast",
        "log",
        "staccato notes shorter than the others, for what is written",
        "more",
        0.08,
    ),
    ComponentKind(
        "attack_clarity", "dB", "rise of the sound's flux at the onsets, median", "more", 0.05, needs="audio"
    ),
    ComponentKind(
        "overlap",
        "log",
        "key down against the time to the line's next note, median",
        "reported",
        needs="midi",
    ),
)
"""A change of length by less than 15 % is hardly heard, so that keys that are all equally short gain little
by it."""

FEWEST: Final = 8
FEWEST_SIGNS: Final = 3

STEP_SEMITONES: Final = (-2, -1, 1, 2)

LONGEST_LOG: Final = 1.5
"""Beyond 4.5 times the usual time a key is simply kept down: no more wrong for being longer still."""
LONGEST_OVERLAP: Final = 2.0
"""Twice its own length: the same, for a key that lies under a step."""
SHORTEST_WRITTEN_SEC: Final = 0.05

_CAUSE_LOG = 0.7
"""Half or double the usual time."""


@dataclass(frozen=True, eq=False)
class Touch:
    """How long each matched note is held.

    Attributes
    ----------
    held_log : (K,) logarithm of key-down against written time
    norm : what is usual for each
    step_overlap : (K,) ratio of the time into the next note a step away to the written time
    is_told : (K,) False for keys held while the player waited, and for keys struck again too soon
    is_heard : (K,) False where a transcriber cannot tell how long the key was held over
    change_at, change_log : (R,) index into the matched notes, change of `held_log` from the note before
        Neighbours of one line that share value and sign.
    """

    held_log: FloatArray
    norm: TouchNorm
    step_overlap: FloatArray
    is_told: BoolArray
    is_heard: BoolArray
    change_at: IntArray
    change_log: FloatArray


def read_touch(evidence: Evidence) -> Touch | None:
    """Measure the length of every matched key of a whole performance.

    Returns
    -------
    None without a score, and where the pedal hides from a transcriber how long more than a third of the keys
    were held.
    """
    written, alignment = evidence.written, evidence.alignment
    if written is None or alignment is None:
        return None
    struck = evidence.playing.struck
    length_sec = (struck.offset_sec - struck.onset_sec)[written.played]
    held = articulation_log(written, length_sec)
    norm = read_touch_norm(written, alignment.score)
    before, at, change = _changes(written, alignment, held, norm.is_short)
    is_told = tells_of_touch(evidence, written)
    is_heard = ~ends_hidden(evidence, written, norm)
    if is_heard.mean() < LEAST_HEARD_SHARE:
        return None
    kept = (is_told & is_heard)[at] & is_heard[before]
    overlap = step_overlap(written, length_sec, alignment.score.pitch[written.note])
    return Touch(held, norm, overlap, is_told, is_heard, at[kept], change[kept])


def tells_of_touch(evidence: Evidence, written: Written) -> BoolArray:
    """(K,) which keys were free to be held as long as the player wished."""
    return ~(_held_in_a_wait(evidence, written) | _struck_again(evidence, written))


def ends_hidden(evidence: Evidence, written: Written, norm: TouchNorm) -> BoolArray:
    """(K,) of which notes a transcriber cannot hear the key come up: the pedal carries them on.

    Such an end is told late rather than early, so that a note told short was short, while one told long may
    have been carried by the pedal alone. From keys none is hidden. A note counts as hidden too if it would
    have ended under the pedal at its usual length: else of such notes only those would be left that were let
    go before the pedal came.
    """
    if not evidence.is_transcribed:
        return np.zeros(len(written.note), dtype=bool)
    playing = evidence.playing
    onset, offset = (time[written.played] for time in (playing.struck.onset_sec, playing.struck.offset_sec))
    due = written.duration_beat * written.local_beat_sec[written.onset_of]
    usual = onset + np.exp(norm.usual_log) * due
    return is_let_go_under(playing.sustain, offset) | is_let_go_under(playing.sustain, usual)


def step_overlap(written: Written, length_sec: FloatArray, pitch: IntArray) -> FloatArray:
    """How far each key is held into a note a semitone or a tone away that is written after its end.

    The next note counts from when it is due at the tempo around: whether it comes in time is a matter
    of rhythm.

    Parameters
    ----------
    written
    length_sec : (K,) seconds that each matched key is down
    pitch : (K,) of the matched notes, as written

    Returns
    -------
    (K,) ratio to the written length, 0..2
    """
    n = len(pitch)
    order = np.lexsort((written.beat, pitch))
    # One ascending number for pitch and beat: all beats of a pitch come before those of the next.
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
    """(K,) keys kept down while the player hesitates, begins again or skips: that is no touch."""
    timing = evidence.once(read_timing)
    if timing is None:
        return np.zeros(len(written.note), dtype=bool)
    stops = np.concatenate([[0], np.cumsum((timing.lost_sec > 0.0) | ~np.isfinite(timing.wait_sec))])
    offset = evidence.playing.struck.offset_sec[written.played]
    rising = np.maximum.accumulate(written.onset_sec)
    last = np.clip(np.searchsorted(rising, offset - 0.05, side="left"), written.onset_of, len(stops) - 1)
    return stops[last] > stops[written.onset_of]


def _struck_again(evidence: Evidence, written: Written) -> BoolArray:
    """(K,) keys that had to come up because they are struck again before their written end."""
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
    """Neighbours of a voice that are written alike, one and the next, and the change of the ratio between."""
    voice = alignment.score.voice[written.note] + 1000 * written.staff
    order = np.lexsort((-alignment.score.pitch[written.note], written.onset_of, voice))
    # Of a voice's chord the highest note stands for the line.
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
    """Measure held lengths, their consistency and the clarity of the attacks of a span, unscaled."""
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
    kept = evidence.matched_within(span_sec) & touch.is_told
    held, over = touch.held_log[kept], kept & touch.is_heard
    lengths = {
        "cut_short": np.maximum(touch.norm.usual_log[kept] - held, 0.0),
        "held_over": np.clip(touch.held_log[over] - touch.norm.long_log[over], 0.0, LONGEST_LOG),
        "step_overlap": touch.step_overlap[over],
    }
    for name, value in lengths.items():
        findings.measured(name, mean(value) if len(value) >= FEWEST else MISSING, few)
    change = np.abs(touch.change_log[kept[touch.change_at]])
    steady = median(change) if len(change) >= FEWEST else MISSING
    findings.measured("inconsistency", steady, "fewer than eight neighbours are written alike")
    short, lasts = touch.norm.is_short[over], touch.held_log[over]
    signs = min(int(short.sum()), int((~short).sum())) >= FEWEST_SIGNS
    contrast = median(lasts[~short]) - median(lasts[short]) if signs else MISSING
    findings.measured(
        "staccato_contrast", contrast, "fewer than three notes with, or without, a staccato sign"
    )
    findings.caused(_causes(evidence, written, touch, kept))
    return findings.label(evidence, int(kept.sum()))


def is_hidden(touch: Touch, inside: BoolArray) -> bool:
    """Whether of some of the matched notes, (K,), too many ends are hidden for their touch to be told."""
    return bool(inside.any()) and float(touch.is_heard[inside].mean()) < LEAST_HEARD_SHARE


def _measure_attack(findings: Findings, evidence: Evidence, span_sec: Span | None) -> None:
    spectra = evidence.once(read_onset_spectra)
    if spectra is None:
        findings.without(NO_AUDIO, "audio")
        return
    rise = spectra.rise_db[evidence.together_within(span_sec)]
    rise = rise[np.isfinite(rise)]
    findings.measured(
        "attack_clarity", median(rise) if len(rise) >= FEWEST else MISSING, "fewer than eight onsets"
    )


def _causes(evidence: Evidence, written: Written, touch: Touch, kept: BoolArray) -> list[Cause]:
    """Notes held for less than half, or more than double, of what is usual."""
    found = []
    off = touch.held_log - touch.norm.usual_log
    told = np.where(off > 0.0, touch.is_heard, True)
    for k in np.flatnonzero(kept & told & (np.abs(off) > _CAUSE_LOG)):
        note = int(evidence.playing.index[written.played[k]])
        start, end = float(evidence.performance.onset_sec[note]), float(evidence.performance.offset_sec[note])
        where = place(evidence.alignment, float(written.beat[k]), start)
        name = key_name(int(evidence.performance.pitch[note]))
        share, usual = 100.0 * np.exp([touch.held_log[k], touch.norm.usual_log[k]])
        kind = "held over" if off[k] > 0 else "cut short"
        text = f"{where}: {name} is {kind} ({share:.0f} % of its written length, {usual:.0f} % is usual)"
        found.append(Cause(start, end, kind, text, (note,), (int(written.note[k]),), abs(float(off[k]))))
    return found

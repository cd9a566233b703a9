"""Articulation: how long the keys are held against what is written, how alike, and how clear they speak.

Keys alone are looked at: the pedal is another dimension. The written length is measured with the tempo
around each note, a median over five onsets, so that a single displaced key changes it little. The ratio
of key-down time to written time is one plus the key overlap ratio (Repp 1995; Bresin and Battel 2000).
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
from tocco.music.statistics.written import Written
from tocco.pseudo_labels.evidence import NO_AUDIO, Evidence, Findings, Span
from tocco.pseudo_labels.onset_spectra import read_onset_spectra
from tocco.pseudo_labels.places import place
from tocco.pseudo_labels.pseudo_label import Cause, ComponentKind, PseudoLabel
from tocco.pseudo_labels.rhythmic_precision import read_timing
from tocco.units import BoolArray, FloatArray, IntArray

ARTICULATION_QUALITY: Final = "articulation_quality"

COMPONENTS: Final = (
    ComponentKind(
        "cut_short",
        "log",
        "notes without a staccato sign: key-down time short of 82 % of the written one, mean",
        "less",
        0.4,
    ),
    ComponentKind(
        "held_over",
        "log",
        "key-down time beyond 116 % of the written one, mean; staccato notes against half of it",
        "less",
        0.25,
    ),
    ComponentKind(
        "inconsistency",
        "log",
        "key-down against written time, change from note to note of one line and value, median",
        "less",
        0.2,
        shape="log",
        from_value=0.02,
    ),
    ComponentKind(
        "staccato_contrast",
        "log",
        "staccato notes shorter than the others, for what is written",
        "more",
        0.1,
    ),
    ComponentKind(
        "attack_clarity", "dB", "rise of the sound's flux at the onsets, median", "more", 0.05, needs="audio"
    ),
    ComponentKind(
        "overlap", "log", "key down against the time to the line's next note, median", "told", needs="midi"
    ),
)

FEWEST: Final = 8
FEWEST_SIGNS: Final = 3

SHORT_SIGNS: Final = frozenset({"staccato", "staccatissimo", "spiccato", "detached-legato"})
STACCATO_SHARE: Final = 0.5
"""A staccato note is held for about half of its value or less (Bresin and Battel 2000: 0.25 to 0.55)."""

FREE_SHORT_LOG: Final = 0.2
FREE_LONG_LOG: Final = 0.15
"""From 82 to 116 % of the written length a touch is a matter of taste: competent players are mostly there."""

LONGEST_LOG: Final = 1.5
"""Beyond 4.5 times the written time a key is simply kept down: no more wrong for being longer still."""

_CAUSE_LOG = 0.7
"""Half or double the written time."""


@dataclass(frozen=True, eq=False)
class Touch:
    """How long each matched note is held.

    Attributes
    ----------
    held_log : (K,) logarithm of key-down against written time
    is_short : (K,) a staccato sign stands at it
    is_told : (K,) False for keys held while the player waited, and for keys struck again too soon
    change_at, change_log : (R,) index into the matched notes, change of `held_log` from the note before
        Neighbours of one line that share value and sign.
    """

    held_log: FloatArray
    is_short: BoolArray
    is_told: BoolArray
    change_at: IntArray
    change_log: FloatArray


def read_touch(evidence: Evidence) -> Touch | None:
    """Measure the length of every matched key of a whole performance."""
    written, alignment = evidence.written, evidence.alignment
    if written is None or alignment is None:
        return None
    struck = evidence.playing.struck
    held = articulation_log(written, (struck.offset_sec - struck.onset_sec)[written.played])
    signs = [alignment.score.articulation[note].split(",") for note in written.note]
    is_short = np.array([not SHORT_SIGNS.isdisjoint(names) for names in signs], dtype=bool)
    at, change = _changes(written, alignment, held, is_short)
    is_told = ~(_held_in_a_wait(evidence, written) | _struck_again(evidence, written))
    kept = is_told[at]
    return Touch(held, is_short, is_told, at[kept], change[kept])


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
) -> tuple[IntArray, FloatArray]:
    """Change of the ratio between neighbours of a voice that are written alike."""
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
    return line[1:][alike], np.diff(held[line])[alike]


def measure_articulation_quality(evidence: Evidence, span_sec: Span | None = None) -> PseudoLabel:
    """Measure held lengths, their consistency and the clarity of the attacks of a span, unscaled."""
    findings = Findings(ARTICULATION_QUALITY, COMPONENTS)
    touch, written = evidence.once(read_touch), evidence.written
    if touch is None:
        findings.without(evidence.why_unwritten(), "score")
    inside = evidence.struck_within(span_sec)
    overlap = line_overlap_log(evidence.playing)[inside] if inside.any() else np.zeros(0)
    overlap = overlap[np.isfinite(overlap)]
    few = f"fewer than {FEWEST} notes in this span"
    findings.measured("overlap", median(overlap) if len(overlap) >= FEWEST else MISSING, few)
    _measure_attack(findings, evidence, span_sec)
    if touch is None or written is None:
        return findings.label(evidence, int(inside.sum()))
    kept = evidence.matched_within(span_sec) & touch.is_told
    held, short = touch.held_log[kept], touch.is_short[kept]
    long = held[~short]
    short_of = np.maximum(-FREE_SHORT_LOG - long, 0.0)
    findings.measured("cut_short", mean(short_of) if len(long) >= FEWEST else MISSING, few)
    beyond = np.where(short, held - np.log(STACCATO_SHARE), held) - FREE_LONG_LOG
    over = np.clip(beyond, 0.0, LONGEST_LOG)
    findings.measured("held_over", mean(over) if len(over) >= FEWEST else MISSING, few)
    change = np.abs(touch.change_log[kept[touch.change_at]])
    steady = median(change) if len(change) >= FEWEST else MISSING
    findings.measured("inconsistency", steady, "fewer than eight neighbours are written alike")
    signs = min(int(short.sum()), len(long)) >= FEWEST_SIGNS
    contrast = median(long) - median(held[short]) if signs else MISSING
    findings.measured(
        "staccato_contrast", contrast, "fewer than three notes with, or without, a staccato sign"
    )
    findings.caused(_causes(evidence, written, touch, kept))
    return findings.label(evidence, int(kept.sum()))


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
    """Notes held for less than half, or more than double, of what is written."""
    found = []
    due = np.where(touch.is_short, np.log(STACCATO_SHARE), 0.0)
    off = touch.held_log - due
    wrong = kept & ((off > _CAUSE_LOG) | ((off < -_CAUSE_LOG) & ~touch.is_short))
    for k in np.flatnonzero(wrong):
        note = int(evidence.playing.index[written.played[k]])
        start, end = float(evidence.performance.onset_sec[note]), float(evidence.performance.offset_sec[note])
        where = place(evidence.alignment, float(written.beat[k]), start)
        name = key_name(int(evidence.performance.pitch[note]))
        share = 100.0 * float(np.exp(touch.held_log[k]))
        kind = "held over" if off[k] > 0 else "cut short"
        text = f"{where}: {name} is {kind} ({share:.0f} % of its written length)"
        found.append(Cause(start, end, kind, text, (note,), (int(written.note[k]),), abs(float(off[k]))))
    return found

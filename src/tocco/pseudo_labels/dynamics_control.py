"""Dynamics control: range, evenness, the melody over its accompaniment, and what the page asks for.

Levels are MIDI velocities, in the order of the score where there is one: timing and wrong notes do not
enter. Evenness is taken against the range that is used, so that a flat performance is not an even one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.ndimage import median_filter

from tocco.music.notation import Mark
from tocco.music.statistics.summaries import (
    MISSING,
    correlation,
    group_median,
    mean,
    percentiles,
    rolling_mean,
)
from tocco.music.statistics.written import Written
from tocco.pseudo_labels.evidence import Evidence, Findings, Span
from tocco.pseudo_labels.places import place
from tocco.pseudo_labels.pseudo_label import Cause, ComponentKind, PseudoLabel
from tocco.units import BoolArray, FloatArray, IntArray

DYNAMICS_CONTROL: Final = "dynamics_control"

COMPONENTS: Final = (
    ComponentKind(
        "shaping",
        "velocity",
        "how far the level follows the course that lines, motion, texture and signs suggest",
        "more",
        0.4,
        needs="midi",
    ),
    ComponentKind(
        "level_range",
        "velocity",
        "smoothed level: 95th less 5th percentile",
        "more",
        0.08,
        needs="midi",
        shape="log",
        from_value=2.0,
    ),
    ComponentKind(
        "unevenness",
        "ratio",
        "notes off the median of the five of their line around them, against the range that the player uses",
        "less",
        0.27,
        needs="midi",
    ),
    ComponentKind(
        "melody_above_accompaniment",
        "velocity",
        "median level of the upper line above that of all other notes",
        "more",
        0.05,
        needs="midi",
    ),
    ComponentKind(
        "hairpin_change",
        "velocity",
        "change of level over marked crescendi, and over diminuendi turned round",
        "more",
        0.1,
    ),
    ComponentKind(
        "marked_levels",
        "correlation",
        "likeness of the levels played to those marked, pp to ff",
        "more",
        0.1,
    ),
    ComponentKind("level", "velocity", "median level", "told", needs="midi"),
)

FEWEST: Final = 8
"""Notes below which neither a range nor a line is one."""

LINE_NOTES: Final = 5
SMOOTH_ONSETS: Final = 5
RANGE_ONSETS: Final = 15
COURSE_ONSETS: Final = 9

TOP_VELOCITY: Final = 0.5
BOTTOM_VELOCITY: Final = -0.3
MOTION_VELOCITY: Final = 4.5
TEXTURE_VELOCITY: Final = -3.0
MARK_VELOCITY: Final = 2.8
HAIRPIN_VELOCITY: Final = 3.0
"""Velocity for a semitone of the upper and of the lower line, for e times as many onsets a beat, for twice
as many notes of an onset (more of them are inner ones), for a step from one sign to the next, and for a
hairpin: what pianists of ASAP show on average within ten seconds (least squares over 90 performances;
the course so made correlates with their levels by 0.4)."""

CONTEXT_SEC: Final = 5.0
"""A line is shaped over more than a few seconds: it is heard with so much before and after a span."""

_FLAT_COURSE = 0.25
_FEW = f"fewer than {FEWEST} notes in this span"

MARKED_LEVELS: Final = {
    "ppp": -3.5, "pp": -2.5, "p": -1.5, "mp": -0.5, "mf": 0.5, "f": 1.5, "ff": 2.5, "fff": 3.5,
}  # fmt: skip
"""Steps from the middle, one to a sign."""

_SPIKE_VELOCITY = 20.0
"""Far above what is just heard (about 5, Repp 1996), and rare as an accent inside a line."""


@dataclass(frozen=True, eq=False)
class Levels:
    """Velocities in the order of the music.

    Attributes
    ----------
    smooth : (G,) running median over five onsets of their median velocity
    course : (G,) what line and signs suggest of it, in velocity; only its changes mean anything
    line_onset : (L,) index 0..G-1 of the onset
    line_note : (L,) index into `playing.struck`
    line_off : (L,) velocity above the running median over five notes of the line
        Of the upper and the lower line, one after the other.
    """

    smooth: FloatArray
    course: FloatArray
    line_onset: IntArray
    line_note: IntArray
    line_off: FloatArray


def read_levels(evidence: Evidence) -> Levels:
    """Measure the levels of a whole performance, onset by onset."""
    together, velocity = evidence.together, evidence.playing.struck.velocity
    n_onsets = len(together.size)
    if n_onsets == 0:
        nothing = np.zeros(0, dtype=np.int64)
        return Levels(np.zeros(0), np.zeros(0), nothing, nothing, np.zeros(0))
    level = group_median(velocity[together.note], together.onset_of, n_onsets)
    lines = (together.top, together.bottom)
    line_note = np.concatenate(lines)
    line_level = np.concatenate([median_filter(velocity[line], LINE_NOTES, mode="nearest") for line in lines])
    return Levels(
        smooth=median_filter(level, SMOOTH_ONSETS, mode="nearest"),
        course=suggested_course(evidence),
        line_onset=np.tile(np.arange(n_onsets), 2),
        line_note=line_note,
        line_off=velocity[line_note] - line_level,
    )


def used_range(evidence: Evidence) -> float:
    """Velocity over which a whole performance moves, single loud or soft notes aside.

    The upper line's standard deviation and its mean distance from the lower line, squared and added, both
    lines smoothed by running medians over 15 onsets. It shrinks with the dynamics as a whole, and hardly
    changes with spikes, with the course of the level, or with the balance of inner voices.
    """
    together, velocity = evidence.together, evidence.playing.struck.velocity
    if not len(together.size):
        return 0.0
    top, bottom = (
        median_filter(velocity[line], RANGE_ONSETS, mode="nearest")
        for line in (together.top, together.bottom)
    )
    apart = np.abs(top - bottom)[together.size > 1]
    return float(np.sqrt(top.var() + (mean(apart) ** 2 if len(apart) else 0.0)))


def suggested_course(evidence: Evidence) -> FloatArray:
    """How the level would run if it followed the music: with the line, the motion, the texture, the signs.

    The rule "high loud" (Friberg 1991) and its like, smoothed over nine onsets, and the signs from pp to
    ff and the hairpins where a score has them. A player may shape otherwise with good reason, for a while.

    Returns
    -------
    (G,) velocity, of the onsets of `together`
    """
    together, struck, written = evidence.together, evidence.playing.struck, evidence.written
    place = together.onset_sec if written is None else written.onset_beat
    wait = np.maximum(np.diff(place, append=place[-1] + 1.0), 0.03)
    course = (
        TOP_VELOCITY * rolling_mean(struck.pitch[together.top], COURSE_ONSETS)
        + BOTTOM_VELOCITY * rolling_mean(struck.pitch[together.bottom], COURSE_ONSETS)
        - MOTION_VELOCITY * np.log(rolling_mean(wait, COURSE_ONSETS))
        + TEXTURE_VELOCITY * rolling_mean(np.log2(together.size), COURSE_ONSETS)
    )
    if written is None or evidence.score is None:
        return course
    asked = marked_level(evidence.score.marks, written.onset_beat)
    known = np.isfinite(asked)
    usual = float(asked[known].mean()) if known.any() else 0.0
    course = course + MARK_VELOCITY * np.where(known, asked - usual, 0.0)
    return course + HAIRPIN_VELOCITY * _hairpins(evidence.score.marks, written.onset_beat)


def _hairpins(marks: tuple[Mark, ...], beat: FloatArray) -> FloatArray:
    """(G,) 0 to 1 along each crescendo, 0 to -1 along each diminuendo."""
    along = np.zeros(len(beat))
    for mark in marks:
        if mark.kind in ("crescendo", "diminuendo") and mark.end_beat > mark.onset_beat:
            share = (beat - mark.onset_beat) / (mark.end_beat - mark.onset_beat)
            sign = 1.0 if mark.kind == "crescendo" else -1.0
            along += np.where((share >= 0.0) & (share <= 1.0), sign * share, 0.0)
    return along


def _shaping(levels: Levels, onsets: BoolArray) -> float:
    """Velocity by which the level moves for one standard deviation of the suggested course."""
    course, level = levels.course[onsets], levels.smooth[onsets]
    spread = float(course.std())
    return float(np.mean((course - course.mean()) * level)) / spread if spread > _FLAT_COURSE else MISSING


def measure_dynamics_control(evidence: Evidence, span_sec: Span | None = None) -> PseudoLabel:
    """Measure range, evenness, lines and marks of a span, unscaled."""
    findings = Findings(DYNAMICS_CONTROL, COMPONENTS)
    if evidence.written is None:
        findings.without(evidence.why_unwritten(), "score")
    levels, together = evidence.once(read_levels), evidence.together
    onsets = evidence.together_within(span_sec)
    kept = onsets[together.onset_of] if len(onsets) else np.zeros(0, dtype=bool)
    if kept.sum() < FEWEST:
        findings.without(_FEW, "midi")
    else:
        wide = None if span_sec is None else (span_sec[0] - CONTEXT_SEC, span_sec[1] + CONTEXT_SEC)
        _measure_levels(findings, evidence, levels, onsets, evidence.together_within(wide))
        findings.caused(_spikes(evidence, levels, onsets))
    if evidence.written is not None:
        _measure_marks(findings, evidence, levels, evidence.written, span_sec)
    return findings.label(evidence, int(kept.sum()))


def _measure_levels(
    findings: Findings, evidence: Evidence, levels: Levels, onsets: BoolArray, around: BoolArray
) -> None:
    """Measure range, evenness, and the upper line over the rest."""
    together, struck = evidence.together, evidence.playing.struck
    kept = onsets[together.onset_of]
    velocity = struck.velocity[together.note[kept]]
    low, high = percentiles(levels.smooth[onsets], (5.0, 95.0))
    findings.measured("level_range", float(high - low), _FEW)
    findings.measured("level", float(np.median(velocity)), _FEW)
    off = np.abs(levels.line_off[onsets[levels.line_onset]])
    whole = evidence.once(used_range)
    uneven = mean(off) / whole if whole > 0.0 else MISSING
    findings.measured("unevenness", uneven, "the whole performance stays at one level")
    findings.measured("shaping", _shaping(levels, around), "the music suggests no course")
    top = together.top[onsets]
    is_top = np.zeros(len(struck), dtype=bool)
    is_top[together.top] = True
    rest = velocity[~is_top[together.note[kept]]]
    above = float(np.median(struck.velocity[top]) - np.median(rest)) if len(rest) else MISSING
    findings.measured("melody_above_accompaniment", above, "there is one line alone")


def hairpin_change(evidence: Evidence, levels: Levels, written: Written, mark: Mark) -> float:
    """How far the level moves as a hairpin asks: above 0 with it, below 0 against it.

    The straight line through the onsets' smoothed levels under the mark, from its start to its end.
    """
    under = (written.onset_beat >= mark.onset_beat - 1e-6) & (written.onset_beat <= mark.end_beat + 1e-6)
    beat, level = written.onset_beat[under], levels.smooth[under]
    if len(beat) < 3 or np.ptp(beat) <= 0.0:
        return MISSING
    rise = float(np.polyfit(beat - beat.mean(), level, 1)[0] * np.ptp(beat))
    return rise if mark.kind == "crescendo" else -rise


def _measure_marks(
    findings: Findings, evidence: Evidence, levels: Levels, written: Written, span_sec: Span | None
) -> None:
    """Follow the hairpins that touch the span, and the levels marked over its onsets."""
    score, onsets = evidence.score, evidence.onsets_within(span_sec)
    played = written.onset_beat[onsets]
    if score is None or not len(played):
        findings.without("no written onset is in this span", "score")
        return
    hairpins = [
        mark
        for mark in score.marks
        if mark.kind in ("crescendo", "diminuendo")
        and mark.end_beat > mark.onset_beat
        and mark.onset_beat <= played[-1]
        and mark.end_beat >= played[0]
    ]
    changes = np.array([hairpin_change(evidence, levels, written, mark) for mark in hairpins])
    changes = changes[np.isfinite(changes)]
    findings.measured("hairpin_change", mean(changes), "no hairpin is marked here")
    findings.caused(_against_hairpins(evidence, levels, written, hairpins))
    asked = marked_level(score.marks, written.onset_beat)[onsets]
    known = np.isfinite(asked)
    likeness = correlation(asked[known], levels.smooth[onsets][known])
    findings.measured("marked_levels", likeness, "no two different levels are marked here")


def marked_level(marks: tuple[Mark, ...], beat: FloatArray) -> FloatArray:
    """The level that holds at each beat, after the last sign from ppp to fff.

    Returns
    -------
    (G,) steps from the middle between mp and mf; NaN before the first sign
    """
    signs = [(m.onset_beat, MARKED_LEVELS[m.text.strip()]) for m in marks
             if m.kind == "dynamics" and m.text.strip() in MARKED_LEVELS]  # fmt: skip
    if not signs:
        return np.full(len(beat), MISSING)
    at, step = (np.array(column) for column in zip(*sorted(signs), strict=True))
    holds = np.searchsorted(at, beat + 1e-6, side="right") - 1
    return np.where(holds >= 0, step[np.maximum(holds, 0)], MISSING)


def _spikes(evidence: Evidence, levels: Levels, onsets: BoolArray) -> list[Cause]:
    """Notes that stick out of their line."""
    found = []
    beats = evidence.alignment.performance_beat if evidence.alignment is not None else None
    for k in np.flatnonzero((np.abs(levels.line_off) > _SPIKE_VELOCITY) & onsets[levels.line_onset]):
        note = int(evidence.playing.index[levels.line_note[k]])
        at_sec = float(evidence.performance.onset_sec[note])
        where = place(evidence.alignment, None if beats is None else float(beats[note]), at_sec)
        off = float(levels.line_off[k])
        said = "sticks out of" if off > 0 else "drops out of"
        text = f"{where}: one note {said} its line ({off:+.0f} velocity)"
        found.append(Cause(at_sec, at_sec, "uneven", text, (note,), (), abs(off)))
    return list({cause.performance_notes: cause for cause in found}.values())


def _against_hairpins(
    evidence: Evidence, levels: Levels, written: Written, hairpins: list[Mark]
) -> list[Cause]:
    """Hairpins that are not played, or played the other way."""
    found = []
    for mark in hairpins:
        change = hairpin_change(evidence, levels, written, mark)
        if evidence.alignment is None or not np.isfinite(change) or change > 0.0:
            continue
        start, end = (float(t) for t in evidence.alignment.sec_at(np.array([mark.onset_beat, mark.end_beat])))
        where = place(evidence.alignment, mark.onset_beat, start)
        text = f"{where}: the {mark.kind} is not played (level moves {change:+.0f} along it)"
        found.append(Cause(start, end, "hairpin", text, (), (), abs(change)))
    return found

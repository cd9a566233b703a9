"""Dynamics control: range, evenness, accents, the melody over its accompaniment, and what the page asks for.

Levels are steps of velocity (`Evidence.velocity`), in the order of the score where there is one: wrong
notes do not enter, and timing only so far as it decides what is near. Evenness is taken against how far the
player moves the level and sets the voices apart in the whole performance, so that a flat one is not an even
one; single notes that stick out hardly change that spread, nor does where the loud passages are. Ten
seconds alone have less of it than the same seconds within a longer performance.
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
)
from tocco.music.statistics.written import Written
from tocco.pseudo_labels.norms.accents import read_accents
from tocco.pseudo_labels.norms.level import (
    against_minute,
    general_level,
    marked_level,
    suggested_course,
)
from tocco.pseudo_labels.observed.evidence import Evidence, Findings, Span
from tocco.pseudo_labels.observed.voices import voice_means
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
        0.34,
        needs="midi",
    ),
    ComponentKind(
        "level_range",
        "velocity",
        "level of about three seconds: 95th less 5th percentile",
        "more",
        0.1,
        needs="midi",
        shape="log",
        from_value=2.0,
    ),
    ComponentKind(
        "unevenness",
        "ratio",
        "notes off the median of the five of their line around them, against the spread of level and voices",
        "less",
        0.25,
        needs="midi",
        shape="log",
        from_value=0.05,
    ),
    ComponentKind(
        "accentuation",
        "velocity",
        "how far single notes follow the accents that pitch, motion, metre, values and signs suggest",
        "more",
        0.1,
        needs="midi",
    ),
    ComponentKind(
        "melody_above_accompaniment",
        "velocity",
        "median level of the upper line above that of all other notes",
        "more",
        0.04,
        needs="midi",
    ),
    ComponentKind(
        "hairpin_change",
        "velocity",
        "change of level over marked crescendi, and over diminuendi turned round",
        "more",
        0.085,
    ),
    ComponentKind(
        "marked_levels",
        "correlation",
        "likeness of the levels played to those marked, pp to ff",
        "more",
        0.085,
    ),
    ComponentKind("level", "velocity", "median level", "reported", needs="midi"),
)

FEWEST: Final = 8
"""Notes below which neither a range nor a line is one."""

LINE_NOTES: Final = 5
SMOOTH_ONSETS: Final = 5

CONTEXT_SEC: Final = 5.0
"""A line is shaped over more than a few seconds: it is heard with so much before and after a span."""

_NOTHING_SUGGESTED = 0.25
"""Velocity; a course or accents of less than that, root mean square, suggest nothing."""
_STILL = 1e-9
_FEW = f"fewer than {FEWEST} notes in this span"

_SPIKE_VELOCITY = 20.0
"""Far above what is just heard (about 5, Repp 1996), and rare as an accent inside a line."""

_LOST_ACCENT_VELOCITY = -5.0
"""An accented note that is so far below what is near is heard as softer."""


@dataclass(frozen=True, eq=False)
class Levels:
    """Velocities in the order of the music.

    Attributes
    ----------
    smooth : (G,) running median over five onsets of their median velocity
    near : (G,) velocity: level of about three seconds, each voice against its own mean
    swelling : (G,) velocity: that, less the minute around
    course : (G,) velocity: what line, motion, harmony and signs suggest of that
    line_onset : (L,) index 0..G-1 of the onset
    line_note : (L,) index into `playing.struck`
    line_off : (L,) velocity above the running median over five notes of the line
        Of the upper and the lower line, one after the other.
    spread : velocity: root of the sum of two variances over the whole performance, that of the level over
        the onsets and that of the voices' means over the notes
    """

    smooth: FloatArray
    near: FloatArray
    swelling: FloatArray
    course: FloatArray
    line_onset: IntArray
    line_note: IntArray
    line_off: FloatArray
    spread: float


def read_levels(evidence: Evidence) -> Levels:
    """Measure the levels of a whole performance, onset by onset."""
    together, velocity = evidence.together, evidence.velocity
    n_onsets = len(together.size)
    if n_onsets == 0:
        nothing = np.zeros(0, dtype=np.int64)
        none = np.zeros(0)
        return Levels(none, none, none, none, nothing, nothing, none, 0.0)
    level = group_median(velocity[together.note], together.onset_of, n_onsets)
    lines = (together.top, together.bottom)
    line_note = np.concatenate(lines)
    line_level = np.concatenate([median_filter(velocity[line], LINE_NOTES, mode="nearest") for line in lines])
    near = general_level(evidence)
    voices = voice_means(together, velocity[together.note])
    return Levels(
        smooth=median_filter(level, SMOOTH_ONSETS, mode="nearest"),
        near=near,
        swelling=against_minute(evidence, near),
        course=suggested_course(evidence),
        line_onset=np.tile(np.arange(n_onsets), 2),
        line_note=line_note,
        line_off=velocity[line_note] - line_level,
        spread=float(np.hypot(near.std(), voices.std())),
    )


def _following(suggested: FloatArray, played: FloatArray) -> float:
    """Velocity that is played for one standard deviation of what the music suggests.

    `mean(c s) / sqrt(mean(c^2))`, with the suggestion c and the playing s both against what is around: a
    passage that is loud throughout, where the music asks for it, is shaped as well.
    """
    size = float(np.sqrt(np.mean(suggested**2)))
    return float(np.mean(suggested * played)) / size if size > _NOTHING_SUGGESTED else MISSING


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
    """Measure range, evenness, shaping, accents, and the upper line over the rest."""
    together, strength = evidence.together, evidence.velocity
    kept = onsets[together.onset_of]
    velocity = strength[together.note[kept]]
    low, high = percentiles(levels.near[onsets], (5.0, 95.0))
    findings.measured("level_range", float(high - low), _FEW)
    findings.measured("level", float(np.median(velocity)), _FEW)
    off = np.abs(levels.line_off[onsets[levels.line_onset]])
    uneven = mean(off) / levels.spread if levels.spread > _STILL else MISSING
    findings.measured(
        "unevenness", uneven, "the whole performance stays at one level, or is too short to have two"
    )
    shaping = _following(levels.course[around], levels.swelling[around])
    findings.measured("shaping", shaping, "the music suggests no course")
    accents = evidence.once(read_accents)
    accentuation = _following(accents.suggested[kept], accents.played[kept])
    findings.measured("accentuation", accentuation, "the music suggests no accents, or has no notes near by")
    top = together.top[onsets]
    is_top = np.zeros(len(strength), dtype=bool)
    is_top[together.top] = True
    rest = velocity[~is_top[together.note[kept]]]
    above = float(np.median(strength[top]) - np.median(rest)) if len(rest) else MISSING
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
    """Follow the hairpins that touch the span, its accents, and the levels marked over its onsets."""
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
    findings.caused(_unplayed_accents(evidence, written, onsets))
    asked = marked_level(score.marks, written.onset_beat)[onsets]
    known = np.isfinite(asked)
    likeness = correlation(asked[known], levels.smooth[onsets][known])
    findings.measured("marked_levels", likeness, "no two different levels are marked here")


def _spikes(evidence: Evidence, levels: Levels, onsets: BoolArray) -> list[Cause]:
    """Notes that stick out of their line, unless the page accents them."""
    found = []
    beats = evidence.alignment.performance_beat if evidence.alignment is not None else None
    asked = evidence.together.note[evidence.once(read_accents).is_asked]
    is_accent = np.isin(levels.line_note, asked) & (levels.line_off > 0.0)
    spikes = (np.abs(levels.line_off) > _SPIKE_VELOCITY) & ~is_accent
    for k in np.flatnonzero(spikes & onsets[levels.line_onset]):
        note = int(evidence.playing.index[levels.line_note[k]])
        at_sec = float(evidence.performance.onset_sec[note])
        where = place(evidence.alignment, None if beats is None else float(beats[note]), at_sec)
        off = float(levels.line_off[k])
        said = "sticks out of" if off > 0 else "drops out of"
        text = f"{where}: one note {said} its line (strength {off:+.0f} of 127)"
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


def _unplayed_accents(evidence: Evidence, written: Written, onsets: BoolArray) -> list[Cause]:
    """Onsets of which the notes that the page accents are softer than what is near."""
    together, accents, found = evidence.together, evidence.once(read_accents), []
    with np.errstate(invalid="ignore"):
        softer = np.flatnonzero((accents.asked_out < _LOST_ACCENT_VELOCITY) & onsets)
    for g in softer:
        concerned = accents.is_asked & (together.onset_of == g)
        notes = tuple(int(n) for n in evidence.playing.index[together.note[concerned]])
        at_sec, out = float(together.onset_sec[g]), float(accents.asked_out[g])
        where = place(evidence.alignment, float(written.onset_beat[g]), at_sec)
        text = f"{where}: the accent is not played (strength {out:+.0f} of 127 against what is near)"
        found.append(Cause(at_sec, at_sec, "accent", text, notes, (), -out))
    return found

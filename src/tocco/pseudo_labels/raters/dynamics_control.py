"""Dynamics control: range, evenness, accents, balance of melody and accompaniment, and dynamic markings.

Levels are MIDI velocities (`Evidence.velocity`) in score order where there is a score, so that wrong notes do
not enter, and timing only by determining neighbours. Evenness is relative to the spread of level and voices
in the whole performance, so that flat playing does not count as even; single outliers hardly change that
spread, nor does the position of loud passages. Ten seconds alone have a smaller spread than the same seconds
within a longer performance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

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
    dynamics_contour,
    expected_dynamics_contour,
    marked_level,
    relative_to_minute,
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
        "how far the level follows the contour expected from melody, rhythm, texture and markings",
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
        "deviation of notes from the running median of their line, by the spread of level and voices",
        "less",
        0.25,
        needs="midi",
        shape="log",
        from_value=0.05,
    ),
    ComponentKind(
        "accentuation",
        "velocity",
        "how far single notes follow the accents expected from pitch, rhythm, metre and markings",
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
        "change of level over marked crescendi, and over diminuendi with the sign reversed",
        "more",
        0.085,
    ),
    ComponentKind(
        "marked_levels",
        "correlation",
        "correlation of the levels played with those marked, pp to ff",
        "more",
        0.085,
    ),
    ComponentKind("level", "velocity", "median level", "reported", needs="midi"),
)

FEWEST: Final = 8
"""With fewer notes neither a range nor a line is defined."""

LINE_NOTES: Final = 5
SMOOTH_ONSETS: Final = 5

CONTEXT_SEC: Final = 5.0
"""Phrases extend over more than a few seconds: shaping is measured with this much before and after a span."""

_SMALLEST_EXPECTATION = 0.25
"""Velocity; where the expectation has a smaller root mean square, nothing is expected."""
_CONSTANT = 1e-9
_FEW = f"fewer than {FEWEST} notes in this span"

_SPIKE_VELOCITY = 20.0
"""Far above the just noticeable difference (about 5, Repp 1996), and rare as an accent within a line."""

_LOST_ACCENT_VELOCITY = -5.0
"""An accented note this far below its neighbours is clearly softer."""


@dataclass(frozen=True, eq=False)
class Levels:
    """Velocities in score order.

    Attributes
    ----------
    smooth : (G,) running median over five onsets of their median velocity
    contour : (G,) velocity: level over about three seconds, each voice relative to its own mean
    relative_contour : (G,) velocity: the same relative to the surrounding minute
    expected_contour : (G,) velocity: prediction of `relative_contour` from the score
    line_onset : (L,) index 0..G-1 of the onset
    line_note : (L,) index into `playing.struck`
    line_off : (L,) velocity above the running median over five notes of the line
        Upper line, then lower line.
    spread : velocity: root of the sum of two variances over the whole performance, that of the contour over
        onsets and that of the voice means over notes
    """

    smooth: FloatArray
    contour: FloatArray
    relative_contour: FloatArray
    expected_contour: FloatArray
    line_onset: IntArray
    line_note: IntArray
    line_off: FloatArray
    spread: float


def read_levels(evidence: Evidence) -> Levels:
    """Measure the levels of a whole performance, onset by onset."""
    from scipy.ndimage import median_filter

    groups, velocity = evidence.onset_groups, evidence.velocity
    n_onsets = len(groups.size)
    if n_onsets == 0:
        nothing = np.zeros(0, dtype=np.int64)
        none = np.zeros(0)
        return Levels(none, none, none, none, nothing, nothing, none, 0.0)
    level = group_median(velocity[groups.note], groups.onset_of, n_onsets)
    lines = (groups.top, groups.bottom)
    line_note = np.concatenate(lines)
    line_level = np.concatenate([median_filter(velocity[line], LINE_NOTES, mode="nearest") for line in lines])
    contour = dynamics_contour(evidence)
    voices = voice_means(groups, velocity[groups.note])
    return Levels(
        smooth=median_filter(level, SMOOTH_ONSETS, mode="nearest"),
        contour=contour,
        relative_contour=relative_to_minute(evidence, contour),
        expected_contour=expected_dynamics_contour(evidence),
        line_onset=np.tile(np.arange(n_onsets), 2),
        line_note=line_note,
        line_off=velocity[line_note] - line_level,
        spread=float(np.hypot(contour.std(), voices.std())),
    )


def _agreement(expected: FloatArray, played: FloatArray) -> float:
    """Velocity played per standard deviation of the expectation.

    `mean(e p) / sqrt(mean(e^2))` with the expectation e and the playing p, both relative to their
    surroundings but not centred within the span: a passage that is loud throughout, as expected, counts as
    shaped.
    """
    size = float(np.sqrt(np.mean(expected**2)))
    return float(np.mean(expected * played)) / size if size > _SMALLEST_EXPECTATION else MISSING


def measure_dynamics_control(evidence: Evidence, span_sec: Span | None = None) -> PseudoLabel:
    """Measure range, evenness, shaping and markings of a span, unscaled."""
    findings = Findings(DYNAMICS_CONTROL, COMPONENTS)
    if evidence.written is None:
        findings.without(evidence.why_unwritten(), "score")
    levels, groups = evidence.once(read_levels), evidence.onset_groups
    onsets = evidence.groups_within(span_sec)
    inside = onsets[groups.onset_of] if len(onsets) else np.zeros(0, dtype=bool)
    if inside.sum() < FEWEST:
        findings.without(_FEW, "midi")
    else:
        wide = None if span_sec is None else (span_sec[0] - CONTEXT_SEC, span_sec[1] + CONTEXT_SEC)
        _measure_levels(findings, evidence, levels, onsets, evidence.groups_within(wide))
        findings.caused(_spikes(evidence, levels, onsets))
    if evidence.written is not None:
        _measure_marks(findings, evidence, levels, evidence.written, span_sec)
    return findings.label(evidence, int(inside.sum()))


def _measure_levels(
    findings: Findings, evidence: Evidence, levels: Levels, onsets: BoolArray, around: BoolArray
) -> None:
    """Measure range, evenness, shaping, accents, and the balance of the upper line."""
    groups, velocity = evidence.onset_groups, evidence.velocity
    inside = onsets[groups.onset_of]
    level = velocity[groups.note[inside]]
    low, high = percentiles(levels.contour[onsets], (5.0, 95.0))
    findings.measured("level_range", float(high - low), _FEW)
    findings.measured("level", float(np.median(level)), _FEW)
    off = np.abs(levels.line_off[onsets[levels.line_onset]])
    uneven = mean(off) / levels.spread if levels.spread > _CONSTANT else MISSING
    findings.measured(
        "unevenness",
        uneven,
        "the level of the whole performance is constant",
    )
    shaping = _agreement(levels.expected_contour[around], levels.relative_contour[around])
    findings.measured("shaping", shaping, "no change of level is expected here")
    accents = evidence.once(read_accents)
    accentuation = _agreement(accents.expected[inside], accents.played[inside])
    findings.measured(
        "accentuation", accentuation, "no accents are expected here, or the notes have no neighbours"
    )
    top = groups.top[onsets]
    is_top = np.zeros(len(velocity), dtype=bool)
    is_top[groups.top] = True
    rest = level[~is_top[groups.note[inside]]]
    above = float(np.median(velocity[top]) - np.median(rest)) if len(rest) else MISSING
    findings.measured("melody_above_accompaniment", above, "there is only one line")


def hairpin_change(evidence: Evidence, levels: Levels, written: Written, mark: Mark) -> float:
    """Change of level along a hairpin: above 0 in its direction, below 0 against it.

    Slope of a regression line through the smoothed levels under the hairpin, times its length.
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
    """Measure the hairpins that overlap the span, its accents, and the dynamic markings at its onsets."""
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
    marked = marked_level(score.marks, written.onset_beat)[onsets]
    known = np.isfinite(marked)
    agreement = correlation(marked[known], levels.smooth[onsets][known])
    findings.measured("marked_levels", agreement, "no two different levels are marked here")


def _spikes(evidence: Evidence, levels: Levels, onsets: BoolArray) -> list[Cause]:
    """Notes that deviate from their line, unless the score accents them."""
    found = []
    beats = evidence.alignment.performance_beat if evidence.alignment is not None else None
    marked = evidence.onset_groups.note[evidence.once(read_accents).is_marked]
    is_accent = np.isin(levels.line_note, marked) & (levels.line_off > 0.0)
    spikes = (np.abs(levels.line_off) > _SPIKE_VELOCITY) & ~is_accent
    for k in np.flatnonzero(spikes & onsets[levels.line_onset]):
        note = int(evidence.playing.index[levels.line_note[k]])
        at_sec = float(evidence.performance.onset_sec[note])
        where = place(evidence.alignment, None if beats is None else float(beats[note]), at_sec)
        off = float(levels.line_off[k])
        louder = "louder" if off > 0 else "softer"
        text = f"{where}: one note is {louder} than its line (by {abs(off):.0f} of 127 steps of velocity)"
        found.append(Cause(at_sec, at_sec, "uneven", text, (note,), (), abs(off)))
    return list({cause.performance_notes: cause for cause in found}.values())


def _against_hairpins(
    evidence: Evidence, levels: Levels, written: Written, hairpins: list[Mark]
) -> list[Cause]:
    """Hairpins that are not played, or played in the opposite direction."""
    found = []
    for mark in hairpins:
        change = hairpin_change(evidence, levels, written, mark)
        if evidence.alignment is None or not np.isfinite(change) or change > 0.0:
            continue
        start, end = (float(t) for t in evidence.alignment.sec_at(np.array([mark.onset_beat, mark.end_beat])))
        where = place(evidence.alignment, mark.onset_beat, start)
        text = f"{where}: the {mark.kind} is not played (velocity changes by {change:+.0f} along it)"
        found.append(Cause(start, end, "hairpin", text, (), (), abs(change)))
    return found


def _unplayed_accents(evidence: Evidence, written: Written, onsets: BoolArray) -> list[Cause]:
    """Onsets whose accented notes are softer than their neighbours."""
    groups, accents, found = evidence.onset_groups, evidence.once(read_accents), []
    with np.errstate(invalid="ignore"):
        softer = np.flatnonzero((accents.marked_deviation < _LOST_ACCENT_VELOCITY) & onsets)
    for g in softer:
        concerned = accents.is_marked & (groups.onset_of == g)
        notes = tuple(int(n) for n in evidence.playing.index[groups.note[concerned]])
        at_sec, out = float(groups.onset_sec[g]), float(accents.marked_deviation[g])
        where = place(evidence.alignment, float(written.onset_beat[g]), at_sec)
        text = f"{where}: the accent is not played (velocity {out:+.0f} of 127 relative to its neighbours)"
        found.append(Cause(at_sec, at_sec, "accent", text, notes, (), -out))
    return found

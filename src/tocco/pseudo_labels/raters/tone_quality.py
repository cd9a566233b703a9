"""Tone quality: balance of the voices within chords and across registers, and timbre in the recording.

In MIDI, tone is the voicing of chords: a projected top voice, a bass that does not mask it, no hard high
notes. A recording adds the part of its brightness that pitch and velocity do not explain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.music.statistics.summaries import MISSING, around, group_sum, mean, median, sd
from tocco.pseudo_labels.observed.evidence import NO_AUDIO, Evidence, Findings, Span
from tocco.pseudo_labels.observed.onset_spectra import read_onset_spectra
from tocco.pseudo_labels.observed.onsets import OnsetGroups
from tocco.pseudo_labels.places import place
from tocco.pseudo_labels.pseudo_label import Cause, ComponentKind, PseudoLabel
from tocco.units import BoolArray, FloatArray

TONE_QUALITY: Final = "tone_quality"

COMPONENTS: Final = (
    ComponentKind(
        "voicing_lead",
        "ratio",
        "highest note of a chord above the mean of the others, median, relative to the range used",
        "more",
        0.55,
        needs="midi",
    ),
    ComponentKind(
        "treble_hardness",
        "ratio",
        "upper line above the lower line: from E5 upwards relative to below, divided by the range used",
        "less",
        0.2,
        needs="midi",
    ),
    ComponentKind(
        "colour_range",
        "semitones",
        "spread of the brightness not explained by pitch, velocity and chord size",
        "more",
        0.25,
        needs="audio",
        shape="log",
        from_value=0.2,
    ),
    ComponentKind(
        "top_leads",
        "fraction",
        "chords whose highest note is louder than the mean of the others",
        "reported",
        needs="midi",
    ),
    ComponentKind(
        "bass_covers",
        "fraction",
        "chords whose lowest note is louder than the highest",
        "reported",
        needs="midi",
    ),
    ComponentKind(
        "bass_weight", "velocity", "lowest note of a chord above the highest", "reported", needs="midi"
    ),
    ComponentKind(
        "voicing_unsteadiness",
        "velocity",
        "spread of the voicing lead from chord to chord",
        "reported",
        needs="midi",
    ),
    ComponentKind(
        "brightness", "semitones", "brightness relative to the mean of the take", "reported", needs="audio"
    ),
)

FEWEST: Final = 5
RANGE_ONSETS: Final = 15
AUDIBLE_LEAD: Final = 1.0
"""Velocity; a smaller lead is no measurable voicing."""

TREBLE_PITCH: Final = 76
"""From E5 upwards strings are short and the tone is thin: loud notes there sound hard."""

AROUND_SEC: Final = 2.0
"""Window around an onset for the level of the lower line."""

_CAUSE_LEAD = -10.0


@dataclass(frozen=True, eq=False)
class Voicing:
    """Voicing of each onset.

    Attributes
    ----------
    lead : (G,) velocity: the highest note above the mean of the others; NaN for single notes
    bass : (G,) velocity: the lowest above the highest; NaN for single notes
    stands_out : (G,) velocity: the highest note above the lower line within two seconds; NaN where that
        line rests
    used : velocity: range used in the whole performance
    """

    lead: FloatArray
    bass: FloatArray
    stands_out: FloatArray
    used: float


def read_voicing(evidence: Evidence) -> Voicing:
    """Measure the voicing of every chord of a whole performance."""
    groups, velocity = evidence.onset_groups, evidence.velocity
    top, bottom = velocity[groups.top], velocity[groups.bottom]
    total = group_sum(velocity[groups.note], groups.onset_of, len(groups.size))
    several = groups.size > 1
    others = (total - top) / np.maximum(groups.size - 1, 1)
    return Voicing(
        lead=np.where(several, top - others, MISSING),
        bass=np.where(several, bottom - top, MISSING),
        stands_out=top - _lower_line(evidence),
        used=_used_range(groups, velocity),
    )


def _used_range(groups: OnsetGroups, velocity: FloatArray) -> float:
    """Velocity range used in a whole performance, robust to single loud or soft notes.

    Root of the sum of two squares: the standard deviation of the upper line, and its mean distance from the
    lower line, both lines smoothed by running medians over 15 onsets. It scales with the dynamic range, and
    hardly depends on outliers, on the dynamics contour, or on the balance of inner voices.
    """
    from scipy.ndimage import median_filter

    if not len(groups.size):
        return 0.0
    top, bottom = (
        median_filter(velocity[line], RANGE_ONSETS, mode="nearest") for line in (groups.top, groups.bottom)
    )
    apart = np.abs(top - bottom)[groups.size > 1]
    return float(np.sqrt(top.var() + (mean(apart) ** 2 if len(apart) else 0.0)))


def _lower_line(evidence: Evidence) -> FloatArray:
    """(G,) velocity of the lowest notes of chords within two seconds of each onset; NaN for none."""
    groups, velocity = evidence.onset_groups, evidence.velocity
    if not len(groups.size):
        return np.zeros(0)
    time_sec = np.maximum.accumulate(groups.onset_sec)
    several = (groups.size > 1).astype(float)
    near, total = around(time_sec, np.stack((several, several * velocity[groups.bottom])), AROUND_SEC)
    return np.where(near > 1e-9, total / np.maximum(near, 1e-9), MISSING)


def measure_tone_quality(evidence: Evidence, span_sec: Span | None = None) -> PseudoLabel:
    """Measure voicing, registers and timbre of a span, unscaled."""
    findings = Findings(TONE_QUALITY, COMPONENTS)
    onsets = evidence.groups_within(span_sec)
    voicing, groups = evidence.once(read_voicing), evidence.onset_groups
    lead = voicing.lead[onsets & np.isfinite(voicing.lead)]
    bass = voicing.bass[onsets & np.isfinite(voicing.bass)]
    few = "fewer than five chords in this span"
    enough = len(lead) >= FEWEST
    is_voiced = enough and float(np.median(np.abs(lead))) >= AUDIBLE_LEAD
    few = few if not enough else "all notes of a chord are equally loud"
    findings.measured("top_leads", _share_above(lead) if is_voiced else MISSING, few)
    findings.measured("bass_covers", _share_above(bass) if is_voiced else MISSING, few)
    ratio = median(lead) / voicing.used if is_voiced and voicing.used > 0.0 else MISSING
    findings.measured("voicing_lead", ratio, few)
    findings.measured("voicing_unsteadiness", sd(lead) if enough else MISSING, few)
    findings.measured("bass_weight", median(bass) if enough else MISSING, few)
    hardness = _treble_hardness(evidence, voicing, onsets)
    findings.measured("treble_hardness", hardness, "fewer than five notes of the upper line on a side of E5")
    _measure_colour(findings, evidence, onsets)
    findings.caused(_causes(evidence, voicing, onsets))
    return findings.label(evidence, int(groups.size[onsets].sum()))


def _share_above(velocity: FloatArray) -> float:
    """Share of differences above 0; zero counts half."""
    return float(np.mean((velocity > 0.0) + 0.5 * (velocity == 0.0)))


def _treble_hardness(evidence: Evidence, voicing: Voicing, onsets: BoolArray) -> float:
    """Level above the lower line of high notes relative to other notes, as a share of the range used.

    High notes that are loud because the passage is loud are not hard: each note is compared with the lower
    line within two seconds. Where a span stays on one side of E5, the rest of the performance supplies the
    other.
    """
    out = voicing.stands_out
    is_high = evidence.playing.struck.pitch[evidence.onset_groups.top] >= TREBLE_PITCH
    known = np.isfinite(out)
    sides = []
    for side in (is_high & known, ~is_high & known):
        here = side & onsets if (side & onsets).sum() >= FEWEST else side
        sides.append(out[here])
    seen = max((is_high & known & onsets).sum(), (~is_high & known & onsets).sum()) >= FEWEST
    enough = seen and min(len(side) for side in sides) >= FEWEST and voicing.used > 0.0
    return (median(sides[0]) - median(sides[1])) / voicing.used if enough else MISSING


def _measure_colour(findings: Findings, evidence: Evidence, onsets: BoolArray) -> None:
    spectra = evidence.once(read_onset_spectra)
    if spectra is None:
        reason = NO_AUDIO if evidence.audio is None else "the recording contains too few of the onsets"
        findings.without(reason, "audio")
        return
    colour = spectra.colour[onsets & np.isfinite(spectra.colour)]
    few = "fewer than five onsets are in the recording"
    enough = len(colour) >= FEWEST
    findings.measured("colour_range", sd(colour) if enough else MISSING, few)
    bright = spectra.brightness[onsets & np.isfinite(spectra.brightness)]
    relative = mean(bright) - float(np.nanmean(spectra.brightness)) if enough else MISSING
    findings.measured("brightness", relative, few)


def _causes(evidence: Evidence, voicing: Voicing, onsets: BoolArray) -> list[Cause]:
    """Chords whose highest note is masked."""
    found, groups = [], evidence.onset_groups
    beats = evidence.alignment.performance_beat if evidence.alignment is not None else None
    with np.errstate(invalid="ignore"):
        covered = np.flatnonzero((voicing.lead < _CAUSE_LEAD) & onsets)
    for g in covered:
        notes = tuple(int(n) for n in evidence.playing.index[groups.note[groups.onset_of == g]])
        top = int(evidence.playing.index[groups.top[g]])
        at_sec = float(groups.onset_sec[g])
        where = place(evidence.alignment, None if beats is None else float(beats[top]), at_sec)
        lead = float(voicing.lead[g])
        text = f"{where}: the top note is masked (velocity {lead:+.0f} of 127 relative to the chord)"
        found.append(Cause(at_sec, at_sec, "voicing", text, notes, (), -lead))
    return found

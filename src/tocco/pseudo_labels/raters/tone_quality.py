"""Tone quality: the balance of the voices inside chords and across the keyboard, and its colour in sound.

What the keys tell of tone is how chords are weighted: a singing top, a bass that carries without
covering, no hammered notes. The recording adds the colour that pitch and velocity do not explain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.ndimage import median_filter

from tocco.music.statistics.summaries import MISSING, around, group_sum, mean, median, sd
from tocco.pseudo_labels.observed.evidence import NO_AUDIO, Evidence, Findings, Span
from tocco.pseudo_labels.observed.onset_spectra import read_onset_spectra
from tocco.pseudo_labels.observed.onsets import Together
from tocco.pseudo_labels.places import place
from tocco.pseudo_labels.pseudo_label import Cause, ComponentKind, PseudoLabel
from tocco.units import BoolArray, FloatArray

TONE_QUALITY: Final = "tone_quality"

COMPONENTS: Final = (
    ComponentKind(
        "voicing_lead",
        "ratio",
        "highest note of a chord above the mean of its others, median, against the range that is used",
        "more",
        0.55,
        needs="midi",
    ),
    ComponentKind(
        "treble_hardness",
        "ratio",
        "upper line above the lower one around it: from E5 up against below, by the range that is used",
        "less",
        0.2,
        needs="midi",
    ),
    ComponentKind(
        "colour_range",
        "semitones",
        "spread of the sound's brightness that pitch, velocity and chord size do not explain",
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
        "voicing_unsteadiness", "velocity", "lead from chord to chord, spread", "reported", needs="midi"
    ),
    ComponentKind("brightness", "semitones", "brightness against the take's mean", "reported", needs="audio"),
)

FEWEST: Final = 5
RANGE_ONSETS: Final = 15
AUDIBLE_LEAD: Final = 1.0
"""Velocity; below it a chord has no voicing that could be told."""

TREBLE_PITCH: Final = 76
"""From E5 up strings are short and undamped sound is thin: a hard stroke there is heard as hardness."""

AROUND_SEC: Final = 2.0
"""So long the level of the lower line is remembered."""

_CAUSE_LEAD = -10.0


@dataclass(frozen=True, eq=False)
class Voicing:
    """How each onset is weighted.

    Attributes
    ----------
    lead : (G,) velocity: the highest note above the mean of the others; NaN for single notes
    bass : (G,) velocity: the lowest above the highest; NaN for single notes
    stands_out : (G,) velocity: the highest note above the lower line within two seconds; NaN where that
        line rests
    used : velocity: the range that the player uses in the whole performance
    """

    lead: FloatArray
    bass: FloatArray
    stands_out: FloatArray
    used: float


def read_voicing(evidence: Evidence) -> Voicing:
    """Measure the weights of every chord of a whole performance."""
    together, velocity = evidence.together, evidence.velocity
    top, bottom = velocity[together.top], velocity[together.bottom]
    total = group_sum(velocity[together.note], together.onset_of, len(together.size))
    several = together.size > 1
    others = (total - top) / np.maximum(together.size - 1, 1)
    return Voicing(
        lead=np.where(several, top - others, MISSING),
        bass=np.where(several, bottom - top, MISSING),
        stands_out=top - _lower_line(evidence),
        used=_used_range(together, velocity),
    )


def _used_range(together: Together, velocity: FloatArray) -> float:
    """Velocity over which a whole performance moves, single loud or soft notes aside.

    The upper line's standard deviation and its mean distance from the lower line, squared and added, both
    lines smoothed by running medians over 15 onsets. It shrinks with the dynamics as a whole, and hardly
    changes with spikes, with the course of the level, or with the balance of inner voices.
    """
    if not len(together.size):
        return 0.0
    top, bottom = (
        median_filter(velocity[line], RANGE_ONSETS, mode="nearest")
        for line in (together.top, together.bottom)
    )
    apart = np.abs(top - bottom)[together.size > 1]
    return float(np.sqrt(top.var() + (mean(apart) ** 2 if len(apart) else 0.0)))


def _lower_line(evidence: Evidence) -> FloatArray:
    """(G,) velocity of the lowest notes of chords within two seconds of each onset; NaN for none."""
    together, velocity = evidence.together, evidence.velocity
    if not len(together.size):
        return np.zeros(0)
    time_sec = np.maximum.accumulate(together.onset_sec)
    several = (together.size > 1).astype(float)
    near, total = around(time_sec, np.stack((several, several * velocity[together.bottom])), AROUND_SEC)
    return np.where(near > 1e-9, total / np.maximum(near, 1e-9), MISSING)


def measure_tone_quality(evidence: Evidence, span_sec: Span | None = None) -> PseudoLabel:
    """Measure voicing, registers and colour of a span, unscaled."""
    findings = Findings(TONE_QUALITY, COMPONENTS)
    onsets = evidence.together_within(span_sec)
    voicing, together = evidence.once(read_voicing), evidence.together
    lead = voicing.lead[onsets & np.isfinite(voicing.lead)]
    bass = voicing.bass[onsets & np.isfinite(voicing.bass)]
    few = "fewer than five chords in this span"
    enough = len(lead) >= FEWEST
    told = enough and float(np.median(np.abs(lead))) >= AUDIBLE_LEAD
    few = few if not enough else "all keys of a chord are equally loud"
    findings.measured("top_leads", _share_above(lead) if told else MISSING, few)
    findings.measured("bass_covers", _share_above(bass) if told else MISSING, few)
    ratio = median(lead) / voicing.used if told and voicing.used > 0.0 else MISSING
    findings.measured("voicing_lead", ratio, few)
    findings.measured("voicing_unsteadiness", sd(lead) if enough else MISSING, few)
    findings.measured("bass_weight", median(bass) if enough else MISSING, few)
    hardness = _treble_hardness(evidence, voicing, onsets)
    findings.measured("treble_hardness", hardness, "fewer than five notes of the upper line on a side of E5")
    _measure_colour(findings, evidence, onsets)
    findings.caused(_causes(evidence, voicing, onsets))
    return findings.label(evidence, int(together.size[onsets].sum()))


def _share_above(velocity: FloatArray) -> float:
    """Share of differences above 0; equal levels count half."""
    return float(np.mean((velocity > 0.0) + 0.5 * (velocity == 0.0)))


def _treble_hardness(evidence: Evidence, voicing: Voicing, onsets: BoolArray) -> float:
    """How much farther the upper line stands out where it is high, as a share of the range used.

    A line that is loud because the music is loud there is not hard: each note is held against the lower
    line within two seconds. Where a span stays on one side of E5, the rest of the performance gives the
    other.
    """
    out = voicing.stands_out
    is_high = evidence.playing.struck.pitch[evidence.together.top] >= TREBLE_PITCH
    told = np.isfinite(out)
    sides = []
    for side in (is_high & told, ~is_high & told):
        here = side & onsets if (side & onsets).sum() >= FEWEST else side
        sides.append(out[here])
    seen = max((is_high & told & onsets).sum(), (~is_high & told & onsets).sum()) >= FEWEST
    enough = seen and min(len(side) for side in sides) >= FEWEST and voicing.used > 0.0
    return (median(sides[0]) - median(sides[1])) / voicing.used if enough else MISSING


def _measure_colour(findings: Findings, evidence: Evidence, onsets: BoolArray) -> None:
    spectra = evidence.once(read_onset_spectra)
    if spectra is None:
        reason = NO_AUDIO if evidence.audio is None else "the recording holds too few of the onsets"
        findings.without(reason, "audio")
        return
    colour = spectra.colour[onsets & np.isfinite(spectra.colour)]
    few = "fewer than five onsets are heard"
    enough = len(colour) >= FEWEST
    findings.measured("colour_range", sd(colour) if enough else MISSING, few)
    bright = spectra.brightness[onsets & np.isfinite(spectra.brightness)]
    relative = mean(bright) - float(np.nanmean(spectra.brightness)) if enough else MISSING
    findings.measured("brightness", relative, few)


def _causes(evidence: Evidence, voicing: Voicing, onsets: BoolArray) -> list[Cause]:
    """Chords whose highest note is covered."""
    found, together = [], evidence.together
    beats = evidence.alignment.performance_beat if evidence.alignment is not None else None
    with np.errstate(invalid="ignore"):
        covered = np.flatnonzero((voicing.lead < _CAUSE_LEAD) & onsets)
    for g in covered:
        notes = tuple(int(n) for n in evidence.playing.index[together.note[together.onset_of == g]])
        top = int(evidence.playing.index[together.top[g]])
        at_sec = float(together.onset_sec[g])
        where = place(evidence.alignment, None if beats is None else float(beats[top]), at_sec)
        lead = float(voicing.lead[g])
        text = f"{where}: the top note is covered (strength {lead:+.0f} of 127 against the chord)"
        found.append(Cause(at_sec, at_sec, "voicing", text, notes, (), -lead))
    return found

"""The bars of the validity suite, written down before any model was run on it.

A bar is compared with one figure. What the figure counts is in `criterion`, the reasons are in
`docs/validity.md`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Part = Literal["damage", "size", "deadpan", "skill", "invariance", "no_score", "abstention"]

LEAST_FALL: Final = 1.0
"""Points by which a damaged rating has to fall."""

FIRST_STEP: Final = 3
"""Of five: the first severity at which a fall is required."""

MOST_AGGREGATE_RISE: Final = 1.0
"""Points by which an aggregate may rise under damage."""

MOST_RISE: Final = 2.0
"""Points by which an interpretive rating may rise under damage, but for the share that its bar leaves."""

LEAST_WIDENING: Final = 1.1
"""An interval is wider without a score if its width is so many times that with the score."""

MOST_PUNISHED: Final = 1.0
"""Points by which the note accuracy of a mechanical rendering may lie below the pianists' median."""

INTERPRETIVE: Final = ("musicality", "phrasing", "expressiveness")
"""Dimensions that damage may not raise."""

NEED_SCORE: Final = ("note_accuracy", "rhythmic_precision", "overall_quality")
"""Dimensions that rest on wrong notes or on the beat: unknown, or less well known, without a score."""


@dataclass(frozen=True)
class Bar:
    """One requirement.

    Attributes
    ----------
    name
    part : of the suite
    criterion : what the figure is, and of what
    threshold : in the unit of the figure
    side : whether the figure has to be at least or at most the threshold, or below it
    unit : "share" for 0..1, "points", "rho" for a rank correlation
    """

    name: str
    part: Part
    criterion: str
    threshold: float
    side: Literal["least", "most", "below"] = "least"
    unit: Literal["share", "points", "rho"] = "share"

    def is_held(self, figure: float) -> bool:
        """Whether a figure meets the bar; one that could not be computed does not."""
        if not math.isfinite(figure):
            return False
        if self.side == "least":
            return figure >= self.threshold
        return figure <= self.threshold if self.side == "most" else figure < self.threshold


_BARS = (
    Bar(
        "target_falls",
        "damage",
        "pairs from the third of five steps on in which the target dimension falls by 1 point or more",
        0.97,
    ),
    Bar("overall_falls", "damage", "the same of overall_quality", 0.97),
    Bar(
        "aggregate_falls",
        "damage",
        "pairs from the third step on, with a target that has a weight, in which the aggregate falls",
        0.97,
    ),
    Bar("aggregate_never_rises", "damage", "pairs in which the aggregate rises by 1 point or less", 1.0),
    Bar(
        "interpretive_mean",
        "damage",
        "mean change of musicality, phrasing or expressiveness, whichever rises most",
        0.5,
        "most",
        "points",
    ),
    Bar(
        "interpretive_rise",
        "damage",
        "pairs in which it rises by 2 points or less, of the one of the three that rises most often",
        0.95,
    ),
    Bar(
        "target_rho",
        "damage",
        "mean rank correlation of the target with severity, by excerpt and kind",
        -0.9,
        "most",
        "rho",
    ),
    Bar("overall_rho", "damage", "the same of overall_quality", -0.8, "most", "rho"),
    Bar(
        "sustain_pedaling",
        "size",
        "sustain held throughout: median fall of pedaling_technique",
        25.0,
        unit="points",
    ),
    Bar(
        "sustain_overall",
        "size",
        "sustain held throughout: median fall of overall_quality",
        10.0,
        unit="points",
    ),
    Bar(
        "mess_overall",
        "size",
        "25 % wrong notes, random loudness and stops: median fall of overall_quality",
        25.0,
        unit="points",
    ),
    Bar(
        "wrong_notes_overall",
        "size",
        "40 % wrong notes: median fall of overall_quality",
        20.0,
        unit="points",
    ),
    Bar(
        "velocities_overall",
        "size",
        "random velocities: median fall of overall_quality",
        3.0,
        unit="points",
    ),
    Bar(
        "velocities_dynamics",
        "size",
        "random velocities: median fall of dynamics_control",
        10.0,
        unit="points",
    ),
    Bar(
        "deadpan_expressiveness",
        "deadpan",
        "passages whose mechanical rendering is below the pianists' median in expressiveness",
        0.9,
    ),
    Bar("deadpan_musicality", "deadpan", "the same in musicality", 0.9),
    Bar(
        "deadpan_expressiveness_gap",
        "deadpan",
        "median distance below the pianists' median in expressiveness",
        10.0,
        unit="points",
    ),
    Bar("deadpan_musicality_gap", "deadpan", "the same in musicality", 10.0, unit="points"),
    Bar(
        "deadpan_note_accuracy",
        "deadpan",
        "passages whose mechanical rendering is at most 1 point below the pianists' median in note_accuracy",
        0.9,
    ),
    Bar(
        "skill_all",
        "skill",
        "rank correlation of overall_quality with the teachers' mean, all takes",
        0.75,
        unit="rho",
    ),
    Bar(
        "skill_within",
        "skill",
        "the same within a piece, mean of the pieces by their number of takes",
        0.75,
        unit="rho",
    ),
    Bar(
        "skill_all_least",
        "skill",
        "the least that may ship on pieces that chose nothing, all takes",
        0.65,
        unit="rho",
    ),
    Bar("skill_within_least", "skill", "the same within a piece", 0.65, unit="rho"),
    Bar(
        "skill_coverage",
        "skill",
        "takes whose teachers' mean (1..5 to 0..100) lies in the 90 % interval of overall_quality",
        0.85,
    ),
    Bar(
        "professionals_above",
        "skill",
        "professionals' takes with overall_quality above the students' median",
        0.95,
    ),
    Bar(
        "invariance_median",
        "invariance",
        "median size of the change, all ratings and the aggregate",
        1.0,
        "below",
        "points",
    ),
    Bar("invariance_p95", "invariance", "95th percentile of the same", 3.0, "below", "points"),
    Bar(
        "no_score_note_accuracy",
        "no_score",
        "excerpts whose note_accuracy is missing without the score, or its interval 1.1 times as wide",
        0.97,
    ),
    Bar("no_score_rhythmic_precision", "no_score", "the same of rhythmic_precision", 0.97),
    Bar("no_score_overall_quality", "no_score", "the same of overall_quality", 0.97),
    Bar("abstains_mashing", "abstention", "mashed keys: abstentions", 0.95),
    Bar("abstains_fast", "abstention", "50 notes a second at one velocity: abstentions", 0.95),
    Bar("abstains_random", "abstention", "random notes: abstentions", 0.95),
    Bar("rates_students", "abstention", "students' takes: abstentions", 0.02, "most"),
    Bar("rates_professionals", "abstention", "professionals' takes: abstentions", 0.02, "most"),
)

BARS: Final[Mapping[str, Bar]] = MappingProxyType({bar.name: bar for bar in _BARS})
"""Every bar, by name."""


def bars_of(part: Part) -> tuple[Bar, ...]:
    """The bars of one part of the suite, in order."""
    return tuple(bar for bar in BARS.values() if bar.part == part)

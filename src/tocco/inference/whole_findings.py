"""Findings about the whole: measures that are worse than in 99 of 100 stretches of competent playing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from tocco.inference.candidates import Candidate, Heard, finding_id
from tocco.inference.finding import Finding
from tocco.inference.technique import Measure, Technique
from tocco.pseudo_labels.norms.competent import Competent, UsualRange
from tocco.pseudo_labels.pseudo_label import ComponentKind
from tocco.pseudo_labels.raters.registry import RATERS
from tocco.pseudo_labels.scale.model import transformed

THROUGHOUT: Final = "throughout"

WORSE_THAN: Final = 100.0
"""One of so many stretches of competent playing is worse than the outer percentile."""


def _percent(value: float) -> str:
    return f"{100.0 * value:.0f} %"


def _change(value: float) -> str:
    """A logarithm of a ratio as a change.

    >>> _change(0.223)
    '25 %'
    """
    return _percent(math.expm1(value))


def _with(unit: str, decimals: int = 0) -> Callable[[float], str]:
    return lambda value: f"{value:.{decimals}f}{unit}"


_SENTENCES: Final[Mapping[tuple[str, str], tuple[str, Callable[[float], str]]]] = {
    ("note_accuracy", "weighted_error"): (
        "Throughout, {} of the notes are wrong, missing or added, weighted by how much they are heard.",
        _percent,
    ),
    ("rhythmic_precision", "onset_deviation"): (
        "Throughout, half of the onsets lie more than {} from the local tempo.",
        _with(" ms"),
    ),
    ("rhythmic_precision", "run_unevenness"): (
        "Throughout, neighbouring notes of equal value differ by {} in length.",
        _change,
    ),
    ("rhythmic_precision", "hesitation"): (
        "Throughout, {} of every minute are lost in hesitations.",
        _with(" s", 1),
    ),
    ("rhythmic_precision", "tempo_lurch"): (
        "Throughout, the tempo changes by {} from one two seconds to the next.",
        _change,
    ),
    ("rhythmic_precision", "tempo_wander"): ("Throughout, the tempo strays by {} from its mean.", _change),
    ("rhythmic_precision", "chord_asynchrony"): (
        "Throughout, the keys of a chord are {} from its middle.",
        _with(" ms"),
    ),
    ("dynamics_control", "shaping"): (
        "Throughout, the loudness follows the music by {} of 127 steps of velocity.",
        _with("", 1),
    ),
    ("dynamics_control", "level_range"): (
        "Throughout, soft and loud passages are {} of 127 steps of velocity apart.",
        _with(""),
    ),
    ("dynamics_control", "unevenness"): (
        "Throughout, single notes are off their line by {} of the dynamic range in use.",
        _percent,
    ),
    ("dynamics_control", "accentuation"): (
        "Throughout, expected accents stand out by {} of 127 steps of velocity.",
        _with("", 1),
    ),
    ("dynamics_control", "melody_above_accompaniment"): (
        "Throughout, the upper line is {} of 127 steps of velocity above the other notes.",
        _with("", 1),
    ),
    ("dynamics_control", "hairpin_change"): (
        "Throughout, the loudness changes by {} of 127 steps of velocity along hairpins.",
        _with("", 1),
    ),
    ("dynamics_control", "marked_levels"): (
        "Throughout, levels and dynamic signs have a correlation of {}.",
        _with("", 2),
    ),
    ("articulation_quality", "cut_short"): (
        "Throughout, notes are cut short by {}, on average over all of them.",
        lambda value: _percent(-math.expm1(-value)),
    ),
    ("articulation_quality", "held_over"): (
        "Throughout, notes are held over by {}, on average over all of them.",
        _change,
    ),
    ("articulation_quality", "step_overlap"): (
        "Throughout, keys are held into the next note of a step by {} of their value.",
        _percent,
    ),
    ("articulation_quality", "inconsistency"): (
        "Throughout, neighbouring notes of one line and value differ by {} in how long they are held.",
        _change,
    ),
    ("articulation_quality", "staccato_contrast"): (
        "Throughout, staccato notes are held {} of the length of the others.",
        lambda value: _percent(math.exp(-value)),
    ),
    ("pedaling_technique", "blur"): (
        "Throughout, the pedal alone holds {} dissonances at an onset.",
        _with("", 1),
    ),
    ("pedaling_technique", "overhang"): (
        "Throughout, the pedal is lifted {} after a change of the bass.",
        _with(" s", 2),
    ),
    ("pedaling_technique", "support"): (
        "Throughout, the pedal carries the sound at {} of the onsets.",
        _percent,
    ),
    ("pedaling_technique", "holes"): (
        "Throughout, {} of the onsets follow a silence although the pedal was down.",
        _percent,
    ),
    ("tone_quality", "voicing_lead"): (
        "Throughout, the top notes of chords are above the others by {} of the dynamic range in use.",
        _percent,
    ),
    ("tone_quality", "treble_hardness"): (
        "Throughout, the high register is louder than the low one by {} of the dynamic range in use.",
        _percent,
    ),
}
"""Dimension and measure -> sentence, and how the value is said in it.

The distance of pedal moves from where they are expected is not named: in a piece that hardly uses the pedal
it is the mean of a few moves.
"""


def of_measures(dimension: str, technique: Technique, heard: Heard, competent: Competent) -> list[Candidate]:
    """Measures of the whole that are outside competent playing of this length, on the side that is worse.

    Parameters
    ----------
    dimension
    technique : of that dimension
    heard
    competent
    """
    if heard.origin == "transcribed" or dimension not in RATERS:
        return []
    found = []
    for kind in RATERS[dimension].scaled:
        measure, usual = (
            technique.measures.get(kind.name),
            competent.usual(dimension, kind.name, heard.duration_sec),
        )
        if measure is None or usual is None or (dimension, kind.name) not in _SENTENCES:
            continue
        times_as_far = how_far(kind, measure.value, usual)
        if times_as_far > 1.0:
            strength = math.log(WORSE_THAN * times_as_far)
            found.append(Candidate(_finding(dimension, kind.name, measure, usual, heard), strength))
    return found


def how_far(kind: ComponentKind, value: float, usual: UsualRange) -> float:
    """Distance from the median on the worse side, relative to that of the outermost hundredth.

    Above 1 fewer than one of a hundred stretches of competent playing are worse. The distance is that of the
    transformed values, as on the reference scale.
    """
    outer = usual.most if kind.better == "less" else usual.least
    middle, end, here = (float(transformed(kind, x)) for x in (usual.middle, outer, value))
    return (here - middle) / (end - middle) if end != middle else 0.0


def _finding(dimension: str, name: str, measure: Measure, usual: UsualRange, heard: Heard) -> Finding:
    sentence, said = _SENTENCES[dimension, name]
    return Finding(
        id=finding_id(dimension, name, heard.start_sec),
        dimension=dimension,
        kind=THROUGHOUT,
        start_sec=heard.start_sec,
        end_sec=heard.start_sec + heard.duration_sec,
        measure=Measure(value=measure.value, unit=measure.unit, meaning=measure.meaning),
        reference=Measure(
            value=usual.middle,
            unit=measure.unit,
            meaning="median of competent playing of this length",
            usual=(usual.low, usual.high),
        ),
        confidence=heard.agreement * (1.0 - 1.0 / WORSE_THAN),
        sentence=sentence.format(said(measure.value)),
        usual=f"In three of five competent performances as long it is {said(usual.low)} to "
        f"{said(usual.high)}.",
    )

"""Findings from single places: those that are rare in competent playing, and notes not as written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from tocco.inference.candidates import Candidate, Heard, finding_at, sentence_of
from tocco.inference.technique import Measure, Place
from tocco.music.places import bars_in_words
from tocco.pseudo_labels.norms.competent import Competent

MOST_EXPECTED: Final = 0.02
"""Number of such places in competent playing of the same length above which a place is not named."""

LEAST_STRENGTH: Final = 0.5
"""Strength of a wrong note, however many competent pianists have: it is not as written."""

NEARBY_SEC: Final = 5.0
"""Wrong, missing and extra notes that follow one another within this time are one finding."""

MOST_NAMED: Final = 4
"""Notes that a sentence names; the others it counts."""

SEVERAL: Final = "several"

_HOURS_FROM_MIN: Final = 120
_NOTE_KINDS: Final = ("wrong", "missing", "extra")
_FOR_TRANSCRIBED: Final = ("wrong", "restart", "skipped", "hesitation")
"""Kinds that a transcription shows; levels, releases and pedal it shows badly, and soft notes not at all.
Four of five added notes in it were not played (results/transcription/report.md)."""

PRECISION_OF_WRONG: Final = 0.71
"""Share of the wrong notes in a transcription that were played, as measured there."""


@dataclass(frozen=True)
class _Kind:
    """How a kind of place is measured and called.

    Attributes
    ----------
    unit, meaning : of its size
    called : one of at least this size
    """

    unit: str
    meaning: str
    called: str


_KINDS: Final[Mapping[tuple[str, str], _Kind]] = {
    ("note_accuracy", "restart"): _Kind(
        "weighted notes", "what a restart counts among note errors", "restart that counts as much"
    ),
    ("note_accuracy", "skipped"): _Kind("weighted notes", "notes that were skipped", "skip as long"),
    ("rhythmic_precision", "hesitation"): _Kind("s", "time lost beyond the local tempo", "wait as long"),
    ("rhythmic_precision", "late"): _Kind("s", "lateness relative to the local tempo", "note as late"),
    ("rhythmic_precision", "early"): _Kind("s", "earliness relative to the local tempo", "note as early"),
    ("dynamics_control", "uneven"): _Kind("velocity", "distance from the line", "note as far off its line"),
    ("dynamics_control", "hairpin"): _Kind(
        "velocity", "change against the hairpin", "hairpin played so far in the other direction"
    ),
    ("dynamics_control", "accent"): _Kind("velocity", "softer than its neighbours", "accent as soft"),
    ("articulation_quality", "cut short"): _Kind(
        "log", "shorter than usual, natural logarithm of the ratio", "note cut as short"
    ),
    ("articulation_quality", "held longer than usual"): _Kind(
        "log", "longer than usual, natural logarithm of the ratio", "note held as long"
    ),
    ("pedaling_technique", "blur"): _Kind("count", "dissonances held by the pedal", "blur as dense"),
    ("pedaling_technique", "held through"): _Kind(
        "count", "bass changes without a pedal change", "such place"
    ),
    ("pedaling_technique", "hole"): _Kind("count", "silences although the pedal was down", "such place"),
    ("tone_quality", "voicing"): _Kind("velocity", "top note below its chord", "top note as covered"),
}


def of_places(dimension: str, places: Sequence[Place], heard: Heard, competent: Competent) -> list[Candidate]:
    """Places that are rare in competent playing."""
    found = []
    for place in places:
        kind = _KINDS.get((dimension, place.kind))
        if kind is None or place.size is None:
            continue
        if heard.origin == "transcribed" and place.kind not in _FOR_TRANSCRIBED:
            continue
        rate = competent.per_minute(dimension, place.kind, place.size)
        expected = math.inf if rate is None else rate * heard.duration_sec / 60.0
        if rate is None or expected >= MOST_EXPECTED:
            continue
        finding = finding_at(
            dimension,
            place.kind,
            [place],
            measure=Measure(value=place.size, unit=kind.unit, meaning=kind.meaning),
            reference=Measure(
                value=rate, unit="count/min", meaning=f"{kind.called} or more, competent playing"
            ),
            confidence=heard.agreement * math.exp(-expected),
            sentence=sentence_of(place.text),
            usual=f"In competent playing a {kind.called} comes no more than once in {_time(rate)}.",
        )
        found.append(Candidate(finding, -math.log(expected)))
    return found


def _time(rate: float) -> str:
    """The time in which one comes, rounded down.

    >>> _time(0.9), _time(0.05), _time(0.003)
    ('a minute', '20 minutes', '5 hours')
    """
    minutes = math.floor(1.0 / rate + 1e-9)
    if minutes >= _HOURS_FROM_MIN:
        return f"{minutes // 60} hours"
    return "a minute" if minutes < 2 else f"{minutes} minutes"


def of_notes(places: Sequence[Place], heard: Heard, competent: Competent) -> list[Candidate]:
    """Wrong, missing and extra notes, those that follow one another as one."""
    kinds = [kind for kind in _NOTE_KINDS if heard.origin == "keys" or kind in _FOR_TRANSCRIBED]
    notes = sorted((one for one in places if one.kind in kinds), key=lambda one: one.start_sec)
    if not notes:
        return []
    cuts = [k + 1 for k, (a, b) in enumerate(pairwise(notes)) if b.start_sec - a.end_sec > NEARBY_SEC]
    groups = [notes[a:b] for a, b in pairwise([0, *cuts, len(notes)])]
    return [_of_slips(group, heard, competent) for group in groups]


def _of_slips(slips: Sequence[Place], heard: Heard, competent: Competent) -> Candidate:
    first = slips[0]
    sentence = sentence_of(first.text)
    if len(slips) > 1:
        named = [place.text.partition(": ")[2] for place in slips[:MOST_NAMED]]
        more = [f"{len(slips) - MOST_NAMED} more"] if len(slips) > MOST_NAMED else []
        said = "; ".join([*named, *more])
        sentence = sentence_of(f"{_where(slips)}: {len(slips)} notes are not as written ({said})")
    kinds = [kind for kind in _NOTE_KINDS if any(place.kind == kind for place in slips)]
    return Candidate(
        finding_at(
            "note_accuracy",
            first.kind if len(slips) == 1 else SEVERAL,
            slips,
            measure=Measure(value=float(len(slips)), unit="count", meaning="notes that are not as written"),
            reference=Measure(
                value=sum(_usual_share(kind, competent)[1] for kind in kinds),
                unit="fraction",
                meaning=f"{' or '.join(kinds)} notes: four in five competent performances have fewer",
            ),
            confidence=heard.agreement * (1.0 if heard.origin == "keys" else PRECISION_OF_WRONG),
            sentence=sentence,
            usual=_usual_slips(kinds, heard, competent),
        ),
        strength=LEAST_STRENGTH * len(slips),
    )


def _usual_slips(kinds: Sequence[str], heard: Heard, competent: Competent) -> str:
    """How many such notes are usual, counted by the same alignment."""
    if heard.origin == "transcribed":
        return "So it was heard; about three of ten such notes are errors of the transcriber."
    parts = [
        f"{100.0 * low:.1f} to {100.0 * high:.1f} % of the notes are {kind}"
        for kind in kinds
        for low, high in [_usual_share(kind, competent)]
    ]
    return f"In competent playing, counted in the same way, {', '.join(parts)}."


def _usual_share(kind: str, competent: Competent) -> tuple[float, float]:
    usual = competent.lengths[-1].measures["note_accuracy"][f"{kind}_share"]
    return usual.low, usual.high


def _where(places: Sequence[Place]) -> str:
    first, last = places[0].bar, places[-1].bar
    return places[0].text.partition(": ")[0] if first is None or last is None else bars_in_words(first, last)

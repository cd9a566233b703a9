"""What to work on first: the places that are rarest in competent playing, and the wrong notes.

A place counts if competent pianists would have less than `MOST_EXPECTED` of its kind and at least its size in a
performance of this length. The order is by what a finding takes from the aggregate and by how sure it is:

    share of the dimension in the aggregate x (-log of the number expected) x confidence
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from tocco.inference.assessment import Moment, Rating
from tocco.inference.finding import Finding
from tocco.inference.intervals import DEFAULT_LEVEL
from tocco.inference.technique import Measure, Place, Technique
from tocco.music.performance import Origin
from tocco.music.places import bars_in_words
from tocco.pseudo_labels.norms.competent import Competent, competent_playing

MOST_FINDINGS: Final = 3

MOST_EXPECTED: Final = 0.02
"""Number of such places in competent playing of the same length above which a place is not named."""

SHARE_WITHOUT_WEIGHT: Final = 0.5
"""A dimension that has no share in the aggregate counts as this part of the smallest share."""

LEAST_STRENGTH: Final = 0.5
"""Strength of a wrong note, however many competent pianists have: it is not as written."""

NEARBY_SEC: Final = 5.0
"""Wrong, missing and extra notes that follow one another within this time are one finding."""

PASSAGE: Final = "passage"

_HOURS_FROM_MIN: Final = 120

_NOTE_KINDS: Final = ("wrong", "missing", "extra")
_FOR_TRANSCRIBED: Final = ("wrong", "extra", "restart", "skipped", "hesitation")
"""Kinds that a transcription shows; levels, releases and pedal it shows badly, and soft notes not at all."""


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
    ("note_accuracy", "restart"): _Kind("weighted notes", "notes given up at a restart", "restart as long"),
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


@dataclass(frozen=True)
class Heard:
    """What findings are made from, beside technique and passages.

    Attributes
    ----------
    duration_sec : of the music
    origin : of the notes
    agreement : 0..1, of the alignment with the score; 1 without a score
    has_score : what is usual is known of performances beside their score alone
    """

    duration_sec: float
    origin: Origin
    agreement: float
    has_score: bool


@dataclass(frozen=True)
class _Candidate:
    finding: Finding
    strength: float


def find(
    technique: Mapping[str, Technique],
    moments: Sequence[Moment],
    ratings: Mapping[str, Rating],
    weights: Mapping[str, float],
    heard: Heard,
) -> tuple[Finding, ...]:
    """What to work on first, the most important finding first; empty where nothing stands out.

    Parameters
    ----------
    technique : dimension -> what was measured
    moments : passages that differ from the whole by more than chance
    ratings : of the whole
    weights : dimension -> share of the aggregate; empty without an aggregate
    heard
    """
    competent = competent_playing()
    candidates = [_of_passage(moment, ratings) for moment in moments if moment.kind == "weakest"]
    if heard.has_score:
        for dimension, found in technique.items():
            candidates += _of_places(dimension, found.places, heard, competent)
        notes = technique.get("note_accuracy")
        candidates += _of_notes(notes.places if notes is not None else (), heard, competent)
    chosen = sorted(candidates, key=lambda one: (-_rank(one, weights), one.finding.start_sec, one.finding.id))
    return tuple(one.finding for one in _one_a_place(chosen)[:MOST_FINDINGS])


def _rank(candidate: _Candidate, weights: Mapping[str, float]) -> float:
    finding = candidate.finding
    smallest = min((weight for weight in weights.values() if weight > 0.0), default=1.0)
    share = weights.get(finding.dimension) or SHARE_WITHOUT_WEIGHT * smallest
    return share * candidate.strength * finding.confidence


def _one_a_place(ranked: Sequence[_Candidate]) -> list[_Candidate]:
    """Without those of a dimension that has a finding at the same time: a slip has many traces."""
    kept: list[_Candidate] = []
    for one in ranked:
        if not any(_is_same_matter(one.finding, other.finding) for other in kept):
            kept.append(one)
    return kept


def _is_same_matter(one: Finding, other: Finding) -> bool:
    near = one.start_sec - other.end_sec < NEARBY_SEC and other.start_sec - one.end_sec < NEARBY_SEC
    return one.dimension == other.dimension and near and PASSAGE not in (one.kind, other.kind)


def _of_places(
    dimension: str, places: Sequence[Place], heard: Heard, competent: Competent
) -> list[_Candidate]:
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
        finding = _finding(
            dimension,
            place.kind,
            [place],
            measure=Measure(value=place.size, unit=kind.unit, meaning=kind.meaning),
            reference=Measure(
                value=rate, unit="count/min", meaning=f"{kind.called} or more, competent playing"
            ),
            confidence=heard.agreement * math.exp(-expected),
            sentence=_sentence(place.text),
            usual=f"In competent playing a {kind.called} comes no more than once in {_time(rate)}.",
        )
        found.append(_Candidate(finding, -math.log(expected)))
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


def _of_notes(places: Sequence[Place], heard: Heard, competent: Competent) -> list[_Candidate]:
    """Wrong, missing and extra notes, those that follow one another as one."""
    kinds = [kind for kind in _NOTE_KINDS if heard.origin == "keys" or kind in _FOR_TRANSCRIBED]
    notes = sorted((one for one in places if one.kind in kinds), key=lambda one: one.start_sec)
    if not notes:
        return []
    cuts = [k + 1 for k, (a, b) in enumerate(pairwise(notes)) if b.start_sec - a.end_sec > NEARBY_SEC]
    groups = [notes[a:b] for a, b in pairwise([0, *cuts, len(notes)])]
    return [_of_slips(group, heard, competent) for group in groups]


def _of_slips(slips: Sequence[Place], heard: Heard, competent: Competent) -> _Candidate:
    first = slips[0]
    sentence = _sentence(first.text)
    if len(slips) > 1:
        said = "; ".join(place.text.partition(": ")[2] for place in slips)
        sentence = _sentence(f"{_where(slips)}: {len(slips)} notes are not as written ({said})")
    kinds = [kind for kind in _NOTE_KINDS if any(place.kind == kind for place in slips)]
    return _Candidate(
        _finding(
            "note_accuracy",
            first.kind if len(slips) == 1 else "several",
            slips,
            measure=Measure(value=float(len(slips)), unit="count", meaning="notes that are not as written"),
            reference=Measure(
                value=sum(_usual_share(kind, competent)[1] for kind in kinds),
                unit="fraction",
                meaning=f"{' or '.join(kinds)} notes, of all notes: four in five competent performances have fewer",
            ),
            confidence=heard.agreement,
            sentence=sentence,
            usual=_usual_slips(kinds, competent),
        ),
        strength=LEAST_STRENGTH * len(slips),
    )


def _usual_slips(kinds: Sequence[str], competent: Competent) -> str:
    """How many such notes are usual, counted by the same alignment."""
    parts = [
        f"{100.0 * low:.1f} to {100.0 * high:.1f} % of the notes are {kind}"
        for kind in kinds
        for low, high in [_usual_share(kind, competent)]
    ]
    return f"In competent playing, counted in the same way, {', '.join(parts)}."


def _usual_share(kind: str, competent: Competent) -> tuple[float, float]:
    usual = competent.measures["note_accuracy"][f"{kind}_share"]
    return usual.low, usual.high


def _of_passage(moment: Moment, ratings: Mapping[str, Rating]) -> _Candidate:
    whole = ratings[moment.dimension].value or 0.0
    bars = moment.where or ("" if moment.bars is None else bars_in_words(*moment.bars))
    name = moment.dimension.replace("_", " ")
    start = f"{bars}: {name}" if bars else name
    chance = "" if moment.margin is None else f"; a difference of {moment.margin:.1f} could be chance"
    finding = Finding(
        id=_id(moment.dimension, PASSAGE, moment.start_sec),
        dimension=moment.dimension,
        kind=PASSAGE,
        bars=moment.bars,
        start_sec=moment.start_sec,
        end_sec=moment.end_sec,
        measure=Measure(value=moment.value, unit="points", meaning="rating of the passage"),
        reference=Measure(value=whole, unit="points", meaning="rating of the whole"),
        confidence=DEFAULT_LEVEL,
        sentence=_sentence(f"{start} falls to {moment.value:.1f}"),
        usual=f"The whole is rated {whole:.1f}{chance}.",
    )
    return _Candidate(finding, -math.log(1.0 - DEFAULT_LEVEL))


def _finding(
    dimension: str,
    kind: str,
    places: Sequence[Place],
    *,
    measure: Measure,
    reference: Measure,
    confidence: float,
    sentence: str,
    usual: str,
) -> Finding:
    first, last = places[0], places[-1]
    bars = None if first.bar is None or last.bar is None else (first.bar, last.bar)
    return Finding(
        id=_id(dimension, kind, first.start_sec),
        dimension=dimension,
        kind=kind,
        bars=bars,
        beat=first.beat,
        start_sec=first.start_sec,
        end_sec=max(place.end_sec for place in places),
        measure=measure,
        reference=reference,
        confidence=confidence,
        sentence=sentence,
        usual=usual,
    )


def _where(places: Sequence[Place]) -> str:
    first, last = places[0].bar, places[-1].bar
    return places[0].text.partition(": ")[0] if first is None or last is None else bars_in_words(first, last)


def _id(dimension: str, kind: str, start_sec: float) -> str:
    return f"{dimension}-{kind.replace(' ', '-')}-{start_sec:.1f}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."

"""What to work on first: the places and measures that are rarest in competent playing, and the wrong notes.

A place counts if competent pianists would have fewer than `MOST_EXPECTED` of its kind and at least its size
in a performance of this length. A measure of the whole counts if it is worse than in 99 of 100 stretches of
competent playing of this length. The order is by what a finding takes from the aggregate and by how sure it
is:

    share of the dimension in the aggregate x (-log of the number expected) x confidence
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from tocco.inference.assessment import Moment, Rating
from tocco.inference.candidates import Candidate, Heard, finding_id, sentence_of
from tocco.inference.finding import Finding
from tocco.inference.intervals import DEFAULT_LEVEL
from tocco.inference.place_findings import NEARBY_SEC, of_notes, of_places
from tocco.inference.technique import Measure, Place, Technique
from tocco.inference.whole_findings import THROUGHOUT, of_measures
from tocco.music.places import bars_in_words
from tocco.pseudo_labels.norms.competent import competent_playing

MOST_FINDINGS: Final = 3

SHARE_WITHOUT_WEIGHT: Final = 0.5
"""A dimension that has no share in the aggregate counts as this part of the smallest share."""

PASSAGE: Final = "passage"


def find(
    technique: Mapping[str, Technique],
    moments: Sequence[Moment],
    ratings: Mapping[str, Rating],
    weights: Mapping[str, float],
    heard: Heard,
    slips: Sequence[Place],
) -> tuple[Finding, ...]:
    """What to work on first, the most important finding first; empty where nothing stands out.

    Parameters
    ----------
    technique : dimension -> what was measured
    moments : passages that differ from the whole by more than chance
    ratings : of the whole
    weights : dimension -> share of the aggregate; empty without an aggregate
    heard
    slips : every wrong, missing and extra note
    """
    competent = competent_playing()
    candidates = [_of_passage(moment, ratings) for moment in moments if moment.kind == "weakest"]
    if heard.has_score:
        for dimension, found in technique.items():
            candidates += of_places(dimension, found.places, heard, competent)
            candidates += of_measures(dimension, found, heard, competent)
        of_slips = of_notes(slips, heard, competent)
        candidates = [one for one in candidates if not _repeats(one.finding, of_slips)] + of_slips
    chosen = sorted(candidates, key=lambda one: (-_rank(one, weights), one.finding.start_sec, one.finding.id))
    return tuple(one.finding for one in _one_a_place(chosen)[:MOST_FINDINGS])


def _repeats(finding: Finding, slips: Sequence[Candidate]) -> bool:
    """Whether it is a passage that is low in note accuracy by the very notes that a finding names."""
    return (
        finding.kind == PASSAGE
        and finding.dimension == "note_accuracy"
        and any(
            slip.finding.start_sec <= finding.end_sec and finding.start_sec <= slip.finding.end_sec
            for slip in slips
        )
    )


def _rank(candidate: Candidate, weights: Mapping[str, float]) -> float:
    finding = candidate.finding
    smallest = min((weight for weight in weights.values() if weight > 0.0), default=1.0)
    share = weights.get(finding.dimension) or SHARE_WITHOUT_WEIGHT * smallest
    return share * candidate.strength * finding.confidence


def _one_a_place(ranked: Sequence[Candidate]) -> list[Candidate]:
    """Without those of a dimension that has a finding of this reach already: a slip has many traces."""
    kept: list[Candidate] = []
    for one in ranked:
        if not any(_is_same_matter(one.finding, other.finding) for other in kept):
            kept.append(one)
    return kept


def _is_same_matter(one: Finding, other: Finding) -> bool:
    if one.dimension != other.dimension or _reach(one) != _reach(other):
        return False
    return one.start_sec - other.end_sec < NEARBY_SEC and other.start_sec - one.end_sec < NEARBY_SEC


def _reach(finding: Finding) -> str:
    return finding.kind if finding.kind in (PASSAGE, THROUGHOUT) else "place"


def _of_passage(moment: Moment, ratings: Mapping[str, Rating]) -> Candidate:
    whole = ratings[moment.dimension].value or 0.0
    bars = moment.where or ("" if moment.bars is None else bars_in_words(*moment.bars))
    name = moment.dimension.replace("_", " ")
    start = f"{bars}: {name}" if bars else name
    chance = "" if moment.margin is None else f"; a difference of up to {moment.margin:.1f} could be chance"
    finding = Finding(
        id=finding_id(moment.dimension, PASSAGE, moment.start_sec),
        dimension=moment.dimension,
        kind=PASSAGE,
        bars=moment.bars,
        start_sec=moment.start_sec,
        end_sec=moment.end_sec,
        measure=Measure(value=moment.value, unit="points", meaning="rating of the passage"),
        reference=Measure(value=whole, unit="points", meaning="rating of the whole"),
        confidence=DEFAULT_LEVEL,
        sentence=sentence_of(f"{start} falls to {moment.value:.1f}"),
        usual=f"The whole is rated {whole:.1f}{chance}.",
    )
    return Candidate(finding, -math.log(1.0 - DEFAULT_LEVEL))

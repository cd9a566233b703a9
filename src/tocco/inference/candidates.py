"""What findings are chosen from, and what they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tocco.inference.finding import Finding
from tocco.inference.technique import Measure, Place
from tocco.music.performance import Origin


@dataclass(frozen=True)
class Heard:
    """What findings are made from, beside technique and passages.

    Attributes
    ----------
    start_sec, duration_sec : of the music
    origin : of the notes
    agreement : 0..1, of the alignment with the score; 1 without a score
    has_score : what is usual is known of performances beside their score alone
    """

    start_sec: float
    duration_sec: float
    origin: Origin
    agreement: float
    has_score: bool


@dataclass(frozen=True)
class Candidate:
    """A finding that may be named.

    Attributes
    ----------
    finding
    strength : minus the logarithm of the number expected in competent playing
    """

    finding: Finding
    strength: float


def finding_at(
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
    """A finding from the first of these places to the last."""
    first, last = places[0], places[-1]
    bars = None if first.bar is None or last.bar is None else (first.bar, last.bar)
    return Finding(
        id=finding_id(dimension, kind, first.start_sec),
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


def finding_id(dimension: str, kind: str, start_sec: float) -> str:
    """Dimension, kind and tenth of a second.

    >>> finding_id("rhythmic_precision", "late", 12.04)
    'rhythmic_precision-late-12.0'
    """
    return f"{dimension}-{kind.replace(' ', '-')}-{start_sec:.1f}"


def sentence_of(text: str) -> str:
    """The text as a sentence."""
    return f"{text[:1].upper()}{text[1:]}."

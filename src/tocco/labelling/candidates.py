"""Segments of 20 to 30 s that may be rated, and what is known of them before anyone listens."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from tocco.audio.description import describe_audio
from tocco.data.manifest import LABEL_SUFFIXES, read_manifest
from tocco.data.pairing import TakeFiles, takes_in
from tocco.data.records import LabelRecord, read_labels
from tocco.errors import InputError, ToccoError
from tocco.files import file_name
from tocco.inference.assessment import Assessment
from tocco.labelling.cutting import LONGEST_SEC, SHORTEST_SEC, cut
from tocco.music.midi import load_midi
from tocco.music.performance import Performance
from tocco.units import FloatArray

SOURCE: Final = "prepared"
"""Source of records that are to be rated."""

_TAKE_NUMBER: Final = re.compile(
    r"(?:[ _.-]+|(?<=[a-z])(?=take|version))(?:take|version|t|v)?[ _.-]*\d{1,2}$", re.IGNORECASE
)
"""End of a name that numbers takes: Chopin_waltz_take2, waltz-3; not waltz3 nor bwv_858."""

LONGEST_KNOWN_SEC: Final = 60.0
"""Segments with known ratings are used whole, up to here."""

COMPOSERS: Final = (
    *("albeniz", "alkan", "bach", "balakirev", "bartok", "beethoven", "berg", "boulez", "brahms", "byrd"),
    *("cage", "chaminade", "chopin", "clementi", "couperin", "crumb", "czerny", "debussy", "dvorak", "faure"),
    *("field", "franck", "gershwin", "ginastera", "glass", "glinka", "granados", "grieg", "handel", "haydn"),
    *("hindemith", "hummel", "janacek", "kapustin", "ligeti", "liszt", "medtner", "mendelssohn", "messiaen"),
    *(
        "moszkowski",
        "mozart",
        "mussorgsky",
        "part",
        "petzold",
        "poulenc",
        "prokofiev",
        "purcell",
        "rachmaninoff",
    ),
    *("rachmaninov", "rameau", "ravel", "reger", "satie", "scarlatti", "schoenberg", "schubert", "schumann"),
    *("scriabin", "shostakovich", "smetana", "soler", "strauss", "stravinsky", "szymanowski", "takemitsu"),
    *("tchaikovsky", "villa", "wagner", "webern", "weber"),
)
"""Surnames that are looked for in the names of pieces, works and files."""


@dataclass(frozen=True)
class Candidate:
    """A segment that may be rated.

    Attributes
    ----------
    record : without labels
    composer : surname as in `COMPOSERS`; None where no name shows it
    difficulty : mean of standardised note densities, any unit; NaN without notes
    quality : points, of the segment, by a given assessment or label; NaN where none was given
    """

    record: LabelRecord
    composer: str | None
    difficulty: float
    quality: float


@dataclass(frozen=True)
class _Take:
    """One performance, or the part of one that a label record names."""

    name: str
    record: LabelRecord
    quality: Callable[[float, float], float]


@dataclass(frozen=True)
class Refusal:
    """A performance that gives no segment, and why."""

    subject: str
    reason: str


def candidates_of(
    source: Path,
    assessments: Mapping[str, Assessment],
    *,
    per_performance: int,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[tuple[Candidate, ...], tuple[Refusal, ...]]:
    """Every segment that a folder, a manifest or a label file offers.

    Parameters
    ----------
    source
    assessments : name of a performance -> its assessment
    per_performance : at most so many segments of one performance, drawn at random
    rng
    progress : called with (done, total) after each performance

    Raises
    ------
    InputError
        The source cannot be used, or has no performance.
    """
    takes = _takes(source, assessments)
    found: list[tuple[Candidate, FloatArray]] = []
    used: set[str] = set()
    refusals: list[Refusal] = []
    for i, take in enumerate(takes):
        try:
            parts = _parts(take)
        except ToccoError as error:
            refusals.append(Refusal(take.name, str(error)))
            parts = []
        if len(parts) > per_performance:
            parts = [parts[k] for k in sorted(rng.permutation(len(parts))[:per_performance].tolist())]
        found += [(_with_own_id(one, used), density) for one, density in parts]
        progress(i + 1, len(takes))
    if not found:
        why = f"; {refusals[0].reason}" if refusals else ""
        raise InputError(
            source, f"has no segment to rate{why}", allowed=f"performances of {SHORTEST_SEC:g} s or more"
        )
    difficulty = _standardised_mean(np.array([density for _, density in found]))
    return (
        tuple(replace(one, difficulty=float(d)) for (one, _), d in zip(found, difficulty, strict=True)),
        tuple(refusals),
    )


def _with_own_id(candidate: Candidate, used: set[str]) -> Candidate:
    """The candidate under an id that no other has: the end of one name may look like a number of a part."""
    name, number = candidate.record.segment_id, 2
    while name.casefold() in used:
        name, number = f"{candidate.record.segment_id}-{number}", number + 1
    used.add(name.casefold())
    if name == candidate.record.segment_id:
        return candidate
    return replace(candidate, record=candidate.record.model_copy(update={"segment_id": name}))


def known_segments(path: Path, dimensions: Sequence[str]) -> tuple[LabelRecord, ...]:
    """Segments with known ratings, for anchors and calibration; their ends are filled in.

    Raises
    ------
    InputError
        No record has a label in one of the dimensions and lasts up to `LONGEST_KNOWN_SEC`.
    """
    result = []
    for record in read_labels(path, must_exist=True):
        labels = {name: record.labels[name] for name in dimensions if name in record.labels}
        start, end = _span(record, _performance(record))
        if labels and SHORTEST_SEC <= end - start <= LONGEST_KNOWN_SEC:
            fields = {"end_time": round(end, 3), "labels": labels}
            result.append(record.model_copy(update=fields))
    if not result:
        raise InputError(
            path,
            f"has no segment of up to {LONGEST_KNOWN_SEC:g} s with a rating in a dimension of the project",
            next_step="name a label file with ratings by people",
        )
    return tuple(result)


def composer_of(*names: str | None) -> str | None:
    """The composer whose surname stands in one of the names.

    >>> composer_of("Chopin_Etude_op_10"), composer_of(None, "take 3")
    ('chopin', None)
    """
    for name in names:
        plain = unicodedata.normalize("NFKD", name or "").encode("ascii", "ignore").decode().casefold()
        for word in re.findall(r"[a-z]+", plain):
            if word in COMPOSERS:
                return word
    return None


def _takes(source: Path, assessments: Mapping[str, Assessment]) -> list[_Take]:
    if source.suffix.lower() in LABEL_SUFFIXES:
        return [
            _Take(one.segment_id, one, _labelled_quality(one)) for one in read_labels(source, must_exist=True)
        ]
    files = takes_in(source)[0] if source.is_dir() else read_manifest(source, must_exist=True)
    if not files:
        raise InputError(source, "has no performances", allowed="recordings or MIDI, with scores beside them")
    return [_Take(one.id, _record_of(one), _assessed_quality(assessments.get(one.id))) for one in files]


def _record_of(take: TakeFiles) -> LabelRecord:
    return LabelRecord(
        segment_id=take.id,
        piece_id=piece_of(take),
        source=SOURCE,
        audio_path=None if take.audio is None else take.audio.absolute(),
        midi_path=None if take.midi is None else take.midi.absolute(),
        score_path=None if take.score is None else take.score.absolute(),
        origin=take.origin,
        labels={},
    )


def piece_of(take: TakeFiles) -> str:
    """The score's name where scores are shared, else the take's without what numbers takes."""
    if take.score is not None and file_name(take.score.stem).casefold() != take.id.casefold():
        return file_name(take.score.stem)
    return _TAKE_NUMBER.sub("", take.id) or take.id


def _labelled_quality(record: LabelRecord) -> Callable[[float, float], float]:
    labels = record.labels
    value = labels.get("overall_quality", np.mean(list(labels.values())) if labels else math.nan)
    return lambda start, end: float(value)


def _assessed_quality(assessment: Assessment | None) -> Callable[[float, float], float]:
    """Overall quality over a span by the curve, else the aggregate."""
    if assessment is None or assessment.aggregate.value is None:
        return lambda start, end: math.nan
    whole = float(assessment.aggregate.value)
    curve = assessment.curve.value.get("overall_quality")
    if not curve:
        return lambda start, end: whole
    time = np.array(assessment.curve.time_sec, float)
    value = np.array([math.nan if v is None else v for v in curve], float)

    def quality(start: float, end: float) -> float:
        inside = value[(time >= start) & (time <= end)]
        inside = inside[np.isfinite(inside)]
        return float(inside.mean()) if len(inside) else whole

    return quality


def _performance(record: LabelRecord) -> Performance | None:
    return None if record.midi_path is None else load_midi(record.midi_path)


def _span(record: LabelRecord, performance: Performance | None) -> tuple[float, float]:
    """Where the music of a record begins and ends, in seconds."""
    start, end = record.start_time, record.end_time
    if end is None:
        if record.audio_path is not None:
            end = describe_audio(record.audio_path).duration_sec
        else:
            assert performance is not None
            end = performance.duration_sec
    return start, end


def _parts(take: _Take) -> list[tuple[Candidate, FloatArray]]:
    """Segments of one performance, with the note densities of each."""
    record, performance = take.record, _performance(take.record)
    start, end = _span(record, performance)
    onset = None if performance is None else performance.onset_sec
    if record.end_time is None and onset is not None and len(onset):
        start = max(start, float(onset.min()))
    bounds = cut(start, end, onset)
    if not bounds:
        raise InputError(
            take.name, f"lasts {end - start:.1f} s", allowed=f"{SHORTEST_SEC:g} s or more of music"
        )
    is_whole = len(bounds) == 1 and end - start <= LONGEST_SEC
    files = (record.audio_path, record.midi_path)
    composer = composer_of(
        record.work_id, record.piece_id, *(path.stem for path in files if path is not None)
    )
    result = []
    for k, (a, b) in enumerate(bounds):
        part = record.model_copy(
            update={
                "segment_id": record.segment_id
                if is_whole
                else file_name(f"{record.segment_id}_{k + 1:02d}"),
                "start_time": round(a, 3),
                "end_time": round(b, 3),
                "source": SOURCE,
                "labels": {},
                "label_sd": {},
                "n_raters": None,
            }
        )
        density = np.full(3, np.nan) if onset is None else _densities(performance, a, b)
        result.append((Candidate(part, composer, math.nan, take.quality(a, b)), density))
    return result


def _densities(performance: Performance | None, start: float, end: float) -> FloatArray:
    """(3,) notes a second, of the densest second, and per chord (strikes within 30 ms)."""
    assert performance is not None
    onset = performance.onset_sec
    inside = np.sort(onset[(onset >= start) & (onset < end)])
    if len(inside) < 2:
        return np.full(3, np.nan)
    within_a_second = np.searchsorted(inside, inside + 1.0) - np.arange(len(inside))
    n_chords = 1 + int((np.diff(inside) > 0.03).sum())
    return np.array([len(inside) / (end - start), float(within_a_second.max()), len(inside) / n_chords])


def _standardised_mean(density: FloatArray) -> FloatArray:
    """(N,) mean of the standardised columns; NaN where one is missing."""
    known = np.isfinite(density).all(axis=1)
    if not known.any():
        return np.full(len(density), np.nan)
    spread = density[known].std(axis=0)
    return ((density - density[known].mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)).mean(axis=1)

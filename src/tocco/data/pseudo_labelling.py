"""Pseudo-labels of whole performances, segment by segment, and of corrupted versions.

A performance is aligned with its score once, as a whole; then each segment of ten seconds is rated. The
ratings are cached in one file per performance, keyed by the content of everything that determines them, so
that an interrupted run continues where it stopped and a second run does nothing. Comparison with other
pianists of the piece follows afterwards, see `pseudo_label_records`.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tocco.audio.processing import load_audio, segment_bounds
from tocco.cache import Keyed, cached_model, json_key
from tocco.data.records import LabelRecord
from tocco.data.sources import read_record
from tocco.errors import InputError, MismatchError
from tocco.files import sha256_of, write_bytes
from tocco.music.alignment import Alignment
from tocco.music.corruption import CORRUPTIONS, Corruption, corrupt, corruption_kind
from tocco.music.midi import save_midi
from tocco.music.performance import Performance
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.pseudo_label import PseudoLabel
from tocco.pseudo_labels.rate import rate_span
from tocco.pseudo_labels.scale.earlier_names import with_earlier_names
from tocco.pseudo_labels.scale.model import ReferenceScale
from tocco.schema import Points, Share, StrictModel, laid_out

PSEUDO_LABEL_VERSION: Final = 6
"""Incremented with every change of the raters or of a corruption that leaves the scale unchanged."""

SEGMENT_SEC: Final = 10.0
OVERLAP: Final = 0.5

LEAST_CONFIDENCE: Final = 0.2
"""Below it a rating rests on a few notes or on a small part of its components."""

TOO_LITTLE: Final = "too few notes, or too few components of the rating could be measured"


class RatedSegment(StrictModel):
    """The ratings of one segment."""

    start_time: float
    """Seconds of the performance."""

    end_time: float
    """Seconds of the performance."""

    labels: dict[str, Points]
    """Dimension -> rating; unrated dimensions are absent."""

    confidence: dict[str, Share]
    """Dimension -> confidence of the rating."""

    unrated: dict[str, str]
    """Dimension -> why it has no rating."""


class RatedVersion(StrictModel):
    """All segments of a performance, original or corrupted."""

    corruption: str | None
    """Kind and severity, "wrong_notes-0.04"; null for the original."""

    segments: tuple[RatedSegment, ...]
    """In order of time, without those that have no rating."""


class RatedPerformance(Keyed):
    """Ratings of one performance of a manifest."""

    versions: tuple[RatedVersion, ...]
    """The original first."""

    refusal: str | None
    """Why it could not be rated."""

    inapplicable: tuple[str, ...]
    """Corruptions that were drawn and do not apply: no pedal, no runs."""


@dataclass(frozen=True)
class CorruptionPlan:
    """Corrupted versions to make of each performance.

    Attributes
    ----------
    n_versions : per performance
    kinds : names to draw from
    seed : determines kind, severity and every edit, together with the name of the performance
    """

    n_versions: int = 0
    kinds: tuple[str, ...] = tuple(CORRUPTIONS)
    seed: int = 0

    def __post_init__(self) -> None:
        for kind in self.kinds:
            corruption_kind(kind)
        if not 0 <= self.n_versions <= len(self.kinds):
            raise InputError(
                "corrupted versions",
                f"are {self.n_versions} of each performance, and there are {len(self.kinds)} kinds",
                allowed=f"0 to {len(self.kinds)}",
            )


@dataclass(frozen=True)
class LabelTask:
    """One performance to label.

    Attributes
    ----------
    record : with MIDI; with a score and audio where there are any
    plan
    scale : for recorded MIDI or for transcriptions, as the record
    folder : of the cache and of corrupted MIDI

    Raises
    ------
    ValueError
        The scale is for the other kind.
    """

    record: LabelRecord
    plan: CorruptionPlan
    scale: ReferenceScale
    folder: Path

    def __post_init__(self) -> None:
        if self.scale.origin != self.record.origin:
            raise ValueError(f"{self.record.segment_id} needs the scale of the other kind")

    @property
    def part_path(self) -> Path:
        """Cache file of the ratings of the performance."""
        return self.folder / "parts" / f"{self.record.segment_id}.json"

    def corrupted_path(self, corruption: str) -> Path:
        """MIDI of a corrupted version; its ground truth has the same name with .json."""
        return self.folder / "corrupted" / f"{self.record.segment_id}.{corruption}.mid"


@dataclass(frozen=True)
class Labelled:
    """Result of a task.

    Attributes
    ----------
    task
    rated
    is_cached : from an earlier run
    took_sec : processor seconds
    """

    task: LabelTask
    rated: RatedPerformance
    is_cached: bool
    took_sec: float


def scale_sha256(scale: ReferenceScale) -> str:
    """SHA-256 of the content of a scale, independent of its layout and of renamed fields."""
    content = with_earlier_names(scale.model_dump(mode="json", exclude_none=True))
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def source_of(scale: ReferenceScale) -> str:
    """The `source` of labels on a scale: version of the raters and hash of the scale."""
    return f"pseudo-label-{PSEUDO_LABEL_VERSION}+{scale_sha256(scale)[:12]}"


def with_printed_score(record: LabelRecord) -> LabelRecord:
    """The record with the MusicXML beside its score MIDI under the same name, if there is one.

    A score MIDI has no hairpins and no staccato dots.
    """
    if record.score_path is None or record.score_path.suffix.lower() not in {".mid", ".midi"}:
        return record
    for suffix in (".musicxml", ".xml", ".mxl"):
        printed = record.score_path.with_suffix(suffix)
        if printed.is_file():
            return record.model_copy(update={"score_path": printed})
    return record


def generator_of(name: str, seed: int) -> np.random.Generator:
    """Random generator of one performance, independent of other performances and of their order."""
    return np.random.default_rng([seed, *hashlib.sha256(name.encode()).digest()[:8]])


def align(record: LabelRecord) -> tuple[Performance, Alignment | None]:
    """A record's performance, and its alignment as a whole where it has a score.

    Raises
    ------
    InputError
        The record has no MIDI, or a file cannot be read.
    MismatchError
        The score is that of other music.
    """
    read = read_record(record)
    return read.performance, read.alignment


def rate_segments(
    evidence: Evidence, scale: ReferenceScale, start_sec: float = 0.0, end_sec: float | None = None
) -> tuple[RatedSegment, ...]:
    """Rate every segment of a performance, or of a part of it; segments without a rating are omitted."""
    end = evidence.performance.duration_sec if end_sec is None else end_sec
    found = []
    for bounds in segment_bounds(end - start_sec, SEGMENT_SEC, OVERLAP):
        # Spans are rounded to the millisecond, as written in the label file.
        start, stop = (round(float(sec) + start_sec, 3) for sec in bounds)
        ratings = rate_span(evidence, (start, stop), scale=scale)
        rated = {
            name: label
            for name, label in ratings.items()
            if label.rating is not None and label.confidence >= LEAST_CONFIDENCE
        }
        if rated:
            found.append(
                RatedSegment(
                    start_time=start,
                    end_time=stop,
                    labels={name: float(label.rating or 0.0) for name, label in rated.items()},
                    confidence={name: float(label.confidence) for name, label in rated.items()},
                    unrated={name: _why_not(label) for name, label in ratings.items() if name not in rated},
                )
            )
    return tuple(found)


def _why_not(label: PseudoLabel) -> str:
    """Reason why a dimension is not rated."""
    return label.missing.get(label.dimension, TOO_LITTLE)


def label_performance(task: LabelTask) -> Labelled:
    """Rate a performance and its corrupted versions, or return the cached ratings of an earlier run.

    A performance that cannot be read, or does not match its score, gives a refusal, not an error.
    """
    start = time.process_time()
    key = task_key(task)
    entry = cached_model(
        task.part_path,
        RatedPerformance,
        key,
        lambda: _rated(task, key),
        is_complete=lambda rated: _has_its_files(task, rated),
    )
    return Labelled(task, entry.value, entry.is_found, time.process_time() - start)


def _rated(task: LabelTask, key: str) -> RatedPerformance:
    try:
        versions, inapplicable = _rated_versions(task)
    except (InputError, MismatchError) as error:
        return RatedPerformance(key=key, versions=(), refusal=str(error), inapplicable=())
    return RatedPerformance(key=key, versions=versions, refusal=None, inapplicable=inapplicable)


def task_key(task: LabelTask) -> str:
    """SHA-256 of everything that determines the ratings of a performance."""
    record, plan = task.record, task.plan
    files = [record.midi_path, record.score_path, record.audio_path]
    content = [
        source_of(task.scale),
        [LEAST_CONFIDENCE, SEGMENT_SEC, OVERLAP],
        [sha256_of(path) if path is not None else None for path in files],
        [record.segment_id, record.start_time, record.end_time],
        [plan.n_versions, [[kind, *CORRUPTIONS[kind].ladder] for kind in plan.kinds], plan.seed]
        if plan.n_versions
        else None,
        *(["transcribed"] if record.is_transcribed else []),
    ]
    return json_key(content)


def _has_its_files(task: LabelTask, rated: RatedPerformance) -> bool:
    """Whether the MIDI of all rated corrupted versions exists."""
    named = [version.corruption for version in rated.versions if version.corruption is not None]
    return all(task.corrupted_path(name).is_file() for name in named)


def _rated_versions(task: LabelTask) -> tuple[tuple[RatedVersion, ...], tuple[str, ...]]:
    record = task.record
    performance, alignment = align(record)
    audio = None
    if record.audio_path is not None:
        audio = load_audio(record.audio_path)
    evidence = Evidence(performance, alignment, audio)
    segments = rate_segments(evidence, task.scale, record.start_time, record.end_time)
    versions = [RatedVersion(corruption=None, segments=segments)]
    inapplicable: list[str] = []
    for corruption in drawn_corruptions(performance, alignment, record.segment_id, task.plan, inapplicable):
        name = f"{corruption.name}-{corruption.severity:g}"
        versions.append(RatedVersion(corruption=name, segments=_rated_corruption(task, corruption, name)))
    return tuple(versions), tuple(inapplicable)


def drawn_corruptions(
    performance: Performance,
    alignment: Alignment | None,
    name: str,
    plan: CorruptionPlan,
    inapplicable: list[str],
) -> Iterator[Corruption]:
    """Corrupted versions of a performance, kinds drawn without replacement.

    Parameters
    ----------
    performance, alignment
    name : of the performance
    plan
    inapplicable
        Filled with the kinds that were drawn and do not apply to this performance.
    """
    rng = generator_of(name, plan.seed)
    made = 0
    for place in rng.permutation(len(plan.kinds)):
        kind = CORRUPTIONS[plan.kinds[place]]
        severity = float(rng.choice(kind.ladder))
        own = np.random.default_rng(rng.integers(2**63))
        if made == plan.n_versions:
            return
        try:
            corruption = corrupt(performance, kind.name, severity, own, alignment=alignment)
        except InputError:
            inapplicable.append(kind.name)
            continue
        made += 1
        yield corruption


def _rated_corruption(task: LabelTask, corruption: Corruption, name: str) -> tuple[RatedSegment, ...]:
    """Write a corrupted version with its ground truth, and rate the written file."""
    path = task.corrupted_path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    played = corruption.performance
    # A MIDI file has no time before 0, where jitter may put the pedal of a first chord.
    pedals = (played.sustain, played.sostenuto, played.soft)
    starts = [float(time[0]) for time in (played.onset_sec, *(c.time_sec for c in pedals)) if len(time)]
    shift_sec = max(0.0, -min(starts))
    save_midi(played.shifted(shift_sec), path)
    truth = corruption.ground_truth() | {"shift_sec": shift_sec}
    write_bytes(path.with_suffix(".json"), (laid_out(truth) + "\n").encode())
    version = task.record.model_copy(update={"midi_path": path, "audio_path": None})
    try:
        performance, alignment = align(version)
    except MismatchError:
        return ()  # too corrupted to be aligned with the score
    evidence = Evidence(performance, alignment)
    return rate_segments(evidence, task.scale)

"""Measures of the validation: ladders of corruptions, takes of one piece, planted errors.

Everything is measured on pieces that neither the reference scale nor the development of the raters has used,
and cached (see `measure_cache`), so that an interrupted validation continues where it stopped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import Field, model_validator

from tocco.audio.processing import load_audio, segment_bounds
from tocco.audio.rendering import FluidSynthRenderer, shared_renderer
from tocco.audio.transcription import transcribe_cached
from tocco.data.pseudo_labelling import SEGMENT_SEC, align, generator_of
from tocco.data.records import LabelRecord
from tocco.errors import InputError, MismatchError
from tocco.evaluation.pseudo_labels.measure_cache import CachedMeasure, MeasureTask, cached
from tocco.evaluation.pseudo_labels.planted_errors import (
    ERROR_KINDS,
    RESTARTS,
    Detection,
    detect,
    detect_restarts,
)
from tocco.evaluation.pseudo_labels.spot_check import excerpt
from tocco.files import file_name
from tocco.music.alignment import Alignment, align_performance_to_score
from tocco.music.corruption import CORRUPTIONS, Corruption, corrupt
from tocco.music.performance import Performance
from tocco.music.score import Score
from tocco.music.transcriber_noise import HeardBefore, transcriber_noise
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.rate import rate_performance, rate_span
from tocco.pseudo_labels.raters.registry import RATERS
from tocco.pseudo_labels.scale.files import Scales
from tocco.pseudo_labels.scale.model import ReferenceScale
from tocco.schema import StrictModel
from tocco.units import FloatArray

Modality = Literal["keys", "sound", "transcribed"]
"""Input of the raters: MIDI; MIDI with rendered audio; a transcription."""

VOICING_KINDS: Final = tuple(kind.name for kind in CORRUPTIONS.values() if kind.target == "tone_quality")
SOUND_LEVEL: Final = 4
"""Step of the ladder at which the kinds other than voicing are rendered."""

CLEAN: Final = ""
ERROR_RATE: Final = 0.03
"""Share of the notes at which the detection of note errors is measured."""

RESTARTS_A_MINUTE: Final = 3.0
"""Rate at which the detection of restarts is measured."""

_Rating = Annotated[float, Field(ge=0.0, le=100.0)] | None


class LadderStep(StrictModel):
    """One excerpt at one severity of one corruption."""

    kind: str
    """"" for the uncorrupted excerpt."""

    level: int
    """0 for the uncorrupted excerpt, then 1 to 5 in order of severity."""

    modality: Modality
    """Input of the raters."""

    ratings: dict[str, _Rating]
    """Dimension -> mean over the segments of the excerpt; null where it could not be rated."""

    @model_validator(mode="before")
    @classmethod
    def _read_earlier_name(cls, given: Any) -> Any:
        """Earlier releases wrote `modality` as "heard"."""
        if isinstance(given, dict) and "heard" in given and "modality" not in given:
            return {("modality" if key == "heard" else key): value for key, value in given.items()}
        return given


class PieceLadders(CachedMeasure):
    """All corruptions of one excerpt."""

    piece: str
    performance: str
    n_notes: int
    steps: tuple[LadderStep, ...]
    detections: tuple[Detection, ...]
    inapplicable: tuple[str, ...]
    """Kinds that do not apply to this excerpt."""

    refusals: tuple[str, ...]
    """Steps that could not be aligned with the score any more, with reasons."""


class RatedTake(CachedMeasure):
    """One whole performance, in segments that do not overlap."""

    piece: str
    performance: str
    performer: str
    ratings: dict[str, tuple[_Rating, ...]]
    """Dimension -> rating of each segment."""

    confidence: dict[str, tuple[float, ...]]
    """Dimension -> confidence of each segment."""

    notes_per_sec: tuple[float, ...]
    """Notes per second of each segment."""

    refusal: str | None
    """Why it could not be rated."""


class RatedExcerpt(CachedMeasure):
    """One excerpt that listeners rated as well."""

    performance: str
    ratings: dict[str, _Rating]
    refusal: str | None


def held_out(
    records: Sequence[LabelRecord], scales: Scales, leave_out: Sequence[str] = ()
) -> list[LabelRecord]:
    """Performances of pieces that are in the pool of no scale.

    A piece is identified by its piece, passage or cluster name, and excludes all others of its cluster; names
    are compared as file names, "Bach/Fugue" as "Bach_Fugue".

    Parameters
    ----------
    records
    scales
    leave_out : further pieces to exclude
    """
    seen = {file_name(name) for name in (*scales.pieces, *leave_out)}

    def names(record: LabelRecord) -> set[str]:
        given = (record.piece_id, record.passage_id, record.cluster_id)
        return {file_name(name) for name in given if name}

    excluded = {record.cluster_id for record in records if names(record) & seen and record.cluster_id}
    return [r for r in records if not names(r) & seen and r.cluster_id not in excluded]


def measure_ladders(task: MeasureTask) -> PieceLadders:
    """Measure every ladder of corruptions on the middle of one performance."""
    return cached(task, PieceLadders, lambda key: _ladders(task, key), _ladder_settings(task))


def _ladder_settings(task: MeasureTask) -> list[list[float | str]]:
    """Kinds and severities of the corruptions."""
    kinds = [CORRUPTIONS[name] for name in task.kinds]
    ladders = [[kind.name, kind.target, *kind.ladder] for kind in kinds]
    return [*ladders, [ERROR_RATE, RESTARTS_A_MINUTE, SOUND_LEVEL]]


def _ladders(task: MeasureTask, key: str) -> PieceLadders:
    nothing = PieceLadders(
        key=key,
        piece=task.record.piece_id,
        performance=task.record.segment_id,
        n_notes=0,
        steps=(),
        detections=(),
        inapplicable=(),
        refusals=(),
    )
    try:
        performance, alignment = align(task.record)
    except (InputError, MismatchError) as error:
        return nothing.model_copy(update={"refusals": (str(error),)})
    if alignment is None:
        return nothing.model_copy(update={"refusals": ("has no score_path",)})
    start = max(performance.duration_sec - task.excerpt_sec, 0.0) / 2.0
    clean = excerpt(performance, start, min(start + task.excerpt_sec, performance.duration_sec))
    due = stretch(alignment, start, start + task.excerpt_sec)
    if not len(due.pitch):
        return nothing.model_copy(update={"refusals": ("no written note is due in its middle",)})
    try:
        ladder = _SeverityLadder(task, clean, due)
    except (InputError, MismatchError) as error:
        return nothing.model_copy(update={"refusals": (str(error),)})
    ladder.all_steps(shared_renderer(task.soundfont) if task.needs_audio else None)
    return nothing.model_copy(
        update={
            "n_notes": len(clean),
            "steps": tuple(ladder.steps),
            "detections": tuple(ladder.detections),
            "inapplicable": tuple(ladder.inapplicable),
            "refusals": tuple(ladder.refusals),
        }
    )


def stretch(alignment: Alignment, start_sec: float, end_sec: float) -> Score:
    """The notes of the score that are due in a part of a performance; bars and marks stay.

    Aligned with the whole score, a corrupted excerpt could match another pass of a repeat, where every note
    has another index.
    """
    score = alignment.score
    due_sec = alignment.due_sec(np.arange(len(score)))
    due = np.flatnonzero((due_sec >= start_sec) & (due_sec < end_sec))
    spelling = tuple(score.spelling[k] for k in due) if score.spelling else ()
    return replace(
        score,
        note_id=tuple(score.note_id[k] for k in due),
        onset_beat=score.onset_beat[due],
        duration_beat=score.duration_beat[due],
        pitch=score.pitch[due],
        voice=score.voice[due],
        staff=score.staff[due],
        is_grace=score.is_grace[due],
        articulation=tuple(score.articulation[k] for k in due),
        velocity=score.velocity[due],
        bar=score.bar[due],
        spelling=spelling,
        grace_lead=tuple(score.grace_lead[k] for k in due) if score.grace_lead else (),
    )


class _SeverityLadder:
    """Collects the ladders of one excerpt."""

    def __init__(self, task: MeasureTask, clean: Performance, score: Score) -> None:
        self.task, self.clean, self.score = task, clean, score
        self.alignment = align_performance_to_score(clean, score)
        self.steps: list[LadderStep] = []
        self.detections: list[Detection] = []
        self.inapplicable: list[str] = []
        self.refusals: list[str] = []

    def all_steps(self, renderer: FluidSynthRenderer | None) -> None:
        """Rate the uncorrupted excerpt, then every step of every ladder."""
        self._rate(CLEAN, 0, self.clean, HeardBefore(self.clean, np.arange(len(self.clean))), renderer)
        for kind in self.task.kinds:
            ladder = self._ladder(kind)
            for level, worse in enumerate(ladder, start=1):
                before = HeardBefore(self.clean, worse.new_of_old)
                self._rate(kind, level, worse.performance, before, renderer)
            if ladder and kind in (*ERROR_KINDS, RESTARTS):
                self._detect(kind)

    def _ladder(self, kind: str) -> list[Corruption]:
        """The excerpt at every severity; empty where the kind does not apply."""
        name = f"{self.task.record.segment_id} {kind}"
        try:
            return [
                corrupt(
                    self.clean, kind, severity, generator_of(name, self.task.seed), alignment=self.alignment
                )
                for severity in CORRUPTIONS[kind].ladder
            ]
        except InputError as error:
            self.inapplicable.append(f"{kind}: {error.problem}")
            return []

    def _detect(self, kind: str) -> None:
        rng = generator_of(f"{self.task.record.segment_id} {kind} planted", self.task.seed)
        severity = RESTARTS_A_MINUTE if kind == RESTARTS else ERROR_RATE
        planted = corrupt(self.clean, kind, severity, rng, alignment=self.alignment)
        try:
            found = align_performance_to_score(planted.performance, self.score)
        except MismatchError as error:
            self.refusals.append(f"{kind} {severity}: {error.problem}")
            return
        compare = detect_restarts if kind == RESTARTS else detect
        self.detections.extend(
            compare(self.clean, self.alignment, planted, found, by_key=by_key) for by_key in (False, True)
        )

    def _rate(
        self,
        kind: str,
        level: int,
        worse: Performance,
        before: HeardBefore,
        renderer: FluidSynthRenderer | None,
    ) -> None:
        is_sounding = self.task.is_rendered and (kind in (*VOICING_KINDS, CLEAN) or level == SOUND_LEVEL)
        is_transcribed_from_audio = self.task.through_transcriber and self.task.transcriber is not None
        sound = (
            renderer.render(worse)
            if renderer is not None and (is_sounding or is_transcribed_from_audio)
            else None
        )
        self._rate_modality(kind, level, "keys", worse, None)
        if is_sounding:
            self._rate_modality(kind, level, "sound", worse, sound)
        if self.task.through_transcriber:
            try:
                transcribed = self._transcribed(worse, before, sound)
            except InputError as error:
                self.refusals.append(f"{kind} {level} transcribed: {error.problem}")
            else:
                self._rate_modality(kind, level, "transcribed", transcribed, None)

    def _rate_modality(
        self, kind: str, level: int, modality: Modality, performance: Performance, sound: FloatArray | None
    ) -> None:
        try:
            alignment = self._aligned(performance)
        except MismatchError as error:
            self.refusals.append(f"{kind} {level} {modality}: {error.problem}")
            return
        evidence = Evidence(performance, alignment, sound)
        scale = self.task.scales.of(evidence.performance.origin)
        ratings = mean_ratings(evidence, scale)
        self.steps.append(LadderStep(kind=kind, level=level, modality=modality, ratings=ratings))

    def _transcribed(self, worse: Performance, before: HeardBefore, sound: FloatArray | None) -> Performance:
        """Transcription of the rendered audio, or one simulated with the same noise for every step."""
        if self.task.transcriber is not None and sound is not None:
            folder = self.task.folder / "transcribed"
            content = hashlib.sha256(np.ascontiguousarray(sound).tobytes()).hexdigest()
            return transcribe_cached(
                self.task.transcriber, [sound], "rendering", folder=folder, content=content
            )
        rng = generator_of(f"{self.task.record.segment_id} heard", self.task.seed)
        return transcriber_noise(worse, rng, before=before).performance

    def _aligned(self, performance: Performance) -> Alignment:
        """Alignment of a performance; that of the uncorrupted one where pitches and onsets are equal.

        The alignment depends on pitches and onsets alone, not on releases, velocities or pedals.
        """
        same = np.array_equal(performance.pitch, self.clean.pitch)
        if same and np.array_equal(performance.onset_sec, self.clean.onset_sec):
            return self.alignment
        return align_performance_to_score(performance, self.score)


def mean_ratings(evidence: Evidence, scale: ReferenceScale) -> dict[str, _Rating]:
    """Dimension -> mean rating of adjacent segments, weighted by confidence; None without any."""
    bounds = segment_bounds(evidence.performance.duration_sec, SEGMENT_SEC, 0.0)
    rated = [rate_span(evidence, (float(a), float(b)), scale=scale) for a, b in bounds]
    found: dict[str, _Rating] = {}
    for name in RATERS:
        known = np.array(
            [(one[name].rating, one[name].confidence) for one in rated if one[name].rating is not None]
        ).reshape(-1, 2)
        sure = known[:, 1].sum() > 0.0
        found[name] = float(np.average(known[:, 0], weights=known[:, 1])) if sure else None
    return found


def measure_take(task: MeasureTask) -> RatedTake:
    """Rate a whole performance in segments that do not overlap, with their note density."""
    return cached(task, RatedTake, lambda key: _take(task, key))


def _take(task: MeasureTask, key: str) -> RatedTake:
    record = task.record
    nothing = RatedTake(
        key=key,
        piece=record.passage_id or record.piece_id,
        performance=record.segment_id,
        performer=record.performer_id or record.segment_id,
        ratings={},
        confidence={},
        notes_per_sec=(),
        refusal=None,
    )
    try:
        performance, alignment = align(record)
    except (InputError, MismatchError) as error:
        return nothing.model_copy(update={"refusal": str(error)})
    evidence = Evidence(performance, alignment)
    spans = [(float(a), float(b)) for a, b in segment_bounds(performance.duration_sec, SEGMENT_SEC, 0.0)]
    scale = task.scales.of(record.origin)
    rated = [rate_span(evidence, span, scale=scale) for span in spans]
    density = [float(evidence.struck_within(span).sum()) / (span[1] - span[0]) for span in spans]
    return nothing.model_copy(
        update={
            "ratings": {name: tuple(one[name].rating for one in rated) for name in RATERS},
            "confidence": {name: tuple(one[name].confidence for one in rated) for name in RATERS},
            "notes_per_sec": tuple(density),
        }
    )


def measure_excerpt(task: MeasureTask) -> RatedExcerpt:
    """Rate an excerpt as a whole, with its recording where there is one."""
    return cached(task, RatedExcerpt, lambda key: _excerpt(task, key))


def _excerpt(task: MeasureTask, key: str) -> RatedExcerpt:
    record = task.record
    try:
        performance, alignment = align(record)
    except (InputError, MismatchError) as error:
        return RatedExcerpt(key=key, performance=record.segment_id, ratings={}, refusal=str(error))
    audio = None if record.audio_path is None else load_audio(record.audio_path)
    evidence = Evidence(performance, alignment, audio)
    labels = rate_performance(evidence, scale=task.scales.of(record.origin))
    ratings = {name: label.rating for name, label in labels.items()}
    return RatedExcerpt(key=key, performance=record.segment_id, ratings=ratings, refusal=None)


def column(ratings: Sequence[_Rating]) -> FloatArray:
    """(K,) ratings, NaN where missing."""
    return np.array([np.nan if rating is None else rating for rating in ratings], dtype=float)

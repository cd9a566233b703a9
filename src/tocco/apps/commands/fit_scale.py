"""`tocco pseudo-label fit-scale`: reference scale of the six raters, from competent performances."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import typer

from tocco.apps.commands.reference_pool import Aligned, aligned, facts_of, read_pool
from tocco.apps.progress import progress_bar
from tocco.audio.processing import segment_bounds
from tocco.audio.rendering import FluidSynthRenderer, shared_renderer
from tocco.data.pseudo_labelling import generator_of
from tocco.data.records import LabelRecord
from tocco.engines import LocalEngine
from tocco.errors import ToccoError
from tocco.files import sha256_of, writable_folder, write_bytes
from tocco.music.alignment import Alignment, align_performance_to_score
from tocco.music.performance import Performance
from tocco.music.transcriber_noise import TranscriberNoise, transcriber_noise
from tocco.pseudo_labels.fitting.scale import MeasuredSegment, fit_scale
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.raters.registry import measure_technique
from tocco.pseudo_labels.scale.difficulty import difficulty_covariates
from tocco.pseudo_labels.scale.model import Pool, ReferenceScale
from tocco.schema import laid_out

SEGMENT_SEC: Final = 10.0
OVERLAP: Final = 0.5


@dataclass(frozen=True, eq=False)
class MeasuredPerformance:
    """All segments of one performance, or the reason for its exclusion.

    Attributes
    ----------
    record
    segments : empty where it was excluded
    refusal : "" where it was measured
    """

    record: LabelRecord
    segments: tuple[MeasuredSegment, ...]
    refusal: str = ""


@dataclass(frozen=True)
class SimulatedTranscriber:
    """Simulation of a transcriber on recorded MIDI.

    Attributes
    ----------
    noise : error model
    seed : determines every error, together with the name of the performance
    """

    noise: TranscriberNoise
    seed: int


@dataclass(frozen=True)
class _Task:
    record: LabelRecord
    is_rendered: bool
    soundfont: Path | None
    transcriber: SimulatedTranscriber | None


def fit_reference_scale(
    labels: Path,
    output: Path,
    *,
    share: float,
    takes: int,
    rendered: int,
    seed: int,
    jobs: int,
    soundfont: Path | None,
    pieces: Path | None = None,
    is_transcribed: bool = False,
) -> None:
    """Fit the scale to a share of the pieces of a label file, and write it.

    Parameters
    ----------
    labels : of recorded MIDI
    output
    share, takes, pieces : as of `read_pool`
    seed : of the choice, and of simulated transcription errors
    rendered : number of performances to render, for the components from audio
    jobs, soundfont
    is_transcribed : measure simulated transcriptions instead of the recorded MIDI

    Raises
    ------
    InputError
        As of `read_pool` and `fit_scale`.
    """
    chosen = read_pool(labels, share=share, takes=takes, seed=seed, pieces=pieces)
    writable_folder(output.parent)
    transcriber = SimulatedTranscriber(TranscriberNoise(), seed) if is_transcribed else None
    tasks = [_Task(record, n < rendered, soundfont, transcriber) for n, record in enumerate(chosen)]
    with progress_bar("measuring") as advance:
        measured = list(LocalEngine(jobs).map(_measured, tasks, advance))
    for one in measured:
        if one.refusal:
            typer.echo(f"left out: {one.refusal}")
    scale = scale_of(measured, sha256_of(labels), rendered=rendered, seed=seed, transcriber=transcriber)
    write_bytes(output, (laid_out(scale.model_dump(exclude_none=True)) + "\n").encode())
    pool = scale.pool
    typer.echo(
        f"{output}: {pool.n_segments} segments of {pool.n_performances} performances of "
        f"{len(pool.pieces)} pieces, {pool.n_rendered} of them rendered"
    )


def measure_pool_performance(
    record: LabelRecord,
    *,
    renderer: FluidSynthRenderer | None = None,
    align: Callable[[LabelRecord], Aligned] | None = None,
    transcriber: SimulatedTranscriber | None = None,
) -> MeasuredPerformance:
    """Align one performance and measure its segments.

    Parameters
    ----------
    record : with MIDI and score
    renderer : for the components from audio; None omits them
    align : gives the performance and its alignment; by default reads and aligns the files
    transcriber : None to measure the recorded MIDI
    """
    try:
        performance, alignment = (align or aligned)(record)
        audio = None if renderer is None else renderer.render(performance)
        if transcriber is not None:
            performance, alignment = _transcribed(record, performance, alignment, transcriber)
    except ToccoError as error:
        return MeasuredPerformance(record, (), str(error))
    evidence = Evidence(performance, alignment, audio)
    spans = [
        (float(start), float(end))
        for start, end in segment_bounds(performance.duration_sec, SEGMENT_SEC, OVERLAP)
    ]
    segments = tuple(
        MeasuredSegment(
            record.piece_id,
            record.performer_id or record.segment_id,
            measure_technique(evidence, span),
            difficulty_covariates(evidence, span),
        )
        for span in spans
    )
    return MeasuredPerformance(record, segments)


def _transcribed(
    record: LabelRecord, performance: Performance, alignment: Alignment, transcriber: SimulatedTranscriber
) -> Aligned:
    """Simulated transcription of a performance, aligned with the reading of the score that was played."""
    rng = generator_of(f"{record.segment_id} heard", transcriber.seed)
    transcribed = transcriber_noise(performance, rng, transcriber.noise).performance
    return transcribed, align_performance_to_score(transcribed, alignment.score)


def scale_of(
    measured: Sequence[MeasuredPerformance],
    labels_sha256: str,
    *,
    rendered: int,
    seed: int,
    transcriber: SimulatedTranscriber | None = None,
) -> ReferenceScale:
    """Fit the scale to the measured performances, with their provenance."""
    used = [one for one in measured if one.segments]
    pool = Pool(
        **facts_of([one.record for one in used], labels_sha256, seed=seed),
        n_segments=sum(len(one.segments) for one in used),
        n_rendered=sum(bool(one.segments) for one in measured[:rendered]),
        segment_sec=SEGMENT_SEC,
        overlap=OVERLAP,
        noise=None if transcriber is None else asdict(transcriber.noise),
    )
    return fit_scale([segment for one in used for segment in one.segments], pool)


def _measured(task: _Task) -> MeasuredPerformance:
    renderer = shared_renderer(task.soundfont) if task.is_rendered else None
    return measure_pool_performance(task.record, renderer=renderer, transcriber=task.transcriber)

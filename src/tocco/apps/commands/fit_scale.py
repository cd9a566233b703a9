"""`tocco pseudo-label fit-scale`: the reference scale of the six raters, from competent performances."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import typer

from tocco.apps.commands.reference_pool import Aligned, aligned, facts_of, read_pool
from tocco.apps.progress import progress_bar
from tocco.audio.processing import segment_bounds
from tocco.audio.rendering import FluidSynthRenderer
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
from tocco.pseudo_labels.scale.difficulty import read_demand
from tocco.pseudo_labels.scale.model import Pool, ReferenceScale
from tocco.schema import laid_out

SEGMENT_SEC: Final = 10.0
OVERLAP: Final = 0.5


@dataclass(frozen=True, eq=False)
class MeasuredPerformance:
    """All segments of one performance, or why it was left out.

    Attributes
    ----------
    record
    segments : empty where it was left out
    refusal : "" where it was measured
    """

    record: LabelRecord
    segments: tuple[MeasuredSegment, ...]
    refusal: str = ""


@dataclass(frozen=True)
class Hearing:
    """A transcriber between the keys and the raters.

    Attributes
    ----------
    noise : what it makes of the keys
    seed : with the name of a performance it decides every error
    """

    noise: TranscriberNoise
    seed: int


@dataclass(frozen=True)
class _Task:
    record: LabelRecord
    is_rendered: bool
    soundfont: Path | None
    hearing: Hearing | None


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
    """Measure a part of the pieces of a label file and write the scale fitted to them.

    Parameters
    ----------
    labels : of what the keys sent
    output
    share, takes, pieces : as of `read_pool`
    seed : of the choice, and of a transcriber's errors
    rendered : performances that are rendered, for the components from sound
    jobs, soundfont
    is_transcribed : measure what a transcriber would have heard; its noise is put on the keys

    Raises
    ------
    InputError
        As of `read_pool` and `fit_scale`.
    """
    chosen = read_pool(labels, share=share, takes=takes, seed=seed, pieces=pieces)
    writable_folder(output.parent)
    hearing = Hearing(TranscriberNoise(), seed) if is_transcribed else None
    tasks = [_Task(record, n < rendered, soundfont, hearing) for n, record in enumerate(chosen)]
    with progress_bar("measuring") as advance:
        measured = list(LocalEngine(jobs).map(_measured, tasks, advance))
    for one in measured:
        if one.refusal:
            typer.echo(f"left out: {one.refusal}")
    scale = scale_of(measured, sha256_of(labels), rendered=rendered, seed=seed, hearing=hearing)
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
    hearing: Hearing | None = None,
) -> MeasuredPerformance:
    """Align one performance and measure its segments.

    Parameters
    ----------
    record : with MIDI and score
    renderer : plays it, for the components from sound; None leaves them out
    align : how to come by the performance and its alignment; reads and aligns the files if not given
    hearing : None to measure the keys themselves
    """
    try:
        performance, alignment = (align or aligned)(record)
        audio = None if renderer is None else renderer.render(performance)
        if hearing is not None:
            performance, alignment = _heard(record, performance, alignment, hearing)
    except ToccoError as error:
        return MeasuredPerformance(record, (), str(error))
    evidence = Evidence(performance, alignment, audio, is_transcribed=hearing is not None)
    spans = [
        (float(start), float(end))
        for start, end in segment_bounds(performance.duration_sec, SEGMENT_SEC, OVERLAP)
    ]
    segments = tuple(
        MeasuredSegment(
            record.piece_id,
            record.performer_id or record.segment_id,
            measure_technique(evidence, span),
            read_demand(evidence, span),
        )
        for span in spans
    )
    return MeasuredPerformance(record, segments)


def _heard(record: LabelRecord, performance: Performance, alignment: Alignment, hearing: Hearing) -> Aligned:
    """A performance as it is heard, against the reading of the score that was played."""
    rng = generator_of(f"{record.segment_id} heard", hearing.seed)
    heard = transcriber_noise(performance, rng, hearing.noise).performance
    return heard, align_performance_to_score(heard, alignment.score)


def scale_of(
    measured: Sequence[MeasuredPerformance],
    labels_sha256: str,
    *,
    rendered: int,
    seed: int,
    hearing: Hearing | None = None,
) -> ReferenceScale:
    """Fit the scale to what was measured, and say what that was."""
    used = [one for one in measured if one.segments]
    pool = Pool(
        **facts_of([one.record for one in used], labels_sha256, seed=seed),
        n_segments=sum(len(one.segments) for one in used),
        n_rendered=sum(bool(one.segments) for one in measured[:rendered]),
        segment_sec=SEGMENT_SEC,
        overlap=OVERLAP,
        noise=None if hearing is None else asdict(hearing.noise),
    )
    return fit_scale([segment for one in used for segment in one.segments], pool)


def _measured(task: _Task) -> MeasuredPerformance:
    with _piano(task) as renderer:
        return measure_pool_performance(task.record, renderer=renderer, hearing=task.hearing)


@contextmanager
def _piano(task: _Task) -> Iterator[FluidSynthRenderer | None]:
    """A piano for the performances that are to be rendered."""
    if not task.is_rendered:
        yield None
        return
    with FluidSynthRenderer(task.soundfont) as renderer:
        yield renderer

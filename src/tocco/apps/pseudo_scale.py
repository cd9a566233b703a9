"""`tocco pseudo-label fit-scale`: the reference scale of the six raters, from competent performances."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
import typer

from tocco.apps.progress import progress_bar
from tocco.audio.processing import segment_bounds
from tocco.audio.rendering import FluidSynthRenderer
from tocco.data.records import LabelRecord, read_labels
from tocco.errors import InputError, ToccoError, UsageError
from tocco.files import sha256_of, writable_folder, write_bytes
from tocco.music.alignment import Alignment, align_performance_to_score
from tocco.music.midi import load_midi
from tocco.music.performance import Performance
from tocco.music.score import score_readings
from tocco.pseudo_labels.demand import read_demand
from tocco.pseudo_labels.evidence import Evidence
from tocco.pseudo_labels.raters import measure_technique
from tocco.pseudo_labels.scale import Pool, ReferenceScale
from tocco.pseudo_labels.scale_fit import MeasuredSegment, fit_scale
from tocco.schema import laid_out

SEGMENT_SEC: Final = 10.0
OVERLAP: Final = 0.5

Aligned = tuple[Performance, Alignment]


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
class _Task:
    record: LabelRecord
    is_rendered: bool
    soundfont: Path | None


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
) -> None:
    """Measure a part of the pieces of a label file and write the scale fitted to them."""
    if not 0.0 < share <= 1.0:
        raise UsageError("--share", f"is {share:g}", allowed="more than 0, up to 1")
    records = read_labels(labels, must_exist=True)
    _refuse_incomplete(labels, records)
    writable_folder(output.parent)
    chosen = choose_pool(records, share=share, takes=takes, generator=np.random.default_rng(seed))
    tasks = [_Task(record, n < rendered, soundfont) for n, record in enumerate(chosen)]
    with progress_bar("measuring") as advance:
        measured = []
        for one in _each(tasks, jobs):
            measured.append(one)
            advance(len(measured), len(tasks))
    scale = scale_of(measured, sha256_of(labels), rendered=rendered, seed=seed)
    write_bytes(output, (laid_out(scale.model_dump()) + "\n").encode())
    pool = scale.pool
    typer.echo(
        f"{output}: {pool.n_segments} segments of {pool.n_performances} performances of "
        f"{len(pool.pieces)} pieces, {pool.n_rendered} of them rendered"
    )
    for one in measured:
        if one.refusal:
            typer.echo(f"left out: {one.refusal}")


def choose_pool(
    records: Sequence[LabelRecord], *, share: float, takes: int, generator: np.random.Generator
) -> list[LabelRecord]:
    """A share of the pieces of every composer, and a few takes of each piece, in random order.

    Parameters
    ----------
    records
        What stands before the first "/" of a piece_id is the composer, or the corpus.
    share : 0..1 of the pieces, rounded up
    takes : of one piece at most
    generator
    """
    composers: dict[str, dict[str, list[LabelRecord]]] = {}
    for record in records:
        pieces = composers.setdefault(record.piece_id.split("/")[0], {})
        pieces.setdefault(record.piece_id, []).append(record)
    chosen: list[LabelRecord] = []
    for composer in sorted(composers):
        pieces = composers[composer]
        names = sorted(pieces)
        order = generator.permutation(len(names))
        for rank, place in enumerate(order):
            ordered = sorted(pieces[names[place]], key=lambda record: record.segment_id)
            drawn = [ordered[k] for k in generator.permutation(len(ordered))[:takes]]
            if rank < math.ceil(share * len(names)):
                chosen.extend(drawn)
    return [chosen[k] for k in generator.permutation(len(chosen))]


def measure_pool_performance(
    record: LabelRecord,
    *,
    renderer: FluidSynthRenderer | None = None,
    align: Callable[[LabelRecord], Aligned] | None = None,
) -> MeasuredPerformance:
    """Align one performance and measure its segments.

    Parameters
    ----------
    record : with MIDI and score
    renderer : plays it, for the components that are heard; None leaves them out
    align : how to come by the performance and its alignment; reads and aligns the files if not given
    """
    try:
        performance, alignment = (align or _aligned)(record)
        audio = None if renderer is None else renderer.render(performance)
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
            read_demand(evidence, span),
        )
        for span in spans
    )
    return MeasuredPerformance(record, segments)


def scale_of(
    measured: Sequence[MeasuredPerformance], labels_sha256: str, *, rendered: int, seed: int
) -> ReferenceScale:
    """Fit the scale to what was measured, and say what that was."""
    used = [one for one in measured if one.segments]
    content = hashlib.sha256()
    for one in used:
        for path in (one.record.midi_path, one.record.score_path):
            if path is not None:
                content.update(sha256_of(path).encode())
    pool = Pool(
        corpora=dict(sorted(Counter(one.record.source for one in used).items())),
        n_performances=len(used),
        n_segments=sum(len(one.segments) for one in used),
        n_rendered=sum(bool(one.segments) for one in measured[:rendered]),
        segment_sec=SEGMENT_SEC,
        overlap=OVERLAP,
        seed=seed,
        pieces=tuple(sorted({one.record.piece_id for one in used})),
        labels_sha256=labels_sha256,
        content_sha256=content.hexdigest(),
    )
    return fit_scale([segment for one in used for segment in one.segments], pool)


def _refuse_incomplete(labels: Path, records: Sequence[LabelRecord]) -> None:
    for record in records:
        if record.midi_path is None or record.score_path is None:
            lacks = "midi_path" if record.midi_path is None else "score_path"
            raise InputError(
                f"{labels}, {record.segment_id}",
                f"has no {lacks}",
                next_step="list performances that have MIDI and a score",
            )


def _aligned(record: LabelRecord) -> Aligned:
    if record.midi_path is None or record.score_path is None:
        raise InputError(record.segment_id, "has no MIDI or no score")
    performance = load_midi(record.midi_path)
    return performance, align_performance_to_score(performance, score_readings(record.score_path))


def _each(tasks: Sequence[_Task], jobs: int) -> Iterator[MeasuredPerformance]:
    """Measure one performance after the other, or several at once; in order either way."""
    if jobs == 1:
        yield from map(_measured, tasks)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_measured, tasks)


def _measured(task: _Task) -> MeasuredPerformance:
    with _piano(task) as renderer:
        return measure_pool_performance(task.record, renderer=renderer)


@contextmanager
def _piano(task: _Task) -> Iterator[FluidSynthRenderer | None]:
    """A piano for the performances that are to be heard."""
    if not task.is_rendered:
        yield None
        return
    with FluidSynthRenderer(task.soundfont) as renderer:
        yield renderer

"""`tocco pseudo-label fit-damage`: anchors of the measures of damage, from competent performances."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import typer

from tocco.apps.commands.reference_pool import aligned, facts_of, read_pool
from tocco.apps.progress import progress_bar
from tocco.data.pseudo_labelling import generator_of
from tocco.data.records import LabelRecord
from tocco.engines import LocalEngine
from tocco.errors import ToccoError
from tocco.files import sha256_of, writable_folder, write_bytes
from tocco.pseudo_labels.damage.anchors import DamageAnchors
from tocco.pseudo_labels.fitting.damage import MeasuredWindow, draw_window, fit_anchors, measure_window
from tocco.pseudo_labels.pool import PoolFacts
from tocco.schema import laid_out


@dataclass(frozen=True, eq=False)
class MeasuredPerformance:
    """The windows of one performance, or the reason for its exclusion.

    Attributes
    ----------
    record
    windows : empty where it was excluded
    refusal : "" where it was measured
    """

    record: LabelRecord
    windows: tuple[MeasuredWindow, ...]
    refusal: str = ""


@dataclass(frozen=True)
class _Task:
    record: LabelRecord
    seed: int


def fit_damage_anchors(
    labels: Path, output: Path, *, share: float, takes: int, seed: int, jobs: int, pieces: Path | None = None
) -> None:
    """Fit the anchors to a share of the pieces of a label file, and write them.

    Parameters
    ----------
    labels, share, takes, pieces : as of `reference_pool.read_pool`
    output
    seed : of the choice, of the windows, and of damages and simulated transcription errors
    jobs : number of parallel processes

    Raises
    ------
    InputError
        As of `read_pool` and `fit_anchors`.
    """
    chosen = read_pool(labels, share=share, takes=takes, seed=seed, pieces=pieces)
    writable_folder(output.parent)
    tasks = [_Task(record, seed) for record in chosen]
    with progress_bar("measuring") as advance:
        measured = list(LocalEngine(jobs).map(_measured, tasks, advance))
    for one in measured:
        if one.refusal:
            typer.echo(f"left out: {one.refusal}")
    used = [one for one in measured if one.windows]
    pool = PoolFacts(**facts_of([one.record for one in used], sha256_of(labels), seed=seed))
    anchors = fit_anchors([window for one in used for window in one.windows], pool)
    write_bytes(output, (laid_out(anchors.model_dump()) + "\n").encode())
    _print_result(anchors, output)


def measure_pool_performance(record: LabelRecord, seed: int) -> MeasuredPerformance:
    """Measure one window of a performance, clean and damaged.

    Parameters
    ----------
    record : with MIDI and score
    seed : of the window and of the damages, together with the name of the performance
    """
    rng = generator_of(f"{record.segment_id} damage", seed)
    try:
        performance, alignment = aligned(record)
    except ToccoError as error:
        return MeasuredPerformance(record, (), str(error))
    window = draw_window(performance, alignment, rng)
    if window is None:
        return MeasuredPerformance(record, (), f"{record.segment_id}: its window holds little of the score.")
    return MeasuredPerformance(record, tuple(measure_window(*window, rng)))


def _measured(task: _Task) -> MeasuredPerformance:
    return measure_pool_performance(task.record, task.seed)


def _print_result(anchors: DamageAnchors, output: Path) -> None:
    pool = anchors.pool
    typer.echo(f"{output}: {pool.n_performances} windows of {len(pool.pieces)} pieces")
    for name, keys in anchors.keys.items():
        heard = anchors.transcribed[name]
        of_heard = f"transcribed {heard.good:.4g} to {heard.bad:.4g}"
        typer.echo(f"  {name}: keys {keys.good:.4g} to {keys.bad:.4g}, {of_heard}")

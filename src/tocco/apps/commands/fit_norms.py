"""`tocco pseudo-label fit-norms`: norms of competent pianists, from the same pool as the reference scale."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import typer

from tocco.apps.commands.reference_pool import aligned, facts_of, read_pool
from tocco.apps.progress import progress_bar
from tocco.data.records import LabelRecord
from tocco.engines import LocalEngine
from tocco.errors import ToccoError
from tocco.files import sha256_of, writable_folder, write_bytes
from tocco.pseudo_labels.fitting.norms import NormSample, fit_norms, read_norm_sample
from tocco.pseudo_labels.norms.model import Norms, reference_norms
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.pool import PoolFacts
from tocco.schema import laid_out

_MOST_LISTED = 12


@dataclass(frozen=True, eq=False)
class ReadPerformance:
    """Sample of one performance for the norms, or the reason for its exclusion.

    Attributes
    ----------
    record
    sample : None where it was excluded
    refusal : "" where it was read
    """

    record: LabelRecord
    sample: NormSample | None
    refusal: str = ""


def fit_reference_norms(
    labels: Path, output: Path, *, share: float, takes: int, seed: int, jobs: int, pieces: Path | None = None
) -> None:
    """Fit the norms to a share of the pieces of a label file, and write them.

    Parameters
    ----------
    labels, share, takes, seed, pieces : as of `reference_pool.read_pool`
    output
    jobs : number of parallel processes
    """
    chosen = read_pool(labels, share=share, takes=takes, seed=seed, pieces=pieces)
    writable_folder(output.parent)
    with progress_bar("reading") as advance:
        read = list(LocalEngine(jobs).map(read_pool_performance, chosen, advance))
    used = [one for one in read if one.sample is not None]
    for one in read:
        if one.refusal:
            typer.echo(f"left out: {one.refusal}")
    samples = [one.sample for one in used if one.sample is not None]
    facts = facts_of([one.record for one in used], sha256_of(labels), seed=seed)
    norms = fit_norms(samples, PoolFacts(**facts), np.random.default_rng(seed))
    write_bytes(output, (laid_out(norms.model_dump()) + "\n").encode())
    _print_result(norms, output)


def read_pool_performance(record: LabelRecord) -> ReadPerformance:
    """Align one performance and reduce it to its sample."""
    try:
        performance, alignment = aligned(record)
    except ToccoError as error:
        return ReadPerformance(record, None, str(error))
    evidence = Evidence(performance, alignment)
    sample = read_norm_sample(evidence, record.piece_id)
    refusal = "" if sample is not None else f"{record.segment_id}: {evidence.why_unwritten()}."
    return ReadPerformance(record, sample, refusal)


def differences(before: Norms, after: Norms) -> list[str]:
    """Every number that ratings rest on and that has changed: "touch.usual.plain.2 -0.12 -> -0.13"."""
    old, new = (
        _flat({"touch": norms.touch.model_dump(include={"value_sec", "usual", "long"})})
        | _flat({"level": norms.level.velocity.model_dump(), "accents": norms.accents.velocity.model_dump()})
        for norms in (before, after)
    )
    names = [name for name in new if old.get(name) != new[name]]
    return [f"{name} {old[name]:g} -> {new[name]:g}" if name in old else f"{name} is new" for name in names]


def _flat(value: Any, name: str = "") -> dict[str, float]:
    """Numbers by their path in nested values."""
    if isinstance(value, dict | tuple):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        start = f"{name}." if name else ""
        return {
            place: number for key, part in parts for place, number in _flat(part, f"{start}{key}").items()
        }
    return {name: value}


def _print_result(norms: Norms, output: Path) -> None:
    pool, touch, level = norms.pool, norms.touch, norms.level
    typer.echo(
        f"{output}: {touch.n_notes} notes and {level.n_onsets} onsets of {pool.n_performances} "
        f"performances of {len(pool.pieces)} pieces"
    )
    typer.echo(
        f"  touch: spread of the piece medians {touch.piece_spread_log:.2f}, relative to written durations "
        f"{touch.printed_spread_log:.2f}; {touch.usual_share:.1%} of the notes are below usual, "
        f"{touch.long_share:.1%} below long"
    )
    typer.echo(
        f"  level: correlation with the expected contour {level.correlation:.2f} in windows of "
        f"{level.window_sec:g} s of "
        f"held-out pieces ({level.correlation_without_soft_pedal:.2f} without the soft pedal, "
        f"{level.correlation_without_signs:.2f} without markings of the score)"
    )
    typer.echo(
        f"  accents: {norms.accents.n_notes} notes, correlation with expected accents "
        f"{norms.accents.correlation:.2f} in held-out pieces"
    )
    for name, lag in (("lift", norms.pedal.lift), ("press", norms.pedal.press)):
        percentiles = ", ".join(f"{percent} % {1000.0 * sec:.0f} ms" for percent, sec in lag.lag_sec.items())
        typer.echo(f"  pedal: lag of the {name} after the onset, {percentiles}; {lag.n_moves} of them")
    changed = differences(reference_norms(), norms)
    if changed:
        more = f" and {len(changed) - _MOST_LISTED} more" if len(changed) > _MOST_LISTED else ""
        typer.echo(f"changed from the norms in use: {'; '.join(changed[:_MOST_LISTED])}{more}")
        typer.echo("to use these, fit the scale again with `tocco pseudo-label fit-scale`")
    else:
        typer.echo("equal to the norms in use: ratings do not change")

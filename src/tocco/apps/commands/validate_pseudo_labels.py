"""`tocco benchmark pseudo-labels`: validation of the pseudo-labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np
import typer

from tocco.apps.progress import progress_bar
from tocco.audio.transcription import CommandTranscriber
from tocco.data.pseudo_labelling import source_of, with_printed_score
from tocco.data.records import LabelRecord, read_labels
from tocco.engines import Engine, LocalEngine
from tocco.errors import InputError
from tocco.evaluation.pseudo_labels.claims import agreement
from tocco.evaluation.pseudo_labels.measure_cache import MeasureTask
from tocco.evaluation.pseudo_labels.measures import (
    PieceLadders,
    held_out,
    measure_excerpt,
    measure_ladders,
    measure_take,
)
from tocco.evaluation.pseudo_labels.report import Validation, write_validation
from tocco.files import read_names, sha256_of, writable_folder
from tocco.music.corruption import CORRUPTIONS
from tocco.pseudo_labels.scale.files import Scales, load_scales
from tocco.pseudo_labels.scale.model import ReferenceScale

_Found = TypeVar("_Found")


@dataclass(frozen=True)
class ValidationOptions:
    """Options of the command line.

    Attributes
    ----------
    scale, transcribed_scale : for recorded MIDI and for transcriptions
        None for the one that ships with tocco.
    leave_out : file of further pieces to exclude, one per line
    n_pieces, n_takes : pieces to corrupt, and performances of each piece to compare
    n_rendered, n_transcribed : of these pieces, how many are rendered to audio, and how many transcribed
    transcriber
        A command with "{audio}" and "{midi}"; None to simulate its errors.
    excerpt_sec, transcribed_sec : length of the corrupted excerpts, and of the transcribed ones
    seed
    engine
    kinds : corruptions to make, in the order of `CORRUPTIONS`
    """

    scale: Path | None = None
    transcribed_scale: Path | None = None
    leave_out: Path | None = None
    n_pieces: int = 24
    n_takes: int = 5
    n_rendered: int = 8
    n_transcribed: int = 8
    transcriber: str | None = None
    excerpt_sec: float = 60.0
    transcribed_sec: float = 60.0
    seed: int = 0
    engine: Engine = field(default_factory=LocalEngine)
    kinds: tuple[str, ...] = tuple(CORRUPTIONS)


def validate(performances: Path, output: Path, percepiano: Path | None, options: ValidationOptions) -> None:
    """Measure everything that the validation needs, and write its report."""
    if options.transcriber is not None:
        CommandTranscriber(options.transcriber)  # refuse an invalid command before the work
    rated_by_listeners = [] if percepiano is None else _rated_by_listeners(percepiano)
    with_transcribed = options.n_transcribed > 0 or any(
        record.is_transcribed for record in rated_by_listeners
    )
    scales = load_scales(options.scale, options.transcribed_scale, with_transcribed=with_transcribed)
    folder = writable_folder(output / "measured")
    records = [with_printed_score(record) for record in read_labels(performances, must_exist=True)]
    usable = [r for r in held_out(records, scales, _excluded(options)) if r.score_path and r.midi_path]
    usable = [r for r in usable if not (r.is_score_rendering or r.is_transcribed)]
    chosen, takes = choose(usable, options)
    if len(chosen) < 2:
        raise InputError(
            performances,
            f"has {len(chosen)} pieces that are in the pool of no scale",
            allowed="2 or more, with MIDI and score",
        )
    ladders = _measured(measure_ladders, _ladder_tasks(chosen, scales, folder, options), "ladders", options)
    transcribed_tasks = _ladder_tasks(chosen, scales, folder, options, through_transcriber=True)
    transcribed = _measured(measure_ladders, transcribed_tasks, "transcribed", options)
    tasks = [MeasureTask(record, scales, folder) for record in takes]
    rated = _measured(measure_take, tasks, "takes", options)
    excerpts = [MeasureTask(record, scales, folder) for record in rated_by_listeners]
    agreements = (
        agreement(rated_by_listeners, _measured(measure_excerpt, excerpts, "rated excerpts", options))
        if excerpts
        else []
    )
    facts = _facts(performances, scales, ladders, transcribed, takes, options)
    typer.echo(
        write_validation(
            Validation(ladders, transcribed, rated, agreements, scales.keys, options.transcriber),
            facts,
            output,
        )
    )


def _facts(
    performances: Path,
    scales: Scales,
    ladders: Sequence[PieceLadders],
    transcribed: Sequence[PieceLadders],
    takes: Sequence[LabelRecord],
    options: ValidationOptions,
) -> dict[str, str]:
    """Data of the validation."""
    from tocco.training.run_folder import revision  # it loads the training libraries

    facts = {
        "made": f"{datetime.now(UTC).date()}, revision {revision()}",
        "labels": f"`{source_of(scales.keys)}`",
        "performances": f"{performances.name}, sha256 {sha256_of(performances)[:16]}",
        "pool of the scale": _pool_of(scales.keys),
        "corrupted": f"{_n_measured(ladders)} pieces, the middle {options.excerpt_sec:g} s of one take of "
        f"each, seed {options.seed}; {', '.join(sorted(one.piece for one in ladders if one.steps))}",
        "compared": f"{len(takes)} whole performances of {len({r.piece_id for r in takes})} pieces",
    }
    if options.n_transcribed:
        for_transcribed = scales.of("transcribed")
        facts["labels, transcribed"] = f"`{source_of(for_transcribed)}`"
        facts["pool of the scale, transcribed"] = _pool_of(for_transcribed)
        facts["transcribed"] = (
            f"{_n_measured(transcribed)} of these pieces, the middle {options.transcribed_sec:g} s, "
            f"{f'by `{options.transcriber}`' if options.transcriber else 'simulated on the recorded MIDI'}"
        )
    if len(options.kinds) < len(CORRUPTIONS):
        facts["kinds"] = f"{len(options.kinds)} of {len(CORRUPTIONS)}: {', '.join(options.kinds)}"
    if options.leave_out is not None:
        facts["also excluded"] = (
            f"{len(_excluded(options))} pieces used in development or in an earlier validation"
        )
    return facts


def _pool_of(scale: ReferenceScale) -> str:
    pool = scale.pool
    return (
        f"{pool.n_performances} performances of {len(pool.pieces)} pieces, all of them excluded here by "
        "name, with every version of the same music"
    )


def choose(
    records: Sequence[LabelRecord], options: ValidationOptions
) -> tuple[list[LabelRecord], list[LabelRecord]]:
    """One performance each of some pieces to corrupt, and some of every piece with several pianists.

    Of versions of the same music (one `cluster_id`) only one is corrupted.
    """
    rng = np.random.default_rng(options.seed)
    pieces: dict[str, list[LabelRecord]] = {}
    for record in sorted(records, key=lambda record: record.segment_id):
        pieces.setdefault(record.cluster_id or record.piece_id, []).append(record)
    names = sorted(pieces)
    corrupted: list[LabelRecord] = []
    compared: list[LabelRecord] = []
    for place in rng.permutation(len(names)):
        members = pieces[names[place]]
        drawn = [members[k] for k in rng.permutation(len(members))]
        if len(corrupted) < options.n_pieces:
            corrupted.append(drawn[0])
        first = [record for record in drawn if record.piece_id == drawn[0].piece_id]
        if len(first) > 1:
            compared.extend(first[: options.n_takes])
    return corrupted, compared


def _ladder_tasks(
    chosen: Sequence[LabelRecord],
    scales: Scales,
    folder: Path,
    options: ValidationOptions,
    *,
    through_transcriber: bool = False,
) -> list[MeasureTask]:
    """Ladders on recorded MIDI, some also with rendered audio; or, of some pieces, on transcriptions."""
    pieces = chosen[: options.n_transcribed] if through_transcriber else chosen
    command = options.transcriber if through_transcriber else None
    return [
        MeasureTask(
            record,
            scales,
            folder,
            options.transcribed_sec if through_transcriber else options.excerpt_sec,
            options.seed,
            is_rendered=not through_transcriber and place < options.n_rendered,
            through_transcriber=through_transcriber,
            transcriber=None if command is None else CommandTranscriber(command),
            kinds=options.kinds,
        )
        for place, record in enumerate(pieces)
    ]


def _n_measured(ladders: Sequence[PieceLadders]) -> int:
    """Number of excerpts that could be measured."""
    return sum(bool(one.steps) for one in ladders)


def _rated_by_listeners(labels: Path) -> list[LabelRecord]:
    records = read_labels(labels, must_exist=True)
    return [record for record in records if record.midi_path and not record.is_score_rendering]


def _measured(
    function: Callable[[MeasureTask], _Found],
    tasks: Sequence[MeasureTask],
    what: str,
    options: ValidationOptions,
) -> list[_Found]:
    with progress_bar(what) as advance:
        return list(options.engine.map(function, tasks, advance))


def _excluded(options: ValidationOptions) -> list[str]:
    return [] if options.leave_out is None else read_names(options.leave_out)

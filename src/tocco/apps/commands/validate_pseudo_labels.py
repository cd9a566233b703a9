"""`tocco benchmark pseudo-labels`: the proof of the pseudo-labels, from one command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
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
from tocco.evaluation.pseudo_labels.report import Proof, write_proof
from tocco.files import read_names, sha256_of, writable_folder
from tocco.music.corruption import CORRUPTIONS
from tocco.pseudo_labels.scale.files import Scales, load_scales
from tocco.pseudo_labels.scale.model import ReferenceScale

_Found = TypeVar("_Found")


@dataclass(frozen=True)
class ProofOptions:
    """What the command line was asked for.

    Attributes
    ----------
    scale, transcribed_scale : for what the keys sent, and for what a transcriber heard
        None for the one that ships with tocco.
    leave_out : a file of further pieces that are not wanted, one a line
    n_pieces, n_takes : pieces to corrupt, and performances of each piece to compare
    n_rendered, n_transcribed : of these pieces, how many are heard, and heard through a transcriber
    transcriber
        A command with "{audio}" and "{midi}"; None for the noise of a transcriber.
    excerpt_sec, transcribed_sec : length of what is corrupted, and of what a transcriber hears of it
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


def prove(performances: Path, output: Path, percepiano: Path | None, options: ProofOptions) -> None:
    """Measure everything that the proof rests on, and write it with its thresholds."""
    if options.transcriber is not None:
        CommandTranscriber(options.transcriber)  # a command that cannot be is told before the work
    people = [] if percepiano is None else _rated_by_people(percepiano)
    with_transcribed = options.n_transcribed > 0 or any(record.is_transcribed for record in people)
    scales = load_scales(options.scale, options.transcribed_scale, with_transcribed=with_transcribed)
    folder = writable_folder(output / "measured")
    records = [with_printed_score(record) for record in read_labels(performances, must_exist=True)]
    unseen = [r for r in held_out(records, scales, _left_out(options)) if r.score_path and r.midi_path]
    unseen = [r for r in unseen if not (r.is_score_rendering or r.is_transcribed)]
    chosen, takes = choose(unseen, options)
    if len(chosen) < 2:
        raise InputError(
            performances,
            f"holds {len(chosen)} pieces that the scales have not seen",
            allowed="2 or more, with MIDI and score",
        )
    ladders = _measured(measure_ladders, _ladder_tasks(chosen, scales, folder, options), "ladders", options)
    climbs = _ladder_tasks(chosen, scales, folder, options, is_transcribed=True)
    transcribed = _measured(measure_ladders, climbs, "transcribed", options)
    tasks = [MeasureTask(record, scales, folder) for record in takes]
    rated = _measured(measure_take, tasks, "takes", options)
    excerpts = [MeasureTask(record, scales, folder) for record in people]
    agreements = (
        agreement(people, _measured(measure_excerpt, excerpts, "rated excerpts", options)) if excerpts else []
    )
    facts = _facts(performances, scales, ladders, transcribed, takes, options)
    typer.echo(
        write_proof(
            Proof(ladders, transcribed, rated, agreements, scales.keys, options.transcriber),
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
    options: ProofOptions,
) -> dict[str, str]:
    """What the proof was measured on."""
    facts = {
        "labels": f"`{source_of(scales.keys)}`",
        "performances": f"{performances.name}, sha256 {sha256_of(performances)[:16]}",
        "pool of the scale": _pool_of(scales.keys),
        "corrupted": f"{_n_climbed(ladders)} pieces, the middle {options.excerpt_sec:g} s of one take of "
        f"each, seed {options.seed}; {', '.join(sorted(one.piece for one in ladders if one.steps))}",
        "compared": f"{len(takes)} whole performances of {len({r.piece_id for r in takes})} pieces",
    }
    if options.n_transcribed:
        heard = scales.of(is_transcribed=True)
        facts["labels, transcribed"] = f"`{source_of(heard)}`"
        facts["pool of the scale, transcribed"] = _pool_of(heard)
        facts["transcribed"] = (
            f"{_n_climbed(transcribed)} of these pieces, the middle {options.transcribed_sec:g} s, by "
            f"{f'`{options.transcriber}`' if options.transcriber else 'nobody: noise is put on the keys'}"
        )
    if len(options.kinds) < len(CORRUPTIONS):
        facts["kinds"] = f"{len(options.kinds)} of {len(CORRUPTIONS)} alone: {', '.join(options.kinds)}"
    if options.leave_out is not None:
        facts["also left out"] = (
            f"{len(_left_out(options))} pieces that development or an earlier proof has seen"
        )
    return facts


def _pool_of(scale: ReferenceScale) -> str:
    pool = scale.pool
    return (
        f"{pool.n_performances} performances of {len(pool.pieces)} pieces, all of them left out here by "
        "their names, with every version of the same music"
    )


def choose(
    records: Sequence[LabelRecord], options: ProofOptions
) -> tuple[list[LabelRecord], list[LabelRecord]]:
    """One performance of each of some pieces to corrupt, and some of every piece that several play.

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
    options: ProofOptions,
    *,
    is_transcribed: bool = False,
) -> list[MeasureTask]:
    """Ladders on the keys, some of them also by ear; or, of some pieces, through a transcriber."""
    climbed = chosen[: options.n_transcribed] if is_transcribed else chosen
    command = options.transcriber if is_transcribed else None
    return [
        MeasureTask(
            record,
            scales,
            folder,
            options.transcribed_sec if is_transcribed else options.excerpt_sec,
            options.seed,
            is_rendered=not is_transcribed and place < options.n_rendered,
            is_transcribed=is_transcribed,
            transcriber=None if command is None else CommandTranscriber(command),
            kinds=options.kinds,
        )
        for place, record in enumerate(climbed)
    ]


def _n_climbed(ladders: Sequence[PieceLadders]) -> int:
    """Excerpts that could be read."""
    return sum(bool(one.steps) for one in ladders)


def _rated_by_people(labels: Path) -> list[LabelRecord]:
    records = read_labels(labels, must_exist=True)
    return [record for record in records if record.midi_path and not record.is_score_rendering]


def _measured(
    function: Callable[[MeasureTask], _Found], tasks: Sequence[MeasureTask], what: str, options: ProofOptions
) -> list[_Found]:
    with progress_bar(what) as advance:
        return list(options.engine.map(function, tasks, advance))


def _left_out(options: ProofOptions) -> list[str]:
    return [] if options.leave_out is None else read_names(options.leave_out)

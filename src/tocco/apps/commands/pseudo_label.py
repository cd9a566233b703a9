"""`tocco pseudo-label MANIFEST`: ratings computed by rule for every segment, and a summary page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import typer

from tocco.apps.progress import progress_bar
from tocco.audio.rendering import FluidSynthRenderer, fluidsynth_version
from tocco.audio.transcription import transcriber_of
from tocco.data.pseudo_label_records import peers_of, records_of, refusals_of
from tocco.data.pseudo_labelling import (
    CorruptionPlan,
    Labelled,
    LabelTask,
    label_performance,
    with_printed_score,
)
from tocco.data.records import LabelRecord, read_labels, write_labels
from tocco.data.transcribing import TranscriptionTask, transcribed_record
from tocco.engines import Engine, LocalEngine
from tocco.errors import InputError
from tocco.evaluation.pseudo_labels.page import PAGE, Spread, write_summary
from tocco.evaluation.pseudo_labels.spot_check import SpotCheck, choose_spot_checks, make_spot_check
from tocco.files import writable_folder
from tocco.pseudo_labels.raters.registry import RATERS
from tocco.pseudo_labels.scale.files import Scales, load_scales
from tocco.pseudo_labels.scale.peers import Expectation

SOME_REFUSED: Final = 1


@dataclass(frozen=True)
class PseudoLabelOptions:
    """Options of the command line.

    Attributes
    ----------
    scale, transcribed_scale : for recorded MIDI and for transcriptions
        None for the one that ships with tocco.
    plan : corrupted versions
    printed_scores : use the MusicXML beside a score MIDI
    peers : compare pianists of one piece with each other
    spot_checks : number of segments on the summary page, 0 for none
    is_transcribed : the MIDI of every performance was transcribed from audio
    transcriber : command that transcribes recordings without MIDI; None for the built-in transcriber
    soundfont : for the audio of the spot checks
    engine
    """

    scale: Path | None = None
    transcribed_scale: Path | None = None
    plan: CorruptionPlan = field(default_factory=CorruptionPlan)
    printed_scores: bool = True
    peers: bool = True
    spot_checks: int = 20
    is_transcribed: bool = False
    transcriber: str | None = None
    soundfont: Path | None = None
    engine: Engine = field(default_factory=LocalEngine)


def generate(manifest: Path, output: Path, options: PseudoLabelOptions) -> int:
    """Label every performance of a manifest; write labels, corrupted versions and the summary.

    Returns
    -------
    The exit code: 1 where some performances could not be rated; they are named and omitted.
    """
    if output.suffix.lower() != ".jsonl":
        raise InputError(output, "does not end in .jsonl", allowed="a file name that ends in .jsonl")
    if options.spot_checks:
        fluidsynth_version()  # fail before the work, not after it
    records = read_labels(manifest, must_exist=True)
    if output.absolute() == manifest.absolute():
        raise InputError(output, "is the manifest itself", next_step="name another file")
    folder = writable_folder(output.absolute().with_suffix(".parts"))
    if options.printed_scores:
        records = tuple(with_printed_score(record) for record in records)
    records, refused = _with_notes(records, folder / "transcribed", options)
    if options.is_transcribed:
        records = tuple(record.model_copy(update={"origin": "transcribed"}) for record in records)
    with_transcribed = any(record.is_transcribed for record in records)
    scales = load_scales(options.scale, options.transcribed_scale, with_transcribed=with_transcribed)
    tasks = [LabelTask(record, options.plan, scales.of(record.origin), folder) for record in records]
    with progress_bar("rating") as advance:
        done = list(options.engine.map(label_performance, tasks, advance))
    peers = peers_of(done) if options.peers else {}
    labels = [record for one in done for record in records_of(one, peers.get(one.task.record.segment_id))]
    refused += refusals_of(done)
    if not labels:
        first = (refused or ["nothing could be rated"])[0].rstrip(".")
        raise InputError(manifest, f"gave no labels; the first reason is {first}")
    write_labels(labels, output)
    summary = output.with_name(f"{output.stem}_summary")
    found = _summarise(labels, done, refused, peers, scales, summary, options)
    _print_result(labels, done, refused, found, output, summary)
    return SOME_REFUSED if refused else 0


def _with_notes(
    records: Sequence[LabelRecord], folder: Path, options: PseudoLabelOptions
) -> tuple[tuple[LabelRecord, ...], list[str]]:
    """The records, those of recordings without MIDI transcribed; and which cannot be, with reasons."""
    alone = [record for record in records if record.midi_path is None]
    if not alone:
        return tuple(records), []
    transcriber_of(options.transcriber)  # fail before the work where there is none
    tasks = [TranscriptionTask(record, folder, options.transcriber) for record in alone]
    with progress_bar("transcribing") as advance:
        outcomes = list(options.engine.map(transcribed_record, tasks, advance))
    outcome_of = {task.record.segment_id: one for task, one in zip(tasks, outcomes, strict=True)}
    found = [outcome_of.get(record.segment_id, record) for record in records]
    refused = [f"{name}: {one}" for name, one in outcome_of.items() if isinstance(one, InputError)]
    return tuple(one for one in found if not isinstance(one, InputError)), refused


def _summarise(
    labels: Sequence[LabelRecord],
    done: Sequence[Labelled],
    refused: Sequence[str],
    peers: Mapping[str, Expectation],
    scales: Scales,
    folder: Path,
    options: PseudoLabelOptions,
) -> list[Spread]:
    writable_folder(folder / "segments")
    corrupted_midi = {
        one.task.corrupted_path(version.corruption)
        for one in done
        for version in one.rated.versions
        if version.corruption is not None
    }
    checks: list[SpotCheck] = []
    if options.spot_checks:
        chosen = choose_spot_checks(labels, options.spot_checks, np.random.default_rng(options.plan.seed))
        with FluidSynthRenderer(options.soundfont) as renderer, progress_bar("spot checks") as advance:
            for record, why in chosen:
                checks.append(make_spot_check(record, why, scales, folder / "segments", renderer))
                advance(len(checks), len(chosen))
    pieces = {record.piece_id for record in labels}
    corrupted = Counter(
        (version.corruption or "").rsplit("-", 1)[0] for one in done for version in one.rated.versions[1:]
    )
    absent = Counter(kind for one in done for kind in one.rated.inapplicable)
    facts = {
        **_sources(labels),
        "segments": f"{len(labels)} of 10 s, every 5 s",
        "performances": f"{sum(bool(one.rated.versions) for one in done)} of {len(pieces)} pieces",
        "compared with peers": f"{len(peers)} of {len(done)} performances, "
        f"each with {_median(expected.n_peers for expected in peers.values()):g} other pianists (median)"
        if peers
        else "none",
        "corrupted versions": ", ".join(f"{kind} {n}" for kind, n in sorted(corrupted.items())) or "none",
        "kinds that did not apply": ", ".join(f"{kind} {n}" for kind, n in sorted(absent.items())) or "none",
    }
    is_corrupted = [record.midi_path in corrupted_midi for record in labels]
    return write_summary(labels, is_corrupted, checks, facts, refused, folder)


def _sources(labels: Sequence[LabelRecord]) -> dict[str, str]:
    """The `source` of the labels, of recorded MIDI and of transcriptions."""
    return {
        "source, transcribed" if record.is_transcribed else "source": record.source
        for record in sorted(labels, key=lambda record: record.is_transcribed)
    }


def _median(counts: Iterable[int]) -> float:
    return float(np.median(list(counts)))


def _usual_reason(done: Sequence[Labelled], dimension: str) -> str:
    """Most frequent reason for a missing rating of a dimension."""
    reasons = Counter(
        segment.unrated[dimension]
        for one in done
        for version in one.rated.versions
        for segment in version.segments
        if dimension in segment.unrated
    )
    return reasons.most_common(1)[0][0] if reasons else "there is none"


def _print_result(
    labels: Sequence[LabelRecord],
    done: Sequence[Labelled],
    refused: Sequence[str],
    found: Sequence[Spread],
    output: Path,
    summary: Path,
) -> None:
    n_cached = sum(one.is_cached for one in done)
    new = [one for one in done if not one.is_cached]
    seconds = sum(one.took_sec for one in new)
    rated = sum(len(version.segments) for one in new for version in one.rated.versions)
    pace = f"; {rated / seconds:.1f} segments a second on one core" if rated and seconds else ""
    typer.echo(
        f"{output}: {len(labels)} segments of {len(done)} performances, "
        f"{n_cached} of them from the cache{pace}"
    )
    for spread in found:
        remark = "" if spread.is_wide else "  (hardly distinguishes segments)"
        typer.echo(
            f"  {spread.dimension:22} mean {spread.mean:5.1f}  sd {spread.sd:4.1f}  n {spread.n}{remark}"
        )
    for name in RATERS:
        if name not in {spread.dimension for spread in found}:
            typer.echo(f"  {name:22} was rated in no segment: {_usual_reason(done, name)}")
    typer.echo(f"summary with spot checks: {summary / PAGE}")
    for reason in refused:
        typer.echo(f"left out: {reason}", err=True)

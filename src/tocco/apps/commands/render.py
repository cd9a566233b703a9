"""`tocco data render`: render MIDI to audio in parallel, and update a label file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import typer

from tocco.apps.progress import progress_bar
from tocco.audio.render_cache import RendererPool, RenderFacts, Rendering, RenderJob, render_facts, render_job
from tocco.audio.render_setting import RenderChoice, rooms_of
from tocco.audio.rendering import PEAK_CEILING_DBFS, TARGET_LUFS, fluidsynth_version, instruments_of
from tocco.data.pairing import AUDIO_SUFFIXES
from tocco.data.records import LabelRecord, read_labels, write_labels
from tocco.engines import Engine, LocalEngine, assert_arrived
from tocco.errors import InputError, OutputError, ToccoError, UsageError
from tocco.files import assert_plain_file, file_name, writable_folder, write_bytes
from tocco.schema import laid_out

SOME_FAILED: Final = 1
TABLE: Final = "renderings.csv"
REPORT: Final = "renderings.json"
LABELS: Final = "labels.jsonl"
PEDALS: Final = ("half", "on-off")


@dataclass(frozen=True)
class RenderOptions:
    """Options of the command line.

    Attributes
    ----------
    soundfont
        None for the default, "any", a name or a file.
    seed : >= 0
    level_db : dB relative to the target loudness, low <= high
    room : "none", "any" or a name
    pedal : "half" or "on-off"
    engine
        Where the files are rendered.
    cache
        Folder of renderings by key, None for none.
    overwrite
        Also replace files that are not renderings.
    """

    soundfont: str | None = None
    seed: int = 0
    level_db: tuple[float, float] = (0.0, 0.0)
    room: str = "none"
    pedal: str = "half"
    engine: Engine = field(default_factory=LocalEngine)
    cache: Path | None = None
    overwrite: bool = False

    def choice(self) -> RenderChoice:
        """The options as the distribution that render settings are drawn from."""
        if self.pedal not in PEDALS:
            raise UsageError("--pedal", f"is {self.pedal!r}", allowed=", ".join(PEDALS))
        fluidsynth_version()  # fail once if the library is missing, not once per file
        return RenderChoice(
            instruments=instruments_of(self.soundfont),
            level_db=self.level_db,
            rooms=rooms_of(self.room),
            half_pedal=self.pedal == "half",
            seed=self.seed,
        )


def render_midi(midi: Sequence[Path], output: Path, options: RenderOptions) -> int:
    """Render each MIDI to `output` (one .flac) or to `output`/NAME.flac, and write a report.

    Returns
    -------
    The exit code: 1 where some of several failed; each is named on stderr.
    """
    if output.suffix.lower() == ".flac":
        if len(midi) > 1:
            raise OutputError(output, f"is one file for {len(midi)} performances", next_step="name a folder")
        targets = [output]
    elif output.suffix.lower() in AUDIO_SUFFIXES and not output.is_dir():
        raise OutputError(
            output,
            "is not FLAC, the only format that is rendered",
            next_step="name a .flac file, or a folder",
        )
    else:
        names = [path.stem for path in midi]
        if len({name.casefold() for name in names}) < len(names):
            folded = [name.casefold() for name in names]
            twice = next(name for name in names if folded.count(name.casefold()) > 1)
            raise InputError(twice, "names two of the MIDI files", next_step="render them into two folders")
        targets = [output / f"{name}.flac" for name in names]
    choice = options.choice()
    outcomes = _render(_jobs(midi, targets, choice, options), options.engine)
    if targets != [output]:
        _write_report(outcomes, output, choice)
    return _print_result(outcomes, output)


def render_labels(labels: Path, output: Path, options: RenderOptions) -> int:
    """Render the MIDI of every record to `output`/audio and write the records with their new audio.

    Returns
    -------
    The exit code: 1 where some failed; their records are omitted from the new file.
    """
    records = read_labels(labels)
    if labels.absolute() == (output / LABELS).absolute():
        raise OutputError(output / LABELS, "is the label file itself", next_step="name another folder")
    midi = _midi_of(labels, records)
    choice = options.choice()
    targets = [output / "audio" / f"{name}.flac" for name in _names(labels, midi)]
    outcomes = _render(_jobs(midi, targets, choice, options), options.engine)
    audio_of = {o.job.midi: o.job.target.absolute() for o in outcomes if o.rendering is not None}
    done = [
        record.model_copy(update={"audio_path": audio_of[record.midi_path]})
        for record in records
        if record.midi_path in audio_of
    ]
    _write_report(outcomes, output, choice)
    if done:
        write_labels(done, output / LABELS)
        replaced = sum(record.audio_path is not None for record in records)
        note = f"; {replaced} had a recording, which the new file does not name" if replaced else ""
        typer.echo(f"{output / LABELS}: {len(done)} of {len(records)} records{note}")
    return _print_result(outcomes, output)


@dataclass(frozen=True)
class _Outcome:
    """One job, and its rendering or its error message."""

    job: RenderJob
    rendering: Rendering | None
    problem: str | None


def _midi_of(labels: Path, records: Sequence[LabelRecord]) -> list[Path]:
    """Every MIDI file that the records name, without repetition."""
    found: dict[Path, None] = {}
    for record in records:
        if record.midi_path is None:
            raise InputError(
                f"{labels}, segment {record.segment_id}",
                "has no midi_path, and only MIDI can be rendered",
                next_step="leave it out, or give its MIDI",
            )
        found[record.midi_path] = None
    return list(found)


def _names(labels: Path, midi: Sequence[Path]) -> list[str]:
    """A file name for each MIDI: its stem, preceded by its folders where two stems are equal."""
    stems = [file_name(path.stem).casefold() for path in midi]
    folder = labels.absolute().parent
    names = []
    for path, stem in zip(midi, stems, strict=True):
        if stems.count(stem) > 1:
            path_parts = path.relative_to(folder) if path.is_relative_to(folder) else path
            names.append(file_name("_".join(path_parts.with_suffix("").parts)))
        else:
            names.append(file_name(path.stem))
    folded = [name.casefold() for name in names]
    for path, name in zip(midi, folded, strict=True):
        if folded.count(name) > 1:
            raise InputError(path, f"and another MIDI file would both be rendered to {name}.flac")
    return names


def _jobs(
    midi: Sequence[Path], targets: Sequence[Path], choice: RenderChoice, options: RenderOptions
) -> list[RenderJob]:
    for path in midi:
        assert_plain_file(path)
    for folder in {target.parent for target in targets} | ({options.cache} if options.cache else set()):
        writable_folder(folder)
    return [
        RenderJob(path, target, choice, options.cache, options.overwrite)
        for path, target in zip(midi, targets, strict=True)
    ]


def _render(jobs: list[RenderJob], engine: Engine) -> list[_Outcome]:
    """Outcome of every job, in order; an error ends the run only if there is a single job."""
    outcomes: list[_Outcome] = []
    function = _rendered if len(jobs) == 1 else _attempted
    try:
        with progress_bar("rendering") as advance, closing(engine.map(function, jobs, advance)) as found:
            for outcome in found:
                if outcome.rendering is not None:
                    assert_arrived(outcome.job.target)
                if outcome.problem is not None:
                    typer.echo(f"tocco: {outcome.problem}", err=True)
                outcomes.append(outcome)
    except KeyboardInterrupt:
        n_complete = sum(render_facts(job.target) is not None for job in jobs)
        typer.echo(f"tocco: {n_complete} of {len(jobs)} renderings are complete", err=True)
        raise
    finally:
        with _pools.pop("renderers", RendererPool()):
            pass  # close the renderers that this process itself has opened
    return outcomes


_pools: dict[str, RendererPool] = {}
"""Renderers of this process, reused from one job to the next."""


def _rendered(job: RenderJob) -> _Outcome:
    return _Outcome(job, render_job(job, _pools.setdefault("renderers", RendererPool())), None)


def _attempted(job: RenderJob) -> _Outcome:
    try:
        return _rendered(job)
    except ToccoError as error:
        return _Outcome(job, None, str(error))


def _write_report(outcomes: Sequence[_Outcome], output: Path, choice: RenderChoice) -> None:
    """Write a table of the renderings, and a JSON with the options and the failed files."""
    rows = [
        {
            "midi": outcome.job.midi.as_posix(),
            "audio": outcome.job.target.relative_to(output).as_posix(),
            **outcome.rendering.facts.model_dump(),
        }
        for outcome in outcomes
        if outcome.rendering is not None
    ]
    table = io.StringIO()
    writer = csv.DictWriter(table, ["midi", "audio", *RenderFacts.model_fields], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_bytes(output / TABLE, table.getvalue().encode())
    report = {
        "drawn_from": {
            "seed": choice.seed,
            "instruments": [{"name": i.name, "licence": i.licence} for i in choice.instruments],
            "level_db": list(choice.level_db),
            "rooms": list(choice.rooms),
            "half_pedal": choice.half_pedal,
        },
        "target_lufs": TARGET_LUFS,
        "peak_ceiling_dbfs": PEAK_CEILING_DBFS,
        "renderings": rows,
        "failed": [
            {"midi": o.job.midi.as_posix(), "problem": o.problem} for o in outcomes if o.problem is not None
        ],
    }
    write_bytes(output / REPORT, f"{laid_out(report)}\n".encode())


def _print_result(outcomes: Sequence[_Outcome], output: Path) -> int:
    """Print a summary; return the exit code."""
    results = [outcome.rendering.outcome for outcome in outcomes if outcome.rendering is not None]
    failed = len(outcomes) - len(results)
    limited = sum(o.rendering is not None and o.rendering.facts.held_down_by_peak for o in outcomes)
    typer.echo(
        f"{output}: {results.count('rendered')} rendered, {results.count('cached')} from the cache, "
        f"{results.count('kept')} present before, {failed} failed; {limited} limited by the peak"
    )
    return SOME_FAILED if failed else 0

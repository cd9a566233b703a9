"""`tocco align`: align a performance with its score; match file, JSON and picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import typer

from tocco.apps.commands.scores import read_scores
from tocco.apps.progress import progress_bar
from tocco.audio.description import AudioDescription
from tocco.audio.transcription import Transcriber, transcriber_of
from tocco.data.pairing import kind_by_content
from tocco.data.transcribing import hear
from tocco.errors import InputError, MismatchError, OutputError, UsageError
from tocco.files import file_name, sha256_of, writable_folder
from tocco.inference.alignment_document import (
    AlignedInputs,
    AlignmentDocument,
    Mistake,
    PassedOver,
    Restart,
    alignment_document,
    read_alignment,
)
from tocco.inference.evidence import InputFile, Synchrony
from tocco.music.alignment import align_performance_to_score
from tocco.music.midi import load_midi
from tocco.music.performance import Performance
from tocco.music.places import bars_in_words
from tocco.music.score import score_readings
from tocco.music.score_finding import ScoreFolder
from tocco.report.formats import DescribedAlignment, report_paths, write_report
from tocco.report.wording import clock, mistake, played_bars, transcribed_by

_SHOWN_MISTAKES = 6
_MIDI_MAGIC = (b"MThd",)
_MIDI_SUFFIXES = (".mid", ".midi")


def align(
    played: Path,
    score: Path | None,
    output: Path,
    *,
    scores: Path | None = None,
    midi: Path | None,
    transcriber: str | None = None,
    overwrite: bool,
) -> None:
    """Align one performance, write its three files, and print a one-line summary.

    Parameters
    ----------
    played : recording or performance MIDI
    score : None to find it in `scores`
    output : folder
    scores : folder of scores
    midi : of a recording
    transcriber : command that transcribes a recording without MIDI; None for the built-in transcriber
    overwrite
    """
    if score is not None and (kind_by_content(played), kind_by_content(score)) in (
        ("score", "midi"),
        ("score", "audio"),
    ):
        played, score = score, played
    folder = None if scores is None else read_scores(scores)
    name = file_name(played.stem)
    audio, midi = _audio_and_midi(played, midi)
    if transcriber is not None and midi is not None:
        raise UsageError("--transcriber", "is given beside MIDI", next_step="leave one of them out")
    files = report_paths(DescribedAlignment, output, name)
    writable_folder(output)
    _refuse_inputs(files, [path for path in (audio, midi, score) if path is not None])
    readings = None if score is None else score_readings(score)
    if audio is not None and midi is None:
        performance, inputs = _transcribed(audio, transcriber_of(transcriber))
    else:
        performance, inputs = _synchronised(audio, midi or played)
    written = _written(score, folder, performance)
    readings = readings or score_readings(written.path)
    inputs = AlignedInputs(**inputs, score=written.file)
    _refuse_other_inputs(files, inputs, overwrite=overwrite)
    alignment = align_performance_to_score(performance, readings)
    document = alignment_document(alignment, performance, inputs, version("tocco"))
    write_report(DescribedAlignment(document, alignment, performance), files)
    typer.echo(summary(played.name, document))
    for path in files:
        typer.echo(str(path))


def summary(name: str, document: AlignmentDocument) -> str:
    """One line: counts of right, wrong, missing and extra notes, and the bars of the mistakes.

    Parameters
    ----------
    name : of the performance
    document
    """
    counts, alignment = document.counts, document.alignment
    parts = [f"{counts.right} right", f"{counts.wrong} wrong", f"{counts.missing} missing"]
    parts.append(f"{counts.extra} extra")
    if document.restarts:
        parts.append("restarts in " + ", ".join(_where(restart) for restart in document.restarts))
    if document.skips:
        parts.append("skipped " + ", ".join(_where(skip) for skip in document.skips))
    if alignment.repeats != "as written":
        parts.append(alignment.repeats)
    line = f"{name}: {', '.join(parts)}"
    if document.inputs.transcriber is not None:
        line += f"; notes {transcribed_by(document.inputs.transcriber)}"
    line += "".join(f"; {flag}" for flag in alignment.flags)
    if alignment.part is not None:
        line += f"; {played_bars(alignment.part).lower()}"
    if document.mistakes:
        line += "; " + "; ".join(map(_in_words, document.mistakes[:_SHOWN_MISTAKES]))
    hidden = len(document.mistakes) - _SHOWN_MISTAKES
    return line + (f"; and {hidden} more" if hidden > 0 else "")


def _in_words(found: Mistake) -> str:
    words = mistake(found.note)
    return words if found.kind == "wrong" else f"{words} {found.kind}"


def _where(found: Restart | PassedOver) -> str:
    return found.where or bars_in_words(*found.bars)


def _audio_and_midi(played: Path, midi: Path | None) -> tuple[Path | None, Path | None]:
    """The recording and the performance MIDI, one of them at least; recognised by content or suffix."""
    from tocco.audio.containers import identify_container

    try:
        with played.open("rb") as stream:
            is_midi = stream.read(4) in _MIDI_MAGIC or played.suffix.lower() in _MIDI_SUFFIXES
    except FileNotFoundError as error:
        raise InputError(played, "does not exist", next_step="check the path of the performance") from error
    except OSError as error:
        raise InputError(played, f"cannot be read ({error.strerror})", next_step="check the path") from error
    if is_midi:
        if midi is not None:
            raise InputError(
                played,
                "is MIDI, and --midi gives another",
                allowed="one performance MIDI",
                next_step="give the recording first, or leave --midi out",
            )
        return None, played
    identify_container(played)  # a file that is not audio is refused as such, before anything is loaded
    return played, midi


@dataclass(frozen=True)
class _Written:
    """A score that was given or found: its path, and how the document names it."""

    path: Path
    file: InputFile


def _written(score: Path | None, folder: ScoreFolder | None, performance: Performance) -> _Written:
    """The score that was given, or the one of a folder that is played."""
    if score is not None:
        return _Written(score, InputFile(name=score.name, sha256=sha256_of(score), origin="given"))
    found = None if folder is None else folder.search(performance)
    if found is None or found.path is None:
        raise MismatchError(
            performance.source or "performance",
            "has no score" if found is None else f"has no score there: {found.reason}",
            next_step="give the score of the piece that was played",
        )
    typer.echo(f"score found: {found.path}, {bars_in_words(*found.bars or ('', ''))}")
    for other in found.alike:
        typer.echo(f"fits as well: {other}")
    return _Written(found.path, InputFile(name=found.path.name, sha256=sha256_of(found.path), origin="found"))


def _transcribed(audio: Path, transcriber: Transcriber) -> tuple[Performance, dict[str, Any]]:
    """The performance as it is heard in a recording, and the inputs but the score."""
    with progress_bar("transcribing", clock, at_once=False) as on_transcribed:
        described, found = hear(audio, transcriber, on_transcribed)
    recording = _described_file(audio, described)
    heard = InputFile(
        name=audio.name,
        sha256=described.sha256,
        origin="derived",
        duration_sec=found.performance.duration_sec,
    )
    return found.performance, {
        "audio": recording,
        "midi": heard,
        "transcriber": found.transcriber,
        "synchrony": None,
    }


def _described_file(audio: Path, described: AudioDescription) -> InputFile:
    return InputFile(
        name=audio.name,
        sha256=described.sha256,
        origin="given",
        duration_sec=described.duration_sec,
        flags=described.flags,
    )


def _synchronised(audio: Path | None, midi: Path) -> tuple[Performance, dict[str, Any]]:
    """The performance with times of the recording, if there is one, and the inputs but the score."""
    performance = load_midi(midi)
    recording, synchrony = None, None
    if audio is not None:
        from tocco.audio.processing import DescribedStream
        from tocco.music.synchrony import align_midi_to_audio

        stream = DescribedStream(audio)
        found = align_midi_to_audio(performance, stream, audio_source=str(audio))
        performance, recording = found.apply(performance), _described_file(audio, stream.description)
        synchrony = Synchrony(
            offset_sec=found.offset_sec, drift_ppm=1e6 * found.drift, residual_sec=found.residual_sec
        )
    given = InputFile(
        name=midi.name, sha256=sha256_of(midi), origin="given", duration_sec=performance.duration_sec
    )
    return performance, {"audio": recording, "midi": given, "synchrony": synchrony}


def _refuse_other_inputs(files: Sequence[Path], inputs: AlignedInputs, *, overwrite: bool) -> None:
    """Refuse to replace files, except results of the same inputs."""
    present = [path for path in files if path.exists()]
    if overwrite or not present:
        return
    json_file = files[0]
    next_step = "name another folder, or --overwrite"
    if json_file not in present:
        raise OutputError(present[0], "exists and is not from tocco align", next_step=next_step)
    try:
        before = read_alignment(json_file).inputs
    except InputError as error:
        raise OutputError(json_file, "exists and is not an alignment", next_step=next_step) from error
    if _hashes(before) != _hashes(inputs):
        raise OutputError(json_file, "is the alignment of other inputs", next_step=next_step)


def _hashes(inputs: AlignedInputs) -> list[str | None]:
    return [None if file is None else file.sha256 for file in (inputs.audio, inputs.midi, inputs.score)]


def _refuse_inputs(files: Sequence[Path], inputs: list[Path]) -> None:
    for path in files:
        if path.exists() and any(given.exists() and path.samefile(given) for given in inputs):
            raise OutputError(
                path, "is an input, and inputs are not replaced", next_step="name another folder"
            )

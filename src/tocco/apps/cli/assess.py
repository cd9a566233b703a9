"""Options of `tocco assess`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from tocco.apps.cli.options import As, MarkingSchemeName, Transcriber
from tocco.audio.containers import identify_container
from tocco.data.pairing import Given, TakeFiles, given_takes, kind_by_content
from tocco.errors import UsageError

_NEXT = "give recordings, performance MIDI, scores, or a folder of them; or a table with --manifest"


def assess(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE|FOLDER...",
            help="Recordings, performance MIDI and scores, in any order; files of one name are one "
            "performance, and a single score applies to all. Or folders of them. A recording without MIDI "
            "is transcribed.",
            show_default=False,
        ),
    ] = None,
    audio: Annotated[
        list[Path] | None,
        typer.Option(help="Recording, as one of the files; the option says that it is one."),
    ] = None,
    midi: Annotated[
        list[Path] | None, typer.Option(help="Performance MIDI of the recording; rendered if given alone.")
    ] = None,
    score: Annotated[list[Path] | None, typer.Option(help="Score: MusicXML, .mxl or score MIDI.")] = None,
    scores: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder of scores: that of each performance without its own is found among them.",
        ),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(help="CSV with any of the columns id, audio, midi, score; or a label file, JSONL."),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(
            "--bundle", "--checkpoint", help="Model bundle, a folder; by default the one of the package."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for the JSON, the pictures and the report.")
    ] = None,
    transcribed: Annotated[
        bool, typer.Option("--transcribed", help="The MIDI was transcribed from a recording.")
    ] = False,
    transcriber: Transcriber = None,
    as_: As = None,
    rubric: MarkingSchemeName = None,
    jobs: Annotated[int, typer.Option(min=1, help="Number of parallel processes.")] = 1,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the assessment of other inputs under the same name.")
    ] = False,
) -> None:
    """Rate performances: print a table; with -o, write each as JSON, PNG and an HTML report."""
    given = performances_given(files or [], midi or [], score or [], manifest, audio=audio or [])
    for one in given.left_out:
        typer.echo(f"left out: {one.subject} {one.reason}", err=True)
    takes = [replace(take, origin="transcribed") if transcribed else take for take in given.takes]
    _check_transcriber(transcriber, takes)
    if scores is not None:
        takes = _sought_in(scores, takes, score or [])
    is_batch = manifest is not None or len(takes) > 1
    if is_batch and overwrite:
        raise UsageError(
            "--overwrite",
            "replaces the assessment of one performance, and several are given",
            next_step="name another folder, or remove what is to be assessed again",
        )
    if manifest is not None and output is None:
        raise UsageError("--manifest", "needs -o", next_step="name a folder for the assessments with -o")

    if is_batch:
        from tocco.apps.commands.assess import assess_several
        from tocco.apps.commands.marking import read_marking

        marking = read_marking(as_, rubric)
        raise typer.Exit(
            assess_several(takes, bundle, output, transcriber=transcriber, jobs=jobs, marking=marking)
        )
    take = takes[0]
    if take.audio is not None:
        identify_container(take.audio)  # a file that is no recording is named before anything is loaded
    from tocco.apps.commands.assess import assess_one
    from tocco.apps.commands.marking import read_marking

    marking = read_marking(as_, rubric)
    assess_one(take, bundle, output, transcriber=transcriber, overwrite=overwrite, marking=marking)


def _check_transcriber(command: str | None, takes: Sequence[TakeFiles]) -> None:
    """Refuse a command that says not where the files go, or that has nothing to transcribe."""
    if command is None:
        return
    if not any(take.is_recording_alone for take in takes):
        raise UsageError(
            "--transcriber",
            "is given, and every performance has its MIDI",
            next_step="leave it out; give a MIDI that is the score with --score",
        )
    from tocco.audio.transcription import CommandTranscriber

    CommandTranscriber(command)


def _sought_in(scores: Path, takes: list[TakeFiles], score: list[Path]) -> list[TakeFiles]:
    """Performances whose score is sought in a folder; those that have one keep it."""
    if score:
        raise UsageError(
            "--scores",
            f"is given beside --score {score[0]}",
            allowed="one of the two",
            next_step="leave one of them out",
        )
    from tocco.apps.commands.scores import read_scores

    read_scores(scores)
    return [replace(take, scores=scores) for take in takes]


def performances_given(
    files: list[Path],
    midi: list[Path],
    score: list[Path],
    manifest: Path | None,
    *,
    audio: Sequence[Path] = (),
) -> Given:
    """The performances that a command is given: as files and folders, or in a table.

    Raises
    ------
    InputError
        A file is missing or cannot be used, or the files do not belong together.
    """
    if manifest is not None:
        if files or audio or midi or score:
            raise UsageError(
                "--manifest",
                "names the inputs, and others are given beside it",
                next_step="name them in the table",
            )
        from tocco.data.manifest import read_manifest

        return Given(read_manifest(manifest))
    for option, values in {"--audio": audio, "--midi": midi, "--score": score}.items():
        if len(values) > 1:
            raise UsageError(
                option,
                f"is given {len(values)} times",
                allowed="once",
                next_step="give the files without options; those of one name are one performance",
            )
    if not files and not audio and not midi:
        raise UsageError("assess", "got nothing to assess", next_step=_NEXT)
    for path in audio:
        _check_recording(path)
    given = given_takes([*audio, *files], midi[0] if midi else None, score[0] if score else None)
    if audio and len(given.takes) > 1:
        raise UsageError(
            "--audio",
            f"is the recording of one performance, and {len(given.takes)} are given",
            next_step="give the files without options; those of one name are one performance",
        )
    return given


def _check_recording(path: Path) -> None:
    """Refuse MIDI or a score in the place of a recording."""
    kind = kind_by_content(path)
    if kind != "audio":
        raise UsageError(
            "--audio", f"gives {path}, which is {'MIDI' if kind == 'midi' else 'a score'}", next_step=_NEXT
        )

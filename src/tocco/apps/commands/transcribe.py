"""`tocco transcribe`: recordings to MIDI."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import typer

from tocco.apps.progress import progress_bar
from tocco.audio.transcription import Transcriber, transcriber_of
from tocco.data.transcribing import Transcription, cached_transcription, hear
from tocco.errors import InputError, OutputError, UsageError
from tocco.files import assert_plain_file, file_name, sha256_of, writable_folder
from tocco.music.midi import save_midi
from tocco.music.performance import PEDAL_DOWN, PedalCurve
from tocco.report.wording import clock, transcribed_by

SOME_FAILED: Final = 1

_SUFFIXES: Final = (".mid", ".midi")


def transcribe(audio: Sequence[Path], output: Path, command: str | None, *, overwrite: bool) -> int:
    """Transcribe recordings, write each as MIDI, and print a line for each.

    What is transcribed is cached, so that a second run goes on where an interrupted one stopped.

    Parameters
    ----------
    audio
    output : file of one recording; folder of several
    command : of a transcriber; None for the built-in one
    overwrite : whether any MIDI of that name may be replaced

    Returns
    -------
    The exit code: 1 where one of several could not be transcribed; each is named on stderr.
    """
    recordings = tuple(dict.fromkeys(audio))
    midi_of = _outputs(recordings, output)
    transcriber = transcriber_of(command)
    for path in recordings:
        if len(recordings) == 1:
            assert_plain_file(path)
        if not overwrite and midi_of[path].exists():
            _assert_ours(midi_of[path], path, transcriber)
    for folder in {midi.parent for midi in midi_of.values()}:
        writable_folder(folder)
    if len(recordings) == 1:
        _transcribe_one(recordings[0], midi_of[recordings[0]], transcriber)
        return 0
    failed = 0
    for path in recordings:
        try:
            _transcribe_one(path, midi_of[path], transcriber)
        except InputError as error:
            failed += 1
            typer.echo(f"tocco: {path.name}: {error}", err=True)
    typer.echo(f"{output}: {len(recordings) - failed} transcribed, {failed} failed")
    return SOME_FAILED if failed else 0


def in_words(midi: Path, found: Transcription) -> str:
    """One line: how many notes and pedal presses, over which span, and by what.

    Parameters
    ----------
    midi : the file that was written
    found
    """
    performance = found.performance
    n_presses = _n_presses(performance.sustain)
    notes = f"{len(performance)} note{'' if len(performance) == 1 else 's'}"
    presses = f"{n_presses} pedal press{'' if n_presses == 1 else 'es'}"
    span = f"{clock(float(performance.onset_sec[0]))} to {clock(performance.duration_sec)}"
    return f"{midi}: {notes} and {presses} from {span}, {transcribed_by(found.transcriber)}"


def _transcribe_one(audio: Path, midi: Path, transcriber: Transcriber) -> None:
    assert_plain_file(audio)
    with progress_bar(f"transcribing {audio.name}", clock, at_once=False) as advance:
        _, found = hear(audio, transcriber, advance)
    save_midi(found.performance, midi, transcriber=found.transcriber)
    typer.echo(in_words(midi, found))


def _outputs(recordings: Sequence[Path], output: Path) -> dict[Path, Path]:
    """The MIDI of each recording."""
    if len(recordings) == 1 and output.suffix.lower() in _SUFFIXES and not output.is_dir():
        return {recordings[0]: output}
    if output.suffix.lower() in _SUFFIXES or (len(recordings) == 1 and not output.is_dir()):
        raise UsageError(
            "--output",
            f"is {str(output)!r}, and {len(recordings)} recordings are given"
            if len(recordings) > 1
            else f"is {str(output)!r}",
            allowed="a folder for several recordings; a .mid file, or a folder that exists, for one",
            next_step="name a folder" if len(recordings) > 1 else f"name it {output}.mid",
        )
    found: dict[Path, Path] = {}
    for path in recordings:
        midi = output / f"{file_name(path.stem)}.mid"
        other = next((p for p, m in found.items() if m.name.casefold() == midi.name.casefold()), None)
        if other is not None:
            raise UsageError(
                str(path), f"has the same name as {other}", next_step="rename one, or transcribe it alone"
            )
        found[path] = midi
    return found


def _assert_ours(midi: Path, audio: Path, transcriber: Transcriber) -> None:
    """Refuse to replace a file, except by the same transcription of the same recording."""
    if audio.is_file() and midi.is_file():
        cached = cached_transcription(sha256_of(audio), transcriber)
        if cached.is_file() and cached.read_bytes() == midi.read_bytes():
            return
    raise OutputError(midi, "exists", next_step="name another, or --overwrite")


def _n_presses(sustain: PedalCurve) -> int:
    """How often the sustain pedal goes down."""
    is_down = sustain.value >= PEDAL_DOWN
    return int(np.count_nonzero(is_down & ~np.concatenate([[False], is_down[:-1]])))

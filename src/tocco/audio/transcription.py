"""Audio to MIDI by a transcriber of the user's own: any program that reads a sound file and writes MIDI.

tocco contains no transcriber. The best of them need models and libraries of hundreds of megabytes and have a
command line of their own, such as `transkun {audio} {midi}` (Yan and Duan 2024).
"""

from __future__ import annotations

import hashlib
import shlex
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import soundfile

from tocco.cache import cached
from tocco.errors import InputError, MissingPartError, UsageError
from tocco.music.midi import load_midi
from tocco.music.performance import Performance
from tocco.units import SAMPLE_RATE_HZ, FloatArray

AUDIO_PLACE: Final = "{audio}"
MIDI_PLACE: Final = "{midi}"

_MOST_SAID = 300


@dataclass(frozen=True)
class CommandTranscriber:
    """A transcriber that is a command.

    Attributes
    ----------
    command : as in a shell, with "{audio}" and "{midi}" where the two files are to be named
        No shell runs it: words are split as one would, and nothing else of a shell is there.

    Raises
    ------
    InputError
        A place for one of the two files is missing, or a quotation mark stands alone.
    """

    command: str

    def __post_init__(self) -> None:
        for place in (AUDIO_PLACE, MIDI_PLACE):
            if place not in self.command:
                raise UsageError(
                    "--transcriber",
                    f"is {self.command!r}, which does not say where {place} goes",
                    allowed=f"a command with {AUDIO_PLACE} and {MIDI_PLACE}",
                )
        self._words({AUDIO_PLACE: "", MIDI_PLACE: ""})

    def transcribe(self, waveform: FloatArray, *, folder: Path | None = None) -> Performance:
        """The notes and pedals that the transcriber finds in a recording.

        Parameters
        ----------
        waveform : (S,) mono at 24 kHz, within -1..1
            Given as WAV of 16 bits, which every transcriber reads.
        folder
            Where the MIDI is cached, by the content of sound and command. Another release of the same program
            is not distinguished.

        Raises
        ------
        MissingPartError
            There is no such program.
        InputError
            It ends with an error, or leaves no MIDI that can be read.
        """
        if folder is None:
            with TemporaryDirectory(prefix="tocco-transcription-") as passing:
                return replace(load_midi(self._heard(waveform, Path(passing))), origin="transcribed")
        content = hashlib.sha256(self.command.encode() + np.ascontiguousarray(waveform).tobytes())

        def write(temporary: Path) -> None:
            with TemporaryDirectory(prefix="tocco-transcription-") as passing:
                heard = self._heard(waveform, Path(passing))
                load_midi(heard)  # what cannot be read is not cached
                temporary.write_bytes(heard.read_bytes())

        return cached(folder / f"{content.hexdigest()[:32]}.mid", _read, write).value

    def _heard(self, waveform: FloatArray, folder: Path) -> Path:
        audio, midi = folder / "heard.wav", folder / "heard.mid"
        soundfile.write(audio, waveform, SAMPLE_RATE_HZ, subtype="PCM_16")
        self._run(self._words({AUDIO_PLACE: str(audio), MIDI_PLACE: str(midi)}))
        if not midi.is_file():
            raise InputError("--transcriber", f"wrote no MIDI to the path given to {self.command!r}")
        return midi

    def _words(self, files: dict[str, str]) -> list[str]:
        try:
            words = shlex.split(self.command)
        except ValueError as error:
            raise UsageError(
                "--transcriber", f"is {self.command!r}, in which a quote is not closed"
            ) from error
        for place, name in files.items():
            words = [word.replace(place, name) for word in words]
        return words

    def _run(self, words: list[str]) -> None:
        try:
            done = subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
        except OSError as error:
            raise MissingPartError(
                f"transcriber {words[0]!r}",
                f"cannot be run ({error.strerror})",
                next_step="install it, or name the program with its path",
            ) from error
        if done.returncode != 0:
            said = " ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-1:])
            raise InputError(
                "--transcriber", f"{words[0]!r} ended with code {done.returncode}: {said[-_MOST_SAID:]}"
            )


def _read(path: Path) -> Performance | None:
    """A cached transcription, or None where it is damaged."""
    try:
        return replace(load_midi(path), origin="transcribed")
    except InputError:
        return None

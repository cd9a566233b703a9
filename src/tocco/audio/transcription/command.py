"""Audio to MIDI by a transcriber of the user's own: any program that reads a sound file and writes MIDI."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tocco.audio.transcription.transcriber import OnHeard, no_notes
from tocco.errors import InputError, MissingPartError, UsageError
from tocco.music.midi import NoNotesError, load_midi
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
        try:
            self.command.encode()  # it is written into results, and names what is kept
        except UnicodeEncodeError as error:
            raise UsageError("--transcriber", "holds bytes that are no text", allowed="UTF-8") from error

    @property
    def version(self) -> str:
        """The command: another release of the same program is not distinguished."""
        return self.command

    def transcribe(
        self,
        blocks: Iterable[FloatArray],
        source: str,
        *,
        on_heard: OnHeard | None = None,
        partial: Path | None = None,
    ) -> Performance:
        """The notes and pedals that the transcriber finds in a recording, as of `Transcriber.transcribe`.

        Parameters
        ----------
        blocks : (n,) mono at 24 kHz each, within -1..1
            Given as WAV of 16 bits, which every transcriber reads.
        source : name of the recording, for messages
        on_heard : called once, at the end
        partial : not used; the program starts again

        Raises
        ------
        MissingPartError
            There is no such program.
        InputError
            It ends with an error, hears no notes, or leaves no MIDI that can be read.
        """
        with TemporaryDirectory(prefix="tocco-transcription-") as folder:
            audio, midi = Path(folder) / "heard.wav", Path(folder) / "heard.mid"
            duration_sec = _write_wav(audio, blocks)
            self._run(self._words({AUDIO_PLACE: str(audio), MIDI_PLACE: str(midi)}))
            if not midi.is_file():
                raise InputError("--transcriber", f"wrote no MIDI to the path given to {self.command!r}")
            heard = self._read(midi, source)
        if float(heard.onset_sec[-1]) > duration_sec + 1.0:
            raise InputError(
                "--transcriber",
                f"{self.command!r} heard a note at {heard.onset_sec[-1]:.1f} s of a recording of "
                f"{duration_sec:.1f} s",
                next_step="check what it writes",
            )
        if on_heard is not None:
            on_heard(duration_sec)
        return replace(heard, origin="transcribed", source=source)

    def _read(self, midi: Path, source: str) -> Performance:
        try:
            return load_midi(midi)
        except NoNotesError as error:
            raise no_notes(source) from error
        except InputError as error:
            raise InputError(
                "--transcriber", f"{self.command!r} wrote a file that {error.problem}"
            ) from error

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
            reason = f": {said[-_MOST_SAID:]}" if said else ", and said nothing"
            raise InputError("--transcriber", f"{words[0]!r} ended with code {done.returncode}{reason}")


def _write_wav(path: Path, blocks: Iterable[FloatArray]) -> float:
    """Write blocks as one WAV of 16 bits; returns its seconds."""
    import soundfile

    with soundfile.SoundFile(path, "w", SAMPLE_RATE_HZ, 1, subtype="PCM_16") as file:
        for block in blocks:
            file.write(block)
        return file.frames / SAMPLE_RATE_HZ

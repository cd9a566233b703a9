"""Which transcriber is used: the built-in one, or a command of the user's own."""

from __future__ import annotations

from functools import cache

from tocco.audio.transcription.command import CommandTranscriber
from tocco.audio.transcription.transcriber import Transcriber


@cache
def transcriber_of(command: str | None) -> Transcriber:
    """A command as a transcriber; without one, the built-in transcriber, which is loaded once a process.

    Parameters
    ----------
    command : with "{audio}" and "{midi}", as of `CommandTranscriber`

    Raises
    ------
    UsageError
        The command does not say where the files go.
    MissingPartError
        The built-in transcriber is not installed.
    """
    if command is not None:
        return CommandTranscriber(command)
    from tocco.audio.transcription.transkun import Transkun

    return Transkun()

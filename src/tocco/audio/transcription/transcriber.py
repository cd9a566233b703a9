"""What every transcriber does: sound in, notes and pedals out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from tocco.cache import cached, content_key
from tocco.cache_folder import CACHE_VARIABLE
from tocco.errors import InputError, OutputError
from tocco.files import writable_folder
from tocco.music.midi import load_midi, save_midi
from tocco.music.performance import Performance
from tocco.units import SAMPLE_RATE_HZ, FloatArray

OnHeard = Callable[[float], None]
"""Called with the seconds of sound that are transcribed so far."""


class Transcriber(Protocol):
    """Finds the notes and pedals of a piano recording."""

    @property
    def version(self) -> str:
        """Name and version, such as "transkun 2.0.1"; another one may find other notes."""
        ...

    def transcribe(
        self,
        blocks: Iterable[FloatArray],
        source: str,
        *,
        on_heard: OnHeard | None = None,
        partial: Path | None = None,
    ) -> Performance:
        """The notes and pedals of a recording.

        Parameters
        ----------
        blocks : (n,) mono at 24 kHz each, full scale = 1, as of `stream_audio`
        source : name of the recording, for messages
        on_heard
        partial
            File in which what is done is kept, for a run that was interrupted to go on; a transcriber that
            cannot go on ignores it.

        Returns
        -------
        Performance
            With `origin="transcribed"`, on the clock of the blocks, and at least one note.

        Raises
        ------
        MissingPartError
            A program or a package that it needs is not installed.
        InputError
            It hears no notes, or ends with an error of its own.
        """
        ...


def no_notes(source: str) -> InputError:
    """The error for a recording in which a transcriber hears nothing."""
    return InputError(
        source,
        "has no piano notes that can be heard",
        next_step="give a recording of a piano, louder or closer",
    )


def cached_path(folder: Path, module: str, version: str, content: str) -> Path:
    """The cached file of a transcription, whether it is there yet or not.

    Parameters
    ----------
    folder
    module : that the transcriber is defined in; its code determines what is found
    version : of the transcriber
    content : a hash of the sound
    """
    return folder / f"{content_key(module, version, content)}.mid"


def transcribe_cached(
    transcriber: Transcriber,
    blocks: Iterable[FloatArray],
    source: str,
    *,
    folder: Path,
    content: str,
    cents: float = 0.0,
    on_heard: OnHeard | None = None,
) -> Performance:
    """The notes of a recording, which are cached in a folder as MIDI; an interrupted run goes on.

    Parameters
    ----------
    transcriber
    blocks, source
        As of `Transcriber.transcribe`; not read where the notes are cached.
    folder : made where there is none
    cents : by which the recording is tuned above A = 440 Hz; it is heard as if it were tuned to that
    content : a hash of the sound; with the version and the code of the transcriber it names the file
    on_heard

    Raises
    ------
    InputError, MissingPartError
        As of `Transcriber.transcribe`.
    OutputError
        The MIDI cannot be written.
    """
    try:
        writable_folder(folder)
    except OutputError as error:
        raise OutputError(
            folder, error.problem, next_step=f"name a folder for transcriptions with {CACHE_VARIABLE}"
        ) from error
    path = cached_path(folder, type(transcriber).__module__, transcriber.version, content)
    partial = path.with_suffix(".partial")

    def write(temporary: Path) -> None:
        heard = transcriber.transcribe(
            retuned(blocks, cents) if cents else blocks, source, on_heard=on_heard, partial=partial
        )
        if not len(heard):
            raise no_notes(source)
        heard = heard.shifted(0.0, stretch=faster(cents)) if cents else heard
        save_midi(heard, temporary, transcriber=transcriber.version)
        partial.unlink(missing_ok=True)

    return replace(cached(path, _read, write).value, source=source)


def faster(cents: float) -> float:
    """How much faster a recording has to run to be tuned to A = 440 Hz.

    >>> faster(0.0), round(faster(-50.0), 3)
    (1.0, 1.029)
    """
    return 2.0 ** (-cents / 1200.0)


def retuned(blocks: Iterable[FloatArray], cents: float) -> Iterator[FloatArray]:
    """The blocks of a recording, run faster or slower so that A is at 440 Hz.

    Parameters
    ----------
    blocks : (n,) mono at 24 kHz each
    cents : by which the recording is tuned too high
    """
    import soxr

    resampler = soxr.ResampleStream(SAMPLE_RATE_HZ * faster(cents), SAMPLE_RATE_HZ, 1, dtype="float32")
    for block in blocks:
        yield resampler.resample_chunk(np.asarray(block, np.float32))
    yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def _read(path: Path) -> Performance | None:
    """A cached transcription, or None where it is damaged."""
    try:
        return replace(load_midi(path), origin="transcribed")
    except InputError:
        return None

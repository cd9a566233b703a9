"""The notes of a recording that comes without MIDI: transcribed once, and cached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tocco.audio.description import AudioDescription
from tocco.audio.processing import describe_audio, stream_audio
from tocco.audio.transcription import Transcriber, cached_path, transcribe_cached, transcriber_of
from tocco.audio.transcription.command import AUDIO_PLACE
from tocco.cache_folder import cache_folder
from tocco.data.records import LabelRecord
from tocco.errors import InputError, MissingPartError, UsageError
from tocco.files import sha256_of, write_bytes
from tocco.music.performance import Performance

OnTranscribed = Callable[[float, float], None]
"""Called with the seconds of a recording that are transcribed, and with all of its seconds."""

_FOLDER: Final = "transcriptions"


@dataclass(frozen=True, eq=False)
class Transcription:
    """The notes of a recording, and the cached file that holds them.

    Attributes
    ----------
    performance : on the clock of the recording, `origin="transcribed"`
    midi : the cached file
    sha256 : of that file
    transcriber : name and version
    """

    performance: Performance
    midi: Path
    sha256: str
    transcriber: str


def cached_transcription(audio_sha256: str, transcriber: Transcriber) -> Path:
    """The cached file of a transcription, whether it is there yet or not.

    Parameters
    ----------
    audio_sha256 : of the recording's file
    transcriber
    """
    module = type(transcriber).__module__
    return cached_path(cache_folder() / _FOLDER, module, transcriber.version, audio_sha256)


def find_transcription(audio_sha256: str, version: str, sha256: str) -> Path | None:
    """The cached file of a transcription that was made before; None where it is gone, or is another by now.

    Parameters
    ----------
    audio_sha256 : of the recording's file
    version : of the transcriber
    sha256 : of the transcription
    """
    try:
        transcriber = transcriber_of(version if AUDIO_PLACE in version else None)
    except (MissingPartError, UsageError):
        return None
    path = cached_transcription(audio_sha256, transcriber)
    is_same = transcriber.version == version and path.is_file() and sha256_of(path) == sha256
    return path if is_same else None


def transcribe_recording(
    audio: Path,
    description: AudioDescription,
    transcriber: Transcriber,
    on_transcribed: OnTranscribed | None = None,
) -> Transcription:
    """The notes of a recording, from the cache where it was transcribed before.

    Parameters
    ----------
    audio
    description : of that file
    transcriber
    on_transcribed : not called where the transcription is cached

    Raises
    ------
    InputError
        The recording is silent or has no notes, or the transcriber ends with an error.
    MissingPartError
        Something that the transcriber needs is not installed.
    OutputError
        The transcription cannot be cached.
    """
    if "silent" in description.flags:
        raise InputError(audio, "is silent", next_step="check that the recording has sound")

    def on_heard(done_sec: float) -> None:
        if on_transcribed is not None:
            on_transcribed(min(done_sec, description.duration_sec), description.duration_sec)

    midi = cached_transcription(description.sha256, transcriber)
    performance = transcribe_cached(
        transcriber,
        stream_audio(audio),
        str(audio),
        folder=midi.parent,
        content=description.sha256,
        on_heard=on_heard,
    )
    return Transcription(performance, midi, sha256_of(midi), transcriber.version)


@dataclass(frozen=True)
class TranscriptionTask:
    """A label record whose notes are needed.

    Attributes
    ----------
    record
    folder : of the MIDI that is transcribed
    transcriber : command; None for the built-in transcriber
    """

    record: LabelRecord
    folder: Path
    transcriber: str | None = None


def transcribed_record(task: TranscriptionTask) -> LabelRecord | InputError:
    """The record with MIDI, or why its recording cannot be transcribed."""
    try:
        return with_transcription(task.record, transcriber_of(task.transcriber), task.folder)
    except InputError as error:
        return error


def with_transcription(record: LabelRecord, transcriber: Transcriber, folder: Path) -> LabelRecord:
    """A label record whose MIDI is transcribed from its recording, where it has none.

    Parameters
    ----------
    record : with audio
    transcriber
    folder : of the MIDI, which is named by the record

    Raises
    ------
    ToccoError
        As of `transcribe_recording`.
    """
    if record.midi_path is not None:
        return record
    if record.audio_path is None:
        raise InputError(record.segment_id, "has neither recording nor MIDI")
    found = transcribe_recording(record.audio_path, describe_audio(record.audio_path), transcriber)
    midi = (folder / f"{record.segment_id}.mid").absolute()
    content = found.midi.read_bytes()
    if not midi.is_file() or midi.read_bytes() != content:
        write_bytes(midi, content)
    return record.model_copy(update={"midi_path": midi, "origin": "transcribed"})

"""The notes of a recording that comes without MIDI: transcribed once, and cached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from tocco.audio.description import AudioDescription
from tocco.audio.processing import DescribedStream, stream_audio
from tocco.audio.quality import THRESHOLDS, MusicBounds, QualityGauge, RecordingQuality, quality_of
from tocco.audio.transcription import Transcriber, cached_path, transcribe_cached, transcriber_of
from tocco.audio.transcription.command import AUDIO_PLACE
from tocco.audio.transcription.transcriber import no_notes
from tocco.cache_folder import cache_folder
from tocco.data.records import LabelRecord
from tocco.errors import InputError, MissingPartError, UsageError
from tocco.files import sha256_of, write_bytes
from tocco.music.midi import save_midi
from tocco.music.performance import Performance

OnTranscribed = Callable[[float, float], None]
"""Called with the seconds of a recording that are transcribed, and with all of its seconds."""

_FOLDER: Final = "transcriptions"

AROUND_MUSIC_SEC: Final = 1.5
"""Notes so near to talk or applause that was cut off are kept: nine of ten starts are found that well."""


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
    if transcriber.version != version:
        return None
    known = (path, _moved_path(path, -1), _moved_path(path, 1))
    return next((one for one in known if one.is_file() and sha256_of(one) == sha256), None)


def examined(audio: Path, description: AudioDescription, gauge: QualityGauge) -> RecordingQuality:
    """What a recording is like, once it was read to its end; one that is none of a piano is refused.

    Parameters
    ----------
    audio
    description : of that file
    gauge : that heard all of it

    Raises
    ------
    InputError
        It is silent, or no piano.
    """
    if "silent" in description.flags:
        raise InputError(audio, "is silent", next_step="check that the recording has sound")
    quality = quality_of(gauge.measures(description))
    quality.check(audio)
    return quality


def hear(
    audio: Path, transcriber: Transcriber, on_transcribed: OnTranscribed | None = None
) -> tuple[AudioDescription, Transcription]:
    """Describe a recording, examine it, and transcribe the music in it."""
    stream, gauge = DescribedStream(audio), QualityGauge()
    for block in stream:
        gauge.add(block)
    quality = examined(audio, stream.description, gauge)
    return stream.description, transcribe_recording(
        audio, stream.description, quality, transcriber, on_transcribed
    )


def within(performance: Performance, music: MusicBounds) -> Performance:
    """The notes of the music, without those that a transcriber hears in talk or applause around it.

    Parameters
    ----------
    performance : transcribed
    music : where it lies; an end at which nothing was cut off cuts off no note
    """
    first = -np.inf if music.before is None else music.start_sec - AROUND_MUSIC_SEC
    last = np.inf if music.after is None else music.end_sec + AROUND_MUSIC_SEC
    return performance.only((performance.onset_sec >= first) & (performance.onset_sec <= last))


def moved(found: Transcription, semitones: int) -> Transcription:
    """The notes of an instrument that is tuned so many semitones too high, as they are written.

    Raises
    ------
    OutputError
        The MIDI cannot be cached.
    """
    performance = replace(found.performance, pitch=found.performance.pitch - semitones)
    midi = _moved_path(found.midi, semitones)
    save_midi(performance, midi, transcriber=found.transcriber)
    return Transcription(performance, midi, sha256_of(midi), found.transcriber)


def _moved_path(midi: Path, semitones: int) -> Path:
    return midi.with_name(f"{midi.stem}{semitones:+d}.mid")


def transcribe_recording(
    audio: Path,
    description: AudioDescription,
    quality: RecordingQuality,
    transcriber: Transcriber,
    on_transcribed: OnTranscribed | None = None,
) -> Transcription:
    """The notes of a recording, from the cache where it was transcribed before.

    Parameters
    ----------
    audio
    description : of that file
    quality : of that file; notes around the music are left out, and a tuning that is off is made good
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
        cents=off_pitch_cents(quality),
        on_heard=on_heard,
    )
    performance = performance if quality.music is None else within(performance, quality.music)
    if not len(performance):
        raise no_notes(str(audio))
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
    _, found = hear(record.audio_path, transcriber)
    midi = (folder / f"{record.segment_id}.mid").absolute()
    content = found.midi.read_bytes()
    if not midi.is_file() or midi.read_bytes() != content:
        write_bytes(midi, content)
    return record.model_copy(update={"midi_path": midi, "origin": "transcribed"})


def off_pitch_cents(quality: RecordingQuality) -> float:
    """Cents by which a recording is tuned above A = 440 Hz, where it is clearly off; else 0."""
    tuning = quality.measures.tuning
    return tuning.cents if tuning.is_clear and THRESHOLDS["off_pitch"].is_passed(abs(tuning.cents)) else 0.0

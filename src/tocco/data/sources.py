"""Reading of a performance: MIDI, audio and score, aligned with each other.

All modules that need them together use these functions.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tocco.audio.description import AudioDescription
from tocco.audio.level import LevelMeter
from tocco.audio.processing import DescribedStream
from tocco.audio.quality import QualityGauge, RecordingQuality
from tocco.audio.rendering import shared_renderer, write_flac
from tocco.audio.transcription import Transcriber, transcriber_of
from tocco.data.records import LabelRecord
from tocco.data.transcribing import (
    OnTranscribed,
    Transcription,
    examined,
    moved,
    transcribe_recording,
)
from tocco.errors import InputError, MismatchError, TransposedError
from tocco.files import assert_plain_file, sha256_of
from tocco.music.alignment import Alignment, align_performance_to_score
from tocco.music.midi import load_midi
from tocco.music.performance import Origin, Performance
from tocco.music.score import Score, score_readings
from tocco.music.score_finding import FoundScore, ScoreFolder
from tocco.music.synchrony import Synchrony, align_midi_to_audio
from tocco.units import FloatArray

SHORTEST_SEC = 3.0
"""Minimum duration of a rated performance; the shortest excerpt of the training data lasts 4.5 s."""


@dataclass(frozen=True)
class Source:
    """One input file, or a derived one.

    Attributes
    ----------
    path : None for a derived one
    sha256 : of the given file; None for a derived one
    """

    path: Path | None
    sha256: str | None

    @property
    def given(self) -> bool:
        """Whether it was given by the user; otherwise it was derived."""
        return self.path is not None


@dataclass(frozen=True, eq=False)
class Sources:
    """A performance, ready to be cut into windows.

    Attributes
    ----------
    sound : the audio file, given or rendered
    description : of `sound`
    gain_db : dB that normalise the peak of `sound`
    level_db : dBFS RMS of `sound`, unchanged
    performance : with times of `sound`
    synchrony : None where sound or notes were derived from the other
    alignment : None without a score
    audio, midi, score : origin of each; score is None where there is none
    transcription : of a recording that came without MIDI; else None
    search : what the search for a score came to; None where none was sought
    quality : of a recording that came without MIDI; else None
    """

    sound: Path
    description: AudioDescription
    gain_db: float
    level_db: float
    performance: Performance
    synchrony: Synchrony | None
    alignment: Alignment | None
    audio: Source
    midi: Source
    score: Source | None
    transcription: Transcription | None = None
    search: FoundScore | None = None
    quality: RecordingQuality | None = None


@dataclass(frozen=True, eq=False)
class AlignedPerformance:
    """A performance and, where there is a score of the same music, the alignment with it.

    Attributes
    ----------
    performance
    alignment : None without a score, and where the score is of other music
    score_refusal : why the score is of other music; "" where it is not, or there is none
    """

    performance: Performance
    alignment: Alignment | None
    score_refusal: str = ""


def with_origin(performance: Performance, origin: Origin) -> Performance:
    """The performance with the origin that its file or its user says: transcribed, where either does."""
    return replace(performance, origin=origin) if origin == "transcribed" else performance


def read_performance(
    midi: Path, score: Path | None = None, *, origin: Origin = "keys", refuse_other_score: bool = True
) -> AlignedPerformance:
    """Read a performance MIDI and align it with its score.

    Parameters
    ----------
    midi
    score : None to leave the performance unaligned
    origin : of the notes
    refuse_other_score
        Whether a score of other music is an error; otherwise there is no alignment, with the reason.

    Raises
    ------
    InputError
        A file cannot be used.
    MismatchError
        The score is of other music.
    """
    performance = with_origin(load_midi(midi), origin)
    if score is None:
        return AlignedPerformance(performance, None)
    try:
        alignment = align_performance_to_score(performance, score_readings(score))
    except MismatchError as error:
        if refuse_other_score:
            raise
        return AlignedPerformance(performance, None, str(error))
    return AlignedPerformance(performance, alignment)


def read_record(record: LabelRecord, *, refuse_other_score: bool = True) -> AlignedPerformance:
    """Read the performance of a label record, and align it with its score if it has one.

    Parameters
    ----------
    record
    refuse_other_score : as of `read_performance`

    Raises
    ------
    InputError
        The record has no MIDI, or a file cannot be used.
    MismatchError
        The score is of other music.
    """
    if record.midi_path is None:
        raise InputError(
            record.segment_id, "has no midi_path", next_step="give its MIDI, or leave the record out"
        )
    return read_performance(
        record.midi_path, record.score_path, origin=record.origin, refuse_other_score=refuse_other_score
    )


@contextmanager
def open_sources(
    audio: Path | None,
    midi: Path | None,
    score: Path | None,
    *,
    origin: Origin = "keys",
    transcriber: Transcriber | None = None,
    on_transcribed: OnTranscribed | None = None,
    scores: ScoreFolder | None = None,
) -> Iterator[Sources]:
    """Read all given files and align them in time.

    A recording alone is transcribed. MIDI alone is rendered, to a file that lasts to the end of the block.

    Parameters
    ----------
    audio, midi, score
    origin : of the notes in the MIDI
    transcriber : of a recording alone; None for the built-in one
    on_transcribed : progress of the transcription
    scores
        Where no score is given: those among which it is sought. Where none fits, there is no alignment.

    Raises
    ------
    InputError
        A file cannot be used, or there is neither recording nor MIDI.
    MismatchError
        The MIDI is not of the recording, or the score is not of the MIDI.
    MissingPartError
        This machine cannot render MIDI that was given alone, or transcribe a recording that was.
    """
    for path in (audio, midi, score):
        if path is not None:
            assert_plain_file(path)
    performance = None if midi is None else with_origin(load_midi(midi), origin)
    readings = None if score is None else score_readings(score)
    with tempfile.TemporaryDirectory(prefix="tocco-") as folder:
        if audio is None:
            played = _rendered(performance, midi, Path(folder))
        elif performance is None:
            played = _transcribed(audio, transcriber or transcriber_of(None), on_transcribed)
        else:
            played = _synchronised(audio, performance)
        played, alignment = _aligned(played, readings)
        sound, performance = played.sound, played.performance
        search = None
        if score is None and scores is not None:
            search, alignment = _search(scores, performance)
            score = search.path
        yield Sources(
            sound=sound.path,
            description=sound.description,
            gain_db=sound.gain_db,
            level_db=sound.level_db,
            performance=performance,
            synchrony=played.synchrony,
            alignment=alignment,
            audio=Source(audio, None if audio is None else sound.description.sha256),
            midi=Source(midi, None if midi is None else sha256_of(midi)),
            score=None if score is None else Source(score, sha256_of(score)),
            transcription=played.transcription,
            search=search,
            quality=played.quality,
        )


def _search(scores: ScoreFolder, performance: Performance) -> tuple[FoundScore, Alignment | None]:
    """The score that is played, and the alignment with it; none where the whole does not follow it."""
    found = scores.search(performance)
    if found.path is None:
        return found, None
    try:
        return found, align_performance_to_score(performance, score_readings(found.path))
    except MismatchError:
        return found.without_score(f"only parts of the performance follow {found.path.name}"), None


@dataclass(frozen=True)
class _Sound:
    """A sound that was read to its end: the file, and attributes as of `Sources`."""

    path: Path
    description: AudioDescription
    gain_db: float
    level_db: float


@dataclass(frozen=True, eq=False)
class _Played:
    """Notes on the clock of their sound; attributes as of `Sources`."""

    sound: _Sound
    performance: Performance
    synchrony: Synchrony | None = None
    transcription: Transcription | None = None
    quality: RecordingQuality | None = None


def _described(
    path: Path, named: Path, listen: Callable[[Iterator[FloatArray]], object] = lambda blocks: None
) -> _Sound:
    """Describe a sound in one pass, and refuse one that cannot be rated.

    Parameters
    ----------
    path
    named : the file to name in a message
    listen : hears the blocks of the same pass; those that it leaves are read after it
    """
    stream, meter = DescribedStream(path), LevelMeter()
    blocks = meter.watch(stream)
    listen(blocks)
    for _ in blocks:
        pass
    description = stream.description
    _assert_long_enough(named, description)
    return _Sound(path, description, meter.gain_db(), meter.rms_dbfs)


def _rendered(performance: Performance | None, midi: Path | None, folder: Path) -> _Played:
    """MIDI alone: its sound is rendered."""
    if performance is None or midi is None:
        raise InputError(
            "input",
            "is neither a recording nor MIDI",
            next_step="give a recording, performance MIDI, or both",
        )
    path = folder / "rendered.flac"
    write_flac(path, shared_renderer().render(performance))
    return _Played(_described(path, midi), performance)


def _synchronised(audio: Path, performance: Performance) -> _Played:
    """A recording and its MIDI: the MIDI is put on the clock of the recording."""
    found: list[Synchrony] = []

    def listen(blocks: Iterator[FloatArray]) -> None:
        found.append(align_midi_to_audio(performance, blocks, audio_source=str(audio)))

    sound = _described(audio, audio, listen)
    return _Played(sound, found[0].apply(performance), synchrony=found[0])


def _transcribed(
    audio: Path, transcriber: Transcriber, on_transcribed: OnTranscribed | None = None
) -> _Played:
    """A recording alone: examined first, since transcription takes far longer than to refuse one."""
    gauge = QualityGauge()

    def listen(blocks: Iterator[FloatArray]) -> None:
        for block in blocks:
            gauge.add(block)

    sound = _described(audio, audio, listen)
    quality = examined(audio, sound.description, gauge)
    found = transcribe_recording(audio, sound.description, quality, transcriber, on_transcribed)
    return _Played(sound, found.performance, transcription=found, quality=quality)


def _aligned(played: _Played, readings: tuple[Score, ...] | None) -> tuple[_Played, Alignment | None]:
    """The alignment with a score; a piano that is tuned a semitone off is moved to the key of the score."""
    if readings is None:
        return played, None
    try:
        return played, align_performance_to_score(played.performance, readings)
    except TransposedError as error:
        if played.transcription is None or played.quality is None or abs(error.semitones) != 1:
            raise
        found = moved(played.transcription, error.semitones)
        quality = played.quality.tuned_off(error.semitones)
        played = replace(played, performance=found.performance, transcription=found, quality=quality)
        return played, align_performance_to_score(found.performance, readings)


def _assert_long_enough(path: Path, description: AudioDescription) -> None:
    if description.duration_sec < SHORTEST_SEC:
        raise InputError(
            path,
            f"lasts {description.duration_sec:.1f} s",
            allowed=f"{SHORTEST_SEC:.0f} s to 3 h",
            next_step="give a longer excerpt",
        )

"""Reading of a performance: MIDI, audio and score, aligned with each other.

All modules that need them together use these functions.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tocco.audio.description import AudioDescription
from tocco.audio.level import LevelMeter
from tocco.audio.processing import DescribedStream
from tocco.audio.rendering import shared_renderer, write_flac
from tocco.data.records import LabelRecord
from tocco.errors import InputError, MismatchError
from tocco.files import assert_plain_file, sha256_of
from tocco.music.alignment import Alignment, align_performance_to_score
from tocco.music.midi import load_midi
from tocco.music.performance import Origin, Performance
from tocco.music.score import score_readings
from tocco.music.synchrony import Synchrony, align_midi_to_audio

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
    synchrony : None where the sound was rendered from the MIDI itself
    alignment : None without a score
    audio, midi, score : origin of each; score is None where there is none
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
    performance = replace(load_midi(midi), origin=origin)
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
    audio: Path | None, midi: Path | None, score: Path | None, *, origin: Origin = "keys"
) -> Iterator[Sources]:
    """Read all given files and align them in time.

    A rendering is in a temporary folder until the end of the block.

    Parameters
    ----------
    audio, midi, score
    origin : of the notes in the MIDI

    Raises
    ------
    InputError
        A file cannot be used, or only audio was given.
    MismatchError
        The MIDI is not of the recording, or the score is not of the MIDI.
    MissingPartError
        MIDI alone was given and this machine cannot render it.
    """
    if midi is None:
        raise InputError(
            audio or "input",
            "has no MIDI, and transcription of audio comes with a later version",
            next_step="give the performance MIDI with --midi",
        )
    for path in (audio, midi, score):
        if path is not None:
            assert_plain_file(path)
    performance = replace(load_midi(midi), origin=origin)
    readings = None if score is None else score_readings(score)
    with tempfile.TemporaryDirectory(prefix="tocco-") as folder:
        synchrony = None
        meter = LevelMeter()
        if audio is None:
            sound = Path(folder) / "rendered.flac"
            write_flac(sound, shared_renderer().render(performance))
            stream = DescribedStream(sound)
            for _ in meter.watch(stream):
                pass
        else:
            sound = audio
            stream = DescribedStream(audio)
            synchrony = align_midi_to_audio(performance, meter.watch(stream), audio_source=str(audio))
            performance = synchrony.apply(performance)
        description = stream.description
        _assert_long_enough(audio or midi, description)
        alignment = None if readings is None else align_performance_to_score(performance, readings)
        yield Sources(
            sound=sound,
            description=description,
            gain_db=meter.gain_db(),
            level_db=meter.rms_dbfs,
            performance=performance,
            synchrony=synchrony,
            alignment=alignment,
            audio=Source(audio, None if audio is None else description.sha256),
            midi=Source(midi, sha256_of(midi)),
            score=None if score is None else Source(score, sha256_of(score)),
        )


def _assert_long_enough(path: Path, description: AudioDescription) -> None:
    if description.duration_sec < SHORTEST_SEC:
        raise InputError(
            path,
            f"lasts {description.duration_sec:.1f} s",
            allowed=f"{SHORTEST_SEC:.0f} s to 3 h",
            next_step="give a longer excerpt",
        )

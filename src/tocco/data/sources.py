"""What was given, what had to be derived, and all of it on one clock."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tocco.audio.description import AudioDescription, describe_audio
from tocco.audio.level import LevelMeter
from tocco.audio.processing import stream_audio
from tocco.audio.rendering import FluidSynthRenderer, write_flac
from tocco.errors import InputError
from tocco.files import assert_plain_file, sha256_of
from tocco.music.alignment import Alignment, align_performance_to_score
from tocco.music.midi import load_midi
from tocco.music.performance import Performance
from tocco.music.score import score_readings
from tocco.music.synchrony import Synchrony, align_midi_to_audio

SHORTEST_SEC = 3.0
"""The shortest performance that is rated; the shortest excerpt that the model knows lasts 4.5 s."""


@dataclass(frozen=True)
class Source:
    """One input file, or what was made in its place.

    Attributes
    ----------
    path : None for a derived one
    sha256 : of the given file; None for a derived one
    """

    path: Path | None
    sha256: str | None

    @property
    def given(self) -> bool:
        """Whether the user gave it; else it was derived."""
        return self.path is not None


@dataclass(frozen=True, eq=False)
class Sources:
    """A performance that is ready to be cut into windows.

    Attributes
    ----------
    sound : the file that is listened to, given or rendered
    description : of `sound`
    gain_db : dB that bring the peak of `sound` to where the model expects it
    level_db : dBFS RMS of `sound` as it is
    performance : on the clock of `sound`
    synchrony : None where the sound was rendered from the MIDI itself
    alignment : None without a score
    audio, midi, score : where each came from; score is None where there is none
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


@contextmanager
def open_sources(audio: Path | None, midi: Path | None, score: Path | None) -> Iterator[Sources]:
    """Read everything that was given and bring it onto one clock.

    A rendering lives in a temporary folder for as long as the block runs.

    Raises
    ------
    InputError
        A file cannot be used, or only audio was given.
    MismatchError
        The MIDI is not that of the recording, or the score is not that of the MIDI.
    MissingPartError
        MIDI alone was given and this machine cannot render it.
    """
    if midi is None:
        raise InputError(
            audio or "input",
            "comes without MIDI, and transcribing audio comes with a later version",
            next_step="give the performance MIDI with --midi",
        )
    for path in (audio, midi, score):
        if path is not None:
            assert_plain_file(path)
    performance = load_midi(midi)
    readings = None if score is None else score_readings(score)
    with tempfile.TemporaryDirectory(prefix="tocco-") as folder:
        synchrony = None
        meter = LevelMeter()
        if audio is None:
            sound = Path(folder) / "rendered.flac"
            with FluidSynthRenderer() as renderer:
                write_flac(sound, renderer.render(performance))
            description = describe_audio(sound)
            for _ in meter.watch(stream_audio(sound)):
                pass
        else:
            sound = audio
            description = describe_audio(audio)
            synchrony = align_midi_to_audio(
                performance, meter.watch(stream_audio(audio)), audio_source=str(audio)
            )
            performance = synchrony.apply(performance)
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

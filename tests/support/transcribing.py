"""Transcribers that know beforehand what is played, and a short recording with its MIDI."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import soundfile

from corpus import performance, sound
from tocco.audio.transcription import OnHeard
from tocco.music.midi import load_midi, save_midi
from tocco.music.performance import Performance
from tocco.units import SAMPLE_RATE_HZ, FloatArray

N_NOTES = 32
DURATION_SEC = 9.25
"""Of the notes and the recording of `write_take`."""

_COPIES = "import shutil, sys\nshutil.copy(sys.argv[1], sys.argv[3])\n"


@dataclass
class KnownTranscriber:
    """Says of every recording what is in one MIDI; `heard` has the names of those that it was given."""

    midi: Path
    version: str = "known 1"
    heard: list[str] = field(default_factory=list)

    def transcribe(
        self,
        blocks: Iterable[FloatArray],
        source: str,
        *,
        on_heard: OnHeard | None = None,
        partial: Path | None = None,
    ) -> Performance:
        self.heard.append(source)
        n_samples = 0
        for block in blocks:
            n_samples += len(block)
            if on_heard is not None:
                on_heard(n_samples / SAMPLE_RATE_HZ)
        return replace(load_midi(self.midi), origin="transcribed", source=source)


def write_take(folder: Path, name: str = "take", *, velocity: float = 75.0) -> tuple[Path, Path]:
    """A recording of thirty-two notes, and the MIDI of its keys in a folder below."""
    played = performance(np.random.default_rng(99), velocity=velocity, jitter_sec=0.0, key=2)
    (folder / "keys").mkdir(parents=True, exist_ok=True)
    save_midi(played, folder / "keys" / f"{name}.mid")
    soundfile.write(folder / f"{name}.flac", 0.5 * sound(played), SAMPLE_RATE_HZ)
    return folder / f"{name}.flac", folder / "keys" / f"{name}.mid"


def write_score(folder: Path) -> Path:
    """The score of that take."""
    written = performance(np.random.default_rng(0), velocity=64.0, jitter_sec=0.0, key=2).shifted(-0.5)
    save_midi(written, folder / "piece_score.mid")
    return folder / "piece_score.mid"


def copying_command(folder: Path, midi: Path) -> str:
    """A command that writes a copy of one MIDI, whatever the sound."""
    return command_of(folder, _COPIES, f"{shlex.quote(str(midi))} {{audio}} {{midi}}")


def command_of(folder: Path, program: str, arguments: str = "{audio} {midi}") -> str:
    """A command that runs a program of Python."""
    path = folder / f"toy{len(program)}.py"
    path.write_text(program)
    return f"{shlex.quote(sys.executable)} {shlex.quote(str(path))} {arguments}"

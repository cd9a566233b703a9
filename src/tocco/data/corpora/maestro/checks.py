"""Verification of the MAESTRO files: checksums, duration, notes, and synchrony of audio and MIDI."""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tocco.audio.processing import stream_audio
from tocco.data.corpora.corpus import CHECKSUMS
from tocco.data.corpora.maestro.fetching import METADATA
from tocco.data.corpora.maestro.index import METADATA_COLUMNS
from tocco.engines import LocalEngine
from tocco.errors import InputError, ToccoError
from tocco.files import sha256_of
from tocco.music.midi import load_midi
from tocco.music.synchrony import align_midi_to_audio

MAX_MIDI_DIFFERENCE_SEC: Final = 0.2
"""The index states the last key release: within 0.08 s on 120 files of the corpus."""

AUDIO_LACKS_SEC: Final = 0.5
AUDIO_EXCEEDS_SEC: Final = 15.0
"""Audio continues after the last key release: up to 4 s of pedal, and the reverberation of the hall."""

MAX_OFFSET_SEC: Final = 0.1
"""The publisher states about 3 ms between audio and MIDI; a larger offset is of another recording."""


@dataclass(frozen=True)
class ExpectedFiles:
    """Files of one recording as listed in `metadata.csv` and the checksums."""

    audio_path: str
    midi_path: str
    duration_sec: float
    audio_sha256: str
    midi_sha256: str


@dataclass(frozen=True)
class Finding:
    """Result of the verification of one recording.

    Attributes
    ----------
    audio_path : in the folder of the corpus
    is_valid
    text : the measurements, or the problem
    """

    audio_path: str
    is_valid: bool
    text: str


def read_expected(folder: Path) -> tuple[ExpectedFiles, ...]:
    """Read the list of recordings of a folder.

    Raises
    ------
    InputError
        Its tables are missing or damaged.
    """
    metadata, sums = folder / METADATA, folder / CHECKSUMS
    try:
        with metadata.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream, strict=True))
        lines = sums.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(
            error.filename, f"cannot be read ({error.strerror})", next_step="fetch the corpus first"
        ) from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(metadata, f"is not valid CSV ({error})", next_step="run the fetch again") from error
    sha256 = {path: digest for digest, _, path in (line.partition("  ") for line in lines)}
    try:
        return tuple(
            ExpectedFiles(
                row["audio_path"],
                row["midi_path"],
                float(row["duration"]),
                sha256[row["audio_path"]],
                sha256[row["midi_path"]],
            )
            for row in rows
        )
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(
            metadata,
            f"does not match {CHECKSUMS} ({error})",
            allowed=f"the columns {', '.join(METADATA_COLUMNS)}",
            next_step="run the fetch again, which writes both",
        ) from error


def check_recordings(recordings: Sequence[ExpectedFiles], folder: Path, jobs: int) -> Iterator[Finding]:
    """Verify recordings, in parallel if `jobs` > 1; findings are in the given order."""
    yield from LocalEngine(jobs).map(functools.partial(check_recording, folder=folder), recordings)


def check_recording(expected: ExpectedFiles, folder: Path) -> Finding:
    """Verify the checksums, the duration against the index, and the synchrony of MIDI and audio."""
    try:
        return Finding(expected.audio_path, True, _measured(expected, folder))
    except ToccoError as error:
        return Finding(expected.audio_path, False, str(error))


def _measured(expected: ExpectedFiles, folder: Path) -> str:
    audio, midi = folder / expected.audio_path, folder / expected.midi_path
    for path, expected_sha256 in ((audio, expected.audio_sha256), (midi, expected.midi_sha256)):
        if sha256_of(path) != expected_sha256:
            raise _invalid(path, f"has another SHA-256 than {CHECKSUMS} states")
    performance = load_midi(midi)
    last_sec, stated_sec = float(performance.offset_sec.max(initial=0.0)), expected.duration_sec
    if abs(last_sec - stated_sec) > MAX_MIDI_DIFFERENCE_SEC:
        raise _invalid(midi, f"ends at {last_sec:.2f} s, and the index states {stated_sec:.2f} s")
    line = align_midi_to_audio(performance, stream_audio(audio), audio_source=str(audio))
    if not -AUDIO_LACKS_SEC <= line.audio_duration_sec - stated_sec <= AUDIO_EXCEEDS_SEC:
        raise _invalid(
            audio, f"lasts {line.audio_duration_sec:.2f} s, and the index states {stated_sec:.2f} s"
        )
    ends_sec = (line.offset_sec, line.offset_sec + line.drift * stated_sec)
    furthest_sec = max(ends_sec, key=abs)
    if abs(furthest_sec) > MAX_OFFSET_SEC:
        raise _invalid(midi, f"has an offset of {furthest_sec:+.3f} s from its recording")
    return (
        f"{line.audio_duration_sec:.1f} s, {len(performance)} notes, MIDI {1000 * furthest_sec:+.0f} ms off, "
        f"residual {1000 * line.residual_sec:.1f} ms, score {line.score:.2f}"
    )


def _invalid(path: Path, problem: str) -> InputError:
    return InputError(path, problem, next_step="remove it and run the fetch again")

"""Whether the files of MAESTRO here are what they should be: bytes, sound, notes, and their agreement."""

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
"""The index states when the last key is released: within 0.08 s on 120 files of the corpus."""

AUDIO_LACKS_SEC: Final = 0.5
AUDIO_EXCEEDS_SEC: Final = 15.0
"""The sound goes on after the last key: the pedal is held for up to 4 s, and then the hall rings."""

MAX_OFFSET_SEC: Final = 0.1
"""The publisher states about 3 ms between audio and MIDI; what is further off is another recording."""


@dataclass(frozen=True)
class Promise:
    """What `metadata.csv` and the checksums say of one recording."""

    audio_path: str
    midi_path: str
    duration_sec: float
    audio_sha256: str
    midi_sha256: str


@dataclass(frozen=True)
class Finding:
    """What was found of one recording.

    Attributes
    ----------
    audio_path : in the corpus' folder
    is_sound
    text : the figures, or what is wrong
    """

    audio_path: str
    is_sound: bool
    text: str


def read_promises(folder: Path) -> tuple[Promise, ...]:
    """What the folder says of its recordings.

    Raises
    ------
    InputError
        Its tables are missing or not as they were written.
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
            Promise(
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
            f"does not fit {CHECKSUMS} ({error})",
            allowed=f"the columns {', '.join(METADATA_COLUMNS)}",
            next_step="run the fetch again, which writes both",
        ) from error


def check_recordings(promises: Sequence[Promise], folder: Path, jobs: int) -> Iterator[Finding]:
    """Check recordings one after the other or several at once; findings come in the given order."""
    yield from LocalEngine(jobs).map(functools.partial(check_recording, folder=folder), promises)


def check_recording(promise: Promise, folder: Path) -> Finding:
    """Bytes against the checksums, length against the index, and MIDI against sound over all its length."""
    try:
        return Finding(promise.audio_path, True, _measured(promise, folder))
    except ToccoError as error:
        return Finding(promise.audio_path, False, str(error))


def _measured(promise: Promise, folder: Path) -> str:
    audio, midi = folder / promise.audio_path, folder / promise.midi_path
    for path, promised in ((audio, promise.audio_sha256), (midi, promise.midi_sha256)):
        if sha256_of(path) != promised:
            raise _wrong(path, f"has another SHA-256 than {CHECKSUMS} states")
    performance = load_midi(midi)
    last_sec, stated_sec = float(performance.offset_sec.max(initial=0.0)), promise.duration_sec
    if abs(last_sec - stated_sec) > MAX_MIDI_DIFFERENCE_SEC:
        raise _wrong(midi, f"ends at {last_sec:.2f} s, and the index states {stated_sec:.2f} s")
    line = align_midi_to_audio(performance, stream_audio(audio), audio_source=str(audio))
    if not -AUDIO_LACKS_SEC <= line.audio_duration_sec - stated_sec <= AUDIO_EXCEEDS_SEC:
        raise _wrong(audio, f"lasts {line.audio_duration_sec:.2f} s, and the index states {stated_sec:.2f} s")
    ends_sec = (line.offset_sec, line.offset_sec + line.drift * stated_sec)
    furthest_sec = max(ends_sec, key=abs)
    if abs(furthest_sec) > MAX_OFFSET_SEC:
        raise _wrong(midi, f"lies {furthest_sec:+.3f} s off its recording")
    return (
        f"{line.audio_duration_sec:.1f} s, {len(performance)} notes, MIDI {1000 * furthest_sec:+.0f} ms off, "
        f"residual {1000 * line.residual_sec:.1f} ms, score {line.score:.2f}"
    )


def _wrong(path: Path, problem: str) -> InputError:
    return InputError(path, problem, next_step="remove it and run the fetch again")

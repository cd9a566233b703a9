"""Sound out of a file, block by block, at its own rate and with its own channels.

libsndfile reads the formats that it supports well; libav (through PyAV) reads what phones and browsers
record, and decodes the frames of an MP3. All are driven through one interface, and what they raise becomes
an error of one line.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np

from tocco.audio.containers import READABLE, Container, Reader, check_complete, identify_container
from tocco.audio.iff_chunks import SHORTEST_SEC, mended_wav
from tocco.audio.mp3 import open_mp3
from tocco.errors import InputError
from tocco.units import FloatArray

if TYPE_CHECKING:
    import av
    import soundfile
    from av.container import InputContainer

PROMISE_TOLERANCE_SEC: Final = SHORTEST_SEC
"""Codecs pad by some milliseconds; a recording that lacks more than this is cut off."""

_BLOCK_VALUES: Final = 1 << 19
_UNKNOWN_HEADER: Final = "its header is damaged, or of a variety that is not read"
_AGAIN: Final = "copy or export the recording again"


@dataclass(frozen=True)
class AudioLimits:
    """What is accepted as a recording.

    Attributes
    ----------
    min_sec, max_sec
        Length of the decoded sound. Silence compresses four thousand times, so the upper limit is
        enforced while decoding, whatever the header says.
    min_rate_hz, max_rate_hz
        Native sample rate.
    max_amplitude
        Full scale = 1. Floats may pass it, but integers that were written as floats have no level.
    """

    min_sec: float = 0.5
    max_sec: float = 3 * 3600.0
    min_rate_hz: int = 8_000
    max_rate_hz: int = 384_000
    max_amplitude: float = 100.0


AUDIO_LIMITS: Final = AudioLimits()


@dataclass(frozen=True)
class SoundHeader:
    """What a file says about its own sound.

    Attributes
    ----------
    kind : "WAV", "MP3", "M4A", ...
    codec : "PCM_16", "aac", ...
    sample_rate_hz, n_channels
    promised_sec : seconds that the header states; None where it states none
    """

    kind: str
    codec: str
    sample_rate_hz: int
    n_channels: int
    promised_sec: float | None


@dataclass(frozen=True)
class Sound:
    """An open recording.

    Attributes
    ----------
    header
    blocks : (n, C) float32 each, full scale = 1, to be read once
    """

    header: SoundHeader
    blocks: Iterator[FloatArray]


@contextmanager
def open_sound(path: Path, limits: AudioLimits = AUDIO_LIMITS) -> Iterator[Sound]:
    """Open a recording for one pass.

    The blocks are checked as they pass: every value finite, no longer than `max_sec`, and at the end
    no shorter than `min_sec` and than the header promised.

    Raises
    ------
    InputError
        On opening or while reading: whatever is wrong with the file, named.
    """
    container = identify_container(path)
    check_complete(path, container)
    with path.open("rb") as file, _OPENERS[container.reader](file, path, container) as sound:
        header = sound.header
        if not limits.min_rate_hz <= header.sample_rate_hz <= limits.max_rate_hz:
            raise InputError(
                path,
                f"has a sample rate of {header.sample_rate_hz} Hz",
                allowed=f"{limits.min_rate_hz} to {limits.max_rate_hz} Hz",
            )
        if header.promised_sec is not None and header.promised_sec > limits.max_sec:
            raise _too_long(path, header.promised_sec, limits)
        yield Sound(header, _checked(sound, path, limits))


def _checked(sound: Sound, path: Path, limits: AudioLimits) -> Iterator[FloatArray]:
    """The blocks of a sound, refused as soon as one of them may not pass."""
    rate_hz, promised_sec = sound.header.sample_rate_hz, sound.header.promised_sec
    n_read = 0
    for block in sound.blocks:
        if not np.isfinite(block).all():
            bad = n_read + int(np.argmin(np.isfinite(block).all(axis=1)))
            raise InputError(
                path, f"holds NaN or infinite samples (first at {bad / rate_hz:.3f} s)", next_step=_AGAIN
            )
        peak = float(np.abs(block).max(initial=0.0))
        if peak > limits.max_amplitude:
            raise InputError(
                path,
                f"holds samples as large as {peak:.3g}, where full scale is 1",
                allowed=f"up to {limits.max_amplitude:g}",
                next_step="export it again, as 16- or 24-bit WAV or FLAC",
            )
        n_read += len(block)
        if n_read > limits.max_sec * rate_hz:
            raise _too_long(path, n_read / rate_hz, limits)
        yield block
    duration_sec = n_read / rate_hz
    if promised_sec is not None and duration_sec < promised_sec - PROMISE_TOLERANCE_SEC:
        raise InputError(
            path,
            f"is cut off: its header promises {promised_sec:.2f} s, {duration_sec:.2f} s can be decoded",
            next_step=_AGAIN,
        )
    if n_read == 0:
        raise InputError(path, "is empty (0 samples)", next_step=_AGAIN)
    if duration_sec < limits.min_sec:
        raise InputError(path, f"is too short ({duration_sec:.3f} s)", allowed=_allowed_length(limits))


def _too_long(path: Path, duration_sec: float, limits: AudioLimits) -> InputError:
    return InputError(
        path,
        f"is too long ({duration_sec:,.0f} s or more)",
        allowed=_allowed_length(limits),
        next_step="cut it into shorter recordings",
    )


def _allowed_length(limits: AudioLimits) -> str:
    return f"{limits.min_sec:g} to {limits.max_sec:g} s"


def _damaged(path: Path, kind: str, at_sec: float) -> InputError:
    return InputError(
        path,
        f"is damaged or cut off: its {kind} sound cannot be decoded from {at_sec:.2f} s on",
        next_step=_AGAIN,
    )


@contextmanager
def _open_libsndfile(file: BinaryIO, path: Path, container: Container) -> Iterator[Sound]:
    import soundfile

    try:
        mended = mended_wav(file, path) if container.kind == "WAV" else None
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        # by descriptor, which has no name: soundfile would take a name ending in .raw at its word
        sound_file = soundfile.SoundFile(mended or file.fileno(), closefd=False)
    except soundfile.LibsndfileError as error:
        raise _unreadable(path, container.kind, _UNKNOWN_HEADER) from error
    with sound_file:
        known = 0 < sound_file.frames < np.iinfo(np.int64).max
        header = SoundHeader(
            kind=container.kind,
            codec=sound_file.subtype,
            sample_rate_hz=sound_file.samplerate,
            n_channels=sound_file.channels,
            promised_sec=sound_file.frames / sound_file.samplerate if known else None,
        )
        yield Sound(header, _libsndfile_blocks(sound_file, path, header))


def _libsndfile_blocks(
    sound_file: soundfile.SoundFile, path: Path, header: SoundHeader
) -> Iterator[FloatArray]:
    import soundfile

    n_read, size = 0, max(1, _BLOCK_VALUES // header.n_channels)
    while True:
        try:
            block = sound_file.read(size, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            at_sec = n_read / header.sample_rate_hz
            raise _damaged(path, header.kind, at_sec) from error
        if len(block) == 0:
            return
        n_read += len(block)
        yield np.asarray(block, np.float32)


@contextmanager
def _open_libav(file: BinaryIO, path: Path, container: Container) -> Iterator[Sound]:
    import av
    from av.error import FFmpegError

    try:
        # Titles in Latin-1 are common, and no title is read.
        opened = av.open(file, mode="r", format=container.demuxer, metadata_errors="replace")
    except FFmpegError as error:
        raise _unreadable(path, container.kind, _UNKNOWN_HEADER) from error
    with opened:
        stream = opened.streams.best("audio")
        if not isinstance(stream, av.AudioStream):
            raise InputError(path, f"is {container.kind} without a sound track", allowed=READABLE)
        frames = _libav_frames(opened, stream, path, container.kind)
        first = next(frames, None)
        if first is None:
            raise InputError(path, "is empty (0 samples)", next_step=_AGAIN)
        header = SoundHeader(
            kind=container.kind,
            codec=stream.codec_context.name,
            sample_rate_hz=first.sample_rate,
            n_channels=first.layout.nb_channels,
            promised_sec=_promised_sec(opened, stream),
        )
        yield Sound(header, _libav_blocks(first, frames, path, header))


def _promised_sec(opened: InputContainer, stream: av.AudioStream) -> float | None:
    """Length of the sound track; a container's own length stands for it where sound is all there is."""
    import av

    if opened.format.name == "aac":
        return None  # raw AAC states no length; libav guesses one from the bit rate
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if opened.duration is not None and len(opened.streams) == 1:
        return opened.duration / av.time_base
    return None


def _libav_frames(
    opened: InputContainer, stream: av.AudioStream, path: Path, kind: str
) -> Iterator[av.AudioFrame]:
    """Decoded frames; a packet that cannot be decoded ends the recording with an error."""
    from av.error import FFmpegError

    at_sec = 0.0
    try:
        for frame in opened.decode(stream):
            if frame.sample_rate:
                at_sec += frame.samples / frame.sample_rate
            yield frame
    except FFmpegError as error:
        raise _damaged(path, kind, at_sec) from error


def _libav_blocks(
    first: av.AudioFrame, rest: Iterator[av.AudioFrame], path: Path, header: SoundHeader
) -> Iterator[FloatArray]:
    """Frames of any sample format as float blocks."""
    import av

    size = max(1, min(header.sample_rate_hz, _BLOCK_VALUES // header.n_channels))
    to_float = av.AudioResampler(format="flt", frame_size=size)
    n_read = 0
    for frame in chain((first,), rest):
        if (frame.sample_rate, frame.layout.nb_channels) != (header.sample_rate_hz, header.n_channels):
            raise InputError(
                path,
                f"changes its sample rate or channels at {n_read / header.sample_rate_hz:.2f} s",
                next_step="convert it to WAV or FLAC",
            )
        n_read += frame.samples
        for converted in to_float.resample(frame):
            yield np.asarray(converted.to_ndarray(), np.float32).reshape(-1, header.n_channels)
    for converted in to_float.resample(None):
        yield np.asarray(converted.to_ndarray(), np.float32).reshape(-1, header.n_channels)


@contextmanager
def _open_frames(file: BinaryIO, path: Path, container: Container) -> Iterator[Sound]:
    sound = open_mp3(file, path)
    if sound is None:
        raise _unreadable(path, container.kind, "no frames were found in it")
    header = SoundHeader(
        kind=container.kind,
        codec="MPEG_LAYER_III",
        sample_rate_hz=sound.header.sample_rate_hz,
        n_channels=sound.header.n_channels,
        promised_sec=None,  # checked frame by frame
    )
    yield Sound(header, sound.blocks)


_OPENERS: Final[dict[Reader, Callable[[BinaryIO, Path, Container], AbstractContextManager[Sound]]]] = {
    "libsndfile": _open_libsndfile,
    "libav": _open_libav,
    "frames": _open_frames,
}


def _unreadable(path: Path, kind: str, reason: str) -> InputError:
    return InputError(
        path, f"looks like {kind} but cannot be opened ({reason})", allowed=READABLE, next_step=_AGAIN
    )

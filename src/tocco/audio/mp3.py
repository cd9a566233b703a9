"""MP3 decoded frame by frame, to the end of the file.

The frames are found by `mpeg_frames`, so that no stated length can end the sound before its time. What the
encoder states about its own delay and padding is cut off; of the padding only where the number of frames
shows that the statement belongs to them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

import numpy as np

from tocco.audio.iff_chunks import SHORTEST_SEC
from tocco.audio.mpeg_frames import Frame, FrameHeader, InfoTag, frames, info_tag, n_alien_bytes, sound_bounds
from tocco.errors import InputError
from tocco.units import FloatArray

if TYPE_CHECKING:
    import av

_SIZE_TOLERANCE: Final = 0.01  # taggers move a few bytes; a copy that was cut off lacks far more
_BLOCK_FRAMES: Final = 40
_AGAIN: Final = "copy or export the recording again"


@dataclass(frozen=True)
class Mp3Sound:
    """An MP3 that is ready to be decoded.

    Attributes
    ----------
    header : of its first frame
    blocks : (n, C) float32 each, full scale = 1, to be read once
    """

    header: FrameHeader
    blocks: Iterator[FloatArray]


def open_mp3(file: BinaryIO, path: Path) -> Mp3Sound | None:
    """Find the first frame of an MP3; None where there is none.

    Raises
    ------
    InputError
        While the blocks are read: bytes among the frames are no sound, frames cannot be decoded, or the
        sound changes its rate or its channels.
    """
    start, end = sound_bounds(file)
    walk = frames(file, start, end)
    first = next(walk, None)
    if first is None:
        return None
    reader = _Mp3Reader(path, first.header)
    return Mp3Sound(first.header, _grouped(reader.decoded(file, chain((first,), walk), end)))


def _grouped(parts: Iterator[FloatArray]) -> Iterator[FloatArray]:
    """The same samples in fewer and longer blocks."""
    waiting: list[FloatArray] = []
    for part in parts:
        waiting.append(part)
        if len(waiting) == _BLOCK_FRAMES:
            yield np.concatenate(waiting)
            waiting = []
    if waiting:
        yield np.concatenate(waiting)


class _Mp3Reader:
    """The decoding of one file: where it stands, and what was lost so far.

    Parameters
    ----------
    path
    header : of the first frame
    """

    def __init__(self, path: Path, header: FrameHeader) -> None:
        self._path, self._header = path, header
        self._at_sec = self._lost_sec = 0.0

    def decoded(self, file: BinaryIO, walk: Iterator[Frame], end: int) -> Iterator[FloatArray]:
        """The sound of every frame; files that were joined are decoded one after the other."""
        part, first, last, n_sound = _Part(None), None, None, 0
        for frame in walk:
            self._lose_bytes(frame.skipped, last)
            first, last = first or frame, frame
            if tag := info_tag(frame):
                yield from part.rest()
                part = _Part(tag)
            else:
                n_sound += 1
                yield from part.push(self._samples(part.decoder, frame))
        yield from part.rest()
        if first is not None and last is not None:
            end_of_last = last.at + last.header.size
            self._lose_bytes(n_alien_bytes(file, end_of_last, end), last)
            if tag := info_tag(first):
                self._assert_whole(tag, n_sound, end - first.at, is_cut_short=end_of_last < end)

    def _samples(self, decoder: av.AudioCodecContext, frame: Frame) -> FloatArray:
        """(n, C): the sound of one frame; silence where it cannot be decoded, so that the clock runs on."""
        import av
        from av.error import FFmpegError

        header, first = frame.header, self._header
        if (header.sample_rate_hz, header.n_channels) != (first.sample_rate_hz, first.n_channels):
            raise InputError(
                self._path,
                f"changes its sample rate or channels at {self._at_sec:.2f} s",
                next_step="convert it to WAV or FLAC",
            )
        self._at_sec += header.n_samples / header.sample_rate_hz
        try:
            decoded = [part.to_ndarray().T for part in decoder.decode(av.Packet(frame.data))]
        except FFmpegError:
            decoded = []
        if [part.shape for part in decoded] == [(header.n_samples, header.n_channels)]:
            return np.asarray(decoded[0], np.float32)
        self._lose(header.n_samples / header.sample_rate_hz)
        return np.zeros((header.n_samples, header.n_channels), np.float32)

    def _assert_whole(self, tag: InfoTag, n_frames: int, n_bytes: int, *, is_cut_short: bool) -> None:
        """Refuse a file that lacks frames and bytes that its first frame states.

        A tag with a wrong checksum says nothing, and one without a checksum only what the last frame
        bears out by being cut short: half of a file is not known from a file with a wrong tag.
        """
        is_believed = is_cut_short if tag.is_intact is None else tag.is_intact
        lacks_bytes = n_bytes < tag.n_bytes * (1.0 - _SIZE_TOLERANCE)
        missing_sec = (tag.n_frames - n_frames) * self._header.n_samples / self._header.sample_rate_hz
        if is_believed and lacks_bytes and missing_sec > SHORTEST_SEC:
            raise InputError(
                self._path,
                f"is cut off: its header promises {self._at_sec + missing_sec:.2f} s, "
                f"{self._at_sec:.2f} s can be decoded",
                next_step=_AGAIN,
            )

    def _lose_bytes(self, n_bytes: int, last: Frame | None) -> None:
        """Count bytes after a frame that are no sound; before the first frame they stand for none."""
        if n_bytes and last is not None:
            header = last.header
            self._lose(n_bytes / header.size * header.n_samples / header.sample_rate_hz)

    def _lose(self, lost_sec: float) -> None:
        self._lost_sec += lost_sec
        if self._lost_sec > SHORTEST_SEC:
            raise InputError(
                self._path,
                f"is damaged or cut off: the MP3 holds bytes at {self._at_sec:.2f} s that are no sound",
                next_step=_AGAIN,
            )


class _Part:
    """The frames that one encoder wrote in one go.

    Parameters
    ----------
    tag : what the encoder states about them; None where it states nothing
    """

    def __init__(self, tag: InfoTag | None) -> None:
        import av

        self.decoder = cast(av.AudioCodecContext, av.CodecContext.create("mp3float", "r"))
        self._delay = (tag and tag.delay) or 0
        self._padding = (tag and tag.padding) or 0
        self._n_stated = tag.n_frames if tag else 0
        self._n_frames = self._n_held = 0
        self._held: list[FloatArray] = []

    def push(self, samples: FloatArray) -> Iterator[FloatArray]:
        """Take in one frame; gives what is certainly no padding."""
        self._n_frames += 1
        n_delay = min(self._delay, len(samples))
        self._delay -= n_delay
        self._held.append(samples[n_delay:])
        self._n_held += len(samples) - n_delay
        while self._held and self._n_held - len(self._held[0]) >= self._padding:
            self._n_held -= len(self._held[0])
            yield self._held.pop(0)

    def rest(self) -> Iterator[FloatArray]:
        """What is left at the end, without the padding if the stated number of frames was there."""
        n_padding = self._padding if self._n_frames == self._n_stated else 0
        for samples in self._held:
            kept = min(len(samples), self._n_held - n_padding)
            self._n_held -= len(samples)
            if kept > 0:
                yield samples[:kept]

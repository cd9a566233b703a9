"""The chunks of WAV and AIFF files: where the sound lies, by what is stated and by what is there.

Recorders that lose power leave the size of the sound at 0, writers to a pipe put the largest number in
its place, and recordings beyond 4 GiB state what remains of their size modulo 4 GiB.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from tocco.errors import InputError

SHORTEST_SEC: Final = 0.1
"""Seconds of sound, the least that counts: sizes that are off by less are what writers get wrong."""
UNKNOWN_SIZE: Final = 0x7FFF_0000
"""Writers to a pipe put this or more where the size should stand."""

_CHUNKS_AFTER_SOUND: Final = frozenset(
    b"LIST,id3 ,ID3 ,bext,cue ,smpl,inst,fact,JUNK,junk,FLLR,PAD ,iXML,_PMX,afsp,acid,plst,PEAK".split(b",")
)
_DS64_DATA_SIZE_AT: Final = 8
_PLAIN_FORMATS: Final = (1, 3, 0xFFFE)  # integers, floats, either of them by an extended header


@dataclass(frozen=True)
class StatedSound:
    """The sound chunk of a file, as the file states it.

    Attributes
    ----------
    start : byte at which the sound begins
    size : bytes that are stated
    size_at : byte at which the size stands
    size_bytes : 4, or 8 in RF64
    bytes_per_sec : 0 where no format stands before the sound
    """

    start: int
    size: int
    size_at: int
    size_bytes: int
    bytes_per_sec: float

    def is_unknown(self, actual: int) -> bool:
        """Whether the size says nothing; only a file that could hold it can mean a huge one."""
        return self.size >= UNKNOWN_SIZE and self.start + self.size > actual


def wav_sound(file: BinaryIO, actual: int) -> StatedSound | None:
    """The sound of a WAV file of `actual` bytes; None where it has none."""
    bytes_per_sec, long_size, long_size_at = 0.0, 0, 0
    for name, start, size in _chunks(file, actual, "<"):
        if name == b"fmt ":
            bytes_per_sec = _wav_bytes_per_sec(_payload(file, start, size))
        elif name == b"ds64" and size >= 16:
            long_size_at = start + _DS64_DATA_SIZE_AT
            payload = _payload(file, start, size)
            long_size = int.from_bytes(payload[_DS64_DATA_SIZE_AT : _DS64_DATA_SIZE_AT + 8], "little")
        elif name == b"data":
            if long_size_at and size == 0xFFFF_FFFF:
                return StatedSound(start, long_size, long_size_at, 8, bytes_per_sec)
            return StatedSound(start, size, start - 4, 4, bytes_per_sec)
    return None


def aiff_sound(file: BinaryIO, actual: int) -> StatedSound | None:
    """The sound of an AIFF file of `actual` bytes; None where it has none."""
    bytes_per_sec = 0.0
    for name, start, size in _chunks(file, actual, ">"):
        if name == b"COMM":
            bytes_per_sec = _aiff_bytes_per_sec(_payload(file, start, size))
        elif name == b"SSND":
            return StatedSound(start, size, start - 4, 4, bytes_per_sec)
    return None


def _chunks(file: BinaryIO, actual: int, order: str) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and stated size of every chunk behind the form's own twelve bytes."""
    position = 12
    while position + 8 <= actual:
        file.seek(position)
        name, size = struct.unpack(f"{order}4sI", file.read(8))
        yield name, position + 8, size
        position += 8 + size + size % 2


def _payload(file: BinaryIO, start: int, size: int) -> bytes:
    file.seek(start)
    return file.read(min(size, 64))


def _wav_bytes_per_sec(payload: bytes) -> float:
    if len(payload) < 16:
        return 0.0
    code, n_channels, rate_hz, mean_bytes, _, bits = struct.unpack("<HHIIHH", payload[:16])
    return rate_hz * n_channels * bits / 8 if code in _PLAIN_FORMATS else float(mean_bytes)


def _aiff_bytes_per_sec(payload: bytes) -> float:
    if len(payload) < 18:
        return 0.0
    n_channels, _, bits, exponent, mantissa = struct.unpack(">HIHHQ", payload[:18])
    # An 80-bit float: the mantissa has its leading one written out.
    rate_hz = mantissa * 2.0 ** min((exponent & 0x7FFF) - 16383 - 63, 0)
    return rate_hz * n_channels * bits / 8


def mended_wav(file: BinaryIO, path: Path) -> BinaryIO | None:
    """The file with the right size of its sound in place; None where the stated size can stand.

    The sound ends with the file where its size is 0, is unknown, or is followed by something that is no
    chunk for longer than 0.1 s of sound.

    Raises
    ------
    InputError
        The right size is more than a WAV file can state.
    """
    actual = file.seek(0, io.SEEK_END)
    sound = wav_sound(file, actual)
    if sound is None or sound.bytes_per_sec <= 0.0:
        return None
    left = actual - sound.start - sound.size
    ignored = SHORTEST_SEC * sound.bytes_per_sec if sound.size else 0.0
    is_short = left > ignored and not _is_chunk(file, sound.start + sound.size, actual)
    if not is_short and not sound.is_unknown(actual):
        return None
    size = actual - sound.start
    if size >= 1 << 8 * sound.size_bytes:
        raise InputError(
            path,
            f"holds {size:,} bytes of sound and states {sound.size:,}",
            allowed="WAV up to 4 GiB",
            next_step="convert it to FLAC",
        )
    file.seek(0)
    return cast(BinaryIO, _Mended(file, sound.size_at, size.to_bytes(sound.size_bytes, "little")))


def _is_chunk(file: BinaryIO, position: int, actual: int) -> bool:
    """Whether a chunk stands here (or one byte on): one that is known there, or a chain to the end."""
    for at in {position, position + position % 2}:
        file.seek(at)
        if file.read(4) in _CHUNKS_AFTER_SOUND:
            return True
        while at + 8 <= actual:
            file.seek(at)
            name, size = struct.unpack("<4sI", file.read(8))
            if not all(0x20 <= byte < 0x7F for byte in name):
                break
            at += 8 + size + size % 2
        if actual - 1 <= at <= actual + 1:
            return True
    return False


class _Mended(io.BufferedIOBase):
    """A file in which some bytes read otherwise than they stand.

    Parameters
    ----------
    file
    at : byte of the file
    bytes_there
    """

    def __init__(self, file: BinaryIO, at: int, bytes_there: bytes) -> None:
        self._file, self._at, self._there = file, at, bytes_there

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int | None = -1, /) -> bytes:
        start = self._file.tell()
        data = self._file.read(-1 if size is None else size)
        first, last = max(self._at - start, 0), min(self._at + len(self._there) - start, len(data))
        if first >= last:
            return data
        return data[:first] + self._there[first + start - self._at : last + start - self._at] + data[last:]

"""The frames of an MP3 file, found by walking from header to header.

An MP3 states its length in a first frame without sound, or nowhere. That frame may be missing, left from
before the file was cut or joined, or wrong; the frames themselves cannot be (ISO/IEC 11172-3, 1993;
13818-3, 1998; LAME's extension of the Xing tag, revision 1, 2005).
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO, Final

_KBIT_PER_SEC: Final = {
    1: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATE_HZ: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""By the two bits of the version: 3 is MPEG-1, 2 is MPEG-2, 0 is MPEG-2.5."""

_N_CHAINED: Final = 3
"""Headers that must follow one another before a place counts as a frame where none was expected."""
_SEARCH_BYTES: Final = 1 << 16
_DECODER_DELAY: Final = 529
"""Samples by which every decoder of layer III is late."""
_ID3V1_BYTES: Final = 128
_BEGINNING: Final = re.compile(rb"\xff[\xe0-\xff]|ID3|TAG|APETAGEX", re.DOTALL)


@dataclass(frozen=True)
class FrameHeader:
    """The first four bytes of a frame.

    Attributes
    ----------
    size : bytes of the whole frame
    n_samples : samples a channel
    sample_rate_hz, n_channels
    tag_at : byte of the frame at which a Xing or Info tag would stand
    """

    size: int
    n_samples: int
    sample_rate_hz: int
    n_channels: int
    tag_at: int


@dataclass(frozen=True)
class Frame:
    """A frame with its bytes.

    Attributes
    ----------
    at : byte of the file
    skipped : bytes before it that are neither frames nor tags
    """

    header: FrameHeader
    data: bytes
    at: int
    skipped: int


@dataclass(frozen=True)
class InfoTag:
    """What a frame without sound states about the frames after it.

    Attributes
    ----------
    n_frames, n_bytes : 0 where they are not stated; bytes from this frame on
    delay, padding : samples that the encoder added before and after the sound
        None where they are not stated. The delay is the decoder's and the encoder's together.
    is_intact : its checksum is that of its bytes; None where it has none
    """

    n_frames: int
    n_bytes: int
    delay: int | None
    padding: int | None
    is_intact: bool | None


def frame_header(data: bytes) -> FrameHeader | None:
    """The header that four bytes hold; None for anything but layer III at a stated bit rate."""
    return _frame_header(data[:4]) if len(data) >= 4 and data[0] == 0xFF else None


@cache
def _frame_header(data: bytes) -> FrameHeader | None:
    version, layer = data[1] >> 3 & 3, data[1] >> 1 & 3
    bit_rate, rate, padding = data[2] >> 4, data[2] >> 2 & 3, data[2] >> 1 & 1
    if data[1] & 0xE0 != 0xE0 or version == 1 or layer != 1 or rate == 3 or not 0 < bit_rate < 15:
        return None
    is_mono = data[3] >> 6 == 3
    sample_rate_hz = _RATE_HZ[version][rate]
    bits_per_sec = 1000 * _KBIT_PER_SEC[1 if version == 3 else 2][bit_rate - 1]
    n_samples = 1152 if version == 3 else 576
    side_bytes = {(3, False): 32, (3, True): 17}.get((version, is_mono), 9 if is_mono else 17)
    return FrameHeader(
        size=n_samples // 8 * bits_per_sec // sample_rate_hz + padding,
        n_samples=n_samples,
        sample_rate_hz=sample_rate_hz,
        n_channels=1 if is_mono else 2,
        tag_at=4 + side_bytes,
    )


def info_tag(frame: Frame) -> InfoTag | None:
    """What the frame states about those after it; None for a frame that holds sound."""
    data, at = frame.data, frame.header.tag_at
    if data[at : at + 4] in (b"Xing", b"Info"):
        return _xing_tag(data, at)
    if data[36:40] == b"VBRI":
        n_bytes, n_frames = (int.from_bytes(data[i : i + 4], "big") for i in (46, 50))
        return InfoTag(n_frames, n_bytes, None, None, is_intact=None)
    return None


def _xing_tag(data: bytes, at: int) -> InfoTag:
    flags, position = int.from_bytes(data[at + 4 : at + 8], "big"), at + 8
    n_frames = n_bytes = 0
    if flags & 1:
        n_frames, position = int.from_bytes(data[position : position + 4], "big"), position + 4
    if flags & 2:
        n_bytes, position = int.from_bytes(data[position : position + 4], "big"), position + 4
    position += 100 * bool(flags & 4) + 4 * bool(flags & 8)
    extension = data[position : position + 36]
    if len(extension) < 36 or not extension[:4].isalnum():
        return InfoTag(n_frames, n_bytes, None, None, is_intact=None)
    both = int.from_bytes(extension[21:24], "big")
    stated = int.from_bytes(extension[34:36], "big")
    return InfoTag(
        n_frames=n_frames,
        n_bytes=n_bytes,
        delay=(both >> 12) + _DECODER_DELAY,
        padding=max((both & 0xFFF) - _DECODER_DELAY, 0),
        is_intact=stated == _crc16(data[: position + 34]) if stated else None,
    )


def _crc16(data: bytes) -> int:
    """CRC-16/ARC, which LAME writes over the tag's frame up to the checksum."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def frames(file: BinaryIO, start: int, end: int) -> Iterator[Frame]:
    """Every whole frame between two bytes of a file; tags among them are passed over."""
    at, skipped, previous = start, 0, None
    while at + 4 <= end:
        file.seek(at)
        head = file.read(4)
        header = frame_header(head)
        if header is not None and (_continues(previous, header) or _is_chain(file, at, end)):
            if at + header.size > end:
                return
            file.seek(at + 4)
            yield Frame(header, head + file.read(header.size - 4), at, skipped)
            at, skipped, previous = at + header.size, 0, header
        elif tag_bytes := _tag_bytes(file, at):
            at += tag_bytes
        else:
            found = _search(file, at + 1, end)
            at, skipped = found, skipped + found - at


def n_alien_bytes(file: BinaryIO, start: int, end: int) -> int:
    """Bytes between the last whole frame and the end that are neither tags nor a frame cut short."""
    while start < end and (tag_bytes := _tag_bytes(file, start)):
        start += tag_bytes
    file.seek(start)
    header = frame_header(file.read(4))
    return max(end - start, 0) if header is None or start + header.size <= end else 0


def sound_bounds(file: BinaryIO) -> tuple[int, int]:
    """The bytes between the tags at the beginning of a file and those at its end."""
    start, end = 0, file.seek(0, io.SEEK_END)
    while tag_bytes := _tag_bytes(file, start):
        start += tag_bytes
    while start < end and (tag_bytes := _tag_bytes_before(file, end)):
        end -= tag_bytes
    return start, max(start, end)


def _continues(previous: FrameHeader | None, header: FrameHeader) -> bool:
    return previous is not None and (
        (header.sample_rate_hz, header.n_channels) == (previous.sample_rate_hz, previous.n_channels)
    )


def _is_chain(file: BinaryIO, at: int, end: int) -> bool:
    """Whether frames of one rate follow one another from here, or as far as there is anything."""
    rate_hz = 0
    for place in range(_N_CHAINED):
        if at >= end or (place and _tag_bytes(file, at)):
            return place > 0
        file.seek(at)
        header = frame_header(file.read(4))
        if header is None or (place and header.sample_rate_hz != rate_hz):
            return False
        rate_hz, at = header.sample_rate_hz, at + header.size
    return True


def _search(file: BinaryIO, start: int, end: int) -> int:
    """The next byte at which a frame or a tag begins; the end where none does."""
    while start + 4 <= end:
        file.seek(start)
        window = file.read(min(_SEARCH_BYTES, end - start))
        for match in _BEGINNING.finditer(window):
            at = start + match.start()
            if window[match.start()] != 0xFF:
                if _tag_bytes(file, at):
                    return at
            elif frame_header(window[match.start() : match.start() + 4]) and _is_chain(file, at, end):
                return at
        start += max(len(window) - 3, 1)
    return end


def _tag_bytes(file: BinaryIO, at: int) -> int:
    """Bytes of the ID3 or APE tag that begins here; 0 where none does."""
    file.seek(at)
    head = file.read(32)
    if head[:3] == b"ID3" and len(head) >= 10 and max(head[6:10]) < 0x80:
        return id3v2_bytes(head)
    if head[:3] == b"TAG":
        file.seek(at + _ID3V1_BYTES)
        after = file.read(4)
        is_whole = len(after) < 4 or frame_header(after) is not None or after[:3] == b"ID3"
        return _ID3V1_BYTES if is_whole else 0
    if head[:8] == b"APETAGEX" and len(head) == 32:
        # The size counts the items and the footer, not this header.
        return 32 + int.from_bytes(head[12:16], "little") * bool(head[23] & 0x20)
    return 0


def _tag_bytes_before(file: BinaryIO, end: int) -> int:
    """Bytes of the ID3v1, Lyrics3v2 or APE tag that ends here; 0 where none does."""
    file.seek(max(0, end - _ID3V1_BYTES))
    tail = file.read(min(end, _ID3V1_BYTES))
    if len(tail) == _ID3V1_BYTES and tail[:3] == b"TAG":
        return _ID3V1_BYTES
    if tail[-9:] == b"LYRICS200" and tail[-15:-9].isdigit():
        return int(tail[-15:-9]) + 15
    if tail[-32:-24] == b"APETAGEX":
        return int.from_bytes(tail[-20:-16], "little") + 32 * bool(tail[-9] & 0x80)
    return 0


def id3v2_bytes(head: bytes) -> int:
    """Bytes of the ID3v2 tag whose first ten these are (id3.org, ID3v2.4.0 structure, 2000)."""
    size = 0
    for byte in head[6:10]:  # four bytes of seven bits each, so that no byte looks like a frame sync
        size = size << 7 | byte & 0x7F
    return 10 + size + (10 if head[5] & 0x10 else 0)

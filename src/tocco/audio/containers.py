"""What a file is, by its content, and whether all of it is there.

The name of a file is never trusted: a phone writes AAC into `.mp3`, a teacher sends the MIDI in place
of the recording. The first bytes identify it, and the container's own sizes show, before anything is
decoded, when a copy was cut off.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal

from tocco.audio.iff_chunks import SHORTEST_SEC, StatedSound, aiff_sound, wav_sound
from tocco.audio.mpeg_frames import id3v2_bytes
from tocco.errors import InputError

READABLE: Final = "WAV, AIFF, FLAC, MP3, OGG, Opus, M4A, AAC or WebM"
"""The kinds of audio that are read, for messages."""

_HEAD_BYTES: Final = 4096
_OGG_PAGE_MAX_BYTES: Final = 65_307  # RFC 3533: 27 + 255 + 255 * 255

Reader = Literal["libsndfile", "libav", "frames"]


@dataclass(frozen=True)
class Container:
    """The kind of an audio file and the library that reads it.

    Attributes
    ----------
    kind : "WAV", "MP3", "M4A", ...
    reader : library, or "frames" for `mp3`
    demuxer : libav's name of the format; empty for the others
    """

    kind: str
    reader: Reader
    demuxer: str = ""


_WAV = Container("WAV", "libsndfile")
_AIFF = Container("AIFF", "libsndfile")
_FLAC = Container("FLAC", "libsndfile")
_MP3 = Container("MP3", "frames")
_OGG = Container("OGG", "libsndfile")
_OGG_OTHER = Container("Opus", "libav", "ogg")
_M4A = Container("M4A", "libav", "mov")
_AAC = Container("AAC", "libav", "aac")
_WEBM = Container("WebM", "libav", "matroska")

_NOT_AUDIO: Final[tuple[tuple[bytes, str], ...]] = (
    (b"MThd", "a MIDI file"),
    (b"PK\x03\x04", "a ZIP archive or compressed MusicXML"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"\x30\x26\xb2\x75", "a Windows Media file"),
    (b"#!AMR", "an AMR voice memo"),
    (b"caff", "a Core Audio file"),
)
_SCORE_MARKS: Final = ("<score-partwise", "<score-timewise")


def identify_container(path: Path) -> Container:
    """The kind of an audio file, read off its first bytes.

    Raises
    ------
    InputError
        The path is missing, not a file, unreadable, empty, or holds something else; the message says
        what it looks like.
    """
    if not path.exists():
        raise InputError(path, "does not exist", next_step="check the spelling of the path")
    if path.is_dir():
        raise InputError(path, "is a folder, not an audio file", next_step="name one file in it")
    if not path.is_file():
        raise InputError(path, "is not a regular file", allowed=READABLE)
    try:
        with path.open("rb") as file:
            after_tags = _skip_id3(file)
            file.seek(after_tags)
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from error
    if not head and after_tags == 0:
        raise InputError(path, "is empty (0 bytes)", next_step="copy or export the recording again")
    container = _container_of(head, tagged=after_tags > 0)
    if container is None:
        raise InputError(
            path,
            f"is not audio: it looks like {_appearance(head)}",
            allowed=READABLE,
            next_step="give a recording, a performance MIDI or a score",
        )
    return container


def _skip_id3(file: BinaryIO) -> int:
    """Offset of the first byte after any ID3v2 tags."""
    offset = 0
    while True:
        file.seek(offset)
        tag = file.read(10)
        if len(tag) < 10 or tag[:3] != b"ID3":
            return offset
        offset += id3v2_bytes(tag)


def _container_of(head: bytes, *, tagged: bool) -> Container | None:
    """The container whose signature stands at the head; None where there is none."""
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return _WAV
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _AIFF
    if head[:4] == b"fLaC":
        return _FLAC
    if head[:4] == b"OggS":
        payload = head[27 + head[26] :] if len(head) > 27 else b""
        return _OGG if payload.startswith((b"\x01vorbis", b"\x7fFLAC")) else _OGG_OTHER
    if head[4:8] == b"ftyp":
        return _M4A
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return _WEBM
    if len(head) >= 4 and head[0] == 0xFF:
        if head[1] & 0xF6 == 0xF0:  # ADTS: twelve sync bits, layer 00
            return _AAC
        if _is_layer_three(head):
            return _MP3
    return _MP3 if tagged else None


def _is_layer_three(head: bytes) -> bool:
    """Whether an MPEG audio frame header of layer III stands here (ISO/IEC 11172-3, 1993)."""
    sync, layer_three = head[1] & 0xE0 == 0xE0, head[1] & 0x06 == 0x02
    reserved = head[1] & 0x18 == 0x08 or head[2] >> 4 == 15 or head[2] >> 2 & 3 == 3
    return sync and layer_three and not reserved


def _appearance(head: bytes) -> str:
    """A few words for something that is not audio."""
    if head[:4] == b"RIFF":
        return "a MIDI file" if head[8:12] == b"RMID" else "a RIFF file without sound (AVI, WebP)"
    for signature, words in _NOT_AUDIO:
        if head.startswith(signature):
            return words
    text = head[:1024].decode("utf-8", errors="ignore")
    if len(text.encode()) < len(head[:1024]) - 3 or not all(c.isprintable() or c.isspace() for c in text):
        return f"unknown binary data (first bytes {head[:4].hex(' ')})"
    if any(mark in text for mark in _SCORE_MARKS):
        return "a MusicXML score"
    return "an XML or HTML file" if text.lstrip().startswith("<") else "a text file"


def check_complete(path: Path, container: Container) -> None:
    """Refuse a file that is shorter than its own container says.

    Kinds that state no size (raw AAC, WebM, FLAC) or a doubtful one (MP3) are left to the decoder, which
    compares the length that it decoded with the length that the header promises.

    Raises
    ------
    InputError
        The file was cut off.
    """
    promise = _PROMISES.get(container.kind)
    if promise is None:
        return
    with path.open("rb") as file:
        actual = file.seek(0, io.SEEK_END)
        file.seek(0)
        promised = promise(file, actual)
    if promised > actual:
        raise InputError(
            path,
            f"is cut off: its {container.kind} header promises {promised:,} bytes, {actual:,} are there",
            next_step="copy or export the recording again",
        )


def _wav_promise(file: BinaryIO, actual: int) -> int:
    """Where the sound of a WAV should end."""
    return _sound_end(wav_sound(file, actual), actual)


def _aiff_promise(file: BinaryIO, actual: int) -> int:
    """Where the sound of an AIFF should end."""
    return _sound_end(aiff_sound(file, actual), actual)


def _sound_end(sound: StatedSound | None, actual: int) -> int:
    """Where sound should end; 0 where that is unknown, or off by less than counts."""
    if sound is None or sound.is_unknown(actual):
        return 0
    end = sound.start + sound.size
    return end if end - actual >= SHORTEST_SEC * sound.bytes_per_sec else 0


def _mp4_promise(file: BinaryIO, actual: int) -> int:
    """Where the last box of an MP4 should end (ISO/IEC 14496-12)."""
    offset = 0
    while offset + 8 <= actual:
        file.seek(offset)
        size, _ = struct.unpack(">I4s", file.read(8))
        if size == 1 and offset + 16 <= actual:
            (size,) = struct.unpack(">Q", file.read(8))
        if size < 8:  # 0 means "to the end of the file"
            return 0
        offset += size
    return offset


def _ogg_promise(file: BinaryIO, actual: int) -> int:
    """Where the last page of an Ogg stream should end (RFC 3533)."""
    start = max(0, actual - _OGG_PAGE_MAX_BYTES)
    file.seek(start)
    tail = file.read()
    at = tail.rfind(b"OggS")
    if at < 0 or len(tail) < at + 27:
        return 0 if at < 0 else actual + 1
    segments = tail[at + 27 : at + 27 + tail[at + 26]]
    return start + at + 27 + tail[at + 26] + sum(segments)


_PROMISES: Final[dict[str, Callable[[BinaryIO, int], int]]] = {
    "WAV": _wav_promise,
    "AIFF": _aiff_promise,
    "M4A": _mp4_promise,
    "OGG": _ogg_promise,
    "Opus": _ogg_promise,
}

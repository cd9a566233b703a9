"""Reading of zip archives from outside: single members, validated before they are unpacked.

An archive need not be available as a whole. `SpanFile` presents to zipfile (which handles the format, zip64
included) the spans that are available, so that one member of a large remote archive can be read alone.
"""

from __future__ import annotations

import hashlib
import io
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from tocco.errors import InputError
from tocco.files import replacing

MAX_INFLATION: Final = 1100
"""Deflate cannot compress more than 1032 to 1: a member with a higher ratio states a wrong size."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_CHUNK_BYTES = 1 << 18
_DRIVE = re.compile(r"[A-Za-z]:")
_REFUSED: Final = "do not use this archive; get it from its publisher"


class DamagedMemberError(InputError):
    """A member whose bytes differ from the size or checksum in the archive's directory."""


@dataclass(frozen=True)
class Member:
    """One file inside an archive.

    Attributes
    ----------
    name : as in the archive, checked to stay inside a folder
    size_bytes : unpacked
    crc32 : of the unpacked bytes
    start, stop : span of the archive that holds it, local header included
    """

    name: str
    size_bytes: int
    crc32: int
    start: int
    stop: int


@dataclass(frozen=True)
class Directory:
    """Central directory of an archive.

    Attributes
    ----------
    members : by name; folders are omitted
    start : offset of the central directory, which extends to the end
    """

    members: Mapping[str, Member]
    start: int


class SpanFile(io.RawIOBase):
    """A file of which only some spans are available.

    Parameters
    ----------
    size_bytes : of the whole
    spans : (start, stop, a file with these bytes, from its position 0)
    fetch
        Returns the bytes `start <= i < stop` that no span has; without it, reading them is an error.
    """

    def __init__(
        self,
        size_bytes: int,
        spans: Sequence[tuple[int, int, BinaryIO]],
        fetch: Callable[[int, int], bytes] | None = None,
    ) -> None:
        self._size = size_bytes
        self._spans = spans
        self._fetch = fetch
        self._position = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Position in the whole."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move in the whole; nothing is read."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError(f"position {base + offset} lies before the beginning")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: memoryview, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Read available bytes from the position on, at most to the end of their span."""
        wanted = min(len(buffer), self._size - self._position)
        if wanted <= 0:
            return 0
        got = self._read_span(wanted)
        buffer[: len(got)] = got
        self._position += len(got)
        return len(got)

    def _read_span(self, wanted: int) -> bytes:
        for start, stop, span in self._spans:
            if start <= self._position < stop:
                span.seek(self._position - start)
                return span.read(min(wanted, stop - self._position))
        if self._fetch is None:
            raise OSError(f"byte {self._position} is not available")
        later = [start for start, _, _ in self._spans if start > self._position]
        return self._fetch(self._position, min(self._position + wanted, *later, self._size))


def read_directory(archive: BinaryIO, source: str) -> Directory:
    """Read and validate the directory of an archive; nothing is unpacked.

    Parameters
    ----------
    archive : seekable
    source
        Its name, for messages.

    Raises
    ------
    InputError
        It is no zip archive, is truncated, or a member would leave its folder, is a link, is encrypted,
        is repeated, overlaps another, or states an impossible compression ratio.
    """
    with _opened(archive, source) as opened:
        infos = sorted(opened.infolist(), key=lambda info: info.header_offset)
        table_start = opened.start_dir
    members: dict[str, Member] = {}
    folded: set[str] = set()
    stops = [info.header_offset for info in infos[1:]] + [table_start]
    for info, stop in zip(infos, stops, strict=True):
        name = checked_name(info.orig_filename, source)
        if info.is_dir():
            continue
        _check_member(info, stop, source)
        if name.casefold() in folded:
            raise InputError(source, f"has {name!r} twice", next_step=_REFUSED)
        folded.add(name.casefold())
        members[name] = Member(name, info.file_size, info.CRC, info.header_offset, stop)
    return Directory(members, table_start)


def checked_name(name: str, source: str) -> str:
    """Validate a member name: a relative path with forward slashes that stays inside the folder.

    Raises
    ------
    InputError
        It is not valid.

    Examples
    --------
    >>> checked_name("maestro-v3.0.0/2018/take.wav", "archive.zip")
    'maestro-v3.0.0/2018/take.wav'
    """
    parts = name.rstrip("/").split("/")
    unsafe = (
        not name
        or name.startswith("/")
        or "\\" in name
        or _DRIVE.match(name)
        or any(part in {"", ".", ".."} for part in parts)
        or not name.isprintable()
    )
    if unsafe:
        raise InputError(
            source,
            f"has the member {name!r}, which would leave the folder it is unpacked into",
            allowed="relative names without '..', backslash, drive or control characters",
            next_step=_REFUSED,
        )
    return name


def extract_member(archive: BinaryIO, member: Member, target: Path, *, source: str, max_bytes: int) -> str:
    """Unpack one member; the target exists only after size and CRC-32 are verified.

    Parameters
    ----------
    archive : seekable; the member and the central directory must be available
    member
    target
    source
        Name of the archive, for messages.
    max_bytes
        Maximum size of a file of this kind, whatever the archive states.

    Returns
    -------
    SHA-256 of the file.

    Raises
    ------
    InputError
        The member is larger than allowed.
    DamagedMemberError
        Its bytes do not match the directory.
    OutputError
        The target cannot be written.
    """
    subject = f"{source}, member {member.name}"
    if member.size_bytes > max_bytes:
        raise InputError(
            subject,
            f"would have {member.size_bytes:,} bytes",
            allowed=f"up to {max_bytes:,}",
            next_step=_REFUSED,
        )
    digest, n_bytes = hashlib.sha256(), 0
    with replacing(target) as temporary:
        with temporary.open("wb") as sink:
            for chunk in _chunks(archive, member, source):
                sink.write(chunk)
                digest.update(chunk)
                n_bytes += len(chunk)
        if n_bytes != member.size_bytes:
            raise _damaged(subject, f"{n_bytes:,} bytes in place of {member.size_bytes:,}")
    return digest.hexdigest()


def read_member(archive: BinaryIO, member: Member, *, source: str) -> bytes:
    """Read a small member into memory; its CRC-32 is verified.

    Raises
    ------
    DamagedMemberError
        Its bytes do not match the directory.
    """
    return b"".join(_chunks(archive, member, source))


def _damaged(subject: str, reason: str) -> DamagedMemberError:
    return DamagedMemberError(subject, f"is damaged ({reason})", next_step="download it again")


def _chunks(archive: BinaryIO, member: Member, source: str) -> Iterator[bytes]:
    subject = f"{source}, member {member.name}"
    with _opened(archive, source) as opened:
        try:
            info = opened.getinfo(member.name)
            if (info.file_size, info.CRC, info.header_offset) != (
                member.size_bytes,
                member.crc32,
                member.start,
            ):
                raise _damaged(subject, "the archive has changed")
            with opened.open(info) as unpacked:
                while chunk := unpacked.read(_CHUNK_BYTES):
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, KeyError) as error:
            raise _damaged(subject, str(error)) from error


def _opened(archive: BinaryIO, source: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(archive)
    except (zipfile.BadZipFile, EOFError) as error:
        raise InputError(
            source, f"is no complete zip archive ({error})", next_step="download it again"
        ) from error


def _check_member(info: zipfile.ZipInfo, stop: int, source: str) -> None:
    """Refuse members that are not regular files with valid compression."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    packed = max(info.compress_size, 1)
    if kind not in {0, stat.S_IFREG}:
        problem = "is a link or a device"
    elif info.flag_bits & _ENCRYPTED:
        problem = "is encrypted"
    elif info.compress_type not in _METHODS:
        problem = f"is packed by method {info.compress_type}"
    elif info.compress_size > stop - info.header_offset:
        problem = "overlaps another member"
    elif info.file_size > packed * MAX_INFLATION:
        problem = f"states {info.file_size:,} bytes for {info.compress_size:,} compressed ones"
    elif info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size:
        problem = "is stored, but its two sizes differ"
    else:
        return
    raise InputError(source, f"has the member {info.filename!r}, which {problem}", next_step=_REFUSED)

"""Zip archives from outside: single members taken out, and none that could do harm.

An archive need not be at hand as a whole. `SpanFile` shows zipfile (which knows the format, zip64
included) the few spans that are, so one member of a large remote archive costs its own bytes.
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
"""Deflate cannot pack denser than 1032 to 1: a member that promises more lies about its size."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_CHUNK_BYTES = 1 << 18
_DRIVE = re.compile(r"[A-Za-z]:")
_REFUSED: Final = "do not use this archive; get it from its publisher"


class DamagedMemberError(InputError):
    """A member whose bytes are not what the archive's directory says."""


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
    """What an archive holds.

    Attributes
    ----------
    members : by name; folders are left out
    start : where the archive's own table of contents begins; it goes on to the end
    """

    members: Mapping[str, Member]
    start: int


class SpanFile(io.RawIOBase):
    """A file of which only some spans are at hand.

    Parameters
    ----------
    size_bytes : of the whole
    spans : (start, stop, a file that holds these bytes from its own position 0)
    fetch
        Brings the bytes `start <= i < stop` that no span holds; without it, asking for them is an error.
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
        """Read what is at hand from the position on, at most to the end of its span."""
        wanted = min(len(buffer), self._size - self._position)
        if wanted <= 0:
            return 0
        got = self._at_hand(wanted)
        buffer[: len(got)] = got
        self._position += len(got)
        return len(got)

    def _at_hand(self, wanted: int) -> bytes:
        for start, stop, held in self._spans:
            if start <= self._position < stop:
                held.seek(self._position - start)
                return held.read(min(wanted, stop - self._position))
        if self._fetch is None:
            raise OSError(f"byte {self._position} is not at hand")
        later = [start for start, _, _ in self._spans if start > self._position]
        return self._fetch(self._position, min(self._position + wanted, *later, self._size))


def read_directory(archive: BinaryIO, source: str) -> Directory:
    """The members of an archive, every one of them checked; nothing is unpacked.

    Parameters
    ----------
    archive : seekable
    source
        Its name, for messages.

    Raises
    ------
    InputError
        It is no zip archive, is cut off, or a member would leave its folder, is a link, encrypted,
        stands twice, shares bytes with another, or is packed denser than possible.
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
            raise InputError(source, f"holds {name!r} twice", next_step=_REFUSED)
        folded.add(name.casefold())
        members[name] = Member(name, info.file_size, info.CRC, info.header_offset, stop)
    return Directory(members, table_start)


def checked_name(name: str, source: str) -> str:
    """A relative path with forward slashes that stays inside the folder it is unpacked into.

    Raises
    ------
    InputError
        It does not.

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
            f"holds the member {name!r}, which would leave the folder it is unpacked into",
            allowed="relative names without '..', backslash, drive or control characters",
            next_step=_REFUSED,
        )
    return name


def extract_member(archive: BinaryIO, member: Member, target: Path, *, source: str, max_bytes: int) -> str:
    """Unpack one member; it has its name only when size and CRC-32 are right.

    Parameters
    ----------
    archive : seekable; of it, the member and the table of contents must be at hand
    member
    target
    source
        Name of the archive, for messages.
    max_bytes
        What a file of this kind may have, whatever the archive promises.

    Returns
    -------
    SHA-256 of the file.

    Raises
    ------
    InputError
        The member is larger than allowed.
    DamagedMemberError
        Its bytes are not what the directory says.
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
    """A small member in memory, its CRC-32 checked.

    Raises
    ------
    DamagedMemberError
        Its bytes are not what the directory says.
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
    """Refuse what is no plain file of plain data."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    packed = max(info.compress_size, 1)
    if kind not in {0, stat.S_IFREG}:
        problem = "is a link or a device"
    elif info.flag_bits & _ENCRYPTED:
        problem = "is encrypted"
    elif info.compress_type not in _METHODS:
        problem = f"is packed by method {info.compress_type}"
    elif info.compress_size > stop - info.header_offset:
        problem = "shares its bytes with another member"
    elif info.file_size > packed * MAX_INFLATION:
        problem = f"promises {info.file_size:,} bytes out of {info.compress_size:,}"
    elif info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size:
        problem = "is stored, yet its two sizes differ"
    else:
        return
    raise InputError(source, f"holds the member {info.filename!r}, which {problem}", next_step=_REFUSED)

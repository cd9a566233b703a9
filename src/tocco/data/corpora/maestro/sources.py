"""Sources of the MAESTRO files: the publisher's server, an archive, or an unpacked folder.

The publisher offers the recordings as one archive of 101 GB. Its central directory is at its end and takes
half a megabyte; with it, a single member can be downloaded as a byte range and verified by its CRC-32.
"""

from __future__ import annotations

import io
import shutil
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from tocco.data.archive import (
    DamagedMemberError,
    Directory,
    Member,
    SpanFile,
    extract_member,
    read_directory,
    read_member,
)
from tocco.data.corpora.maestro.index import Release
from tocco.data.downloading import Downloader, note_of, part_of
from tocco.data.http_answers import RemoteFile, SourceChangedError
from tocco.errors import InputError
from tocco.files import replacing, sha256_of

_TAIL_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 20
_ANOTHER = "give the folder or the archive of the whole corpus, audio included"

OnBytes = Callable[[int], object]


class Source(Protocol):
    """Provides the files of the corpus, under their names in the archive."""

    def index(self) -> str:
        """Text of the index."""
        ...

    def size_bytes(self, name: str) -> int:
        """Size of a file when it is unpacked."""
        ...

    def transfer_bytes(self, name: str) -> int:
        """Bytes to transfer; the compressed size for an archive."""
        ...

    def crc32(self, name: str) -> int | None:
        """CRC-32 where the source states one."""
        ...

    def fetch(self, name: str, target: Path, max_bytes: int) -> str:
        """Write a verified file to its target and return its SHA-256."""
        ...


@dataclass(frozen=True)
class LocalFolder:
    """An unpacked copy of the corpus: the index, and one folder per year.

    Attributes
    ----------
    folder
    release
    on_bytes : called with the number of new bytes
    """

    folder: Path
    release: Release
    on_bytes: OnBytes

    def index(self) -> str:
        """Text of the index."""
        return _decoded(self._file(self.release.index_name).read_bytes(), str(self.folder))

    def size_bytes(self, name: str) -> int:
        """Size of a file."""
        return self._file(name).stat().st_size

    def transfer_bytes(self, name: str) -> int:
        """The same: the file is copied."""
        return self.size_bytes(name)

    def crc32(self, name: str) -> int | None:
        """None: a folder states no checksums."""
        return None

    def fetch(self, name: str, target: Path, max_bytes: int) -> str:
        """Copy a file."""
        original = self._file(name)
        if original.stat().st_size > max_bytes:
            raise InputError(
                original, f"has {original.stat().st_size:,} bytes", allowed=f"up to {max_bytes:,}"
            )
        with replacing(target) as temporary:
            shutil.copyfile(original, temporary)
        self.on_bytes(original.stat().st_size)
        return sha256_of(target)

    def _file(self, name: str) -> Path:
        path = self.folder / name
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise InputError(self.folder, f"has {name!r} as a link to another folder")
        if not path.is_file():
            raise InputError(self.folder, f"has no {name}", next_step=_ANOTHER)
        return path


class LocalArchive:
    """A local archive of the corpus.

    Parameters
    ----------
    path
    release
    on_bytes : called with the number of new bytes
    """

    def __init__(self, path: Path, release: Release, on_bytes: OnBytes) -> None:
        self._path, self._release, self._on_bytes = path, release, on_bytes
        with self._open() as archive:
            self._directory = read_directory(archive, str(path))

    def index(self) -> str:
        """Text of the index."""
        member = self._member(self._release.index_name)
        with self._open() as archive:
            return _decoded(read_member(archive, member, source=str(self._path)), str(self._path))

    def size_bytes(self, name: str) -> int:
        """Size of a member when it is unpacked."""
        return self._member(name).size_bytes

    def transfer_bytes(self, name: str) -> int:
        """The packed size."""
        return self._member(name).stop - self._member(name).start

    def crc32(self, name: str) -> int | None:
        """CRC-32 of a member."""
        return self._member(name).crc32

    def fetch(self, name: str, target: Path, max_bytes: int) -> str:
        """Unpack a member."""
        member = self._member(name)
        with self._open() as archive:
            sha256 = extract_member(archive, member, target, source=str(self._path), max_bytes=max_bytes)
        self._on_bytes(self.transfer_bytes(name))
        return sha256

    def _member(self, name: str) -> Member:
        return find_member(self._directory, name, self._release, str(self._path))

    def _open(self) -> BinaryIO:
        try:
            return self._path.open("rb")
        except OSError as error:
            raise InputError(
                self._path, f"cannot be read ({error.strerror})", next_step="check the path"
            ) from error


@dataclass(frozen=True)
class _RemoteArchive:
    """One version of the archive on the server, and its central directory."""

    remote: RemoteFile
    directory: Directory
    tail: bytes  # the last bytes, including the central directory

    @property
    def tail_span(self) -> tuple[int, int, BinaryIO]:
        return self.remote.size_bytes - len(self.tail), self.remote.size_bytes, io.BytesIO(self.tail)


class Server:
    """The publisher's server, or a mirror of it.

    Parameters
    ----------
    base_url
    release
    downloader
    folder
        Of the local corpus: the MIDI archive is stored in it, and partial downloads are beside their targets.
    """

    def __init__(self, base_url: str, release: Release, downloader: Downloader, folder: Path) -> None:
        self._base_url, self._release = base_url.rstrip("/"), release
        self._downloader, self._folder = downloader, folder
        self._lock = threading.Lock()
        self._archive: _RemoteArchive | None = None
        self._midi: LocalArchive | None = None

    def index(self) -> str:
        """Text of the index, verified by its checksum."""
        url = self._url(self._release.index_name)
        remote = self._downloader.describe(url)
        if remote.size_bytes > _TAIL_BYTES:
            raise InputError(url, f"has {remote.size_bytes:,} bytes", allowed=f"up to {_TAIL_BYTES:,}")
        return _decoded(self._downloader.read_span(remote, 0, remote.size_bytes), url)

    def size_bytes(self, name: str) -> int:
        """Size of a file when it is unpacked."""
        return self._member(name)[1].size_bytes

    def transfer_bytes(self, name: str) -> int:
        """Transfer: the member of the archive for audio; 0 for MIDI, which is one archive for all files."""
        member = self._member(name)[1]
        return 0 if name.endswith(".midi") else member.stop - member.start

    def midi_archive_bytes(self) -> int:
        """Transfer of the MIDI archive, 0 if it is present."""
        if (self._folder / self._release.midi_archive).is_file():
            return 0
        return self._downloader.describe(self._url(self._release.midi_archive)).size_bytes

    def crc32(self, name: str) -> int | None:
        """CRC-32 of the archive's directory."""
        return self._member(name)[1].crc32

    def fetch(self, name: str, target: Path, max_bytes: int) -> str:
        """Download the byte range of a file, resumed if interrupted, and unpack it."""
        if name.endswith(".midi"):
            return self._midi_archive().fetch(name, target, max_bytes)
        part = part_of(target)
        fault: InputError | None = None
        for _ in range(self._downloader.patience.attempts):
            archive, member = self._member(name)
            try:
                part.parent.mkdir(parents=True, exist_ok=True)
                self._downloader.fetch_span(archive.remote, member.start, member.stop, part)
                sha256 = self._unpack(archive, member, part, target, max_bytes)
            except SourceChangedError as changed:
                fault = changed
                self._forget(archive)
            except DamagedMemberError as found:
                fault = found
                part.unlink()
            else:
                part.unlink()
                note_of(part).unlink(missing_ok=True)
                return sha256
        raise fault or InputError(name, "was not tried", allowed="one attempt or more")

    def _unpack(
        self, archive: _RemoteArchive, member: Member, part: Path, target: Path, max_bytes: int
    ) -> str:
        with part.open("rb") as held:
            spans = [(member.start, member.stop, held), archive.tail_span]
            view = io.BufferedReader(SpanFile(archive.remote.size_bytes, spans))
            return extract_member(view, member, target, source=archive.remote.url, max_bytes=max_bytes)

    def _member(self, name: str) -> tuple[_RemoteArchive, Member]:
        with self._lock:
            if self._archive is None:
                self._archive = self._read_archive()
            archive = self._archive
        return archive, find_member(archive.directory, name, self._release, archive.remote.url)

    def _forget(self, archive: _RemoteArchive) -> None:
        """Discard the central directory, unless another thread has done so."""
        with self._lock:
            if self._archive is archive:
                self._archive = None

    def _read_archive(self) -> _RemoteArchive:
        url = self._url(self._release.audio_archive)
        changed: SourceChangedError | None = None
        for _ in range(self._downloader.patience.attempts):
            remote = self._downloader.describe(url)
            size = remote.size_bytes

            def fetched(start: int, stop: int, remote: RemoteFile = remote) -> bytes:
                return self._downloader.read_span(remote, start, stop)

            try:
                start = max(0, size - _TAIL_BYTES)
                tail = fetched(start, size)
                view = SpanFile(size, [(start, size, io.BytesIO(tail))], fetched)
                directory = read_directory(io.BufferedReader(view), url)
                if directory.start < start:
                    tail = fetched(directory.start, start) + tail
            except SourceChangedError as fault:
                changed = fault
                continue
            return _RemoteArchive(remote, directory, tail)
        raise changed or InputError(url, "was not tried", allowed="one attempt or more")

    def _midi_archive(self) -> LocalArchive:
        with self._lock:
            if self._midi is None:
                path = self._folder / self._release.midi_archive
                if not path.is_file() or sha256_of(path) != self._release.midi_sha256:
                    url = self._url(self._release.midi_archive)
                    self._downloader.fetch_file(url, path, sha256=self._release.midi_sha256)
                self._midi = LocalArchive(path, self._release, lambda n: None)
            return self._midi

    def _url(self, name: str) -> str:
        return f"{self._base_url}/{name}"


def open_source(
    place: str, release: Release, downloader: Downloader, folder: Path, on_bytes: OnBytes
) -> Source:
    """The source of a URL or a path.

    Raises
    ------
    InputError
        It is neither a URL nor a folder or an archive.
    """
    if place.startswith(("http://", "https://")):
        return Server(place, release, downloader, folder)
    path = Path(place)
    if path.is_dir():
        archive = path / release.audio_archive
        return (
            LocalArchive(archive, release, on_bytes)
            if archive.is_file()
            else LocalFolder(path, release, on_bytes)
        )
    if path.is_file():
        return LocalArchive(path, release, on_bytes)
    raise InputError(
        place,
        "is not a source",
        allowed="a URL (https://...), a folder, or a .zip",
        next_step="check the spelling",
    )


def find_member(directory: Directory, name: str, release: Release, source: str) -> Member:
    """Find the member of an archive for a file: in the folder of the release, or at the top.

    Raises
    ------
    InputError
        The archive does not contain it.
    """
    for path in (f"{release.folder}/{name}", name):
        if path in directory.members:
            return directory.members[path]
    raise InputError(source, f"has no {release.folder}/{name}", next_step=_ANOTHER)


def crc32_of(path: Path) -> int:
    """CRC-32 of a file's bytes, as in zip archives."""
    value = 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            value = zlib.crc32(chunk, value)
    return value


def _decoded(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            source, f"has an index that is not UTF-8 text (byte {error.start})", next_step="fetch it again"
        ) from error

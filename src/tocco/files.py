"""Atomic writes, content hashes, and checks of file names.

A result is written under a temporary name in its own folder, flushed to the disk and renamed. A run
that is killed leaves at most a file whose name starts with a dot, never a partial result.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import stat
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from tocco.errors import InputError, OutputError

_SAFE_NAME = re.compile(r"\w(?:[\w.-]*[\w-])?", re.UNICODE)
_UNSAFE = re.compile(r"[^\w.-]+", re.UNICODE)
_LONGEST_NAME_BYTES = 200
_RESERVED_NAMES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)),
}

_NOT_SUPPORTED = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
"""What systems answer where a folder cannot be flushed."""

SAFE_NAME_RULE = "letters, digits, '_', '-' and '.', beginning with a letter, digit or '_', at most 200 bytes"


def is_safe_name(name: str) -> bool:
    """Whether a string is a valid file name on every system.

    >>> is_safe_name("mozart_k331-take.2"), is_safe_name("../take"), is_safe_name("NUL")
    (True, False, False)
    """
    return (
        _SAFE_NAME.fullmatch(name) is not None
        and len(name.encode()) <= _LONGEST_NAME_BYTES
        and name.split(".")[0].casefold() not in _RESERVED_NAMES
    )


def file_name(title: str) -> str:
    """File name for a title, valid on every system.

    >>> file_name("Für Elise (take 2)"), file_name("-"), file_name("nul")
    ('Für_Elise_take_2', 'performance', '_nul')
    """
    name = _UNSAFE.sub("_", unicodedata.normalize("NFC", title)).strip("_.-") or "performance"
    while len(name.encode()) > _LONGEST_NAME_BYTES - 1:
        name = name[:-1].rstrip("_.-")
    return name if is_safe_name(name) else f"_{name}"


def assert_plain_file(path: Path) -> None:
    """Refuse pipes and devices: inputs are read more than once, and a device may never end.

    Raises
    ------
    InputError
        It is missing, is neither file nor folder, or its path cannot be resolved.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise InputError(path, "does not exist", next_step="check the spelling of the path") from error
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", next_step="check the path") from error
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise InputError(path, "is not a regular file", next_step="save it to a file first")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", next_step="check the path") from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Temporary path that is renamed to `path` at the end of the block, and removed after an error.

    The temporary name keeps the suffix of `path`, because some writers choose their format by it.

    Raises
    ------
    OutputError
        The folder cannot be made or the file cannot be written there.
    """
    temporary = path.parent / f".{path.stem[:60]}-{secrets.token_hex(4)}{path.suffix}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        if error.filename not in {None, str(temporary), str(path)}:
            raise  # an error of another file, inside the block
        raise _unwritable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def writable_folder(folder: Path) -> Path:
    """Create a folder if necessary, and check that results can be written to it.

    Called before a computation, so that it does not fail at the end.

    Raises
    ------
    OutputError
        It is a file, cannot be made, or may not be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _unwritable(folder, error) from error
    return folder


def read_text(path: Path) -> str:
    """Content of a UTF-8 text file, with or without byte order mark.

    Raises
    ------
    InputError
        It cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", next_step="check the path") from error
    except UnicodeDecodeError as error:
        raise InputError(
            path,
            f"is not UTF-8 text (byte {error.start})",
            next_step='save it as UTF-8 text (in a spreadsheet: "CSV UTF-8"), or check the path',
        ) from error


def read_names(path: Path) -> list[str]:
    """The names in a text file, one per line; blank lines are skipped."""
    return [line.strip() for line in read_text(path).splitlines() if line.strip()]


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def _sync(path: Path) -> None:
    """Flush a file or a folder to the disk, so that a rename survives a power failure."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    """Flush a folder where its file system can: some that are reached over a network cannot."""
    try:
        _sync(folder)
    except OSError as error:
        if error.errno not in _NOT_SUPPORTED:
            raise


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        path,
        f"cannot be written ({error.strerror or error})",
        next_step="choose a folder that is writable and has free space",
    )

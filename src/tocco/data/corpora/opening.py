"""Opens a corpus that is a folder or a tar archive."""

from __future__ import annotations

import contextlib
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tocco.errors import InputError

MAX_UNPACKED_BYTES: Final = 8 * 2**30
MAX_MEMBERS: Final = 200_000


@contextlib.contextmanager
def opened_source(source: Path, marker: str) -> Iterator[Path]:
    """The folder of a corpus, identified by a marker file; archives are unpacked temporarily.

    Parameters
    ----------
    source : a folder, or .tar, .tar.gz, .tar.xz, .tar.bz2
    marker
        Name of a file or folder that identifies the corpus: in the source, or in a folder inside it.

    Raises
    ------
    InputError
        It is missing, neither folder nor archive, has no such folder, or the archive is damaged, too
        large, or has members that leave it.
    """
    if source.is_dir():
        yield _marked(source, source, marker)
        return
    if not source.exists():
        raise InputError(source, "does not exist", next_step="check the path of the corpus")
    with tempfile.TemporaryDirectory(prefix="tocco-") as folder:
        _unpack(source, Path(folder))
        yield _marked(source, Path(folder), marker)


def _marked(source: Path, folder: Path, marker: str) -> Path:
    found = [place for place in (folder, *sorted(folder.iterdir())) if (place / marker).exists()]
    if len(found) != 1:
        raise InputError(
            source,
            f"has {len(found) or 'no'} folders with {marker!r}",
            allowed="one",
            next_step="give the folder of the corpus, or its archive",
        )
    return found[0]


def _unpack(archive: Path, folder: Path) -> None:
    try:
        with tarfile.open(archive) as tar:
            n_bytes = 0
            for number, member in enumerate(tar):
                n_bytes += member.size
                if number >= MAX_MEMBERS or n_bytes > MAX_UNPACKED_BYTES:
                    raise InputError(
                        archive,
                        f"unpacks to more than {MAX_MEMBERS:,} files or {MAX_UNPACKED_BYTES // 2**30} GiB",
                        next_step="unpack it and give the folder",
                    )
                # "data" refuses members that leave the folder, links out of it, and devices.
                tar.extract(member, folder, filter="data")
    except tarfile.FilterError as error:
        raise InputError(archive, f"has a member that is not safe to unpack ({error})") from error
    except (tarfile.TarError, EOFError, OSError) as error:
        raise InputError(
            archive,
            "is not a readable tar archive",
            allowed="a folder, .tar, .tar.gz, .tar.xz or .tar.bz2",
            next_step="fetch it again, or unpack it and give the folder",
        ) from error

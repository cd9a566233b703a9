"""A library: its folder and its database, and what is done to both at once."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tocco.apps.web.library.database import Database, now
from tocco.apps.web.library.jobs import add_job, remove_job
from tocco.apps.web.library.results import Result, insert_result, results_with
from tocco.apps.web.library.takes import ID_PATTERN, Take, insert_take
from tocco.apps.web.library.uploads import Upload, forgotten_uploads, insert_upload, remove_upload
from tocco.errors import OutputError, UsageError

DATABASE: Final = "library.sqlite"
_LOCK: Final = "lock"
_TAKES, _RESULTS, _UPLOADS = "takes", "results", "uploads"


@dataclass(frozen=True)
class Deleted:
    """What was deleted with a take.

    Attributes
    ----------
    n_files, n_bytes : of the take and of the results
    n_results : comparisons and rankings that showed it
    """

    n_files: int
    n_bytes: int
    n_results: int = 0


class Library:
    """Takes, results and jobs in one folder.

    Parameters
    ----------
    root : folder, which exists

    Raises
    ------
    ToccoError
        The database cannot be used.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.database = Database(root / DATABASE)
        self._lock: int | None = None
        for name in (_TAKES, _RESULTS, _UPLOADS):
            _make(root / name)

    def take_folder(self, take_id: str) -> Path:
        """Folder of a take: its files, and those of its assessment."""
        return self.root / _TAKES / _checked(take_id)

    def result_folder(self, result_id: str) -> Path:
        """Folder of a comparison or a ranking."""
        return self.root / _RESULTS / _checked(result_id)

    def upload_folder(self, upload_id: str) -> Path:
        """Folder of a file that waits."""
        return self.root / _UPLOADS / _checked(upload_id)

    def occupy(self) -> None:
        """Be the one server of this library until `leave`, or the end of the process; twice is once.

        Raises
        ------
        UsageError
            Another server is.
        """
        if self._lock is not None:
            return
        self._lock = os.open(self.root / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            _lock(self._lock)
        except OSError as error:
            self.leave()
            raise UsageError(
                "-o",
                f"names {self.root}, which another tocco serve has open",
                next_step="use that one, end it, or name another folder",
            ) from error

    def leave(self) -> None:
        """Let another server have the library."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def sweep(self) -> None:
        """Delete what a killed server left: folders that no row names, and files that waited too long."""
        with self.database.writing() as connection:
            for upload_id in forgotten_uploads(connection):
                remove_upload(connection, upload_id)
            for table, name in (("takes", _TAKES), ("results", _RESULTS), ("uploads", _UPLOADS)):
                known = {row["id"] for row in connection.execute(f"SELECT id FROM {table}")}
                for folder in (self.root / name).iterdir():
                    if folder.name not in known:
                        shutil.rmtree(folder, ignore_errors=True)

    def add_upload(self, upload: Upload) -> None:
        """Note a file that was received into its folder."""
        with self.database.writing() as connection:
            insert_upload(connection, upload, now())

    def discard_upload(self, upload_id: str) -> None:
        """Delete a file that waits."""
        with self.database.writing() as connection:
            remove_upload(connection, upload_id)
        shutil.rmtree(self.upload_folder(upload_id), ignore_errors=True)

    def add_take(self, take: Take, uploads: Sequence[Upload], copied: Path | None = None) -> None:
        """Make a take of files that were received, and queue its assessment.

        Parameters
        ----------
        take
        uploads : which it is made of
        copied : score from the folder of scores, or None

        Raises
        ------
        OutputError
            The files cannot be moved.
        """
        folder = self.take_folder(take.id)
        try:
            folder.mkdir()
            for upload in uploads:
                waiting = self.upload_folder(upload.id) / upload.file.stored
                waiting.replace(folder / upload.file.stored)
            score = take.file("score")
            if copied is not None and score is not None:
                shutil.copyfile(copied, folder / score.stored)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise unwritable(folder, error) from error
        with self.database.writing() as connection:
            insert_take(connection, take)
            add_job(connection, "assess", take.id)
            for upload in uploads:
                remove_upload(connection, upload.id)
        for upload in uploads:
            shutil.rmtree(self.upload_folder(upload.id), ignore_errors=True)

    def add_result(self, result: Result) -> None:
        """Queue a comparison or a ranking."""
        folder = self.result_folder(result.id)
        with self.database.writing() as connection:
            insert_result(connection, result)
            add_job(connection, result.kind, result.id)
        _make(folder)

    def results_with(self, take_id: str) -> list[str]:
        """Ids of the comparisons and rankings that show a take."""
        with self.database.reading() as connection:
            return results_with(connection, [take_id])

    def delete_take(self, take_id: str) -> Deleted:
        """Delete a take, everything that was made of it, and the results that show it.

        No job of these runs any more.

        Raises
        ------
        OutputError
            A file cannot be deleted; which.
        """
        with self.database.writing() as connection:
            results = results_with(connection, [take_id])
            for result_id in results:
                connection.execute("DELETE FROM results WHERE id = ?", (result_id,))
                remove_job(connection, result_id)
            remove_job(connection, take_id)
            connection.execute("DELETE FROM takes WHERE id = ?", (take_id,))
        self.database.forget()
        folders = [self.take_folder(take_id), *map(self.result_folder, results)]
        counts = [_remove(folder) for folder in folders]
        return Deleted(sum(n for n, _ in counts), sum(size for _, size in counts), len(results))

    def delete_result(self, result_id: str) -> Deleted:
        """Delete a comparison or a ranking; its job runs no more."""
        with self.database.writing() as connection:
            connection.execute("DELETE FROM results WHERE id = ?", (result_id,))
            remove_job(connection, result_id)
        self.database.forget()
        return Deleted(*_remove(self.result_folder(result_id)))


def unwritable(path: Path, error: OSError) -> OutputError:
    """A file of the library cannot be written."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return OutputError(
        path,
        f"cannot be written ({error.strerror or error})",
        next_step="delete takes, or free space on the disk" if full else "check the folder of the library",
    )


def _checked(one_id: str) -> str:
    if not re.fullmatch(ID_PATTERN, one_id):
        raise ValueError(f"{one_id!r} is no id")
    return one_id


def _make(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error


def _remove(folder: Path) -> tuple[int, int]:
    """Delete a folder, and say how many files and bytes it had."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    try:
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)
    except OSError as error:
        raise OutputError(
            Path(error.filename or folder),
            f"cannot be deleted ({error.strerror})",
            next_step="delete it by hand; the library no longer names it",
        ) from error
    return len(sizes), sum(sizes)


def _lock(handle: int) -> None:
    """Lock an open file for this process; the system unlocks it when the process ends, however that is."""
    if os.name == "posix":
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]

"""Receiving a file: the body of a request, written to the disk as it comes, up to a limit."""

from __future__ import annotations

import errno
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from anyio import fail_after, to_thread
from starlette.requests import ClientDisconnect, Request

from tocco.apps.web.library.library import unwritable
from tocco.apps.web.refusals import RefusedError
from tocco.apps.web.settings import MEGABYTE

IDLE_SEC: Final = 60.0
"""A request that sends nothing for so long is given up."""

SPARE_BYTES: Final = 200 * MEGABYTE
"""So much of the disk stays free."""


def announced_bytes(request: Request, limit_bytes: int) -> int:
    """The size that a request announces.

    Raises
    ------
    RefusedError
        It announces none (411), nothing (422), or more than is allowed (413).
    """
    given = request.headers.get("content-length")
    if given is None or not given.isascii() or not given.isdigit():
        raise RefusedError(411, "upload", "does not say its size", next_step="send a Content-Length")
    n_bytes = int(given)
    if n_bytes == 0:
        raise RefusedError(422, "upload", "is empty (0 bytes)", next_step="choose another file")
    if n_bytes > limit_bytes:
        raise _too_large(n_bytes, limit_bytes)
    return n_bytes


def check_space(folder: Path, n_bytes: int) -> None:
    """Refuse what the disk has no room for.

    Raises
    ------
    OutputError
        It would leave less than `SPARE_BYTES`.
    """
    if shutil.disk_usage(folder).free < n_bytes + SPARE_BYTES:
        raise unwritable(folder, OSError(errno.ENOSPC, "No space left on device"))


async def receive(request: Request, path: Path, limit_bytes: int) -> None:
    """Write the body of a request to a file.

    Raises
    ------
    RefusedError
        It is longer than allowed (413), stops (408), or is cut off (400).
    OutputError
        It cannot be written.
    """
    n_bytes = 0
    try:
        with path.open("xb") as stream:
            async for chunk in _chunks(request):
                n_bytes += len(chunk)
                if n_bytes > limit_bytes:
                    raise _too_large(n_bytes, limit_bytes)
                await to_thread.run_sync(stream.write, chunk)
    except ClientDisconnect as error:
        raise RefusedError(400, "upload", "was cut off", next_step="send it again") from error
    except OSError as error:
        raise unwritable(path, error) from error


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    source = aiter(request.stream())
    while True:
        try:
            with fail_after(IDLE_SEC):
                chunk = await anext(source)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise RefusedError(
                408, "upload", f"sent nothing for {IDLE_SEC:g} s", next_step="send it again"
            ) from error
        yield chunk


def _too_large(n_bytes: int, limit_bytes: int) -> RefusedError:
    return RefusedError(
        413,
        "upload",
        f"has {n_bytes / MEGABYTE:.1f} MB or more",
        allowed=f"at most {limit_bytes / MEGABYTE:g} MB",
        next_step="send it as FLAC or MP3, or start tocco serve with a higher --upload-limit",
    )

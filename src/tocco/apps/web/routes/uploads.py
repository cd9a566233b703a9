"""Sending files: each as the body of a request of its own."""

from __future__ import annotations

import shutil
from pathlib import Path as FilePath
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Path, Query
from starlette.requests import Request

from tocco.apps.web.library.receiving import announced_bytes, check_space, receive
from tocco.apps.web.library.takes import ID_PATTERN, StoredFile, new_id
from tocco.apps.web.library.uploads import (
    LONGEST_NAME,
    Role,
    Upload,
    count_uploads,
    find_upload,
    identified,
    received_name,
    shown_name,
)
from tocco.apps.web.refusals import RefusedError, not_found
from tocco.apps.web.routes.answers import ERRORS
from tocco.apps.web.services import Services, Shared
from tocco.data.pairing import Kind
from tocco.schema import StrictModel

router = APIRouter(prefix="/api/uploads", tags=["uploads"], responses=ERRORS)

UploadId = Annotated[str, Path(pattern=ID_PATTERN)]

_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class Received(StrictModel):
    """A file that waits to become a take."""

    id: str
    """To name it by."""

    kind: Kind
    """What it is, by its content."""

    name: str
    """As it was given."""

    n_bytes: int
    """Its size."""


@router.put("", status_code=201, openapi_extra=_BODY)
async def send_file(
    request: Request,
    shared: Shared,
    name: Annotated[str, Query(min_length=1, max_length=LONGEST_NAME)],
    role: Role = "auto",
) -> Received:
    """Send one file: a recording, a MIDI or a score. It is deleted after a day unless a take uses it."""
    shown = shown_name(name)
    n_bytes = announced_bytes(request, shared.settings.upload_bytes)
    upload_id = new_id()
    folder = shared.library.upload_folder(upload_id)
    await to_thread.run_sync(_prepare, shared, folder, n_bytes)
    path = folder / received_name(shown)
    try:
        await receive(request, path, shared.settings.upload_bytes)
        file = await to_thread.run_sync(_keep, shared, upload_id, path, shown, role)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Received(id=upload_id, kind=file.kind, name=file.name, n_bytes=file.n_bytes)


@router.delete("/{upload_id}", status_code=204)
def discard_file(upload_id: UploadId, shared: Shared) -> None:
    """Delete a file that was sent and waits."""
    with shared.library.database.reading() as connection:
        found = find_upload(connection, upload_id)
    if found is None:
        raise not_found("file")
    shared.library.discard_upload(upload_id)


def _prepare(shared: Services, folder: FilePath, n_bytes: int) -> None:
    with shared.library.database.reading() as connection:
        n_waiting = count_uploads(connection)
    if n_waiting >= shared.settings.waiting_uploads:
        raise RefusedError(
            429,
            "files",
            f"wait already, {n_waiting} of them",
            allowed=f"at most {shared.settings.waiting_uploads}",
            next_step="make takes of them, or remove some",
        )
    check_space(shared.library.root, n_bytes)
    folder.mkdir()


def _keep(shared: Services, upload_id: str, path: FilePath, name: str, role: Role) -> StoredFile:
    file = identified(path, name, role)
    path.rename(path.with_name(file.stored))
    shared.library.add_upload(Upload(upload_id, file))
    return file

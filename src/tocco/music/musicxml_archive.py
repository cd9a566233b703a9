"""Compressed MusicXML (.mxl): which member of the archive is the score, unpacked within limits."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Sequence
from urllib.parse import unquote

from tocco.errors import InputError
from tocco.music.musicxml_tree import NEXT_STEP, parse_xml
from tocco.music.notation import MAX_SCORE_BYTES

_CONTAINER = "META-INF/container.xml"
_MAX_CONTAINER_BYTES = 2**16
_SCORE_SUFFIXES = (".musicxml", ".xml")

# What zipfile raises on archives that are cut off, damaged, encrypted or packed in another way.
_ZIP_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


def unpack_mxl(content: bytes, source: str) -> bytes:
    """The MusicXML inside a compressed .mxl.

    Parameters
    ----------
    content : a zip archive
    source : for messages

    Returns
    -------
    The first MusicXML that the container lists and the archive holds. Without a container, as archives
    packed by hand come: the only MusicXML of the archive.

    Raises
    ------
    InputError
        The archive is broken, holds no score, or unpacks to more than the limit.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if _CONTAINER in names:
                container = _extract(archive, _CONTAINER, _MAX_CONTAINER_BYTES, source)
                name = _listed_score(container, names, source)
            else:
                name = _only_score(names, source)
            return _extract(archive, name, MAX_SCORE_BYTES, source)
    except _ZIP_FAULTS as error:
        raise InputError(
            source, "is a broken .mxl archive, or an encrypted one", next_step=NEXT_STEP
        ) from error


def _extract(archive: zipfile.ZipFile, name: str, limit_bytes: int, source: str) -> bytes:
    """Read a member up to a limit; the size that the archive claims is not believed."""
    with archive.open(name) as member:
        content = member.read(limit_bytes + 1)
    if len(content) > limit_bytes:
        raise InputError(
            source, f"unpacks {name!r} to more than {limit_bytes // 1024:,} KiB", next_step=NEXT_STEP
        )
    return content


def _listed_score(container: bytes, names: Sequence[str], source: str) -> str:
    """The first score that a container lists; it may also list pictures and PDF of the same."""
    listed = []
    for element in parse_xml(container, source).iter("{*}rootfile"):
        path = element.get("full-path") or ""
        if path and _is_score(path, element.get("media-type")):
            listed.append(path)
    if not listed:
        raise InputError(source, "is an .mxl archive that names no score", next_step=NEXT_STEP)
    for path in listed:
        for written in (path, unquote(path)):
            name = posixpath.normpath(written.replace("\\", "/")).lstrip("/")
            if name in names:
                return name
    raise InputError(source, f"names a score {listed[0]!r} that it does not hold", next_step=NEXT_STEP)


def _is_score(path: str, media_type: str | None) -> bool:
    if media_type is not None:
        return "xml" in media_type
    return path.lower().endswith(_SCORE_SUFFIXES)


def _only_score(names: Sequence[str], source: str) -> str:
    scores = [
        name
        for name in names
        if name.lower().endswith(_SCORE_SUFFIXES) and not name.startswith(("META-INF/", "__MACOSX/"))
    ]
    if not scores:
        raise InputError(
            source,
            f"is a zip archive without a score (no {_CONTAINER})",
            allowed="compressed MusicXML (.mxl)",
            next_step=NEXT_STEP,
        )
    if len(scores) > 1:
        raise InputError(
            source,
            f"is a zip archive of {len(scores)} XML files that does not say which one is the score",
            allowed="compressed MusicXML (.mxl)",
            next_step="unpack it and give one of them",
        )
    return scores[0]

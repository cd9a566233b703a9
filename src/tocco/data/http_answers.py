"""Interpretation of HTTP responses to range requests (RFC 9110): accept, retry, or refuse."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from tocco.errors import InputError, MissingPartError

try:
    import requests
    import urllib3
except ImportError as error:
    raise MissingPartError(
        "downloads", f"need {error.name}, which is not installed", next_step="install 'tocco[data]'"
    ) from error

GO_ON: Final = "check the network and run the same command again: it continues where it stopped"

_TRY_AGAIN_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


@dataclass(frozen=True)
class Patience:
    """Limits of retries and waiting times.

    Attributes
    ----------
    attempts : consecutive attempts without a new byte before giving up
    contact_attempts : consecutive attempts for the first contact, where there may be no network at all
    first_wait_sec, longest_wait_sec : seconds
        The wait between attempts doubles from the first to the longest.
    longest_pause_sec : seconds
        A server may request a pause (Retry-After); a longer one is an error.
    connect_timeout_sec, silence_timeout_sec : seconds without a response from the server
    """

    attempts: int = 6
    contact_attempts: int = 4
    first_wait_sec: float = 0.5
    longest_wait_sec: float = 30.0
    longest_pause_sec: float = 300.0
    connect_timeout_sec: float = 10.0
    silence_timeout_sec: float = 60.0


@dataclass(frozen=True)
class RemoteFile:
    """One version of a file on a server.

    Attributes
    ----------
    url
    size_bytes
    etag : as sent by the server, with its quotes; None if there is no strong one
        Without it two responses may be of different versions, so a part is not continued.
    """

    url: str
    size_bytes: int
    etag: str | None


class SourceChangedError(InputError):
    """The file on the server is no longer the version whose download was started."""


@dataclass
class InterruptionError(Exception):
    """A temporary error: try again."""

    reason: str
    pause_sec: float | None = None


def strong_etag(etag: str | None) -> str | None:
    """A strong entity tag; a weak one (W/"...") does not identify the bytes."""
    return etag if etag and etag.startswith('"') else None


def check_status(response: requests.Response, patience: Patience) -> None:
    """Accept a response with content.

    Raises
    ------
    InterruptionError
        The server is busy; it may have stated for how long.
    InputError
        It refuses, or requests a longer pause than `patience` allows.
    """
    status = response.status_code
    if status in _TRY_AGAIN_LATER:
        pause_sec = _pause_sec(response.headers.get("Retry-After"))
        if pause_sec is not None and pause_sec > patience.longest_pause_sec:
            raise InputError(
                response.url,
                f"is unavailable for {pause_sec:.0f} s (the server answers {status})",
                allowed=f"a pause of up to {patience.longest_pause_sec:g} s",
                next_step="run the same command again after that",
            )
        raise InterruptionError(f"the server answers {status}", pause_sec)
    if status not in {200, 206}:
        raise InputError(
            response.url,
            f"is refused by the server ({status} {response.reason})",
            next_step="check the address of the source",
        )


def _pause_sec(retry_after: str | None) -> float | None:
    """Retry-After as seconds: it holds a number of them, or a date (RFC 9110, 10.2.3)."""
    if not retry_after:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    aware = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


def is_partial(response: requests.Response, remote: RemoteFile, start: int, stop: int) -> bool:
    """Whether the response has the bytes from `start` on (True) or the whole file (False).

    Raises
    ------
    SourceChangedError
        It is of another version.
    """
    etag = strong_etag(response.headers.get("ETag"))
    if remote.etag is not None and etag != remote.etag:
        raise _changed(remote)
    if response.status_code == 200:
        if response.headers.get("Content-Length", str(remote.size_bytes)) != str(remote.size_bytes):
            raise _changed(remote)
        return False
    span = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if span is None or int(span[1]) != start or int(span[2]) >= stop:
        raise InputError(
            remote.url,
            f"sent other bytes than requested ({response.headers.get('Content-Range')!r})",
            allowed=f"bytes {start} to {stop - 1}",
            next_step="choose another source",
        )
    if span[3] not in {"*", str(remote.size_bytes)}:
        raise _changed(remote)
    return True


def _changed(remote: RemoteFile) -> SourceChangedError:
    return SourceChangedError(remote.url, "was replaced on the server during the download", next_step=GO_ON)


def line_fault(error: Exception) -> str:
    """Description of a connection error, without the name of a library's class."""
    if isinstance(error, requests.exceptions.Timeout | urllib3.exceptions.TimeoutError):
        return "the server does not answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "the server's certificate cannot be trusted"
    text = repr(error)
    if "NameResolution" in text:
        return "the server's name cannot be found; is there a network?"
    if "NewConnection" in text:
        return "no connection to the server; is there a network?"
    if isinstance(error, requests.exceptions.ProxyError):
        return "no connection through the proxy"
    return "the connection broke"

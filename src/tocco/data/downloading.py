"""HTTP downloads over unreliable connections: resumed, verified, and atomic.

Received bytes are in a `.part` file, and a JSON file beside it records the file and version (its ETag,
RFC 9110) they belong to. A part is only continued with bytes of the same version.
"""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO, TypeVar

from tocco.data.http_answers import (
    GO_ON,
    InterruptionError,
    Patience,
    RemoteFile,
    SourceChangedError,
    check_status,
    is_partial,
    line_fault,
    strong_etag,
)
from tocco.errors import InputError, MissingPartError, OutputError
from tocco.files import sha256_of, write_bytes

try:
    import requests
    import tenacity
    import urllib3
except ImportError as error:
    raise MissingPartError(
        "downloads", f"need {error.name}, which is not installed", next_step="install 'tocco[data]'"
    ) from error

_CHUNK_BYTES = 1 << 16
_RANGE_NOT_SATISFIABLE = 416

T = TypeVar("T")


@dataclass
class _RetryPolicy:
    """Counts consecutive attempts without progress; a new byte resets the count."""

    patience: Patience
    attempts: int
    received_bytes: Callable[[], int]
    most_bytes: int
    fruitless: int = 0

    def after(self, state: tenacity.RetryCallState) -> None:
        # Compared with the maximum so far: a server that alternates between progress and loss must not block.
        received = self.received_bytes()
        self.fruitless = 0 if received > self.most_bytes else self.fruitless + 1
        self.most_bytes = max(received, self.most_bytes)

    def stop(self, state: tenacity.RetryCallState) -> bool:
        return self.fruitless >= self.attempts

    def wait(self, state: tenacity.RetryCallState) -> float:
        fault = state.outcome.exception() if state.outcome is not None else None
        requested_sec = fault.pause_sec if isinstance(fault, InterruptionError) else None
        backoff_sec = self.patience.first_wait_sec * 2.0 ** max(self.fruitless - 1, 0)
        return max(min(backoff_sec, self.patience.longest_wait_sec), requested_sec or 0.0)


@dataclass
class Downloader:
    """Downloads files and spans of files; thread-safe.

    Attributes
    ----------
    patience
    on_bytes
        Called with the number of new bytes as they arrive, from any thread.
    """

    patience: Patience = field(default_factory=Patience)
    on_bytes: Callable[[int], object] = lambda n: None
    _stopped: threading.Event = field(default_factory=threading.Event)
    _of_thread: threading.local = field(default_factory=threading.local)

    def stop(self) -> None:
        """Make every thread stop at its next chunk."""
        self._stopped.set()

    def describe(self, url: str) -> RemoteFile:
        """Size and version of a file, without its content.

        Raises
        ------
        InputError
            It cannot be reached, the server refuses it, or does not state its size.
        """

        def once() -> RemoteFile:
            with self._request("HEAD", url, {}) as response:
                check_status(response, self.patience)
                size = response.headers.get("Content-Length", "")
                if not size.isdecimal():
                    raise InputError(url, "has no stated size", next_step="choose another source")
                return RemoteFile(url, int(size), strong_etag(response.headers.get("ETag")))

        attempts = min(self.patience.attempts, self.patience.contact_attempts)
        return self._retry(url, once, lambda: 0, attempts)

    def read_span(self, remote: RemoteFile, start: int, stop: int) -> bytes:
        """Read the bytes `start <= i < stop` of a remote file into memory; for small spans.

        Raises
        ------
        SourceChangedError
            The file on the server has changed.
        InputError
            The bytes cannot be downloaded.
        """
        buffer = io.BytesIO()
        self._fill(remote, start, stop, buffer)
        return buffer.getvalue()

    def fetch_span(self, remote: RemoteFile, start: int, stop: int, part: Path) -> None:
        """Download the bytes `start <= i < stop` into a file, continuing after its present content.

        Raises
        ------
        SourceChangedError
            The file on the server has changed.
        InputError
            The bytes cannot be downloaded.
        OutputError
            They cannot be written.
        """
        note = note_of(part)
        label = json.dumps({**asdict(remote), "start": start, "stop": stop}).encode()
        try:
            if remote.etag is None or not note.is_file() or note.read_bytes() != label:
                part.unlink(missing_ok=True)
                write_bytes(note, label)
            with part.open("a+b") as sink:
                if sink.seek(0, os.SEEK_END) > stop - start:
                    sink.truncate(0)
                self._fill(remote, start, stop, sink)
                os.fsync(sink.fileno())
        except OSError as error:
            raise OutputError(
                part,
                f"cannot be written ({error.strerror or error})",
                next_step="free some space or choose another folder, then run the same command again",
            ) from error

    def fetch_file(self, url: str, target: Path, *, sha256: str | None = None) -> str:
        """Download a whole file; the target exists only when it is complete and verified.

        Parameters
        ----------
        url, target
        sha256 : hex digits
            The published checksum. Without one, only length and version are verified.

        Returns
        -------
        SHA-256 of the file.

        Raises
        ------
        InputError, OutputError
            As `fetch_span`; or the checksum is wrong, or the file keeps changing.
        """
        part = part_of(target)
        found = ""
        for _ in range(self.patience.attempts):
            remote = self.describe(url)
            try:
                self.fetch_span(remote, 0, remote.size_bytes, part)
            except SourceChangedError:
                continue
            found = sha256_of(part)
            if sha256 in {None, found}:
                part.replace(target)
                note_of(part).unlink(missing_ok=True)
                return found
            part.unlink()
        problem = f"has the SHA-256 {found}, not {sha256}" if found else "changes during the download"
        raise InputError(url, problem, next_step="try again later, or choose another source")

    def _fill(self, remote: RemoteFile, start: int, stop: int, sink: BinaryIO) -> None:
        def received() -> int:
            return sink.seek(0, os.SEEK_END)

        def once() -> None:
            if received() and remote.etag is None:
                sink.truncate(0)
                sink.seek(0)
            if received() < stop - start:
                self._continue(remote, start, stop, sink)

        self._retry(remote.url, once, received, self.patience.attempts)

    def _continue(self, remote: RemoteFile, start: int, stop: int, sink: BinaryIO) -> None:
        """One request for the missing bytes; all bytes received are written, even if it fails."""
        have = sink.seek(0, os.SEEK_END)
        headers = {"Range": f"bytes={start + have}-{stop - 1}"}
        if remote.etag is not None:
            headers["If-Range"] = remote.etag
        with self._request("GET", remote.url, headers) as response:
            if response.status_code == _RANGE_NOT_SATISFIABLE:
                sink.truncate(0)
                sink.seek(0)
                raise InterruptionError("the server cannot send the rest of the file")
            check_status(response, self.patience)
            if not is_partial(response, remote, start + have, stop):
                if (start, stop) != (0, remote.size_bytes):
                    raise InputError(
                        remote.url,
                        "is on a server without byte ranges",
                        next_step="download the whole archive and name it as the source",
                    )
                sink.truncate(0)
                have = sink.seek(0)
            # `read1` returns what is available; `iter_content` loses the last chunk of a broken one.
            while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=False):
                wanted = chunk[: stop - start - have]
                sink.write(wanted)
                have += len(wanted)
                self.on_bytes(len(wanted))
                if self._stopped.is_set():
                    raise _stopped(remote.url)
        if have < stop - start:
            raise InterruptionError(f"the response ended {stop - start - have} bytes early")

    @contextmanager
    def _request(self, method: str, url: str, headers: dict[str, str]) -> Iterator[requests.Response]:
        """One response; a temporary connection error is raised as an interruption."""
        patience = self.patience
        try:
            # `identity`: a compressed response would have other bytes, and other ranges, than the file.
            with self._session().request(
                method,
                url,
                headers={"Accept-Encoding": "identity", **headers},
                stream=True,
                allow_redirects=True,
                timeout=(patience.connect_timeout_sec, patience.silence_timeout_sec),
            ) as response:
                if response.headers.get("Content-Encoding", "identity") != "identity":
                    raise InputError(
                        url,
                        "is sent in a compressed form that was not requested",
                        next_step="choose another source",
                    )
                yield response
        except (
            requests.exceptions.ConnectionError,
            requests.exceptions.Timeout,
            urllib3.exceptions.HTTPError,
        ) as error:
            raise InterruptionError(line_fault(error)) from error
        except requests.RequestException as error:
            raise InputError(url, f"cannot be requested ({error})", next_step="check the address") from error

    def _session(self) -> requests.Session:
        if not hasattr(self._of_thread, "session"):
            self._of_thread.session = requests.Session()
        return self._of_thread.session

    def _sleep(self, seconds: float) -> None:
        self._stopped.wait(seconds)

    def _retry(self, url: str, once: Callable[[], T], received_bytes: Callable[[], int], attempts: int) -> T:
        """Call until it succeeds, within the limits of `Patience`."""
        policy = _RetryPolicy(self.patience, attempts, received_bytes, received_bytes())

        def unless_stopped() -> T:
            if self._stopped.is_set():
                raise _stopped(url)
            return once()

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(InterruptionError),
            after=policy.after,
            stop=policy.stop,
            wait=policy.wait,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(unless_stopped)
        except InterruptionError as fault:
            times = f"{policy.fruitless} attempts in a row"
            raise InputError(url, f"cannot be fetched: {fault.reason} ({times})", next_step=GO_ON) from fault


def part_of(target: Path) -> Path:
    """Path of the partial download of a file."""
    return target.with_name(f".{target.name}.part")


def note_of(part: Path) -> Path:
    """Path of the JSON that records the version of a partial download."""
    return part.with_name(f"{part.name}.json")


def _stopped(url: str) -> InputError:
    return InputError(url, "was not fetched completely, because the run was stopped", next_step=GO_ON)

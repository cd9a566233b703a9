"""Files over HTTP on a bad line: resumed where they stopped, checked, and whole or absent.

What has arrived lies in a `.part` file, and beside it a note says of which version of which file it
is a part (its ETag, RFC 9110). A part is only ever continued with bytes of the same version.
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
class _Stubbornness:
    """Counts the attempts that brought nothing; a new byte starts the count again."""

    patience: Patience
    attempts: int
    bytes_at_hand: Callable[[], int]
    most_bytes: int
    fruitless: int = 0

    def after(self, state: tenacity.RetryCallState) -> None:
        # The most that there ever was: a server that gives and takes away in turn must not bind us for ever.
        at_hand = self.bytes_at_hand()
        self.fruitless = 0 if at_hand > self.most_bytes else self.fruitless + 1
        self.most_bytes = max(at_hand, self.most_bytes)

    def stop(self, state: tenacity.RetryCallState) -> bool:
        return self.fruitless >= self.attempts

    def wait(self, state: tenacity.RetryCallState) -> float:
        fault = state.outcome.exception() if state.outcome is not None else None
        asked_sec = fault.pause_sec if isinstance(fault, InterruptionError) else None
        grown_sec = self.patience.first_wait_sec * 2.0 ** max(self.fruitless - 1, 0)
        return max(min(grown_sec, self.patience.longest_wait_sec), asked_sec or 0.0)


@dataclass
class Downloader:
    """Fetches files and spans of files; one serves any number of threads.

    Attributes
    ----------
    patience
    on_bytes
        Told the number of new bytes as they arrive, from any thread.
    """

    patience: Patience = field(default_factory=Patience)
    on_bytes: Callable[[int], object] = lambda n: None
    _stopped: threading.Event = field(default_factory=threading.Event)
    _of_thread: threading.local = field(default_factory=threading.local)

    def stop(self) -> None:
        """Let every thread end at its next chunk."""
        self._stopped.set()

    def describe(self, url: str) -> RemoteFile:
        """Size and version of a file, without its content.

        Raises
        ------
        InputError
            It cannot be reached, the server refuses it, or does not say how large it is.
        """

        def once() -> RemoteFile:
            with self._request("HEAD", url, {}) as response:
                check_status(response, self.patience)
                size = response.headers.get("Content-Length", "")
                if not size.isdecimal():
                    raise InputError(url, "comes without its size", next_step="choose another source")
                return RemoteFile(url, int(size), strong_etag(response.headers.get("ETag")))

        attempts = min(self.patience.attempts, self.patience.contact_attempts)
        return self._insist(url, once, lambda: 0, attempts)

    def read_span(self, remote: RemoteFile, start: int, stop: int) -> bytes:
        """The bytes `start <= i < stop` of a remote file, in memory; for small spans.

        Raises
        ------
        SourceChangedError
            The file on the server is another version by now.
        InputError
            The bytes cannot be had.
        """
        held = io.BytesIO()
        self._fill(remote, start, stop, held)
        return held.getvalue()

    def fetch_span(self, remote: RemoteFile, start: int, stop: int, part: Path) -> None:
        """Bring the bytes `start <= i < stop` into a file, going on with what it holds already.

        Raises
        ------
        SourceChangedError
            The file on the server is another version by now.
        InputError
            The bytes cannot be had.
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
                next_step="make room or choose another folder, then run the same command again",
            ) from error

    def fetch_file(self, url: str, target: Path, *, sha256: str | None = None) -> str:
        """Bring a whole file; it has its name only when it is complete and checked.

        Parameters
        ----------
        url, target
        sha256 : hex digits
            The published checksum. Without one, length and version are what is checked.

        Returns
        -------
        SHA-256 of the file.

        Raises
        ------
        InputError, OutputError
            As `fetch_span`; the checksum is wrong; the file changes all the time.
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
        wrong = f"has the SHA-256 {found}, not {sha256}" if found else "changes while it is being fetched"
        raise InputError(url, wrong, next_step="try again later, or choose another source")

    def _fill(self, remote: RemoteFile, start: int, stop: int, sink: BinaryIO) -> None:
        def at_hand() -> int:
            return sink.seek(0, os.SEEK_END)

        def once() -> None:
            if at_hand() and remote.etag is None:
                sink.truncate(0)
                sink.seek(0)
            if at_hand() < stop - start:
                self._go_on(remote, start, stop, sink)

        self._insist(remote.url, once, at_hand, self.patience.attempts)

    def _go_on(self, remote: RemoteFile, start: int, stop: int, sink: BinaryIO) -> None:
        """One request for what is still missing; all that arrives is kept, however it ends."""
        have = sink.seek(0, os.SEEK_END)
        headers = {"Range": f"bytes={start + have}-{stop - 1}"}
        if remote.etag is not None:
            headers["If-Range"] = remote.etag
        with self._request("GET", remote.url, headers) as response:
            if response.status_code == _RANGE_NOT_SATISFIABLE:
                sink.truncate(0)
                sink.seek(0)
                raise InterruptionError("the server cannot give the rest of what was begun")
            check_status(response, self.patience)
            if not is_partial(response, remote, start + have, stop):
                if (start, stop) != (0, remote.size_bytes):
                    raise InputError(
                        remote.url,
                        "comes from a server that gives no byte ranges",
                        next_step="download the whole archive and name it as the source",
                    )
                sink.truncate(0)
                have = sink.seek(0)
            # `read1` hands over what there is; `iter_content` would lose the begun chunk of a broken line.
            while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=False):
                kept = chunk[: stop - start - have]
                sink.write(kept)
                have += len(kept)
                self.on_bytes(len(kept))
                if self._stopped.is_set():
                    raise _stopped(remote.url)
        if have < stop - start:
            raise InterruptionError(f"the answer ended {stop - start - have} bytes early")

    @contextmanager
    def _request(self, method: str, url: str, headers: dict[str, str]) -> Iterator[requests.Response]:
        """One answer; a fault of the line that may pass becomes an interruption."""
        patience = self.patience
        try:
            # `identity`: a compressed answer would have other bytes, and other ranges, than the file.
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
                        "comes in a compressed form that was not asked for",
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
            raise InputError(url, f"cannot be asked for ({error})", next_step="check the address") from error

    def _session(self) -> requests.Session:
        if not hasattr(self._of_thread, "session"):
            self._of_thread.session = requests.Session()
        return self._of_thread.session

    def _rest(self, seconds: float) -> None:
        self._stopped.wait(seconds)

    def _insist(self, url: str, once: Callable[[], T], bytes_at_hand: Callable[[], int], attempts: int) -> T:
        """Call until it comes through, as long as patience lasts."""
        stubbornness = _Stubbornness(self.patience, attempts, bytes_at_hand, bytes_at_hand())

        def unless_stopped() -> T:
            if self._stopped.is_set():
                raise _stopped(url)
            return once()

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(InterruptionError),
            after=stubbornness.after,
            stop=stubbornness.stop,
            wait=stubbornness.wait,
            sleep=self._rest,
            reraise=True,
        )
        try:
            return retrying(unless_stopped)
        except InterruptionError as fault:
            times = f"{stubbornness.fruitless} attempts in a row"
            raise InputError(url, f"cannot be fetched: {fault.reason} ({times})", next_step=GO_ON) from fault


def part_of(target: Path) -> Path:
    """Where the bytes of a file gather until it is whole."""
    return target.with_name(f".{target.name}.part")


def note_of(part: Path) -> Path:
    """Where it is written which version a part belongs to."""
    return part.with_name(f"{part.name}.json")


def _stopped(url: str) -> InputError:
    return InputError(url, "was not fetched to its end, because the run was stopped", next_step=GO_ON)

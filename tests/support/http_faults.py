"""A web server that misbehaves by plan: drops, truncations, replaced files, answers 503 and 416."""

from __future__ import annotations

import hashlib
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

FAULTS = ("reset", "drop", "truncate", "replace", "503", "416")
"""What a plan is made of; "stall", an answer whose body does not come, takes too long for one."""

STALL_SEC = 1.5
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


@dataclass
class FaultyServer:
    """Files, what is to go wrong with them, and what was asked for.

    Attributes
    ----------
    files : path -> the versions of its content, the present one first
        A "replace" moves on to the next; where there is none, it is passed over.
    plan : faults still to come, the next one last
    fault_share : of the GET requests that a fault is taken for, while there are any
    honours_ranges, states_etag : what a poor server may lack
    pause_sec : between blocks of 2 KiB of a body
    """

    files: Mapping[str, Sequence[bytes]]
    plan: list[str] = field(default_factory=list)
    fault_share: float = 0.85
    honours_ranges: bool = True
    states_etag: bool = True
    retry_after: str = "0"
    pause_sec: float = 0.0
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    url: str = ""
    requests: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    asked: list[tuple[str, int]] = field(default_factory=list)
    if_range: set[str] = field(default_factory=set)
    sent_bytes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    version: Counter[str] = field(default_factory=Counter)

    def content(self, path: str) -> bytes:
        """The present version of a file."""
        return self.files[path][self.version[path]]

    def etag(self, path: str) -> str:
        return f'"{hashlib.sha256(self.content(path)).hexdigest()[:16]}"'

    def next_fault(self, path: str) -> str | None:
        if not self.plan or self.rng.random() >= self.fault_share:
            return None
        fault = self.plan.pop()
        if fault == "replace":
            if self.version[path] + 1 == len(self.files[path]):
                fault = "drop"
            else:
                self.version[path] += 1
        self.faults[fault] += 1
        return fault


def fault_plan(n: int, rng: np.random.Generator, kinds: Sequence[str] = FAULTS) -> list[str]:
    """`n` faults, every kind equally often, in a seeded order."""
    return rng.permutation([kinds[i % len(kinds)] for i in range(n)]).tolist()


@contextmanager
def serving(server: FaultyServer) -> Iterator[FaultyServer]:
    """The server at work on a free port of this machine; `server.url` has no slash at its end."""

    class Handler(_Handler):
        state = server

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that hung up is no news."""

    with Quiet(("127.0.0.1", 0), Handler) as http:
        server.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: FaultyServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def do_HEAD(self) -> None:
        path, state = self.path, self.state
        with state.lock:
            state.requests["HEAD"] += 1
            known = path in state.files
            size, etag = (len(state.content(path)), state.etag(path)) if known else (0, "")
        self.send_response(200 if known else 404)
        self._head(size, etag)

    def do_GET(self) -> None:
        path, state = self.path, self.state
        if path not in state.files:
            self.send_response(404)
            self._head(0, "")
            return
        with state.lock:
            state.requests["GET"] += 1
            fault = state.next_fault(path)
            content, etag = state.content(path), state.etag(path)
            cut = float(state.rng.random())
        if fault == "503":
            self.send_response(503)
            self.send_header("Retry-After", state.retry_after)
            self._head(0, "")
        elif fault == "416":
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self._head(0, etag)
        else:
            self._answer(path, content, etag, fault, cut)

    def _answer(self, path: str, content: bytes, etag: str, fault: str | None, cut: float) -> None:
        span = _RANGE.fullmatch(self.headers.get("Range", ""))
        fresh = self.headers.get("If-Range", etag) == etag
        start, stop = 0, len(content)
        if span is not None and fresh and self.state.honours_ranges:
            start, stop = int(span[1]), min(int(span[2]) + 1, len(content))
        is_part = span is not None and fresh and self.state.honours_ranges
        with self.state.lock:
            self.state.asked.append((path, start))
            self.state.if_range.add(self.headers.get("If-Range", ""))
        body = content[start:stop]
        self.send_response(206 if is_part else 200)
        if is_part:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(content)}")
        n_sent = int(cut * len(body)) if fault in {"reset", "drop", "truncate"} else len(body)
        self._head(n_sent if fault == "truncate" and is_part else len(body), etag)
        if fault == "stall":
            time.sleep(STALL_SEC)
        self._send(body[:n_sent])
        if fault in {"reset", "drop", "truncate"}:
            self.close_connection = True
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _send(self, body: bytes) -> None:
        for at in range(0, len(body), 2048) if self.state.pause_sec else (0,):
            block = body[at : at + 2048] if self.state.pause_sec else body
            self.wfile.write(block)
            with self.state.lock:
                self.state.sent_bytes += len(block)
            time.sleep(self.state.pause_sec)

    def _head(self, size: int, etag: str) -> None:
        self.send_header("Content-Length", str(size))
        if etag and self.state.states_etag:
            self.send_header("ETag", etag)
        self.end_headers()

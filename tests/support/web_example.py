"""The web application in tests: without a network, asked as a browser asks."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from fastapi.testclient import TestClient

import tocco
import worker_double
from tocco.apps.web.app import create_app
from tocco.apps.web.settings import Settings

ADDRESS: Final = "http://localhost:8350"
SECRET: Final = "correct horse battery"

EXAMPLES: Final = Path(tocco.__file__).parent / "examples"
MINUET: Final = EXAMPLES / "petzold_minuet"
PRELUDE: Final = EXAMPLES / "bach_prelude"


Client = TestClient | httpx.Client


def settings(library: Path, **other: Any) -> Settings:
    """Settings for a library in a test's folder."""
    return Settings(library=library, **other)


@contextmanager
def web_client(
    made: Settings, *, origin: str | None = ADDRESS, worker: Sequence[str] = worker_double.COMMAND
) -> Iterator[TestClient]:
    """A client of a running application, which sends what a browser sends from a page of it.

    Parameters
    ----------
    made : settings of the application
    origin : None where the client names none
    worker : command of the process of a job; by default a double that is done at once
    """
    sent = {} if origin is None else {"origin": origin}
    app = create_app(made, worker)
    with TestClient(app, base_url=ADDRESS, headers=sent, follow_redirects=False) as client:
        yield client


def send(client: Client, path: Path, name: str | None = None, **query: str) -> dict[str, Any]:
    """Send a file, and return the answer."""
    params = {"name": name or path.name, **query}
    answer = client.put("/api/uploads", params=params, content=path.read_bytes())
    assert answer.status_code == 201, answer.text
    return answer.json()


def make_take(client: Client, title: str, *paths: Path, **other: Any) -> dict[str, Any]:
    """Send files, by default a MIDI, and make a take of them."""
    uploads = [send(client, path)["id"] for path in paths or (MINUET / "minuet.mid",)]
    answer = client.post("/api/takes", json={"uploads": uploads, "title": title, **other})
    assert answer.status_code == 201, answer.text
    return answer.json()


def wait_for(
    client: Client, address: str, *states: str, stage: str = "", within_sec: float = 60.0
) -> dict[str, Any]:
    """The take or the result at an address, once its job is in one of these states, and at this stage."""
    end_sec = time.monotonic() + within_sec
    while True:
        answer = client.get(address).json()
        if answer["progress"]["state"] in states and stage in ("", answer["progress"]["stage"]):
            return answer
        assert time.monotonic() < end_sec, answer["progress"]
        time.sleep(0.05)


def pids_of(client: TestClient, library: Path, take_id: str, within_sec: float = 30.0) -> list[int]:
    """The processes of a double that waits: its own, and the one that it started."""
    wait_for(client, f"/api/takes/{take_id}", "running")
    path = library / "takes" / take_id / "result" / worker_double.PIDS
    end_sec = time.monotonic() + within_sec
    while not path.is_file():
        assert time.monotonic() < end_sec
        time.sleep(0.01)
    return json.loads(path.read_text())


def every_byte(folder: Path) -> bytes:
    """What stands in all files of a folder, the database and its log among them, and their names."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return b"".join(str(path.relative_to(folder)).encode() + path.read_bytes() for path in paths)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def gone(pids: Sequence[int], within_sec: float = 10.0) -> bool:
    """Whether all of these processes have ended, or do so soon."""
    end_sec = time.monotonic() + within_sec
    while any(map(is_alive, pids)):
        if time.monotonic() > end_sec:
            return False
        time.sleep(0.05)
    return True


def log_in(client: TestClient, secret: str = SECRET) -> None:
    """Log in as the owner; the client keeps the cookie."""
    answer = client.post("/login", data={"secret": secret})
    assert answer.status_code == 303, answer.text


@dataclass(frozen=True)
class Served:
    """A server in a process of its own.

    Attributes
    ----------
    address : without a slash at the end
    process : to be killed, if a test wants to
    """

    address: str
    process: subprocess.Popen[str]

    def client(self) -> httpx.Client:
        """A client that sends what a browser sends from a page of this server."""
        return httpx.Client(base_url=self.address, headers={"origin": self.address}, timeout=60.0)

    def children(self) -> list[int]:
        """Processes that it has started, and that run."""
        pid = self.process.pid
        lists = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
        return sorted({int(child) for children in lists for child in children})


@contextmanager
def served(library: Path, *options: str, surroundings: Mapping[str, str] | None = None) -> Iterator[Served]:
    """`tocco serve` on a free port, as a user starts it; ended at the end.

    Parameters
    ----------
    library
    options : further ones of the command line
    surroundings : variables of its environment, in place of those of this process
    """
    command = [sys.executable, "-m", "tocco", "serve", "-o", str(library), "--port", "0", *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=surroundings
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, line
        yield Served(found.group(), process)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

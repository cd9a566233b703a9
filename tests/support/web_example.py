"""The web application in tests: without a network, asked as a browser asks."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fastapi.testclient import TestClient

from tocco.apps.web.app import create_app
from tocco.apps.web.settings import Settings

ADDRESS: Final = "http://localhost:8350"
SECRET: Final = "correct horse battery"


def settings(library: Path, **other: Any) -> Settings:
    """Settings for a library in a test's folder."""
    return Settings(library=library, **other)


@contextmanager
def web_client(made: Settings, *, origin: str | None = ADDRESS, **headers: str) -> Iterator[TestClient]:
    """A client of a running application, which sends what a browser sends from a page of it.

    Parameters
    ----------
    made : settings of the application
    origin : None where the client names none
    headers : further ones, "_" for "-"
    """
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if origin is not None:
        sent["origin"] = origin
    app = create_app(made)
    with TestClient(app, base_url=ADDRESS, headers=sent, follow_redirects=False) as client:
        yield client


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

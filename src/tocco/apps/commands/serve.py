"""`tocco serve`: the web application, until it is interrupted."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import typer
import uvicorn

from tocco.apps.web.app import create_app
from tocco.apps.web.settings import LOCAL_NAMES, SECRET_VARIABLE, SHORTEST_SECRET, Settings
from tocco.errors import BundleError, InputError, UsageError

_SHUTDOWN_SEC = 3

_CHECKSUMS = "SHA256SUMS"
"""In every bundle: `tocco.inference.bundle` has the same name, and loads what the server never needs."""


def run(settings: Settings) -> None:
    """Serve, and print the address once it answers.

    Raises
    ------
    UsageError
        An option cannot be used; the port is taken.
    OutputError
        The library cannot be written to.
    """
    check(settings)
    with _listening(settings) as listener:
        app = create_app(settings)
        app.state.services.library.occupy()  # here, so that a refusal is one line
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            ws="none",
            proxy_headers=False,
            timeout_graceful_shutdown=_SHUTDOWN_SEC,
        )
        _Server(config, address_of(settings, listener), settings.library).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Prints the address once requests are answered."""

    def __init__(self, config: uvicorn.Config, address: str, library: Path) -> None:
        super().__init__(config)
        self._address = address
        self._library = library

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            typer.echo(f"tocco serve: {self._address} (library: {self._library}); Ctrl+C ends it")


def check(settings: Settings) -> None:
    """Refuse options that do not go together.

    Raises
    ------
    UsageError
        Other machines would reach it without a secret, or the secret is short.
    InputError
        The folder of scores is none.
    BundleError
        The bundle is none. Whether its parts are whole, each job checks.
    """
    if settings.secret is None and not settings.is_local:
        raise UsageError(
            "--host",
            f"is {settings.host}, which other machines reach, and there is no secret",
            next_step=f"set {SECRET_VARIABLE} to one, or leave out --host",
        )
    if settings.secret is not None and len(settings.secret) < SHORTEST_SECRET:
        raise UsageError(
            "--secret",
            f"has {len(settings.secret)} characters",
            allowed=f"at least {SHORTEST_SECRET}",
            next_step="choose a longer one",
        )
    if settings.scores is not None and not settings.scores.is_dir():
        raise InputError(settings.scores, "is no folder", next_step="give the folder that holds the scores")
    if settings.bundle is not None and not (settings.bundle / _CHECKSUMS).is_file():
        raise BundleError(
            settings.bundle,
            f"is no bundle: it has no {_CHECKSUMS}",
            next_step="name the folder that `tocco export` wrote, or leave out --bundle",
        )


def address_of(settings: Settings, listener: socket.socket) -> str:
    """What is typed into a browser."""
    host = "localhost" if settings.is_local else settings.host
    if settings.host in ("0.0.0.0", "::"):
        host = (*settings.names, socket.gethostname())[0]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


def _listening(settings: Settings) -> socket.socket:
    """A socket that listens to the address."""
    host = LOCAL_NAMES[1] if settings.host == "localhost" else settings.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.getaddrinfo(host, settings.port)  # its own error says that the name is none
        return socket.create_server((host, settings.port), family=family, backlog=256)
    except OSError as error:
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise UsageError(
                "--host",
                f"is {settings.host}, which is no name or address of this machine",
                next_step="give one of its addresses, or leave out --host",
            ) from error
        raise UsageError(
            "--port",
            f"{settings.port} at {settings.host} cannot be listened to ({_reason(error)})",
            next_step="choose another with --port, or --port 0 for any that is free",
        ) from error
    except OverflowError as error:
        raise UsageError("--port", f"is {settings.port}", allowed="0 to 65535") from error


def _reason(error: OSError) -> str:
    """What the system says, without the address that Python adds."""
    return str(error) if error.errno is None else os.strerror(error.errno)

"""What the web application is started with."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tocco.apps.web.limits import Rate

LIBRARY_VARIABLE: Final = "TOCCO_LIBRARY"
SECRET_VARIABLE: Final = "TOCCO_SECRET"

LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "::1")

SHORTEST_SECRET: Final = 12
"""Characters."""

RATINGS: Final = "ratings"
"""Folder of the library that holds the rating project, where no other is given."""

MEGABYTE: Final = 1_000_000


def default_library() -> Path:
    """`$TOCCO_LIBRARY`, or the folder that the platform gives each user for data of programs."""
    if given := os.environ.get(LIBRARY_VARIABLE):
        return Path(given)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "tocco" / "library"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "tocco" / "library"
    xdg = os.environ.get("XDG_DATA_HOME", "")
    return (Path(xdg) if Path(xdg).is_absolute() else Path.home() / ".local" / "share") / "tocco" / "library"


@dataclass(frozen=True)
class RequestLimits:
    """How many requests one person may make.

    Attributes
    ----------
    login : attempts to log in
    upload : files
    write : everything else that changes something
    read : everything else
    """

    login: Rate = field(default=Rate(5, 60.0))
    upload: Rate = field(default=Rate(60, 60.0))
    write: Rate = field(default=Rate(200, 10.0))
    read: Rate = field(default=Rate(600, 10.0))


@dataclass(frozen=True)
class JobLimits:
    """What one job may use.

    Attributes
    ----------
    at_once : jobs that run at the same time
    time_sec : of the clock, from its start
    memory_bytes : of address space, of its process and of each process that this starts
    """

    at_once: int = 1
    time_sec: float = 3600.0
    memory_bytes: int = 8_000 * MEGABYTE


@dataclass(frozen=True)
class Settings:
    """What the web application is started with.

    Attributes
    ----------
    library : folder of the takes, made where it does not exist
    scores : folder of scores to choose from
    ratings : rating project; None for the folder `RATINGS` of the library
    host : address that is listened to
    port
    secret : that one logs in with; None where nobody has to, which `host` allows on this machine only
    names : further names of this machine, by which other machines may call it
    bundle, transcriber : as of `tocco assess`
    upload_bytes : most of one file
    waiting_uploads : most files that wait to become a take
    jobs, requests : limits
    """

    library: Path
    scores: Path | None = None
    ratings: Path | None = None
    host: str = "localhost"
    port: int = 8350
    secret: str | None = field(default=None, repr=False)
    names: tuple[str, ...] = ()
    bundle: Path | None = None
    transcriber: str | None = None
    upload_bytes: int = 1_000 * MEGABYTE
    waiting_uploads: int = 40
    jobs: JobLimits = JobLimits()
    requests: RequestLimits = RequestLimits()

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        return self.host in LOCAL_NAMES

"""Pictures and sound of a project's segments: each made once, and found again."""

from __future__ import annotations

import functools
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from tocco.apps.rating.pictures import pictures_path
from tocco.errors import InputError, ToccoError
from tocco.labelling import media
from tocco.labelling.project import Project

LONGEST_SEC: Final = 300.0
"""Time to draw one segment, after which it counts as impossible."""

_MOST_IN_MEMORY: Final = 64
_LOG: Final = logging.getLogger("tocco.serve")

Draw = Callable[[Project, str], None]
"""Makes the pictures and the sound of one segment; raises InputError where that is impossible."""


def draw_in_child(project: Project, segment_id: str) -> None:
    """In a process of its own, so that the memory which it takes is given back."""
    try:
        done = subprocess.run(
            [*_command(project), segment_id], capture_output=True, text=True, timeout=LONGEST_SEC, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(segment_id, f"takes longer than {LONGEST_SEC:g} s to draw") from error
    if done.returncode != 0:
        raise InputError(segment_id, done.stderr.strip() or f"cannot be drawn (code {done.returncode})")


def draw_here(project: Project, segment_id: str) -> None:
    """In this process, for one person at a time: nothing has to be started first."""
    from tocco.apps.rating.pictures import write_pictures

    write_pictures(project, segment_id)


class Materials:
    """Pictures and sound of a project, for the threads of one process.

    Parameters
    ----------
    project
    draw : how a segment is drawn that is asked for and has not been drawn yet
    """

    def __init__(self, project: Project, draw: Draw = draw_in_child) -> None:
        self.project = project
        self._draw = draw
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="pictures")
        self._lock = threading.Lock()
        self._begun: dict[str, Future[None]] = {}
        self._all: subprocess.Popen[bytes] | None = None

    def pictures(self, segment_id: str) -> Mapping[str, Any]:
        """What `pictures.draw` makes; waits for it where it has not been made yet.

        Raises
        ------
        InputError
            It cannot be made. The message says nothing of the segment; the log of the program does.
        """
        path = pictures_path(self.project, segment_id)
        if not path.exists():
            self._begin(segment_id).result()
        return _read(path)

    def sound(self, segment_id: str) -> Path:
        """A FLAC file of exactly the segment. Raises as `pictures`."""
        self.pictures(segment_id)
        return media.clip(self.project, segment_id)

    def begin_all(self) -> None:
        """Draw every segment that has not been drawn, in the background, one after another."""
        if all(pictures_path(self.project, one).exists() for one in self.project.segments):
            return
        self._all = subprocess.Popen(
            _command(self.project),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def close(self) -> None:
        """Make nothing more."""
        self._worker.shutdown(wait=False, cancel_futures=True)
        if self._all is not None:
            self._all.terminate()
            self._all.wait()

    def _begin(self, segment_id: str) -> Future[None]:
        with self._lock:
            begun = self._begun.get(segment_id)
            if begun is None or begun.done():
                begun = self._begun[segment_id] = self._worker.submit(self._make, segment_id)
            return begun

    def _make(self, segment_id: str) -> None:
        if pictures_path(self.project, segment_id).exists():
            return
        try:
            self._draw(self.project, segment_id)
        except ToccoError as error:
            _LOG.error("segment %s cannot be shown: %s", segment_id, error)
            raise InputError(
                "this take",
                "cannot be shown: its recording or its notes cannot be read",
                next_step="go on to the next one, and tell whoever invited you",
            ) from error


def _command(project: Project) -> list[str]:
    return [sys.executable, "-m", "tocco.apps.rating.pictures", str(project.folder)]


@functools.lru_cache(_MOST_IN_MEMORY)
def _read(path: Path) -> Mapping[str, Any]:
    return json.loads(path.read_bytes())

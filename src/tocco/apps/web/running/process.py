"""The process of one running job, seen from the server."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from tocco.apps.web.running.tasks import LOG, Said, Task

COMMAND: Final = (sys.executable, "-m", "tocco.apps.web.running.worker")

_PATIENCE_SEC: Final = 10.0


class WorkerProcess:
    """A worker at one job.

    Parameters
    ----------
    task
    on_said : called in a thread of its own for each line that the worker says, but the last
    command : that runs a worker

    Attributes
    ----------
    last : what it said at the end; None where it ended without a word
    """

    def __init__(self, task: Task, on_said: Callable[[Said], None], command: Sequence[str] = COMMAND) -> None:
        self.last: Said | None = None
        self._is_over = False
        self._on_said = on_said
        self._start_sec = time.monotonic()
        with (task.output.parent if task.kind == "assess" else task.output).joinpath(LOG).open("wb") as log:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it ended at once, which `code` says
            self._process.stdin.write(task.model_dump_json().encode() + b"\n")
            self._process.stdin.flush()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def running_sec(self) -> float:
        """How long it has run."""
        return time.monotonic() - self._start_sec

    def code(self) -> int | None:
        """How it ended, once all that it said is read; None while it runs."""
        code = self._process.poll()
        if code is not None and not self._is_over:
            self._is_over = True  # from here on its number may be that of another process
            self._end_group()  # what it started may have outlived it, and holds the pipe open
            self._reader.join(_PATIENCE_SEC)
            self._close()
        return code

    def kill(self) -> None:
        """End it and all that it has started, now."""
        if self._is_over:
            return
        self._is_over = True
        self._end_group()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait(_PATIENCE_SEC)
        self._reader.join(_PATIENCE_SEC)
        self._close()

    def _end_group(self) -> None:
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                said = Said.model_validate_json(line)
            except ValidationError:
                continue
            if said.is_done or said.error is not None:
                self.last = said
            else:
                self._on_said(said)


def last_lines(folder: Path, count: int = 30) -> str:
    """The end of what the last job of a take or a result wrote to stderr."""
    try:
        with (folder / LOG).open("rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - 10_000))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-count:])

"""The process of one job: `python -m tocco.apps.web.running.worker`, with the task on standard input.

Standard input stays open as long as the server lives: at its end this process ends too, and all that it has
started. What it says goes to standard output, one JSON object a line; what libraries print goes to stderr.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from typing import IO, Final

from tocco.apps.web.library.jobs import JobError
from tocco.apps.web.running.tasks import Said, Stage, Task
from tocco.errors import ToccoError

FAILED: Final = 1

_LEAST_SEC: Final = 0.25
"""Progress is said no more often."""

_NICENESS: Final = 5
"""The server and the browser come first."""

_SHORT_OF_MEMORY: Final = (
    "can't allocate memory",
    "bad_alloc",
    "Cannot allocate memory",
    "Unable to allocate",
    "failed to map segment",
)
"""What libraries say in place of a `MemoryError`."""


class Reporter:
    """Says what a job does.

    Parameters
    ----------
    pipe : to the server
    """

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._stage: Stage = "starting"
        self._said_sec = 0.0

    def stage(self, stage: Stage) -> None:
        """Say that a stage begins."""
        self._stage = stage
        self._said_sec = time.monotonic()
        self.say(Said(stage=stage))

    def progress(self, stage: Stage, done: float, total: float) -> None:
        """Say how much of a stage is done."""
        if stage != self._stage:
            self.stage(stage)
        if time.monotonic() - self._said_sec >= _LEAST_SEC or done >= total:
            self._said_sec = time.monotonic()
            self.say(Said(stage=stage, done=done, total=total))

    def say(self, said: Said) -> None:
        """Send one line."""
        self._pipe.write(said.model_dump_json().encode() + b"\n")
        self._pipe.flush()


def main() -> int:
    """Do the job; 1 if it failed, which is said before."""
    reporter = Reporter(_own_output())
    task = Task.model_validate_json(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    _set_limits(task.memory_bytes)
    try:
        from tocco.apps.web.running.work import work

        reporter.say(work(task, reporter))
    except ToccoError as error:
        reporter.say(Said(error=JobError.of(with_names(error, task))))
    except MemoryError:
        traceback.print_exc()
        reporter.say(Said(error=_too_large(task)))
    except (RuntimeError, OSError, ImportError) as error:
        traceback.print_exc()
        if not any(said in str(error) for said in _SHORT_OF_MEMORY):
            raise
        reporter.say(Said(error=_too_large(task)))
    else:
        return 0
    return FAILED


def with_names(error: ToccoError, task: Task) -> ToccoError:
    """An error about the files as their owner calls them, and not by where they are stored."""
    names = {str(take.folder / one.stored): one.name for take in task.takes for one in take.files}

    def shown(text: str) -> str:
        for path, name in names.items():
            text = text.replace(path, name)
        return text

    allowed, next_step = (None if part is None else shown(part) for part in (error.allowed, error.next_step))
    return ToccoError(shown(error.subject), shown(error.problem), allowed=allowed, next_step=next_step)


def _too_large(task: Task) -> JobError:
    return JobError(
        subject=", ".join(take.title for take in task.takes[:3]),
        problem="needs more memory than a job may use",
        allowed=f"{task.memory_bytes / 1e9:.1f} GB",
        next_step="give a shorter recording, or start tocco serve with a higher --memory-limit",
    )


def _own_output() -> IO[bytes]:
    """The pipe to the server; whatever is printed from here on goes to stderr."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe


def _end_with_the_server() -> None:
    while os.read(0, 1024):  # unbuffered: nothing holds a lock when the interpreter ends
        pass
    if os.name == "posix" and os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(FAILED)


def _set_limits(memory_bytes: int) -> None:
    """Priority and address space; systems without such limits have the clock alone."""
    if os.name != "posix":
        return
    import resource

    os.nice(_NICENESS)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    sys.exit(main())

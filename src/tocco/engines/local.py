"""Parallel processes on one machine."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing.process import BaseProcess
from typing import Any, Final

from tocco.engines.engine import Item, Progress, Result, counted
from tocco.errors import MissingPartError, UsageError

ONE_THREAD: Final[Mapping[str, str]] = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}
"""One thread per process: more would compete for the cores, and would change the order of summation."""


GRACE_SEC: Final = 2.0
"""Time for running work to finish after an interruption, before its process is terminated."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class LocalEngine:
    """Processes on this machine; a single job or a single item runs in this process.

    Attributes
    ----------
    jobs : number of parallel processes, >= 1
    initializer
        Called once in each process, before its first item; defined at module level.
    initargs
        Its arguments.
    """

    jobs: int = 1
    initializer: Callable[..., object] | None = None
    initargs: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        if self.jobs < 1:
            raise UsageError("--jobs", f"is {self.jobs}", allowed="1 or more")

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item], progress: Progress | None = None
    ) -> Generator[Result, None, None]:
        """As in `Engine.map`."""
        n_processes = min(self.jobs, len(items))
        is_serial = n_processes <= 1
        results = self._in_this_process(function, items) if is_serial else self._in_processes(function, items)
        yield from counted(results, len(items), progress)

    def _in_this_process(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        if items and self.initializer is not None:
            self.initializer(*self.initargs)
        yield from map(function, items)

    def _in_processes(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        n_processes = min(self.jobs, len(items))
        # Spawned, since threads and locks of torch, OpenMP and FluidSynth do not survive a fork.
        context = multiprocessing.get_context("spawn")
        workers = ProcessPoolExecutor(n_processes, context, self.initializer, self.initargs)
        others = set(multiprocessing.active_children())
        running: dict[Future[Result], int] = {}
        try:
            yield from _in_order(workers, function, items, n_processes, running)
        except BrokenProcessPool as error:
            raise MissingPartError(
                "--jobs",
                f"one of {n_processes} processes was killed, possibly for lack of memory",
                next_step="run again with fewer; finished items are not repeated",
            ) from error
        except KeyboardInterrupt:
            if _is_any_unfinished(running):
                _LOG.warning(
                    "Interrupted: running work has %.0f s to finish. Press Ctrl-C again to stop now.",
                    GRACE_SEC,
                )
            raise
        finally:
            # Also after an error, which would otherwise surface only after the longest running item.
            _finish_or_terminate(running, set(multiprocessing.active_children()) - others)
            workers.shutdown(cancel_futures=True)


def _in_order(
    workers: ProcessPoolExecutor,
    function: Callable[[Item], Result],
    items: Sequence[Item],
    n_running: int,
    running: dict[Future[Result], int],
) -> Iterator[Result]:
    """Results in the order of the items; an item is submitted only when a process is free for it.

    A submitted item cannot be cancelled, and would delay an interruption. It is in `running`, with its index,
    until it has finished.
    """
    waiting = iter(enumerate(items))
    with ExitStack() as stack:
        stack.enter_context(_environment(ONE_THREAD))
        stack.enter_context(_sigint_ignored())
        for index, item in islice(waiting, n_running):
            running[workers.submit(function, item)] = index
    finished: dict[int, Future[Result]] = {}
    next_index = 0
    while running:
        done = wait(running, return_when=FIRST_COMPLETED).done
        for future in done:
            finished[running.pop(future)] = future
        for index, item in islice(waiting, len(done)):
            running[workers.submit(function, item)] = index
        while next_index in finished:
            yield finished.pop(next_index).result()
            next_index += 1


def _finish_or_terminate(running: Collection[Future[Result]], processes: Collection[BaseProcess]) -> None:
    """Give running work some time to finish, then terminate its processes."""
    if not _is_any_unfinished(running):
        return
    with suppress(KeyboardInterrupt):  # interrupted again: stop at once
        wait(running, GRACE_SEC)
    if _is_any_unfinished(running):
        for process in processes:
            process.terminate()


def _is_any_unfinished(running: Collection[Future[Result]]) -> bool:
    return not all(future.done() for future in running)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Environment variables for processes started in the block."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _sigint_ignored() -> Iterator[None]:
    """Processes started in the block ignore SIGINT: the parent decides when they end."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signal handlers can only be set in the main thread
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

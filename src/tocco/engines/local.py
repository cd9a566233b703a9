"""The cores of one machine, as processes."""

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

from tocco.engines.engine import Found, Item, Progress, counted
from tocco.errors import MissingPartError, UsageError

ONE_THREAD: Final[Mapping[str, str]] = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}
"""A process a core, a thread a process: more would wait for one another, and add up in another order."""


GRACE_SEC: Final = 2.0
"""How long work that was begun may go on after an interruption, before its process is ended."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class LocalEngine:
    """Processes of this machine; with one job, or one item, this very process.

    Attributes
    ----------
    jobs : items at once, >= 1
    initializer
        Called once in each process, before its first item; defined at the top of a module.
    initargs
        What it is called with.
    """

    jobs: int = 1
    initializer: Callable[..., object] | None = None
    initargs: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        if self.jobs < 1:
            raise UsageError("--jobs", f"is {self.jobs}", allowed="1 or more")

    def map(
        self, function: Callable[[Item], Found], items: Sequence[Item], progress: Progress | None = None
    ) -> Generator[Found, None, None]:
        """As in `Engine.map`."""
        n_processes = min(self.jobs, len(items))
        results = self._here(function, items) if n_processes <= 1 else self._elsewhere(function, items)
        yield from counted(results, len(items), progress)

    def _here(self, function: Callable[[Item], Found], items: Sequence[Item]) -> Iterator[Found]:
        if items and self.initializer is not None:
            self.initializer(*self.initargs)
        yield from map(function, items)

    def _elsewhere(self, function: Callable[[Item], Found], items: Sequence[Item]) -> Iterator[Found]:
        n_processes = min(self.jobs, len(items))
        # Fresh processes: the threads and locks of torch, OpenMP and FluidSynth do not survive a fork.
        fresh = multiprocessing.get_context("spawn")
        workers = ProcessPoolExecutor(n_processes, fresh, self.initializer, self.initargs)
        others = set(multiprocessing.active_children())
        running: dict[Future[Found], int] = {}
        try:
            yield from _in_order(workers, function, items, n_processes, running)
        except BrokenProcessPool as error:
            raise MissingPartError(
                "--jobs",
                f"one of {n_processes} processes was ended from outside, for want of memory perhaps",
                next_step="run again with fewer; what is done is kept",
            ) from error
        except (KeyboardInterrupt, GeneratorExit):
            _let_end(running, set(multiprocessing.active_children()) - others)
            raise
        finally:
            workers.shutdown(cancel_futures=True)


def _in_order(
    workers: ProcessPoolExecutor,
    function: Callable[[Item], Found],
    items: Sequence[Item],
    at_once: int,
    running: dict[Future[Found], int],
) -> Iterator[Found]:
    """Results in order of the items; none is handed out before a process is free for it.

    What is handed out cannot be called back, and would be waited for when the user interrupts. It stands in
    `running`, with the number of its item, until it has ended.
    """
    waiting = iter(enumerate(items))
    with ExitStack() as surroundings:
        surroundings.enter_context(_environment(ONE_THREAD))
        surroundings.enter_context(_sigint_ignored())
        for place, item in islice(waiting, at_once):
            running[workers.submit(function, item)] = place
    ended: dict[int, Future[Found]] = {}
    due = 0
    while running:
        done = wait(running, return_when=FIRST_COMPLETED).done
        for future in done:
            ended[running.pop(future)] = future
        for place, item in islice(waiting, len(done)):
            running[workers.submit(function, item)] = place
        while due in ended:
            yield ended.pop(due).result()
            due += 1


def _let_end(running: Collection[Future[Found]], processes: Collection[BaseProcess]) -> None:
    """Give what was begun the time to end; end the processes of what takes longer."""
    if all(future.done() for future in running):
        return
    _LOG.warning("Interrupted: what was begun has %.0f s to end. Ctrl-C again drops it.", GRACE_SEC)
    with suppress(KeyboardInterrupt):  # interrupted again: what was begun is dropped
        wait(running, GRACE_SEC)
    if not all(future.done() for future in running):
        for process in processes:
            process.terminate()


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Environment variables for the processes that are started here."""
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
    """Processes started here ignore SIGINT: the parent alone decides when they end."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread receives signals, and only it may set what they do
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

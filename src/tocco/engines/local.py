"""The cores of one machine, as processes."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing.process import BaseProcess
from typing import Final

from tocco.engines.engine import Found, Item, Progress, counted
from tocco.errors import MissingPartError, UsageError

ONE_THREAD: Final[Mapping[str, str]] = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}
"""A process a core, a thread a process: more would wait for one another, and add up in another order."""


_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class LocalEngine:
    """Processes of this machine; with one job, or one item, this very process.

    Attributes
    ----------
    jobs : items at once, >= 1
    """

    jobs: int = 1

    def __post_init__(self) -> None:
        if self.jobs < 1:
            raise UsageError("--jobs", f"is {self.jobs}", allowed="1 or more")

    def map(
        self, function: Callable[[Item], Found], items: Sequence[Item], progress: Progress | None = None
    ) -> Iterator[Found]:
        """As in `Engine.map`."""
        n_processes = min(self.jobs, len(items))
        results = map(function, items) if n_processes <= 1 else _in_processes(function, items, n_processes)
        yield from counted(results, len(items), progress)


def _in_processes(
    function: Callable[[Item], Found], items: Sequence[Item], n_processes: int
) -> Iterator[Found]:
    # Fresh processes: the threads and locks of torch, OpenMP and FluidSynth do not survive a fork.
    fresh = multiprocessing.get_context("spawn")
    workers = ProcessPoolExecutor(n_processes, fresh)
    try:
        yield from _in_order(workers, function, items, n_processes)
    except BrokenProcessPool as error:
        raise MissingPartError(
            "--jobs",
            f"one of {n_processes} processes was ended from outside, for want of memory perhaps",
            next_step="run again with fewer; what is done is kept",
        ) from error
    finally:
        workers.shutdown(cancel_futures=True)


def _in_order(
    workers: ProcessPoolExecutor, function: Callable[[Item], Found], items: Sequence[Item], at_once: int
) -> Iterator[Found]:
    """Results in order of the items; none is handed out before a process is free for it.

    What is handed out cannot be called back, and would be waited for when the user interrupts.
    """
    others = set(multiprocessing.active_children())
    waiting = iter(enumerate(items))
    running: dict[Future[Found], int] = {}
    with ExitStack() as surroundings:
        surroundings.enter_context(_environment(ONE_THREAD))
        surroundings.enter_context(_keyboard_unheard())
        for place, item in islice(waiting, at_once):
            running[workers.submit(function, item)] = place
    ended: dict[int, Future[Found]] = {}
    due = 0
    while running:
        done = _first_done(running, others)
        for future in done:
            ended[running.pop(future)] = future
        for place, item in islice(waiting, len(done)):
            running[workers.submit(function, item)] = place
        while due in ended:
            yield ended.pop(due).result()
            due += 1


def _first_done(running: Collection[Future[Found]], others: Collection[BaseProcess]) -> set[Future[Found]]:
    """Wait for an item. When interrupted, let what was begun end; when interrupted again, drop it."""
    try:
        return wait(running, return_when=FIRST_COMPLETED).done
    except KeyboardInterrupt:
        _LOG.warning(
            "Interrupted: finishing what was begun, %d at most. Ctrl-C again drops it.", len(running)
        )
        try:
            wait(running)
        except KeyboardInterrupt:
            for process in set(multiprocessing.active_children()).difference(others):
                process.terminate()
            wait(running)
        raise


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
def _keyboard_unheard() -> Iterator[None]:
    """Processes started here do not hear the keyboard: the parent does, and lets them end their items."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread hears the keyboard, and only it may turn the ear away
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

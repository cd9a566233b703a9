"""A cluster of machines, or this one as a cluster of one, through Ray Data.

Items and results travel as pickled bytes, so that no column type touches them. A task whose worker or
machine is lost is given to another one.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import pickle
import re
import socket
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tocco.engines.engine import Found, Item, Progress, counted
from tocco.engines.same_code import assert_same_code, code_here
from tocco.errors import MismatchError, MissingPartError, ToccoError, UsageError

MOST_TASKS: Final = 4_000
"""Beyond that many items, some share a task: a task costs the scheduler some ten milliseconds."""

ATTEMPTS_AFTER_LOSS: Final = 3
"""How often an item is given to another worker. An item that ends every worker must end the run."""

STORE_BYTES: Final = 100 * 2**20
"""Shared memory of the cluster of one: what passes through it is paths and facts, never sound."""

_ADDRESS: Final = re.compile(r"(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})")
_ANSWERS_WITHIN_SEC: Final = 5.0


@dataclass(frozen=True)
class RayEngine:
    """Ray Data: this machine without an address, else the cluster that answers there.

    A program that has connected to Ray already keeps its connection, which is used; else Ray is
    started, or connected to, for each `map`, and left at its end.

    Attributes
    ----------
    address : "HOST:PORT", None for this machine
        Of a running cluster that this machine belongs to.
    jobs : items at once on this machine, >= 1; a cluster uses every core that it has
    """

    address: str | None = None
    jobs: int = 1

    def __post_init__(self) -> None:
        if self.jobs < 1:
            raise UsageError("--jobs", f"is {self.jobs}", allowed="1 or more")
        if self.address is not None and _ADDRESS.fullmatch(self.address) is None:
            raise UsageError("--address", f"is {self.address!r}", allowed="HOST:PORT")
        if importlib.util.find_spec("ray") is None:
            raise MissingPartError(
                "--engine ray", "Ray is not installed", next_step="pip install tocco[scale]"
            )

    def map(
        self, function: Callable[[Item], Found], items: Sequence[Item], progress: Progress | None = None
    ) -> Generator[Found, None, None]:
        """As in `Engine.map`."""
        if not items:
            return
        with _connected(self.address, self.jobs):
            # On this machine the code is the same anyhow, unless someone is writing it.
            asking = _Asking(Path.cwd(), {} if self.address is None else code_here())
            yield from counted(_answers(function, items, asking), len(items), progress)


def _answers(function: Callable[[Item], Found], items: Sequence[Item], asking: _Asking) -> Iterator[Found]:
    import ray.data
    from ray.exceptions import RayError, RayTaskError

    def work(row: dict[str, Any]) -> dict[str, bytes]:
        return {"answer": _answer(function, row["item"], asking)}

    rows = [{"item": pickle.dumps(item)} for item in items]
    try:
        with _quiet_and_in_order():
            tasks = ray.data.from_items(rows, override_num_blocks=min(len(rows), MOST_TASKS))
            with warnings.catch_warnings():
                # Ray 2.60 to 2.63 have no other name for max_retries, whose default is for ever.
                warnings.filterwarnings("ignore", "`ray_remote_args` is deprecated", DeprecationWarning)
                answers = tasks.map(work, num_cpus=1, max_retries=ATTEMPTS_AFTER_LOSS)
            for row in answers.iter_rows():
                found, refusal = pickle.loads(row["answer"])
                if refusal is not None:
                    raise refusal
                yield found
    except RayTaskError:
        raise  # an error of the function's own, with its traceback
    except RayError as error:
        raise MissingPartError(
            "--engine ray",
            f"workers were lost {ATTEMPTS_AFTER_LOSS + 1} times over one item ({type(error).__name__}), "
            "for want of memory perhaps",
            next_step="run again with fewer at once; what is done is kept",
        ) from error


@dataclass(frozen=True)
class _Asking:
    """The program that hands out the work: the folder that it runs in, and its code."""

    folder: Path
    code: Mapping[str, str]


def _answer(function: Callable[[Any], Any], item: bytes, asking: _Asking) -> bytes:
    """Result, or refusal, of one item: what a worker does."""
    try:
        assert_same_code(asking.code)
        _go_to(asking.folder)
        return pickle.dumps((function(pickle.loads(item)), None))
    except ToccoError as refusal:
        return pickle.dumps((None, refusal))


def _go_to(folder: Path) -> None:
    """Work in the folder of the program that asks: relative paths count from there."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise MismatchError(
            f"worker {socket.gethostname()}",
            f"has no folder {folder} ({error.strerror})",
            next_step="run from a folder that every machine of the cluster shares under the same path",
        ) from error


@contextmanager
def _quiet_and_in_order() -> Iterator[None]:
    """Ray Data without bars and notices of its own, and with results in the order of the items."""
    import ray.data

    with warnings.catch_warnings():
        # Ray's context sets its own deprecated fields.
        warnings.filterwarnings("ignore", r"`\w+` is deprecated", DeprecationWarning)
        context = ray.data.DataContext.get_current().copy()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        context.execution_options.preserve_order = True
    log = logging.getLogger("ray.data")
    level = log.level
    log.setLevel(logging.CRITICAL)  # what ends the work is raised as well
    try:
        with ray.data.DataContext.current(context):
            yield
    finally:
        log.setLevel(level)


@contextmanager
def _connected(address: str | None, jobs: int) -> Iterator[None]:
    if address is not None:
        _assert_answering(address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anyone unless asked for
    import ray

    if ray.is_initialized():
        yield
        return
    if address is None:
        try:
            ray.init("local", num_cpus=jobs, object_store_memory=STORE_BYTES, **_SILENT)
        except Exception as error:
            # A node that is not up within 30 seconds makes Ray raise this very class.
            if type(error) is not Exception:
                raise
            raise MissingPartError(
                "Ray",
                f"did not start ({' '.join(str(error).split())[:200]})",
                next_step="try again when this machine is less busy, or use --engine local",
            ) from error
    else:
        try:
            ray.init(address, **_SILENT)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise MissingPartError(
                address,
                f"is no Ray cluster that lets this program in ({' '.join(str(error).split())[:200]})",
                next_step="start one with `ray start --head`, of the same Ray, and pass its token",
            ) from error
    try:
        yield
    finally:
        ray.shutdown()


_SILENT: Final[Mapping[str, Any]] = {
    "include_dashboard": False,
    "log_to_driver": False,
    "logging_level": logging.ERROR,
}


def _assert_answering(address: str) -> None:
    """Refuse an address at which nothing listens: Ray itself would try for a minute, then end the program."""
    found = _ADDRESS.fullmatch(address)
    assert found is not None  # checked when the engine was made
    try:
        socket.create_connection(
            (found["host"].strip("[]"), int(found["port"])), timeout=_ANSWERS_WITHIN_SEC
        ).close()
    except (OSError, OverflowError) as error:
        raise MissingPartError(
            address,
            f"no cluster answers there ({error})",
            next_step="start one with `ray start --head --port PORT`, or leave --address out",
        ) from error

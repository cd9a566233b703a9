"""Ray Data on a cluster of machines, or on this machine alone.

Items and results are transferred as pickled bytes, so that Ray does not convert them to column types. A task
whose worker or machine is lost is retried on another one.
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

from tocco.engines.engine import Item, Progress, Result, counted
from tocco.engines.same_code import assert_same_code, code_here
from tocco.errors import MismatchError, MissingPartError, ToccoError, UsageError

MOST_TASKS: Final = 4_000
"""With more items, several share a task, since scheduling a task takes about ten milliseconds."""

ATTEMPTS_AFTER_LOSS: Final = 3
"""Retries of an item after its worker was lost. An item that kills every worker has to end the run."""

STORE_BYTES: Final = 100 * 2**20
"""Shared memory of a local cluster: only paths and metadata are transferred, never audio."""

_ADDRESS: Final = re.compile(r"(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})")
_CONNECT_TIMEOUT_SEC: Final = 5.0


@dataclass(frozen=True)
class RayEngine:
    """Ray Data: on this machine if there is no address, else on the cluster at the address.

    A program that is already connected to Ray keeps its connection, which is used; otherwise Ray is
    started, or connected to, for each `map`, and shut down at its end.

    Attributes
    ----------
    address : "HOST:PORT", None for this machine
        Of a running cluster that includes this machine.
    jobs : parallel items on this machine, >= 1; a cluster uses all its cores
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
        self, function: Callable[[Item], Result], items: Sequence[Item], progress: Progress | None = None
    ) -> Generator[Result, None, None]:
        """As in `Engine.map`."""
        if not items:
            return
        with connected(self.address, self.jobs):
            # On one machine the code is the same, unless somebody is editing it.
            caller = _Caller(Path.cwd(), {} if self.address is None else code_here())
            yield from counted(_results(function, items, caller), len(items), progress)


def _results(function: Callable[[Item], Result], items: Sequence[Item], caller: _Caller) -> Iterator[Result]:
    import ray.data
    from ray.exceptions import RayError, RayTaskError

    def work(row: dict[str, Any]) -> dict[str, bytes]:
        return {"result": _pickled_result(function, row["item"], caller)}

    rows = [{"item": pickle.dumps(item)} for item in items]
    try:
        with _without_output_in_order():
            tasks = ray.data.from_items(rows, override_num_blocks=min(len(rows), MOST_TASKS))
            with warnings.catch_warnings():
                # Ray 2.60 to 2.63 have no other name for max_retries, which is unlimited by default.
                warnings.filterwarnings("ignore", "`ray_remote_args` is deprecated", DeprecationWarning)
                results = tasks.map(work, num_cpus=1, max_retries=ATTEMPTS_AFTER_LOSS)
            for row in results.iter_rows():
                found, refusal = pickle.loads(row["result"])
                if refusal is not None:
                    raise refusal
                yield found
    except RayTaskError:
        raise  # an error of the function itself, with its traceback
    except RayError as error:
        raise MissingPartError(
            "--engine ray",
            f"workers were lost {ATTEMPTS_AFTER_LOSS + 1} times over one item ({type(error).__name__}), "
            "possibly for lack of memory",
            next_step="run again with fewer in parallel; finished items are not repeated",
        ) from error


@dataclass(frozen=True)
class _Caller:
    """The program that distributes the work: its working directory and its code."""

    folder: Path
    code: Mapping[str, str]


def _pickled_result(function: Callable[[Any], Any], item: bytes, caller: _Caller) -> bytes:
    """Result or `ToccoError` of one item, computed by a worker."""
    try:
        assert_same_code(caller.code)
        _change_directory(caller.folder)
        return pickle.dumps((function(pickle.loads(item)), None))
    except ToccoError as refusal:
        return pickle.dumps((None, refusal))


def _change_directory(folder: Path) -> None:
    """Change to the working directory of the caller, which relative paths refer to."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise MismatchError(
            f"worker {socket.gethostname()}",
            f"has no folder {folder} ({error.strerror})",
            next_step="run from a folder that all machines of the cluster share under the same path",
        ) from error


@contextmanager
def _without_output_in_order() -> Iterator[None]:
    """Ray Data without progress bars and messages, and with results in the order of the items."""
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
    log.setLevel(logging.CRITICAL)  # errors are raised as well
    try:
        with ray.data.DataContext.current(context):
            yield
    finally:
        log.setLevel(level)


@contextmanager
def connected(address: str | None, jobs: int) -> Iterator[None]:
    """A connection to the cluster at an address, or to one of this machine that ends with the block."""
    if address is not None:
        _assert_reachable(address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no usage reports unless enabled by the user
    import ray

    if ray.is_initialized():
        yield
        return
    if address is None:
        try:
            ray.init("local", num_cpus=jobs, object_store_memory=STORE_BYTES, **_SILENT)
        except Exception as error:
            # Ray raises this very class if a node does not start within 30 seconds.
            if type(error) is not Exception:
                raise
            raise MissingPartError(
                "Ray",
                f"did not start ({' '.join(str(error).split())[:200]})",
                next_step="try again when the machine is less busy, or use --engine local",
            ) from error
    else:
        try:
            ray.init(address, **_SILENT)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise MissingPartError(
                address,
                f"is no Ray cluster that accepts this program ({' '.join(str(error).split())[:200]})",
                next_step="start one with `ray start --head`, of the same Ray release, and pass its token",
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


def _assert_reachable(address: str) -> None:
    """Refuse an address without a server: Ray itself would try for a minute, then end the program."""
    found = _ADDRESS.fullmatch(address)
    assert found is not None  # checked by __post_init__
    try:
        socket.create_connection(
            (found["host"].strip("[]"), int(found["port"])), timeout=_CONNECT_TIMEOUT_SEC
        ).close()
    except (OSError, OverflowError) as error:
        raise MissingPartError(
            address,
            f"no cluster answers there ({error})",
            next_step="start one with `ray start --head --port PORT`, or leave --address out",
        ) from error

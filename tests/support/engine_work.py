"""What engines are given to do in tests: another process must be able to import it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tocco.engines import Progress, RayEngine
from tocco.errors import InputError
from tocco.files import write_bytes


@dataclass(frozen=True)
class Pair:
    """A result that no table has a column type for."""

    number: int
    path: Path


def paired(number: int) -> Pair:
    return Pair(number * number, Path("take") / str(number))


def refusing_three(number: int) -> int:
    if number == 3:
        raise InputError("item", "is 3", allowed="anything else", next_step="leave it out")
    return number


def stumbling_at_one(number: int) -> float:
    return number / (number - 1)


def dying_at_one(number: int) -> int:
    if number == 1:
        os._exit(1)
    return number


begun_with: list[str] = []
"""What this process was initialised with."""


def begin(name: str) -> None:
    begun_with.append(name)


def what_began(_: int) -> list[str]:
    return begun_with


def sleeping(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def refusing_or_sleeping(seconds: float) -> float:
    if seconds == 0.0:
        raise InputError("item", "is 0")
    return sleeping(seconds)


def surroundings(_: int) -> tuple[int, str | None, str]:
    """Process, threads that it may use, folder that it works in."""
    return os.getpid(), os.environ.get("OMP_NUM_THREADS"), str(Path.cwd())


def square_written(path: Path) -> int:
    """Write a file relative to the folder of the program that asks."""
    write_bytes(path, str(int(path.stem) ** 2).encode() * 1000)
    return int(path.stem) ** 2


@dataclass(frozen=True)
class WatchedEngine:
    """A Ray engine whose workers leave a trace, and one machine of which gets stuck in an item.

    Attributes
    ----------
    engine
    log : folder of the traces: NODE-ITEM-PROCESS for every item that was begun
    doomed : id of the machine that gets stuck in its second item
    """

    engine: RayEngine
    log: Path
    doomed: str

    def map(
        self, function: Callable[[Any], Any], items: Sequence[Any], progress: Progress | None = None
    ) -> Generator[Any, None, None]:
        work = partial(traced, function, self.log, self.doomed)
        return self.engine.map(work, list(enumerate(items)), progress)


def traced(function: Callable[[Any], Any], log: Path, doomed: str, numbered: tuple[int, Any]) -> Any:
    import ray

    n, item = numbered
    node = ray.get_runtime_context().get_node_id()
    (log / f"{node}-{n}-{time.time_ns()}").touch()
    if node == doomed and len(list(log.glob(f"{node}-*"))) > 1:
        write_bytes(log / "stuck", str(n).encode())
        time.sleep(600.0)
    if node != doomed:
        _wait_for(log / "stuck")  # else a machine that starts sooner might do everything
    return function(item)


def _wait_for(path: Path, at_most_sec: float = 180.0) -> None:
    end = time.monotonic() + at_most_sec
    while not path.exists():
        if time.monotonic() > end:
            raise TimeoutError(f"{path} did not appear within {at_most_sec:.0f} s")
        time.sleep(0.05)

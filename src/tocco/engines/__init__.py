"""Parallel execution: processes on this machine, or a cluster.

An engine maps a function over items and yields the results in the order of the items. The choice of engine
affects only the speed: each item is processed independently, by the same code, and every file that the
function writes has the same bytes.
"""

from __future__ import annotations

from typing import Literal

from tocco.engines.engine import Engine, Progress, assert_arrived
from tocco.engines.local import LocalEngine
from tocco.engines.ray_data import RayEngine
from tocco.errors import UsageError

__all__ = ["Engine", "EngineName", "LocalEngine", "Progress", "RayEngine", "assert_arrived", "engine_of"]

EngineName = Literal["local", "ray"]


def engine_of(name: EngineName, *, jobs: int | None = None, address: str | None = None) -> Engine:
    """The engine selected by `--engine`, `--jobs` and `--address`.

    Parameters
    ----------
    name
    jobs : processes on this machine, 1 if not given
        A cluster uses all its cores.
    address : "HOST:PORT"
        Of a running cluster that includes this machine; only for "ray".

    Raises
    ------
    InputError
        The options contradict each other, or the address is invalid.
    MissingPartError
        Ray is not installed.
    """
    if name == "local":
        if address is not None:
            raise UsageError("--address", "is given, and the engine is 'local'", next_step="add --engine ray")
        return LocalEngine(jobs or 1)
    if address is not None and jobs is not None:
        raise UsageError(
            "--jobs",
            "is for this machine, and --address names a cluster, which uses all its cores",
            next_step="leave out one of the two",
        )
    return RayEngine(address, jobs or 1)

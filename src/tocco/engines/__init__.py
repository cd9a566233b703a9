"""Where work over many items runs: processes of this machine, or a cluster.

An engine maps a function over items and yields the results in the order of the items. Which engine it
is shows in how long that takes and in nothing else: each item is worked on by itself, by the same code,
and every file that the function writes has the same bytes.
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
    """The engine that `--engine`, `--jobs` and `--address` ask for.

    Parameters
    ----------
    name
    jobs : processes of this machine, 1 if not given
        A cluster uses every core that it has.
    address : "HOST:PORT"
        Of a running cluster that this machine belongs to; only for "ray".

    Raises
    ------
    InputError
        The options contradict each other, or the address is none.
    MissingPartError
        Ray is not installed.
    """
    if name == "local":
        if address is not None:
            raise UsageError(
                "--address", "names a cluster, and the engine is 'local'", next_step="add --engine ray"
            )
        return LocalEngine(jobs or 1)
    if address is not None and jobs is not None:
        raise UsageError(
            "--jobs",
            "counts processes of this machine, and --address names a cluster, which uses all its cores",
            next_step="leave one of the two out",
        )
    return RayEngine(address, jobs or 1)

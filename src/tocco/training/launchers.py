"""Where a training function runs: here, in processes of this machine, or as workers of Ray Train."""

from __future__ import annotations

import importlib.util
import logging
import multiprocessing
import os
import socket
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from tocco.errors import MissingPartError, ToccoError, UsageError
from tocco.training.distributed import ONE_PROCESS, Processes

Job = Callable[[Processes], None]
"""Trains as one of several processes; it can be pickled."""


class Launcher(Protocol):
    """Runs a job in every process."""

    def __call__(self, job: Job) -> None:
        """Return when all processes have ended.

        Raises
        ------
        ToccoError
            That of the job.
        """
        ...


def run_here(job: Job) -> None:
    """One process: this one."""
    job(ONE_PROCESS)


@dataclass(frozen=True)
class LocalProcesses:
    """Processes of this machine, one for each GPU where there are some; this one is the first.

    Attributes
    ----------
    count : >= 2
    """

    count: int

    def __post_init__(self) -> None:
        _assert_gpus(self.count)

    def __call__(self, job: Job) -> None:
        """Run the job in this process and in new ones."""
        address = f"127.0.0.1:{_free_port()}"
        start = multiprocessing.get_context("spawn")
        others = [
            start.Process(target=job, args=(Processes(self.count, rank, address, rank),), daemon=True)
            for rank in range(1, self.count)
        ]
        for process in others:
            process.start()
        try:
            job(Processes(self.count, 0, address, 0))
            for process in others:
                process.join()
        finally:
            for process in others:
                process.kill()
                process.join()
            _leave_group()


@dataclass(frozen=True)
class RayWorkers:
    """Workers of Ray Train: here, or on a cluster whose machines share the folders of run and data.

    Attributes
    ----------
    count : >= 1
    address : "HOST:PORT" of a running cluster; None for this machine
    """

    count: int
    address: str | None = None

    def __post_init__(self) -> None:
        if importlib.util.find_spec("ray") is None:
            raise MissingPartError(
                "--engine ray", "Ray is not installed", next_step="pip install tocco[scale]"
            )

    def __call__(self, job: Job) -> None:
        """Run the job in the workers."""
        from tocco.engines.ray_data import connected

        # Ray's progress lines and its warnings about itself would mix with those of the training.
        os.environ.setdefault("RAY_TRAIN_ENABLE_PRINT_PATCH", "0")
        with connected(self.address, self.count), tempfile.TemporaryDirectory() as folder:
            _fit_by_ray(job, self.count, Path(folder))


def _fit_by_ray(job: Job, count: int, folder: Path) -> None:
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    logging.getLogger("ray.train").setLevel(logging.ERROR)
    gpu = torch.cuda.is_available()
    trainer = TorchTrainer(
        _ray_worker,
        train_loop_config={"job": job, "folder": str(Path.cwd())},
        torch_config=TorchConfig(backend="nccl" if gpu else "gloo"),
        scaling_config=ScalingConfig(num_workers=count, use_gpu=gpu),
        run_config=RunConfig(storage_path=str(folder), failure_config=FailureConfig(max_failures=0)),
    )
    try:
        with warnings.catch_warnings():
            # Ray's context sets its own deprecated fields.
            warnings.filterwarnings("ignore", r"`\w+` is deprecated", DeprecationWarning)
            trainer.fit()
    except Exception as error:
        cause = _cause(error)
        if cause is not None:
            raise cause from error
        raise


def _ray_worker(settings: dict[str, Any]) -> None:
    import ray.train

    os.chdir(settings["folder"])
    context = ray.train.get_context()
    # The address is not read: Ray Train has connected the workers already.
    settings["job"](
        Processes(context.get_world_size(), context.get_world_rank(), "127.0.0.1:0", context.get_local_rank())
    )


def _cause(error: BaseException | None) -> ToccoError | None:
    """The error for the user that Ray's error came from, if any."""
    seen: list[Any] = [error]
    while seen:
        one = seen.pop()
        if isinstance(one, ToccoError):
            return one
        if isinstance(one, BaseException):
            seen += [one.__cause__, getattr(one, "cause", None)]
            seen += list(getattr(one, "worker_failures", {}).values())
    return None


def _assert_gpus(count: int) -> None:
    if torch.cuda.is_available() and torch.cuda.device_count() < count:
        raise UsageError(
            "--processes",
            f"is {count}",
            allowed=f"1 to {torch.cuda.device_count()}, the GPUs of this machine",
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _leave_group() -> None:
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()

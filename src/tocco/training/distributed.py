"""Several processes that train together: on this machine, or as workers of Ray.

Each takes every `count`-th batch and the gradients are averaged, so that two processes do what one does that
accumulates two batches. Rank 0 writes the files.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import torch
from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.pytorch.strategies import DDPStrategy

_WAIT: Final = timedelta(minutes=30)
"""For the slowest process; a validation or a first preparation may keep the others waiting."""


@dataclass(frozen=True)
class Processes:
    """The place of this process among those that train together.

    Attributes
    ----------
    count : >= 1
    rank : 0..count-1
    address : "HOST:PORT" of rank 0, at which they meet
    local_rank : index of the GPU of this process on its machine
    """

    count: int = 1
    rank: int = 0
    address: str = ""
    local_rank: int = 0

    def trainer_arguments(self) -> dict[str, Any]:
        """Arguments of the Trainer: device and strategy."""
        if self.count == 1:
            return {"accelerator": "auto", "devices": 1}
        gpu = torch.cuda.is_available()
        return {
            "accelerator": "gpu" if gpu else "cpu",
            "devices": [self.local_rank] if gpu else 1,
            "num_nodes": self.count,
            "strategy": DDPStrategy(
                process_group_backend="nccl" if gpu else "gloo",
                timeout=_WAIT,
                # A batch without any label of a dimension leaves its parameters without gradient.
                find_unused_parameters=True,
            ),
        }

    def plugins(self) -> list[Any]:
        """Plugins of the Trainer: where the processes meet."""
        return [] if self.count == 1 else [_Meeting(self)]


ONE_PROCESS: Final = Processes()


class _Meeting(ClusterEnvironment):
    """Tells Lightning that the processes are started already, each as a machine of its own."""

    def __init__(self, processes: Processes) -> None:
        super().__init__()
        self._processes = processes

    @property
    def creates_processes_externally(self) -> bool:
        return True

    @property
    def main_address(self) -> str:
        return self._processes.address.rpartition(":")[0]

    @property
    def main_port(self) -> int:
        return int(self._processes.address.rpartition(":")[2])

    @staticmethod
    def detect() -> bool:
        return False

    def world_size(self) -> int:
        return self._processes.count

    def set_world_size(self, size: int) -> None:
        pass

    def global_rank(self) -> int:
        return self._processes.rank

    def set_global_rank(self, rank: int) -> None:
        pass

    def local_rank(self) -> int:
        return 0

    def node_rank(self) -> int:
        return self._processes.rank

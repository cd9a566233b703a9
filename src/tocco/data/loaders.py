"""Batch loaders with a seeded order per epoch, which can resume within an epoch."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import numpy as np
import torch
from pydantic import Field
from torch.utils.data import DataLoader, Sampler

from tocco.data.batching import ExampleBatch, collate_examples
from tocco.errors import MismatchError
from tocco.schema import StrictModel


@dataclass(frozen=True)
class EpochItem:
    """An item of the dataset in a given epoch.

    The epoch is part of the item, so that worker processes, which persist over epochs, draw
    the same examples.
    """

    epoch: int
    index: int


class Measured(Sized, Protocol):
    """A dataset whose items have known lengths."""

    def n_samples(self, index: int) -> int:
        """Maximum number of audio samples of an item."""
        ...


class WorkerConfig(StrictModel):
    """Worker processes that load the examples.

    Attributes
    ----------
    workers : processes beside the training loop; 0 loads the examples in it
    prefetch : batches that each worker prepares in advance
    persistent_workers : whether workers persist from epoch to epoch; no effect without workers
    pin_memory : whether batches are in page-locked memory; no effect without a GPU
    """

    workers: Annotated[int, Field(ge=0, le=64)] = 0
    prefetch: Annotated[int, Field(ge=1, le=64)] = 2
    persistent_workers: bool = True
    pin_memory: bool = True

    def arguments(self) -> dict[str, Any]:
        """Arguments of `DataLoader`."""
        return {
            "num_workers": self.workers,
            "prefetch_factor": self.prefetch if self.workers else None,
            "persistent_workers": self.persistent_workers and self.workers > 0,
            "pin_memory": self.pin_memory and torch.cuda.is_available(),
            "worker_init_fn": _leave_interrupts if self.workers else None,
        }


def _leave_interrupts(worker: int) -> None:
    """Leave Ctrl-C to the training loop, which still needs the batches up to its next checkpoint."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class BucketSampler(Sampler[list[EpochItem]]):
    """Batches of items of similar length, in a seeded order that changes with the epoch.

    Items are shuffled, sorted by length within pools of 16 batches, and the batches shuffled:
    little padding, and different batches in each epoch.

    Attributes
    ----------
    epoch : of the next order
    first_batch : number of batches of that order to skip
    share : (rank, count), every `count`-th batch from `rank` on
        The last batches are dropped where they do not suffice for every process.
    per_epoch : items of an epoch, drawn anew for each; None for all
    """

    POOL_BATCHES = 16

    def __init__(
        self,
        dataset: Measured,
        batch_size: int,
        seed: int,
        share: tuple[int, int] = (0, 1),
        per_epoch: int | None = None,
    ) -> None:
        self.dataset = dataset
        self.share = share
        self.batch_size = batch_size
        self.seed = seed
        self.per_epoch = per_epoch
        self.epoch = 0
        self.first_batch = 0

    def __len__(self) -> int:
        items = min(len(self.dataset), self.per_epoch or len(self.dataset))
        return -(-items // self.batch_size) // self.share[1]

    def __iter__(self) -> Iterator[list[EpochItem]]:
        draw = np.random.default_rng((self.seed, self.epoch))
        order = draw.permutation(len(self.dataset))[: self.per_epoch]
        batches: list[list[int]] = []
        pool = self.batch_size * self.POOL_BATCHES
        for start in range(0, len(order), pool):
            items = sorted(order[start : start + pool].tolist(), key=self.dataset.n_samples)
            batches += [items[i : i + self.batch_size] for i in range(0, len(items), self.batch_size)]
        epoch = self.epoch
        rank, count = self.share
        chosen = draw.permutation(len(batches))[: len(self) * count][rank::count]
        for number in chosen[self.first_batch :]:
            yield [EpochItem(epoch, index) for index in batches[number]]


class TrainingLoader:
    """Training batches, epoch by epoch, resumable within an epoch.

    The position counts batches that were returned, not those that workers have prefetched.

    Parameters
    ----------
    dataset
        Indexed by `EpochItem`.
    batch_size
    seed
        Seed of the order.
    workers
    share, per_epoch
        See `BucketSampler`.
    """

    def __init__(
        self,
        dataset: Any,
        *,
        batch_size: int,
        seed: int,
        workers: WorkerConfig | None = None,
        share: tuple[int, int] = (0, 1),
        per_epoch: int | None = None,
    ) -> None:
        self._sampler = BucketSampler(dataset, batch_size, seed, share, per_epoch)
        self._loader: DataLoader[Any] = DataLoader(
            dataset,
            batch_sampler=self._sampler,
            collate_fn=collate_examples,
            # Its own, so that the number of workers does not affect the random numbers of the network.
            generator=torch.Generator(),
            **(workers or WorkerConfig()).arguments(),
        )
        self._given = 0

    def __len__(self) -> int:
        return len(self._sampler)

    @property
    def dataset(self) -> Any:
        """The dataset."""
        return self._loader.dataset

    def set_epoch(self, epoch: int) -> None:
        """Start an epoch; a partly finished epoch continues at its position."""
        if epoch != self._sampler.epoch:
            self._sampler.epoch = epoch
            self._given = 0

    def __iter__(self) -> Iterator[ExampleBatch]:
        if self._given >= len(self):
            self._given = 0
        self._sampler.first_batch = self._given
        if not self._given:
            # One draw per epoch from torch's global generator, as a DataLoader without its own makes: runs
            # with dropout reproduce those from before this loader. A resumed epoch has already drawn.
            torch.empty((), dtype=torch.int64).random_()
        for batch in self._loader:
            self._given += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Position in the order, as plain numbers."""
        sampler = self._sampler
        return {
            "epoch": sampler.epoch,
            "given": self._given,
            "seed": sampler.seed,
            "items": len(sampler.dataset),
            "batch_size": sampler.batch_size,
        }

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Continue from a position in the order.

        Raises
        ------
        MismatchError
            The position is of another order: other items, batches or seed.
        """
        here = self.state_dict()
        for name in ("seed", "items", "batch_size"):
            if state[name] != here[name]:
                raise MismatchError(
                    "training data",
                    f"has {name} {here[name]}, the checkpoint was written with {state[name]}",
                    next_step="resume with the data and the settings of the first run",
                )
        self._sampler.epoch = state["epoch"]
        self._given = state["given"]


def evaluation_loader(
    dataset: Any, *, batch_size: int, workers: WorkerConfig | None = None
) -> DataLoader[Any]:
    """Loader of every item, once and in order."""
    arguments = (workers or WorkerConfig()).arguments()
    return DataLoader(
        dataset,
        batch_size=batch_size,
        collate_fn=collate_examples,
        # Its own, so that validation does not affect the random numbers of training.
        generator=torch.Generator(),
        **arguments,
    )


def record_indices(batch: ExampleBatch) -> np.ndarray:
    """(B,) index of each row's record in the dataset."""
    metadata: Sequence[Any] = batch["metadata"]
    return np.array([item["record_index"] for item in metadata])

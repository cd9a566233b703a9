"""Batches in an order of the epoch's own, and a place to go on from after an interruption."""

from __future__ import annotations

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
    """An example as it is drawn in one epoch.

    The epoch travels with the index, so that a worker process which has lived since the first epoch
    draws what any other would.
    """

    epoch: int
    index: int


class Measured(Sized, Protocol):
    """A dataset whose items have known lengths."""

    def n_samples(self, index: int) -> int:
        """Audio samples of an item, at most."""
        ...


class WorkerConfig(StrictModel):
    """Who makes the examples.

    Attributes
    ----------
    workers : processes beside the training loop; 0 makes the examples in it
    prefetch : batches that each worker holds ready
    persistent_workers : whether workers live on from epoch to epoch; means nothing without workers
    pin_memory : whether batches are put where a GPU can fetch them by itself; means nothing without one
    """

    workers: Annotated[int, Field(ge=0, le=64)] = 0
    prefetch: Annotated[int, Field(ge=1, le=64)] = 2
    persistent_workers: bool = True
    pin_memory: bool = True

    def arguments(self) -> dict[str, Any]:
        """What `DataLoader` is called with."""
        return {
            "num_workers": self.workers,
            "prefetch_factor": self.prefetch if self.workers else None,
            "persistent_workers": self.persistent_workers and self.workers > 0,
            "pin_memory": self.pin_memory and torch.cuda.is_available(),
        }


class BucketSampler(Sampler[list[EpochItem]]):
    """Batches of items of similar length, in a seeded order that changes every epoch.

    Items are shuffled, sorted by length within pools of 16 batches, and the batches shuffled:
    little padding, and still another neighbourhood each epoch.

    Attributes
    ----------
    epoch : whose order comes next
    first_batch : batches of that order that are passed over
    """

    POOL_BATCHES = 16

    def __init__(self, dataset: Measured, batch_size: int, seed: int) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0
        self.first_batch = 0

    def __len__(self) -> int:
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self) -> Iterator[list[EpochItem]]:
        draw = np.random.default_rng((self.seed, self.epoch))
        order = draw.permutation(len(self.dataset))
        batches: list[list[int]] = []
        pool = self.batch_size * self.POOL_BATCHES
        for start in range(0, len(order), pool):
            items = sorted(order[start : start + pool].tolist(), key=self.dataset.n_samples)
            batches += [items[i : i + self.batch_size] for i in range(0, len(items), self.batch_size)]
        epoch = self.epoch
        for number in draw.permutation(len(batches))[self.first_batch :]:
            yield [EpochItem(epoch, index) for index in batches[number]]


class TrainingLoader:
    """Training batches, epoch by epoch, from wherever an earlier run stopped.

    What counts are the batches that the training loop was given, not those that workers have begun.

    Parameters
    ----------
    dataset
        Takes an `EpochItem`.
    batch_size
    seed
        Of the order.
    workers
    """

    def __init__(
        self, dataset: Any, *, batch_size: int, seed: int, workers: WorkerConfig | None = None
    ) -> None:
        self._sampler = BucketSampler(dataset, batch_size, seed)
        self._loader: DataLoader[Any] = DataLoader(
            dataset,
            batch_sampler=self._sampler,
            collate_fn=collate_examples,
            # Its own, so that the number of workers changes nothing of what the network draws.
            generator=torch.Generator(),
            **(workers or WorkerConfig()).arguments(),
        )
        self._given = 0

    def __len__(self) -> int:
        return len(self._sampler)

    @property
    def dataset(self) -> Any:
        """What the batches are made of."""
        return self._loader.dataset

    def set_epoch(self, epoch: int) -> None:
        """Begin an epoch; the epoch that is under way goes on from where it stands."""
        if epoch != self._sampler.epoch:
            self._sampler.epoch = epoch
            self._given = 0

    def __iter__(self) -> Iterator[ExampleBatch]:
        if self._given >= len(self):
            self._given = 0
        self._sampler.first_batch = self._given
        if not self._given:
            # One draw an epoch from torch's own generator, as a DataLoader without one makes: runs with
            # dropout repeat those from before this loader. An epoch that goes on has made it already.
            torch.empty((), dtype=torch.int64).random_()
        for batch in self._loader:
            self._given += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        """The place in the order: plain numbers."""
        sampler = self._sampler
        return {
            "epoch": sampler.epoch,
            "given": self._given,
            "seed": sampler.seed,
            "items": len(sampler.dataset),
            "batch_size": sampler.batch_size,
        }

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on from a place in the order.

        Raises
        ------
        MismatchError
            The place is one in another order: other items, batches or seed.
        """
        here = self.state_dict()
        for name in ("seed", "items", "batch_size"):
            if state[name] != here[name]:
                raise MismatchError(
                    "training data",
                    f"has {name} {here[name]}, the checkpoint was written with {state[name]}",
                    next_step="resume with the data and the settings that the run was begun with",
                )
        self._sampler.epoch = state["epoch"]
        self._given = state["given"]


def evaluation_loader(
    dataset: Any, *, batch_size: int, workers: WorkerConfig | None = None
) -> DataLoader[Any]:
    """Every item once, in order."""
    arguments = (workers or WorkerConfig()).arguments()
    return DataLoader(
        dataset,
        batch_size=batch_size,
        collate_fn=collate_examples,
        # Its own, so that looking at the held-out part changes nothing of what training draws.
        generator=torch.Generator(),
        **arguments,
    )


def record_indices(batch: ExampleBatch) -> np.ndarray:
    """(B,) which record of the dataset each row comes from."""
    metadata: Sequence[Any] = batch["metadata"]
    return np.array([about["record_index"] for about in metadata])

"""The order of the batches, and going on in the middle of it."""

from itertools import islice

import numpy as np
import pytest
import torch

from tocco.data.batching import Example
from tocco.data.loaders import BucketSampler, EpochItem, TrainingLoader, WorkerConfig
from tocco.errors import MismatchError


class Lengths(torch.utils.data.Dataset[Example]):
    """Items that say nothing but which they are."""

    def __init__(self, n: int = 50) -> None:
        self.length = np.random.default_rng(0).integers(1, 100, n)

    def __len__(self) -> int:
        return len(self.length)

    def n_samples(self, index: int) -> int:
        return int(self.length[index])

    def __getitem__(self, item: EpochItem) -> Example:
        nothing = torch.zeros(self.n_samples(item.index))
        value = torch.tensor([float(np.random.default_rng((item.epoch, item.index)).random())])
        return {
            "waveform": nothing,
            "audio_mask": nothing == 0,
            "level_db": value[0],
            "midi_tokens": torch.zeros(1, 8, dtype=torch.long),
            "note_features": torch.zeros(1, 2),
            "note_times": torch.zeros(1, 2),
            "midi_mask": torch.ones(1, dtype=torch.bool),
            "statistics": value,
            "labels": value,
            "label_mask": value > 0,
            "label_sd": value,
            "metadata": {"record_index": item.index},  # type: ignore[typeddict-item]
        }


def given(batches: object) -> list[list[tuple[int, float]]]:
    return [
        [(about["record_index"], float(x)) for about, x in zip(b["metadata"], b["labels"], strict=True)]
        for b in batches  # type: ignore[attr-defined]
    ]


def test_an_epoch_holds_every_item_once_in_an_order_of_its_own() -> None:
    sampler = BucketSampler(Lengths(), batch_size=4, seed=0)
    orders = []
    for epoch in (0, 1):
        sampler.epoch = epoch
        batches = list(sampler)
        assert len(batches) == len(sampler) == 13
        assert sorted(item.index for batch in batches for item in batch) == list(range(50))
        assert {item.epoch for batch in batches for item in batch} == {epoch}
        orders.append([[item.index for item in batch] for batch in batches])
    assert orders[0] != orders[1]


def test_an_epoch_may_draw_some_items_others_in_each() -> None:
    sampler = BucketSampler(Lengths(), batch_size=4, seed=0, per_epoch=18)
    drawn = []
    for epoch in (0, 1):
        sampler.epoch = epoch
        batches = list(sampler)
        assert len(batches) == len(sampler) == 5
        drawn.append({item.index for batch in batches for item in batch})
    assert [len(one) for one in drawn] == [18, 18]
    assert drawn[0] != drawn[1]
    assert len(BucketSampler(Lengths(), batch_size=4, seed=0, per_epoch=80)) == 13


def test_batches_are_of_similar_length() -> None:
    dataset = Lengths(400)

    def padding(batches: list[list[int]]) -> float:
        lengths = [dataset.length[batch] for batch in batches]
        return float(sum(len(x) * x.max() - x.sum() for x in lengths) / dataset.length.sum())

    bucketed = [[item.index for item in batch] for batch in BucketSampler(dataset, 8, seed=0)]
    shuffled = np.random.default_rng(0).permutation(400).reshape(50, 8).tolist()
    assert padding(bucketed) < 0.2 * padding(shuffled)


@pytest.mark.parametrize(("workers", "stop"), [(0, 5), (0, 0), (0, 13), (2, 5)])
def test_an_interrupted_epoch_goes_on_where_it_stopped(workers: int, stop: int) -> None:
    """Workers are ahead of the training loop; what they had begun is made again."""
    settings = {"batch_size": 4, "seed": 3, "workers": WorkerConfig(workers=workers, prefetch=3)}
    whole, first, second = (TrainingLoader(Lengths(), **settings) for _ in range(3))
    for loader in (whole, first):
        loader.set_epoch(2)
    expected = given(whole)
    before = given(islice(iter(first), stop))
    state = first.state_dict()
    assert state == {"epoch": 2, "given": stop, "seed": 3, "items": 50, "batch_size": 4}
    second.load_state_dict(state)
    second.set_epoch(2)
    if stop < len(whole):
        assert before + given(second) == expected
    second.set_epoch(3)
    whole.set_epoch(3)
    following = given(second)
    assert following == given(whole)
    assert following != expected


def test_going_on_draws_nothing_from_torchs_own_generator_and_starting_draws_once() -> None:
    loader = TrainingLoader(Lengths(), batch_size=4, seed=0)
    torch.manual_seed(0)
    next(iter(loader))
    once = torch.get_rng_state()
    torch.manual_seed(0)
    torch.empty((), dtype=torch.int64).random_()
    assert torch.equal(once, torch.get_rng_state())
    loader.load_state_dict({"epoch": 0, "given": 2, "seed": 0, "items": 50, "batch_size": 4})
    next(iter(loader))
    assert torch.equal(once, torch.get_rng_state())


@pytest.mark.parametrize(("name", "value"), [("seed", 1), ("items", 49), ("batch_size", 8)])
def test_a_place_in_another_order_is_refused(name: str, value: int) -> None:
    loader = TrainingLoader(Lengths(), batch_size=4, seed=0)
    with pytest.raises(MismatchError, match=f"the checkpoint was written with {value}"):
        loader.load_state_dict(loader.state_dict() | {name: value})


def test_persistent_workers_serve_every_epoch_its_own_draws() -> None:
    loader = TrainingLoader(Lengths(12), batch_size=4, seed=0, workers=WorkerConfig(workers=1))
    alone = TrainingLoader(Lengths(12), batch_size=4, seed=0)
    for epoch in range(3):
        loader.set_epoch(epoch)
        alone.set_epoch(epoch)
        assert given(loader) == given(alone)

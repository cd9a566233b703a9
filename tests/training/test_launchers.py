"""Several processes that train together come to what one does that accumulates their batches."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tocco.data.prepared import PreparedRecord
from tocco.errors import InputError, MissingPartError, UsageError
from tocco.training.config import ExperimentConfig
from tocco.training.distributed import ONE_PROCESS, Processes
from tocco.training.epoch_log import read_epochs
from tocco.training.launchers import LocalProcesses, RayWorkers, run_here
from tocco.training.run_folder import Split
from tocco.training.stages import train_stage


def test_one_process_is_this_one() -> None:
    seen: list[Processes] = []
    run_here(seen.append)
    assert seen == [ONE_PROCESS]
    assert ONE_PROCESS.trainer_arguments() == {"accelerator": "auto", "devices": 1}
    assert ONE_PROCESS.plugins() == []


def test_processes_meet_at_the_address_of_the_first() -> None:
    second = Processes(2, 1, "127.0.0.1:4242", 1)
    (meeting,) = second.plugins()
    assert (meeting.main_address, meeting.main_port) == ("127.0.0.1", 4242)
    assert (meeting.world_size(), meeting.global_rank(), meeting.node_rank(), meeting.local_rank()) == (
        2,
        1,
        1,
        0,
    )
    assert meeting.creates_processes_externally
    assert second.trainer_arguments()["num_nodes"] == 2


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UsageError, match=r"--processes: is 2 \(allowed: 1 to 1, the GPUs"):
        LocalProcesses(2)


def test_ray_that_is_not_installed_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPartError, match=r"Ray is not installed\. Next: pip install tocco\[scale\]"):
        RayWorkers(2)


@pytest.fixture(scope="module")
def even(hard: ExperimentConfig) -> ExperimentConfig:
    """Without dropout, whose draws are of each process."""
    return hard.model_copy(update={"model": hard.model.model_copy(update={"dropout": 0.0})})


@pytest.mark.slow
@pytest.mark.parametrize("launcher", [LocalProcesses(2), RayWorkers(2)], ids=["local", "ray"])
def test_two_processes_come_to_what_one_does(
    even: ExperimentConfig,
    records: list[PreparedRecord],
    split: Split,
    tmp_path: Path,
    launcher: LocalProcesses | RayWorkers,
) -> None:
    alone = train_stage(even, records, split, tmp_path / "one", validate=True)
    shared = even.model_copy(
        update={"training": even.training.model_copy(update={"accumulate_grad_batches": 1})}
    )
    together = train_stage(shared, records, split, tmp_path / "two", validate=True, launcher=launcher)
    first, second = load_file(alone), load_file(together)
    for name in first:
        torch.testing.assert_close(first[name], second[name], atol=1e-5, rtol=1e-4, msg=name)
    rows, others = read_epochs(alone.parent), read_epochs(together.parent)
    for row, other in zip(rows, others, strict=True):
        assert other == pytest.approx(row, rel=1e-4, abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("launcher", [LocalProcesses(2), RayWorkers(2)], ids=["local", "ray"])
def test_an_error_of_a_process_is_that_of_the_run(
    even: ExperimentConfig,
    records: list[PreparedRecord],
    split: Split,
    tmp_path: Path,
    launcher: LocalProcesses | RayWorkers,
) -> None:
    (tmp_path / "no.ckpt").write_bytes(b"PK\x03\x04 half a file")
    with pytest.raises(InputError, match="damaged"):
        train_stage(
            even,
            records,
            split,
            tmp_path / "run",
            validate=True,
            launcher=launcher,
            start=tmp_path / "no.ckpt",
        )

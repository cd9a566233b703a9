"""Checkpoint files: whole or not there, read without running code, and independent of their folder."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import pytest
import torch

from tocco.errors import InputError
from tocco.training.checkpoint_file import network_state, read_checkpoint
from tocco.training.checkpoints import BestCheckpoints, WholeFiles, worker_loss_as_stop
from tocco.training.interruption import StoppedError, StopRequest


class _Payload:
    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("/tmp/never-made-by-a-checkpoint"),)


def test_a_missing_or_foreign_checkpoint_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "x.ckpt"
    with pytest.raises(InputError, match=r"x\.ckpt: no such checkpoint"):
        read_checkpoint(path)
    path.write_bytes(b"PK\x03\x04 half a file")
    with pytest.raises(InputError, match="is no checkpoint, or a damaged one"):
        read_checkpoint(path)
    torch.save({"state_dict": {}}, path)
    with pytest.raises(InputError, match="is no checkpoint of tocco"):
        read_checkpoint(path)
    torch.save({"state_dict": {}, "tocco": {"format": 99}}, path)
    with pytest.raises(InputError, match=r"has checkpoint format 99 \(allowed: 1\)"):
        read_checkpoint(path)


def test_a_payload_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "payload.ckpt"
    torch.save({"state_dict": {}, "tocco": _Payload()}, path)
    with pytest.raises(InputError, match="holds more than tensors and plain values"):
        read_checkpoint(path)
    path.write_bytes(pickle.dumps(_Payload(), protocol=2))
    with pytest.raises(InputError):
        read_checkpoint(path)
    assert not Path("/tmp/never-made-by-a-checkpoint").exists()


def test_half_of_a_checkpoint_is_refused(whole: Path, tmp_path: Path) -> None:
    content = (whole / "last.ckpt").read_bytes()
    (tmp_path / "half.ckpt").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="damaged"):
        read_checkpoint(tmp_path / "half.ckpt")


def test_a_write_that_fails_leaves_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "last.ckpt"
    WholeFiles().save_checkpoint({"state_dict": {}, "tocco": {"format": 1}}, path)
    before = path.read_bytes()

    def fails(content: object, to: Path) -> None:
        to.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", fails)
    with pytest.raises(KeyboardInterrupt):
        WholeFiles().save_checkpoint({}, path)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["last.ckpt"]


def test_the_best_three_are_kept_and_the_best_of_them_is_named(whole: Path) -> None:
    names = sorted(path.name for path in (whole / "checkpoints").iterdir())
    assert [name[:9] for name in names] == ["epoch=000", "epoch=001"]
    best = min(names, key=lambda name: float(name.removesuffix(".ckpt").split("val_loss=")[1]))
    state = read_checkpoint(whole / "last.ckpt")["callbacks"]
    (kept,) = [one for key, one in state.items() if key.startswith("BestCheckpoints")]
    assert kept["best_model_path"] == best
    assert sorted(kept["best_k_models"]) == names
    assert (whole / "best.ckpt").read_bytes() == (whole / "checkpoints" / best).read_bytes()


def test_bookkeeping_of_the_best_follows_a_moved_folder(tmp_path: Path) -> None:
    first = BestCheckpoints(tmp_path / "a", monitor="val_loss", save_top_k=2)
    first.best_k_models = {str(tmp_path / "a" / "x.ckpt"): torch.tensor(1.0)}
    first.current_score = torch.tensor(1.5)
    first.best_model_path = first.kth_best_model_path = str(tmp_path / "a" / "x.ckpt")
    moved = BestCheckpoints(tmp_path / "b", monitor="val_loss", save_top_k=2)
    moved.load_state_dict(first.state_dict())
    assert moved.best_model_path == str(tmp_path / "b" / "x.ckpt")
    assert list(moved.best_k_models) == [str(tmp_path / "b" / "x.ckpt")]
    assert moved.last_model_path == ""
    assert moved.state_dict() == first.state_dict()


def test_weights_of_the_network_are_those_of_the_best_epoch(whole: Path) -> None:
    from safetensors.torch import load_file

    weights, state = (
        load_file(whole / "model.safetensors"),
        network_state(read_checkpoint(whole / "best.ckpt")),
    )
    assert weights.keys() == state.keys()
    assert all(torch.equal(weights[name], state[name]) for name in weights)


def test_a_signal_that_ended_the_loading_processes_ends_the_run_as_one(whole: Path, tmp_path: Path) -> None:
    shutil.copy(whole / "last.ckpt", tmp_path / "last.ckpt")
    lost, request = RuntimeError("DataLoader worker (pid 7) is killed by signal: Terminated."), StopRequest()
    with pytest.raises(RuntimeError, match="pid 7"), worker_loss_as_stop(request, tmp_path / "last.ckpt"):
        raise lost
    request.number = 15
    stopped = pytest.raises(StoppedError, match="SIGTERM after step 8")
    with stopped, worker_loss_as_stop(request, tmp_path / "last.ckpt"):
        raise lost
    other = pytest.raises(RuntimeError, match="out of memory")
    with other, worker_loss_as_stop(request, tmp_path / "last.ckpt"):
        raise RuntimeError("out of memory")

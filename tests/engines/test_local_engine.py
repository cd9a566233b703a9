"""Many items on one machine, and what is refused before any work."""

from __future__ import annotations

import importlib.util
import logging
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

import engine_work
from engine_work import (
    Pair,
    begin,
    dying_at_one,
    paired,
    refusing_or_sleeping,
    refusing_three,
    sleeping,
    stumbling_at_one,
    surroundings,
    what_began,
)
from tocco.engines import Engine, LocalEngine, RayEngine, assert_arrived, engine_of
from tocco.errors import InputError, MissingPartError, OutputError


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_the_order_of_the_items_and_are_counted(jobs: int) -> None:
    counts: list[tuple[int, int]] = []
    engine: Engine = LocalEngine(jobs)
    found = list(engine.map(paired, range(5), lambda done, total: counts.append((done, total))))
    assert found == [Pair(n * n, Path("take") / str(n)) for n in range(5)]
    assert counts == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
    assert list(engine.map(paired, [])) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_refusal_comes_after_the_results_before_it(jobs: int) -> None:
    found: list[int] = []
    with pytest.raises(InputError, match="item: is 3") as refused:
        found.extend(LocalEngine(jobs).map(refusing_three, [4, 5, 3, 6]))
    assert found == [4, 5]
    assert refused.value.allowed == "anything else"
    with pytest.raises(ZeroDivisionError):
        list(LocalEngine(jobs).map(stumbling_at_one, [1, 2]))


def test_one_job_is_this_process_and_two_are_others_of_one_thread_each(monkeypatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    assert {pid for pid, *_ in LocalEngine(1).map(surroundings, range(3))} == {os.getpid()}
    others = list(LocalEngine(2).map(surroundings, range(6)))
    assert os.getpid() not in {pid for pid, *_ in others}
    assert {(threads, folder) for _, threads, folder in others} == {("1", str(Path.cwd()))}
    assert os.environ["OMP_NUM_THREADS"] == "5"
    assert "MKL_NUM_THREADS" not in os.environ


def test_a_killed_process_is_reported() -> None:
    with pytest.raises(MissingPartError, match="one of 2 processes was killed"):
        list(LocalEngine(2).map(dying_at_one, range(4)))


INTERRUPTED = """
import signal, sys, time
from pathlib import Path
from tocco.engines import LocalEngine

folder = Path(sys.argv[1])

def work(place):
    (folder / f"begun{place}").touch()
    while not (folder / "go").exists():
        time.sleep(0.02)
    (folder / f"ended{place}").touch()

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would not hear it
    list(LocalEngine(2).map(work, range(9)))
"""


def interrupted(folder: Path, times: int, *, may_end: bool = True) -> str:
    """Interrupt a run once both processes work; let them end their items after the first time, or not.

    Nothing waits for a stretch of time, only for what happens: a slow machine is slow and no more.
    """
    program = folder / "program.py"
    program.write_text(INTERRUPTED)
    with subprocess.Popen([sys.executable, program, folder], stderr=subprocess.PIPE, text=True) as run:
        assert run.stderr is not None
        try:
            while len(list(folder.glob("begun*"))) < 2:
                assert run.poll() is None, run.stderr.read()
                time.sleep(0.02)
            run.send_signal(signal.SIGINT)
            said = run.stderr.readline()
            if times == 1 and may_end:
                (folder / "go").touch()
            elif times > 1:
                time.sleep(0.2)  # from its words to its waiting
                run.send_signal(signal.SIGINT)
            said += run.communicate(timeout=120.0)[1]
        finally:
            run.kill()
    return said


def test_an_interruption_waits_for_what_was_begun_and_for_no_more(tmp_path: Path) -> None:
    said = interrupted(tmp_path, 1)
    assert "Interrupted: running work has 2 s to finish." in said
    begun, ended = (
        sorted(path.name[5:] for path in tmp_path.glob(f"{what}*")) for what in ("begun", "ended")
    )
    assert begun == ended == ["0", "1"]


def test_what_takes_longer_is_ended(tmp_path: Path) -> None:
    said = interrupted(tmp_path, 1, may_end=False)
    assert said.count("Traceback") == 1, said
    assert not list(tmp_path.glob("ended*"))


def test_whoever_stops_asking_ends_what_was_begun(caplog: pytest.LogCaptureFixture) -> None:
    before = set(multiprocessing.active_children())
    with (
        caplog.at_level(logging.WARNING),
        closing(LocalEngine(2).map(sleeping, [0.0, 600.0, 600.0])) as found,
    ):
        assert next(found) == 0.0
    assert set(multiprocessing.active_children()) <= before
    assert caplog.messages == []  # nobody pressed Ctrl-C


def test_an_error_does_not_wait_for_the_items_that_run(caplog: pytest.LogCaptureFixture) -> None:
    before = set(multiprocessing.active_children())
    begun = time.monotonic()
    with caplog.at_level(logging.WARNING), pytest.raises(InputError, match="item: is 0"):
        list(LocalEngine(2).map(refusing_or_sleeping, [0.0, 60.0, 60.0]))
    assert time.monotonic() - begun < 55.0
    assert set(multiprocessing.active_children()) <= before
    assert caplog.messages == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_process_is_initialised_once_before_its_first_item(jobs: int, monkeypatch) -> None:
    monkeypatch.setattr(engine_work, "begun_with", [])
    engine = LocalEngine(jobs, initializer=begin, initargs=("piano",))
    assert list(engine.map(what_began, range(5))) == [["piano"]] * 5
    assert engine_work.begun_with == (["piano"] if jobs == 1 else [])
    assert list(engine.map(what_began, [])) == []


def test_a_second_interruption_waits_for_nothing(tmp_path: Path) -> None:
    said = interrupted(tmp_path, 2)
    assert said.count("Traceback") == 1, said  # that of the interruption itself, which no app caught
    assert not list(tmp_path.glob("ended*"))


def test_options_choose_the_engine() -> None:
    assert engine_of("local") == LocalEngine(1)
    assert engine_of("local", jobs=3) == LocalEngine(3)


def test_options_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(InputError, match=r"--address: .*'local'.*add --engine ray"):
        engine_of("local", address="10.0.0.1:6379")
    with pytest.raises(InputError, match="--jobs: is for this machine"):
        engine_of("ray", jobs=2, address="10.0.0.1:6379")
    with pytest.raises(InputError, match="--jobs: is 0"):
        LocalEngine(0)
    with pytest.raises(InputError, match="--jobs: is -1"):
        RayEngine(None, -1)


@pytest.mark.parametrize("address", ["", "here", "host:", ":6379", "http://host:1", "host:123456", "a b:1"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(InputError, match=r"--address: is .*allowed: HOST:PORT"):
        engine_of("ray", address=address)


def test_an_address_where_nobody_answers_is_told_at_once() -> None:
    pytest.importorskip("ray")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(MissingPartError, match=f"{address}: no cluster answers there"):
            list(engine_of("ray", address=address).map(paired, [1, 2]))


def test_without_ray_the_extra_is_named(monkeypatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ray" else found(name))
    with pytest.raises(MissingPartError, match=r"--engine ray: .*pip install tocco\[scale\]"):
        engine_of("ray")


def test_a_result_on_another_machine_is_reported(tmp_path: Path) -> None:
    (tmp_path / "here.flac").touch()
    assert_arrived(tmp_path / "here.flac")
    with pytest.raises(OutputError, match=r"gone\.flac: was written by a worker, and is not on this machine"):
        assert_arrived(tmp_path / "gone.flac")

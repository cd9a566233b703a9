"""The same results and the same bytes from a cluster, also from one that loses a machine."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine_work import (
    Pair,
    WatchedEngine,
    dying_at_one,
    paired,
    refusing_three,
    square_written,
    stumbling_at_one,
    surroundings,
)
from render_example import installed, performance
from tocco.apps.commands.render import RenderOptions, render_midi
from tocco.engines import Engine, LocalEngine, RayEngine
from tocco.errors import InputError, MissingPartError
from tocco.music.midi import save_midi

pytestmark = [pytest.mark.slow]

STORE_BYTES = 100 * 2**20


@pytest.fixture(scope="module", autouse=True)
def _surroundings_of_workers() -> Iterator[None]:
    """Workers find the modules of the tests, report nothing to anyone, and leave no token in the home."""
    pytest.importorskip("ray")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_TOKEN", "0" * 64)
        yield


@pytest.fixture(scope="module")
def one_machine() -> Iterator[RayEngine]:
    """Ray on this machine, started once for several maps."""
    import ray

    ray.init("local", num_cpus=2, include_dashboard=False, object_store_memory=STORE_BYTES)
    yield RayEngine()
    ray.shutdown()


def test_results_are_those_of_this_process(one_machine: RayEngine) -> None:
    counts: list[int] = []
    found = list(one_machine.map(paired, range(20), lambda done, total: counts.append(done)))
    assert found == [Pair(n * n, Path("take") / str(n)) for n in range(20)]
    assert counts == list(range(1, 21))
    assert list(one_machine.map(paired, [])) == []


def test_workers_have_one_thread_and_the_folder_of_the_program(
    one_machine: RayEngine, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for pid, threads, folder in one_machine.map(surroundings, range(3)):
        assert pid != os.getpid()
        assert threads == "1"
        assert folder == str(tmp_path)
    assert list(one_machine.map(square_written, [Path("out/3.txt"), Path("out/4.txt")])) == [9, 16]
    assert (tmp_path / "out" / "4.txt").read_bytes() == b"16" * 1000


def test_a_refusal_is_the_function_s_own(one_machine: RayEngine) -> None:
    found: list[int] = []
    with pytest.raises(InputError, match="item: is 3") as refused:
        found.extend(one_machine.map(refusing_three, [4, 5, 3, 6]))
    assert found == [4, 5]
    assert refused.value.next_step == "leave it out"


def test_a_mistake_of_the_function_keeps_its_traceback(one_machine: RayEngine) -> None:
    from ray.exceptions import RayTaskError

    with pytest.raises(RayTaskError, match=r"(?s)stumbling_at_one.*ZeroDivisionError"):
        list(one_machine.map(stumbling_at_one, [2, 1]))


def test_an_item_that_ends_every_worker_ends_the_run(one_machine: RayEngine) -> None:
    with pytest.raises(MissingPartError, match="workers were lost 4 times over one item"):
        list(one_machine.map(dying_at_one, range(3)))


@pytest.fixture
def cluster() -> Iterator[tuple[Any, Any]]:
    """A cluster of two machines with one core each, and the second of them."""
    from ray.cluster_utils import Cluster

    size = {"num_cpus": 1, "object_store_memory": STORE_BYTES, "include_dashboard": False}
    machines = Cluster(initialize_head=True, head_node_args=size)
    second = machines.add_node(num_cpus=1, object_store_memory=STORE_BYTES)
    machines.wait_for_nodes()
    yield machines, second
    machines.shutdown()


@pytest.mark.render
def test_a_cluster_that_loses_a_machine_writes_the_same_bytes(
    cluster: tuple[Any, Any], tmp_path: Path, monkeypatch
) -> None:
    installed("timgm6mb")
    monkeypatch.chdir(tmp_path)
    midi = [Path(f"{k}.mid") for k in range(12)]
    for k, path in enumerate(midi):
        save_midi(performance([(0.0, 0.4, 50 + k, 80), (0.3, 0.9, 62 + k, 60)], [(0.1, 60)]), path)
    log = tmp_path / "log"
    log.mkdir()
    machines, second = cluster

    def rendered(engine: Engine, folder: str) -> dict[str, bytes]:
        options = RenderOptions("timgm6mb", 7, (-6.0, 3.0), "any", engine=engine, cache=Path(folder, "cache"))
        assert render_midi(midi, Path(folder), options) == 0
        whole = [path for path in Path(folder).rglob("*") if path.is_file() and path.name[0] != "."]
        return {str(path.relative_to(folder)): path.read_bytes() for path in whole}

    def lose_second() -> None:
        while not (log / "stuck").exists():
            time.sleep(0.05)
        machines.remove_node(second, allow_graceful=False)

    loser = threading.Thread(target=lose_second, daemon=True)
    loser.start()
    on_cluster = rendered(WatchedEngine(RayEngine(machines.address), log, second.node_id), "cluster")
    loser.join(timeout=60.0)
    here = rendered(LocalEngine(1), "here")
    assert len(here) == 12 + 12 + 2  # renderings, the cache, table and report
    assert on_cluster == here
    begun = Counter(path.name.split("-")[1] for path in log.glob("*-*"))
    assert set(begun) == {str(k) for k in range(12)}
    assert begun[(log / "stuck").read_text()] == 2  # once on the machine that was lost

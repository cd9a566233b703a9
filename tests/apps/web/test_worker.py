"""What the process of a job does: the names that it shows, what it says, and what a summary holds."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assessment_example import example
from tocco.apps.web.library.takes import StoredFile
from tocco.apps.web.running.process import WorkerProcess
from tocco.apps.web.running.tasks import Said, Task, TaskTake
from tocco.apps.web.running.work import distinct_titles, summary_of, with_given_names
from tocco.apps.web.running.worker import FAILED, Reporter, with_names
from tocco.errors import InputError
from web_example import MINUET, PRELUDE, make_take, served, wait_for


def stored(kind: str, name: str, stored_name: str) -> StoredFile:
    return StoredFile.model_validate({"kind": kind, "name": name, "stored": stored_name, "n_bytes": 1})


def task(folder: Path, *files: StoredFile) -> Task:
    take = TaskTake(title="a take", folder=folder, files=files)
    return Task(kind="assess", takes=(take,), output=folder / "result", memory_bytes=8 * 10**9)


def test_an_error_names_files_as_their_owner_does(tmp_path: Path) -> None:
    made = task(tmp_path, stored("audio", "my take.m4a", "recording.m4a"))
    path = tmp_path / "recording.m4a"
    shown = with_names(InputError(path, f"is silent ({path})", next_step=f"listen to {path}"), made)
    assert str(shown) == "my take.m4a: is silent (my take.m4a). Next: listen to my take.m4a."


def test_an_assessment_names_files_as_their_owner_does(tmp_path: Path) -> None:
    found = example()
    names = {kind: getattr(found.inputs, kind).name for kind in ("audio", "midi", "score")}
    take = task(tmp_path, *(stored(kind, f"my {kind}", name) for kind, name in names.items())).takes[0]
    changed = with_given_names(found, take).inputs
    assert (changed.audio.name, changed.midi.name) == ("my audio", "my midi")
    assert changed.score is not None
    assert changed.score.name == "my score"
    assert changed.audio.sha256 == found.inputs.audio.sha256


def test_a_summary_holds_what_is_rated() -> None:
    found = example()
    summary = summary_of(found)
    assert summary.aggregate == found.aggregate.value
    assert summary.aggregate_90 == found.aggregate.interval_90
    rated = {name: one.value for name, one in found.ratings.items() if one.value is not None}
    assert summary.ratings == rated
    assert summary.duration_sec == found.inputs.audio.duration_sec
    assert summary.found_score is None


@pytest.mark.parametrize(
    ("titles", "expected"),
    [
        (["a", "b"], ["a", "b"]),
        (["a", "a"], ["a (1)", "a (2)"]),
        (["a", "a", "a (2)"], ["1. a", "2. a", "3. a (2)"]),
    ],
)
def test_titles_of_several_takes_are_distinct(titles: list[str], expected: list[str]) -> None:
    assert distinct_titles(titles) == expected


def test_progress_is_said_at_the_beginning_of_a_stage_and_at_its_end() -> None:
    pipe = io.BytesIO()
    reporter = Reporter(pipe)
    for done in range(101):
        reporter.progress("rating", done, 100)
    said = [json.loads(line) for line in pipe.getvalue().splitlines()]
    assert (said[0]["stage"], said[0]["total"]) == ("rating", 0.0)
    assert said[-1]["done"] == 100.0
    assert 2 <= len(said) < 20


def test_a_worker_says_what_cannot_be_used_and_ends(tmp_path: Path) -> None:
    (tmp_path / "performance.mid").write_bytes(b"MThd and nothing more")
    made = task(tmp_path, stored("midi", "broken.mid", "performance.mid"))
    said: list[Said] = []
    process = WorkerProcess(made, said.append)
    while (code := process.code()) is None:
        time.sleep(0.05)
    assert (code, [one.stage for one in said]) == (FAILED, ["reading"])
    assert process.last is not None
    assert process.last.error is not None
    assert process.last.error.subject == "broken.mid"


def test_the_server_loads_nothing_heavy() -> None:
    code = "import sys, tocco.apps.commands.serve; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {
        "torch",
        "scipy",
        "numpy",
        "matplotlib",
        "partitura",
        "av",
        "soundfile",
        "symusic",
        "verovio",
        "rich",
    }
    assert not heavy & set(done.stdout.split())


@pytest.mark.slow
def test_assessments_are_compared_and_ranked_by_real_workers(tmp_path: Path) -> None:
    with served(tmp_path) as server, server.client() as client:
        score = PRELUDE / "prelude.musicxml"
        takes = [
            make_take(client, name, PRELUDE / f"prelude_{name}.mid", score)["id"]
            for name in ("struggling", "fluent")
        ]
        for take_id in takes:
            found = wait_for(client, f"/api/takes/{take_id}", "done", "failed", within_sec=600)
            assert found["progress"]["state"] == "done", found["progress"]["error"]
        for kind, said in (("compare", "struggling"), ("rank", "Ranking of 2 performances")):
            made = client.post("/api/results", json={"kind": kind, "takes": takes}).json()
            found = wait_for(client, f"/api/results/{made['id']}", "done", "failed", within_sec=600)
            assert found["progress"]["state"] == "done", found["progress"]["error"]
            assert said in client.get(f"/results/{made['id']}/document").text
        wrong = make_take(client, "minuet", MINUET / "minuet.mid")["id"]
        wait_for(client, f"/api/takes/{wrong}", "done", within_sec=600)
        made = client.post("/api/results", json={"kind": "compare", "takes": [takes[0], wrong]}).json()
        found = wait_for(client, f"/api/results/{made['id']}", "failed", within_sec=600)
        assert "Next: " in found["progress"]["error"]

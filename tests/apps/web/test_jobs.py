"""Jobs: their order, how many run, how they end, and that none is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tocco.apps.web.library.jobs import (
    MOST_INTERRUPTIONS,
    all_jobs,
    find_job,
    requeue_interrupted,
    waiting_jobs,
)
from tocco.apps.web.library.library import Library
from tocco.apps.web.settings import MEGABYTE, JobLimits
from tocco.errors import UsageError
from web_example import (
    MINUET,
    gone,
    is_alive,
    make_take,
    pids_of,
    served,
    settings,
    wait_for,
    web_client,
)


def state(client: TestClient, take: dict[str, Any]) -> str:
    return client.get(f"/api/takes/{take['id']}").json()["progress"]["state"]


def address(take: dict[str, Any]) -> str:
    return f"/api/takes/{take['id']}"


def test_jobs_run_one_after_another_in_their_order(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        first = make_take(client, "wait")
        others = [make_take(client, title) for title in ("b", "c", "d")]
        wait_for(client, address(first), "running", stage="rating")
        found = [client.get(address(take)).json()["progress"] for take in (first, *others)]
        assert [one["state"] for one in found] == ["running", "queued", "queued", "queued"]
        assert [one["n_before"] for one in found[1:]] == [1, 2, 3]
        assert (found[0]["stage_name"], found[0]["done"], found[0]["total"]) == ("Rating", 1.0, 4.0)
        client.post(f"{address(first)}/cancel")
        for take in others:
            wait_for(client, address(take), "done")
    library = Library(tmp_path)
    with library.database.reading() as connection:
        ended = connection.execute("SELECT subject FROM jobs WHERE state = 'done' ORDER BY ended_at, place")
        assert [row["subject"] for row in ended] == [take["id"] for take in others]


def test_so_many_run_at_once_and_no_more(tmp_path: Path) -> None:
    with web_client(settings(tmp_path, jobs=JobLimits(at_once=2))) as client:
        takes = [make_take(client, f"wait {number}") for number in range(3)]
        for take in takes[:2]:
            pids_of(client, tmp_path, take["id"])
        assert [state(client, take) for take in takes] == ["running", "running", "queued"]
        client.post(f"{address(takes[0])}/cancel")
        pids_of(client, tmp_path, takes[2]["id"])
        assert [state(client, take) for take in takes] == ["cancelled", "running", "running"]


class TestCancel:
    def test_the_process_and_what_it_started_have_ended_at_the_answer(self, tmp_path: Path) -> None:
        with web_client(settings(tmp_path)) as client:
            take = make_take(client, "wait")
            pids = pids_of(client, tmp_path, take["id"])
            assert all(map(is_alive, pids))
            answer = client.post(f"{address(take)}/cancel").json()
            assert answer["progress"]["state"] == "cancelled"
            assert not is_alive(pids[0])
            assert gone(pids)
            again = client.post(f"{address(take)}/cancel")
            assert again.status_code == 409
            assert again.json()["error"].startswith("take: is not being assessed")

    def test_what_waits_never_begins(self, tmp_path: Path) -> None:
        with web_client(settings(tmp_path)) as client:
            first, second = make_take(client, "wait"), make_take(client, "b")
            client.post(f"{address(second)}/cancel")
            client.post(f"{address(first)}/cancel")
            third = make_take(client, "c")
            wait_for(client, address(third), "done")
            assert state(client, second) == "cancelled"
        assert not (tmp_path / "takes" / second["id"] / "result").exists()

    def test_it_can_be_tried_again_and_goes_to_the_end(self, tmp_path: Path) -> None:
        with web_client(settings(tmp_path)) as client:
            first, second = make_take(client, "wait"), make_take(client, "b")
            client.post(f"{address(second)}/cancel")
            third = make_take(client, "c")
            answer = client.post(f"{address(second)}/retry").json()
            assert (answer["progress"]["state"], answer["progress"]["n_before"]) == ("queued", 2)
            client.post(f"{address(first)}/cancel")
            wait_for(client, address(third), "done")
            wait_for(client, address(second), "done")
            assert client.post(f"{address(second)}/retry").status_code == 409


class TestFailure:
    def test_the_sentence_is_that_of_the_terminal(self, tmp_path: Path) -> None:
        with web_client(settings(tmp_path)) as client:
            take = make_take(client, "refuse")
            found = wait_for(client, address(take), "failed")
            assert found["progress"]["error"] == ("take.wav: is silent. Next: check that it has sound.")
            page = client.get(f"/takes/{take['id']}").text
            assert "take.wav: is silent." in page
            assert "<strong>Next:</strong> check that it has sound." in page
            assert f'data-post="/api/takes/{take["id"]}/retry"' in page
            client.post(f"{address(take)}/retry")
            wait_for(client, address(take), "failed")

    def test_a_fault_shows_its_details(self, tmp_path: Path) -> None:
        with web_client(settings(tmp_path)) as client:
            take = make_take(client, "fault")
            found = wait_for(client, address(take), "failed")
            assert found["progress"]["error"] == (
                "this job: met a fault of tocco; your files are unchanged. "
                "Next: try it again; if it fails again, report the details below."
            )
            assert "KeyError: &#39;a fault of the double&#39;" in client.get(f"/takes/{take['id']}").text

    def test_one_that_vanishes_is_noticed_and_the_next_one_runs(self, tmp_path: Path) -> None:
        with web_client(settings(tmp_path)) as client:
            take, other = make_take(client, "vanish"), make_take(client, "b")
            found = wait_for(client, address(take), "failed")
            assert "was ended by signal 11" in found["progress"]["error"]
            wait_for(client, address(other), "done")

    def test_a_worker_that_is_not_there_is_said(self, tmp_path: Path) -> None:
        with web_client(settings(tmp_path), worker=("/nowhere/python",)) as client:
            take = make_take(client, "a")
            found = wait_for(client, address(take), "failed")
        assert found["progress"]["error"].startswith("this job: cannot be begun ([Errno 2]")


def test_a_job_ends_at_its_time_limit(tmp_path: Path) -> None:
    with web_client(settings(tmp_path, jobs=JobLimits(time_sec=1.5))) as client:
        take = make_take(client, "wait")
        pids = pids_of(client, tmp_path, take["id"])
        found = wait_for(client, address(take), "failed")
        assert gone(pids)
    assert found["progress"]["error"] == (
        "this job: was ended after 0.025 min (allowed: at most 0.025 min). "
        "Next: give a shorter recording, or start tocco serve with a higher --time-limit."
    )


def test_a_job_ends_at_its_memory_limit(tmp_path: Path) -> None:
    with served(tmp_path, "--memory-limit", "0.5") as server, server.client() as client:
        take = make_take(client, "minuet", MINUET / "minuet.mid")
        found = wait_for(client, address(take), "failed", "done")
    assert found["progress"]["error"] == (
        "minuet: needs more memory than a job may use (allowed: 0.5 GB). "
        "Next: give a shorter recording, or start tocco serve with a higher --memory-limit."
    )


class TestRestart:
    def test_a_server_that_ends_queues_its_jobs_again_in_their_places(self, tmp_path: Path) -> None:
        with web_client(settings(tmp_path)) as client:
            first, second = make_take(client, "wait"), make_take(client, "b")
            pids = pids_of(client, tmp_path, first["id"])
        assert gone(pids)
        with Library(tmp_path).database.reading() as connection:
            assert [job.subject for job in waiting_jobs(connection)] == [first["id"], second["id"]]
            assert {job.state for job in all_jobs(connection).values()} == {"queued"}
        with web_client(settings(tmp_path)) as client:
            pids_of(client, tmp_path, first["id"])
            assert state(client, second) == "queued"
            client.post(f"{address(first)}/cancel")
            wait_for(client, address(second), "done")

    def test_after_a_kill_no_process_is_left_and_the_job_begins_again(self, tmp_path: Path) -> None:
        with served(tmp_path) as server, server.client() as client:
            take = make_take(client, "minuet", MINUET / "minuet.mid")
            wait_for(client, address(take), "running")
            pids = server.children()
            assert pids
            server.process.kill()
            server.process.wait()
            assert gone(pids)
        with Library(tmp_path).database.reading() as connection:
            job = find_job(connection, take["id"])
            assert job is not None
            assert job.state == "running"  # nobody was there to say otherwise
        with served(tmp_path) as server, server.client() as client:
            wait_for(client, address(take), "running")
            assert client.post(f"{address(take)}/cancel").json()["progress"]["state"] == "cancelled"

    def test_a_job_that_kills_the_server_again_and_again_is_given_up(self, tmp_path: Path) -> None:
        with web_client(settings(tmp_path)) as client:
            take = make_take(client, "wait")
            pids_of(client, tmp_path, take["id"])
            client.post(f"{address(take)}/cancel")
        library = Library(tmp_path)
        states = []
        for _ in range(MOST_INTERRUPTIONS):
            with library.database.writing() as connection:
                connection.execute("UPDATE jobs SET state = 'running'")
            with library.database.writing() as connection:
                requeue_interrupted(connection)
                job = find_job(connection, take["id"])
                assert job is not None
                states.append(job.state)
        assert states == ["queued", "queued", "failed"]
        assert job.error is not None
        assert job.error.problem == "was running 3 times when the server died"


def test_one_library_has_one_server(tmp_path: Path) -> None:
    with (
        web_client(settings(tmp_path)),
        pytest.raises(UsageError, match="another tocco serve has open"),
        web_client(settings(tmp_path)),
    ):
        pass
    with web_client(settings(tmp_path)) as client:
        assert client.get("/api/takes").json() == []


def test_what_is_done_stays_done_over_a_restart(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        take = make_take(client, "a")
        found = wait_for(client, address(take), "done")
    with web_client(settings(tmp_path)) as client:
        assert client.get(address(take)).json() == found


def test_the_limits_are_those_of_the_documents() -> None:
    assert JobLimits() == JobLimits(at_once=1, time_sec=3600.0, memory_bytes=8_000 * MEGABYTE)

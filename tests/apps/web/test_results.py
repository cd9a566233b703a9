"""Comparisons and rankings of takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from tocco.apps.web.routes.results import BY
from web_example import make_take, settings, wait_for, web_client


def assessed(client: TestClient, *titles: str) -> list[str]:
    takes = [make_take(client, title)["id"] for title in titles]
    for take_id in takes:
        wait_for(client, f"/api/takes/{take_id}", "done")
    return takes


def make(client: TestClient, kind: str, takes: list[str], **other: Any) -> Any:
    return client.post("/api/results", json={"kind": kind, "takes": takes, **other})


def test_two_takes_are_compared_in_a_document_of_its_own(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        takes = assessed(client, "monday", "friday")
        answer = make(client, "compare", takes)
        assert answer.status_code == 201
        result = answer.json()
        assert (result["title"], result["takes"]) == ("monday and friday", takes)
        wait_for(client, f"/api/results/{result['id']}", "done")
        document = client.get(f"/results/{result['id']}/document")
        assert document.text.endswith("monday friday")
        assert document.headers["content-security-policy"].startswith("sandbox ")
        page = client.get(f"/results/{result['id']}").text
        assert f'src="/results/{result["id"]}/document"' in page
        assert f'href="/results/{result["id"]}">monday and friday</a>' in client.get("/history").text


def test_several_are_ranked_by_what_was_chosen(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        takes = assessed(client, "a", "b", "c")
        result = make(client, "rank", takes, by="phrasing").json()
        assert result["title"] == "Ranking of 3 takes"
        wait_for(client, f"/api/results/{result['id']}", "done")
        with client.app.state.services.library.database.reading() as connection:  # type: ignore[attr-defined]
            options = connection.execute("SELECT options FROM results").fetchone()["options"]
    assert options == '{"by": "phrasing"}'


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        takes = assessed(client, "a", "b")
        waiting = make_take(client, "wait")["id"]
        said = {
            "one": make(client, "compare", takes[:1]),
            "twice": make(client, "compare", [takes[0], takes[0]]),
            "waits": make(client, "compare", [takes[0], waiting]),
            "gone": make(client, "compare", [takes[0], "0" * 16]),
            "by": make(client, "rank", takes, by="beauty"),
            "kind": make(client, "praise", takes),
            "many": make(client, "compare", [f"{number:016x}" for number in range(13)]),
        }
    assert {name: one.status_code for name, one in said.items()} == {
        "one": 422,
        "twice": 422,
        "waits": 422,
        "gone": 404,
        "by": 422,
        "kind": 422,
        "many": 422,
    }
    assert said["twice"].json()["error"] == "takes: are 1 (allowed: 2 to 12). Next: choose again."
    assert said["many"].json()["error"] == "takes: are 13 (allowed: 2 to 12). Next: choose again."
    assert said["waits"].json()["error"] == (
        "wait: is not assessed yet. Next: wait for its assessment, or leave it out."
    )
    assert f"(allowed: {', '.join(BY)})" in said["by"].json()["error"]


def test_one_that_is_deleted_leaves_its_takes(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        takes = assessed(client, "a", "b")
        result = make(client, "compare", takes).json()
        address = f"/api/results/{result['id']}"
        wait_for(client, address, "done")
        answer = client.delete(address).json()
        assert answer["sentence"].startswith("a and b is deleted: 2 files, 0.0 MB")
        assert client.get(address).status_code == 404
        assert client.delete(address).status_code == 404
        assert len(client.get("/api/takes").json()) == 2
    assert list((tmp_path / "results").iterdir()) == []


def test_one_that_waits_is_cancelled_and_tried_again(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        takes = assessed(client, "a", "b")
        first = make_take(client, "wait")["id"]
        address = f"/api/results/{make(client, 'compare', takes).json()['id']}"
        assert client.post(f"{address}/retry").status_code == 409
        assert client.post(f"{address}/cancel").json()["progress"]["state"] == "cancelled"
        assert client.post(f"{address}/cancel").status_code == 409
        assert client.post(f"{address}/retry").json()["progress"]["state"] == "queued"
        client.post(f"/api/takes/{first}/cancel")
        wait_for(client, address, "done")

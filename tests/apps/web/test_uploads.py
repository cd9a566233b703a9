"""Files that are sent: what they are, what is refused with which sentence, and where they lie."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from starlette.requests import Request

from tocco.apps.web.library import receiving
from tocco.apps.web.library.library import Library
from tocco.apps.web.library.uploads import received_name, shown_name
from tocco.apps.web.limits import Rate
from tocco.apps.web.refusals import RefusedError
from tocco.apps.web.settings import RequestLimits
from tocco.errors import OutputError
from web_example import MINUET, PRELUDE, send, settings, web_client


def put(client: TestClient, name: str, content: bytes, **query: str) -> tuple[int, str]:
    answer = client.put("/api/uploads", params={"name": name, **query}, content=content)
    return answer.status_code, answer.json().get("error", "")


def files_in(library: Path) -> set[str]:
    return {path.relative_to(library).as_posix() for path in library.rglob("*") if path.is_file()} - {
        "key",
        "lock",
        "library.sqlite",
        "library.sqlite-wal",
        "library.sqlite-shm",
    }


def test_every_kind_is_known_by_its_content(tmp_path: Path) -> None:
    shutil.copy(MINUET / "minuet.flac", tmp_path / "wrongly_named.mp3")
    sent = [
        MINUET / "minuet.flac",
        MINUET / "minuet.mid",
        MINUET / "minuet.musicxml",
        PRELUDE / "prelude_fluent.webm",
        tmp_path / "wrongly_named.mp3",
    ]
    with web_client(settings(tmp_path / "library")) as client:
        found = [send(client, path) for path in sent]
    assert [one["kind"] for one in found] == ["audio", "midi", "score", "audio", "audio"]
    assert [one["name"] for one in found] == [path.name for path in sent]
    assert [one["n_bytes"] for one in found] == [path.stat().st_size for path in sent]


def test_a_midi_is_a_score_by_its_name_or_because_its_owner_says_so(tmp_path: Path) -> None:
    midi = MINUET / "minuet.mid"
    with web_client(settings(tmp_path)) as client:
        assert send(client, midi, "minuet_score.mid")["kind"] == "score"
        assert send(client, midi, role="score")["kind"] == "score"
        assert send(client, midi)["kind"] == "midi"


REFUSED = {
    "notes.txt": (b"bars 3 to 7 were good", "notes.txt: is not audio: it looks like a text file"),
    "take.png": (b"\x89PNG\r\n\x1a\n" + bytes(90), "take.png: is not audio: it looks like a PNG picture"),
    "score.pdf": (b"%PDF-1.7 ...", "score.pdf: is a picture of a score (PDF), not a score"),
    "score.krn": (b"**kern\n4c\n*-\n", "score.krn: is a Humdrum file, not a score"),
    "score.musicxml": (b"no notation at all", "score.musicxml: is no score"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_refused_with_the_next_step(tmp_path: Path, name: str) -> None:
    content, sentence = REFUSED[name]
    with web_client(settings(tmp_path)) as client:
        status, said = put(client, name, content)
    assert status == 415
    assert said.startswith(sentence)
    assert "(allowed: " in said
    assert files_in(tmp_path) == set()


def test_nothing_is_no_file(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        assert put(client, "take.wav", b"") == (
            422,
            "upload: is empty (0 bytes). Next: choose another file.",
        )


def test_a_size_has_to_be_announced(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        answer = client.put("/api/uploads", params={"name": "take.wav"}, content=iter([b"RIFF"]))
    assert answer.status_code == 411
    assert answer.json()["error"] == "upload: does not say its size. Next: send a Content-Length."


def test_a_file_is_as_large_as_allowed_and_no_larger(tmp_path: Path) -> None:
    midi = (MINUET / "minuet.mid").read_bytes()
    with web_client(settings(tmp_path / "a", upload_bytes=len(midi))) as client:
        assert put(client, "minuet.mid", midi)[0] == 201
    with web_client(settings(tmp_path / "b", upload_bytes=len(midi) - 1)) as client:
        status, said = put(client, "minuet.mid", midi)
    assert status == 413
    assert "(allowed: at most 0.004941 MB)" in said
    assert files_in(tmp_path / "b") == set()


def request(*messages: dict[str, object]) -> Request:
    waiting = list(messages)

    async def next_message() -> dict[str, object]:
        if not waiting:
            await asyncio.sleep(3600)
        return waiting.pop(0)

    return Request({"type": "http", "method": "PUT", "headers": []}, next_message)


def chunk(content: bytes, *, more: bool) -> dict[str, object]:
    return {"type": "http.request", "body": content, "more_body": more}


def test_what_is_longer_than_announced_is_cut_at_the_limit(tmp_path: Path) -> None:
    sent = request(*(chunk(bytes(100), more=True) for _ in range(50)))
    with pytest.raises(RefusedError, match="upload: has") as caught:
        asyncio.run(receiving.receive(sent, tmp_path / "received", 1_000))
    assert caught.value.status == 413
    assert (tmp_path / "received").stat().st_size == 1_000


def test_what_is_cut_off_or_stops_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "IDLE_SEC", 0.05)
    for number, (message, status) in enumerate([({"type": "http.disconnect"}, 400), (None, 408)]):
        sent = request(chunk(b"RIFF", more=True), *([message] if message else []))
        with pytest.raises(RefusedError) as caught:
            asyncio.run(receiving.receive(sent, tmp_path / str(number), 1_000))
        assert caught.value.status == status


def test_a_name_is_shown_and_never_a_path(tmp_path: Path) -> None:
    names = [
        "../../outside.mid",
        "/etc/passwd.mid",
        "..\\..\\outside.mid",
        "a/../../b.mid",
        ".mid",
        "..",
        "con.mid",
        "x" * 250 + ".mid",
        "%2e%2e%2fa.mid",
        "<script>alert(1)</script>.mid",
    ]
    midi = (MINUET / "minuet.mid").read_bytes()
    with web_client(settings(tmp_path / "library")) as client:
        shown = []
        for name in names:
            answer = client.put("/api/uploads", params={"name": name}, content=midi)
            assert answer.status_code == 201, answer.text
            shown.append(answer.json()["name"])
        stored = {Path(one).name for one in files_in(tmp_path / "library")}
    assert stored == {"performance.mid", "performance"}
    assert shown[:4] == ["outside.mid", "passwd.mid", "outside.mid", "b.mid"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["library"]


@pytest.mark.parametrize("name", ["", " ", "a\x00.mid", "a\n.mid", "a" * 256, "a/", "\u202eabc.mid"])
def test_a_name_that_nobody_can_read_is_refused(tmp_path: Path, name: str) -> None:
    with web_client(settings(tmp_path)) as client:
        status, said = put(client, name, b"MThd")
    assert status == 422
    assert "name" in said


def test_names_are_composed_and_their_suffix_comes_from_a_list() -> None:
    assert shown_name("Fu\u0308r Elise.wav") == "Für Elise.wav"
    assert received_name("take.PHP") == "received"
    assert received_name("take.Mid") == "received.mid"


def test_only_so_many_files_wait(tmp_path: Path) -> None:
    midi = MINUET / "minuet.mid"
    with web_client(settings(tmp_path, waiting_uploads=2)) as client:
        first = send(client, midi)
        send(client, midi)
        status, said = put(client, "c.mid", midi.read_bytes())
        assert status == 429
        assert said == (
            "files: wait already, 2 of them (allowed: at most 2). Next: make takes of them, or remove some."
        )
        assert client.delete(f"/api/uploads/{first['id']}").status_code == 204
        send(client, midi)


def test_files_are_not_sent_too_often(tmp_path: Path) -> None:
    made = settings(tmp_path, requests=RequestLimits(upload=Rate(2, 60.0)))
    with web_client(made) as client:
        codes = [put(client, "a.mid", b"MThd" + bytes(20))[0] for _ in range(3)]
    assert codes == [201, 201, 429]


def test_a_file_that_is_discarded_is_gone(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        sent = send(client, MINUET / "minuet.mid")
        assert files_in(tmp_path) == {f"uploads/{sent['id']}/performance.mid"}
        client.delete(f"/api/uploads/{sent['id']}")
        assert files_in(tmp_path) == set()
        assert client.delete(f"/api/uploads/{sent['id']}").status_code == 404


def test_files_that_waited_for_a_day_and_what_no_row_names_are_deleted_at_the_start(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        old, new = send(client, MINUET / "minuet.mid"), send(client, MINUET / "minuet.mid")
    library = Library(tmp_path)
    with library.database.writing() as connection:
        connection.execute("UPDATE uploads SET created_at = '2020-01-01' WHERE id = ?", (old["id"],))
    for folder in (tmp_path / kind / ("0" * 16) for kind in ("takes", "results", "uploads")):
        folder.mkdir()
        (folder / "rest").write_text("of a killed server")
    with web_client(settings(tmp_path)):
        assert files_in(tmp_path) == {f"uploads/{new['id']}/performance.mid"}


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9 - 10**8, 10**8))
    with web_client(settings(tmp_path)) as client:
        status, said = put(client, "a.mid", b"MThd" + bytes(20))
    assert status == 507
    assert "cannot be written (No space left on device). Next: delete takes, or free space" in said
    assert files_in(tmp_path) == set()


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="this system has no /dev/full")
def test_a_disk_that_fills_up_meanwhile_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = request(chunk(bytes(10**6), more=True), chunk(b"", more=False))
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr(Path, "open", lambda self, mode: full)
        with pytest.raises(OutputError, match="No space left on device"):
            asyncio.run(receiving.receive(sent, tmp_path / "received", 10**7))

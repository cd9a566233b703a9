"""Takes: made, changed, exported, and deleted from the disk."""

from __future__ import annotations

import io
import shutil
import zipfile
from datetime import date
from pathlib import Path

import pytest

from web_example import (
    MINUET,
    every_byte,
    gone,
    make_take,
    pids_of,
    send,
    settings,
    wait_for,
    web_client,
)
from worker_double import RATINGS

MISSING = "0" * 16


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """A folder of two scores, one in a subfolder, with what is none."""
    folder = tmp_path / "scores"
    (folder / "petzold").mkdir(parents=True)
    shutil.copy(MINUET / "minuet.musicxml", folder / "petzold" / "minuet in g.musicxml")
    shutil.copy(MINUET / "minuet.musicxml", folder / "another.XML")
    (folder / ".hidden.musicxml").write_text("<score-partwise/>")
    (folder / "notes.txt").write_text("no score")
    return folder


def test_a_take_is_made_assessed_and_shown(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        made = make_take(client, "", *sorted(MINUET.glob("minuet.*")))
        assert made["title"] == "minuet"
        assert made["piece"] == "minuet"
        assert made["played_on"] == date.today().isoformat()
        assert made["files"] == {"audio": "minuet.flac", "midi": "minuet.mid", "score": "minuet.musicxml"}
        found = wait_for(client, f"/api/takes/{made['id']}", "done")
        assert found["aggregate"] == 46.0
        assert found["ratings"] == RATINGS
        assert client.get("/api/takes").json() == [found]
        page = client.get(f"/takes/{made['id']}", headers={"accept": "text/html"})
        assert 'sandbox="allow-scripts allow-modals"' in page.text
    stored = {path.name for path in (tmp_path / "takes" / made["id"]).iterdir()}
    assert {"recording.flac", "performance.mid", "written.musicxml", "result"} <= stored
    assert list((tmp_path / "uploads").iterdir()) == []


def test_the_report_is_a_document_of_its_own(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        made = make_take(client, "a")
        wait_for(client, f"/api/takes/{made['id']}", "done")
        found = client.get(f"/takes/{made['id']}/report")
    assert found.status_code == 200
    assert "made by a double" in found.text
    policy = found.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts allow-modals; default-src 'none';")
    assert "allow-same-origin" not in policy
    assert "connect-src" not in policy
    assert "http" not in policy
    assert found.headers["x-frame-options"] == "SAMEORIGIN"


def test_there_is_no_report_before_it_is_written(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        made = make_take(client, "wait")
        found = client.get(f"/takes/{made['id']}/report")
        assert found.status_code == 404
        assert found.json()["error"] == ("report: is not written yet. Next: wait until the job is done.")
        assert client.get(f"/api/takes/{made['id']}/export").status_code == 409


def test_files_that_make_no_take_are_refused(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        midi = [send(client, MINUET / "minuet.mid")["id"] for _ in range(2)]
        score = send(client, MINUET / "minuet.musicxml")["id"]
        said = {
            name: client.post("/api/takes", json={"uploads": uploads})
            for name, uploads in {"two": midi, "score": [score], "none": [], "gone": [MISSING]}.items()
        }
    assert {name: one.status_code for name, one in said.items()} == {
        "two": 422,
        "score": 422,
        "none": 422,
        "gone": 404,
    }
    assert (
        said["two"]
        .json()["error"]
        .startswith(
            "take: has 2 performance MIDI files (minuet.mid, minuet.mid) (allowed: one recording, one"
        )
    )
    assert said["score"].json()["error"].startswith("minuet.musicxml: is a score without a performance")
    assert said["none"].json()["error"].startswith("request: uploads is refused")


def test_what_is_no_json_is_one_sentence(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        answer = client.post("/api/takes", content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["error"] == (
        "request: is no JSON from character 1 on (Expecting property name enclosed in double quotes). "
        "Next: correct it and send it again."
    )


@pytest.mark.parametrize(
    "body",
    [
        {"title": "a" * 201},
        {"title": "a\x07b"},
        {"played_on": "yesterday"},
        {"uploads": ["../../../etc"]},
        {"score_id": "../../../etc/pas"},
        {"tilte": "a"},
    ],
)
def test_values_out_of_range_are_one_sentence(tmp_path: Path, body: dict[str, object]) -> None:
    with web_client(settings(tmp_path)) as client:
        midi = send(client, MINUET / "minuet.mid")["id"]
        answer = client.post("/api/takes", json={"uploads": [midi], **body})
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("request: ")
    assert answer.json()["error"].endswith(". Next: correct it and send it again.")
    assert "\n" not in answer.json()["error"]


class TestScores:
    def test_those_of_the_folder_are_listed_by_name(self, tmp_path: Path, scores: Path) -> None:
        with web_client(settings(tmp_path / "library", scores=scores)) as client:
            found = client.get("/api/scores").json()
        assert [one["name"] for one in found] == ["another", "petzold/minuet in g"]
        with web_client(settings(tmp_path / "other")) as client:
            assert client.get("/api/scores").json() == []

    def test_the_chosen_one_is_copied_and_names_the_piece(self, tmp_path: Path, scores: Path) -> None:
        with web_client(settings(tmp_path / "library", scores=scores)) as client:
            chosen = client.get("/api/scores").json()[1]["id"]
            made = make_take(client, "a", score_id=chosen)
            assert made["piece"] == "minuet in g"
            assert made["files"]["score"] == "minuet in g.musicxml"
        copy = tmp_path / "library" / "takes" / made["id"] / "written.musicxml"
        assert copy.read_bytes() == (MINUET / "minuet.musicxml").read_bytes()

    def test_one_that_is_sought_names_the_piece_when_it_is_found(self, tmp_path: Path, scores: Path) -> None:
        with web_client(settings(tmp_path / "library", scores=scores)) as client:
            made = make_take(client, "a", seek_score=True)
            named = make_take(client, "b", seek_score=True, piece="My piece")
            assert made["piece"] == ""
            assert wait_for(client, f"/api/takes/{made['id']}", "done")["piece"] == "found"
            assert wait_for(client, f"/api/takes/{named['id']}", "done")["piece"] == "My piece"

    def test_two_scores_are_one_too_many(self, tmp_path: Path, scores: Path) -> None:
        with web_client(settings(tmp_path / "library", scores=scores)) as client:
            chosen = client.get("/api/scores").json()[0]["id"]
            sent = [send(client, MINUET / name)["id"] for name in ("minuet.mid", "minuet.musicxml")]
            both = client.post("/api/takes", json={"uploads": sent, "score_id": chosen})
            sought = client.post("/api/takes", json={"uploads": sent, "seek_score": True})
            unknown = client.post("/api/takes", json={"uploads": sent[:1], "score_id": MISSING})
        assert (both.status_code, sought.status_code, unknown.status_code) == (422, 422, 404)
        assert "remove the one that was sent" in both.json()["error"]
        assert sought.json()["error"].startswith("score: is given as well")


def test_a_take_is_renamed_and_its_piece_moves_in_the_history(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        made = make_take(client, "a", piece="minuet")
        address = f"/api/takes/{made['id']}"
        change = {"title": "  The <b>second</b>  take ", "piece": "Menuet", "played_on": "2026-02-03"}
        found = client.patch(address, json=change).json()
        assert (found["title"], found["piece"], found["played_on"]) == (
            "The <b>second</b> take",
            "Menuet",
            "2026-02-03",
        )
        page = client.get("/history").text
        assert "The &lt;b&gt;second&lt;/b&gt; take" in page
        assert "<b>second" not in page
        assert client.patch(address, json={"title": ""}).status_code == 422
        assert client.patch(f"/api/takes/{MISSING}", json={}).status_code == 404


def test_the_export_holds_assessment_report_and_midi(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        made = make_take(client, "Für Elise / take 2")
        wait_for(client, f"/api/takes/{made['id']}", "done")
        found = client.get(f"/api/takes/{made['id']}/export")
    assert found.headers["content-type"] == "application/zip"
    assert found.headers["content-disposition"] == "attachment; filename*=UTF-8''F%C3%BCr_Elise_take_2.zip"
    with zipfile.ZipFile(io.BytesIO(found.content)) as archive:
        assert archive.namelist() == [
            "Für_Elise_take_2.html",
            "Für_Elise_take_2.json",
            "Für_Elise_take_2.png",
            "Für_Elise_take_2.mid",
        ]
        assert archive.read("Für_Elise_take_2.mid") == (MINUET / "minuet.mid").read_bytes()


class TestDelete:
    SECRET_TITLE = "Zwölf verschwiegene Takte"

    def test_nothing_is_left_of_it(self, tmp_path: Path) -> None:
        with web_client(settings(tmp_path)) as client:
            made = make_take(client, self.SECRET_TITLE, MINUET / "minuet.flac")
            other = make_take(client, "other")
            for take in (made, other):
                wait_for(client, f"/api/takes/{take['id']}", "done")
            assert self.SECRET_TITLE.encode() in every_byte(tmp_path)
            answer = client.delete(f"/api/takes/{made['id']}")
            assert answer.status_code == 200
            assert answer.json()["n_files"] == 5
            assert answer.json()["sentence"] == (f"The take {self.SECRET_TITLE} is deleted: 5 files, 1.6 MB.")
            assert self.SECRET_TITLE.encode() not in every_byte(tmp_path)
            assert made["id"].encode() not in every_byte(tmp_path)
            assert client.get(f"/takes/{made['id']}").status_code == 404
            assert client.delete(f"/api/takes/{made['id']}").status_code == 404
            assert [take["id"] for take in client.get("/api/takes").json()] == [other["id"]]
        assert [path.name for path in (tmp_path / "takes").iterdir()] == [other["id"]]

    def test_its_process_ends_first(self, tmp_path: Path) -> None:
        with web_client(settings(tmp_path)) as client:
            made = make_take(client, "wait")
            pids = pids_of(client, tmp_path, made["id"])
            assert client.delete(f"/api/takes/{made['id']}").status_code == 200
            assert gone(pids)
        assert list((tmp_path / "takes").iterdir()) == []

    def test_comparisons_that_show_it_go_with_it(self, tmp_path: Path) -> None:
        with web_client(settings(tmp_path)) as client:
            takes = [make_take(client, title)["id"] for title in ("a", "b", "c")]
            for take_id in takes:
                wait_for(client, f"/api/takes/{take_id}", "done")
            results = [
                client.post("/api/results", json={"kind": "compare", "takes": pair}).json()["id"]
                for pair in (takes[:2], takes[1:])
            ]
            for result_id in results:
                wait_for(client, f"/api/results/{result_id}", "done")
            answer = client.delete(f"/api/takes/{takes[0]}").json()
            assert answer["n_results"] == 1
            assert "and 1 comparison or ranking that showed it" in answer["sentence"]
            assert client.get(f"/api/results/{results[0]}").status_code == 404
            assert client.get(f"/api/results/{results[1]}").status_code == 200
        assert [path.name for path in (tmp_path / "results").iterdir()] == [results[1]]

"""Rating over the web: who comes in, what is saved, what each sees, and nothing else."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.routing import BaseRoute, Mount, Route

from rating_example import OWNER, SECONDS, Two, event, invite, join, project_in, rate_all, short_project
from tocco.apps.web.app import create_app
from tocco.apps.web.guard import is_open
from tocco.apps.web.routes import OPEN_PATHS
from tocco.data.records import read_labels
from tocco.labelling.project import SegmentFacts, write_project
from tocco.rubrics import DIMENSIONS
from web_example import SECRET, log_in, settings, web_client

FOR_EVERYONE = {
    ("GET", "/login"),
    ("POST", "/login"),
    ("GET", "/static/report.css"),
    ("GET", "/static/score.css"),
    ("GET", "/static/rating/score_follower.js"),
    ("GET", "/join/{token}"),
    ("POST", "/join"),
    ("POST", "/rate/leave"),
}
"""Routes that nobody has to be known for: they show nothing of anyone."""

FOR_RATERS = {
    ("GET", "/rate"),
    ("GET", "/rate/pairs"),
    ("GET", "/rate/guide"),
    ("GET", "/rate/examples/{name}"),
    ("GET", "/api/rate/session"),
    ("GET", "/api/rate/items/{position}"),
    ("GET", "/api/rate/items/{position}/score"),
    ("GET", "/api/rate/items/{position}/sound"),
    ("GET", "/api/rate/items/{position}/feedback"),
    ("GET", "/api/rate/pairs/{number}"),
    ("GET", "/api/rate/pairs/{number}/{side}/sound"),
    ("POST", "/api/rate/events"),
}
"""Routes that need a rater's cookie, and show what is theirs."""

FILLED = {"position": "0", "number": "0", "side": "a", "name": "minuet.flac", "token": "none"}


def every_route() -> list[tuple[str, str]]:
    """Method and path of everything that the application answers."""
    with tempfile.TemporaryDirectory() as library:
        app = create_app(settings(Path(library)))
    return sorted(
        (method, route.path)
        for route in flat(app.routes)
        if not isinstance(route, Mount)
        for method in route.methods or ()
        if method != "HEAD"
    )


def flat(routes: Iterable[BaseRoute]) -> Iterator[Route | Mount]:
    """Routes, those of included routers among them."""
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from flat(included.routes)
        else:
            assert isinstance(route, Route | Mount), f"{route} is of a kind that no test looks into"
            yield route


def filled(path: str) -> str:
    """A path with something in each place."""
    return re.sub(r"{(\w+)(?::\w+)?}", lambda found: FILLED.get(found[1], "1"), path)


@pytest.fixture
def two(tmp_path: Path, drawn: Path) -> Iterator[Two]:
    """Two raters of a server that asks the owner for a secret; the owner has logged out again."""
    project_in(tmp_path, drawn)
    with web_client(settings(tmp_path, secret=SECRET)) as client:
        log_in(client)
        anna, bert = (join(client, invite(client, one)) for one in ("anna", "bert"))
        client.cookies.clear()
        yield Two(client, anna, bert)
        client.app.state.rating_project.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(("method", "path"), every_route())
def test_every_route_is_the_owners_unless_it_was_decided_otherwise(two: Two, method: str, path: str) -> None:
    route, body = filled(path), event("rating", 0, dimension="phrasing", value=50.0)
    ask = {"json": body} if method in ("POST", "PUT", "PATCH") else {}
    without = two.client.request(method, route, **ask)
    if not is_open(route, OPEN_PATHS):
        as_rater = two.client.request(method, route, headers=two.anna, **ask)
        assert (without.status_code, as_rater.status_code) == (401, 401)
        return
    assert ((method, path) in FOR_EVERYONE) != ((method, path) in FOR_RATERS), "decide who may ask for it"
    if (method, path) in FOR_RATERS:
        assert without.status_code == 401
        assert two.client.request(method, route, headers=two.anna, **ask).status_code == 200
    else:
        assert without.status_code in (200, 303, 403, 415)


@pytest.mark.parametrize(("method", "path"), sorted(FOR_RATERS - {("POST", "/api/rate/events")}))
def test_what_one_gave_changes_nothing_that_another_is_shown(two: Two, method: str, path: str) -> None:
    before = two.client.request(method, filled(path), headers=two.bert)
    for position in range(3):
        rate_all(two.client, two.anna, position, 87.0)
        written = event("comment", position, comment="unmistakable")
        two.client.post("/api/rate/events", json=written, headers=two.anna)
    two.client.post("/api/rate/events", json=event("vote", 0, outcome="b"), headers=two.anna)
    after = two.client.request(method, filled(path), headers=two.bert)
    assert (after.status_code, after.content) == (200, before.content)
    text = after.text if "sound" not in path and "examples" not in path else ""
    assert not re.search("secret_|unmistakable|anna|bert", text)


def test_an_invitation_lets_in_by_a_form_and_leaves_nothing_in_the_address(two: Two) -> None:
    log_in(two.client)
    token = invite(two.client, "clara")
    two.client.cookies.clear()
    looked_at = two.client.get(f"/join/{token}", headers=OWNER)
    assert looked_at.status_code == 200
    assert "set-cookie" not in looked_at.headers
    answer = two.client.post("/join", data={"token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/rate")
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("tocco_rater=")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert two.client.get("/api/rate/session").status_code == 200


@pytest.mark.parametrize("token", ["", "none", "WyJhbm5hIiwiYWJjIl0.forged", "a" * 5000])
def test_a_made_up_invitation_lets_nobody_in(two: Two, token: str) -> None:
    found = two.client.post("/join", data={"token": token})
    assert found.status_code in (413, 422)
    assert "set-cookie" not in found.headers
    assert "/tmp" not in found.text


@pytest.mark.parametrize("how", ["/raters/revoke", "/raters/shut-out"])
def test_whoever_is_no_longer_wanted_is_out_at_once(two: Two, how: str) -> None:
    log_in(two.client)
    assert two.client.post(how, data={"rater_id": "anna"}).status_code == 303
    two.client.cookies.clear()
    assert two.client.get("/api/rate/session", headers=two.anna).status_code == 401
    sent = event("rating", 0, dimension="phrasing", value=1.0)
    assert two.client.post("/api/rate/events", json=sent, headers=two.anna).status_code == 401
    assert two.client.get("/api/rate/session", headers=two.bert).status_code == 200


def test_a_cookie_of_the_owners_own_rating_is_worth_nothing_without_the_login(two: Two) -> None:
    log_in(two.client)
    found = two.client.post("/raters/begin", data={"rater_id": "anna"})
    value = found.cookies["tocco_rater"]
    assert two.client.get("/api/rate/session").status_code == 200
    two.client.cookies.clear()
    stolen = {"cookie": f"tocco_rater={value}"}
    assert two.client.get("/api/rate/session", headers=stolen).status_code == 401


def test_a_rating_is_acknowledged_once_however_often_it_is_sent(two: Two) -> None:
    sent = event("rating", 0, dimension="phrasing", value=64.0, uncertain=True)
    first, again = (
        two.client.post("/api/rate/events", json=sent, headers=two.anna).json()["saved"] for _ in range(2)
    )
    assert first["sequence"] == again["sequence"]
    assert (first["is_duplicate"], again["is_duplicate"]) == (False, True)
    shown = two.client.get("/api/rate/items/0", headers=two.anna).json()
    assert shown["answers"]["ratings"] == {"phrasing": {"value": 64.0, "uncertain": True}}


def test_the_newest_counts_and_undo_takes_it_back(two: Two) -> None:
    def save(sent: dict) -> dict:
        return two.client.post("/api/rate/events", json=sent, headers=two.anna).json()["answers"]["ratings"]

    save(event("rating", 0, dimension="phrasing", value=30.0))
    assert save(event("rating", 0, dimension="phrasing", value=70.0))["phrasing"]["value"] == 70.0
    assert save(event("undo", 0))["phrasing"]["value"] == 30.0
    assert save(event("undo", 0)) == {}
    refused = two.client.post("/api/rate/events", json=event("undo", 0), headers=two.anna)
    assert refused.status_code == 422
    assert refused.json()["error"].startswith("rating: nothing is left to undo here")


def test_the_rater_comes_back_to_the_item_and_the_second(two: Two) -> None:
    two.client.get("/api/rate/items/2", headers=two.anna)
    heard = event("listening", 2, heard=[[0.0, 1.25]], position_sec=1.25)
    two.client.post("/api/rate/events", json=heard, headers=two.anna)
    assert two.client.get("/api/rate/session", headers=two.anna).json()["next"]["position"] == 2
    answers = two.client.get("/api/rate/items/2", headers=two.anna).json()["answers"]
    assert (answers["position_sec"], answers["heard_share"]) == (1.25, pytest.approx(1.25 / SECONDS))
    assert two.client.get("/api/rate/session", headers=two.bert).json()["next"]["position"] == 0


def test_an_item_counts_once_it_is_rated_and_four_fifths_are_heard(two: Two) -> None:
    for dimension in DIMENSIONS:
        sent = event("rating", 1, dimension=dimension, value=50.0)
        two.client.post("/api/rate/events", json=sent, headers=two.anna)
    done = []
    for end in (0.79, 0.81):
        heard = event("listening", 1, heard=[[0.0, end * SECONDS]], position_sec=0.0)
        two.client.post("/api/rate/events", json=heard, headers=two.anna)
        done.append(two.client.get("/api/rate/session", headers=two.anna).json()["progress"]["done"])
    assert done == [0, 1]


def test_pairs_are_voted_on_and_the_vote_is_taken_back(two: Two) -> None:
    voted = two.client.post("/api/rate/events", json=event("vote", 0, outcome="tie"), headers=two.anna)
    assert voted.json()["outcome"] == "tie"
    assert two.client.get("/api/rate/session", headers=two.anna).json()["next_pair"] == 1
    back = two.client.post("/api/rate/events", json=event("undo_vote", 0), headers=two.anna)
    assert back.json()["outcome"] is None
    sides = [two.client.get(f"/api/rate/pairs/0/{one}/sound", headers=two.anna).content for one in "ab"]
    assert sides[0] != sides[1]
    assert all(one.startswith(b"fLaC") for one in sides)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"kind": "rating", "position": 0, "given": {}}, "event_id is missing"),
        (event("rating", 99, dimension="phrasing", value=5.0), "item: is 99 (allowed: 0 to 2)"),
        (event("rating", 0, dimension="phrasing", value=101.0), "less than or equal to 100"),
        (event("rating", 0, dimension="pitch", value=1.0), "pitch"),
        (event("vote", 9, outcome="a"), "pair: is 9 (allowed: 0 to 1)"),
        (event("dance", 0), "does not match any of the expected tags"),
        ([], "valid dictionary"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(two: Two, sent: object, said: str) -> None:
    found = two.client.post("/api/rate/events", json=sent, headers=two.anna)
    assert found.status_code == 422
    assert said in found.json()["error"]


def test_calibration_comes_first_and_is_compared_with_what_is_known(tmp_path: Path, drawn: Path) -> None:
    project_in(tmp_path, drawn, n_calibration=2)
    with web_client(settings(tmp_path, secret=SECRET)) as client:
        log_in(client)
        anna = join(client, invite(client, "anna"))
        session = client.get("/api/rate/session", headers=anna).json()
        assert [one["phase"] for one in session["items"]] == [
            *["calibration"] * 2,
            *["calibration_again"] * 2,
            "rating",
        ]
        assert [one["is_open"] for one in session["items"]] == [True, True, False, False, False]
        assert client.get("/api/rate/items/0/feedback", headers=anna).json() == []
        closed = event("rating", 4, dimension="phrasing", value=5.0)
        refused = client.post("/api/rate/events", json=closed, headers=anna)
        assert (refused.status_code, "item 5: is not open yet" in refused.json()["error"]) == (422, True)
        rate_all(client, anna, 0, 80.0)
        rows = client.get("/api/rate/items/0/feedback", headers=anna).json()
        phrasing = next(row for row in rows if row["dimension"] == "phrasing")
        assert (phrasing["value"], phrasing["reference"], phrasing["source"]) == (80.0, 60.0, "known")
        client.app.state.rating_project.close()  # type: ignore[attr-defined]


class TestOwner:
    def test_the_list_shows_how_far_everyone_is(self, two: Two) -> None:
        rate_all(two.client, two.anna, 0, 50.0)
        log_in(two.client)
        text = two.client.get("/raters", headers=OWNER).text
        rows = re.findall(r"<tr>\s*<th scope=\"row\">(\w+).*?<td class=\"number\">([^<]+)</td>", text, re.S)
        assert rows == [("anna", "1 of 3"), ("bert", "0 of 3")]

    def test_the_audit_log_has_what_everyone_did(self, two: Two) -> None:
        rate_all(two.client, two.anna, 0, 50.0)
        log_in(two.client)
        two.client.post("/raters/shut-out", data={"rater_id": "bert"})
        lines = two.client.get("/raters/export/audit.jsonl").text.splitlines()
        done = [re.search(r'"who": "(\w+)", "action": "([^"]+)"', line) for line in lines]
        acts = [(one[1], one[2]) for one in done if one]
        assert acts.count(("anna", "rating")) == len(DIMENSIONS)
        assert ("anna", "sign in") in acts
        assert acts[-2:] == [("owner", "deactivate"), ("owner", "export")]
        assert "deactivate" in two.client.get("/raters/audit", headers=OWNER).text

    def test_events_are_exported_as_they_were_given(self, two: Two) -> None:
        two.client.post(
            "/api/rate/events", json=event("rating", 0, dimension="phrasing", value=31.0), headers=two.anna
        )
        log_in(two.client)
        (line,) = two.client.get("/raters/export/events.jsonl").text.splitlines()
        assert '"rater_id": "anna"' in line
        assert '"value": 31.0' in line

    def test_labels_are_exported_as_label_records(self, two: Two, tmp_path: Path) -> None:
        for who, value in ((two.anna, 40.0), (two.bert, 60.0)):
            rate_all(two.client, who, 0, value)
        log_in(two.client)
        path = tmp_path / "downloaded.jsonl"
        path.write_text(two.client.get("/raters/export/expert_labels.jsonl").text)
        with_labels = [one for one in read_labels(path) if one.labels]
        assert {one.n_raters for one in with_labels} <= {1, 2}
        assert all(set(one.labels) == set(DIMENSIONS) for one in with_labels)
        given = two.client.get("/raters/export/annotations.json").json()
        assert sorted((one["rater"], one["labels"]["phrasing"]) for one in given) == [
            ("anna", 40.0),
            ("bert", 60.0),
        ]

    def test_the_report_on_raters_is_a_page_of_tables_and_runs_nothing(self, two: Two) -> None:
        log_in(two.client)
        two.client.post("/raters/invite", data={"rater_id": "eva", "name": "<script>alert(1)</script>"})
        rate_all(two.client, two.anna, 0, 40.0)
        text = two.client.get("/raters/quality", headers=OWNER).text
        assert "<table>" in text
        assert "<h1>" in text
        assert "style=" not in text
        shown = two.client.get("/raters", headers=OWNER).text
        assert "<script>alert" not in text + shown
        assert "&lt;script&gt;alert" in shown

    @pytest.mark.parametrize("rater_id", ["", "../x", "a b", "x" * 300])
    def test_a_name_that_cannot_stand_in_files_is_refused(self, two: Two, rater_id: str) -> None:
        log_in(two.client)
        found = two.client.post("/raters/invite", data={"rater_id": rater_id})
        assert found.status_code == 422

    def test_without_a_project_the_next_step_is_said(self, tmp_path: Path) -> None:
        with web_client(settings(tmp_path)) as client:
            found = client.get("/rate", headers=OWNER)
        assert found.status_code == 404
        assert "tocco label prepare" in found.text

    def test_a_round_that_was_added_is_there_without_a_restart(self, tmp_path: Path, drawn: Path) -> None:
        project_in(tmp_path, drawn, n=2)
        with web_client(settings(tmp_path)) as client:
            client.post("/raters/begin", data={"rater_id": "me"})
            assert len(client.get("/api/rate/session").json()["items"]) == 2
            more = short_project(tmp_path / "ratings", n=3)
            facts = {**more.facts, "secret_segment_2": SegmentFacts(round=2)}
            write_project(replace(more, facts=facts))
            assert len(client.get("/api/rate/session").json()["items"]) == 3
            client.app.state.rating_project.close()  # type: ignore[attr-defined]


def test_the_routes_that_are_looked_at_are_all_there_are() -> None:
    found = set(every_route())
    assert found >= FOR_EVERYONE | FOR_RATERS
    assert ("GET", "/raters/audit") in found
    assert ("GET", "/") in found

"""Who may ask for what, and what every answer carries."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocco.apps.web.guard import MOST_BODY_BYTES, PAGE_POLICY
from tocco.apps.web.limits import Buckets, Rate
from tocco.apps.web.settings import RequestLimits
from web_example import SECRET, log_in, settings, web_client


def test_the_first_page_comes_with_every_header(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        found = client.get("/", headers={"accept": "text/html"})
    assert found.status_code == 200
    assert found.headers["content-security-policy"] == PAGE_POLICY
    assert "unsafe" not in PAGE_POLICY
    assert found.headers["x-content-type-options"] == "nosniff"
    assert found.headers["x-frame-options"] == "DENY"
    assert found.headers["cache-control"] == "no-store"
    assert found.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    "host",
    [
        "example.org",
        "localhost.example.org",
        "",
        "localhost@example.org",
        "192.168.0.7",
        "a/localhost",
        "[localhost]",
        "[::1",
    ],
)
def test_another_name_of_this_machine_is_refused(tmp_path: Path, host: str) -> None:
    with web_client(settings(tmp_path)) as client:
        found = client.get("/", headers={"host": host})
    assert found.status_code == 421
    assert found.json()["error"].startswith("Host: is not a name of this server")


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "127.0.0.1:8350", "[::1]:8350", "LOCALHOST"])
def test_own_names_are_accepted(tmp_path: Path, host: str) -> None:
    with web_client(settings(tmp_path)) as client:
        assert client.get("/", headers={"host": host}).status_code == 200


def test_on_all_addresses_an_address_is_accepted_and_an_unknown_name_is_not(tmp_path: Path) -> None:
    made = settings(tmp_path, host="0.0.0.0", secret=SECRET, names=("piano.lan",))
    with web_client(made) as client:
        codes = {
            host: client.get("/login", headers={"host": host}).status_code
            for host in ("192.168.0.7:8350", "[fe80::1]", "piano.lan", "rebound.example.org")
        }
    assert codes == {"192.168.0.7:8350": 200, "[fe80::1]": 200, "piano.lan": 200, "rebound.example.org": 421}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://example.org"},
        {"origin": "null"},
        {"origin": "http://localhost:9999"},
        {"origin": "https://localhost:8350"},
        {"origin": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_another_site_changes_nothing(tmp_path: Path, headers: dict[str, str]) -> None:
    with web_client(settings(tmp_path)) as client:
        found = client.post("/logout", headers=headers)
    assert found.status_code == 403
    assert "another site may change nothing here" in found.json()["error"]


def test_what_changes_something_has_to_name_its_origin(tmp_path: Path) -> None:
    with web_client(settings(tmp_path), origin=None) as client:
        assert client.post("/logout").status_code == 403


@pytest.mark.parametrize(
    ("mode", "destination", "status"),
    [
        ("navigate", "document", 200),
        ("navigate", "iframe", 403),
        ("no-cors", "image", 403),
        ("cors", "", 403),
    ],
)
def test_other_sites_may_link_here_and_no_more(
    tmp_path: Path, mode: str, destination: str, status: int
) -> None:
    sent = {"sec-fetch-site": "cross-site", "sec-fetch-mode": mode, "sec-fetch-dest": destination}
    with web_client(settings(tmp_path)) as client:
        assert client.get("/", headers=sent).status_code == status


def test_what_is_read_into_memory_is_short(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        body = {"uploads": ["0" * 16], "title": "a" * MOST_BODY_BYTES}
        long = client.post("/api/takes", json=body)
        endless = client.post("/api/takes", content=iter([b"{}"]))
        short = client.post("/api/takes", content=b" " * MOST_BODY_BYTES)
    assert (long.status_code, endless.status_code, short.status_code) == (413, 411, 422)
    assert long.json()["error"] == (
        "request: is too long (allowed: at most 1000000 bytes). Next: send less at once."
    )


def test_too_many_requests_are_refused_until_the_time_that_is_said(tmp_path: Path) -> None:
    limits = RequestLimits(login=Rate(2, 60.0))
    with web_client(settings(tmp_path, secret=SECRET, requests=limits)) as client:
        codes = [client.post("/login", data={"secret": "wrong"}).status_code for _ in range(3)]
        found = client.post("/login", data={"secret": SECRET})
    assert codes == [403, 403, 429]
    assert found.status_code == 429
    assert found.json()["error"] == (
        "requests: are too many (login) (allowed: 2 in 60 s). Next: try again in 30 s."
    )
    assert found.headers["retry-after"] == "30"


def test_a_bucket_fills_up_again_at_its_rate() -> None:
    now = [100.0]
    buckets = Buckets(clock=lambda: now[0])
    rate = Rate(2, 10.0)
    assert [buckets.wait_sec(("a",), rate) for _ in range(3)] == [0.0, 0.0, 5.0]
    assert buckets.wait_sec(("b",), rate) == 0.0
    now[0] += 4.0
    assert buckets.wait_sec(("a",), rate) == pytest.approx(1.0)
    now[0] += 1.0
    assert buckets.wait_sec(("a",), rate) == 0.0


class TestLogin:
    def test_without_a_secret_nobody_logs_in(self, tmp_path: Path) -> None:
        with web_client(settings(tmp_path)) as client:
            assert client.get("/").status_code == 200
            assert client.get("/login").headers["location"] == "/"

    def test_with_one_a_page_leads_to_the_login_and_back(self, tmp_path: Path) -> None:
        with web_client(settings(tmp_path, secret=SECRET)) as client:
            found = client.get("/history", headers={"accept": "text/html"})
            assert (found.status_code, found.headers["location"]) == (303, "/login?next=/history")
            answer = client.post("/login", data={"secret": SECRET, "next": "/history"})
            assert (answer.status_code, answer.headers["location"]) == (303, "/history")
            cookie = answer.headers["set-cookie"].lower()
            assert "httponly" in cookie
            assert "samesite=strict" in cookie
            assert client.get("/").status_code == 200
            client.post("/logout")
            assert client.get("/").status_code == 401

    def test_a_wrong_secret_is_refused(self, tmp_path: Path) -> None:
        with web_client(settings(tmp_path, secret=SECRET)) as client:
            found = client.post("/login", data={"secret": SECRET + "x"})
            assert (found.status_code, "set-cookie" in found.headers) == (403, False)
            assert "That is not the secret" in found.text

    def test_a_cookie_cannot_be_made_up_and_ends_with_its_secret(self, tmp_path: Path) -> None:
        with web_client(settings(tmp_path, secret=SECRET)) as client:
            log_in(client)
            good = client.cookies["tocco_owner"]
        with web_client(settings(tmp_path, secret="another long secret")) as client:
            assert client.get("/", headers={"cookie": f"tocco_owner={good}"}).status_code == 401
        with web_client(settings(tmp_path, secret=SECRET)) as client:
            assert client.get("/", headers={"cookie": f"tocco_owner={good}"}).status_code == 200
            for bad in (good[:-1] + ("A" if good[-1] != "A" else "B"), "owner", "", good.split(".")[0]):
                assert client.get("/", headers={"cookie": f"tocco_owner={bad}"}).status_code == 401

    def test_a_cookie_of_another_kind_is_no_login(self, tmp_path: Path) -> None:
        with web_client(settings(tmp_path, secret=SECRET)) as client:
            other = client.app.state.services.sessions.sign("tocco_rater", "owner")
            assert client.get("/", headers={"cookie": f"tocco_owner={other}"}).status_code == 401

    def test_the_goal_of_a_login_is_on_this_server(self, tmp_path: Path) -> None:
        with web_client(settings(tmp_path, secret=SECRET)) as client:
            found = client.post("/login", data={"secret": SECRET, "next": "//example.org"})
            assert found.headers["location"] == "/"

    def test_the_key_is_for_its_owner_alone(self, tmp_path: Path) -> None:
        with web_client(settings(tmp_path)):
            assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600

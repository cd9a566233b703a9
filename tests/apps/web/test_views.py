"""Pages in every state, and that each route is for the owner alone."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from tocco.apps.web.charts import HEIGHT, Point, axis_ends, dimension_charts, progress_chart
from tocco.apps.web.library.takes import Summary, Take
from tocco.apps.web.routes import OPEN_PATHS, ROUTERS
from web_example import SECRET, log_in, make_take, settings, wait_for, web_client

PAGE = {"accept": "text/html"}
FOR_RATERS = ("/join", "/join/", "/rate", "/rate/", "/api/rate/")
"""Routes that ask for a rater in place of the owner; `test_rate.py` asks each of them."""

HOSTILE = '"><img src=x onerror=alert(1)>'


def test_the_first_page_names_what_waits_and_what_is_done(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        assert "In progress" not in client.get("/").text
        done = make_take(client, "done one", piece="minuet")
        wait_for(client, f"/api/takes/{done['id']}", "done")
        running = make_take(client, "wait for it")
        wait_for(client, f"/api/takes/{running['id']}", "running")
        page = client.get("/").text
    assert f'<a href="/takes/{running["id"]}">wait for it</a> <span class="fine inline">runs</span>' in page
    assert f'<a href="/takes/{done["id"]}">done one</a>' in page
    assert "minuet, weighted mean 48" in page
    assert '<option value="minuet">' in page


def test_the_history_groups_takes_by_piece_and_draws_their_ratings(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        assert "There is no take yet" in client.get("/history").text
        for title, piece, day in [
            ("a", "Minuet", "2026-01-05"),
            ("bb", "minuet", "2026-02-05"),
            ("ccc", "Prelude", "2026-03-05"),
        ]:
            take = make_take(client, title, piece=piece, played_on=day)
            wait_for(client, f"/api/takes/{take['id']}", "done")
        page = client.get("/history").text
    assert re.findall(r'<h2 id="piece-\d">(.*?)</h2>', page) == ["Prelude", "minuet"]
    assert page.count('class="chart"') == 1
    assert "a, 5 Jan 2026: 41; bb, 5 Feb 2026: 42" in page
    assert "Phrasing: 60 to 60" in page


@pytest.mark.parametrize("path", ["/", "/history"])
def test_names_are_only_text(tmp_path: Path, path: str) -> None:
    with web_client(settings(tmp_path)) as client:
        take = make_take(client, HOSTILE, piece=HOSTILE)
        wait_for(client, f"/api/takes/{take['id']}", "done")
        for page in (client.get(path).text, client.get(f"/takes/{take['id']}").text):
            assert "<img" not in page
            assert "&#34;&gt;&lt;img" in page


def test_pages_have_no_script_and_no_style_inside(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        takes = [make_take(client, title)["id"] for title in ("a", "refuse", "wait")]
        wait_for(client, f"/api/takes/{takes[1]}", "failed")
        pages = [client.get(path).text for path in ("/", "/history", *(f"/takes/{one}" for one in takes))]
    for page in pages:
        assert not re.search(r"<script(?![^>]* src=\"/static/)", page)
        assert not re.search(r"\sstyle=|\son\w+=|<style", page)
        assert not re.search(r"(?:src|href)=\"(?!/|#)", page)


def test_what_is_not_here_is_said_on_a_page(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        for path in (f"/takes/{'0' * 16}", f"/results/{'0' * 16}", "/nowhere"):
            found = client.get(path, headers=PAGE)
            assert found.status_code == 404
            assert "<strong>Next:</strong>" in found.text
        assert client.get("/takes/..%2f..%2fetc", headers=PAGE).status_code in (404, 422)
        assert client.post("/history").status_code == 405


def test_every_route_is_for_the_owner_alone(tmp_path: Path) -> None:
    with web_client(settings(tmp_path, secret=SECRET)) as client:
        routes = [
            route
            for router in ROUTERS
            for route in router.routes
            if isinstance(route, APIRoute) and not route.path.startswith(FOR_RATERS)
        ]
        assert len(routes) > 15
        open_routes = set()
        for route in routes:
            path = re.sub(r"\{\w+\}", "0" * 16, route.path)
            for method in route.methods:
                if client.request(method, path).status_code != 401:
                    open_routes.add(route.path)
        assert client.get("/api/openapi.json").status_code == 401
        assert open_routes == {
            "/login",
            "/static/report.css",
            "/static/score.css",
            "/static/rating/score_follower.js",
        }
        log_in(client)
        assert client.get("/api/takes").status_code == 200
    assert ("/login", "/static/", *FOR_RATERS) == OPEN_PATHS


def test_the_style_and_the_modules_are_served_as_what_they_are(tmp_path: Path) -> None:
    with web_client(settings(tmp_path)) as client:
        kinds = {
            name: client.get(f"/static/{name}").headers["content-type"].split(";")[0]
            for name in ("report.css", "app.css", "actions.js", "icon.svg")
        }
        assert kinds == {
            "report.css": "text/css",
            "app.css": "text/css",
            "actions.js": "text/javascript",
            "icon.svg": "image/svg+xml",
        }
        for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/"):
            assert client.get(path).status_code == 404


def take(day: str, value: float | None, **ratings: float) -> Take:
    summary = Summary(
        aggregate=value,
        aggregate_90=None if value is None else (value - 10.0, value + 10.0),
        ratings=ratings,
        intervals={},
        abstained=value is None,
        duration_sec=60.0,
        has_score=False,
        found_score=None,
    )
    return Take("0" * 16, f"of {day}", "", day, day, (), "none", summary)


class TestCharts:
    def test_one_rating_is_no_progress(self) -> None:
        assert progress_chart([take("2026-01-01", 60.0), take("2026-01-02", None)], 1) is None
        assert dimension_charts([take("2026-01-01", 60.0, phrasing=50.0)], 1) == []

    def test_higher_ratings_stand_higher_and_later_ones_further_right(self) -> None:
        drawn = str(progress_chart([take(f"2026-01-0{day}", 50.0 + 4 * day) for day in (1, 2, 4)], 1))
        places = [
            (float(x), float(y)) for x, y in re.findall(r'class="point" cx="([\d.]+)" cy="([\d.]+)"', drawn)
        ]
        (x0, y0), (x1, y1), (x2, y2) = places
        assert (x2 - x1) == pytest.approx(2 * (x1 - x0), abs=0.2)
        assert y0 > y1 > y2
        assert (y1 - y2) == pytest.approx(2 * (y0 - y1), abs=0.2)
        assert 0 < y2 < y0 < HEIGHT
        assert "of 2026-01-01, 1 Jan 2026: 54" in drawn

    def test_the_axis_holds_every_interval(self) -> None:
        points = [
            Point(date(2026, 1, 1), 50.0, 41.0, 59.0, "a"),
            Point(date(2026, 1, 1), 95.0, 90.0, 100.0, "b"),
        ]
        assert axis_ends(points) == (40.0, 100.0)
        assert axis_ends([Point(date(2026, 1, 1), 60.0, 60.0, 60.0, "a")]) == (60.0, 80.0)

    def test_each_dimension_says_from_where_to_where(self) -> None:
        takes = [
            take("2026-01-01", 60.0, phrasing=50.0),
            take("2026-01-09", 60.0, phrasing=58.0, musicality=1.0),
        ]
        (found,) = dimension_charts(takes, 1)
        assert (found.name, found.first, found.last) == ("Phrasing", 50.0, 58.0)

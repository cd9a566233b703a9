"""Marks in the report."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from page_example import assessed, browser, material, parsed, shown_by
from tocco.inference.assessment import Assessment
from tocco.inference.marks import MarkScale, PersonalMark, PersonalMarks
from tocco.marking.apply import Marking
from tocco.marking.scheme import MarkingScheme, load_scheme
from tocco.report.page.document import render
from tocco.report.page.marks import marks_sections

EVIL = '<script>alert("1")</script>\'"><img src=x onerror=alert(1)>'


def marked(name: str = "anna", scheme: MarkingScheme | None = None) -> Assessment:
    scale = MarkScale(worst=0.0, best=30.0, source="given")
    mark = PersonalMark(points=60.0, points_90=(50.0, 80.0), mark=18.0, mark_90=(15.0, 24.0), scale=scale)
    personal = PersonalMarks(
        name=name,
        sha256="f" * 64,
        marks={"phrasing": mark},
        aggregate=mark,
        weights={"phrasing": 1.0},
        sentences=(f"{name}: fitted to 20 marks", "Whole performance, not better than the default"),
    )
    found = Marking(scheme=scheme or load_scheme("abrsm"))(assessed())
    return found.model_copy(update={"personal": personal})


def test_nothing_is_there_where_nothing_was_asked_for() -> None:
    assert marks_sections(assessed()) == ""


def test_both_sections_stand_after_the_ratings_with_their_words() -> None:
    document = parsed(render(marked(), material()))
    ids = [one.attributes.get("id", "") for one in document.all("section")]
    assert ids.index("ratings") < ids.index("personal") < ids.index("scheme") < ids.index("time")
    (personal,) = document.all("section", id="personal")
    assert personal.all("h2")[0].text == "As anna would mark it"
    cells = [[cell.text for cell in row.all("td")] for row in personal.all("tr")[1:]]
    assert cells == [["74.2", "18.0", "15.0–24.0"], ["74.5", "18.0", "15.0–24.0"]]
    assert [one.text for one in personal.all("li")] == [
        "anna: fitted to 20 marks.",
        "Whole performance, not better than the default.",
    ]
    (scheme,) = document.all("section", id="scheme")
    assert "This is no examination result, and ABRSM has no part in it." in scheme.text
    assert scheme.all("a")[0].attributes["href"] == "https://www.abrsm.org"
    assert [row.all("th")[0].text.partition("note accuracy")[0] for row in scheme.all("tr")[1:2]] == ["Pitch"]
    assert "not a measured equivalence" in scheme.text


def test_the_link_is_all_that_leads_outside() -> None:
    html = re.sub(r"data:audio/webm;base64,[\w+/=]+", "", render(marked(), material()))
    assert set(re.findall(r"https?://[^\"<\s]+", html)) == {"https://www.abrsm.org"}
    assert not re.findall(r"(?:src|action|data|poster)\s*=\s*[\"']?https?:", html)
    assert not re.findall(r"<[^>]+\s(?:style|on\w+)=", html)


def test_a_name_and_a_scheme_of_a_user_do_nothing() -> None:
    shipped = load_scheme("trinity")
    criteria = tuple(one.model_copy(update={"title": EVIL}) for one in shipped.criteria)
    changes = {"title": EVIL, "board": EVIL, "convention": EVIL, "criteria": criteria}
    html = marks_sections(marked(EVIL, shipped.model_copy(update=changes)))
    assert "<script" not in html
    assert "<img" not in html
    document = parsed(str(html))
    assert document.all("h2")[0].text == f"As {EVIL} would mark it"
    assert document.all("h2")[1].text == EVIL


@pytest.mark.parametrize("width", [360, 1200])
def test_a_browser_finds_no_fault_and_nothing_is_wider_than_the_window(tmp_path: Path, width: int) -> None:
    chromium = browser()
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    check = "document.title = JSON.stringify([document.documentElement.scrollWidth, innerWidth]);"
    digest = base64.b64encode(hashlib.sha256(check.encode()).digest()).decode()
    html = render(marked(), material()).replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
    path = tmp_path / "take.html"
    path.write_text(html.replace("</body>", f"<script>{check}</script></body>"), encoding="utf-8")
    done = shown_by(chromium, path, tmp_path / "profile", "--dump-dom", f"--window-size={width},900")
    assert not re.findall(r"CONSOLE[^\n]*|Refused to [^\n]*|Uncaught [^\n]*", done.stderr)
    needed, has = json.loads(parsed(done.stdout).all("title")[0].text)
    assert needed <= has

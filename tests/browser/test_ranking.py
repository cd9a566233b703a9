"""The HTML file of a ranking, which has nothing to press."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from browsing import LIGHT, ON_PHONE, Opened, assert_clean
from ranking_example import field, jury
from tocco.ranking.cuts import CutRule
from tocco.ranking.rank import Options, rank_performances
from tocco.report.ranking_page.document import render

RATINGS = {"mid": 60.0, "<script>alert(1)</script>": 75.0, "low": 40.0, "near": 73.0, "floor": 39.0}
MARKS = {
    "juror one": {name: 10.0 * k for k, name in enumerate(RATINGS, start=1)},
    "juror <i>two": {name: 12.0 * k for k, name in enumerate(RATINGS, start=1)},
}


def test_it_is_clean(open_page: Callable[..., Opened], tmp_path: Path) -> None:
    ranking = rank_performances(field(RATINGS), jury(MARKS), Options(cut=CutRule(passing=2)))
    (tmp_path / "ranking.html").write_text(render(ranking), encoding="utf-8")
    opened = open_page(tmp_path / "ranking.html")
    assert_clean(opened, (LIGHT, ON_PHONE))
    assert opened.page.get_by_text("<script>alert(1)</script>").first.is_visible()

"""The HTML file, the table and the words of a ranking: what they show, and that names do nothing."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from page_example import browser, parsed, shown_by
from ranking_example import field, jury
from tocco.errors import OutputError
from tocco.ranking.cuts import CutRule
from tocco.ranking.document import Apart, Pair, Ranking
from tocco.ranking.jury import Jury, Recusal, Vote
from tocco.ranking.rank import Options, rank_performances
from tocco.ranking.rules import Rules
from tocco.report.ranking_files import FILES, check_place, table_text, write_ranking
from tocco.report.ranking_page.document import MOST_RUN_OFFS, render
from tocco.report.ranking_page.pictures import lanes, verdicts
from tocco.report.ranking_table import print_ranking
from tocco.report.ranking_words import (
    AID,
    agreement_in_words,
    apart_in_words,
    chance_in_words,
    cut_in_words,
    headline,
    method,
    run_offs_in_words,
)

EVIL = "<script>alert(1)</script>\"'&"
RATINGS = {"top": 80.0, "near": 78.0, EVIL: 60.0, "low": 41.0, "floor": 39.0}


@pytest.fixture(scope="module")
def alone() -> Ranking:
    apart = [Apart(name="odd", reason="tocco abstained: no <b>piano</b>")]
    return rank_performances(field(RATINGS, apart=apart), None, Options(cut=CutRule(passing=2)))


@pytest.fixture(scope="module")
def with_jury() -> Ranking:
    marks = {
        juror: {name: value / 10 + k for name, value in RATINGS.items()}
        for k, juror in enumerate(("x", "y", EVIL))
    }
    marks["x"]["floor"] = 9.9
    given = Jury(jury(marks).marks, (Vote("y", "low", "top"),), frozenset({Recusal("y", "top")}))
    options = Options(source="jury", rules=Rules(correct_beyond=3.0))
    return rank_performances(field(RATINGS), given, options)


def test_the_document_shows_the_order_the_groups_and_every_pair(alone):
    document = parsed(render(alone))
    rows = document.all("table", class_="order")[0].all("tr")[1:]
    assert [row.all("th")[0].text.split("rated")[0] for row in rows] == list(RATINGS)
    assert rows[0].all("td")[0].text == "1"
    assert "rated 80.0" in rows[0].text
    assert "1 to 2" in rows[0].text
    assert "passes" in rows[0].text
    assert "Ranks 1 to 2 cannot be separated: top, near." in document.text
    assert "The first 2 cannot be separated." in document.text
    matrix = document.all("svg", class_="matrix")[0]
    assert len(matrix.all("circle")) == 2 * 2
    assert len(matrix.all("path", class_="triangle better")) == 8
    assert len(matrix.all("path", class_="triangle worse")) == 8
    assert AID in document.text
    assert "tocco abstained: no <b>piano</b>" in document.text
    assert document.all("script") == []


def test_names_of_people_and_files_are_text_and_nothing_else(alone, with_jury):
    for ranking in (alone, with_jury):
        html = render(ranking)
        assert EVIL not in html
        assert "<script" not in html
        assert EVIL in parsed(html).text
        assert not re.search(r"\sstyle=|\son\w+=", html)
    policy = parsed(render(alone)).all("meta")[1].attributes["content"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src" not in policy


def test_changed_marks_recusals_and_jurors_are_listed(with_jury):
    document = parsed(render(with_jury))
    jury_part = next(
        one for one in document.all("section") if one.attributes["aria-labelledby"] == "jury-heading"
    )
    rows = [[cell.text for cell in row.all("td")] for row in jury_part.all("tr")[1:]]
    assert rows[0][:4] == ["y", "top", "9", "left out"]
    assert rows[1][:3] == ["x", "floor", "9.9"]
    assert float(rows[1][3]) == pytest.approx((3.9 + 1 + 3.9 + 2) / 2 + 3.0)
    assert "the vote on low and top is left out" in jury_part.text
    assert "Kendall's W" in jury_part.text
    assert any("agree by rule" in sentence for sentence in method(with_jury))


def test_a_pair_beyond_chance_that_is_not_distinguished_is_explained():
    rated = field({"a": 70.0, "b": 60.0}, sd=4.0)
    undecided = replace(rated.between, verdict=np.zeros((2, 2), dtype=np.int64))
    strict = rank_performances(replace(rated, between=undecided), None, Options())
    assert strict.run_offs[0].chance > 0.95
    assert "differ by less than raters reliably agree on" in run_offs_in_words(strict)
    near = rank_performances(field({"a": 70.0, "b": 69.0}, sd=4.0), None, Options())
    assert run_offs_in_words(near) == "1 pair cannot be distinguished. The closest come first."


def test_a_long_list_of_run_offs_is_cut_and_says_so():
    even = rank_performances(field({f"p{k}": 50.0 + k for k in range(9)}, sd=30.0), None, Options())
    document = parsed(render(even))
    assert f"The first {MOST_RUN_OFFS}; {36 - MOST_RUN_OFFS} more are in ranking.json" in document.text
    assert "No two of all 9 can be separated." in document.text


def test_brackets_that_overlap_have_lanes_of_their_own():
    ratings = {"a": 60.0, "b": 54.5, "c": 49.0, "d": 20.0}
    ranking = rank_performances(field(ratings), None, Options())
    assert lanes(ranking) == [["first", ""], ["last", "first"], ["", "last"], ["", ""]]
    assert verdicts(ranking).tolist()[0] == [0, 0, 1, 1]
    clear = rank_performances(field({"a": 90.0, "b": 10.0}), None, Options())
    assert lanes(clear) == [[], []]
    assert "The first is better than the second." in parsed(render(clear)).text


def test_the_words_say_whose_judgement_counts(alone, with_jury):
    assert headline(alone) == "5 performances, ranked by tocco alone, by the weighted mean of its ratings."
    assert headline(with_jury).endswith("by 3 jurors alone; tocco's ratings are shown and do not count.")
    both = rank_performances(field(RATINGS), jury({"x": {"top": 2, "low": 1}}), Options("phrasing", "both"))
    assert "by 1 juror and by tocco, by phrasing" in headline(both)
    assert apart_in_words(alone).startswith("8 of 10 pairs (80 %) can be distinguished.")
    assert cut_in_words(alone) == ["2 pass: 2 for sure, 0 at the edge."]


def test_agreement_by_chance_is_called_that(with_jury):
    names = [f"p{k}" for k in range(8)]
    order = dict(zip(names, range(8), strict=True))
    marks = jury({"x": order, "y": order, "z": order})
    for ratings, said in (
        (
            dict(zip(names, (3.0, 1.0, 4.0, 1.5, 5.0, 9.0, 2.0, 6.0), strict=True)),
            "within what chance does",
        ),
        ({name: float(k) for name, k in order.items()}, "no less than they do with each other"),
        (dict(zip(names, (1.0, 2.0, 4.0, 3.0, 8.0, 5.0, 7.0, 6.0), strict=True)), "less than they do"),
    ):
        ranking = rank_performances(field(ratings), marks, Options(source="jury"))
        assert said in " ".join(agreement_in_words(ranking))
    assert agreement_in_words(rank_performances(field(RATINGS), None, Options())) == []


@pytest.mark.parametrize(("chance", "said"), [(0.5, "50 %"), (0.9951, "over 99 %"), (0.004, "under 1 %")])
def test_a_chance_is_never_said_to_be_certain(chance, said):
    assert chance_in_words(Pair(one="a", other="b", chance=chance, verdict="undecided")) == said


def test_the_terminal_says_the_same(alone, with_jury):
    console = Console(file=io.StringIO(), width=200, highlight=False)
    print_ranking(alone, console)
    print_ranking(with_jury, console)
    text = console.file.getvalue()
    assert EVIL in text
    assert "The first 2 cannot be separated." in text
    assert "y, top: 9 does not count: the juror is recused from this performance: left out" in text
    assert "x, floor: 9.9 counts as 8.4: 4.5 above the mean of the other 2 marks (5.4)" in text
    assert "Not ranked: odd: tocco abstained: no <b>piano</b>" in text
    assert AID in text


def test_the_table_has_a_row_for_each_and_starts_no_formula(alone):
    rows = list(csv.DictReader(io.StringIO(table_text(alone))))
    assert [row["performance"] for row in rows] == [*RATINGS, "odd"]
    assert [row["group"] for row in rows] == ["1", "1", "", "2", "2", ""]
    assert (rows[0]["rank"], rows[0]["rank_low_90"], rows[0]["rank_high_90"]) == ("1", "1", "2")
    assert rows[0]["decision"] == "yes"
    assert rows[-1]["reason"] == "tocco abstained: no <b>piano</b>"
    named = rank_performances(field({"=1+1": 50.0, "b": 40.0}), None, Options())
    assert next(csv.DictReader(io.StringIO(table_text(named))))["performance"] == "'=1+1"


def test_files_are_written_read_back_and_replaced_but_others_are_not(alone, tmp_path):
    paths = write_ranking(alone, tmp_path)
    assert [path.name for path in paths] == list(FILES)
    assert Ranking.model_validate_json(paths[0].read_text()) == alone
    check_place(tmp_path)
    for name in FILES:
        kept = (tmp_path / name).read_bytes()
        (tmp_path / name).write_text("minutes of the jury")
        with pytest.raises(OutputError, match=rf"{name}: exists, and is no ranking"):
            check_place(tmp_path)
        (tmp_path / name).write_bytes(kept)


@pytest.mark.skipif(browser() is None, reason="no Chromium on this machine")
def test_a_browser_has_nothing_to_complain_of(with_jury, tmp_path: Path):
    path = tmp_path / "ranking.html"
    path.write_text(render(with_jury), encoding="utf-8")
    chromium = browser()
    assert chromium is not None
    done = shown_by(chromium, path, tmp_path / "profile", "--dump-dom")
    assert "lane-cell" in done.stdout
    assert re.findall(r"CONSOLE[^\n]*|Refused to [^\n]*|Uncaught [^\n]*", done.stderr) == []

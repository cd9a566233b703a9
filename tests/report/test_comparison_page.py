"""The HTML file of a comparison: what is drawn, heard and chosen, and that nothing in it runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from comparison_example import calibration, take
from page_example import notes, parsed, sound
from tocco.inference.assessment import Assessment
from tocco.inference.bundle import Bundle, load_bundle
from tocco.inference.comparison import Comparison, compare
from tocco.report.comparison_page.document import render, write_comparison_page
from tocco.report.comparison_page.takes import ShownTake, bar_values
from tocco.report.comparison_words import NOTHING_TO_HEAR
from tocco.report.page.frame import is_page

UGLY = '"><script>alert(1)</script>'


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    loaded = load_bundle()
    figures = loaded.calibration.model_copy(update={"differences": calibration()})
    return replace(loaded, sha256="d" * 64, calibration=figures)


def shown(comparison_of: dict[str, Assessment], *, with_sound: bool = False) -> list[ShownTake]:
    return [
        ShownTake(name, one, notes(), sound() if with_sound else None) for name, one in comparison_of.items()
    ]


def pair(bundle: Bundle, n: int = 2) -> tuple[Comparison, dict[str, Assessment]]:
    takes = {f"take{k}": take({"phrasing": 10.0 * k}, stretch=0.3 * k) for k in range(n)}
    return compare(takes, bundle), takes


def test_two_takes_have_one_table_with_a_row_for_each_dimension(bundle: Bundle) -> None:
    comparison, takes = pair(bundle)
    document = parsed(render(comparison, shown(takes)))
    assert document.all("h1")[0].text == "take0 and take1"
    assert len(document.all("table", class_="differences")) == 1
    assert len(document.all("svg", class_="difference undecided")) + len(
        document.all("svg", class_="difference better")
    ) == len(comparison.pairs[0].differences)
    assert document.all("select", id="take-a") == []


def test_of_three_takes_every_pair_is_there_both_ways_and_one_is_seen(bundle: Bundle) -> None:
    comparison, takes = pair(bundle, 3)
    document = parsed(render(comparison, shown(takes)))
    tables = document.all("div", class_="pair")
    assert {one.attributes["data-pair"] for one in tables} == {"0-1", "1-0", "0-2", "2-0", "1-2", "2-1"}
    assert [one.attributes["data-pair"] for one in tables if "hidden" not in one.attributes] == ["0-2"]
    assert len(document.all("div", class_="progress-of")) == 11


def test_bars_of_both_takes_and_their_notes_are_in_the_data(bundle: Bundle) -> None:
    comparison, takes = pair(bundle)
    data = json.loads(parsed(render(comparison, shown(takes))).all("script", id="data")[0].text)
    assert len(data["bars"]) == len(data["labels"]) == 32
    assert data["bars"][4][0] == 8.8
    assert data["bars"][4][1] == pytest.approx(8.8 + 0.3 * np.sin(2.4 * 4), abs=1e-3)
    assert [len(one["notes"]) for one in data["takes"]] == [4 * 35, 4 * 35]


def test_without_sound_and_notes_there_is_no_player_and_no_button(bundle: Bundle) -> None:
    comparison, takes = pair(bundle)
    document = parsed(render(comparison, [ShownTake(name, one) for name, one in takes.items()]))
    assert document.all("footer") == []
    assert document.all("button") == []
    assert NOTHING_TO_HEAR in document.all("ul", class_="remarks")[0].text


def test_sounds_are_inside(bundle: Bundle) -> None:
    comparison, takes = pair(bundle)
    players = parsed(render(comparison, shown(takes, with_sound=True))).all("audio")
    assert [one.attributes["id"] for one in players] == ["sound-0", "sound-1"]
    assert all(str(one.attributes["src"]).startswith("data:audio/") for one in players)


def test_values_of_a_bar_are_its_own(bundle: Bundle) -> None:
    comparison, takes = pair(bundle)
    first = bar_values(comparison, shown(takes))[0]
    assert first.start_sec[4] == 8.8
    assert first.errors.sum() == 2.0  # one wrong, one missing
    assert first.errors[11] == 1.0
    assert first.level[5] == 64.0
    assert first.level[11] == 77.0  # 64 and a loud wrong note of 90
    assert first.tempo[3] == 93.0
    curve = takes["take0"].curve
    inside = [v for t, v in zip(curve.time_sec, curve.value["phrasing"], strict=True) if 8.8 <= t < 10.8]
    assert first.rating["phrasing"][4] == pytest.approx(np.mean(np.array(inside, dtype=float)))


def test_names_do_nothing(bundle: Bundle) -> None:
    takes = {UGLY: take(), "b": take(stretch=0.3)}
    text = render(compare(takes, bundle), shown(takes))
    assert "<script>alert" not in text
    assert parsed(text).all("h1")[0].text == f"{UGLY} and b"


def test_no_network_is_allowed_and_nothing_is_styled_or_run_from_an_attribute(bundle: Bundle) -> None:
    comparison, takes = pair(bundle, 3)
    text = render(comparison, shown(takes))
    policy = str(parsed(text).all("meta")[1].attributes["content"])
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "http" not in policy
    for attribute in (" style=", " onclick=", " onload=", "javascript:"):
        assert attribute not in text


def test_the_file_is_known_as_one_of_ours(bundle: Bundle, tmp_path: Path) -> None:
    comparison, takes = pair(bundle)
    write_comparison_page(comparison, shown(takes), tmp_path / "c.html")
    assert is_page(tmp_path / "c.html")


def test_without_a_score_there_are_no_bars_and_it_is_said(bundle: Bundle) -> None:
    takes = {}
    for k in range(2):
        made = take().model_dump()
        made["inputs"]["score"] = None
        made |= {"alignment": None, "alignment_reason": "no score was given", "tempo": ()}
        takes[f"take{k}"] = Assessment.model_validate(made)
    document = parsed(render(compare(takes, bundle), shown(takes)))
    assert "No score was given" in document.text
    assert document.all("section", id="bars") == []
    assert len(document.all("footer")) == 1

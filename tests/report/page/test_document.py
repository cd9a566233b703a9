"""The whole document: what stands in it, and what a name, a title or a policy can do to it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assessment_example import bar_sec, example
from page_example import assessed, finding, material, parsed, written
from tocco.errors import InputError
from tocco.inference.assessment import Assessment, Rating
from tocco.inference.technique import Measure, Place, Technique
from tocco.report.page.document import MOST_LISTED, render, write_page
from tocco.report.page.frame import is_page
from tocco.report.page.material import Material, Notes
from tocco.report.page.tables import LEAD_SEC
from tocco.rubrics import DIMENSIONS

EVIL = '<script>alert("1")</script>\'"><img src=x onerror=alert(1)>'


@pytest.fixture(scope="module")
def html() -> str:
    return render(assessed(), material())


def test_every_tag_is_closed_and_every_id_is_there_once(html: str) -> None:
    document = parsed(html)
    tags = ("section", "h2", "svg", "title", "desc", "li", "div", "button", "audio", "select", "input", "p")
    ids = [one.attributes["id"] for tag in tags for one in document.all(tag) if "id" in one.attributes]
    assert len(ids) == len(set(ids)) > 40
    for tag in ("section", "svg"):
        for one in document.all(tag):
            for wanted in one.attributes.get("aria-labelledby", "").split():
                assert wanted in ids


def test_it_asks_no_network_for_anything(html: str) -> None:
    document = parsed(html)
    assert not re.findall(r"""(?:src|href|action|data|poster)\s*=\s*["']?\s*(?:https?:)?//""", html)
    assert not re.findall(r"url\(|@import|https?:", re.sub(r"data:audio/webm;base64,[\w+/=]+", "", html))
    (policy,) = (
        one.attributes["content"] for one in document.all("meta", **{"http-equiv": "Content-Security-Policy"})
    )
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    style, script = document.all("style")[0].text, document.all("script")[-1].text
    digest = {name: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
              for name, text in (("style", style), ("script", script))}  # fmt: skip
    assert rules == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest['style']}'",
        "script-src": f"'sha256-{digest['script']}'",
        "media-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert not re.findall(r"<[^>]+\s(?:style|on\w+)=", html)


def test_names_and_titles_do_nothing() -> None:
    made = assessed().model_dump(mode="json")
    for file in ("audio", "midi", "score"):
        made["inputs"][file]["name"] = EVIL
    made["alignment"]["bars"] = [[EVIL, sec] for _, sec in made["alignment"]["bars"]]
    made["findings"][0] |= {"sentence": EVIL, "usual": EVIL, "id": EVIL, "bars": [EVIL, EVIL]}
    made["technique"]["dynamics_control"]["places"][0]["text"] = f"{EVIL}: {EVIL}"
    made["alignment"]["substitution"][0]["bar"] = EVIL
    made["bundle"]["name"] = EVIL
    html = render(Assessment.model_validate(made), material())
    document = parsed(html)
    assert len(document.all("script")) == 2
    assert document.all("img") == []
    assert EVIL not in html
    assert document.all("h1")[0].text == EVIL
    assert json.loads(document.all("script", id="data")[0].text)["bars"][0][0] == EVIL


def test_the_ratings_are_those_of_the_assessment(html: str) -> None:
    rows = parsed(html).all("table", class_="ratings")[0].all("tbody")[0].all("tr")
    assert len(rows) == len(DIMENSIONS) + 1
    for name, row in zip(DIMENSIONS, rows, strict=False):
        rating = assessed().ratings[name]
        low, high = rating.interval_90 or (0.0, 0.0)
        assert row.all("td")[0].text == f"{rating.value:.1f}90 %: {low:.0f} to {high:.0f}"
    assert rows[-1].all("td")[0].text.startswith("74.5")


def test_the_findings_stand_in_order_with_their_words_and_seconds(html: str) -> None:
    first, second = parsed(html).all("ol", class_="findings")[0].all("li")
    assert first.all("h3")[0].text == "Note accuracy 0:24"
    assert [p.text for p in first.all("p")][:2] == [finding().sentence, finding().usual]
    assert "Confidence 97 %." in first.text
    button, as_written = first.all("button")
    assert (button.attributes["data-start"], button.attributes["data-end"]) == ("22.6", "25.6")
    assert LEAD_SEC == 1.5
    assert "data-written" in as_written.attributes
    assert second.attributes["id"] == "note_accuracy-missing-42.3"


def findings_text(assessment: Assessment, shown: Material | None = None) -> str:
    return parsed(render(assessment, shown or Material())).all("section", id="findings")[0].text


def test_where_nothing_stands_out_it_says_so() -> None:
    assert "Nothing stands out." in findings_text(assessed(findings=()))
    bare = example(score=False).model_copy(update={"findings": ()})
    assert "Nothing stands out; without a score only passages are compared" in findings_text(bare)
    silent = bare.model_copy(update={"abstained": True})
    assert "Nothing was compared: the model abstains, and there is no score." in findings_text(silent)
    assert "was written by a version that named no findings" in findings_text(assessed(findings=None))


def test_a_finding_about_the_whole_plays_its_gravest_place() -> None:
    whole = finding(
        "throughout",
        0.8,
        dimension="dynamics_control",
        end_sec=60.0,
        bars=None,
        beat=None,
        id="a",
        confidence=0.999,
    )
    technique = {
        "dynamics_control": Technique(
            measures={},
            missing={},
            places=(Place(kind="uneven", text="bar 5: x", start_sec=8.0, end_sec=8.0),),
        )
    }
    html = render(assessed(findings=(whole,), technique=technique), material())
    (item,) = parsed(html).all("ol", class_="findings")[0].all("li")
    (button,) = item.all("button")
    assert (button.attributes["data-start"], button.attributes["data-end"]) == ("6.5", "14.5")
    assert "Play an example" in button.text
    assert "throughout" in item.all("h3")[0].text
    assert "Confidence over 99 %." in item.text
    (button,) = (
        parsed(render(assessed(findings=(whole,), technique={}), material())).all("ol")[0].all("button")
    )
    assert (button.attributes["data-start"], button.attributes["data-end"]) == ("0.0", "12.3")


def test_measures_have_units_and_usual_ranges() -> None:
    measures = {
        "level_range": Measure(value=9.0, unit="velocity", meaning="range", usual=(20.0, 40.0)),
        "support": Measure(value=0.5, unit="fraction", meaning="support", usual=(0.2, 0.9)),
        "level": Measure(value=64.5, unit="velocity", meaning="median level"),
        "touch": Measure(value=-0.5, unit="log", meaning="touch", usual=(-0.3, 0.0)),
        "restarts": Measure(value=0.25, unit="count/min", meaning="restarts"),
        "lift": Measure(value=-55.5, unit="ms", meaning="lift", usual=(-3.55, 74.9)),
    }
    technique = {"dynamics_control": Technique(measures=measures, places=(), missing={"shaping": "no shape"})}
    html = render(assessed(technique=technique), Material())
    table = next(one for one in parsed(html).all("table") if "median level" in one.text)
    rows = [[cell.text for cell in row.all("td")] for row in table.all("tbody")[0].all("tr")]
    assert rows == [
        [],
        ["range", "9 velocity", "20 to 40 velocity", "below"],
        ["support", "50 %", "20 to 90 %", "usual"],
        ["median level", "64.5 velocity", "", ""],
        ["touch", "× 0.607", "× 0.741 to 1.000", "below"],
        ["restarts", "0.25 a minute", "", ""],
        ["lift", "−55.5 ms", "−3.55 to 74.9 ms", "below"],
        ["shaping", "–", "", "no shape"],
    ]
    assert [one.text for one in table.all("th", scope="rowgroup")] == ["Dynamics control"]


def test_without_files_there_is_no_player_and_nothing_to_press() -> None:
    document = parsed(render(assessed(), Material()))
    assert document.all("button") == document.all("audio") == document.all("footer") == []
    assert document.all("svg", class_="lane roll") == []
    assert document.all("svg", class_="lane tempo") != []


def test_the_sound_is_inside_or_beside(tmp_path: Path) -> None:
    shown = material()
    assert shown.sound is not None
    write_page(assessed(), shown, tmp_path / "a.html")
    inside = parsed((tmp_path / "a.html").read_text(encoding="utf-8")).all("audio")[0].attributes["src"]
    assert base64.b64decode(inside.removeprefix("data:audio/webm;base64,")) == shown.sound.opus
    write_page(assessed(), shown, tmp_path / "b#2.html", sound_beside=True)
    beside = parsed((tmp_path / "b#2.html").read_text(encoding="utf-8"))
    assert beside.all("audio")[0].attributes["src"] == "b%232.webm"
    assert (tmp_path / "b#2.webm").read_bytes() == shown.sound.opus
    policies = [one.attributes.get("content", "") for one in beside.all("meta")]
    assert any("media-src 'self' file:;" in policy for policy in policies)


def test_the_same_assessment_gives_the_same_bytes() -> None:
    shown = material()
    assert render(assessed(), shown) == render(assessed(), shown)


def test_the_data_of_the_script_are_the_notes(html: str) -> None:
    data = json.loads(parsed(html).all("script", id="data")[0].text)
    assert len(data["notes"]) == 4 * 35
    rows = np.array(data["notes"]).reshape(-1, 4).tolist()
    assert rows[0] == [800, 1000, 60, 64]
    assert [24100, 1000, 65, 90] in rows
    assert data["bars"][:2] == [["1", 0.8], ["2", 2.8]]
    assert data["columns"] == [*(round(1000 * bar_sec(bar)) for bar in range(32)), 66000]


def test_the_written_notes_are_at_the_median_tempo() -> None:
    slow = np.append(bar_sec(0) + 2.0 * np.arange(32), bar_sec(0) + 70.0)  # the last bar lasts 8 s, not 2
    shown = replace(material(), written=replace(written(), bar_sec=slow, end_sec=slow[1:]))
    data = json.loads(parsed(render(assessed(), shown)).all("script", id="data")[0].text)["written"]
    assert data["performed"] == [round(1000 * sec) for sec in slow]
    assert data["steady"] == [2000 * bar for bar in range(33)]
    assert data["notes"][:4] == [0, 2000, 60, 70]
    assert data["notes"][-4:] == [62000, 2000, 60, 70]


@pytest.mark.parametrize(
    ("kind", "dimension", "bars", "expected"),
    [
        ("wrong", "note_accuracy", ("12", "12"), ("22.8", "24.8")),
        ("late", "rhythmic_precision", ("12", "13"), ("22.8", "26.8")),
        ("throughout", "dynamics_control", None, None),
        ("passage", "phrasing", None, None),
    ],
)
def test_every_finding_that_has_bars_plays_them_as_written(
    kind: str, dimension: str, bars: tuple[str, str] | None, expected: tuple[str, str] | None
) -> None:
    last = 24.1 if expected is None or expected[1] == "24.8" else 25.0
    one = finding(kind, 24.1, dimension=dimension, bars=bars, beat=None, end_sec=last)
    page = parsed(render(assessed(findings=(one,)), material())).all("section", id="findings")[0]
    found = [button.attributes for button in page.all("button") if "data-written" in button.attributes]
    spans = [(button["data-start"], button["data-end"]) for button in found]
    assert spans == ([] if expected is None else [expected])


def test_an_abstention_is_explained() -> None:
    reason = "30 % of the measures lie outside"
    made = example().model_dump()
    absent = Rating.missing("the model abstains").model_dump()
    made |= {
        "abstained": True,
        "abstained_reasons": (reason,),
        "ratings": dict.fromkeys(DIMENSIONS, absent),
        "descriptors": {},
        "aggregate": {"value": None, "weights": {}, "reason": "missing"},
        "curve": {"time_sec": (), "start_sec": (), "end_sec": (), "value": {}},
        "moments": (),
        "findings": (),
    }
    document = parsed(render(Assessment.model_validate(made), material()))
    assert any(reason in lead.text for lead in document.all("p", class_="lead"))
    assert document.all("select", id="dimension") == document.all("svg", class_="heatmap") == []
    assert "the model abstains" in document.all("table", class_="ratings")[0].text


def test_long_lists_are_cut_in_the_table_only() -> None:
    made = assessed().model_dump(mode="json")
    extra = made["alignment"]["insertion"][0]
    made["alignment"]["insertion"] = [extra | {"time_sec": 1.0 + 0.1 * k} for k in range(MOST_LISTED + 5)]
    made["alignment"]["counts"]["insertion"] = MOST_LISTED + 5
    document = parsed(render(Assessment.model_validate(made), material()))
    table = next(one for one in document.all("table") if "may be ornaments" in one.text)
    assert len(table.all("tbody")[0].all("tr")) == MOST_LISTED
    assert f"{MOST_LISTED + 7} of them, the first {MOST_LISTED} here" in document.text
    assert len(document.all("g", class_="mark extra")) == MOST_LISTED + 5 + 1  # and the one of the legend


def test_a_report_is_known_by_its_head(tmp_path: Path) -> None:
    write_page(assessed(), Material(), tmp_path / "a.html")
    (tmp_path / "b.html").write_text("<html>my homework</html>")
    assert is_page(tmp_path / "a.html")
    assert not is_page(tmp_path / "b.html")
    with pytest.raises(InputError, match="cannot be read"):
        is_page(tmp_path / "none.html")


def test_five_minutes_stay_below_five_megabytes_and_twenty_below_eight() -> None:
    for minutes, limit in ((5, 5_000_000), (20, 8_000_000)):
        n = 600 * minutes
        onset = np.sort(np.random.default_rng(1).uniform(0.0, 60.0 * minutes - 1.0, n))
        pitch = np.random.default_rng(2).integers(30, 90, n)
        notes = Notes(onset, onset + 0.3, pitch, pitch, np.zeros(n, dtype=int), material().notes.sustain)  # pyright: ignore[reportOptionalMemberAccess]
        sound = replace(material().sound, opus=bytes(3_400_000), peak=np.full(1200 * minutes, 0.4))  # pyright: ignore[reportArgumentType]
        html = render(assessed(), Material(sound, notes, written()))
        assert len(html.encode()) < limit

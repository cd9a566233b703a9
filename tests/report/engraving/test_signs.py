"""Signs above systems: findings by number, measured places by shape and word, none upon another."""

from __future__ import annotations

import re
from functools import cache

from engraved_example import assessed_with, engraved, minuet, minuet_report
from page_example import Element, finding, parsed
from tocco.inference.assessment import Assessment
from tocco.inference.technique import Place, Technique
from tocco.report.engraving.engraving import Engraving
from tocco.report.engraving.places import Places
from tocco.report.engraving.signs import GRAVEST, ROW, DrawnSigns, Sign, draw_signs, signs_of, span_of


def place(kind: str, bar: str, beat: float, start_sec: float) -> Place:
    text = f"bar {bar}, beat {beat:g}: {kind}"
    return Place(kind=kind, text=text, start_sec=start_sec, end_sec=start_sec, bar=bar, beat=beat)


def assessment(findings: tuple = (), **places: tuple[Place, ...]) -> Assessment:
    technique = {
        name: Technique(measures={}, places=found, missing={}).model_dump() for name, found in places.items()
    }
    return assessed_with(
        minuet_report(), technique=technique, findings=[one.model_dump() for one in findings]
    )


def engraving(assessed: Assessment) -> Engraving:
    return engraved(minuet(), assessed)


WRONG = finding("wrong", 56.6, bars=("22", "22"), beat=2.0)
PASSAGE = finding("passage", 20.0, bars=("13", "16"), beat=None, end_sec=26.0, dimension="phrasing")
WHOLE = finding("throughout", 0.8, bars=None, beat=None, end_sec=90.0, id="whole")


def test_findings_that_have_bars_keep_their_number() -> None:
    assessed = assessment((WHOLE, WRONG, PASSAGE))
    signs = signs_of(assessed, engraving(assessed).outcomes)
    assert [(one.finding, one.bar, one.last_bar, one.beat, one.text) for one in signs] == [
        (2, 21, 21, 2.0, "wrong"),
        (3, 12, 15, 1.0, "phrasing"),
    ]
    assert signs[0].said == f"Finding 2: {WRONG.sentence}"
    assert signs[0].link == WRONG.id


def test_a_finding_whose_bars_are_not_there_has_no_span() -> None:
    outcomes = plain().outcomes
    assert span_of(finding(bars=("99", "99")), outcomes) is None
    assert span_of(WHOLE, outcomes) is None
    assert span_of(PASSAGE, outcomes) == (12, 15)


def test_places_of_one_kind_at_one_beat_are_one_sign_and_notes_have_theirs() -> None:
    assessed = assessment(
        dynamics_control=(place("uneven", "16", 3.0, 24.0), place("uneven", "16", 3.0, 48.0)),
        rhythmic_precision=(place("hesitation", "3", 2.0, 29.0),),
        pedaling_technique=(place("hole", "5", 1.0, 6.0),),
        note_accuracy=(place("missing", "12", 2.5, 41.8), place("restart", "9", 1.0, 13.0)),
    )
    signs = signs_of(assessed, engraving(assessed).outcomes)
    assert {(one.family, one.bar, one.beat, one.text) for one in signs} == {
        ("dynamics", 15, 3.0, "uneven"),
        ("tempo", 2, 2.0, "hesitation 2nd"),
        ("pedal", 4, 1.0, "sound stops 1st"),
        ("restart", 8, 1.0, "restart 1st"),
    }
    uneven = next(one for one in signs if one.family == "dynamics")
    assert uneven.said == "bar 16, beat 3: uneven, 1st time; bar 16, beat 3: uneven, 2nd time"


def test_a_place_that_is_a_finding_is_not_drawn_twice() -> None:
    hesitation = finding("hesitation", 5.0, bars=("3", "3"), beat=2.0, dimension="rhythmic_precision")
    assessed = assessment((hesitation,), rhythmic_precision=(place("hesitation", "3", 2.0, 5.0),))
    assert [one.finding for one in signs_of(assessed, engraving(assessed).outcomes)] == [1]


def test_only_the_gravest_are_shown_at_once() -> None:
    places = tuple(place("late", str(bar), 1.0, 1.5 * bar) for bar in range(1, 7))
    assessed = assessment(rhythmic_precision=places)
    signs = signs_of(assessed, engraving(assessed).outcomes)
    assert [one.is_minor for one in signs] == [False] * GRAVEST + [True] * (6 - GRAVEST)


@cache
def plain() -> Engraving:
    return engraving(assessment())


def drawn(*signs: Sign, system: int = 0) -> DrawnSigns:
    found = plain()
    return draw_signs(Places(found.stretches[0][system], found.outcomes), signs)


def sign(bar: int, beat: float, **changes: object) -> Sign:
    fields = {"bar": bar, "beat": beat, "last_bar": bar, "family": "tempo", "text": "hesitation", "said": "x"}
    return Sign(**(fields | changes))  # type: ignore[arg-type]


def height_of(one: Element) -> float:
    return float(one.all("text")[0].attributes["y"])


def test_signs_that_would_touch_stand_in_rows() -> None:
    apart = drawn(sign(0, 1.0), sign(3, 1.0))
    assert (apart.height, apart.height_of_all) == (ROW, ROW)
    close = drawn(sign(0, 1.0), sign(0, 2.0))
    assert close.height == 2 * ROW
    left, right = parsed("".join(close.drawn)).children
    assert height_of(left) == height_of(right) - ROW


def test_minor_ones_stand_above_the_others() -> None:
    found = drawn(sign(0, 2.0, is_minor=True), sign(0, 1.0))
    assert (found.height, found.height_of_all) == (ROW, 2 * ROW)
    major, minor = parsed("".join(found.drawn)).children
    assert (major.attributes["class"], minor.attributes["class"]) == ("sign", "sign minor")
    assert height_of(minor) < height_of(major)


def test_near_the_right_edge_the_word_stands_on_the_left() -> None:
    last = plain().stretches[0][0].bars[-1].place
    (one,) = parsed("".join(drawn(sign(last, 3.5)).drawn)).children
    assert one.all("text")[0].attributes["text-anchor"] == "end"
    (other,) = parsed("".join(drawn(sign(0, 1.0)).drawn)).children
    assert "text-anchor" not in other.all("text")[0].attributes


def test_a_finding_is_a_link_once_and_a_passage_is_a_line_on_each_system() -> None:
    over = sign(5, 2.0, last_bar=9, family="", text="phrasing", finding=2, link="a b")
    first, second = (parsed("".join(drawn(over, system=k).drawn)).children[0] for k in (0, 1))
    assert first.tag == second.tag == "a"
    assert (first.attributes["href"], first.attributes["id"]) == ("#a%20b", "score-finding-2")
    assert "id" not in second.attributes
    assert first.all("circle")[0].attributes["class"] == "flag"
    system = plain().stretches[0][0]
    end = re.search(r"H(-?\d+)", first.all("path", class_="span")[0].attributes["d"])
    assert end is not None
    assert float(end[1]) == system.bars[-1].right

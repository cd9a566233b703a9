"""The lanes of the timeline: which there are, and that they show what was measured."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from assessment_example import example
from page_example import DURATION_SEC, assessed, material, notes, parsed
from tocco.music.performance import PedalCurve
from tocco.report.page.material import Material
from tocco.report.page.timeline import MOST_PIXELS, lanes, time_axis, waveform
from tocco.report.wording import first_curve

AXIS = time_axis(DURATION_SEC)


def lane(name: str, shown: Material | None = None, assessment=None):
    found = lanes(assessment or assessed(), shown or material(), AXIS)
    return next(one for one in found if one.name == name)


def path_of(name: str, class_: str, shown: Material | None = None) -> str:
    return parsed(str(lane(name, shown).svg)).all("path", class_=class_)[0].attributes["d"]


def test_every_lane_has_its_place_and_what_is_missing_has_none() -> None:
    def names(shown: Material, assessment=None) -> list[str]:
        return [one.name for one in lanes(assessment or assessed(), shown, AXIS)]

    assert names(material()) == ["axis", "wave", "curve", "roll", "tempo", "level", "pedal"]
    assert names(Material()) == ["axis", "curve", "tempo"]
    unpedalled = replace(notes(), sustain=PedalCurve())
    assert "pedal" not in names(Material(notes=unpedalled))
    assert names(Material(), example(score=False)) == ["axis", "curve"]


@pytest.mark.parametrize(("duration_sec", "scale"), [(60.0, 30.0), (1000.0, 16.0), (7200.0, 8.0)])
def test_the_scale_follows_the_length(duration_sec: float, scale: float) -> None:
    axis = time_axis(duration_sec)
    assert axis.px_per_sec == scale
    assert axis.width_px <= MOST_PIXELS or scale == 8.0
    assert axis.x(2.0) == 2.0 * scale


def test_numbers_of_bars_do_not_run_into_each_other() -> None:
    bars = parsed(str(lane("axis").svg)).all("text", class_="bar")
    assert [one.text for one in bars] == [str(k + 1) for k in range(32)]
    many = [[str(k), 0.1 * k] for k in range(600)]
    made = assessed().model_dump(mode="json")
    made["alignment"]["bars"] = many
    dense = type(assessed()).model_validate(made)
    places = [
        float(one.attributes["x"])
        for one in parsed(str(lane("axis", None, dense).svg)).all("text", class_="bar")
    ]
    assert min(np.diff(places)) >= 40.0


def test_the_waveform_is_as_high_as_the_sound_is_loud() -> None:
    d = re.search(r' d="M([^"]+)Z"', str(waveform(np.array([0.25, 0.5, 1.0, 0.5]), 100.0, 40.0, 4)))
    assert d is not None
    points = np.array([[float(x) for x in point.split()] for point in d[1].split("L")])
    assert points[:4].tolist() == [[12.5, 15.0], [37.5, 10.0], [62.5, 0.0], [87.5, 10.0]]
    assert points[4:].tolist() == [[87.5, 30.0], [62.5, 40.0], [37.5, 30.0], [12.5, 25.0]]
    few = str(waveform(np.array([0.25, 0.5, 1.0, 0.5]), 100.0, 40.0, 2))
    assert few.count("L") == 3


def test_the_curve_is_drawn_from_0_to_100_and_the_chosen_one_is_shown() -> None:
    groups = parsed(str(lane("curve").svg)).all("g")
    shown = [one.attributes["data-dimension"] for one in groups if one.attributes["class"] == "curve"]
    assert shown == ["overall_quality"] == [first_curve(assessed())]
    assert len(groups) == len(assessed().curve.value)
    group = next(one for one in groups if one.attributes["data-dimension"] == "phrasing")
    (line,) = group.all("path", class_="line")
    start = [float(x) for x in line.attributes["d"][1:].split("L")[0].split()]
    assert start == pytest.approx(
        [0.0, 120.0 * (1.0 - (assessed().curve.value["phrasing"][0] or 0.0) / 100.0)], abs=0.06
    )
    assert [len(group.all("path", class_=kind)) for kind in ("weakest", "strongest", "band")] == [1, 1, 1]


def test_the_tempo_of_each_bar_is_a_step() -> None:
    d = path_of("tempo", "line")
    assert d.startswith(f"M{0.8 * 30:g} ")
    assert d.count("V") == 31
    heights = [float(one) for one in re.findall(r"V([\d.]+)", d)]
    assert heights == sorted(heights, reverse=True)  # it grows from 90 to 121
    text = parsed(str(lane("tempo").svg)).all("desc")[0].text
    assert "from 90 to 121, median 106" in text


def test_loudness_and_pedal_are_those_of_the_keys() -> None:
    assert path_of("level", "dots").count("h0") == 35
    x, y = (float(one) for one in path_of("level", "dots")[1:].split("h0")[0].split())
    assert (x, y) == (24.0, 76.0 * (1.0 - 64.0 / 128.0))
    assert path_of("pedal", "pedal") == "M0 30H30V0H90V30H150V14.9H1980V30H0z"
    assert "down for 95 % of the time" in parsed(str(lane("pedal").svg)).all("desc")[0].text


def test_dynamic_signs_of_the_score_stand_over_the_loudness() -> None:
    svg = parsed(str(lane("level").svg))
    (sign,) = svg.all("text", class_="sign")
    assert (sign.text, sign.attributes["x"]) == ("p", "24")
    (hairpin,) = svg.all("path", class_="hairpin")
    assert hairpin.attributes["d"] == "M270 3L120 7.5L270 12"  # opens to the right
    assert "2 dynamic signs" in svg.all("desc")[0].text

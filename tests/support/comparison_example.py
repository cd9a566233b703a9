"""Two takes of one piece, for the tests of everything that compares."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from assessment_example import bar_sec
from page_example import assessed
from tocco.inference.assessment import Assessment
from tocco.inference.difference import DifferenceCalibration, DifferenceFigures, PairFigures
from tocco.rubrics import DIMENSIONS

SAME = DifferenceFigures(gain=0.5, sd=4.0, least_difference=12.0, n=100)
OTHER = DifferenceFigures(gain=1.0, sd=8.0, least_difference=5.0, n=100)
LEARNED = tuple(name for name in DIMENSIONS if name != "note_accuracy")


def calibration() -> DifferenceCalibration:
    of_all = {name: PairFigures(same_music=SAME, other_music=OTHER) for name in (*LEARNED, "aggregate")}
    return DifferenceCalibration(protocol="made up", with_score=of_all, without_score=of_all)


def take(points: Mapping[str, float] | None = None, *, stretch: float = 0.0, **changes: Any) -> Assessment:
    """The example with points added to ratings; bars start up to `stretch` seconds later or earlier."""
    made = assessed(**changes).model_dump()
    for name, more in (points or {}).items():
        rating = made["ratings"][name]
        rating["value"] += more
        rating["interval_90"] = tuple(min(max(end + more, 0.0), 100.0) for end in rating["interval_90"])
        for part in made["aggregate"]["parts"]:
            if part["dimension"] == name:
                part["value"] += more
                made["aggregate"]["value"] += part["weight"] * more
    low, high = made["aggregate"]["interval_90"]
    made["aggregate"]["interval_90"] = (
        min(low, made["aggregate"]["value"]),
        max(high, made["aggregate"]["value"]),
    )
    if stretch and made["alignment"] is not None:
        moved = {round(bar_sec(k), 3): bar_sec(k) + stretch * math.sin(2.4 * k) for k in range(32)}
        for note in made["alignment"]["match"]:
            note["time_sec"] = moved[round(note["time_sec"], 3)]
        made["alignment"]["bars"] = [(name, moved[round(sec, 3)]) for name, sec in made["alignment"]["bars"]]
    return Assessment.model_validate(made)

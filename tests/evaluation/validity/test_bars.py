"""A figure on a bar, and a fifth beyond it."""

from __future__ import annotations

import pytest

from tocco.evaluation.validity.bars import BARS, Bar, bars_of

AS_ASKED = {
    "target_falls": (0.97, "least"),
    "overall_falls": (0.97, "least"),
    "aggregate_falls": (0.97, "least"),
    "aggregate_never_rises": (1.0, "least"),
    "interpretive_mean": (0.5, "most"),
    "interpretive_rise": (0.95, "least"),
    "target_rho": (-0.9, "most"),
    "overall_rho": (-0.8, "most"),
    "sustain_pedaling": (25.0, "least"),
    "sustain_overall": (10.0, "least"),
    "mess_overall": (25.0, "least"),
    "wrong_notes_overall": (20.0, "least"),
    "velocities_overall": (3.0, "least"),
    "velocities_dynamics": (10.0, "least"),
    "deadpan_expressiveness": (0.9, "least"),
    "deadpan_musicality": (0.9, "least"),
    "deadpan_expressiveness_gap": (10.0, "least"),
    "deadpan_musicality_gap": (10.0, "least"),
    "deadpan_note_accuracy": (0.9, "least"),
    "skill_all": (0.75, "least"),
    "skill_within": (0.75, "least"),
    "skill_all_least": (0.65, "least"),
    "skill_within_least": (0.65, "least"),
    "skill_coverage": (0.85, "least"),
    "professionals_above": (0.95, "least"),
    "invariance_median": (1.0, "below"),
    "invariance_p95": (3.0, "below"),
    "no_score_note_accuracy": (0.97, "least"),
    "no_score_rhythmic_precision": (0.97, "least"),
    "no_score_overall_quality": (0.97, "least"),
    "abstains_mashing": (0.95, "least"),
    "abstains_fast": (0.95, "least"),
    "abstains_random": (0.95, "least"),
    "rates_students": (0.02, "most"),
    "rates_professionals": (0.02, "most"),
}


def test_the_bars_are_those_that_were_asked_for() -> None:
    assert {name: (bar.threshold, bar.side) for name, bar in BARS.items()} == AS_ASKED


@pytest.mark.parametrize("bar", BARS.values(), ids=lambda bar: bar.name)
def test_a_figure_on_the_bar_and_a_hundredth_off_it(bar: Bar) -> None:
    worse = -0.01 if bar.side == "least" else 0.01
    assert bar.is_held(bar.threshold) == (bar.side != "below")
    assert bar.is_held(bar.threshold - worse)
    assert not bar.is_held(bar.threshold + worse)
    assert not bar.is_held(float("nan"))


def test_every_bar_belongs_to_one_part() -> None:
    parts = list(dict.fromkeys(bar.part for bar in BARS.values()))
    assert parts == ["damage", "size", "deadpan", "skill", "invariance", "no_score", "abstention"]
    assert [bar for part in parts for bar in bars_of(part)] == list(BARS.values())

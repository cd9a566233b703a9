"""Figures of damage, of hand-made rows."""

from __future__ import annotations

import pytest

from tocco.evaluation.validity.damage_figures import damage_figures, kind_figures
from tocco.evaluation.validity.figures import Figure
from tocco.evaluation.validity.rows import Modality, Row
from validity_example import row

RHYTHM = "rhythmic_precision"


def ladder(
    falls: tuple[float, float, float],
    *,
    kind: str = "timing_jitter",
    target: str = RHYTHM,
    overall: tuple[float, float, float] | None = None,
    aggregate: tuple[float, float, float] | None = None,
    rise: float = 0.0,
    piece: str = "p",
    modality: Modality = "keys_score",
) -> list[Row]:
    """A clean excerpt at 60 and its three steps, whose ratings fall by so much."""
    overall, aggregate = overall or falls, aggregate or falls
    rows = [row("clean", piece=piece, modality=modality)]
    for step, fall, whole, mean in zip((1, 3, 5), falls, overall, aggregate, strict=True):
        given = {target: 60.0 - fall, "overall_quality": 60.0 - whole, "expressiveness": 60.0 + rise}
        rows.append(row("damage", kind, step, piece=piece, modality=modality, aggregate=60.0 - mean, **given))
    return rows


def figure(rows: list[Row], bar: str, group: str = "seen", modality: str = "keys_score") -> Figure:
    return next(
        one for one in damage_figures(rows) if (one.bar, one.group, one.modality) == (bar, group, modality)
    )


def test_what_falls_at_every_step_meets_every_bar() -> None:
    rows = ladder((0.5, 2.0, 5.0)) + ladder((0.2, 1.5, 9.0), piece="q")
    assert all(one.held for one in damage_figures(rows) if one.group == "seen")
    assert figure(rows, "target_falls").value == 1.0
    assert figure(rows, "target_rho").value == -1.0
    assert figure(rows, "target_falls").n == 4


@pytest.mark.parametrize(("fall", "share"), [(0.8, 0.5), (0.99, 0.5), (1.0, 1.0), (1.2, 1.0)])
def test_a_fall_counts_from_one_point_on(fall: float, share: float) -> None:
    rows = ladder((0.0, fall, 5.0))
    assert figure(rows, "target_falls").value == share
    assert figure(rows, "overall_falls").value == share


def test_falls_of_the_first_step_are_not_asked_for_but_rises_are() -> None:
    rows = ladder((-3.0, 2.0, 5.0), rise=1.0)
    assert figure(rows, "target_falls").value == 1.0
    assert figure(rows, "aggregate_never_rises").value == pytest.approx(2 / 3, abs=1e-4)
    assert not figure(rows, "aggregate_never_rises").held


@pytest.mark.parametrize(("rise", "share"), [(0.8, 1.0), (1.0, 1.0), (1.2, 2 / 3)])
def test_the_aggregate_may_rise_by_one_point(rise: float, share: float) -> None:
    rows = ladder((0.0, 2.0, 5.0), aggregate=(-rise, 2.0, 5.0))
    assert figure(rows, "aggregate_never_rises").value == pytest.approx(share, abs=1e-4)


@pytest.mark.parametrize(("rise", "share"), [(1.6, 1.0), (2.0, 1.0), (2.4, 0.0)])
def test_an_interpretive_rating_may_rise_by_two_points(rise: float, share: float) -> None:
    rows = ladder((1.0, 2.0, 5.0), rise=rise)
    assert figure(rows, "interpretive_rise").value == share
    assert figure(rows, "interpretive_mean").value == pytest.approx(rise)
    assert not figure(rows, "interpretive_mean").held


def test_a_missing_rating_is_failed() -> None:
    rows = ladder((0.5, 2.0, 5.0))
    rows[3] = row("damage", "timing_jitter", 5, abstained=True)
    assert figure(rows, "target_falls").value == 0.5
    assert figure(rows, "aggregate_falls").value == 0.5
    assert figure(rows, "aggregate_never_rises").value == pytest.approx(2 / 3, abs=1e-4)
    rows[3] = row("damage", "timing_jitter", 5, refusal="is another piece")
    assert figure(rows, "overall_falls").value == 0.5


def test_without_the_undamaged_excerpt_everything_is_failed() -> None:
    assert figure(ladder((0.5, 2.0, 5.0))[1:], "target_falls").value == 0.0


def test_mashing_may_be_abstained_from() -> None:
    rows = ladder((1.0, 2.0, 5.0), kind="mashing", target="note_accuracy")
    rows[2:] = [row("damage", "mashing", step, refusal="is another piece") for step in (3, 5)]
    for bar in ("target_falls", "overall_falls", "aggregate_falls", "aggregate_never_rises"):
        assert figure(rows, bar, "composite").value == 1.0
    assert figure(rows, "target_rho", "composite").value == pytest.approx(-0.9487, abs=1e-4)


def test_every_kind_weighs_the_same() -> None:
    rows = ladder((0.5, 2.0, 5.0)) + ladder((0.5, 2.0, 5.0), piece="q")
    rows += ladder((0.0, 0.0, 0.0), kind="uneven_runs")[1:]
    assert figure(rows, "target_falls").value == 0.5


def test_groups_are_reported_apart() -> None:
    rows = ladder((0.5, 2.0, 5.0)) + ladder((0.0, 0.0, 5.0), kind="drag")[1:]
    assert figure(rows, "target_falls", "seen").value == 1.0
    assert figure(rows, "target_falls", "held_out").value == 0.5


def test_the_aggregate_falls_where_the_target_has_a_weight() -> None:
    rows = ladder((0.5, 2.0, 5.0), kind="late_pedal", target="pedaling_technique", aggregate=(0.0, 0.0, 0.0))
    assert figure(rows, "aggregate_falls").value is None
    rows = ladder((0.5, 2.0, 5.0), aggregate=(0.0, 0.0, 0.1))
    assert figure(rows, "aggregate_falls").value == 0.5


def test_without_a_score_wrong_notes_cannot_be_known_but_may_not_pay() -> None:
    rows = ladder((0.0, 0.0, 0.0), kind="wrong_notes", target="note_accuracy", modality="keys", rise=3.0)
    assert figure(rows, "target_falls", modality="keys").value is None
    assert figure(rows, "interpretive_rise", modality="keys").value == 0.0
    rows = ladder((0.5, 2.0, 5.0), kind="hesitations", modality="keys")
    assert figure(rows, "target_falls", modality="keys").value == 1.0


def test_severity_is_ranked_by_excerpt_and_kind() -> None:
    rows = ladder((1.0, 5.0, 2.0), overall=(0.0, 0.0, 0.0))
    assert figure(rows, "target_rho").value == pytest.approx(-0.8)
    assert figure(rows, "overall_rho").value == 0.0


def test_sizes_are_median_falls_at_the_full_dose() -> None:
    rows = []
    for piece, fall in (("p", 20.0), ("q", 26.0), ("r", 30.0)):
        rows += ladder((1.0, 2.0, fall), kind="sustain_held", target="pedaling_technique", piece=piece)
    sizes = {one.bar: one for one in damage_figures(rows) if one.group == ""}
    assert sizes["sustain_pedaling"].value == 26.0
    assert sizes["sustain_pedaling"].held
    assert sizes["sustain_overall"].value == 26.0
    assert sizes["mess_overall"].value is None
    assert not sizes["mess_overall"].held


def test_a_missing_rating_has_not_fallen() -> None:
    rows = ladder((1.0, 2.0, 30.0), kind="mess", target="note_accuracy")
    rows[3] = row("damage", "mess", 5, abstained=True)
    sizes = {one.bar: one.value for one in damage_figures(rows) if one.group == ""}
    assert sizes["mess_overall"] == 0.0


def test_intervals_are_over_pieces() -> None:
    rows = ladder((0.5, 2.0, 5.0)) + ladder((0.0, 0.0, 0.0), piece="q")
    both = figure(rows, "target_falls")
    assert (both.low, both.value, both.high) == (0.0, 0.5, 1.0)
    one = figure(ladder((0.5, 2.0, 5.0)), "target_falls")
    assert (one.low, one.high) == (None, None)


def test_a_kind_says_how_its_ratings_change() -> None:
    rows = ladder((0.5, 2.0, 5.0), rise=1.5)
    rows[2] = row("damage", "timing_jitter", 3, abstained=True)
    (kind,) = kind_figures(rows)
    assert (kind.kind, kind.group, kind.target, kind.n, kind.n_silent) == (
        "timing_jitter",
        "seen",
        RHYTHM,
        2,
        1,
    )
    assert (kind.target_falls, kind.overall_falls) == (0.5, 0.5)
    assert (kind.target_change, kind.overall_change, kind.aggregate_change) == (-5.0, -5.0, -5.0)
    assert kind.interpretive_change == 1.5

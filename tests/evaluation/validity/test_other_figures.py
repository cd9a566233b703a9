"""Figures of skill, mechanical renderings, invariance, missing scores and abstentions, of hand-made rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tocco.evaluation.validity.figures import Figure
from tocco.evaluation.validity.graded import GradedTake
from tocco.evaluation.validity.other_figures import (
    abstention_figures,
    deadpan_figures,
    invariance_figures,
    no_score_figures,
    skill_beside,
    skill_figures,
    unmeasured,
)
from tocco.evaluation.validity.rows import Row
from validity_example import row


def value(figures: Sequence[Figure], bar: str, group: str = "", modality: str | None = None) -> float | None:
    return next(
        one.value
        for one in figures
        if one.bar == bar and one.group == group and modality in (None, one.modality)
    )


def graded(id_: str, piece: str, *grades: float, player: str | None = None) -> GradedTake:
    return GradedTake(id_, piece, player or id_, Path("a.mid"), Path("a.mxl"), grades)


TAKES = (
    graded("a1", "a", 1, 1),
    graded("a2", "a", 2, 3),
    graded("a3", "a", 4, 5),
    graded("b1", "b", 2, 2),
    graded("b2", "b", 3, 3),
    graded("b3", "b", 5, 5),
    graded("b4", "b", 4, 4),
)


def student(take: GradedTake, overall: float, width: float = 20.0) -> Row:
    return row(
        "graded",
        take=take.id,
        piece=take.piece,
        modality="transcribed_score",
        width=width,
        overall_quality=overall,
    )


def test_ratings_in_the_teachers_order_correlate_wholly() -> None:
    rows = [student(take, take.points) for take in TAKES]
    found = skill_figures(rows, TAKES)
    assert value(found, "skill_all") == 1.0
    assert value(found, "skill_within") == 1.0
    assert value(found, "skill_coverage") == 1.0


def test_within_a_piece_counts_takes_not_pieces() -> None:
    of = {take.id: take.points for take in TAKES}
    of |= {"a1": of["a3"], "a3": of["a1"]}
    found = skill_figures([student(take, of[take.id]) for take in TAKES], TAKES)
    assert value(found, "skill_within") == pytest.approx((3 * -1.0 + 4 * 1.0) / 7, abs=1e-4)


@pytest.mark.parametrize(("half", "share"), [(8.0, 0.0), (10.1, 1.0)])
def test_the_interval_contains_the_teachers_mean(half: float, share: float) -> None:
    rows = [student(take, take.points + 10.0, width=2 * half) for take in TAKES]
    assert value(skill_figures(rows, TAKES), "skill_coverage") == share


def test_a_grade_of_one_is_zero_points_and_five_a_hundred() -> None:
    assert [graded("x", "a", g, g).points for g in (1, 3, 5)] == [0.0, 50.0, 100.0]


def test_professionals_lie_above_the_students_median() -> None:
    students = [student(take, take.points) for take in TAKES]  # median 50
    pros = [row("clean", piece=str(k), overall_quality=49.0 + k) for k in range(4)]
    found = skill_figures([*students, *pros], TAKES)
    assert value(found, "professionals_above", modality="keys_score") == 0.5


def test_a_teacher_is_compared_with_the_others() -> None:
    takes = [graded(f"t{k}", "a", k, k, 6 - k) for k in range(1, 6)]
    found = {one.name: one.all for one in skill_beside([], takes)}
    assert found["teacher 3 against the others"] == -1.0
    assert found["teacher 1 against the others"] is None  # the others' mean is constant


def test_other_numbers_that_people_see_stand_beside_it() -> None:
    rows = [student(take, 60.0).model_copy(update={"aggregate": 100.0 - take.points}) for take in TAKES]
    found = {one.name: one.all for one in skill_beside(rows, TAKES)}
    assert found["aggregate"] == -1.0
    assert found["overall_quality"] == 0.0


def passage(piece: str, flat: float, played: Sequence[float], accuracy: float = 60.0) -> list[Row]:
    given = {"expressiveness": flat, "musicality": flat, "note_accuracy": accuracy}
    rows = [row("deadpan", "passage_rendering", piece=piece, take=f"{piece}_score", **given)]
    return rows + [
        row(
            "deadpan",
            "passage_pianist",
            piece=piece,
            take=f"{piece}_{k}",
            expressiveness=one,
            musicality=one,
        )
        for k, one in enumerate(played)
    ]


def test_a_rendering_is_compared_with_the_pianists_median() -> None:
    rows = passage("p", 45.0, (40.0, 60.0, 65.0)) + passage("q", 60.0, (50.0, 59.0, 70.0))
    found = deadpan_figures(rows)
    assert value(found, "deadpan_expressiveness", "passages") == 0.5
    assert value(found, "deadpan_musicality_gap", "passages") == pytest.approx((15.0 - 1.0) / 2)


@pytest.mark.parametrize(("below", "share"), [(0.8, 1.0), (1.0, 1.0), (1.2, 0.0)])
def test_its_notes_are_not_punished(below: float, share: float) -> None:
    rows = passage("p", 45.0, (60.0,), accuracy=60.0 - below)
    assert value(deadpan_figures(rows), "deadpan_note_accuracy", "passages") == share


def test_a_rendering_of_an_excerpt_is_compared_with_its_own_pianist_too() -> None:
    rows = [row("deadpan", "rendering", expressiveness=40.0), row("clean", expressiveness=55.0)]
    assert value(deadpan_figures(rows), "deadpan_expressiveness_gap", "excerpts") == 15.0


def test_a_rendering_that_is_not_rated_is_not_below() -> None:
    rows = [row("deadpan", "rendering", abstained=True), row("clean")]
    assert value(deadpan_figures(rows), "deadpan_expressiveness", "excerpts") == 0.0
    assert value(deadpan_figures(rows), "deadpan_note_accuracy", "excerpts") == 0.0


def test_changes_are_pooled_over_all_ratings() -> None:
    rows = [row("clean"), row("invariance", "tempo_faster", musicality=70.0, phrasing=58.0)]
    found = invariance_figures(rows)
    assert value(found, "invariance_median", "tempo_faster") == 0.0
    assert value(found, "invariance_p95", "tempo_faster") == pytest.approx(6.0)


def test_sound_is_compared_with_the_recording_itself() -> None:
    rows = [
        row("clean", level=10.0),
        row("invariance", "recorded", modality="sound", level=50.0),
        row("invariance", "codec_mp3", modality="sound", level=52.0, aggregate=62.0),
    ]
    found = invariance_figures(rows)
    assert value(found, "invariance_median", "codec_mp3") == 2.0
    assert {one.group for one in found} == {"codec_mp3"}


def test_a_rating_that_goes_is_a_change_of_the_whole_scale() -> None:
    gone = [row("clean"), row("invariance", "tempo_faster", abstained=True)]
    assert value(invariance_figures(gone), "invariance_median", "tempo_faster") == 100.0
    both = [row("clean", phrasing=None), row("invariance", "tempo_faster", phrasing=None)]
    assert value(invariance_figures(both), "invariance_p95", "tempo_faster") == 0.0


@pytest.mark.parametrize(("width", "share"), [(21.0, 0.0), (22.0, 1.0), (24.0, 1.0)])
def test_an_interval_is_wider_without_a_score_by_a_tenth(width: float, share: float) -> None:
    rows = [row("clean", width=20.0), row("clean", modality="keys", width=width, note_accuracy=None)]
    found = no_score_figures(rows)
    assert value(found, "no_score_note_accuracy") == 1.0
    assert value(found, "no_score_overall_quality") == share


def test_refusals_and_abstentions_are_both_silence() -> None:
    rows = [
        row("abstention", "fast", modality="keys", take="f0", abstained=True),
        row("abstention", "fast", modality="keys", take="f1", refusal="too many"),
        row("abstention", "fast", modality="keys", take="f2"),
        student(TAKES[0], 50.0),
        row("clean", abstained=True),
        row("clean", piece="q"),
    ]
    found = abstention_figures(rows)
    assert value(found, "abstains_fast") == pytest.approx(2 / 3, abs=1e-4)
    assert value(found, "rates_students") == 0.0
    assert value(found, "rates_professionals") == 0.5


def test_bars_that_were_not_asked_are_named() -> None:
    missing = unmeasured(abstention_figures([row("clean")]))
    assert missing["skill_all"] == "skill"
    assert "rates_professionals" not in missing

"""The statistics of the validation: known answers on made-up measures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pseudo_example import made_up_scale
from tocco.data.records import LabelRecord
from tocco.evaluation.pseudo_labels.claims import (
    TECHNICAL_DIMENSIONS,
    agreement,
    compared_with_peers,
    detection_interval,
    detection_table,
    difficulty,
    false_claims,
    is_playing,
    ladder_results,
    side_matrix,
)
from tocco.evaluation.pseudo_labels.measures import LadderStep, PieceLadders, RatedExcerpt, RatedTake
from tocco.evaluation.pseudo_labels.planted_errors import Detection
from tocco.evaluation.pseudo_labels.report import Validation, side_shares, write_validation
from tocco.music.corruption import CORRUPTIONS


def ladders(
    name: str, changes: dict[str, dict[str, list[float]]], *, base: float = 50.0, modality: str = "keys"
) -> PieceLadders:
    """Measures of one excerpt: kind -> dimension -> change at each of five severities."""
    clean = dict.fromkeys(TECHNICAL_DIMENSIONS, base)
    steps = [LadderStep(kind="", level=0, modality=modality, ratings=clean)]  # type: ignore[arg-type]
    for kind, moves in changes.items():
        for level in range(1, 6):
            ratings = {d: base + moves.get(d, [0.0] * 5)[level - 1] for d in TECHNICAL_DIMENSIONS}
            steps.append(LadderStep(kind=kind, level=level, modality=modality, ratings=ratings))  # type: ignore[arg-type]
    return PieceLadders(
        key="",
        piece=name,
        performance=name,
        n_notes=100,
        steps=tuple(steps),
        detections=(
            Detection(kind="wrong_notes", by_key=False, n_planted=20, n_found=19, n_claimed=20, n_true=20),
            Detection(kind="wrong_notes", by_key=True, n_planted=20, n_found=20, n_claimed=20, n_true=20),
        ),
        inapplicable=("late_pedal: has no pedal",),
        refusals=(),
    )


DOWN = [-1.0, -3.0, -6.0, -10.0, -20.0]


def test_a_ladder_that_goes_down_at_every_step_is_monotone_and_specific() -> None:
    moves = {"drag": {"rhythmic_precision": DOWN, "tone_quality": [0.3 * x for x in DOWN]}}
    (found,) = ladder_results([ladders("a", moves), ladders("b", moves)], "keys")
    assert (found.kind, found.target, found.n) == ("drag", "rhythmic_precision", 2)
    assert (found.rho, found.rho_pooled) == pytest.approx((-1.0, -1.0))
    assert found.is_monotone
    assert found.mean_change[TECHNICAL_DIMENSIONS.index("rhythmic_precision")] == pytest.approx(-8.0)
    assert found.side_share == pytest.approx(0.3)
    assert found.most_moved == "tone_quality"
    assert found.is_specific


def test_side_effects_of_a_third_are_too_many_and_an_improvement_is_no_success() -> None:
    side = {"rhythmic_precision": DOWN, "tone_quality": [0.34 * x for x in DOWN]}
    (found,) = ladder_results([ladders("a", {"drag": side})], "keys")
    assert not found.is_specific
    (better,) = ladder_results([ladders("a", {"drag": {"rhythmic_precision": [-x for x in DOWN]}})], "keys")
    assert better.rho == pytest.approx(1.0)
    assert not better.is_monotone
    assert not better.is_specific


def test_a_kind_that_leaves_nothing_else_to_rate_is_not_called_specific() -> None:
    alone = ladders("a", {"drag": {"rhythmic_precision": DOWN}})
    steps = [
        step.model_copy(update={"ratings": {"rhythmic_precision": step.ratings["rhythmic_precision"]}})
        for step in alone.steps
    ]
    (found,) = ladder_results([alone.model_copy(update={"steps": tuple(steps)})], "keys")
    assert np.isnan(found.side_share)
    assert found.most_moved == "-"
    assert not found.is_specific
    assert found.is_monotone


def test_the_mean_of_the_excerpts_and_the_means_excerpt_are_reported_apart() -> None:
    good = {"drag": {"rhythmic_precision": DOWN}}
    flat = {"drag": {"rhythmic_precision": [0.0] * 5}}
    (found,) = ladder_results([ladders("a", good), ladders("b", flat)], "keys")
    assert found.n_rated == 2
    assert found.rho == pytest.approx(-0.5)
    assert found.rho_pooled == pytest.approx(-1.0)
    assert not found.is_monotone


def test_what_was_heard_is_kept_apart() -> None:
    moves = {"drag": {"rhythmic_precision": DOWN}}
    both = [ladders("a", moves), ladders("b", moves, modality="sound")]
    assert ladder_results(both, "keys")[0].n == ladder_results(both, "sound")[0].n == 1
    assert ladder_results(both, "transcribed") == []


def test_kinds_that_pull_both_ways_do_not_cancel_in_the_matrix() -> None:
    up, down = [6.0] * 5, [-6.0] * 5
    moves = {
        "harsh_voicing": {"tone_quality": [-10.0] * 5, "dynamics_control": up},
        "muddy_voicing": {"tone_quality": [-20.0] * 5, "dynamics_control": down},
    }
    matrix = side_matrix(ladder_results([ladders("a", moves)], "keys"))
    row = TECHNICAL_DIMENSIONS.index("tone_quality")
    assert matrix[row, row] == pytest.approx(15.0)
    assert matrix[row, TECHNICAL_DIMENSIONS.index("dynamics_control")] == pytest.approx(6.0)
    assert np.isnan(np.delete(matrix, row, axis=0)).all()
    assert side_shares(matrix)[row] == pytest.approx(0.4)


def test_detection_is_pooled_over_excerpts() -> None:
    table = detection_table([ladders("a", {}), ladders("b", {})])
    assert table["wrong_notes"] == (1.0, 0.95, 40)
    assert table["all note errors"] == table["wrong_notes"]
    assert detection_table([ladders("a", {})], by_key=True)["wrong_notes"] == (1.0, 1.0, 20)


def detected(name: str, n_claimed: int, n_true: int, kind: str = "wrong_notes") -> PieceLadders:
    """Of 20 planted mistakes 19 found; by the key nothing false."""
    exact = Detection(kind=kind, by_key=False, n_planted=20, n_found=19, n_claimed=n_claimed, n_true=n_true)
    by_key = exact.model_copy(update={"by_key": True, "n_claimed": n_true})
    return ladders(name, {}).model_copy(update={"detections": (exact, by_key)})


def test_the_range_of_detection_is_that_of_draws_of_pieces() -> None:
    three = [detected("a", 20, 20), detected("b", 20, 20), detected("c", 40, 20)]
    drawn = detection_interval(three, np.random.default_rng(3))
    np.testing.assert_allclose(drawn.value, [60 / 80, 0.95])
    # All draws of one piece three times are among a thousand: all of "c" at the low end, none at the other.
    np.testing.assert_allclose(drawn.low, [0.5, 0.95])
    np.testing.assert_allclose(drawn.high, [1.0, 0.95])
    assert drawn.level == 0.95
    by_key = detection_interval(three, np.random.default_rng(3), by_key=True)
    np.testing.assert_allclose([by_key.low, by_key.high], [[1.0, 0.95], [1.0, 0.95]])


def test_false_claims_are_counted_excerpt_by_excerpt_without_restarts() -> None:
    some = [detected("b", 23, 20), detected("a", 21, 20), detected("c", 40, 20, "restarts")]
    assert false_claims(some) == [("b", 3), ("a", 1), ("c", 0)]


def take(piece: str, name: str, rating: float, density: float) -> RatedTake:
    return RatedTake(
        key="",
        piece=piece,
        performance=name,
        performer=name,
        ratings=dict.fromkeys(TECHNICAL_DIMENSIONS, (rating - 1.0, rating, None, rating + 1.0)),
        confidence=dict.fromkeys(TECHNICAL_DIMENSIONS, (1.0, 1.0, 0.0, 1.0)),
        notes_per_sec=(density, density + 1.0, density, density + 2.0),
        refusal=None,
    )


def test_players_and_pieces_are_reported_apart() -> None:
    rng = np.random.default_rng(3)
    takes = [
        take(f"piece{p}", f"{p} {t}", 50.0 + offset + 5.0 * rng.normal(), 3.0 + p)
        for p, offset in enumerate(rng.normal(0.0, 1.0, 30))
        for t in range(5)
    ]
    found = difficulty([*takes, take("alone", "alone", 5.0, 50.0)])
    assert [one.dimension for one in found] == list(TECHNICAL_DIMENSIONS)
    assert (found[0].n_takes, found[0].n_pieces) == (150, 30)
    assert found[0].within > 4.0 * abs(found[0].between)
    steep = [take(f"piece{p}", f"{p} {t}", 20.0 + 2.0 * p + t, 3.0 + p) for p in range(10) for t in range(3)]
    hard = difficulty(steep)[0]
    assert hard.piece_means > 9.0 * hard.within
    assert not is_playing(hard, hard)
    assert hard.density_r_takes == pytest.approx(0.99, abs=0.02)


def test_held_against_its_peers_a_piece_tells_nothing_any_more() -> None:
    scale = made_up_scale()
    fields = {"centre": 0.0, "between_players": 0.01, "between_pieces": 1.0}
    wide = {name: one.model_copy(update=fields) for name, one in scale.dimensions.items()}
    scale = scale.model_copy(update={"dimensions": wide})
    takes = [
        take(f"piece{p}", f"{p} {t}", 30.0 + 4.0 * p + (-2.0, 0.0, 2.0)[t], 3.0 + 3.0 * (7 * p % 10))
        for p in range(10)
        for t in range(3)
    ]
    alone, peers = difficulty(takes)[0], difficulty(compared_with_peers(takes, scale))[0]
    assert alone.between > 100.0
    assert alone.within == pytest.approx(4.0)
    assert peers.piece_means < 1.0
    assert is_playing(alone, peers)
    # The order of the three is theirs still.
    first = [one.ratings["tone_quality"][1] for one in compared_with_peers(takes, scale)[:3]]
    assert first == sorted(first)
    assert first[0] < first[2]


def test_agreement_with_people_is_the_rank_correlation_of_what_people_played() -> None:
    rng = np.random.default_rng(4)
    truth = rng.permutation(40).astype(float)
    records = [
        LabelRecord(
            segment_id=f"e{n}",
            piece_id="p",
            passage_id=f"p{n % 4}",
            source="people",
            midi_path=Path(f"{n}.mid"),
            labels={"rhythmic_precision": value, "overall_quality": 40.0 - value},
            is_score_rendering=n >= 36,
        )
        for n, value in enumerate(truth)
    ]
    ratings = [{"rhythmic_precision": t, "note_accuracy": t, "tone_quality": None} for t in truth]
    excerpts = [
        RatedExcerpt(key="", performance=f"e{n}", ratings=one, refusal=None) for n, one in enumerate(ratings)
    ]
    found = {one.dimension: one for one in agreement(records, excerpts)}
    assert found["rhythmic_precision"].rho == pytest.approx(1.0)
    assert found["rhythmic_precision"].rho_within == pytest.approx(1.0)
    assert (found["rhythmic_precision"].n, found["rhythmic_precision"].n_passages) == (36, 4)
    assert found["note_accuracy"].counterpart == "overall_quality"
    assert found["note_accuracy"].rho == pytest.approx(-1.0)
    assert "tone_quality" not in found


def test_the_report_states_what_is_asked_before_what_came_out(tmp_path: Path) -> None:
    moves = {kind: {CORRUPTIONS[kind].target: DOWN} for kind in CORRUPTIONS}
    validation = Validation(
        ladders=[ladders("a", moves), ladders("b", moves)],
        transcribed=[ladders("a", moves), ladders("a", moves, modality="transcribed")],
        takes=[take(f"piece{p}", f"{p} {t}", 50.0 + t + p / 9, 3.0) for p in range(9) for t in range(3)],
        agreements=[],
        scale=made_up_scale(),
    )
    lost = take("piece9", "lost", 50.0, 3.0).model_copy(update={"refusal": f"{tmp_path}/a/x.mid: is broken"})
    validation = replace(validation, takes=[*validation.takes, lost])
    text = write_validation(validation, {"labels": "made up"}, tmp_path)
    assert text == (tmp_path / "validation.md").read_text()
    assert text.index("## Criteria") < text.index("## Data") < text.index("## (a)")
    assert "## (a) Monotone: 21 of 21 kinds" in text
    assert "## (b) Specific: 21 of 21 kinds" in text
    assert "late_pedal does not apply to 2 of the excerpts" in text
    assert "simulated" in text
    (row,) = [line for line in text[text.index("## (f)") :].splitlines() if line.startswith("| drag")]
    assert row.endswith(
        "| -1.000 | -1.000 | - | -1.000 | 0.00 note_accuracy | 0.00 note_accuracy | yes | yes |"
    )
    assert "| rhythmic_precision | 1 | 0 | - | - |" in text  # no excerpt was rated on both
    assert "precision 1.000 to 1.000, recall 0.950 to 0.950; by key" in text
    assert "False detections: 0\n" in text
    assert "- lost: x.mid: is broken" in text
    rows = (tmp_path / "ladders.csv").read_text().splitlines()
    assert len(rows) == 1 + 5 * len(CORRUPTIONS)
    assert {path.name for path in tmp_path.glob("*.png")} == {
        "a_ladders.png",
        "b_side_effects.png",
        "c_detection.png",
        "d_difficulty.png",
        "f_transcription.png",
    }


def test_a_report_of_some_kinds_says_nothing_of_what_was_not_measured(tmp_path: Path) -> None:
    alone = {"flattened_dynamics": {"dynamics_control": DOWN}}
    some = [ladders(name, alone).model_copy(update={"detections": ()}) for name in ("a", "b")]
    text = write_validation(Validation(some, [], [], [], made_up_scale()), {"labels": "made up"}, tmp_path)
    assert "## (a) Monotone: 1 of 1 kinds" in text
    assert "1 of 1 rows are below a third." in text
    assert [line for line in text.splitlines() if line.startswith("## (")] == [
        "## (a) Monotone: 1 of 1 kinds",
        "## (b) Specific: 1 of 1 kinds",
    ]
    assert "- not measured here: (c) detection, (d) not difficulty, (e) listeners, (f) robust" in text
    assert {path.name for path in tmp_path.glob("*.png")} == {
        "a_ladders.png",
        "b_side_effects.png",
    }


def test_where_no_kind_could_be_made_the_report_says_so(tmp_path: Path) -> None:
    some = [ladders(name, {}).model_copy(update={"detections": ()}) for name in ("a", "b")]
    text = write_validation(Validation(some, [], [], [], made_up_scale()), {}, tmp_path)
    assert "- not measured here: (a) monotone, (b) specific, (c) detection," in text
    assert "late_pedal does not apply to 2 of the excerpts" in text
    assert not list(tmp_path.glob("*.png"))


def test_restarts_alone_are_no_mistakes_of_notes(tmp_path: Path) -> None:
    found = [
        Detection(kind="restarts", by_key=by_key, n_planted=4, n_found=4, n_claimed=4, n_true=4)
        for by_key in (False, True)
    ]
    alone = {"restarts": {"note_accuracy": DOWN}}
    some = [ladders(name, alone).model_copy(update={"detections": tuple(found)}) for name in ("a", "b")]
    text = write_validation(Validation(some, [], [], [], made_up_scale()), {}, tmp_path)
    assert "| restarts | 8 | 1.0000 | 1.0000 | 1.0000 | 1.0000 | yes |" in text
    assert "all note errors" not in text
    assert "95 % interval (bootstrap over pieces)" not in text

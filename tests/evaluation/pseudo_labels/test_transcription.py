"""The same excerpts by keys and transcribed: shift and rank correlation, and what is not rated."""

from __future__ import annotations

import numpy as np
import pytest

from tocco.evaluation.pseudo_labels.claims import ladder_results
from tocco.evaluation.pseudo_labels.measures import CLEAN, LadderStep, PieceLadders
from tocco.evaluation.pseudo_labels.transcription import transcription_agreement, transcription_section


def excerpt(name: str, keys: float | None, transcribed: float | None) -> PieceLadders:
    steps = tuple(
        LadderStep(kind=CLEAN, level=0, modality=modality, ratings={"tone_quality": rating})
        for modality, rating in (("keys", keys), ("transcribed", transcribed))
    )
    return PieceLadders(
        key="",
        piece=name,
        performance=name,
        n_notes=100,
        steps=steps,
        detections=(),
        inapplicable=(),
        refusals=(),
    )


def test_shift_and_rank_correlation_are_of_the_excerpts_that_both_rate() -> None:
    pairs = [(40.0, 50.0), (50.0, 56.0), (60.0, 58.0), (70.0, 70.0), (80.0, None), (None, 90.0)]
    excerpts = [excerpt(f"e{k}", *pair) for k, pair in enumerate(pairs)]
    found = {one.dimension: one for one in transcription_agreement(excerpts)}
    tone = found["tone_quality"]
    assert (tone.n_keys, tone.n) == (5, 4)
    assert tone.shift == pytest.approx((10.0 + 6.0 - 2.0 + 0.0) / 4)
    assert tone.rho == pytest.approx(1.0)
    nothing = found["note_accuracy"]
    assert (nothing.n_keys, nothing.n) == (0, 0)
    assert np.isnan(nothing.shift)
    assert np.isnan(nothing.rho)


def test_three_excerpts_have_no_rank_correlation() -> None:
    three = [excerpt(f"e{k}", 10.0 * k, 10.0 * k + 1.0) for k in range(3)]
    tone = transcription_agreement(three)[-1]
    assert tone.dimension == "tone_quality"
    assert tone.shift == pytest.approx(1.0)
    assert np.isnan(tone.rho)


def test_nothing_is_said_where_nothing_was_transcribed() -> None:
    assert transcription_section([], [], [], None) == []


def ladder(modality: str, tone: list[float], notes: list[float]) -> list[LadderStep]:
    """What was played, and a chord voiced worse and worse."""
    return [
        LadderStep(
            kind="harsh_voicing" if level else CLEAN,
            level=level,
            modality=modality,
            ratings={"tone_quality": tone[level], "note_accuracy": notes[level]},
        )
        for level in range(len(tone))
    ]


def test_what_each_kind_costs_is_reported_by_keys_and_from_transcription() -> None:
    one = excerpt("e", None, None)
    steps = [
        *ladder("keys", [60.0, 58.0, 56.0, 54.0, 52.0, 50.0], [50.0] * 6),
        *ladder("transcribed", [55.0, 56.0, 54.0, 53.0, 52.0, 51.0], [50.0, 49.0, 49.0, 49.0, 49.0, 49.0]),
    ]
    ladders = [one.model_copy(update={"steps": tuple(steps)})]
    keys, heard = (ladder_results(ladders, how) for how in ("keys", "transcribed"))
    reported = transcription_section(keys, heard, transcription_agreement(ladders), None)
    (row,) = [line for line in reported if line.startswith("| harsh_voicing")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:7] == ["1", "1", "-6.0", "-1.8", "-1.000", "-0.943"]
    assert cells[7:9] == ["-", "-0.943"]  # one excerpt alone says nothing of others
    assert cells[9].startswith("0.00")
    assert cells[10:] == ["0.56 note_accuracy", "yes", "**no**"]
    assert "- keys: 1 of 1 kinds are monotone, 1 specific" in reported
    assert "- transcribed: 1 of 1 kinds are monotone, 0 specific" in reported


def test_the_range_of_other_draws_is_that_of_the_excerpts() -> None:
    """Of ten excerpts nine fall at every step and one rises: it may be drawn never, or three times."""
    falling, rising = [60.0, 58.0, 56.0, 54.0, 52.0, 50.0], [50.0, 52.0, 54.0, 56.0, 58.0, 60.0]
    ladders = [
        excerpt(f"e{k}", None, None).model_copy(
            update={"steps": tuple(ladder("transcribed", falling if k else rising, [50.0] * 6))}
        )
        for k in range(10)
    ]
    reported = transcription_section(
        [], ladder_results(ladders, "transcribed"), transcription_agreement(ladders), None
    )
    (row,) = [line for line in reported if line.startswith("| harsh_voicing")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[6] == "-0.800"
    assert cells[7] == "-1.000 to -0.400"

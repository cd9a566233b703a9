"""The fit of what is usual: percentiles of measures, and the largest places."""

from __future__ import annotations

import numpy as np
import pytest

from rater_etude import play, study_score
from tocco.pseudo_labels.fitting.competent import (
    FEWEST_STRETCHES,
    LARGEST_PER_MINUTE,
    TakeFindings,
    fit_competent,
    read_take,
)
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.pool import PoolFacts

POOL = PoolFacts(
    corpora={"toy": 21}, n_performances=21, seed=1, pieces=("a",), labels_sha256="0", content_sha256="0"
)


def takes(n: int) -> list[TakeFindings]:
    """The k-th of n, a minute each, measures k and has late notes of k and of 0.5."""
    return [
        TakeFindings(
            duration_sec=60.0,
            measures={"30": {"rhythmic_precision": {"hesitation": [float(k), float(k)]}}},
            places={"rhythmic_precision": {"late": [float(k), 0.5]}},
        )
        for k in range(n)
    ]


def test_ranges_are_percentiles_over_performances() -> None:
    usual = fit_competent(takes(101), POOL).usual("rhythmic_precision", "hesitation", 30.0)
    assert usual is not None
    assert (usual.least, usual.low, usual.middle, usual.high, usual.most) == (1.0, 20.0, 50.0, 80.0, 99.0)
    assert usual.n_stretches == 202


def test_a_measure_of_too_few_has_no_range() -> None:
    few, enough = (fit_competent(takes(n), POOL) for n in (24, 25))
    assert few.usual("rhythmic_precision", "hesitation", 30.0) is None
    assert enough.usual("rhythmic_precision", "hesitation", 30.0) is not None
    assert FEWEST_STRETCHES == 50
    assert (
        enough.usual("rhythmic_precision", "hesitation", 29.0) is None
    )  # no stretches of 15 s were measured


def test_of_the_places_the_largest_stay() -> None:
    fitted = fit_competent(takes(21), POOL)
    rates = fitted.places["rhythmic_precision"]["late"]
    assert fitted.minutes == 21.0
    assert rates.n_places == 42
    assert len(rates.size) == 21 * LARGEST_PER_MINUTE
    assert rates.size == (0.5, *map(float, range(1, 21)))


def test_a_late_note_is_collected_with_its_size() -> None:
    score = study_score()
    late = np.zeros(len(score))
    late[int(np.flatnonzero((score.onset_beat == 20.5) & (score.staff == 1))[0])] = 0.2
    found = read_take(Evidence(*play(score, late_sec=late)))
    assert found.places["rhythmic_precision"]["late"] == [pytest.approx(0.2, abs=0.03)]
    assert found.measures["120"]["note_accuracy"]["weighted_error"] == [0.0]
    assert found.measures["15"]["note_accuracy"]["weighted_error"] == [0.0, 0.0, 0.0]
    assert set(found.measures) == {"15", "30", "120"}
    assert found.duration_sec > 38.0

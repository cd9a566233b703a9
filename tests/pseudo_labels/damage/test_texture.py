"""Density and clusters: what no hands could have meant."""

from __future__ import annotations

import numpy as np
import pytest

from rater_etude import play, study_score
from tocco.music.performance import PedalCurve, Performance
from tocco.pseudo_labels.damage.reading import TOO_FEW_NOTES, Reading
from tocco.pseudo_labels.damage.texture import measure_clusters, measure_density
from tocco.pseudo_labels.observed.evidence import Evidence

SCORE = study_score()


def value(found: Reading | str) -> float:
    assert isinstance(found, Reading)
    return found.value


def struck(onset_sec: np.ndarray, pitch: np.ndarray) -> Evidence:
    order = np.lexsort((pitch, onset_sec))
    up = PedalCurve()
    return Evidence(
        Performance(
            onset_sec[order],
            onset_sec[order] + 0.05,
            pitch[order],
            np.full(len(pitch), 70),
            up,
            up,
            up,
            float(onset_sec.max() + 1.0),
        )
    )


def test_notes_a_second() -> None:
    steady = struck(np.arange(200) / 10.0, 40 + np.arange(200) % 40)
    assert value(measure_density(steady)) == pytest.approx(10.0, abs=0.5)


def test_a_tenth_of_dense_time_decides() -> None:
    slow = np.arange(40) / 2.0
    burst = 5.0 + np.arange(100) / 50.0
    once = struck(np.concatenate((slow, burst[:20])), 40 + np.arange(60) % 40)
    long = struck(np.concatenate((slow, burst, burst + 4.0)), 40 + np.arange(240) % 40)
    assert value(measure_density(once)) < 15.0
    assert value(measure_density(long)) > 45.0


def test_clusters_are_neighbouring_keys_at_once() -> None:
    onset = np.repeat(np.arange(20) / 2.0, 2)
    pair = np.tile([60, 61], 20)
    assert value(measure_clusters(struck(onset, pair))) == 1.0
    assert value(measure_clusters(struck(onset, np.tile([60, 62], 20)))) == 0.0
    assert value(measure_clusters(struck(onset + np.tile([0.0, 0.028], 20), pair))) == 1.0
    assert value(measure_clusters(struck(onset + np.tile([0.0, 0.036], 20), pair))) == 0.0


def test_a_study_has_none_and_its_place_is_named() -> None:
    performance = play(SCORE)[0]
    assert value(measure_clusters(Evidence(performance))) == 0.0
    found = measure_density(Evidence(performance))
    assert isinstance(found, Reading)
    assert len(found.worst(3)) == 3


def test_too_few_notes() -> None:
    few = Evidence(play(SCORE)[0].only(np.arange(19)))
    assert measure_density(few) == measure_clusters(few) == TOO_FEW_NOTES

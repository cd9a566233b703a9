from dataclasses import replace

import numpy as np
import pytest

from alignment_etude import performance_of, piece, play, without
from tocco.inference.note_report import alignment_report
from tocco.inference.rules import RULES
from tocco.music.alignment import align_performance_to_score
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.raters.note_accuracy import jeffreys_interval, rate_note_accuracy
from tocco.pseudo_labels.raters.note_errors import absent_notes
from tocco.rubrics import RUBRICS


def test_every_rule_that_a_row_names_is_there() -> None:
    named = {one.rule for rubric in RUBRICS.values() for one in rubric.dimensions if one.rule is not None}
    assert named == set(RULES)


def test_the_interval_is_wider_where_many_notes_differ_from_the_score() -> None:
    score = piece()
    played = play(score)
    rng = np.random.default_rng(1)
    wrong = rng.random(len(played)) < 0.55
    pitch = played.pitch + np.where(wrong, rng.choice([-3, -2, -1, 1, 2, 3], len(played)), 0)
    performance = performance_of(played.onset_sec, pitch)
    alignment = align_performance_to_score(performance, score)
    assert alignment.differs_much
    counted = rate_note_accuracy(alignment)
    rating = RULES["note_accuracy"].rate(Evidence(performance, alignment))
    doubtful = int(np.ceil(np.sum(1.0 - alignment.confidence)))
    assert doubtful > 0
    assert rating.value == pytest.approx(counted.value, abs=0.01)
    low, high = rating.interval_90 or (0.0, 0.0)
    assert low == pytest.approx(jeffreys_interval(counted.n_match - doubtful, counted.n_events)[0], abs=0.01)
    assert high == pytest.approx(jeffreys_interval(counted.n_match + doubtful, counted.n_events)[1], abs=0.01)
    assert low < counted.interval_90[0] < counted.interval_90[1] < high


def test_note_accuracy_of_the_whole_and_of_its_windows() -> None:
    score = piece()
    played = play(score)
    last = len(played) - 3
    evidence = Evidence(without(played, last), align_performance_to_score(without(played, last), score))
    rule = RULES["note_accuracy"]
    rating = rule.rate(evidence)
    assert rating.source == "rule"
    assert rating.value == pytest.approx(100 * (len(played) - 1) / len(played), abs=0.01)
    end = float(played.onset_sec[-1]) + 1.0
    bounds = np.array([[0.0, end / 2], [end / 2, end], [end + 5.0, end + 9.0]])
    value, sigma = rule.rate_windows(evidence, bounds)
    assert value[0] == 100.0
    n = int((played.onset_sec >= end / 2).sum())
    assert value[1] == pytest.approx(100 * (n - 1) / n)
    assert np.isnan(value[2])
    assert np.isnan(sigma[2])
    assert 0 < sigma[0] < sigma[1]


def test_a_note_too_soft_to_be_heard_is_neither_right_nor_missing() -> None:
    """In a soft passage a transcription lacks notes that were played; among loud ones it does not."""
    score = piece()
    played = play(score)
    last = len(played) - 3
    rated = {}
    for velocity in (24, 90):
        for origin in ("keys", "transcribed"):
            level = np.full(len(played) - 1, velocity)
            performance = replace(without(played, last), velocity=level, origin=origin)
            alignment = align_performance_to_score(performance, score)
            evidence = Evidence(performance, alignment)
            report = alignment_report(alignment, performance, absent_notes(evidence).unheard)
            value = RULES["note_accuracy"].rate(evidence).value
            rated[velocity, origin] = (value, len(report.deletion), len(report.unheard))
    assert rated[24, "transcribed"] == (100.0, 0, 1)
    missing = (pytest.approx(100 * (len(played) - 1) / len(played), abs=0.01), 1, 0)
    assert [rated[24, "keys"], rated[90, "keys"], rated[90, "transcribed"]] == [missing] * 3

import numpy as np
import pytest

from alignment_etude import piece, play, without
from tocco.inference.rules import RULES
from tocco.music.alignment import align_performance_to_score
from tocco.rubrics import RUBRICS


def test_every_rule_that_a_row_names_is_there() -> None:
    named = {one.rule for rubric in RUBRICS.values() for one in rubric.dimensions if one.rule is not None}
    assert named == set(RULES)


def test_note_accuracy_of_the_whole_and_of_its_windows() -> None:
    score = piece()
    played = play(score)
    last = len(played) - 3
    alignment = align_performance_to_score(without(played, last), score)
    rule = RULES["note_accuracy"]
    rating = rule.rate(alignment)
    assert rating.source == "rule"
    assert rating.value == pytest.approx(100 * (len(played) - 1) / len(played), abs=0.01)
    end = float(played.onset_sec[-1]) + 1.0
    bounds = np.array([[0.0, end / 2], [end / 2, end], [end + 5.0, end + 9.0]])
    value, sigma = rule.rate_windows(alignment, bounds)
    assert value[0] == 100.0
    n = int((played.onset_sec >= end / 2).sum())
    assert value[1] == pytest.approx(100 * (n - 1) / n)
    assert np.isnan(value[2])
    assert np.isnan(sigma[2])
    assert 0 < sigma[0] < sigma[1]

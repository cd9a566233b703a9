"""The report: figures of each dimension, bars that are missed, note errors."""

from __future__ import annotations

import numpy as np
import pytest

from tocco.evaluation.transcription.fit import BothWays, Parts
from tocco.evaluation.transcription.note_errors import Counts
from tocco.evaluation.transcription.report import RatedSet, accuracy_agreement, agreements, document
from tocco.inference.transcription_loss import DimensionLoss, TranscriptionLoss

NAMES = ("phrasing", "pedaling_technique")
LOSS = {"phrasing": DimensionLoss(shift=2.0, sd=1.0), "pedaling_technique": DimensionLoss(shift=0.0, sd=1.0)}


def rows(apart: list[float]) -> list[BothWays]:
    found = []
    for k, a in enumerate(apart):
        keys, none = np.array([30.0 + 3.0 * k, 50.0]), np.zeros(2)
        found.append(BothWays(Parts(keys, none), Parts(keys + np.array([a, 0.0]), none)))
    return found


def test_figures_are_those_after_the_shift() -> None:
    (found,) = agreements(NAMES, ("phrasing", "pedaling_technique"), rows([-2.0, -1.0, -3.0, 2.0]), LOSS)
    assert (found.dimension, found.n) == ("phrasing", 4)
    assert found.bias == pytest.approx(0.5)
    assert found.median == pytest.approx(1.0)
    assert found.upper == pytest.approx(np.quantile([0.0, 1.0, 1.0, 4.0], 0.95))
    assert found.held == 0.75
    assert found.rank == pytest.approx(1.0)


def test_note_accuracy_has_an_interval_of_its_own() -> None:
    found = accuracy_agreement([(90.0, 91.0, True), (80.0, 84.0, False), (70.0, 70.0, True)])
    assert found.held == pytest.approx(2 / 3)
    assert found.median == 1.0


def test_the_document_marks_what_misses_its_bar() -> None:
    loss = TranscriptionLoss(transcriber="toy 1", n=12, with_score=LOSS, without_score=LOSS)
    counts = {"wrong_notes": [Counts(4, 3, 4, 200), Counts(0, 0, 1, 100)], "none": [Counts(0, 0, 3, 300)]}
    rated = RatedSet(
        "made_up", {True: rows([-2.0] * 9 + [9.0])}, [(90.0, 90.5, True), (80.0, 80.0, True)], counts
    )
    text = document([rated], NAMES, ("phrasing", "pedaling_technique"), loss)
    assert "| phrasing | 10 | +0.0 | 0.0 | " in text
    phrasing = next(line for line in text.splitlines() if line.startswith("| phrasing"))
    assert phrasing.count("†") == 1  # one of ten lies 11 points off: 95 % are not within 6
    assert "| wrong_notes | 2 | 300 | 4 | 0.75 † | 0.60 † | 0.7 |" in text
    assert "| none | 1 | 300 | 0 |  |  | 1.0 |" in text
    assert "pedaling_technique |" not in text

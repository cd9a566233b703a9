"""The loop over windows, with a network that says what it was shown."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from statistics_etude import etude
from tocco.data.preparation import SymbolicInputs, WindowInputs
from tocco.inference.rating import (
    LONGEST_SPAN_SEC,
    MIN_STRUCK_NOTES,
    rate_whole,
    rate_windows,
    spans_of,
)
from tocco.models.network import PerformanceBatch, PerformanceOutput
from tocco.models.network_predictor import NetworkPredictor
from tocco.models.predictor import Prediction, PredictorInput


class Echo:
    """Rates a window by its first sample and its level; notes how many windows came at once."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, batch: PerformanceBatch) -> PerformanceOutput:
        assert torch.is_inference_mode_enabled()
        self.batches.append(len(batch))
        rating = torch.stack([batch.waveform[:, 0], batch.level_db], dim=1)
        return PerformanceOutput(
            rating, torch.log(rating.square()), torch.ones(len(batch), 1, 1), torch.zeros(len(batch), 1)
        )


def window(number: int, n_struck: int = 20) -> WindowInputs:
    symbolic = SymbolicInputs(
        midi_tokens=np.full((3, 8), 2),
        note_features=np.zeros((3, 4), dtype=np.float32),
        note_time_sec=np.zeros((3, 2), dtype=np.float32),
        statistics=np.zeros(5, dtype=np.float32),
        n_struck=n_struck,
    )
    return WindowInputs(np.full(10, number, dtype=np.float32), 2.0 * number, symbolic)


def test_every_window_is_rated_in_order_a_batch_at_a_time() -> None:
    network: Any = Echo()
    rated = rate_windows(NetworkPredictor(network), (window(n) for n in range(1, 10)), batch_size=4)
    assert network.batches == [4, 4, 1]
    assert rated.rating.tolist() == [[float(n), 2.0 * n] for n in range(1, 10)]
    assert rated.rating.dtype == np.float64
    # The sd is the root of the variance whose logarithm the network gives.
    assert rated.sd == pytest.approx(rated.rating, rel=1e-6)


def test_four_windows_are_held_at_once() -> None:
    network: Any = Echo()
    drawn: list[int] = []

    def windows() -> Iterator[WindowInputs]:
        for n in range(1, 7):
            drawn.append(n - sum(network.batches))
            yield window(n)

    rate_windows(NetworkPredictor(network), windows())
    assert network.batches == [4, 2]
    assert max(drawn) == 4


def test_a_window_with_fewer_than_eight_struck_notes_is_not_heard() -> None:
    network: Any = Echo()
    rated = rate_windows(NetworkPredictor(network), [window(1, n_struck=n) for n in (0, 7, 8, 9)])
    assert rated.heard.tolist() == [False, False, True, True]
    assert MIN_STRUCK_NOTES == 8


def test_a_whole_performance_is_rated_by_the_measures_that_the_predictor_reads() -> None:
    performance, alignment = etude()

    class Reader:
        statistics = ("first_half.note_count", "score.note_count", "note_count")

        def predict(self, rows: PredictorInput) -> Prediction:
            return Prediction(rows.read_statistics(self.statistics), np.ones((1, 3)))

    reader: Any = Reader()
    first_half = performance.onset_sec < performance.onset_sec.mean() + 1e-6
    with_score = rate_whole(reader, performance, alignment).rating
    assert with_score.shape == (1, 3)
    assert with_score[0, 1:].tolist() == [64.0, 64.0]
    assert abs(with_score[0, 0] - first_half.sum()) <= 2
    without = rate_whole(reader, performance, None).rating
    assert np.isnan(without[0]).tolist() == [False, True, False]


def test_a_long_performance_is_rated_in_spans() -> None:
    performance, alignment = etude()
    stretched = replace(
        performance,
        onset_sec=performance.onset_sec * 8.0,
        offset_sec=performance.offset_sec * 8.0,
        duration_sec=performance.duration_sec * 8.0,
    )
    bounds = spans_of(stretched)
    assert LONGEST_SPAN_SEC == 60.0
    assert len(bounds) == math.ceil((bounds[-1, 1] - bounds[0, 0]) / 60.0) > 1
    assert np.ptp(np.diff(bounds, axis=1)) == pytest.approx(0.0, abs=1e-9)

    class Counter:
        statistics = ("note_count",)

        def predict(self, rows: PredictorInput) -> Prediction:
            counts = rows.read_statistics(self.statistics)
            return Prediction(counts, np.arange(1.0, len(counts) + 1.0)[:, None])

    counter: Any = Counter()
    found = rate_whole(counter, stretched, None)
    assert found.rating[0, 0] == pytest.approx(len(performance) / len(bounds), abs=2.0)
    assert found.sd[0, 0] == pytest.approx((len(bounds) + 1) / 2)
    assert rate_whole(counter, performance, alignment).rating[0, 0] == len(performance)

"""The loop over windows, with a network that says what it was shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from tocco.data.preparation import SymbolicInputs, WindowInputs
from tocco.inference.rating import MIN_STRUCK_NOTES, rate_windows
from tocco.models.network import PerformanceBatch, PerformanceOutput
from tocco.models.network_predictor import NetworkPredictor
from tocco.models.predictor import Prediction, PredictorInput, StatisticsTable


class Echo:
    """Rates a window by its first sample and its level; notes how many windows came at once."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, batch: PerformanceBatch) -> PerformanceOutput:
        assert torch.is_inference_mode_enabled()
        self.batches.append(len(batch))
        rating = torch.stack([batch.waveform[:, 0], batch.level_db], dim=1)
        return PerformanceOutput(rating, torch.log(rating.square()), torch.zeros(0), torch.zeros(0))


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


def test_every_row_of_a_batch_has_the_statistics_of_the_whole_performance() -> None:
    given: list[StatisticsTable | None] = []

    class Reader:
        def predict(self, rows: PredictorInput) -> Prediction:
            given.append(rows.statistics)
            return Prediction(np.zeros((len(rows), 1)), np.ones((len(rows), 1)))

    reader: Any = Reader()
    whole = StatisticsTable(("tempo_bpm", "note_count"), np.array([[120.0, 64.0]]))
    rate_windows(reader, [window(n) for n in range(5)], whole)
    rate_windows(reader, [window(1)])
    tables = [None if table is None else table.values.tolist() for table in given]
    assert tables == [[[120.0, 64.0]] * 4, [[120.0, 64.0]], None]

"""Run a predictor over windows: the one loop that evaluation and assessment share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from tocco.data.preparation import WindowInputs
from tocco.models.predictor import Prediction, Predictor, PredictorInput, StatisticsTable
from tocco.units import BoolArray, FloatArray

MIN_STRUCK_NOTES = 8
"""A window with fewer struck notes is not rated: the shortest rated excerpt known to the model has 51."""


@dataclass(frozen=True, eq=False)
class WindowRatings:
    """What a predictor says about each window.

    Attributes
    ----------
    rating : (K, D) rating points
    sd : (K, D) rating points, not calibrated
    heard : (K,) whether the window had enough notes to count
    """

    rating: FloatArray
    sd: FloatArray
    heard: BoolArray


def rate_windows(
    predictor: Predictor,
    windows: Iterable[WindowInputs],
    whole: StatisticsTable | None = None,
    batch_size: int = 4,
) -> WindowRatings:
    """Ratings of consecutive windows, holding one batch of them at a time.

    Parameters
    ----------
    predictor
    windows
        In order; none of them empty of samples.
    whole : (1, P)
        Statistics of the whole performance; None for a predictor that reads none.
    """
    from tocco.data.batching import collate_windows

    said: list[Prediction] = []
    heard: list[bool] = []
    for batch in _batches(windows, batch_size):
        said.append(predictor.predict(PredictorInput(collate_windows(batch), _repeated(whole, len(batch)))))
        heard += [window.symbolic.n_struck >= MIN_STRUCK_NOTES for window in batch]
    return WindowRatings(
        rating=np.concatenate([one.rating for one in said]),
        sd=np.concatenate([one.sd for one in said]),
        heard=np.array(heard),
    )


def _repeated(whole: StatisticsTable | None, n: int) -> StatisticsTable | None:
    """The same performance in each of `n` rows."""
    return None if whole is None else StatisticsTable(whole.names, np.repeat(whole.values, n, axis=0))


def _batches(windows: Iterable[WindowInputs], size: int) -> Iterator[list[WindowInputs]]:
    source = iter(windows)
    while batch := list(islice(source, size)):
        yield batch

"""Run predictors over windows and whole performances: what evaluation and assessment share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from tocco.data.preparation import WindowInputs
from tocco.models.predictor import Prediction, Predictor, PredictorInput, StatisticsTable
from tocco.music.alignment import Alignment
from tocco.music.measures import performance_measures
from tocco.music.performance import Performance
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


def rate_whole(predictor: Predictor, performance: Performance, alignment: Alignment | None) -> Prediction:
    """Rating of a whole performance, by a predictor that reads its measures.

    Parameters
    ----------
    predictor
    performance
    alignment : None without a score

    Returns
    -------
    Prediction
        (1, D) rating and sd.
    """
    names = predictor.statistics
    values = performance_measures(performance, alignment, names)
    return predictor.predict(PredictorInput(statistics=StatisticsTable(names, values[None])))


def rate_windows(predictor: Predictor, windows: Iterable[WindowInputs], batch_size: int = 4) -> WindowRatings:
    """Ratings of consecutive windows, holding one batch of them at a time.

    Parameters
    ----------
    predictor
    windows
        In order; none of them empty of samples.
    """
    from tocco.data.batching import collate_windows

    said: list[Prediction] = []
    heard: list[bool] = []
    for batch in _batches(windows, batch_size):
        said.append(predictor.predict(PredictorInput(collate_windows(batch))))
        heard += [window.symbolic.n_struck >= MIN_STRUCK_NOTES for window in batch]
    return WindowRatings(
        rating=np.concatenate([one.rating for one in said]),
        sd=np.concatenate([one.sd for one in said]),
        heard=np.array(heard),
    )


def _batches(windows: Iterable[WindowInputs], size: int) -> Iterator[list[WindowInputs]]:
    source = iter(windows)
    while batch := list(islice(source, size)):
        yield batch

"""Run predictors over windows and whole performances: what evaluation and assessment share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from tocco.data.preparation import WindowInputs, cut_windows
from tocco.inference.attention import WindowAttention, window_attention
from tocco.inference.music_span import music_span
from tocco.models.predictor import Prediction, Predictor, PredictorInput, StatisticsTable
from tocco.music.alignment import Alignment
from tocco.music.measures import performance_measures
from tocco.music.performance import Performance
from tocco.units import BoolArray, FloatArray

MIN_STRUCK_NOTES = 8
"""A window with fewer struck notes is not rated: the shortest rated excerpt known to the model has 51."""

LONGEST_SPAN_SEC = 60.0
"""A performance is rated as a whole up to here; three in a hundred of the excerpts that predictors
learned from are longer."""


@dataclass(frozen=True, eq=False)
class WindowRatings:
    """What a predictor says about each window.

    Attributes
    ----------
    rating : (K, D) rating points
    sd : (K, D) rating points, not calibrated
    heard : (K,) whether the window had enough notes to count
    attention : one a window; empty for a predictor that has none
    """

    rating: FloatArray
    sd: FloatArray
    heard: BoolArray
    attention: tuple[WindowAttention, ...] = ()


def rate_whole(predictor: Predictor, performance: Performance, alignment: Alignment | None) -> Prediction:
    """Rating of a whole performance, by a predictor that reads its measures.

    A long one is rated in spans of equal length, as long as the excerpts that predictors have learned from,
    and the mean of the spans is its rating.

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
    bounds = spans_of(performance)
    spans = [(performance, alignment)] if len(bounds) == 1 else cut_windows(performance, alignment, bounds)
    heard = [span for span in spans if np.count_nonzero(span[0].onset_sec >= 0) >= MIN_STRUCK_NOTES]
    values = np.stack([performance_measures(*span, names) for span in heard or spans])
    found = predictor.predict(PredictorInput(statistics=StatisticsTable(names, values)))
    return Prediction(found.rating.mean(axis=0, keepdims=True), found.sd.mean(axis=0, keepdims=True))


def spans_of(performance: Performance) -> FloatArray:
    """(K, 2) seconds: the music in as few spans of equal length as last `LONGEST_SPAN_SEC` at most."""
    start, end = music_span(performance, performance.duration_sec)
    n_spans = max(1, int(np.ceil((end - start) / LONGEST_SPAN_SEC)))
    if n_spans == 1:
        return np.array([[0.0, performance.duration_sec]])
    edges = np.linspace(start, end, n_spans + 1)
    return np.column_stack((edges[:-1], edges[1:]))


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
    attention: list[WindowAttention] = []
    for batch in _batches(windows, batch_size):
        said.append(predictor.predict(PredictorInput(collate_windows(batch))))
        attention += window_attention(said[-1].attention)
        heard += [window.symbolic.n_struck >= MIN_STRUCK_NOTES for window in batch]
    return WindowRatings(
        rating=np.concatenate([one.rating for one in said]),
        sd=np.concatenate([one.sd for one in said]),
        heard=np.array(heard),
        attention=tuple(attention),
    )


def _batches(windows: Iterable[WindowInputs], size: int) -> Iterator[list[WindowInputs]]:
    source = iter(windows)
    while batch := list(islice(source, size)):
        yield batch

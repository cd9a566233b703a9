"""Run a network over windows: the one loop that evaluation and assessment share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch

from tocco.data.batching import collate_windows
from tocco.data.preparation import WindowInputs
from tocco.models.network import PerformanceNetwork
from tocco.units import BoolArray, FloatArray

MIN_STRUCK_NOTES = 8
"""A window with fewer struck notes is not rated: the shortest rated excerpt known to the model has 51."""


@dataclass(frozen=True, eq=False)
class WindowRatings:
    """What the network says about each window.

    Attributes
    ----------
    rating : (K, D) 0..100
    sd : (K, D) rating points, not calibrated
    heard : (K,) whether the window had enough notes to count
    """

    rating: FloatArray
    sd: FloatArray
    heard: BoolArray


@torch.inference_mode()
def rate_windows(
    network: PerformanceNetwork, windows: Iterable[WindowInputs], batch_size: int = 4
) -> WindowRatings:
    """Ratings of consecutive windows, holding one batch of them at a time.

    Parameters
    ----------
    network
        In evaluation mode.
    windows
        In order; none of them empty of samples.
    """
    ratings, log_variances, heard = [], [], []
    for batch in _batches(windows, batch_size):
        output = network(collate_windows(batch))
        ratings.append(output.rating.numpy())
        log_variances.append(output.log_variance.numpy())
        heard += [window.symbolic.n_struck >= MIN_STRUCK_NOTES for window in batch]
    return WindowRatings(
        rating=np.concatenate(ratings).astype(float),
        sd=np.exp(0.5 * np.concatenate(log_variances).astype(float)),
        heard=np.array(heard),
    )


def _batches(windows: Iterable[WindowInputs], size: int) -> Iterator[list[WindowInputs]]:
    source = iter(windows)
    while batch := list(islice(source, size)):
        yield batch

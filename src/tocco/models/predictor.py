"""Interface of all models that rate: the network, boosted trees, a blend of both.

A predictor rates rows. A row is one window of a performance, or a whole performance: the network listens to
the windows, the models of statistics read the statistics of the whole performance that a row is from, which
are the same for all of its windows. So predictors of both kinds can be asked together, batch by batch, and
their ratings blended row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from tocco.units import FloatArray

if TYPE_CHECKING:
    from tocco.models.network import PerformanceBatch


@dataclass(frozen=True, eq=False)
class StatisticsTable:
    """Statistics of whole performances, one row each.

    Attributes
    ----------
    names : (P,)
    values : (N, P) any unit, NaN = missing
        One row for each row that is to be rated.
    """

    names: tuple[str, ...]
    values: FloatArray

    def columns(self, names: Sequence[str]) -> FloatArray:
        """(N, len(names)) the statistics of these names, in this order."""
        if tuple(names) == self.names:
            return self.values
        place = {name: p for p, name in enumerate(self.names)}
        missing = [name for name in names if name not in place]
        if missing:
            raise ValueError(f"the statistics {missing} were not computed")
        return self.values[:, [place[name] for name in names]]


@dataclass(frozen=True, eq=False)
class PredictorInput:
    """Rows to be rated; inputs that a predictor does not read may be omitted.

    Attributes
    ----------
    windows : N windows
    statistics : (N, P) of the whole performance that each row is from
    """

    windows: PerformanceBatch | None = None
    statistics: StatisticsTable | None = None

    def __len__(self) -> int:
        if self.windows is not None:
            return len(self.windows)
        return 0 if self.statistics is None else len(self.statistics.values)

    def read_windows(self) -> PerformanceBatch:
        """The windows, for a predictor that reads windows."""
        if self.windows is None:
            raise ValueError("this predictor listens to windows, and none were given")
        return self.windows

    def read_statistics(self, names: Sequence[str]) -> FloatArray:
        """(N, len(names)) statistics by name, for a predictor that reads them."""
        if self.statistics is None:
            raise ValueError("this predictor reads statistics of the whole performance; none were given")
        return self.statistics.columns(names)


@dataclass(frozen=True, eq=False)
class FrameAttention:
    """Attention of a predictor of windows over the frames of each.

    Attributes
    ----------
    weight : (N, heads, T) >= 0, sums to 1 over the frames of a window; 0 on padding
    time_sec : (N, T) seconds, centre of each frame; NaN on padding
    """

    weight: FloatArray
    time_sec: FloatArray


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predictions for each row.

    Attributes
    ----------
    rating : (N, D) rating points, in the order of the predictor's names
    sd : (N, D) rating points, not calibrated
    attention : of N windows; None for a predictor that has none
    """

    rating: FloatArray
    sd: FloatArray
    attention: FrameAttention | None = None


class Predictor(Protocol):
    """Rates rows, and can be stored in a folder.

    `tocco.models.registry.load_predictor` loads a stored predictor, and reads its kind from the folder.

    Attributes
    ----------
    kind : name of the class in the files, one for each
    """

    kind: ClassVar[str]

    @property
    def names(self) -> tuple[str, ...]:
        """The D targets that are rated, in order."""
        ...

    @property
    def statistics(self) -> tuple[str, ...]:
        """Names of the statistics of the whole performance that are read; empty where none are."""
        ...

    def predict(self, rows: PredictorInput) -> Prediction:
        """Rate every row."""
        ...

    def save(self, folder: Path) -> None:
        """Write everything that `load` needs; the same predictor gives the same ratings to the last bit.

        Raises
        ------
        OutputError
            The folder cannot be written to.
        """
        ...

    @classmethod
    def load(cls, folder: Path) -> Predictor:
        """Read what `save` wrote.

        Raises
        ------
        BundleError
            It is missing, damaged, of another kind, or of another release's format.
        """
        ...


def rating_by_name(predictor: Predictor, prediction: Prediction, names: Sequence[str]) -> FloatArray:
    """(N, len(names)) the ratings of these targets, NaN for those that the predictor does not rate."""
    rating = np.full((len(prediction.rating), len(names)), np.nan)
    for d, name in enumerate(names):
        if name in predictor.names:
            rating[:, d] = prediction.rating[:, predictor.names.index(name)]
    return rating

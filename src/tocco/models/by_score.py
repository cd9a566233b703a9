"""Two predictors in one: for performances with a score, and for those without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import numpy as np

from tocco.errors import BundleError
from tocco.models.predictor import Prediction, Predictor, PredictorInput, StatisticsTable
from tocco.models.predictor_files import HEADER, Header, read_header, write_header
from tocco.units import BoolArray

WITH_SCORE, WITHOUT_SCORE = "with_score", "without_score"
_FOLDERS: Final = (WITH_SCORE, WITHOUT_SCORE)


@dataclass(frozen=True, eq=False)
class ByScore:
    """A row with any measure that needs a score is rated by one predictor, every other row by the second.

    A predictor that has learned from performances with scores only does not know what a missing score
    means; the second has learned from the same performances without theirs.

    Attributes
    ----------
    with_score
    without_score : rates the same targets in the same order, from fewer statistics
    """

    with_score: Predictor
    without_score: Predictor

    kind: ClassVar[str] = "by_score"

    def __post_init__(self) -> None:
        if self.with_score.names != self.without_score.names:
            raise ValueError("the predictors with and without a score rate different targets")
        if not self._deciding:
            raise ValueError("the predictor without a score reads all that the one with a score reads")

    @property
    def names(self) -> tuple[str, ...]:
        """See `Predictor.names`."""
        return self.with_score.names

    @property
    def statistics(self) -> tuple[str, ...]:
        """Every measure that either of them reads."""
        return tuple(dict.fromkeys((*self.with_score.statistics, *self.without_score.statistics)))

    @property
    def _deciding(self) -> tuple[str, ...]:
        """What only the predictor with a score reads."""
        free = set(self.without_score.statistics)
        return tuple(name for name in self.with_score.statistics if name not in free)

    def predict(self, rows: PredictorInput) -> Prediction:
        """See `Predictor.predict`."""
        has_score = np.asarray(np.isfinite(rows.read_statistics(self._deciding)).any(axis=1))
        rating, sd = (np.empty((len(rows), len(self.names))) for _ in range(2))
        for predictor, chosen in ((self.with_score, has_score), (self.without_score, ~has_score)):
            if chosen.any():
                found = predictor.predict(_chosen(rows, predictor.statistics, chosen))
                rating[chosen], sd[chosen] = found.rating, found.sd
        return Prediction(rating, sd)

    def save(self, folder: Path) -> None:
        """See `Predictor.save`: a folder for each of the two."""
        for name, predictor in zip(_FOLDERS, (self.with_score, self.without_score), strict=True):
            predictor.save(folder / name)
        write_header(folder, Header(self.kind, self.names, self.statistics))

    @classmethod
    def load(cls, folder: Path) -> ByScore:
        """See `Predictor.load`."""
        from tocco.models.registry import load_predictor

        header = read_header(folder, cls.kind)
        members = [load_predictor(folder / name) for name in _FOLDERS]
        try:
            found = cls(*members)
        except ValueError as error:
            raise BundleError(folder / HEADER, str(error), next_step="export the bundle again") from error
        if (found.names, found.statistics) != (header.names, header.statistics):
            raise BundleError(folder / HEADER, "names other targets or statistics than its members have")
        return found


def _chosen(rows: PredictorInput, names: Sequence[str], chosen: BoolArray) -> PredictorInput:
    """Some rows, with the statistics that a predictor of statistics reads."""
    return PredictorInput(statistics=StatisticsTable(tuple(names), rows.read_statistics(names)[chosen]))

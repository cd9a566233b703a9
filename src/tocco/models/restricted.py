"""A predictor that is asked about some of its targets alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NoReturn

from tocco.models.predictor import Prediction, Predictor, PredictorInput


@dataclass(frozen=True, eq=False)
class Restricted:
    """Some of the targets of another predictor.

    It is never stored: the config of a bundle says what each stored predictor is asked about.

    Attributes
    ----------
    whole : the other predictor
    names : (D,) targets, each one of its own
    """

    whole: Predictor
    names: tuple[str, ...]

    kind: ClassVar[str] = "restricted"

    @property
    def statistics(self) -> tuple[str, ...]:
        """See `Predictor.statistics`."""
        return self.whole.statistics

    def predict(self, rows: PredictorInput) -> Prediction:
        """See `Predictor.predict`."""
        found = self.whole.predict(rows)
        columns = [self.whole.names.index(name) for name in self.names]
        return Prediction(found.rating[:, columns], found.sd[:, columns])

    def save(self, folder: Path) -> NoReturn:
        """Refused: store the other predictor, and the targets in the config of the bundle."""
        raise ValueError(f"a restricted predictor is not stored in {folder}; store the whole one")

    @classmethod
    def load(cls, folder: Path) -> Restricted:
        """Refused, since none is stored."""
        raise ValueError(f"no restricted predictor is stored in {folder}")

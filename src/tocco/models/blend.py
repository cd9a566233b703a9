"""A weighted mean of predictors, which is a predictor itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from tocco.errors import BundleError
from tocco.models.predictor import Prediction, Predictor, PredictorInput
from tocco.models.predictor_files import HEADER, Header, read_header, write_header


@dataclass(frozen=True, eq=False)
class Blend:
    """The weighted mean of several predictors.

    A target is rated by the members that predict it, with weights scaled to a sum of 1. The sd of the
    blend is the weighted mean of theirs, as for fully correlated errors, which is an upper bound.

    Attributes
    ----------
    members : at least one
    weights : > 0, one for each member
    """

    members: tuple[Predictor, ...]
    weights: tuple[float, ...]

    kind: ClassVar[str] = "blend"

    def __post_init__(self) -> None:
        if not self.members or len(self.members) != len(self.weights):
            raise ValueError(f"{len(self.members)} members have {len(self.weights)} weights")
        if not all(math.isfinite(weight) and weight > 0 for weight in self.weights):
            raise ValueError(f"the weights {self.weights} are not all positive numbers")

    @property
    def names(self) -> tuple[str, ...]:
        """Every target that a member rates, in the order of the members."""
        return tuple(dict.fromkeys(name for member in self.members for name in member.names))

    @property
    def statistics(self) -> tuple[str, ...]:
        """Every statistic that a member reads."""
        return tuple(dict.fromkeys(name for member in self.members for name in member.statistics))

    def predict(self, rows: PredictorInput) -> Prediction:
        """See `Predictor.predict`."""
        names = self.names
        predictions = [(member.names, member.predict(rows)) for member in self.members]
        rating, sd = np.empty((len(rows), len(names))), np.empty((len(rows), len(names)))
        for d, name in enumerate(names):
            parts = [
                (weight, prediction, own.index(name))
                for weight, (own, prediction) in zip(self.weights, predictions, strict=True)
                if name in own
            ]
            total = sum(weight for weight, _, _ in parts)
            rating[:, d] = sum(weight / total * one.rating[:, k] for weight, one, k in parts)
            sd[:, d] = sum(weight / total * one.sd[:, k] for weight, one, k in parts)
        return Prediction(rating, sd)

    def save(self, folder: Path) -> None:
        """See `Predictor.save`: a folder for each member, `member0` and so on."""
        for k, member in enumerate(self.members):
            member.save(folder / member_folder(k))
        write_header(
            folder, Header(self.kind, self.names, self.statistics, settings={"weights": list(self.weights)})
        )

    @classmethod
    def load(cls, folder: Path) -> Blend:
        """See `Predictor.load`."""
        from tocco.models.registry import load_predictor

        header = read_header(folder, cls.kind)
        weights = _weights(folder, header)
        members = tuple(load_predictor(folder / member_folder(k)) for k in range(len(weights)))
        found = cls(members, weights)
        if (found.names, found.statistics) != (header.names, header.statistics):
            raise BundleError(folder / HEADER, "names other targets or statistics than its members have")
        return found


def member_folder(number: int) -> str:
    """Name of the folder of a member, counted from 0."""
    return f"member{number}"


def _weights(folder: Path, header: Header) -> tuple[float, ...]:
    given = header.settings.get("weights")
    if set(header.settings) != {"weights"} or not isinstance(given, Sequence) or not given:
        raise BundleError(folder / HEADER, "does not give its members' weights, and them alone")
    for weight in given:
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < math.inf:
            raise BundleError(folder / HEADER, f"has the weight {weight!r}", allowed="numbers above 0")
    return tuple(float(weight) for weight in given)

"""Dimensions that are read off descriptors, as a predictor over one that rates the descriptors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import numpy as np

from tocco.errors import BundleError
from tocco.models.predictor import Prediction, Predictor, PredictorInput
from tocco.models.predictor_files import (
    HEADER,
    ArrayKind,
    Header,
    read_arrays,
    read_header,
    refused,
    write_arrays,
    write_header,
)
from tocco.rubrics import DIMENSIONS_FROM_DESCRIPTORS
from tocco.units import FloatArray

Recipe = Mapping[str, Sequence[tuple[str, int]]]
"""Dimension -> descriptors whose mean it is; turned round where the sign is -1."""

MEMBER: Final = "member"
_SAME_POINTS: Final = 0.01
"""Rating points by which a label may differ from the mean of its descriptors, from rounding."""


@dataclass(frozen=True, eq=False)
class ReadOff:
    """Rates the targets of its member, and dimensions that are means of them.

    Attributes
    ----------
    names : (D,) targets, in order: the member's, and those of the recipe
    member
    recipe
    sd : (D,) rating points
    """

    names: tuple[str, ...]
    member: Predictor
    recipe: Recipe
    sd: FloatArray

    kind: ClassVar[str] = "read_off"

    def __post_init__(self) -> None:
        rated = set(self.member.names)
        lacking = [part for parts in self.recipe.values() for part, _ in parts if part not in rated]
        if lacking or set(self.names) != rated | set(self.recipe):
            raise ValueError(f"its member does not rate {', '.join(lacking) or 'what is left'}")

    @property
    def statistics(self) -> tuple[str, ...]:
        """See `Predictor.statistics`."""
        return self.member.statistics

    def predict(self, rows: PredictorInput) -> Prediction:
        """See `Predictor.predict`."""
        said = self.member.predict(rows)
        by_name = dict(zip(self.member.names, said.rating.T, strict=True))
        for name, parts in self.recipe.items():
            read = [by_name[part] if sign > 0 else 100.0 - by_name[part] for part, sign in parts]
            by_name[name] = np.mean(read, axis=0)
        rating = np.stack([by_name[name] for name in self.names], axis=1)
        return Prediction(rating, np.tile(self.sd, (len(rating), 1)))

    def save(self, folder: Path) -> None:
        """See `Predictor.save`."""
        self.member.save(folder / MEMBER)
        write_arrays(folder, {"sd": self.sd})
        settings = {name: [list(part) for part in parts] for name, parts in self.recipe.items()}
        write_header(folder, Header(self.kind, self.names, self.statistics, {"recipe": settings}))

    @classmethod
    def load(cls, folder: Path) -> ReadOff:
        """See `Predictor.load`."""
        from tocco.models.registry import load_predictor

        header = read_header(folder, cls.kind)
        arrays = read_arrays(folder, {"sd": ArrayKind("float64", (len(header.names),))})
        if (arrays["sd"] <= 0).any():
            raise refused(folder, "sd holds a number that is not positive")
        try:
            found = cls(header.names, load_predictor(folder / MEMBER), _recipe(folder, header), arrays["sd"])
        except ValueError as error:
            raise BundleError(folder / HEADER, str(error), next_step="export the bundle again") from error
        if found.statistics != header.statistics:
            raise BundleError(folder / HEADER, "names other statistics than its member has")
        return found


def _recipe(folder: Path, header: Header) -> Recipe:
    given = header.settings.get("recipe")
    problem = BundleError(
        folder / HEADER, "does not say what is read off", next_step="export the bundle again"
    )
    if set(header.settings) != {"recipe"} or not isinstance(given, dict):
        raise problem
    for parts in given.values():
        if not isinstance(parts, list) or not parts:
            raise problem
        for part in parts:
            if not isinstance(part, list) or len(part) != 2 or part[1] not in (1, -1):
                raise problem
    return {name: tuple((str(part), int(sign)) for part, sign in parts) for name, parts in given.items()}


def recipe_for(names: Sequence[str], labels: FloatArray) -> Recipe:
    """The dimensions whose labels are the mean of their descriptors' labels.

    Parameters
    ----------
    names : (D,) targets
    labels : (N, D) rating, NaN where missing
    """
    column = {name: d for d, name in enumerate(names)}
    found: dict[str, Sequence[tuple[str, int]]] = {}
    for name, parts in DIMENSIONS_FROM_DESCRIPTORS.items():
        if name not in column or not all(part in column for part, _ in parts):
            continue
        read = [labels[:, column[p]] if sign > 0 else 100.0 - labels[:, column[p]] for p, sign in parts]
        differs = np.abs(np.mean(read, axis=0) - labels[:, column[name]])
        both_missing = np.isnan(np.mean(read, axis=0)) & np.isnan(labels[:, column[name]])
        if (both_missing | (differs <= _SAME_POINTS)).all():
            found[name] = parts
    return found

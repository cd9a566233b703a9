"""The ratings of performances that a person has marked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from tocco.errors import InputError, MismatchError
from tocco.files import is_safe_name
from tocco.inference.assessment import Assessment, read_assessment
from tocco.rubrics import DIMENSIONS
from tocco.units import FloatArray

_MOST_NAMED: Final = 5


@dataclass(frozen=True, eq=False)
class Rated:
    """The assessments of the performances that were marked.

    Attributes
    ----------
    assessments : by id
    """

    assessments: Mapping[str, Assessment]

    def values(self, ids: Sequence[str], names: Sequence[str], end: int | None = None) -> FloatArray:
        """(N, D) ratings, or low (0) or high (1) ends of their intervals."""
        return np.array([[_end(self.assessments[one], name, end) for name in names] for one in ids])

    def rates(self, one: str, name: str) -> bool:
        """Whether a performance is rated in a dimension."""
        rating = self.assessments[one].ratings.get(name)
        return rating is not None and rating.value is not None

    def common(self, ids: Iterable[str]) -> tuple[str, ...]:
        """The dimensions that all of them rate."""
        found = list(ids)
        return tuple(name for name in DIMENSIONS if all(self.rates(one, name) for one in found))


def _end(assessment: Assessment, name: str, end: int | None) -> float:
    rating = assessment.ratings[name]
    value = float(rating.value or 0.0)
    return value if end is None or rating.interval_90 is None else rating.interval_90[end]


def read_rated(marks: Path, folder: Path, ids: Sequence[str]) -> Rated:
    """The assessments of performances, out of the folder that `tocco assess -o` wrote.

    Parameters
    ----------
    marks : table that names the performances, for messages
    folder
    ids : of the performances

    Raises
    ------
    InputError
        Some have no assessment there; they are named.
    MismatchError
        They were rated by different bundles.
    """
    if not folder.is_dir():
        raise InputError(folder, "is no folder", next_step="name the folder that `tocco assess -o` wrote")
    there = [one for one in ids if is_safe_name(one) and (folder / f"{one}.json").is_file()]
    missing = [one for one in ids if one not in there]
    if missing:
        named = ", ".join(missing[:_MOST_NAMED])
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        raise InputError(
            marks,
            f"names {len(missing)} of {len(ids)} performances that are not in {folder}: {named}{more}",
            next_step=f"assess them first (tocco assess ... -o {folder}), or remove their rows",
        )
    found = {one: read_assessment(folder / f"{one}.json") for one in there}
    _refuse_mixed(folder, found)
    return Rated(found)


def _refuse_mixed(folder: Path, found: Mapping[str, Assessment]) -> None:
    first = next(iter(found))
    for one, assessment in found.items():
        if assessment.bundle.sha256 != found[first].bundle.sha256:
            raise MismatchError(
                folder / f"{one}.json",
                f"was rated by another bundle than {first}.json",
                next_step="assess all marked performances with one bundle",
            )
        if not set(assessment.ratings) <= set(DIMENSIONS):
            raise InputError(folder / f"{one}.json", "rates other dimensions", allowed=", ".join(DIMENSIONS))


def ratings_hash(rated: Rated, ids: Sequence[str]) -> str:
    """Hash of the ratings of performances, with their ids."""
    values: dict[str, Any] = {
        one: {name: rating.value for name, rating in rated.assessments[one].ratings.items()} for one in ids
    }
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def piece_of(one: str, rated: Rated) -> str:
    """The piece of a performance by its score; one without a score is a piece of its own."""
    score = rated.assessments[one].inputs.score
    return f"take {one}" if score is None else f"score {score.sha256}"

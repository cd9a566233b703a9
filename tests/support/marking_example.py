"""Takes with ratings that a made-up teacher has marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from assessment_example import example, rating
from tocco.inference.assessment import Assessment, Curve, Rating, write_assessment_file
from tocco.marking.maps import default_weights
from tocco.rubrics import DIMENSIONS
from tocco.units import FloatArray

HALF = 10.0
"""Half of every interval, in points."""


@cache
def _plain() -> Assessment:
    """The example without what marks do not read."""
    nothing = {"moments": (), "technique": {}, "descriptors": {}, "alignment_reason": "not needed here"}
    empty = Curve(time_sec=(), start_sec=(), end_sec=(), value={})
    return example().model_copy(update=nothing | {"alignment": None, "curve": empty})


def rated(ratings: Mapping[str, float | None], *, score: str = "c", notes: str = "keys") -> Assessment:
    """An assessment with these ratings; a missing one has a reason.

    Parameters
    ----------
    ratings : dimension -> points, None where it is missing
    score : a letter that stands for the piece
    notes : where they come from
    """
    plain = _plain()
    file = plain.inputs.score
    assert file is not None
    inputs = plain.inputs.model_copy(
        update={"score": file.model_copy(update={"sha256": score * 64}), "notes": notes}
    )
    made = {
        name: Rating.missing("no score") if value is None else rating(value, HALF, 0.7)
        for name, value in ratings.items()
    }
    return plain.model_copy(update={"ratings": made, "inputs": inputs})


def drawn(n: int, rng: np.random.Generator, names: Sequence[str] = DIMENSIONS) -> FloatArray:
    """(n, D) ratings of takes of all levels, which agree in part."""
    level = rng.normal(55.0, 12.0, size=(n, 1))
    return np.clip(level + rng.normal(0.0, 8.0, size=(n, len(names))), 2.0, 98.0)


def whole(ratings: FloatArray, names: Sequence[str] = DIMENSIONS) -> FloatArray:
    """(n,) the default aggregate."""
    return ratings @ default_weights(names)


def write_folder(folder: Path, ratings: FloatArray, pieces: Sequence[str]) -> list[str]:
    """Assessments "take-00", "take-01", ... with all dimensions rated; their ids."""
    ids = [f"take-{k:02d}" for k in range(len(ratings))]
    for one, row, piece in zip(ids, ratings, pieces, strict=True):
        assessment = rated(dict(zip(DIMENSIONS, row.tolist(), strict=True)), score=piece)
        write_assessment_file(assessment, folder / f"{one}.json")
    return ids


def write_marks(path: Path, ids: Sequence[str], marks: FloatArray, column: str = "mark") -> Path:
    """A table of marks, to two decimals."""
    rows = [f"{one},{mark:.2f}" for one, mark in zip(ids, marks, strict=True)]
    path.write_text("\n".join([f"id,{column}", *rows]) + "\n", encoding="utf-8")
    return path

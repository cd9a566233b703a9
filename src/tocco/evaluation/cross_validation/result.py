"""Result of a cross-validation: labels, held-out predictions, and metadata of the performances."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from tocco.errors import InputError
from tocco.files import replacing, write_bytes
from tocco.metrics import validate_ratings
from tocco.units import BoolArray, FloatArray, IntArray

SCHEMA_VERSION = 1

_ROWS = ("segment_ids", "clusters", "passages", "performers", "is_score", "fold")


@dataclass(frozen=True, eq=False)
class CrossValidationResult:
    """Held-out predictions of several systems for the same performances.

    Attributes
    ----------
    names : (D,) dimensions and descriptors, in the order of the columns
    segment_ids : (N,) str, unique
    clusters : (N,) str, shared music; the unit of the bootstrap
    passages : (N,) str, each within one cluster
    performers : (N,) str
    is_score : (N,) a score rendering, not a human performance
    fold : (N,) 0.. the fold that held it out; -1 where excluded
    labels : (N, D) rating 0..100, NaN where missing
    predictions : system name -> (N, D) rating
        Finite wherever there is a label and a fold.
    sd : system name -> (N, D) rating points, as predicted; only of systems that predict one
    """

    names: tuple[str, ...]
    segment_ids: npt.NDArray[np.str_]
    clusters: npt.NDArray[np.str_]
    passages: npt.NDArray[np.str_]
    performers: npt.NDArray[np.str_]
    is_score: BoolArray
    fold: IntArray
    labels: FloatArray
    predictions: Mapping[str, FloatArray]
    sd: Mapping[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = (len(self.segment_ids), len(self.names))
        for row in (*_ROWS, "labels"):
            array = getattr(self, row)
            if not isinstance(array, np.ndarray) or array.dtype.hasobject:
                raise ValueError(f"{row} must be a numpy array of str or numbers, without Python objects")
        if self.labels.shape != shape:
            raise ValueError(f"labels have shape {self.labels.shape}, must be {shape}")
        for row in _ROWS:
            if getattr(self, row).shape != shape[:1]:
                raise ValueError(f"{row} have shape {getattr(self, row).shape}, must be {shape[:1]}")
        if len(set(self.names)) != len(self.names):
            raise ValueError("names repeat")
        if len(np.unique(self.segment_ids)) != len(self.segment_ids):
            raise ValueError("segment_ids repeat")
        if not set(self.sd) <= set(self.predictions):
            raise ValueError(
                f"sd of systems without predictions: {sorted(set(self.sd) - set(self.predictions))}"
            )
        validate_ratings(self.labels)
        needed = ~np.isnan(self.labels) & (self.fold >= 0)[:, None]
        for what, tables in (("prediction", self.predictions), ("sd", self.sd)):
            for system, table in tables.items():
                if table.shape != shape:
                    raise ValueError(f"{what} of {system} has shape {table.shape}, must be {shape}")
                bad = np.argwhere(needed & ~np.isfinite(table))
                if len(bad):
                    n, d = bad[0]
                    raise ValueError(
                        f"{what} of {system} is {table[n, d]} for {self.names[d]} of {self.segment_ids[n]},"
                        " which has a label"
                    )

    def __len__(self) -> int:
        return len(self.segment_ids)

    def subset(self, keep: BoolArray) -> CrossValidationResult:
        """The same result for some of the performances."""
        rows = {row: getattr(self, row)[keep] for row in (*_ROWS, "labels")}
        tables = {
            what: {system: table[keep] for system, table in getattr(self, what).items()}
            for what in ("predictions", "sd")
        }
        return dataclasses.replace(self, **rows, **tables)

    def save(self, path: Path) -> None:
        """Write the numbers to `path`.npz and their names to `path`.json.

        Parameters
        ----------
        path
            Without suffix.
        """
        arrays = {row: getattr(self, row) for row in (*_ROWS, "labels")}
        arrays |= {f"predictions_{i}": table for i, table in enumerate(self.predictions.values())}
        arrays |= {f"sd_{i}": table for i, table in enumerate(self.sd.values())}
        with replacing(_suffixed(path, ".npz")) as temporary:
            np.savez_compressed(temporary, **arrays)
        index = {
            "schema_version": SCHEMA_VERSION,
            "names": list(self.names),
            "predictions": list(self.predictions),
            "sd": list(self.sd),
        }
        write_bytes(_suffixed(path, ".json"), (json.dumps(index, indent=1) + "\n").encode())

    @classmethod
    def load(cls, path: Path) -> CrossValidationResult:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            A file is missing, or the two do not belong together.
        """
        try:
            index = json.loads(_suffixed(path, ".json").read_text(encoding="utf-8"))
            with _suffixed(path, ".npz").open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
                tables = {
                    what: {system: arrays[f"{what}_{i}"] for i, system in enumerate(index[what])}
                    for what in ("predictions", "sd")
                }
                return cls(tuple(index["names"]), *(arrays[row] for row in (*_ROWS, "labels")), **tables)
        except OSError as problem:
            raise InputError(
                path,
                f"has no readable .npz and .json ({problem.strerror})",
                next_step="run the evaluation again",
            ) from problem
        except (KeyError, ValueError, BadZipFile) as problem:
            raise InputError(
                path, f"is no cross-validation result ({problem})", next_step="run the evaluation again"
            ) from problem


def _suffixed(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)

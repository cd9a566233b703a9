"""The factors that turn a predicted sd into an interval: what a model keeps of its calibration.

They are fitted by `tocco.evaluation.cross_validation.calibration`; its docstring says what an interval
claims.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationError, field_validator

from tocco.errors import BundleError
from tocco.files import write_bytes
from tocco.metrics import RATING_RANGE
from tocco.schema import StrictModel, one_line, parse_object
from tocco.units import FloatArray

DEFAULT_LEVEL = 0.9

Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
Proportion = Annotated[float, Field(ge=0.0, le=1.0)]


class DimensionCalibration(StrictModel):
    """What held-out performances say about the sd of one dimension."""

    scale: Positive
    """Half the interval in units of the predicted sd."""

    n: Annotated[int, Field(ge=1)]
    """Labels that the scale was found on."""

    coverage: Proportion | None = None
    """Share of labels within the interval when the scale came from other clusters."""

    width: Positive | None = None
    """Rating points: mean length of those intervals."""

    reliability: Proportion | None = None
    """How much of the labels' variance is shared by raters; None where unknown."""


class IntervalCalibration(StrictModel):
    """The scale of every dimension, and the evidence for it."""

    schema_version: Literal[1] = 1

    method: Literal["normalised split conformal"] = "normalised split conformal"

    level: Annotated[float, Field(gt=0.0, lt=1.0)] = DEFAULT_LEVEL
    """The share of labels that an interval claims to hold."""

    protocol: Annotated[str, Field(min_length=1)]
    """How the held-out predictions were made: "cv4_cluster: four folds of new music"."""

    dimensions: dict[str, DimensionCalibration]
    """By name. A dimension that has no labels is not listed, and has no interval."""

    @field_validator("dimensions")
    @classmethod
    def _not_empty(cls, given: dict[str, DimensionCalibration]) -> dict[str, DimensionCalibration]:
        if not given:
            raise ValueError("no dimension is calibrated")
        return given

    def scale(self, names: Sequence[str]) -> FloatArray:
        """(D,) factor of each named dimension; NaN for one that is not calibrated."""
        known = self.dimensions
        return np.array([known[name].scale if name in known else math.nan for name in names])

    def interval(
        self, names: Sequence[str], rating: npt.ArrayLike, sd: npt.ArrayLike
    ) -> tuple[FloatArray, FloatArray]:
        """The range in which the raters' mean is to be expected.

        Parameters
        ----------
        names : (D,) dimension names
        rating : (..., D) rating 0..100
        sd : (..., D) rating points, > 0, as predicted

        Returns
        -------
        low, high : (..., D) rating, held to 0..100; NaN for a dimension that is not calibrated
        """
        rating, sd = np.asarray(rating, dtype=float), np.asarray(sd, dtype=float)
        if rating.shape != sd.shape or rating.shape[-1:] != (len(names),):
            raise ValueError(
                f"rating {rating.shape} and sd {sd.shape} must both end in {len(names)} dimensions"
            )
        if (sd <= 0).any():
            raise ValueError(f"sd is {sd.min():g}, must be above 0 rating points")
        return scaled_interval(rating, sd, self.scale(names))

    def sigma(self, names: Sequence[str], sd: npt.ArrayLike) -> FloatArray:
        """The sd that an honest normal prediction would state: its interval is the calibrated one.

        Parameters
        ----------
        names : (D,) dimension names
        sd : (..., D) rating points, > 0, as predicted

        Returns
        -------
        (..., D) rating points; NaN for a dimension that is not calibrated
        """
        return normal_sigma(np.asarray(sd, dtype=float), self.scale(names), self.level)

    def save(self, path: Path) -> None:
        """Write `calibration.json`, whole or not at all."""
        write_bytes(path, (self.model_dump_json(indent=1) + "\n").encode())

    @classmethod
    def load(cls, path: Path) -> IntervalCalibration:
        """Read `calibration.json`.

        Raises
        ------
        BundleError
            It is missing, is not JSON, or says something that a calibration cannot say.
        """
        next_step = "use the file as it was exported, or export it again"
        try:
            return cls.model_validate(parse_object(path.read_text(encoding="utf-8")))
        except OSError as problem:
            raise BundleError(path, f"cannot be read ({problem.strerror})", next_step=next_step) from problem
        except UnicodeDecodeError as problem:
            raise BundleError(path, "is not text", next_step=next_step) from problem
        except ValidationError as problem:
            raise BundleError(path, one_line(problem), next_step=next_step) from problem
        except ValueError as problem:
            raise BundleError(path, str(problem), next_step=next_step) from problem


def scaled_interval(
    rating: FloatArray, sd: FloatArray, scale: FloatArray | float
) -> tuple[FloatArray, FloatArray]:
    """Low and high end of `rating +- scale * sd`, held to 0..100.

    Clipping costs no coverage: labels lie within 0..100 themselves.
    """
    return np.clip(rating - scale * sd, *RATING_RANGE), np.clip(rating + scale * sd, *RATING_RANGE)


def normal_sigma(sd: FloatArray, scale: FloatArray | float, level: float) -> FloatArray:
    """The sd of the normal distribution whose central interval of `level` is +- scale * sd."""
    from scipy.special import ndtri

    return sd * scale / float(ndtri((1.0 + level) / 2.0))

"""The personal calibration as a file: maps from ratings to the marks of one person, and where they come from.

There is no time stamp: the same marks, assessments and file name give the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import AfterValidator, Field, ValidationError, model_validator

from tocco.errors import InputError
from tocco.files import read_text, write_bytes
from tocco.inference.evidence import BundleIdentity
from tocco.inference.marks import MarkScale
from tocco.marking.maps import MarkMap
from tocco.rubrics import DIMENSIONS
from tocco.schema import Share, StrictModel, laid_out, nearest, one_line, parse_object

KIND: Final = "personal calibration"
SCHEMA_VERSION: Final = "1.0"

_Text = Annotated[str, Field(strict=True, min_length=1)]
_Count = Annotated[int, Field(strict=True, ge=0)]
_Number = Annotated[float, Field(allow_inf_nan=False), AfterValidator(lambda value: round(value, 6) + 0.0)]
_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class LeaveOneOut(StrictModel):
    """What the calibration gains on marks or votes that it was not fitted to."""

    left_out: Literal["take", "piece"]
    """What is left out at a time, with all its marks."""

    measure: Literal["points", "votes"]
    """"points": mean distance of a mark, on 0 to 100; "votes": share of votes in the order of the ratings."""

    n: _Count
    """Marks or votes."""

    n_groups: _Count
    """Takes or pieces."""

    default: _Number
    """Of the default ratings."""

    personal: _Number
    """Of the calibration fitted to the others."""

    constant: _Number | None = None
    """Of always giving the mean of the others; null for votes."""

    within_90: Share | None = None
    """Share of the marks within their 90 % intervals; null for votes."""

    gain: _Number
    """By how much the calibration is better than the default."""

    gain_90: tuple[_Number, _Number]
    """90 % interval of the gain."""

    @property
    def above_chance(self) -> bool:
        """Whether the whole interval of the gain lies above 0."""
        return self.gain_90[0] > 0.0


class FittedMap(StrictModel):
    """A map from ratings to marks in points; see `tocco.marking.maps`."""

    dimensions: tuple[_Text, ...]
    """What it reads."""

    offset: _Number
    """Points at the pivots, above the default."""

    slopes: tuple[Annotated[_Number, Field(ge=0.0)], ...]
    """Points of the mark for one point of each rating."""

    default_slopes: tuple[Annotated[_Number, Field(ge=0.0)], ...]
    """Of the default."""

    covariance: tuple[tuple[_Number, ...], ...]
    """Of offset and slopes."""

    noise_sd: Annotated[_Number, Field(ge=0.0)]
    """Points: how far one mark lies from the map."""

    contradicted: bool
    """Whether the marks contradict the ratings, so that the default stands."""

    n: _Count
    """Marks or votes that it was fitted to."""

    checks: tuple[LeaveOneOut, ...] = ()
    """By leave-one-out; the first decides, and there is none with too few marks."""

    @model_validator(mode="after")
    def _is_consistent(self) -> FittedMap:
        n = len(self.dimensions)
        rows = [len(row) for row in self.covariance]
        if not n or (len(self.slopes), len(self.default_slopes)) != (n, n) or rows != [n + 1] * (n + 1):
            raise ValueError(f"a map of {n} dimensions has other numbers of slopes or covariances")
        unknown = [name for name in self.dimensions if name not in DIMENSIONS]
        if unknown:
            raise ValueError("; ".join(nearest(name, DIMENSIONS) for name in unknown))
        if abs(sum(self.default_slopes) - 1.0) > 1e-4:
            raise ValueError(f"default_slopes sum to {sum(self.default_slopes):g}, not 1")
        if any(self.covariance[k][k] < 0.0 for k in range(n + 1)):
            raise ValueError("a variance is below 0")
        return self

    @classmethod
    def of(cls, fitted: MarkMap, n: int, checks: tuple[LeaveOneOut, ...]) -> FittedMap:
        """The map as it is written."""
        return cls(
            dimensions=fitted.names,
            offset=fitted.offset,
            slopes=tuple(fitted.slopes.tolist()),
            default_slopes=tuple(fitted.default_slopes.tolist()),
            covariance=tuple(tuple(row) for row in fitted.covariance.tolist()),
            noise_sd=fitted.noise_sd,
            contradicted=fitted.contradicted,
            n=n,
            checks=checks,
        )

    def as_map(self) -> MarkMap:
        """The map as it is applied."""
        return MarkMap(
            names=self.dimensions,
            offset=self.offset,
            slopes=np.array(self.slopes),
            default_slopes=np.array(self.default_slopes) / sum(self.default_slopes),
            covariance=np.array(self.covariance),
            noise_sd=self.noise_sd,
            contradicted=self.contradicted,
        )


class MarksSource(StrictModel):
    """What a calibration was fitted to."""

    kind: Literal["marks", "votes"]
    """Marks on a scale, or votes between two takes."""

    file: _Text
    """Name of the table."""

    sha256: _Sha256
    """Hash of the table."""

    assessments_sha256: _Sha256
    """Hash of the ratings that were marked, with their ids."""

    n_takes: _Count
    """Performances that were marked."""

    n_marks: _Count
    """Marks or votes."""

    n_pieces: _Count
    """Pieces, by the table's column or by the score; a take without either is a piece of its own."""

    notes: dict[Literal["keys", "transcribed"], _Count]
    """Where the notes of these performances came from, and of how many."""


class PersonalCalibration(StrictModel):
    """How one person's marks follow from the ratings of one bundle."""

    kind: Literal["personal calibration"] = KIND
    """What this file is."""

    schema_version: Literal["1.0"] = SCHEMA_VERSION
    """Version of this format."""

    name: _Text
    """What the person is called beside the ratings: the name of the file when it was written."""

    bundle: BundleIdentity
    """The model whose ratings were marked; it fits no other."""

    source: MarksSource
    """What it was fitted to."""

    scales: dict[str, MarkScale]
    """Dimension or "aggregate" -> scale of the marks; empty for votes."""

    maps: dict[str, FittedMap]
    """Dimension -> map, for the dimensions that were marked."""

    aggregate: FittedMap | None
    """Of the whole performance; null where only dimensions were marked."""

    sentences: tuple[_Text, ...]
    """What it rests on, what it gains, and what is doubtful: every assessment with it repeats them."""

    tocco_version: _Text
    """Version of the program."""

    @model_validator(mode="after")
    def _is_consistent(self) -> PersonalCalibration:
        fitted = {**self.maps, **({} if self.aggregate is None else {"aggregate": self.aggregate})}
        unknown = [name for name in self.maps if name not in DIMENSIONS]
        if unknown:
            raise ValueError("; ".join(nearest(name, DIMENSIONS) for name in unknown))
        if any(found.dimensions != (name,) for name, found in self.maps.items()):
            raise ValueError("the map of a dimension reads that dimension and no other")
        if not fitted or not self.sentences:
            raise ValueError("a calibration has a map and says what it rests on")
        wanted = set(fitted) if self.source.kind == "marks" else set()
        if set(self.scales) != wanted:
            raise ValueError(f"scales are of {sorted(self.scales)}, and marks of {sorted(wanted)}")
        return self


def to_bytes(calibration: PersonalCalibration) -> bytes:
    """The file: keys sorted, a newline at the end."""
    return (laid_out(calibration.model_dump(mode="json")) + "\n").encode()


def write_calibration(calibration: PersonalCalibration, path: Path) -> None:
    """Write the file, whole or not at all.

    Raises
    ------
    OutputError
    """
    write_bytes(path, to_bytes(calibration))


def is_calibration(path: Path) -> bool:
    """Whether a file can be read as a personal calibration."""
    try:
        read_calibration(path)
    except InputError:
        return False
    return True


def read_calibration(path: Path) -> PersonalCalibration:
    """Read a personal calibration.

    Raises
    ------
    InputError
        It cannot be read, is no personal calibration, or is of another version.
    """
    text, next_step = read_text(path), "name a file that `tocco calibrate` wrote"
    try:
        fields: dict[str, Any] = parse_object(text)
    except ValueError as error:
        raise InputError(path, str(error), next_step=next_step) from error
    if fields.get("kind") != KIND:
        raise InputError(path, f"is no {KIND}", next_step=next_step)
    if fields.get("schema_version") != SCHEMA_VERSION:
        raise InputError(
            path,
            f"has schema_version {fields.get('schema_version')!r}",
            allowed=repr(SCHEMA_VERSION),
            next_step="calibrate again with this release",
        )
    try:
        return PersonalCalibration.model_validate(fields)
    except ValidationError as error:
        raise InputError(path, one_line(error), next_step=next_step) from error

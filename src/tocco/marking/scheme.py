"""Marking schemes: how the ratings are laid beside the criteria of an examination board.

A marking scheme is a YAML file of strict form. The schemes that ship are in `schemes/`; a user's own is read
in the same way. Which mark is laid beside which rating is a convention, never a measured equivalence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from tocco.errors import InputError, short
from tocco.files import read_text
from tocco.rubrics import DIMENSIONS
from tocco.schema import StrictModel, nearest, one_line

SHIPPED: Final = ("abrsm", "rcm", "trinity")
"""Names of the marking schemes that ship."""

_SUFFIXES: Final = (".yaml", ".yml")
_SUM_TOLERANCE: Final = 1e-6

_Text = Annotated[str, Field(strict=True, min_length=1, max_length=600)]
_Mark = Annotated[float, Field(ge=0.0, le=1000.0, allow_inf_nan=False)]
_Weight = Annotated[float, Field(gt=0.0, le=1.0, allow_inf_nan=False)]
_Anchor = tuple[Annotated[float, Field(ge=0.0, le=100.0, allow_inf_nan=False)], _Mark]


class Band(StrictModel):
    """A range of marks that has a name."""

    name: _Text
    """In words, as in a sentence: "merit"."""

    from_mark: _Mark
    """The lowest mark in it."""


class Criterion(StrictModel):
    """What a board marks, as a weighted mean of dimensions that is mapped to its marks."""

    title: _Text
    """As it is shown."""

    meaning: _Text
    """What is listened for, in own words."""

    weights: dict[str, _Weight]
    """Dimension -> its share; the shares sum to 1."""

    anchors: Annotated[tuple[_Anchor, ...], Field(min_length=2)]
    """[weighted mean of the ratings, mark]: from 0 to 100, straight between them, never falling."""

    bands: tuple[Band, ...] = ()
    """From the lowest up; empty where the board names none."""

    @property
    def lowest(self) -> float:
        """Mark of a rating of 0."""
        return self.anchors[0][1]

    @property
    def highest(self) -> float:
        """Mark of a rating of 100."""
        return self.anchors[-1][1]

    @field_validator("weights")
    @classmethod
    def _weights_sum_to_1(cls, given: dict[str, float]) -> dict[str, float]:
        for name in given:
            if name not in DIMENSIONS:
                raise ValueError(nearest(name, DIMENSIONS))
        if abs(sum(given.values()) - 1.0) > _SUM_TOLERANCE:
            raise ValueError(f"sum to {sum(given.values()):g}, not 1")
        return given

    @field_validator("anchors")
    @classmethod
    def _anchors_rise(cls, given: tuple[_Anchor, ...]) -> tuple[_Anchor, ...]:
        if (given[0][0], given[-1][0]) != (0.0, 100.0):
            raise ValueError(f"go from {given[0][0]:g} to {given[-1][0]:g}, not from 0 to 100")
        for (before, mark_before), (rating, mark) in pairwise(given):
            if rating <= before or mark < mark_before:
                raise ValueError(f"[{rating:g}, {mark:g}] does not lie above [{before:g}, {mark_before:g}]")
        if given[0][1] == given[-1][1]:
            raise ValueError(f"give {given[0][1]:g} to every rating")
        return given

    @model_validator(mode="after")
    def _bands_fit(self) -> Criterion:
        _check_bands(self.bands, self.lowest, self.highest)
        return self


class Total(StrictModel):
    """The mark of the piece, from those of the criteria."""

    title: _Text
    """As it is shown."""

    by: Literal["mean", "sum"]
    """"mean": the weighted mean of the criteria, which are on one scale; "sum": their sum."""

    weights: tuple[_Weight, ...] = ()
    """Of the criteria in their order; for a mean, and summing to 1."""

    bands: tuple[Band, ...] = ()
    """From the lowest up."""


class MarkingScheme(StrictModel):
    """Criteria, the mark of the piece, and where they come from."""

    schema_version: Literal[1]
    """Version of this format."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=40)]
    """Short, in small letters."""

    title: _Text
    """As it is shown."""

    board: _Text
    """Who examines by such criteria."""

    link: Annotated[str, Field(pattern=r"^https://[^\s\"'<>]+$", max_length=200)]
    """Site of the board."""

    convention: _Text
    """How the anchors were chosen."""

    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]
    """In the order in which they are shown."""

    total: Total
    """Of the piece."""

    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    """Hash of the file; set when it is read."""

    @model_validator(mode="after")
    def _total_fits(self) -> MarkingScheme:
        titles = [one.title for one in self.criteria]
        if len(set(titles)) < len(titles):
            raise ValueError("two criteria have one title")
        weights = self.total.weights
        if self.total.by == "sum" and weights:
            raise ValueError("total.weights: a sum has none")
        if self.total.by == "mean":
            if len(weights) != len(titles) or abs(sum(weights) - 1.0) > _SUM_TOLERANCE:
                raise ValueError(
                    f"total.weights: {len(titles)} that sum to 1 are wanted, got {list(weights)}"
                )
            if len({(one.lowest, one.highest) for one in self.criteria}) > 1:
                raise ValueError("total.by: a mean needs criteria that end at the same marks")
        _check_bands(self.total.bands, self.lowest, self.highest)
        return self

    @property
    def shares(self) -> tuple[float, ...]:
        """By what each criterion is multiplied in the total."""
        return self.total.weights if self.total.by == "mean" else (1.0,) * len(self.criteria)

    @property
    def lowest(self) -> float:
        """Least mark of the piece."""
        return sum(s * one.lowest for s, one in zip(self.shares, self.criteria, strict=True))

    @property
    def highest(self) -> float:
        """Greatest mark of the piece."""
        return sum(s * one.highest for s, one in zip(self.shares, self.criteria, strict=True))


def load_scheme(name: str) -> MarkingScheme:
    """A marking scheme that ships, by its name, or a YAML file.

    Parameters
    ----------
    name : "abrsm", "rcm", "trinity", or a path that ends in .yaml or .yml

    Raises
    ------
    InputError
        There is none of that name, or the file is no marking scheme.
    """
    if name in SHIPPED:
        return read_scheme(Path(str(resources.files("tocco.marking") / "schemes" / f"{name}.yaml")))
    if Path(name).suffix.lower() not in _SUFFIXES:
        raise InputError(
            "--rubric",
            f"is {short(name)}",
            allowed=f"{', '.join(SHIPPED)}, or a .yaml file",
            next_step="name one of them",
        )
    return read_scheme(Path(name))


def read_scheme(path: Path) -> MarkingScheme:
    """Read a marking scheme.

    Raises
    ------
    InputError
        The file cannot be read, is no YAML, or breaks a rule of the format; every fault is named.
    """
    text, next_step = read_text(path), "correct the file (docs/marking_schemes.md has the format)"
    try:
        fields = yaml.load(text, _StrictLoader)
    except yaml.YAMLError as error:
        raise InputError(path, f"is no YAML ({_yaml_fault(error)})", next_step=next_step) from error
    except (ValueError, RecursionError) as error:
        raise InputError(path, f"is no YAML ({error})", next_step=next_step) from error
    if not isinstance(fields, dict):
        raise InputError(path, "is no marking scheme", allowed="keys and values", next_step=next_step)
    if "sha256" in fields:
        raise InputError(path, "sha256: is found by tocco, not given", next_step=next_step)
    try:
        digest = hashlib.sha256(text.encode()).hexdigest()
        return MarkingScheme.model_validate(fields | {"sha256": digest})
    except ValidationError as error:
        raise InputError(path, one_line(error), next_step=next_step) from error


def _check_bands(bands: Sequence[Band], lowest: float, highest: float) -> None:
    if not bands:
        return
    starts = [band.from_mark for band in bands]
    if abs(starts[0] - lowest) > _SUM_TOLERANCE:
        raise ValueError(f"bands: the first begins at {starts[0]:g}, and marks at {lowest:g}")
    if any(later <= earlier for earlier, later in pairwise(starts)):
        raise ValueError(f"bands: {', '.join(f'{one:g}' for one in starts)} do not rise")
    if starts[-1] > highest:
        raise ValueError(f"bands: the last begins at {starts[-1]:g}, and marks end at {highest:g}")


class _StrictLoader(yaml.SafeLoader):
    """Plain values only, and no key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {short(str(key.value))} stands twice", key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def _yaml_fault(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or "it cannot be parsed"
    mark = getattr(error, "problem_mark", None)
    return problem if mark is None else f"{problem} at line {mark.line + 1}, column {mark.column + 1}"

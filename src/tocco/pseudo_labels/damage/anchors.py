"""Anchors of the measures of damage: where a competent pianist is, and where heavy damage is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, ValidationError, model_validator

from tocco.errors import InputError
from tocco.music.performance import Origin
from tocco.pseudo_labels.damage.catalogue import MEASURES
from tocco.pseudo_labels.pool import PoolFacts
from tocco.schema import StrictModel, one_line, parse_object

ANCHORS_FILE: Final = "anchors.json"
ANCHORS_FORMAT: Final = 1
MAX_ANCHORS_BYTES: Final = 200_000

Level = Annotated[float, Field(strict=True, ge=0.0, allow_inf_nan=False)]
Percentile = Annotated[float, Field(strict=True, ge=0.0, le=100.0)]


class Anchor(StrictModel):
    """Two values of one measure, in its unit."""

    good: Level
    """Harm 0 up to here: a percentile of windows of competent performances."""

    bad: Level
    """Harm 1 here: a percentile of the same windows, heavily damaged in this respect."""

    good_percentile: Percentile
    """Percentile of the undamaged windows at which `good` lies."""

    bad_percentile: Percentile
    """Percentile of the damaged windows at which `bad` lies."""

    n_good: Annotated[int, Field(ge=1)]
    """Number of undamaged windows."""

    n_bad: Annotated[int, Field(ge=1)]
    """Number of damaged windows."""

    @model_validator(mode="after")
    def _bad_is_worse(self) -> Anchor:
        if self.bad <= self.good:
            raise ValueError(f"bad is {self.bad:g} and good is {self.good:g}; bad has to be more")
        return self


class DamageAnchors(StrictModel):
    """Anchors of all measures, for notes recorded from the keys and for transcriptions."""

    format: Annotated[int, Field(ge=ANCHORS_FORMAT, le=ANCHORS_FORMAT)]
    """Version of this file format."""

    window_sec: Annotated[float, Field(gt=0.0)]
    """Duration of the windows that were measured."""

    pool: PoolFacts
    """Performances that the anchors were fitted to, with the seed of the choice and of the damages."""

    keys: dict[str, Anchor]
    """Measure -> anchor, for notes recorded from the keys."""

    transcribed: dict[str, Anchor]
    """Measure -> anchor, for transcriptions."""

    @model_validator(mode="after")
    def _has_every_measure(self) -> DamageAnchors:
        for origin in ("keys", "transcribed"):
            differing = sorted(set(MEASURES) ^ set(self.of(origin)))
            if differing:
                raise ValueError(f"{origin}: {', '.join(differing)} is not what this release measures")
        return self

    def of(self, origin: Origin) -> Mapping[str, Anchor]:
        """The anchors for notes of one origin."""
        return self.keys if origin == "keys" else self.transcribed


def read_anchors(content: str, source: str) -> DamageAnchors:
    """Anchors from their JSON text.

    Parameters
    ----------
    content
    source : name in error messages

    Raises
    ------
    InputError
        It is not valid, or was fitted for other measures.
    """
    try:
        return DamageAnchors.model_validate(parse_object(content))
    except ValidationError as error:
        raise _unfit(source, one_line(error, DamageAnchors)) from error
    except ValueError as error:
        raise _unfit(source, str(error)) from error


def _unfit(source: str, problem: str, allowed: str | None = None) -> InputError:
    return InputError(
        source, problem, allowed=allowed, next_step="fit the anchors with `tocco pseudo-label fit-damage`"
    )


def load_anchors(path: Path) -> DamageAnchors:
    """Anchors from a file.

    Raises
    ------
    InputError
        It cannot be read, or as of `read_anchors`.
    """
    try:
        size = path.stat().st_size
        if size > MAX_ANCHORS_BYTES:
            raise _unfit(str(path), f"has {size:,} bytes", f"up to {MAX_ANCHORS_BYTES:,}")
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", next_step="check the path") from error
    except UnicodeDecodeError as error:
        raise _unfit(str(path), "is not a text file") from error
    return read_anchors(content, str(path))


@cache
def reference_anchors() -> DamageAnchors:
    """The anchors that ship with tocco."""
    content = files("tocco.pseudo_labels.damage").joinpath(ANCHORS_FILE).read_text(encoding="utf-8")
    return read_anchors(content, ANCHORS_FILE)

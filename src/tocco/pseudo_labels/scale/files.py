"""Scale files: the two that ship with tocco, and others in their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from tocco.errors import InputError
from tocco.music.performance import Origin
from tocco.pseudo_labels.norms.model import reference_norms
from tocco.pseudo_labels.raters.registry import RATERS
from tocco.pseudo_labels.scale.difficulty import DIFFICULTY_COVARIATES
from tocco.pseudo_labels.scale.earlier_names import with_present_names
from tocco.pseudo_labels.scale.model import SCALE_FORMAT, ReferenceScale
from tocco.schema import one_line, parse_object

SCALE_FILE: Final = "reference_scale.json"
TRANSCRIBED_SCALE_FILE: Final = "reference_scale_transcribed.json"

_NOTES: Final[Mapping[Origin, str]] = {"keys": "recorded MIDI", "transcribed": "transcriptions"}

MAX_SCALE_BYTES: Final = 1_000_000
"""A larger file was given by mistake and is not read."""


def read_scale(content: str, source: str, origin: Origin = "keys") -> ReferenceScale:
    """A scale from its JSON text.

    Parameters
    ----------
    content
    source : name in error messages
    origin : of the notes that a scale is needed for

    Raises
    ------
    InputError
        It is not valid, was fitted with other components, weights or norms than those of this release, or is
        for the other kind of performance.
    """
    try:
        fields = parse_object(content)
        if fields.get("format") not in (None, SCALE_FORMAT):
            raise _unfit(source, origin, f"has the format {fields['format']}", f"{SCALE_FORMAT}")
        scale = ReferenceScale.model_validate(with_present_names(fields))
    except ValidationError as error:
        raise _unfit(source, origin, one_line(error, ReferenceScale)) from error
    except ValueError as error:
        raise _unfit(source, origin, str(error)) from error
    if scale.origin != origin:
        problem = f"is a scale for {_NOTES[scale.origin]}"
        raise _unfit(source, origin, problem, f"a scale for {_NOTES[origin]}")
    fitted = {
        dimension: {name: part.weight for name, part in found.components.items()}
        for dimension, found in scale.dimensions.items()
    }
    needed = {name: {kind.name: kind.weight for kind in rater.scaled} for name, rater in RATERS.items()}
    if fitted != needed or len(scale.covariate_centre) != len(DIFFICULTY_COVARIATES):
        differing = sorted(name for name in needed if fitted.get(name) != needed[name])
        differing = differing or ["difficulty covariates"]
        raise _unfit(source, origin, f"was fitted for other components of {', '.join(differing)}")
    norms = reference_norms().sha256()
    if scale.norms_sha256 != norms:
        other = f"was fitted with other norms ({scale.norms_sha256[:12]}; those in use are {norms[:12]})"
        raise _unfit(source, origin, other)
    return scale


def _unfit(source: str, origin: Origin, problem: str, allowed: str | None = None) -> InputError:
    command = f"tocco pseudo-label fit-scale{' --transcribed' if origin == 'transcribed' else ''}"
    return InputError(source, problem, allowed=allowed, next_step=f"fit the scale with `{command}`")


def load_scale(path: Path, origin: Origin = "keys") -> ReferenceScale:
    """A scale from a file.

    Raises
    ------
    InputError
        It cannot be read, or as of `read_scale`.
    """
    try:
        size = path.stat().st_size
        if size > MAX_SCALE_BYTES:
            allowed = f"up to {MAX_SCALE_BYTES:,}; a scale has about 14,000"
            raise _unfit(str(path), origin, f"has {size:,} bytes", allowed)
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", next_step="check the path") from error
    except UnicodeDecodeError as error:
        raise _unfit(str(path), origin, "is not a text file") from error
    return read_scale(content, str(path), origin)


@cache
def reference_scale(origin: Origin = "keys") -> ReferenceScale:
    """The scale that ships with tocco, for recorded MIDI or for transcriptions."""
    name = TRANSCRIBED_SCALE_FILE if origin == "transcribed" else SCALE_FILE
    content = files("tocco.pseudo_labels.scale").joinpath(name).read_text(encoding="utf-8")
    return read_scale(content, name, origin)


@dataclass(frozen=True)
class Scales:
    """The scales for recorded MIDI and for transcriptions.

    Attributes
    ----------
    keys : for recorded MIDI
    transcribed : for transcriptions; None where nothing was transcribed
    """

    keys: ReferenceScale
    transcribed: ReferenceScale | None = None

    def of(self, origin: Origin) -> ReferenceScale:
        """The scale for notes of one origin.

        Raises
        ------
        ValueError
            There is no scale for transcriptions.
        """
        if origin == "keys":
            return self.keys
        if self.transcribed is None:
            raise ValueError("there is no scale for transcriptions")
        return self.transcribed

    @property
    def pieces(self) -> tuple[str, ...]:
        """Names of all pieces that a scale was fitted to."""
        of_transcribed = () if self.transcribed is None else self.transcribed.pool.pieces
        return (*self.keys.pool.pieces, *of_transcribed)


def load_scales(
    keys: Path | None = None, transcribed: Path | None = None, *, with_transcribed: bool = True
) -> Scales:
    """Scales from files; None stands for the one that ships with tocco.

    Parameters
    ----------
    keys, transcribed
    with_transcribed : whether anything was transcribed; else that scale is read only if a file is given

    Raises
    ------
    InputError
        As of `load_scale`.
    """
    for_transcribed = None
    if transcribed is not None:
        for_transcribed = load_scale(transcribed, "transcribed")
    elif with_transcribed:
        for_transcribed = reference_scale("transcribed")
    return Scales(reference_scale() if keys is None else load_scale(keys), for_transcribed)

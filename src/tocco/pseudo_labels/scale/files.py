"""Scales from their files: the two that ship with tocco, and others in their place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from tocco.errors import InputError
from tocco.pseudo_labels.norms.model import reference_norms
from tocco.pseudo_labels.raters.registry import RATERS
from tocco.pseudo_labels.scale.difficulty import DEMANDS
from tocco.pseudo_labels.scale.model import SCALE_FORMAT, ReferenceScale
from tocco.schema import one_line, parse_object

SCALE_FILE: Final = "reference_scale.json"
TRANSCRIBED_SCALE_FILE: Final = "reference_scale_transcribed.json"

MAX_SCALE_BYTES: Final = 1_000_000
"""What is larger was given by mistake, and is not read."""


def read_scale(content: str, source: str, *, is_transcribed: bool = False) -> ReferenceScale:
    """A scale from its JSON text.

    Parameters
    ----------
    content
    source : what to call it in an error
    is_transcribed : whether it is to be for what a transcriber heard, or for what the keys sent

    Raises
    ------
    InputError
        It is broken, was fitted for other components, weights or norms than those of this release, or is
        for the other kind of performance.
    """
    try:
        told = parse_object(content)
        if told.get("format") not in (None, SCALE_FORMAT):
            raise _unfit(source, is_transcribed, f"has the format {told['format']}", f"{SCALE_FORMAT}")
        scale = ReferenceScale.model_validate(told)
    except ValidationError as error:
        raise _unfit(source, is_transcribed, one_line(error, ReferenceScale)) from error
    except ValueError as error:
        raise _unfit(source, is_transcribed, str(error)) from error
    if scale.is_transcribed != is_transcribed:
        kinds = ("what a transcriber heard", "what the keys sent")
        given, wanted = kinds if scale.is_transcribed else kinds[::-1]
        raise _unfit(source, is_transcribed, f"is a scale for {given}", f"one for {wanted}")
    fitted = {
        dimension: {name: part.weight for name, part in found.components.items()}
        for dimension, found in scale.dimensions.items()
    }
    asked = {name: {kind.name: kind.weight for kind in rater.scaled} for name, rater in RATERS.items()}
    if fitted != asked or len(scale.demand_centre) != len(DEMANDS):
        differing = sorted(name for name in asked if fitted.get(name) != asked[name]) or ["demands"]
        raise _unfit(source, is_transcribed, f"was fitted for other components of {', '.join(differing)}")
    norms = reference_norms().sha256()
    if scale.norms_sha256 != norms:
        other = f"was fitted with other norms ({scale.norms_sha256[:12]}; those in use are {norms[:12]})"
        raise _unfit(source, is_transcribed, other)
    return scale


def _unfit(source: str, is_transcribed: bool, problem: str, allowed: str | None = None) -> InputError:
    command = f"tocco pseudo-label fit-scale{' --transcribed' if is_transcribed else ''}"
    return InputError(source, problem, allowed=allowed, next_step=f"fit the scale with `{command}`")


def load_scale(path: Path, *, is_transcribed: bool = False) -> ReferenceScale:
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
            raise _unfit(str(path), is_transcribed, f"has {size:,} bytes", allowed)
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", next_step="check the path") from error
    except UnicodeDecodeError as error:
        raise _unfit(str(path), is_transcribed, "is no scale, and no text at all") from error
    return read_scale(content, str(path), is_transcribed=is_transcribed)


@cache
def reference_scale(*, is_transcribed: bool = False) -> ReferenceScale:
    """The scale that ships with tocco, for what the keys sent or for what a transcriber heard."""
    name = TRANSCRIBED_SCALE_FILE if is_transcribed else SCALE_FILE
    content = files("tocco.pseudo_labels.scale").joinpath(name).read_text(encoding="utf-8")
    return read_scale(content, name, is_transcribed=is_transcribed)


@dataclass(frozen=True)
class Scales:
    """A scale for either kind of performance.

    Attributes
    ----------
    keys : for what the keys sent
    transcribed : for what a transcriber heard; None where nothing was transcribed
    """

    keys: ReferenceScale
    transcribed: ReferenceScale | None = None

    def of(self, *, is_transcribed: bool) -> ReferenceScale:
        """The one for a performance.

        Raises
        ------
        ValueError
            It was transcribed, and there is no scale for that.
        """
        if not is_transcribed:
            return self.keys
        if self.transcribed is None:
            raise ValueError("no scale for transcriptions is there")
        return self.transcribed

    @property
    def pieces(self) -> tuple[str, ...]:
        """Names of all pieces that a scale was fitted to."""
        heard = () if self.transcribed is None else self.transcribed.pool.pieces
        return (*self.keys.pool.pieces, *heard)


def load_scales(
    keys: Path | None = None, transcribed: Path | None = None, *, with_transcribed: bool = True
) -> Scales:
    """Scales from files; for None the one that ships with tocco.

    Parameters
    ----------
    keys, transcribed
    with_transcribed : whether anything was transcribed; else that scale is read only where a file is given

    Raises
    ------
    InputError
        As of `load_scale`.
    """
    heard = None
    if transcribed is not None:
        heard = load_scale(transcribed, is_transcribed=True)
    elif with_transcribed:
        heard = reference_scale(is_transcribed=True)
    return Scales(reference_scale() if keys is None else load_scale(keys), heard)
